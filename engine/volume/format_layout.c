/* SPDX-License-Identifier: MIT */
#include "volume/format_layout.h"

#include <assert.h>
#include <stddef.h>

#include "ondisk/geometry.h"

enum {
    SLOT_BYTES = 32,
    CLUSTER_SECTORS_MAX = 128,
    FAT16_CLUSTERS_LEAST = 4085,      /* what MSFAT 3.5 and Linux call FAT16 */
    FAT16_CLUSTERS_SAFE = 4087,       /* what Windows calls FAT16 */
    FAT32_CLUSTERS_SAFE = 65525,      /* below, many decide for FAT16 by the count */
    FAT32_CLUSTERS_MOST = 0x0ffffff5, /* one less than Linux allows, as others do */
    FAT32_RESERVED = 32,
};

/* FAT32 by default from here on. */
#define FAT32_BYTES_LEAST (UINT64_C(512) << 20)

/* FAT32's first cluster size, by sectors whatever their size, as mkfs.fat. */
static const struct {
    uint64_t sectors_most;
    uint32_t cluster_sectors;
} fat32_clusters[] = {
        {UINT64_C(260) << 11, 1},
        {UINT64_C(8) << 21, 8},
        {UINT64_C(16) << 21, 16},
        {UINT64_C(32) << 21, 32},
        {UINT64_MAX, 64},
};

enum verdict { FITS, TOO_FEW, AMBIGUOUS, TOO_MANY };

/* The types that are tried together: by default the cluster count decides. */
enum family { FAMILY_12 = 1, FAMILY_16 = 2, FAMILY_12_16 = 3, FAMILY_32 = 4 };

static uint64_t divide_up(uint64_t number, uint64_t unit)
{
    return number / unit + (number % unit != 0);
}

static uint64_t align(
        const struct fat_format_request *r, uint64_t sectors, uint32_t unit)
{
    return r->aligned ? divide_up(sectors, unit) * unit : sectors;
}

static uint64_t reserved_of(
        const struct fat_format_request *r, const struct fat_format_layout *layout)
{
    if (r->options->reserved_sectors != 0) {
        return r->options->reserved_sectors;
    }
    return align(r, layout->type == FAT_TYPE_32 ? FAT32_RESERVED : 1,
            layout->cluster_sectors);
}

/* Whole sectors always: Linux refuses anything else. */
static uint64_t root_sectors_of(
        const struct fat_format_request *r, const struct fat_format_layout *layout)
{
    const uint32_t wanted = r->options->root_entries;
    const uint64_t per_sector = r->options->sector_bytes / SLOT_BYTES;

    if (layout->type == FAT_TYPE_32) {
        return 0;
    }
    if (wanted != 0) {
        return divide_up(wanted, per_sector);
    }
    return align(
            r, divide_up(r->medium.root_entries, per_sector), layout->cluster_sectors);
}

/*
 * An upper bound of the clusters that @space sectors hold with the entries of all
 * FATs: the root of a linear equation, in bits, and two entries more, as mkfs.fat
 * has it. A FAT that is a sector too long does no harm.
 */
static uint64_t bound_clusters(const struct fat_format_request *r,
        const struct fat_format_layout *layout, uint64_t space)
{
    const uint64_t entry_bits = (uint64_t)layout->type * r->fat_count;
    const uint64_t sector_bits = (uint64_t)r->options->sector_bytes * 8;

    return (space * sector_bits + 2 * entry_bits) /
           (layout->cluster_sectors * sector_bits + entry_bits);
}

static enum verdict judge(
        const struct fat_format_request *r, const struct fat_format_layout *layout)
{
    const uint64_t count = layout->cluster_count;

    switch (layout->type) {
    case FAT_TYPE_12:
        return count > FAT12_CLUSTERS_MAX ? TOO_MANY : FITS;
    case FAT_TYPE_16:
        if (count > FAT16_CLUSTERS_MAX) {
            return TOO_MANY;
        }
        if (count < FAT16_CLUSTERS_LEAST) {
            return TOO_FEW;
        }
        return count < FAT16_CLUSTERS_SAFE && !r->allow_ambiguous ? AMBIGUOUS : FITS;
    case FAT_TYPE_32:
        if (count > FAT32_CLUSTERS_MOST) {
            return TOO_MANY;
        }
        return count < FAT32_CLUSTERS_SAFE && !r->allow_ambiguous ? AMBIGUOUS : FITS;
    }
    assert(false && "enum fat_type");
    return TOO_FEW;
}

/* One type with one cluster size; @ret is set in any case. */
static enum verdict lay_out(const struct fat_format_request *r, enum fat_type type,
        uint32_t cluster_sectors, struct fat_format_layout *ret)
{
    const uint32_t sector_bytes = r->options->sector_bytes;
    uint64_t front, table_bytes;

    *ret = (struct fat_format_layout){.type = type, .cluster_sectors = cluster_sectors};
    ret->reserved_sectors = reserved_of(r, ret);
    ret->root_sectors = root_sectors_of(r, ret);
    front = ret->reserved_sectors + ret->root_sectors;
    if (front >= r->total_sectors) {
        return TOO_FEW;
    }

    /* Fits 32 bits, as the sectors do. */
    table_bytes = fat_ent_table_bytes(
            type, (uint32_t)bound_clusters(r, ret, r->total_sectors - front));
    ret->fat_sectors = align(r, divide_up(table_bytes, sector_bytes), cluster_sectors);
    front += r->fat_count * ret->fat_sectors;
    if (front >= r->total_sectors || r->total_sectors - front < cluster_sectors) {
        return TOO_FEW;
    }
    ret->cluster_count = (r->total_sectors - front) / cluster_sectors;
    return judge(r, ret);
}

static enum verdict try_family(const struct fat_format_request *r, enum family family,
        uint32_t cluster_sectors, struct fat_format_layout *ret)
{
    enum verdict verdict = TOO_FEW;

    if (family == FAMILY_32) {
        return lay_out(r, FAT_TYPE_32, cluster_sectors, ret);
    }
    if (family != FAMILY_16) {
        verdict = lay_out(r, FAT_TYPE_12, cluster_sectors, ret);
        if (family == FAMILY_12 || verdict != TOO_MANY) {
            return verdict;
        }
    }
    verdict = lay_out(r, FAT_TYPE_16, cluster_sectors, ret);
    /* With its longer FATs FAT16 may have just too few, where FAT12 had too many. */
    return family == FAMILY_12_16 && verdict == TOO_FEW ? AMBIGUOUS : verdict;
}

static uint32_t first_cluster_sectors(
        const struct fat_format_request *r, enum family family)
{
    size_t i = 0;

    if (family != FAMILY_32) {
        return r->medium.cluster_sectors;
    }
    while ((r->size_bytes / r->options->sector_bytes) >
            fat32_clusters[i].sectors_most) {
        i++;
    }
    return fat32_clusters[i].cluster_sectors;
}

static bool wants_larger(enum family family, enum verdict verdict)
{
    return verdict == TOO_MANY || (family == FAMILY_12_16 && verdict == AMBIGUOUS);
}

static bool wants_smaller(enum verdict verdict)
{
    return verdict == TOO_FEW || verdict == AMBIGUOUS;
}

static fat_err err_of(enum verdict verdict)
{
    switch (verdict) {
    case FITS:
        return FAT_OK;
    case TOO_FEW:
        return FAT_E_NOSPC;
    case AMBIGUOUS:
        return FAT_E_RANGE;
    case TOO_MANY:
        return FAT_E_FBIG;
    }
    assert(false && "enum verdict");
    return FAT_E_INVAL;
}

static fat_err search(const struct fat_format_request *r, enum family family,
        struct fat_format_layout *ret)
{
    uint32_t cluster_sectors = r->options->cluster_sectors;
    enum verdict verdict;

    if (cluster_sectors != 0) {
        return err_of(try_family(r, family, cluster_sectors, ret));
    }
    cluster_sectors = first_cluster_sectors(r, family);
    verdict = try_family(r, family, cluster_sectors, ret);
    while (wants_larger(family, verdict) && cluster_sectors < CLUSTER_SECTORS_MAX) {
        cluster_sectors *= 2;
        verdict = try_family(r, family, cluster_sectors, ret);
    }
    while (wants_smaller(verdict) && cluster_sectors > 1) {
        cluster_sectors /= 2;
        verdict = try_family(r, family, cluster_sectors, ret);
    }
    return err_of(verdict);
}

static fat_err search_by_size(
        const struct fat_format_request *r, struct fat_format_layout *ret)
{
    const bool is_large = r->size_bytes >= FAT32_BYTES_LEAST;
    const fat_err err = search(r, is_large ? FAMILY_32 : FAMILY_12_16, ret);

    /* The other way a given cluster size may still do. */
    if (err && search(r, is_large ? FAMILY_12_16 : FAMILY_32, ret) == FAT_OK) {
        return FAT_OK;
    }
    return err;
}

fat_err fat_format_layout_choose(
        const struct fat_format_request *r, struct fat_format_layout *ret)
{
    switch (r->options->type) {
    case FAT_TYPE_12:
        return search(r, FAMILY_12, ret);
    case FAT_TYPE_16:
        return search(r, FAMILY_16, ret);
    case FAT_TYPE_32:
        return search(r, FAMILY_32, ret);
    default:
        return search_by_size(r, ret);
    }
}
