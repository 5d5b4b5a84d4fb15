/* SPDX-License-Identifier: MIT */
/*
 * A chain as runs: which clusters of the volume a file's clusters are. Learnt from
 * the FAT on demand, once; finding a place in it is a binary search.
 *
 * Locks: the node's index lock, or the node exclusively (the namespace, for a
 * directory's).
 */
#ifndef FAT_ALLOC_RUNMAP_H
#define FAT_ALLOC_RUNMAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <fatward/error.h>

#include "alloc/fattab.h"

struct fat_run {
    uint32_t index;   /* of its first cluster in the file                           */
    uint32_t cluster; /* where that is on the volume                                */
    uint32_t count;   /* neighbouring clusters                                      */
};

struct fat_runmap {
    struct fat_run *runs;
    size_t count, capacity;
    uint32_t clusters; /* known so far                                              */
    uint32_t next;     /* first cluster not known yet, 0 when complete              */
    uint32_t mark, steps, steps_to_mark; /* watch for loops while it is learnt */
};

/* What is wrong with a chain. */
struct fat_chain_fault {
    uint32_t cluster; /* where it shows                                             */
    const char *text; /* constant                                                   */
    bool is_free;     /* that cluster is, and may be claimed by anybody             */
};

/* @first   first cluster of the chain, 0 for none */
void fat_runmap_init(struct fat_runmap *map, uint32_t first);
void fat_runmap_done(struct fat_runmap *map);

static inline bool fat_runmap_is_complete(const struct fat_runmap *map)
{
    return map->next == 0;
}

/*
 * Learn the chain until @clusters are known, or its end.
 *
 * FAT_E_CORRUPT   the chain loops, leaves the volume or runs into a free, bad or
 *                 reserved entry: @ret_fault is set; what is good stays known
 * FAT_E_IO, FAT_E_NOMEM
 */
FAT_MUST_CHECK fat_err fat_runmap_learn(struct fat_runmap *map,
        const struct fat_fattab *tab, uint32_t clusters,
        struct fat_chain_fault *ret_fault);

/*
 * The run from the file's cluster @index on: where it begins and how far it goes.
 * False if @index is not known.
 */
bool fat_runmap_find(const struct fat_runmap *map, uint32_t index, struct fat_run *ret);

/* The last known cluster; the map is not empty. */
uint32_t fat_runmap_last(const struct fat_runmap *map);

/* Room for @runs more runs, so that fat_runmap_append() can't fail. FAT_E_NOMEM */
FAT_MUST_CHECK fat_err fat_runmap_reserve(struct fat_runmap *map, size_t runs);

/* Clusters linked behind the end; the map is complete. */
void fat_runmap_append(struct fat_runmap *map, uint32_t cluster, uint32_t count);

/* Keep the first @clusters; the map is complete afterwards. */
void fat_runmap_cut(struct fat_runmap *map, uint32_t clusters);

#endif
