/* SPDX-License-Identifier: MIT */
/*
 * What a power cut left in directories: two names of one chain, an old "..", slots of
 * a long name that lost its entry.
 */
#ifndef FAT_VOLUME_LEFTOVERS_H
#define FAT_VOLUME_LEFTOVERS_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include <fatward/error.h>

#include "tree/tree.h"

/* Long-name slots without an entry. */
struct fat_orphan {
    uint32_t directory;    /* its first cluster, 0 for a fixed root */
    uint32_t first, count; /* slots */
};

/* A file whose chain is shorter than its size, which is to be cut down to that. */
struct fat_short_chain {
    uint32_t cluster; /* the first, 0: it has none */
    uint32_t clusters;
};

/* As the checker found them. */
struct fat_leftovers {
    uint32_t *aliases; /* first clusters that several names share */
    size_t alias_count, alias_capacity;
    uint32_t *longs; /* first clusters of files with more clusters than they need */
    size_t long_count, long_capacity;
    struct fat_short_chain *shorts; /* only where somebody asked for it */
    size_t short_count, short_capacity;
    struct fat_orphan *orphans;
    size_t orphan_count, orphan_capacity;
};

/*
 * Keep one name of each chain that several names share and remove the others, never
 * the chain (W4): of a directory the name whose parent its ".." tells, else the newer
 * one as rename marks it, else of files the larger, else the one met first. Rewrite every
 * ".." that names another parent, erase the orphans, cut what a file has beyond its size,
 * and the size where a chain was said to be shorter.
 * Walks the whole tree; takes the namespace; the edits wait for the next commit.
 *
 * @stop   looked at before each directory
 *
 * FAT_E_STOPPED   somebody has set *@stop; what was mended by then stays so, each thing
 *                 for itself
 * FAT_E_IO, FAT_E_CORRUPT, FAT_E_NOMEM
 */
FAT_MUST_CHECK fat_err fat_leftovers_mend(struct fat_tree *tree,
        const struct fat_leftovers *leftovers, const atomic_bool *stop);

#endif
