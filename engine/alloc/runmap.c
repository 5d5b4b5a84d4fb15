/* SPDX-License-Identifier: MIT */
#include "alloc/runmap.h"

#include <assert.h>
#include <stdlib.h>

void fat_runmap_init(struct fat_runmap *map, uint32_t first)
{
    *map = (struct fat_runmap){.next = first};
}

void fat_runmap_join(
        struct fat_runmap *map, struct fat_runmap_pool *pool, uint32_t whole)
{
    assert(!map->runs);
    map->pool = pool;
    map->whole = whole;
}

static void set_capacity(struct fat_runmap *map, size_t capacity)
{
    const size_t bytes = capacity * sizeof(*map->runs);

    map->capacity = capacity;
    if (map->pool) {
        atomic_fetch_add(&map->pool->bytes, bytes - map->bytes); /* modulo */
    }
    map->bytes = bytes;
}

void fat_runmap_restart(struct fat_runmap *map, uint32_t first)
{
    free(map->runs);
    map->runs = NULL;
    map->count = 0;
    set_capacity(map, 0);
    map->clusters = 0;
    map->next = first;
    map->mark = 0;
    map->steps = 0;
    map->steps_to_mark = 0;
    map->gaps_end = 0;
    map->gap = 0;
    map->last.count = 0;
}

void fat_runmap_done(struct fat_runmap *map)
{
    fat_runmap_restart(map, 0);
}

/* Runs that one map may have; what is never left out must fit in with ease. */
static size_t limit_of(const struct fat_runmap *map)
{
    const size_t least = (size_t)map->whole * 4;

    if (!map->pool || map->pool->runs_max == 0) {
        return SIZE_MAX;
    }
    return map->pool->runs_max > least ? map->pool->runs_max : least;
}

/*
 * Leave out the runs that end within the gap behind one that stays, the first and the
 * last one never: so of any two that stay the second ends more than a gap behind the
 * first, and there can't be more of them than gaps in the chain.
 */
static void thin(struct fat_runmap *map)
{
    size_t kept = 1;
    size_t i = 1;

    while (kept < map->count && map->runs[kept].index < map->whole) {
        kept++;
    }
    for (i = kept; i + 1 < map->count; i++) {
        const struct fat_run run = map->runs[i];
        const struct fat_run *before = &map->runs[kept - 1];

        if (run.index + run.count - (before->index + before->count) > map->gap) {
            map->runs[kept++] = run;
        }
    }
    if (i < map->count) {
        map->runs[kept++] = map->runs[i];
    }
    if (kept < map->count) {
        map->count = kept;
        map->gaps_end = map->runs[kept - 1].index;
    }
}

/*
 * By a quarter of the limit at least, so that it is not done again soon. Gaps get longer
 * only where those that there are already, made in all of the chain, don't suffice.
 */
static void make_room(struct fat_runmap *map, size_t limit)
{
    thin(map);
    while (map->count > limit - limit / 4 && map->gap <= UINT32_MAX / 4) {
        map->gap = map->gap * 2 + 1;
        thin(map);
    }
}

fat_err fat_runmap_reserve(struct fat_runmap *map, size_t runs)
{
    const size_t limit = limit_of(map);
    size_t capacity = map->capacity ? map->capacity : 4;
    struct fat_run *more;

    if (map->count + runs > limit) {
        make_room(map, limit);
    }
    if (map->capacity - map->count >= runs) {
        return FAT_OK;
    }
    while (capacity - map->count < runs) {
        capacity = capacity < limit && capacity > limit / 2 ? limit : capacity * 2;
    }
    more = realloc(map->runs, capacity * sizeof(*more));
    if (!more) {
        return FAT_E_NOMEM;
    }
    map->runs = more;
    set_capacity(map, capacity);
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

/* The run that begins last at or before @index; the map is not empty. */
static size_t run_at(const struct fat_runmap *map, uint32_t index)
{
    size_t low = 0;
    size_t high = map->count;

    while (high - low > 1) {
        const size_t middle = low + (high - low) / 2;

        if (map->runs[middle].index <= index) {
            low = middle;
        } else {
            high = middle;
        }
    }
    return low;
}

/* What of @run is from @index on; false: nothing. */
static bool rest_of(const struct fat_run *run, uint32_t index, struct fat_run *ret)
{
    const uint32_t skipped = index - run->index;

    if (index < run->index || skipped >= run->count) {
        return false;
    }
    *ret = (struct fat_run){.index = index,
            .cluster = run->cluster + skipped,
            .count = run->count - skipped};
    return true;
}

bool fat_runmap_find(const struct fat_runmap *map, uint32_t index, struct fat_run *ret)
{
    return index < map->clusters && rest_of(&map->runs[run_at(map, index)], index, ret);
}

/* The link of a cluster that is not the chain's last: known to be one once. */
static fat_err follow(const struct fat_fattab *tab, struct fat_fat_cursor *cursor,
        uint32_t *cluster, struct fat_chain_fault *ret_fault)
{
    struct fat_link link;
    fat_err err = fat_fattab_get(tab, cursor, *cluster, &link);

    if (err != FAT_OK) {
        return err;
    }
    if (link.kind == FAT_LINK_END) {
        return fault(ret_fault, *cluster, "a cluster chain has become shorter");
    }
    if (link.kind != FAT_LINK_NEXT ||
            !fat_geometry_holds(tab->geometry, link.cluster)) {
        (void)fault(ret_fault, *cluster, fault_text(link.kind));
        ret_fault->is_free = link.kind == FAT_LINK_FREE;
        return FAT_E_CORRUPT;
    }
    *cluster = link.cluster;
    return FAT_OK;
}

/* Neighbours up to @end join @run. */
static void widen(const struct fat_fattab *tab, struct fat_fat_cursor *cursor,
        uint32_t end, struct fat_run *run)
{
    while (run->index + run->count < end) {
        const uint32_t last = run->cluster + run->count - 1;
        struct fat_chain_fault ignored; /* who goes there will hear of it */
        uint32_t next = last;

        if (follow(tab, cursor, &next, &ignored) != FAT_OK || next != last + 1) {
            return;
        }
        run->count++;
    }
}

/* @index lies in the gap behind the run at @low, before @end. */
static fat_err walk(struct fat_runmap *map, const struct fat_fattab *tab, size_t low,
        uint32_t index, struct fat_chain_fault *ret_fault)
{
    const uint32_t end = map->runs[low + 1].index;
    const bool shorter = map->last.count > 0 && map->last.index <= index &&
                         map->last.index > map->runs[low].index;
    const struct fat_run from = shorter ? map->last : map->runs[low];
    struct fat_run run = {.index = from.index + from.count - 1,
            .cluster = from.cluster + from.count - 1,
            .count = 1};
    struct fat_fat_cursor cursor;

    cursor.valid = false;
    for (; run.index < index; run.index++) {
        fat_err err = follow(tab, &cursor, &run.cluster, ret_fault);

        if (err != FAT_OK) {
            return err;
        }
    }
    widen(tab, &cursor, end, &run);
    map->last = run;
    return FAT_OK;
}

fat_err fat_runmap_seek(struct fat_runmap *map, const struct fat_fattab *tab,
        uint32_t index, struct fat_run *ret, struct fat_chain_fault *ret_fault)
{
    fat_err err = fat_runmap_learn(map, tab, index + 1, ret_fault);

    if (err != FAT_OK || fat_runmap_find(map, index, ret)) {
        return err;
    }
    if (index >= map->clusters) {
        return FAT_END;
    }
    if (!rest_of(&map->last, index, ret)) {
        err = walk(map, tab, run_at(map, index), index, ret_fault);
        if (err == FAT_OK) {
            *ret = map->last;
        }
    }
    return err;
}

uint32_t fat_runmap_last(const struct fat_runmap *map)
{
    const struct fat_run *last = &map->runs[map->count - 1];

    assert(map->count > 0);
    return last->cluster + last->count - 1;
}

void fat_runmap_cut(struct fat_runmap *map, uint32_t clusters, uint32_t tail)
{
    struct fat_run *last;

    clusters = clusters < map->clusters ? clusters : map->clusters;
    while (map->count > 0 && map->runs[map->count - 1].index >= clusters) {
        map->count--;
    }
    last = map->count > 0 ? &map->runs[map->count - 1] : NULL;
    if (last && last->index + last->count < clusters) {
        /* The run that closed this gap has gone: there is room for another. */
        map->runs[map->count++] =
                (struct fat_run){.index = clusters - 1, .cluster = tail, .count = 1};
    } else if (last) {
        last->count = clusters - last->index;
    }
    map->clusters = clusters;
    map->next = 0;
    map->gaps_end = map->gaps_end < clusters ? map->gaps_end : clusters;
    map->gap = clusters > 0 ? map->gap : 0;
    map->last.count = 0;
}
