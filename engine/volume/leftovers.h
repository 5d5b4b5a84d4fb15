/* SPDX-License-Identifier: MIT */
/*
 * What a power cut left in directories: two names of one chain, an old "..", slots of
 * a long name that lost its entry.
 */
#ifndef FAT_VOLUME_LEFTOVERS_H
#define FAT_VOLUME_LEFTOVERS_H

#include <stdatomic.h>
#include <stdbool.h>

#include <fatward/error.h>

#include "tree/tree.h"
#include "volume/leftover_list.h"

/* As the checker found them. */
struct fat_leftovers {
    struct fat_leftover_list
            aliases;                 /* clusters that several names share             */
    struct fat_leftover_list longs;  /* files with more clusters than they need       */
    struct fat_leftover_list shorts; /* to be cut to the @count clusters that they
                                         have; only where somebody asked for it        */
    struct fat_leftover_list orphans; /* slots @first and @count - 1 more of directory
                                         @cluster, of a long name without an entry     */
};

bool fat_leftovers_are_any(const struct fat_leftovers *leftovers);
bool fat_leftovers_are_too_many(const struct fat_leftovers *leftovers);
void fat_leftovers_done(struct fat_leftovers *leftovers);

/*
 * Keep one name of each chain that several names share and remove the others, never
 * the chain (W4): of a directory the name whose parent its ".." tells, else the newer
 * one as rename marks it, else of files the larger, else the one met first. Rewrite every
 * ".." that names another parent, erase the orphans, cut what a file has beyond its size,
 * and the size where a chain was said to be shorter.
 * Walks the whole tree; takes the namespace; the edits wait for the next commit.
 *
 * @leftovers   are sorted by it
 * @stop        looked at before each directory
 *
 * FAT_E_STOPPED   somebody has set *@stop; what was mended by then stays so, each thing
 *                 for itself
 * FAT_E_IO, FAT_E_CORRUPT, FAT_E_NOMEM
 */
FAT_MUST_CHECK fat_err fat_leftovers_mend(struct fat_tree *tree,
        struct fat_leftovers *leftovers, const atomic_bool *stop);

#endif
