/* SPDX-License-Identifier: MIT */
/*
 * An open volume from the inside: the tree, and what its commits need.
 */
#ifndef FAT_VOLUME_STATE_H
#define FAT_VOLUME_STATE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <fatward/volume.h>

#include "base/lock.h"
#include "ondisk/bpb.h"
#include "tree/node.h"
#include "tree/tree.h"

struct fat_block;
struct fat_scan_wishes;

/* The sectors that the marks are in: the boot sector, the FAT's first, FSInfo. */
enum { FAT_MARK_SECTORS = 3 };

struct fat_volume {
    struct fat_tree tree; /* first member: a node leads back to its volume */
    struct fat_bpb bpb;
    bool found_dirty;

    /* Pinned from the opening on, so that they hold what was there; NULL: none. Used
     * by open, by close, and under commit_lock.                                       */
    struct fat_block *mark_blocks[FAT_MARK_SECTORS];

    struct fat_mutex commit_lock;   /* level COMMIT */
    atomic_bool marked;             /* MARK is on disk; set under commit_lock */
    atomic_bool scanning;           /* no change has been made yet, one may wait */
    atomic_bool scan_stopped;       /* no scan goes on any more */
    bool said_stopped;              /* guarded by commit_lock */
    fat_err broken;                 /* guarded by commit_lock: why no commit may run */
    bool told_unseen;               /* guarded by commit_lock, see say_unseen()      */
    struct fat_scan_wishes *wishes; /* a repair's, see scan.h; NULL: none */
};

static inline struct fat_volume *fat_volume_of(const struct fat_node *node)
{
    return (struct fat_volume *)node->tree;
}

#endif
