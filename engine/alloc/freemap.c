/* SPDX-License-Identifier: MIT */
#include "alloc/freemap.h"

#include <assert.h>
#include <stdlib.h>

#include "alloc/freemap_state.h"
#include "ondisk/fsinfo.h"

fat_err fat_freemap_new(const struct fat_fattab *tab, uint32_t free_count,
        uint32_t hint, struct fat_freemap **ret)
{
    struct fat_freemap *map = calloc(1, sizeof(*map));

    if (!map) {
        return FAT_E_NOMEM;
    }
    map->tab = tab;
    map->cluster_count = tab->geometry->cluster_count;
    map->region_count =
            (map->cluster_count + FAT_REGION_CLUSTERS - 1) / FAT_REGION_CLUSTERS;
    map->regions = calloc(map->region_count, sizeof(struct fat_region *));
    if (!map->regions) {
        free(map);
        return FAT_E_NOMEM;
    }
    map->counted = free_count != FAT_FSINFO_UNKNOWN;
    map->count = map->counted ? free_count : 0;
    map->hint = fat_geometry_holds(tab->geometry, hint) ? hint - FAT_CLUSTER_FIRST : 0;
    fat_mutex_init(&map->lock, FAT_LOCK_FAT);
    *ret = map;
    return FAT_OK;
}

void fat_freemap_free(struct fat_freemap *map)
{
    if (!map) {
        return;
    }
    for (uint32_t i = 0; i < map->region_count; i++) {
        if (map->regions[i]) {
            free(map->regions[i]->quarantine);
            free(map->regions[i]);
        }
    }
    free(map->regions);
    fat_mutex_done(&map->lock);
    free(map);
}

static bool is_free(const struct fat_freemap *map, uint32_t index)
{
    const struct fat_region *region = map->regions[index / FAT_REGION_CLUSTERS];

    return region->free[index % FAT_REGION_CLUSTERS / 64] >> index % 64 & 1;
}

void fat_freemap_mark(struct fat_freemap *map, uint32_t index, bool is)
{
    struct fat_region *region = map->regions[index / FAT_REGION_CLUSTERS];
    const uint64_t bit = UINT64_C(1) << index % 64;

    assert(is_free(map, index) != is);
    region->free[index % FAT_REGION_CLUSTERS / 64] ^= bit;
    region->free_count += is ? 1U : UINT32_MAX;
    map->free_here += is ? 1U : UINT32_MAX;
}

/* The first free index in [@begin, @end) of one learnt region, or @end. */
static uint32_t find_in_region(
        const struct fat_freemap *map, uint32_t begin, uint32_t end)
{
    const struct fat_region *region = map->regions[begin / FAT_REGION_CLUSTERS];
    uint32_t i = begin;

    while (i < end) {
        const uint64_t word = region->free[i % FAT_REGION_CLUSTERS / 64] >> i % 64;

        if (word) {
            i += (uint32_t)__builtin_ctzll(word);
            return i < end ? i : end;
        }
        i = (i / 64 + 1) * 64;
    }
    return end;
}

/*
 * FAT12 entries in two sectors are taken last: a torn one is a third cluster number
 * (docs/crash-order.md). With one FAT they are never free here.
 */
enum pass { PASS_WHOLE, PASS_ANY };

static bool suits(const struct fat_freemap *map, uint32_t index, enum pass pass)
{
    return pass == PASS_ANY ||
           !fat_fattab_straddles(map->tab, index + FAT_CLUSTER_FIRST);
}

/* The first index in [@begin, @end) that is free and suits; FAT_END: none. */
static fat_err find(struct fat_freemap *map, uint32_t begin, uint32_t end,
        enum pass pass, uint32_t *ret) FAT_REQUIRES(map->lock)
{
    for (uint32_t i = begin; i < end;) {
        const uint32_t border = (i / FAT_REGION_CLUSTERS + 1) * FAT_REGION_CLUSTERS;
        const uint32_t stop = border < end ? border : end;
        fat_err err = fat_freemap_learn(map, i / FAT_REGION_CLUSTERS);

        if (err != FAT_OK) {
            return err;
        }
        if (map->regions[i / FAT_REGION_CLUSTERS]->free_count == 0) {
            i = stop;
            continue;
        }
        i = find_in_region(map, i, stop);
        if (i < stop && suits(map, i, pass)) {
            *ret = i;
            return FAT_OK;
        }
        i += i < stop ? 1 : 0;
    }
    return FAT_END;
}

static fat_err find_round(struct fat_freemap *map, uint32_t from, enum pass pass,
        uint32_t *ret) FAT_REQUIRES(map->lock)
{
    fat_err err = find(map, from, map->cluster_count, pass, ret);

    return err == FAT_END ? find(map, 0, from, pass, ret) : err;
}

/* Take the free clusters from @index on, up to @want, within one region. */
static struct fat_extent take(struct fat_freemap *map, uint32_t index, uint32_t want,
        enum pass pass) FAT_REQUIRES(map->lock)
{
    const uint32_t border = (index / FAT_REGION_CLUSTERS + 1) * FAT_REGION_CLUSTERS;
    const uint32_t stop = border < map->cluster_count ? border : map->cluster_count;
    uint32_t n = 0;

    while (n < want && index + n < stop && is_free(map, index + n) &&
            (n == 0 || suits(map, index + n, pass))) {
        fat_freemap_mark(map, index + n, false);
        n++;
    }
    map->hint = index + n < map->cluster_count ? index + n : 0;
    return (struct fat_extent){.cluster = index + FAT_CLUSTER_FIRST, .count = n};
}

fat_err fat_freemap_take_near(
        struct fat_freemap *map, uint32_t hint, uint32_t want, struct fat_extent *ret)
{
    const bool follow = fat_geometry_holds(map->tab->geometry, hint);
    const uint32_t from =
            follow ? (hint - FAT_CLUSTER_FIRST + 1) % map->cluster_count : map->hint;
    uint32_t index;

    for (int pass = PASS_WHOLE; pass <= PASS_ANY; pass++) {
        fat_err err = find_round(map, from, (enum pass)pass, &index);

        if (err == FAT_OK) {
            *ret = take(map, index, want, (enum pass)pass);
        }
        if (err != FAT_END) {
            return err;
        }
    }
    return FAT_E_NOSPC;
}

fat_err fat_freemap_no_room(const struct fat_freemap *map)
{
    return map->waiting || map->quarantined > 0 ? FAT_E_AGAIN : FAT_E_NOSPC;
}

static fat_err claim_locked(struct fat_freemap *map, struct fat_reserve *reserve,
        uint32_t hint, uint32_t want, struct fat_extent *ret) FAT_REQUIRES(map->lock)
{
    fat_err err;

    if (reserve && reserve->clusters > 0) {
        fat_reserve_take(map, reserve, want, ret);
        return FAT_OK;
    }
    err = fat_freemap_take_near(map, hint, want, ret);
    if (err == FAT_E_NOSPC && fat_reserves_give_back(map)) {
        err = fat_freemap_take_near(map, hint, want, ret);
    }
    return err == FAT_E_NOSPC ? fat_freemap_no_room(map) : err;
}

fat_err fat_freemap_claim(struct fat_freemap *map, struct fat_reserve *reserve,
        uint32_t hint, uint32_t want, struct fat_extent *ret)
{
    fat_err err;

    assert(want > 0);
    fat_mutex_lock(&map->lock);
    err = claim_locked(map, reserve, hint, want, ret);
    if (err == FAT_OK && map->counted) {
        map->count -= ret->count < map->count ? ret->count : map->count;
    }
    fat_mutex_unlock(&map->lock);
    return err;
}

void fat_freemap_release(struct fat_freemap *map, struct fat_extent extent)
{
    fat_mutex_lock(&map->lock);
    for (uint32_t i = 0; i < extent.count; i++) {
        fat_freemap_mark(map, extent.cluster - FAT_CLUSTER_FIRST + i, true);
    }
    if (map->counted) {
        map->count += extent.count;
    }
    fat_mutex_unlock(&map->lock);
}

fat_err fat_freemap_quarantine(struct fat_freemap *map, uint32_t cluster)
{
    const uint32_t index = cluster - FAT_CLUSTER_FIRST;
    struct fat_region *region;
    fat_err err;

    if (fat_fattab_bars(map->tab, cluster)) {
        return FAT_OK; /* another driver's; nobody will claim it here */
    }
    fat_mutex_lock(&map->lock);
    err = fat_freemap_learn(map, index / FAT_REGION_CLUSTERS);
    region = map->regions[index / FAT_REGION_CLUSTERS];
    if (err == FAT_OK) {
        err = fat_region_need_quarantine(region);
    }
    if (err == FAT_OK) {
        region->quarantine[index % FAT_REGION_CLUSTERS / 64] |= UINT64_C(1)
                                                                << index % 64;
        map->quarantined++;
        map->count += map->counted ? 1U : 0U;
    }
    fat_mutex_unlock(&map->lock);
    return err;
}

static void settle_region(struct fat_freemap *map, struct fat_region *region)
        FAT_REQUIRES(map->lock)
{
    for (uint32_t i = 0; i < FAT_REGION_WORDS; i++) {
        const uint32_t n = (uint32_t)__builtin_popcountll(region->quarantine[i]);

        assert((region->free[i] & region->quarantine[i]) == 0);
        region->free[i] |= region->quarantine[i];
        region->free_count += n;
        map->free_here += n;
    }
    free(region->quarantine);
    region->quarantine = NULL;
}

void fat_freemap_settle(struct fat_freemap *map)
{
    fat_mutex_lock(&map->lock);
    for (uint32_t r = 0; r < map->region_count && map->quarantined > 0; r++) {
        if (map->regions[r] && map->regions[r]->quarantine) {
            settle_region(map, map->regions[r]);
        }
    }
    map->quarantined = 0;
    fat_mutex_unlock(&map->lock);
}

void fat_freemap_set_waiting(struct fat_freemap *map, bool waiting)
{
    fat_mutex_lock(&map->lock);
    map->waiting = waiting;
    fat_mutex_unlock(&map->lock);
}

fat_err fat_freemap_count(struct fat_freemap *map, uint32_t *ret)
{
    fat_err err = FAT_OK;

    fat_mutex_lock(&map->lock);
    for (uint32_t r = 0; r < map->region_count && !map->counted && err == FAT_OK; r++) {
        err = fat_freemap_learn(map, r);
    }
    if (err == FAT_OK && map->learnt == map->region_count) {
        /* Exact, whatever FSInfo had claimed. */
        map->count = map->free_here + map->quarantined + fat_reserves_count(map);
        map->counted = true;
    }
    if (err == FAT_OK) {
        *ret = map->count + map->promised -
               (map->reserved < map->count ? map->reserved : map->count);
    }
    fat_mutex_unlock(&map->lock);
    return err;
}

void fat_freemap_promise(struct fat_freemap *map, uint32_t clusters)
{
    fat_mutex_lock(&map->lock);
    map->promised += clusters;
    fat_mutex_unlock(&map->lock);
}

void fat_freemap_break_promise(struct fat_freemap *map, uint32_t clusters)
{
    fat_mutex_lock(&map->lock);
    assert(clusters <= map->promised);
    map->promised -= clusters;
    fat_mutex_unlock(&map->lock);
}

/* With one FAT12 not all of them can be claimed: there the map counts, which is small. */
void fat_freemap_set_count(struct fat_freemap *map, uint32_t count)
{
    const struct fat_geometry *g = map->tab->geometry;

    if (g->type == FAT_TYPE_12 && g->fat_count == 1) {
        return;
    }
    fat_mutex_lock(&map->lock);
    map->count = count;
    map->counted = true;
    fat_mutex_unlock(&map->lock);
}

uint32_t fat_freemap_known_count(struct fat_freemap *map)
{
    uint32_t count = FAT_FSINFO_UNKNOWN;

    fat_mutex_lock(&map->lock);
    if (map->learnt == map->region_count) {
        count = map->free_here + map->quarantined + fat_reserves_count(map);
    } else if (map->counted) {
        count = map->count;
    }
    fat_mutex_unlock(&map->lock);
    return count;
}

uint32_t fat_freemap_hint(struct fat_freemap *map)
{
    uint32_t hint;

    fat_mutex_lock(&map->lock);
    hint = map->hint + FAT_CLUSTER_FIRST;
    fat_mutex_unlock(&map->lock);
    return hint;
}
