/* SPDX-License-Identifier: MIT */
/* The door to what a file is besides its contents: stat and its changes. */
#include <fatward/node.h>

#include "tree/dir.h"
#include "tree/indexes.h"
#include "tree/maps.h"
#include "volume/commit.h"

/*
 * Clusters of the chain: a directory's are counted, since its size is that; a file's
 * only if somebody has walked them already, for stat is asked of every file there is.
 */
static fat_err count_clusters(struct fat_node *node, uint32_t *ret_clusters)
{
    fat_err err = FAT_OK;

    fat_mutex_lock(&node->index_lock);
    if (node->is_directory && !fat_dir_is_fixed_root(node)) {
        err = fat_tree_learn(node->tree, &node->map, UINT32_MAX);
    }
    *ret_clusters = node->is_directory || fat_runmap_is_complete(&node->map)
                            ? node->map.clusters
                            : fat_node_clusters(node, node->entry.size_bytes);
    fat_mutex_unlock(&node->index_lock);
    return err;
}

static fat_err stat_directory(struct fat_node *node, struct fat_stat *st)
{
    fat_err err;

    fat_rwlock_read(&node->tree->names);
    st->links = node->removed ? 0 : 2;
    err = node->removed ? FAT_OK : fat_dir_need_index(node);
    if (err == FAT_OK && !node->removed) {
        st->links += fat_dirindex_directories(node->index);
    }
    fat_rwlock_read_end(&node->tree->names);
    if (err == FAT_E_NOMEM) {
        /* "Who knows": a directory just made is not to fail for want of that number. */
        st->links = 1;
        err = FAT_OK;
    }
    if (fat_dir_is_fixed_root(node)) {
        st->size_bytes = (uint64_t)node->tree->geometry.root_entries * FAT_SLOT_BYTES;
        st->allocated_bytes = st->size_bytes;
    } else {
        st->size_bytes = st->allocated_bytes;
    }
    return err;
}

/* Under the node's lock, shared. */
static fat_err stat_node(struct fat_node *node, struct fat_stat *st)
{
    const struct fat_tree *tree = node->tree;
    uint32_t clusters;
    const fat_err err = count_clusters(node, &clusters);

    *st = (struct fat_stat){.ino = node->ino,
            .is_directory = node->is_directory,
            .links = node->removed ? 0 : 1,
            .size_bytes = node->entry.size_bytes,
            .allocated_bytes = (uint64_t)clusters * tree->geometry.cluster_bytes};
    fat_mutex_lock(&node->index_lock);
    st->attributes = node->entry.attributes;
    st->modified = fat_stamp_decode(node->entry.written, tree->utc_offset);
    st->accessed = fat_stamp_decode(node->entry.accessed, tree->utc_offset);
    st->created = fat_stamp_decode(node->entry.created, tree->utc_offset);
    fat_mutex_unlock(&node->index_lock);
    return err;
}

/*
 * What fallocate has set aside counts as the file's. For all others nobody is asked:
 * under the free map's lock somebody may be waiting for the medium.
 */
static uint64_t kept_bytes(struct fat_node *node)
{
    bool kept = false;
    const uint32_t clusters =
            node->set_aside
                    ? fat_freemap_reserved(node->tree->freemap, &node->reserve, &kept)
                    : 0;

    return kept ? (uint64_t)clusters * node->tree->geometry.cluster_bytes : 0;
}

fat_err fat_node_stat(struct fat_node *node, struct fat_stat *ret)
{
    struct fat_stat st;
    fat_err err;

    if (node->stale) {
        return FAT_E_STALE;
    }
    fat_rwlock_read(&node->lock);
    err = stat_node(node, &st);
    st.allocated_bytes += kept_bytes(node);
    fat_rwlock_read_end(&node->lock);
    if (err == FAT_OK && node->is_directory) {
        err = stat_directory(node, &st);
        fat_indexes_trim(node->tree);
        fat_maps_trim(node->tree);
    }
    if (err == FAT_OK) {
        *ret = st;
    }
    return err;
}

enum {
    SETTABLE = FAT_ATTR_READ_ONLY | FAT_ATTR_HIDDEN | FAT_ATTR_SYSTEM | FAT_ATTR_ARCHIVE
};

static void take_changes(
        struct fat_node *node, const struct fat_node_changes *changes, uint64_t number)
{
    const int offset = node->tree->utc_offset;
    struct fat_dirent *entry = &node->entry;

    fat_mutex_lock(&node->index_lock);
    if (changes->which & FAT_SET_ATTRIBUTES) {
        entry->attributes = (uint8_t)((entry->attributes & ~(unsigned)SETTABLE) |
                                      (changes->attributes & SETTABLE));
    }
    if (changes->which & FAT_SET_MODIFIED) {
        entry->written = fat_stamp_encode(changes->modified, offset);
        entry->written.hundredths = 0;
    }
    if (changes->which & FAT_SET_ACCESSED) {
        entry->accessed.date = fat_stamp_encode(changes->accessed, offset).date;
    }
    if (changes->which & FAT_SET_CREATED) {
        entry->created = fat_stamp_encode(changes->created, offset);
        node->recast = number;
    }
    fat_mutex_unlock(&node->index_lock);
}

struct change {
    struct fat_node *node;
    const struct fat_node_changes *changes;
};

/* W4: of two names of one file, its time of creation says which is the newer. */
static fat_err may_change(const struct change *c)
{
    return (c->changes->which & FAT_SET_CREATED) && fat_node_has_two_names(c->node)
                   ? FAT_E_AGAIN
                   : FAT_OK;
}

static fat_err change_once(void *context)
{
    const struct change *c = context;
    struct fat_interval *interval = &c->node->tree->interval;
    struct fat_edits edits;
    fat_err err;

    if (c->node->stale) {
        return FAT_E_STALE;
    }
    fat_edits_init(&edits, c->node->tree->cache);
    fat_rwlock_write(&c->node->lock);
    err = may_change(c);
    if (err == FAT_OK) {
        err = fat_node_prepare(c->node, &edits, 1);
    }
    if (err == FAT_OK) {
        const uint64_t number = fat_interval_enter(interval);

        take_changes(c->node, c->changes, number);
        fat_node_publish(c->node, &edits);
        if (c->changes->which & FAT_SET_CREATED) {
            fat_node_set_busy(c->node, number); /* it must not forget that */
        }
        fat_interval_leave(interval);
    }
    fat_rwlock_write_end(&c->node->lock);
    fat_edits_done(&edits);
    return err;
}

fat_err fat_node_change(struct fat_node *node, const struct fat_node_changes *changes)
{
    struct change c = {.node = node, .changes = changes};

    if (node == node->tree->root) {
        return fat_tree_writable(node->tree);
    }
    return fat_commit_around(fat_volume_of(node), change_once, &c);
}
