/* SPDX-License-Identifier: MIT */
#include "tree/indexes.h"

void fat_indexes_add(struct fat_node *directory)
{
    struct fat_tree *tree = directory->tree;

    atomic_fetch_add(&tree->index_bytes, fat_dirindex_bytes(directory->index));
    fat_indexes_touch(directory);
}

void fat_indexes_touch(struct fat_node *directory)
{
    directory->index_used = atomic_fetch_add(&directory->tree->index_clock, 1) + 1;
}

static bool may_drop(struct fat_node *node, uint64_t before)
{
    return node->index && node->busy_interval == 0 && node->index_used < before;
}

static void drop(struct fat_node *node)
{
    fat_dirindex_free(node->index);
    node->index = NULL;
}

/* What is in memory; @before: indexes that were last used before that go. */
static size_t sweep(struct fat_tree *tree, uint64_t before)
        FAT_REQUIRES(tree->table_lock)
{
    size_t bytes = 0;

    for (size_t i = 0; i < FAT_NODE_BUCKETS; i++) {
        for (struct fat_node *n = tree->by_place[i]; n; n = n->place_next) {
            if (may_drop(n, before)) {
                drop(n);
            }
            bytes += n->index ? fat_dirindex_bytes(n->index) : 0;
        }
    }
    return bytes;
}

/*
 * Half of the clock's span since the last trim at a time: the older half goes, which
 * is near enough to least recently used and needs no list in order.
 */
static void trim_locked(struct fat_tree *tree) FAT_REQUIRES(tree->table_lock)
{
    const uint64_t now = tree->index_clock;
    uint64_t from = tree->index_trimmed;
    size_t bytes = sweep(tree, 0);

    while (bytes > tree->index_budget / 2 && from < now) {
        from += (now - from + 1) / 2;
        bytes = sweep(tree, from);
    }
    tree->index_trimmed = from;
    atomic_store(&tree->index_bytes, bytes);
}

void fat_indexes_trim(struct fat_tree *tree)
{
    if (atomic_load(&tree->index_bytes) <= tree->index_budget) {
        return;
    }
    fat_rwlock_write(&tree->names);
    fat_mutex_lock(&tree->table_lock);
    trim_locked(tree);
    fat_mutex_unlock(&tree->table_lock);
    fat_rwlock_write_end(&tree->names);
}
