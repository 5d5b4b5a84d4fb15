/* SPDX-License-Identifier: MIT */
/*
 * Where everything on a volume is, derived once from the boot sector in 64-bit
 * arithmetic with every subtraction checked. Pure. MSFAT 3.5.
 */
#ifndef FAT_ONDISK_GEOMETRY_H
#define FAT_ONDISK_GEOMETRY_H

#include <stdbool.h>
#include <stdint.h>

#include "ondisk/bpb.h"
#include "ondisk/fatent.h"

enum {
    FAT_CLUSTER_FIRST = 2,
    FAT_DIR_SLOTS_MAX = 65536,
    FAT12_CLUSTERS_MAX = 4084,
    FAT16_CLUSTERS_MAX = 65524,
    FAT32_CLUSTERS_MAX = 268435446, /* accepted; the last can't be named, nor used */
};

struct fat_geometry {
    enum fat_type type;
    uint32_t sector_bytes; /* 512 .. 4096, a power of two */
    uint32_t cluster_sectors;
    uint32_t cluster_bytes; /* 512 .. 512 KiB */
    uint32_t cluster_count; /* clusters are 2 .. cluster_count + 1; clamped to what
                               the FAT has entries for */
    uint32_t fat_count;
    uint32_t active_fat;   /* the one that is read and written first */
    bool mirrored;         /* false: only active_fat is written */
    uint64_t fat_start;    /* sector of FAT 0 */
    uint64_t fat_sectors;  /* of one copy */
    uint64_t root_start;   /* fixed root of FAT12 and FAT16; else 0 */
    uint32_t root_entries; /* else 0 */
    uint32_t root_cluster; /* FAT32; else 0 */
    uint64_t data_start;
    uint64_t total_sectors;
    uint32_t fsinfo_sector; /* 0: none */
    uint32_t backup_sector; /* 0: none */
    uint8_t media;
    bool fat_clamped; /* the FAT has fewer entries than the data area clusters */
};

/*
 * Where the volume ends is what the boot sector says; the device may be shorter:
 * compare with fat_geometry_end().
 *
 * @bpb            fields that fat_bpb_validate() found good
 * @ret_rule       on failure, the broken rule as constant text that names the field
 *
 * FAT_E_CORRUPT   the fields contradict each other
 */
FAT_MUST_CHECK fat_err fat_geometry_derive(
        const struct fat_bpb *bpb, struct fat_geometry *ret, const char **ret_rule);

/* First byte behind the volume, as the boot sector has it. */
uint64_t fat_geometry_end(const struct fat_geometry *g);

/* @cluster is a data cluster of this volume. */
static inline bool fat_geometry_holds(const struct fat_geometry *g, uint32_t cluster)
{
    return cluster >= FAT_CLUSTER_FIRST &&
           cluster - FAT_CLUSTER_FIRST < g->cluster_count;
}

/* First sector of @cluster, which the volume holds. */
static inline uint64_t fat_geometry_sector(
        const struct fat_geometry *g, uint32_t cluster)
{
    return g->data_start + (uint64_t)(cluster - FAT_CLUSTER_FIRST) * g->cluster_sectors;
}

#endif
