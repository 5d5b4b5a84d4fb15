/* SPDX-License-Identifier: MIT */
#include "alloc/freemap.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/lock.h"
#include "ondisk/fsinfo.h"

/* Clusters of a region: 1 KiB of bits, 32 KiB of a FAT32. */
enum { REGION = 8192, WORDS = REGION / 64 };

struct region {
    uint64_t free[WORDS];
    uint64_t *quarantine; /* as many words, NULL while there is nothing in it */
    uint32_t free_count;
};

struct fat_freemap {
    const struct fat_fattab *tab;
    uint32_t cluster_count;
    uint32_t region_count;

    struct fat_mutex lock;

    /* guarded by lock */
    struct region **regions; /* NULL: not learnt */
    uint32_t learnt;
    struct fat_reserve *reserves;
    uint32_t count;    /* free on disk as far as the user is concerned: free here,
                             in quarantine, set aside; valid if counted              */
    uint32_t reserved; /* set aside and kept                                      */
    bool counted;
    uint32_t free_here; /* bits set in the learnt regions                          */
    uint32_t quarantined;
    bool waiting;
    uint32_t hint;
};

fat_err fat_freemap_new(const struct fat_fattab *tab, uint32_t free_count,
        uint32_t hint, struct fat_freemap **ret)
{
    struct fat_freemap *map = calloc(1, sizeof(*map));

    if (!map) {
        return FAT_E_NOMEM;
    }
    map->tab = tab;
    map->cluster_count = tab->geometry->cluster_count;
    map->region_count = (map->cluster_count + REGION - 1) / REGION;
    map->regions = calloc(map->region_count, sizeof(struct region *));
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

/* One image of a FAT sector, seen for the entries that lie in it. */
struct seen {
    const struct fat_geometry *geometry;
    struct region *region;
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
    fat_err err = fat_cache_get(tab->cache, sector, REGION * 4 / 512 - 1, &block);

    if (err != FAT_OK) {
        return err;
    }
    seen->first_byte = (sector - tab->start) * tab->geometry->sector_bytes;
    fat_cache_each_image(tab->cache, block, see_image, seen);
    fat_cache_put(tab->cache, block);
    return FAT_OK;
}

/* Walk the region's entries sector by sector; straddlers one by one. */
static fat_err learn_entries(const struct fat_fattab *tab, struct region *region,
        uint32_t base, uint32_t limit)
{
    struct seen seen = {.geometry = tab->geometry, .region = region, .base = base};

    for (uint32_t i = 0; i < limit;) {
        bool taken = false;
        fat_err err;

        seen.begin = i;
        seen.end = sector_end(tab, base, i, limit);
        if (seen.end > i) {
            err = learn_sector(tab, &seen);
            i = seen.end;
        } else {
            err = straddler_is_taken(tab, base + i + FAT_CLUSTER_FIRST, &taken);
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

static void all_free(struct region *region, uint32_t limit)
{
    for (uint32_t i = 0; i < limit; i++) {
        region->free[i / 64] |= UINT64_C(1) << i % 64;
    }
}

static fat_err learn(struct fat_freemap *map, uint32_t r) FAT_REQUIRES(map->lock)
{
    const uint32_t base = r * REGION;
    const uint32_t rest = map->cluster_count - base;
    const uint32_t limit = rest < REGION ? rest : REGION;
    struct region *region;
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
    for (uint32_t i = 0; i < WORDS; i++) {
        region->free_count += (uint32_t)__builtin_popcountll(region->free[i]);
    }
    map->regions[r] = region;
    map->free_here += region->free_count;
    map->learnt++;
    return FAT_OK;
}

static bool is_free(const struct fat_freemap *map, uint32_t index)
{
    const struct region *region = map->regions[index / REGION];

    return region->free[index % REGION / 64] >> index % 64 & 1;
}

static void set_free(struct fat_freemap *map, uint32_t index, bool is)
        FAT_REQUIRES(map->lock)
{
    struct region *region = map->regions[index / REGION];
    const uint64_t bit = UINT64_C(1) << index % 64;

    assert(is_free(map, index) != is);
    region->free[index % REGION / 64] ^= bit;
    region->free_count += is ? 1U : UINT32_MAX;
    map->free_here += is ? 1U : UINT32_MAX;
}

/* The first free index in [@begin, @end) of one learnt region, or @end. */
static uint32_t find_in_region(
        const struct fat_freemap *map, uint32_t begin, uint32_t end)
{
    const struct region *region = map->regions[begin / REGION];
    uint32_t i = begin;

    while (i < end) {
        const uint64_t word = region->free[i % REGION / 64] >> i % 64;

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
 * (docs/crash-order.md).
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
        const uint32_t border = (i / REGION + 1) * REGION;
        const uint32_t stop = border < end ? border : end;
        fat_err err = learn(map, i / REGION);

        if (err != FAT_OK) {
            return err;
        }
        if (map->regions[i / REGION]->free_count == 0) {
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
    const uint32_t border = (index / REGION + 1) * REGION;
    const uint32_t stop = border < map->cluster_count ? border : map->cluster_count;
    uint32_t n = 0;

    while (n < want && index + n < stop && is_free(map, index + n) &&
            (n == 0 || suits(map, index + n, pass))) {
        set_free(map, index + n, false);
        n++;
    }
    map->hint = index + n < map->cluster_count ? index + n : 0;
    return (struct fat_extent){.cluster = index + FAT_CLUSTER_FIRST, .count = n};
}

static fat_err take_near(struct fat_freemap *map, uint32_t hint, uint32_t want,
        struct fat_extent *ret) FAT_REQUIRES(map->lock)
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
            set_free(map, reserve->extents[e].cluster - FAT_CLUSTER_FIRST + i, true);
        }
    }
    if (reserve->kept) {
        map->reserved -= reserve->clusters;
    }
    free(reserve->extents);
    *reserve = (struct fat_reserve){0};
}

/* Room has run out: what was set aside on speculation comes back. */
static bool empty_speculative(struct fat_freemap *map) FAT_REQUIRES(map->lock)
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

static void take_from_reserve(struct fat_freemap *map, struct fat_reserve *reserve,
        uint32_t want, struct fat_extent *ret) FAT_REQUIRES(map->lock)
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

static fat_err no_room(const struct fat_freemap *map)
{
    return map->waiting || map->quarantined > 0 ? FAT_E_AGAIN : FAT_E_NOSPC;
}

static fat_err claim_locked(struct fat_freemap *map, struct fat_reserve *reserve,
        uint32_t hint, uint32_t want, struct fat_extent *ret) FAT_REQUIRES(map->lock)
{
    fat_err err;

    if (reserve && reserve->clusters > 0) {
        take_from_reserve(map, reserve, want, ret);
        return FAT_OK;
    }
    err = take_near(map, hint, want, ret);
    if (err == FAT_E_NOSPC && empty_speculative(map)) {
        err = take_near(map, hint, want, ret);
    }
    return err == FAT_E_NOSPC ? no_room(map) : err;
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
        set_free(map, extent.cluster - FAT_CLUSTER_FIRST + i, true);
    }
    if (map->counted) {
        map->count += extent.count;
    }
    fat_mutex_unlock(&map->lock);
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
        err = take_near(map, hint, want, &got);
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
            set_free(map, back.cluster - FAT_CLUSTER_FIRST + i, true);
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
        if (err == FAT_E_NOSPC && reserve->kept && empty_speculative(map)) {
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
        err = err == FAT_E_NOSPC ? no_room(map) : err;
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

fat_err fat_freemap_quarantine(struct fat_freemap *map, uint32_t cluster)
{
    const uint32_t index = cluster - FAT_CLUSTER_FIRST;
    struct region *region;
    fat_err err;

    fat_mutex_lock(&map->lock);
    err = learn(map, index / REGION);
    region = map->regions[index / REGION];
    if (err == FAT_OK && !region->quarantine) {
        region->quarantine = calloc(WORDS, sizeof(uint64_t));
        err = region->quarantine ? FAT_OK : FAT_E_NOMEM;
    }
    if (err == FAT_OK) {
        region->quarantine[index % REGION / 64] |= UINT64_C(1) << index % 64;
        map->quarantined++;
        map->count += map->counted ? 1U : 0U;
    }
    fat_mutex_unlock(&map->lock);
    return err;
}

static void settle_region(struct fat_freemap *map, struct region *region)
        FAT_REQUIRES(map->lock)
{
    for (uint32_t i = 0; i < WORDS; i++) {
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

static uint32_t set_aside(const struct fat_freemap *map)
{
    uint32_t clusters = 0;

    for (const struct fat_reserve *r = map->reserves; r; r = r->next) {
        clusters += r->clusters;
    }
    return clusters;
}

fat_err fat_freemap_count(struct fat_freemap *map, uint32_t *ret)
{
    fat_err err = FAT_OK;

    fat_mutex_lock(&map->lock);
    for (uint32_t r = 0; r < map->region_count && !map->counted && err == FAT_OK; r++) {
        err = learn(map, r);
    }
    if (err == FAT_OK && map->learnt == map->region_count) {
        /* Exact, whatever FSInfo had claimed. */
        map->count = map->free_here + map->quarantined + set_aside(map);
        map->counted = true;
    }
    if (err == FAT_OK) {
        *ret = map->count - (map->reserved < map->count ? map->reserved : map->count);
    }
    fat_mutex_unlock(&map->lock);
    return err;
}

void fat_freemap_set_count(struct fat_freemap *map, uint32_t count)
{
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
        count = map->free_here + map->quarantined + set_aside(map);
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
