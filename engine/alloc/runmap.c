/* SPDX-License-Identifier: MIT */
#include "alloc/runmap.h"

#include <assert.h>
#include <stdlib.h>

void fat_runmap_init(struct fat_runmap *map, uint32_t first)
{
    *map = (struct fat_runmap){.next = first};
}

void fat_runmap_done(struct fat_runmap *map)
{
    free(map->runs);
    *map = (struct fat_runmap){0};
}

fat_err fat_runmap_reserve(struct fat_runmap *map, size_t runs)
{
    size_t capacity = map->capacity ? map->capacity : 4;
    struct fat_run *more;

    if (map->capacity - map->count >= runs) {
        return FAT_OK;
    }
    while (capacity - map->count < runs) {
        capacity *= 2;
    }
    more = realloc(map->runs, capacity * sizeof(*more));
    if (!more) {
        return FAT_E_NOMEM;
    }
    map->runs = more;
    map->capacity = capacity;
    return FAT_OK;
}

void fat_runmap_append(struct fat_runmap *map, uint32_t cluster, uint32_t count)
{
    struct fat_run *last = map->count > 0 ? &map->runs[map->count - 1] : NULL;

    if (last && last->cluster + last->count == cluster) {
        last->count += count;
    } else {
        assert(map->runs && map->count < map->capacity);
        map->runs[map->count++] = (struct fat_run){
                .index = map->clusters, .cluster = cluster, .count = count};
    }
    map->clusters += count;
}

/* What a link says of its chain, for links that are no next cluster and no end. */
static const char *fault_text(enum fat_link_kind kind)
{
    switch (kind) {
    case FAT_LINK_FREE:
        return "a cluster chain runs into a free cluster";
    case FAT_LINK_BAD:
        return "a cluster chain runs into a bad cluster";
    case FAT_LINK_RESERVED:
        return "a cluster chain runs into a reserved FAT entry";
    case FAT_LINK_NEXT:
    case FAT_LINK_END:
        break;
    }
    return "a cluster chain leaves the volume";
}

static fat_err fault(struct fat_chain_fault *ret, uint32_t cluster, const char *text)
{
    *ret = (struct fat_chain_fault){.cluster = cluster, .text = text};
    return FAT_E_CORRUPT;
}

/* Add the next cluster, whose FAT entry says what follows it. */
static fat_err learn_one(struct fat_runmap *map, const struct fat_fattab *tab,
        struct fat_fat_cursor *cursor, struct fat_chain_fault *ret_fault)
{
    const uint32_t cluster = map->next;
    struct fat_link link;
    fat_err err;

    if (!fat_geometry_holds(tab->geometry, cluster)) {
        return fault(ret_fault, cluster, fault_text(FAT_LINK_NEXT));
    }
    if (map->clusters >= tab->geometry->cluster_count) {
        return fault(ret_fault, cluster, "a cluster chain runs into itself");
    }
    err = fat_fattab_get(tab, cursor, cluster, &link);
    if (err != FAT_OK) {
        return err;
    }
    if (link.kind != FAT_LINK_NEXT && link.kind != FAT_LINK_END) {
        (void)fault(ret_fault, cluster, fault_text(link.kind));
        ret_fault->is_free = link.kind == FAT_LINK_FREE;
        return FAT_E_CORRUPT;
    }
    err = fat_runmap_reserve(map, 1);
    if (err != FAT_OK) {
        return err;
    }
    fat_runmap_append(map, cluster, 1);
    map->next = link.kind == FAT_LINK_NEXT ? link.cluster : 0;
    return FAT_OK;
}

/*
 * A walk that meets a mark it set a power of two steps ago goes in a circle (Brent):
 * the loop is found before it has filled memory with runs. The mark outlives the call:
 * a chain may be learnt a little at a time.
 */
static bool goes_round(struct fat_runmap *map)
{
    if (map->mark != 0 && map->next == map->mark) {
        return true;
    }
    if (map->steps >= map->steps_to_mark) {
        map->mark = map->next;
        map->steps = 0;
        map->steps_to_mark = map->steps_to_mark < UINT32_MAX / 2
                                     ? map->steps_to_mark * 2 + 1
                                     : UINT32_MAX;
    }
    map->steps++;
    return false;
}

fat_err fat_runmap_learn(struct fat_runmap *map, const struct fat_fattab *tab,
        uint32_t clusters, struct fat_chain_fault *ret_fault)
{
    struct fat_fat_cursor cursor;

    cursor.valid = false;
    while (map->next != 0 && map->clusters < clusters) {
        fat_err err = learn_one(map, tab, &cursor, ret_fault);

        if (err != FAT_OK) {
            return err;
        }
        if (map->next != 0 && goes_round(map)) {
            return fault(ret_fault, map->next, "a cluster chain runs into itself");
        }
    }
    return FAT_OK;
}

bool fat_runmap_find(const struct fat_runmap *map, uint32_t index, struct fat_run *ret)
{
    size_t low = 0;
    size_t high = map->count;

    if (index >= map->clusters) {
        return false;
    }
    while (high - low > 1) {
        const size_t middle = low + (high - low) / 2;

        if (map->runs[middle].index <= index) {
            low = middle;
        } else {
            high = middle;
        }
    }
    *ret = map->runs[low];
    ret->cluster += index - ret->index;
    ret->count -= index - ret->index;
    ret->index = index;
    return true;
}

uint32_t fat_runmap_last(const struct fat_runmap *map)
{
    const struct fat_run *last = &map->runs[map->count - 1];

    assert(map->count > 0);
    return last->cluster + last->count - 1;
}

void fat_runmap_cut(struct fat_runmap *map, uint32_t clusters)
{
    while (map->count > 0 && map->runs[map->count - 1].index >= clusters) {
        map->count--;
    }
    if (map->count > 0) {
        struct fat_run *last = &map->runs[map->count - 1];

        last->count = clusters - last->index < last->count ? clusters - last->index
                                                           : last->count;
        map->clusters = last->index + last->count;
    } else {
        map->clusters = 0;
    }
    map->next = 0;
}
