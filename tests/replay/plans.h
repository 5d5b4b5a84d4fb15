/* SPDX-License-Identifier: MIT */
#ifndef REPLAY_PLANS_H
#define REPLAY_PLANS_H

#include <stddef.h>

#include "base.h"
#include "world.h"

/* The volumes to begin with, save for large ones; @type 12, 16, 32 or 0 for all. */
size_t plans_of(unsigned type, const struct base_plan **ret, size_t capacity);

/* The one of that name; the program ends if there is none. */
const struct base_plan *plan_named(const char *name);

/* Operations of which all combinations are tried. */
extern const struct op plan_ops[];
extern const size_t plan_op_count;

#endif
