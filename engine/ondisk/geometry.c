/* SPDX-License-Identifier: MIT */
#include "ondisk/geometry.h"

#include <assert.h>
#include <stddef.h>

enum {
    SLOT_BYTES = 32,
    /* The next number, 0x0FFFFFF7, means bad: no entry can lead there. */
    FAT32_CLUSTER_LAST = 0x0ffffff6,
    EXT_FLAG_MIRRORING_OFF = 0x80,
    EXT_FLAG_ACTIVE_FAT = 0x0f,
    NO_SECTOR = 0xffff,
};

static uint64_t total_of(const struct fat_bpb *bpb)
{
    return bpb->total_sectors_16 != 0 ? bpb->total_sectors_16 : bpb->total_sectors_32;
}

/* Everything in front of the data area, without a look at what it contradicts. */
static void lay_out(const struct fat_bpb *bpb, struct fat_geometry *ret)
{
    const uint64_t root_bytes = (uint64_t)bpb->root_entries * SLOT_BYTES;

    ret->sector_bytes = bpb->sector_bytes;
    ret->cluster_sectors = bpb->cluster_sectors;
    ret->cluster_bytes = ret->sector_bytes * ret->cluster_sectors;
    ret->fat_count = bpb->fat_count;
    ret->fat_start = bpb->reserved_sectors;
    ret->fat_sectors = bpb->is_fat32 ? bpb->fat_sectors_32 : bpb->fat_sectors_16;
    ret->root_start = ret->fat_start + ret->fat_count * ret->fat_sectors;
    ret->root_entries = bpb->root_entries;
    ret->data_start = ret->root_start + root_bytes / ret->sector_bytes;
    ret->total_sectors = total_of(bpb);
    ret->mirrored = true;
    ret->media = bpb->media;
}

/* The type goes by the count before it is clamped, as everywhere. */
static enum fat_type type_of(bool is_fat32, uint64_t cluster_count)
{
    if (is_fat32) {
        return FAT_TYPE_32;
    }
    return cluster_count > FAT12_CLUSTERS_MAX ? FAT_TYPE_16 : FAT_TYPE_12;
}

static uint64_t most_clusters(enum fat_type type)
{
    switch (type) {
    case FAT_TYPE_12:
        return FAT12_CLUSTERS_MAX;
    case FAT_TYPE_16:
        return FAT16_CLUSTERS_MAX;
    case FAT_TYPE_32:
        return FAT32_CLUSTERS_MAX;
    }
    assert(false && "enum fat_type");
    return 0;
}

/* Clusters that a table of @bytes bytes has entries for. */
static uint64_t clusters_of_table(enum fat_type type, uint64_t bytes)
{
    /* The smallest table has one sector, and so more than the two first entries. */
    assert(bytes >= 512);
    return bytes * 8 / (unsigned)type - FAT_CLUSTER_FIRST;
}

/* On success the type, the cluster count and the clamping are set. */
static const char *count_clusters(const struct fat_bpb *bpb, struct fat_geometry *ret)
{
    uint64_t count, in_table;

    if (ret->total_sectors < ret->data_start) {
        return "BPB_TotSec16/32 (total sectors) ends before the data area begins";
    }
    count = (ret->total_sectors - ret->data_start) / ret->cluster_sectors;
    if (count == 0) {
        return "BPB_TotSec16/32 (total sectors) has no room for one cluster";
    }
    ret->type = type_of(bpb->is_fat32, count);
    /* A FAT32 entry has 32 bits on disk, of which 28 count. */
    in_table = clusters_of_table(ret->type, ret->fat_sectors * ret->sector_bytes);
    ret->fat_clamped = in_table < count;
    if (ret->fat_clamped) {
        count = in_table;
    }
    if (count > most_clusters(ret->type)) {
        return "BPB_TotSec16/32 (total sectors) has more clusters than the type can";
    }
    if (count > FAT32_CLUSTER_LAST + 1 - FAT_CLUSTER_FIRST) {
        count = FAT32_CLUSTER_LAST + 1 - FAT_CLUSTER_FIRST;
    }
    ret->cluster_count = (uint32_t)count;
    return NULL;
}

/* @sector of FAT32's reserved area, or 0 for none. */
static uint32_t reserved_sector(const struct fat_bpb *bpb, uint32_t sector)
{
    return sector == NO_SECTOR || sector >= bpb->reserved_sectors ? 0 : sector;
}

static const char *derive_fat32(const struct fat_bpb *bpb, struct fat_geometry *ret)
{
    if (bpb->ext_flags & EXT_FLAG_MIRRORING_OFF) {
        ret->mirrored = false;
        ret->active_fat = bpb->ext_flags & EXT_FLAG_ACTIVE_FAT;
    }
    if (ret->active_fat >= ret->fat_count) {
        return "BPB_ExtFlags names an active FAT that is not there";
    }
    if (!fat_geometry_holds(ret, bpb->root_cluster)) {
        return "BPB_RootClus (first cluster of the root) is no cluster of the volume";
    }
    ret->root_cluster = bpb->root_cluster;
    /* Old formatters left 0 and meant the usual place; Linux reads it so. */
    ret->fsinfo_sector =
            reserved_sector(bpb, bpb->fsinfo_sector == 0 ? 1 : bpb->fsinfo_sector);
    ret->backup_sector = reserved_sector(bpb, bpb->backup_sector);
    /* A stray fixed root is skipped, as Linux does, and never used. */
    ret->root_start = 0;
    ret->root_entries = 0;
    return NULL;
}

static const char *derive(const struct fat_bpb *bpb, struct fat_geometry *ret)
{
    const char *rule;

    lay_out(bpb, ret);
    if (ret->root_entries % (ret->sector_bytes / SLOT_BYTES) != 0) {
        return "BPB_RootEntCnt (root entries) does not fill whole sectors";
    }
    if (ret->total_sectors == 0) {
        return "BPB_TotSec16 and BPB_TotSec32 (total sectors) are both 0";
    }
    rule = count_clusters(bpb, ret);
    if (rule || !bpb->is_fat32) {
        return rule;
    }
    return derive_fat32(bpb, ret);
}

fat_err fat_geometry_derive(
        const struct fat_bpb *bpb, struct fat_geometry *ret, const char **ret_rule)
{
    struct fat_geometry geometry = {0};
    const char *rule = derive(bpb, &geometry);

    if (rule) {
        *ret_rule = rule;
        return FAT_E_CORRUPT;
    }
    *ret = geometry;
    return FAT_OK;
}

uint64_t fat_geometry_end(const struct fat_geometry *g)
{
    return g->total_sectors * g->sector_bytes;
}
