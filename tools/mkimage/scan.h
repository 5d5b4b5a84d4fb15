/* SPDX-License-Identifier: MIT */
/* The walk over the source that comes first: everything that can be known before
   anything is written is found out here. */
#ifndef FATWARD_MKIMAGE_SCAN_H
#define FATWARD_MKIMAGE_SCAN_H

#include <stdbool.h>
#include <stdint.h>

#include "mkimage/source.h"
#include "mkimage/trial.h"

struct scan_totals {
    uint64_t files, folders, clusters;
};

/*
 * Can @folder be put on the volume of @trial->geometry, name by name and as a
 * whole? Complains itself if not.
 */
bool scan_source(const char *folder, const struct source_rules *rules,
        const struct trial *trial, struct scan_totals *ret);

#endif
