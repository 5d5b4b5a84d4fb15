/* SPDX-License-Identifier: MIT */
#include "tree/maps.h"

/* One map is a small part of the budget, and growth in one step fits into it. */
enum { RUNS_DIVISOR = 512, RUNS_LEAST = 256, BATCH = 64 };

void fat_maps_set_budget(struct fat_tree *tree, size_t bytes)
{
    const size_t most = bytes / RUNS_DIVISOR;

    tree->map_budget = bytes;
    tree->maps.runs_max = most > RUNS_LEAST ? most : RUNS_LEAST;
}

/* Three quarters: so that it is not done again at once. */
static size_t excess(struct fat_tree *tree)
{
    const size_t goal = tree->map_budget - tree->map_budget / 4;
    const size_t bytes = tree->maps.bytes;

    return bytes > goal ? bytes - goal : 0;
}

/* A sweep through the table of nodes, and what of it is to go. */
struct sweep {
    struct fat_node *nodes[BATCH]; /* with a reference                               */
    size_t count;
    size_t bytes;   /* that these hold                                               */
    size_t buckets; /* still to be looked at                                         */
};

/* Who was used since the hand came by is spared once; false: there is no room left. */
static bool gather_bucket(struct fat_tree *tree, struct sweep *s)
        FAT_REQUIRES(tree->table_lock)
{
    for (struct fat_node *n = tree->by_ino[tree->map_hand]; n; n = n->ino_next) {
        if (n->map.bytes == 0 || atomic_exchange(&n->map.used, false)) {
            continue;
        }
        if (s->count == BATCH) {
            return false;
        }
        n->refs++;
        s->bytes += n->map.bytes;
        s->nodes[s->count++] = n;
    }
    return true;
}

static void gather(struct fat_tree *tree, struct sweep *s, size_t wanted)
{
    s->count = 0;
    s->bytes = 0;
    fat_mutex_lock(&tree->table_lock);
    while (s->buckets > 0 && s->bytes < wanted) {
        s->buckets--;
        if (!gather_bucket(tree, s)) {
            break;
        }
        tree->map_hand = (tree->map_hand + 1) % FAT_NODE_BUCKETS;
    }
    fat_mutex_unlock(&tree->table_lock);
}

static void forget(struct fat_node *node)
{
    if (fat_mutex_try_lock(&node->index_lock)) {
        fat_runmap_restart(&node->map, node->entry.first_cluster);
        fat_mutex_unlock(&node->index_lock);
    }
}

/*
 * A file's map is used under the node's lock, a directory's under the names. What is in
 * use just now stays: under its lock somebody may be waiting for the medium, and who came
 * for another file must not wait with him.
 */
static void drop(struct fat_node *node)
{
    struct fat_rwlock *names = &node->tree->names;

    if (node->is_directory) {
        if (fat_rwlock_try_read(names)) {
            forget(node);
            fat_rwlock_read_end(names);
        }
    } else if (fat_rwlock_try_write(&node->lock)) {
        forget(node);
        fat_rwlock_write_end(&node->lock);
    }
}

void fat_maps_trim(struct fat_tree *tree)
{
    struct sweep s = {.buckets = (size_t)2 * FAT_NODE_BUCKETS};

    if (tree->maps.bytes <= tree->map_budget) {
        return;
    }
    for (size_t wanted = excess(tree); wanted > 0 && s.buckets > 0;
            wanted = excess(tree)) {
        gather(tree, &s, wanted);
        for (size_t i = 0; i < s.count; i++) {
            drop(s.nodes[i]);
            fat_node_unref(s.nodes[i]);
        }
    }
}
