/* SPDX-License-Identifier: MIT */
/*
 * One file or directory in use, and the table that finds it by its place.
 *
 * A node's place (parent, slot) changes only with the namespace *and* the node held
 * exclusively; holding either is enough to read it. A directory's chain and index
 * are guarded by its index lock; a file's chain by its node lock, and by its index
 * lock too where it is learnt under the shared node lock.
 */
#ifndef FAT_TREE_NODE_H
#define FAT_TREE_NODE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <fatward/node.h>

#include "alloc/freemap.h"
#include "alloc/interval.h"
#include "alloc/runmap.h"
#include "base/lock.h"
#include "base/scope.h"
#include "ondisk/dirent.h"
#include "tree/dirindex.h"
#include "tree/tree.h"

/* Where a name is: the slots of its set, the short entry last. */
struct fat_place {
    struct fat_node *parent; /* NULL: the root, or no place any more               */
    uint16_t slot;           /* of the short entry                                 */
    uint8_t slots;           /* of the whole set, 1 .. 21                          */
    uint64_t sector;         /* where the short entry is                           */
    uint32_t offset;         /* in that sector                             [bytes] */
    uint64_t born;           /* interval in which free slots were taken for it; 0:
                                older, or it took over the slots of another name    */
    uint64_t published;      /* interval whose commit first shows this file there   */
};

/* W5: the whole set lies in the sector of its short entry. */
static inline bool fat_place_is_in_one_sector(const struct fat_place *place)
{
    return (place->slots - 1U) * FAT_SLOT_BYTES <= place->offset;
}

struct fat_node {
    struct fat_tree *tree;
    uint64_t ino;

    /* Guarded by the table lock; the lists and tables are those of struct fat_tree. */
    struct fat_node *place_next;                /* in by_place                        */
    struct fat_node *ino_next;                  /* in by_ino                          */
    struct fat_node *cluster_next;              /* in by_cluster                      */
    struct fat_node *busy_next, *busy_previous; /* in busy: waits for a commit ...    */
    uint64_t busy_interval;                     /* ... this one, 0: is not there      */
    struct fat_node *renamed_next;              /* in renamed                         */
    uint32_t refs;
    bool by_cluster; /* is in that table */
    bool renamed;    /* is in that list  */

    bool is_directory; /* never changes                                          */
    bool removed;      /* namespace and node: its name is gone                   */
    bool overgrown;    /* node: its chain waits, longer than its size, for growth */
    bool set_aside;    /* node: clusters may be kept in its reserve               */
    atomic_bool stale; /* see fat_node_make_stale()                              */
    struct fat_rwlock lock; /* level NODE */

    struct fat_place place;        /* namespace and node                             */
    struct fat_place renamed_from; /* namespace: see fat_node_set_renamed()          */
    struct fat_piece *farewell;    /* set aside by unlink for the last unref         */

    /* Intervals, guarded by the node lock (of a directory: the namespace); 0: never. */
    uint64_t fresh;   /* it was created in, while nothing older names its chain (W6) */
    uint64_t cut;     /* its chain was cut in (W3)                                   */
    uint64_t cleaned; /* what lay behind its end mark was zeroed in (W10)            */
    uint64_t grown;   /* the clusters from grown_from on were claimed in             */
    uint64_t linked;  /* an older tail was linked on in ...                          */
    uint64_t link_sector; /* ... which is in this FAT sector                         */
    uint32_t grown_from;
    uint32_t moves;  /* renames to another sector in ...                              */
    uint64_t moved;  /* ... this one (W4)                                             */
    uint64_t recast; /* its first cluster or time of creation changed in (W4)         */

    /* The entry as it is to be: times and attributes under the index lock, first
       cluster and size under the node lock. */
    struct fat_dirent entry;

    struct fat_mutex index_lock; /* level INDEX */
    struct fat_runmap map;
    struct fat_dirindex *index;  /* directories; NULL until wanted                    */
    _Atomic uint64_t index_used; /* what the clock of indexes.h showed               */
    struct fat_reserve reserve;
};

/*
 * W4: until the open interval's commit is finished, a power cut may leave its old name
 * beside the new one. Recovery knows the two as one by their first cluster. The node is
 * held exclusively.
 */
static inline bool fat_node_has_two_names(const struct fat_node *node)
{
    const uint64_t number = node->tree->interval.number;

    return node->moved == number && node->fresh != number;
}

FAT_DEFINE_CLEANUP(struct fat_node, fat_node_unref);

/*
 * The node at a place where there is an entry, made from it if nobody has it in use. The
 * namespace is held.
 *
 * @ret   a new reference
 *
 * FAT_E_CORRUPT   a directory without a first cluster, with the root's, or with that of
 *                 another directory in use; a file with the root's
 * FAT_E_IO, FAT_E_NOMEM
 */
FAT_MUST_CHECK fat_err fat_node_at(
        struct fat_tree *tree, const struct fat_place *place, struct fat_node **ret);

/* A new reference to the node that has a place in use, NULL: nobody. */
struct fat_node *fat_node_living_at(
        struct fat_tree *tree, const struct fat_place *place);

/* A new reference to the directory in use that begins at @cluster, NULL: none. */
struct fat_node *fat_node_living_directory(struct fat_tree *tree, uint32_t cluster);

/*
 * A node for an entry that is about to be written: not in the table yet.
 * FAT_E_NOMEM
 */
FAT_MUST_CHECK fat_err fat_node_new(
        struct fat_tree *tree, const struct fat_dirent *entry, struct fat_node **ret);

/*
 * Give up a reference. Returns whether it was the last: then no table knows the node
 * any more, and fat_node_destroy() must follow.
 */
FAT_MUST_CHECK bool fat_node_drop(struct fat_node *node);

/* Free a node that no table knows. Its parent's reference is the caller's to drop. */
void fat_node_destroy(struct fat_node *node);

/*
 * The name of @node has turned out to be a second name of something else (W4): nobody
 * may use it any more, and its chain is not its own. Namespace, node and interval held,
 * the first two exclusively.
 */
void fat_node_make_stale(struct fat_node *node);

/*
 * What was reached through such a directory is another node's from now on: nobody may
 * use it any more either. Whoever is reading it is waited for. Namespace held exclusively,
 * no node, and before the directory itself.
 */
void fat_node_make_stale_below(struct fat_node *directory);

/* Give @node its (new) place, or none: @place->parent NULL. Namespace exclusive. */
void fat_node_settle(struct fat_node *node, const struct fat_place *place);

/* The inode number the entry at a place has, or would get. Namespace held. */
uint64_t fat_node_ino_at(
        struct fat_tree *tree, const struct fat_node *parent, uint16_t slot);

/* First cluster as ".." of a child has it: 0 for the root, on FAT32 too. */
uint32_t fat_node_dotdot(const struct fat_node *directory);

/* Prepare the sector of the node's entry for edits; nothing for the root or a removed one. */
FAT_MUST_CHECK fat_err fat_node_prepare(
        struct fat_node *node, struct fat_edits *edits, unsigned stages);

/* Set aside what the last unref of a removed node will need. FAT_E_NOMEM */
FAT_MUST_CHECK fat_err fat_node_prepare_farewell(struct fat_node *node);

/* PUBLISH the entry as it is to be now. Interval held, entry prepared, node exclusive. */
void fat_node_publish(struct fat_node *node, struct fat_edits *edits);

/* It was changed now: time of writing, date of access, and a file's archive bit. */
void fat_node_touch(struct fat_node *node);

/*
 * Write the times and attributes only. They order nothing, so they go with @stage, whichever has to
 * be written anyway; where this interval's commit (@number) is the first to publish
 * the entry, not before that.
 */
void fat_node_put_times(struct fat_node *node, struct fat_edits *edits,
        enum fat_stage stage, uint64_t number);

/* The clusters the chain must have for the size. */
uint32_t fat_node_clusters(const struct fat_node *node, uint64_t size_bytes);

/*
 * What the node knows of the open interval (@number) must not be forgotten before its
 * commit is finished: where it was born, cut, grown, and what its index has buried. So
 * the node stays, whoever lets go of it; a removed one need not. Infallible; under the
 * interval's lock.
 */
void fat_node_set_busy(struct fat_node *node, uint64_t number);

/* Take it out of tree->busy; its reference is the caller's. */
void fat_node_leave_busy(struct fat_tree *tree, struct fat_node *node)
        FAT_REQUIRES(tree->table_lock);

/* It has been removed: nobody will ask any more. The caller has a reference too. */
void fat_node_clear_busy(struct fat_node *node);

/*
 * @node was renamed inside one sector in the open interval: where it still is there
 * at the snapshot, its old slots go with PUBLISH. Namespace exclusive.
 *
 * Returns false if an earlier rename of it may have been noted for this interval: that
 * one's old slots will then go later, with RETIRE.
 */
bool fat_node_set_renamed(struct fat_node *node, const struct fat_place *from);

/* At the snapshot, interval exclusive: merge what fat_node_set_renamed() noted. */
void fat_tree_merge_renames(struct fat_tree *tree);

#endif
