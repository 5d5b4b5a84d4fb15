/* SPDX-License-Identifier: MIT */
/*
 * What a new volume will look like: options and a size to fields. Pure; writing it
 * is format.c's. The choices are those of mkfs.fat 4.2, whose volumes every system
 * has seen, save where this would not mount or be read as different types.
 */
#ifndef FAT_VOLUME_FORMAT_PLAN_H
#define FAT_VOLUME_FORMAT_PLAN_H

#include <stdint.h>

#include <fatward/error.h>
#include <fatward/format.h>

#include "ondisk/bpb.h"
#include "ondisk/geometry.h"

/* What the boot sector of a volume without a label says; 11 bytes. */
#define FAT_NO_NAME "NO NAME    "

struct fat_format_plan {
    struct fat_bpb bpb;
    struct fat_geometry geometry; /* derived from .bpb */
};

/*
 * @options      sector_bytes must not be 0
 * @size_bytes   of the device
 *
 * FAT_E_INVAL, FAT_E_NOSPC, FAT_E_FBIG, FAT_E_RANGE   as fat_format()
 */
FAT_MUST_CHECK fat_err fat_format_plan_make(const struct fat_format_options *options,
        uint64_t size_bytes, struct fat_format_plan *ret);

#endif
