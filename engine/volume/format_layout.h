/* SPDX-License-Identifier: MIT */
/*
 * Which type and cluster size a new volume gets, and how its sectors are dealt out.
 * Pure. Small clusters are tried first and larger ones when the type has too few
 * numbers for them, as mkfs.fat does; smaller ones when it has too many, where
 * mkfs.fat gives up.
 */
#ifndef FAT_VOLUME_FORMAT_LAYOUT_H
#define FAT_VOLUME_FORMAT_LAYOUT_H

#include <stdbool.h>
#include <stdint.h>

#include <fatward/error.h>
#include <fatward/format.h>

#include "ondisk/fatent.h"

/* What the size of the device tells. */
struct fat_format_medium {
    uint32_t size_kib; /* of a floppy, else 0 */
    uint16_t track_sectors, heads;
    uint8_t media;
    uint8_t cluster_sectors; /* to start with, on FAT12 and FAT16 */
    uint16_t root_entries;
};

struct fat_format_request {
    const struct fat_format_options *options; /* in range; sector_bytes is not 0 */
    struct fat_format_medium medium;
    uint64_t size_bytes;    /* of the device */
    uint64_t total_sectors; /* of the volume; fits 32 bits */
    uint32_t fat_count;
    bool aligned; /* everything in front of the data, to the cluster size */
    bool allow_ambiguous;
};

struct fat_format_layout {
    enum fat_type type;
    uint32_t cluster_sectors;
    uint64_t reserved_sectors, fat_sectors, root_sectors, cluster_count;
};

/*
 * FAT_E_NOSPC, FAT_E_FBIG, FAT_E_RANGE   as fat_format(); @ret is not to be used
 */
FAT_MUST_CHECK fat_err fat_format_layout_choose(
        const struct fat_format_request *r, struct fat_format_layout *ret);

#endif
