/* SPDX-License-Identifier: MIT */
/* Clusters set aside for one file. */
#include <stdlib.h>
#include <string.h>

#include "alloc/freemap.h"
#include "alloc/freemap_state.h"

static void unlink_reserve(struct fat_freemap *map, struct fat_reserve *reserve)
        FAT_REQUIRES(map->lock)
{
    if (reserve->previous) {
        reserve->previous->next = reserve->next;
    } else {
        map->reserves = reserve->next;
    }
    if (reserve->next) {
        reserve->next->previous = reserve->previous;
    }
}

static void empty_reserve(struct fat_freemap *map, struct fat_reserve *reserve)
        FAT_REQUIRES(map->lock)
{
    if (reserve->clusters > 0) {
        unlink_reserve(map, reserve);
    }
    for (uint32_t e = 0; e < reserve->extent_count; e++) {
        for (uint32_t i = 0; i < reserve->extents[e].count; i++) {
            fat_freemap_mark(
                    map, reserve->extents[e].cluster - FAT_CLUSTER_FIRST + i, true);
        }
    }
    if (reserve->kept) {
        map->reserved -= reserve->clusters;
    }
    free(reserve->extents);
    *reserve = (struct fat_reserve){0};
}

bool fat_reserves_give_back(struct fat_freemap *map)
{
    struct fat_reserve *reserve = map->reserves;
    bool any = false;

    while (reserve) {
        struct fat_reserve *next = reserve->next;

        if (!reserve->kept) {
            empty_reserve(map, reserve);
            any = true;
        }
        reserve = next;
    }
    return any;
}

void fat_reserve_take(struct fat_freemap *map, struct fat_reserve *reserve,
        uint32_t want, struct fat_extent *ret)
{
    struct fat_extent *first = &reserve->extents[0];
    const uint32_t n = want < first->count ? want : first->count;

    *ret = (struct fat_extent){.cluster = first->cluster, .count = n};
    first->cluster += n;
    first->count -= n;
    reserve->clusters -= n;
    if (reserve->kept) {
        map->reserved -= n;
    }
    if (first->count == 0) {
        reserve->extent_count--;
        memmove(first, first + 1, reserve->extent_count * sizeof(*first));
    }
    if (reserve->clusters == 0) {
        unlink_reserve(map, reserve);
        free(reserve->extents);
        *reserve = (struct fat_reserve){0};
    }
}

static fat_err reserve_room(struct fat_reserve *reserve)
{
    const uint32_t capacity =
            reserve->extent_capacity ? reserve->extent_capacity * 2 : 2;
    struct fat_extent *more;

    if (reserve->extent_count < reserve->extent_capacity) {
        return FAT_OK;
    }
    more = realloc(reserve->extents, capacity * sizeof(*more));
    if (!more) {
        return FAT_E_NOMEM;
    }
    reserve->extents = more;
    reserve->extent_capacity = capacity;
    return FAT_OK;
}

/* Add one extent of up to @want clusters to @reserve. */
static fat_err reserve_one(struct fat_freemap *map, struct fat_reserve *reserve,
        uint32_t hint, uint32_t want) FAT_REQUIRES(map->lock)
{
    struct fat_extent got;
    fat_err err = reserve_room(reserve);

    if (err == FAT_OK) {
        err = fat_freemap_take_near(map, hint, want, &got);
    }
    if (err != FAT_OK) {
        return err;
    }
    reserve->extents[reserve->extent_count++] = got;
    if (reserve->clusters == 0) {
        reserve->previous = NULL;
        reserve->next = map->reserves;
        if (map->reserves) {
            map->reserves->previous = reserve;
        }
        map->reserves = reserve;
    }
    reserve->clusters += got.count;
    if (reserve->kept) {
        map->reserved += got.count;
    }
    return FAT_OK;
}

static void trim_reserve(struct fat_freemap *map, struct fat_reserve *reserve,
        uint32_t clusters) FAT_REQUIRES(map->lock)
{
    struct fat_extent back;

    if (clusters == 0) {
        empty_reserve(map, reserve);
    }
    while (reserve->clusters > clusters) {
        struct fat_extent *last = &reserve->extents[reserve->extent_count - 1];
        const uint32_t over = reserve->clusters - clusters;

        back.count = over < last->count ? over : last->count;
        back.cluster = last->cluster + last->count - back.count;
        last->count -= back.count;
        reserve->clusters -= back.count;
        if (reserve->kept) {
            map->reserved -= back.count;
        }
        reserve->extent_count -= last->count == 0 ? 1U : 0U;
        for (uint32_t i = 0; i < back.count; i++) {
            fat_freemap_mark(map, back.cluster - FAT_CLUSTER_FIRST + i, true);
        }
    }
}

fat_err fat_freemap_reserve(struct fat_freemap *map, struct fat_reserve *reserve,
        uint32_t hint, uint32_t clusters, uint32_t least)
{
    uint32_t before;
    fat_err err = FAT_OK;

    fat_mutex_lock(&map->lock);
    before = reserve->clusters;
    while (err == FAT_OK && reserve->clusters - before < clusters) {
        err = reserve_one(map, reserve, hint, clusters - (reserve->clusters - before));
        if (err == FAT_E_NOSPC && reserve->kept && fat_reserves_give_back(map)) {
            err = FAT_OK;
        }
        hint = err == FAT_OK && reserve->extent_count > 0
                       ? reserve->extents[reserve->extent_count - 1].cluster +
                                 reserve->extents[reserve->extent_count - 1].count - 1
                       : hint;
    }
    if (reserve->clusters - before >= least) {
        err = FAT_OK;
    } else {
        trim_reserve(map, reserve, before);
        err = err == FAT_E_NOSPC ? fat_freemap_no_room(map) : err;
    }
    fat_mutex_unlock(&map->lock);
    return err;
}

void fat_freemap_unreserve(struct fat_freemap *map, struct fat_reserve *reserve)
{
    fat_mutex_lock(&map->lock);
    empty_reserve(map, reserve);
    fat_mutex_unlock(&map->lock);
}

uint32_t fat_reserves_count(const struct fat_freemap *map)
{
    uint32_t clusters = 0;

    for (const struct fat_reserve *r = map->reserves; r; r = r->next) {
        clusters += r->clusters;
    }
    return clusters;
}

void fat_freemap_keep(struct fat_freemap *map, struct fat_reserve *reserve, bool kept)
{
    fat_mutex_lock(&map->lock);
    if (kept && !reserve->kept) {
        empty_reserve(map, reserve);
        reserve->kept = true;
    } else if (!kept && reserve->clusters == 0) {
        reserve->kept = false;
    }
    fat_mutex_unlock(&map->lock);
}

uint32_t fat_freemap_reserved(
        struct fat_freemap *map, const struct fat_reserve *reserve, bool *ret_kept)
{
    uint32_t clusters;

    fat_mutex_lock(&map->lock);
    clusters = reserve->clusters;
    *ret_kept = reserve->kept;
    fat_mutex_unlock(&map->lock);
    return clusters;
}

void fat_freemap_unreserve_speculative(
        struct fat_freemap *map, struct fat_reserve *reserve)
{
    fat_mutex_lock(&map->lock);
    if (!reserve->kept && reserve->clusters > 0) {
        map->hint = reserve->extents[0].cluster - FAT_CLUSTER_FIRST;
        empty_reserve(map, reserve);
    }
    fat_mutex_unlock(&map->lock);
}
