/* SPDX-License-Identifier: MIT */
/*
 * A chain as runs: which clusters of the volume a file's clusters are. Learnt from
 * the FAT on demand, once; finding a place in it is a binary search.
 *
 * A map has a limit. One that would pass it leaves out runs: what lies in a gap is
 * found by a walk in the FAT from the run before it. How many clusters the chain has,
 * its first and its last one are known all the same, and no gap is longer than the
 * known part of the chain, at its longest, divided by an eighth of the limit. All of it
 * may be forgotten at any time and learnt again: it holds nothing that the FAT's newest
 * images don't.
 *
 * Locks: the node's index lock, or the node exclusively (the namespace, for a
 * directory's).
 */
#ifndef FAT_ALLOC_RUNMAP_H
#define FAT_ALLOC_RUNMAP_H

#include <stdatomic.h>
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

/* What the maps of a volume share. */
struct fat_runmap_pool {
    atomic_size_t bytes; /* all of them                                             */
    size_t runs_max;     /* of one map, 0: no limit; set before the first one joins */
};

struct fat_runmap {
    struct fat_run *runs; /* with gaps between them below gaps_end                  */
    size_t count, capacity;
    uint32_t clusters; /* known so far                                              */
    uint32_t next;     /* first cluster not known yet, 0 when complete              */
    uint32_t mark, steps, steps_to_mark; /* watch for loops while it is learnt */

    uint32_t gaps_end;   /* from here on there are none                              */
    uint32_t gap;        /* runs this close behind one that stays were left out last */
    uint32_t whole;      /* the first clusters that never lie in a gap               */
    struct fat_run last; /* found in a gap last time; count 0: none                  */

    struct fat_runmap_pool *pool; /* NULL: no limit                                 */
    atomic_size_t bytes;          /* of runs                                        */
    atomic_bool used;             /* since somebody cleared this                    */
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

/*
 * From now on @map, still empty, counts in @pool and keeps to its limit.
 *
 * @whole   no gaps among the first @whole clusters, whatever the limit
 */
void fat_runmap_join(
        struct fat_runmap *map, struct fat_runmap_pool *pool, uint32_t whole);

/* Forget everything: a chain from @first on, to be learnt. */
void fat_runmap_restart(struct fat_runmap *map, uint32_t first);

static inline bool fat_runmap_is_complete(const struct fat_runmap *map)
{
    return map->next == 0;
}

/* No gap from the file's cluster @index on. */
static inline bool fat_runmap_is_whole(const struct fat_runmap *map, uint32_t index)
{
    return index >= map->gaps_end;
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
 * False if @index is not known, or lies in a gap.
 */
bool fat_runmap_find(const struct fat_runmap *map, uint32_t index, struct fat_run *ret);

/*
 * The same, learnt first if need be, gap or no gap. Within gaps neighbours may come as
 * more than one run.
 *
 * FAT_END   the chain is shorter than that
 * FAT_E_CORRUPT, FAT_E_IO, FAT_E_NOMEM   as fat_runmap_learn()
 */
FAT_MUST_CHECK fat_err fat_runmap_seek(struct fat_runmap *map,
        const struct fat_fattab *tab, uint32_t index, struct fat_run *ret,
        struct fat_chain_fault *ret_fault);

/* The last known cluster; the map is not empty. */
uint32_t fat_runmap_last(const struct fat_runmap *map);

/*
 * Room for @runs more runs, so that fat_runmap_append() can't fail; where the limit
 * leaves none, others are left out. FAT_E_NOMEM
 */
FAT_MUST_CHECK fat_err fat_runmap_reserve(struct fat_runmap *map, size_t runs);

/* Clusters linked behind the end; the map is complete. */
void fat_runmap_append(struct fat_runmap *map, uint32_t cluster, uint32_t count);

/*
 * Keep the first @clusters; the map is complete afterwards.
 *
 * @tail   the last cluster that stays, where it lies in a gap
 */
void fat_runmap_cut(struct fat_runmap *map, uint32_t clusters, uint32_t tail);

#endif
