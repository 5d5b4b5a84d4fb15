/* SPDX-License-Identifier: MIT */
/* Learning the free map from the FAT, region by region. */
#include <stdlib.h>

#include "alloc/freemap.h"
#include "alloc/freemap_state.h"

/* One image of a FAT sector, seen for the entries that lie in it. */
struct seen {
    const struct fat_geometry *geometry;
    struct fat_region *region;
    uint32_t base;       /* index of the region's first cluster                     */
    uint64_t first_byte; /* of the sector, in the table                             */
    uint32_t begin, end; /* indices that lie wholly in the sector                   */
};

/* W2: an entry that any image shows taken is not free. */
static void see_image(void *context, const uint8_t *image)
{
    const struct seen *seen = context;

    for (uint32_t i = seen->begin; i < seen->end; i++) {
        const uint32_t cluster = seen->base + i + FAT_CLUSTER_FIRST;
        const struct fat_ent_span span = fat_ent_locate(seen->geometry->type, cluster);
        const uint8_t *raw = image + (span.offset - seen->first_byte);

        if (fat_ent_decode(seen->geometry->type, cluster, raw).kind != FAT_LINK_FREE) {
            seen->region->free[i / 64] &= ~(UINT64_C(1) << i % 64);
        }
    }
}

/*
 * A FAT12 entry in two sectors is free only if both parts are zero in every image:
 * looked at byte by byte, without the neighbour's nibble.
 */
struct seen_part {
    size_t offset, length;
    const uint8_t *mask;
    bool taken;
};

static void see_part(void *context, const uint8_t *image)
{
    struct seen_part *part = context;

    for (size_t i = 0; i < part->length; i++) {
        part->taken |= (image[part->offset + i] & part->mask[i]) != 0;
    }
}

static fat_err straddler_is_taken(
        const struct fat_fattab *tab, uint32_t cluster, bool *ret)
{
    const struct fat_ent_span span = fat_ent_locate(tab->geometry->type, cluster);
    const uint64_t sector = fat_fattab_sector(tab, cluster);
    uint8_t value[FAT_ENT_BYTES_MAX];
    uint8_t mask[FAT_ENT_BYTES_MAX];
    struct seen_part part = {
            .offset = (size_t)(span.offset % tab->geometry->sector_bytes),
            .length = 1,
            .mask = mask};

    fat_ent_encode(tab->geometry->type, cluster,
            (struct fat_link){.kind = FAT_LINK_FREE}, value, mask);
    for (int i = 0; i < 2; i++) {
        struct fat_block *block;
        fat_err err = fat_cache_get(tab->cache, sector + (uint64_t)i, 0, &block);

        if (err != FAT_OK) {
            return err;
        }
        fat_cache_each_image(tab->cache, block, see_part, &part);
        fat_cache_put(tab->cache, block);
        part.offset = 0;
        part.mask = mask + 1;
    }
    *ret = part.taken;
    return FAT_OK;
}

/* The index behind the last entry that lies wholly in the sector of entry @begin. */
static uint32_t sector_end(
        const struct fat_fattab *tab, uint32_t base, uint32_t begin, uint32_t limit)
{
    const uint64_t sector = fat_fattab_sector(tab, base + begin + FAT_CLUSTER_FIRST);
    uint32_t end = begin;

    while (end < limit &&
            fat_fattab_sector(tab, base + end + FAT_CLUSTER_FIRST) == sector &&
            !fat_fattab_straddles(tab, base + end + FAT_CLUSTER_FIRST)) {
        end++;
    }
    return end;
}

static fat_err learn_sector(const struct fat_fattab *tab, struct seen *seen)
{
    const uint32_t cluster = seen->base + seen->begin + FAT_CLUSTER_FIRST;
    const uint64_t sector = fat_fattab_sector(tab, cluster);
    struct fat_block *block;
    const uint32_t ahead =
            fat_fattab_ahead(tab, sector, FAT_REGION_CLUSTERS * 4 / 512 - 1);
    fat_err err = fat_cache_get(tab->cache, sector, ahead, &block);

    if (err != FAT_OK) {
        return err;
    }
    seen->first_byte = (sector - tab->start) * tab->geometry->sector_bytes;
    fat_cache_each_image(tab->cache, block, see_image, seen);
    fat_cache_put(tab->cache, block);
    return FAT_OK;
}

/* Walk the region's entries sector by sector; straddlers one by one, if at all. */
static fat_err learn_entries(const struct fat_fattab *tab, struct fat_region *region,
        uint32_t base, uint32_t limit)
{
    struct seen seen = {.geometry = tab->geometry, .region = region, .base = base};

    for (uint32_t i = 0; i < limit;) {
        bool taken = fat_fattab_bars(tab, base + i + FAT_CLUSTER_FIRST);
        fat_err err;

        seen.begin = i;
        seen.end = sector_end(tab, base, i, limit);
        if (seen.end > i) {
            err = learn_sector(tab, &seen);
            i = seen.end;
        } else {
            err = taken ? FAT_OK
                        : straddler_is_taken(tab, base + i + FAT_CLUSTER_FIRST, &taken);
            if (taken) {
                region->free[i / 64] &= ~(UINT64_C(1) << i % 64);
            }
            i++;
        }
        if (err != FAT_OK) {
            return err;
        }
    }
    return FAT_OK;
}

static void all_free(struct fat_region *region, uint32_t limit)
{
    for (uint32_t i = 0; i < limit; i++) {
        region->free[i / 64] |= UINT64_C(1) << i % 64;
    }
}

fat_err fat_freemap_learn(struct fat_freemap *map, uint32_t r)
{
    const uint32_t base = r * FAT_REGION_CLUSTERS;
    const uint32_t rest = map->cluster_count - base;
    const uint32_t limit = rest < FAT_REGION_CLUSTERS ? rest : FAT_REGION_CLUSTERS;
    struct fat_region *region;
    fat_err err;

    if (map->regions[r]) {
        return FAT_OK;
    }
    region = calloc(1, sizeof(*region));
    if (!region) {
        return FAT_E_NOMEM;
    }
    all_free(region, limit);
    err = learn_entries(map->tab, region, base, limit);
    if (err != FAT_OK) {
        free(region);
        return err;
    }
    for (uint32_t i = 0; i < FAT_REGION_WORDS; i++) {
        region->free_count += (uint32_t)__builtin_popcountll(region->free[i]);
    }
    map->regions[r] = region;
    map->free_here += region->free_count;
    map->learnt++;
    return FAT_OK;
}

fat_err fat_region_need_quarantine(struct fat_region *region)
{
    uint64_t *bits;

    if (region->quarantine) {
        return FAT_OK;
    }
    bits = calloc(FAT_REGION_WORDS, sizeof(*bits));
    if (!bits) {
        return FAT_E_NOMEM;
    }
    region->quarantine = bits;
    return FAT_OK;
}
