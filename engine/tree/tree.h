/* SPDX-License-Identifier: MIT */
/*
 * What all of the tree stands on: the device, the allocation, the open interval, the
 * lock on names, and the volume's state of health.
 */
#ifndef FAT_TREE_TREE_H
#define FAT_TREE_TREE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <fatward/blkdev.h>
#include <fatward/error.h>
#include <fatward/report.h>
#include <fatward/time.h>

#include "alloc/fattab.h"
#include "alloc/freemap.h"
#include "alloc/interval.h"
#include "alloc/runmap.h"
#include "base/lock.h"
#include "block/cache.h"
#include "ondisk/geometry.h"

struct fat_node;

enum { FAT_NODE_BUCKETS = 8192 };

struct fat_tree {
    struct fat_blkdev *dev;
    struct fat_geometry geometry;
    struct fat_cache *cache;
    struct fat_fattab fattab;
    struct fat_freemap *freemap;
    struct fat_interval interval;
    struct fat_rwlock names; /* level NAMESPACE: all names, all directories' contents */

    int utc_offset; /* minutes */
    fat_clock_fn *clock;
    void *clock_context;
    fat_report_fn *report;
    void *report_context;

    /* Why nothing may be written any more; NULL while it may. */
    _Atomic(const char *) read_only;
    atomic_bool unscanned; /* found dirty, and not scanned yet: leftovers may show */
    atomic_bool damaged;   /* the marks are never cleared */
    bool continues;        /* damage that is met turns nothing read-only, but ...   */
    atomic_bool frozen;    /* ... after it no cluster is freed                      */

    /* Level NODE_TABLE; guards what follows, see node.h. */
    struct fat_mutex table_lock;
    struct fat_node *by_place[FAT_NODE_BUCKETS];
    struct fat_node *by_ino[FAT_NODE_BUCKETS];
    struct fat_node *by_cluster[FAT_NODE_BUCKETS]; /* directories, by first cluster */
    uint64_t next_ino;
    struct fat_node *busy;
    struct fat_node *renamed;
    struct fat_node *renamed_spent;

    struct fat_node *root;

    /* See indexes.h. */
    size_t index_budget; /* bytes */
    atomic_size_t index_bytes;
    _Atomic uint64_t index_clock;
    uint64_t index_trimmed; /* guarded by table_lock */

    /* See maps.h. */
    size_t map_budget; /* bytes */
    struct fat_runmap_pool maps;
    size_t map_hand; /* guarded by table_lock */

    _Atomic uint64_t directory_moved; /* interval of the last move of a directory to
                                         another parent (W4)                         */
};

/* The locks and the interval; the rest, the root too, is set by who opens the volume. */
void fat_tree_init(struct fat_tree *tree);
void fat_tree_done(struct fat_tree *tree);

struct fat_time fat_tree_now(const struct fat_tree *tree);

/*
 * Proof of damage: the volume turns read-only or, where it is to continue, frees nothing
 * any more, and says why the first time. Returns FAT_E_CORRUPT. @text is constant.
 */
fat_err fat_tree_damage(struct fat_tree *tree, uint32_t cluster, const char *text);

/* Damage that endangers whatever else is written: read-only in any case. */
fat_err fat_tree_danger(struct fat_tree *tree, uint32_t cluster, const char *text);

/* A write or flush failed where a retry proves nothing (W8): as damage, with @err. */
fat_err fat_tree_broken(struct fat_tree *tree, fat_err err, const char *text);

/* Another program has written to logical @sector: likewise, FAT_E_CHANGED. */
fat_err fat_tree_changed(struct fat_tree *tree, uint64_t sector);

/* A file's data were written to logical @sector, which is a directory's: danger. */
fat_err fat_tree_shared(struct fat_tree *tree, uint64_t sector);

void fat_tree_note(struct fat_tree *tree, enum fat_severity severity, fat_err err,
        uint32_t cluster, const char *text);

/* As fat_tree_note(), of logical @sector: a warning. */
void fat_tree_warn(
        struct fat_tree *tree, fat_err err, uint64_t sector, const char *text);

/* FAT_E_READONLY if nothing may be written. */
FAT_MUST_CHECK fat_err fat_tree_writable(const struct fat_tree *tree);

/* Learn a chain as fat_runmap_learn(); a fault in it is damage. */
FAT_MUST_CHECK fat_err fat_tree_learn(
        struct fat_tree *tree, struct fat_runmap *map, uint32_t clusters);

/* Find a place in a chain as fat_runmap_seek(); likewise. */
FAT_MUST_CHECK fat_err fat_tree_seek(struct fat_tree *tree, struct fat_runmap *map,
        uint32_t index, struct fat_run *ret);

/*
 * The commit of the open interval frees @piece, which it takes over; as many clusters as
 * it promises count as free from now on, and are waited for where room runs out.
 */
void fat_tree_give_up(struct fat_tree *tree, struct fat_piece *piece)
        FAT_REQUIRES_SHARED(tree->interval.lock);

/* Byte offset of @cluster on the device. */
uint64_t fat_tree_offset(const struct fat_tree *tree, uint32_t cluster);

#endif
