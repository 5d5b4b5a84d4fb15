/* SPDX-License-Identifier: MIT */
/*
 * The inside of the free map, shared by freemap.c, freemap_learn.c and reserve.c and
 * by nobody else. Clusters are indices here: cluster 2 is index 0.
 */
#ifndef FAT_ALLOC_FREEMAP_STATE_H
#define FAT_ALLOC_FREEMAP_STATE_H

#include <stdbool.h>
#include <stdint.h>

#include <fatward/error.h>

#include "alloc/fattab.h"
#include "base/lock.h"

struct fat_extent;
struct fat_reserve;

/* Clusters of a region: 1 KiB of bits, 32 KiB of a FAT32. */
enum { FAT_REGION_CLUSTERS = 8192, FAT_REGION_WORDS = FAT_REGION_CLUSTERS / 64 };

struct fat_region {
    uint64_t free[FAT_REGION_WORDS];
    uint64_t *quarantine; /* as many words, NULL while there is nothing in it */
    uint32_t free_count;
};

struct fat_freemap {
    const struct fat_fattab *tab;
    uint32_t cluster_count;
    uint32_t region_count;

    struct fat_mutex lock;

    /* guarded by lock */
    struct fat_region **regions; /* NULL: not learnt */
    uint32_t learnt;
    struct fat_reserve *reserves;
    uint32_t count;    /* free on disk as far as the user is concerned: free here,
                             in quarantine, set aside; valid if counted              */
    uint32_t reserved; /* set aside and kept                                      */
    bool counted;
    uint32_t free_here; /* bits set in the learnt regions                          */
    uint32_t quarantined;
    uint32_t promised; /* see fat_freemap_promise() */
    bool waiting;
    uint32_t hint;
};

/* Learn region @r, if it is not learnt yet. FAT_E_IO, FAT_E_NOMEM */
FAT_MUST_CHECK fat_err fat_freemap_learn(struct fat_freemap *map, uint32_t r)
        FAT_REQUIRES(map->lock);

/* Room for what waits for a flush. FAT_E_NOMEM */
FAT_MUST_CHECK fat_err fat_region_need_quarantine(struct fat_region *region);

/* Mark a cluster of a learnt region as free or taken, which it was not before. */
void fat_freemap_mark(struct fat_freemap *map, uint32_t index, bool is)
        FAT_REQUIRES(map->lock);

/*
 * Take up to @want neighbouring clusters behind the cluster @hint, or anywhere.
 *
 * FAT_E_NOSPC   nothing is free; whether something will be, fat_freemap_no_room() says
 * FAT_E_IO, FAT_E_NOMEM
 */
FAT_MUST_CHECK fat_err fat_freemap_take_near(struct fat_freemap *map, uint32_t hint,
        uint32_t want, struct fat_extent *ret) FAT_REQUIRES(map->lock);

/* FAT_E_AGAIN if a commit will free clusters, else FAT_E_NOSPC. */
fat_err fat_freemap_no_room(const struct fat_freemap *map);

/* Take up to @want clusters of @reserve, which holds some. */
void fat_reserve_take(struct fat_freemap *map, struct fat_reserve *reserve,
        uint32_t want, struct fat_extent *ret) FAT_REQUIRES(map->lock);

/* Room has run out: what was set aside on speculation comes back. False: nothing. */
bool fat_reserves_give_back(struct fat_freemap *map) FAT_REQUIRES(map->lock);

/* Clusters in all reserves. */
uint32_t fat_reserves_count(const struct fat_freemap *map);

#endif
