/* SPDX-License-Identifier: MIT */
/* Copying a folder into a fresh volume. */
#ifndef FATWARD_MKIMAGE_FILL_H
#define FATWARD_MKIMAGE_FILL_H

#include <stdbool.h>
#include <stdint.h>

#include <fatward/time.h>
#include <fatward/volume.h>

#include "mkimage/source.h"

/*
 * Copy what is in @folder into the root of @volume, in an order that depends on
 * names alone.
 *
 * @latest   no time on the volume is later than that
 *
 * Complains itself.
 */
bool fill_volume(struct fat_volume *volume, const char *folder,
        const struct source_rules *rules, struct fat_time latest);

#endif
