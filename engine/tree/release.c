/* SPDX-License-Identifier: MIT */
#include "tree/release.h"

#include "tree/node.h"

/* More runs than that are not worth withdrawing: RECLAIM frees them just as well. */
enum { WITHDRAW_CLUSTERS_MAX = 4096 };

/*
 * A withdrawn directory's clusters are free at once: its images must not be written.
 * On the ordinary way they must be: PUBLISH may name the directory before RETIRE
 * removes it. What is left in the cache then is forgotten when the cluster becomes a
 * directory's again.
 */
static void forget_blocks(struct fat_node *node)
{
    const struct fat_geometry *g = &node->tree->geometry;

    for (size_t i = 0; i < node->map.count; i++) {
        const struct fat_run *run = &node->map.runs[i];

        fat_cache_forget(node->tree->cache, fat_geometry_sector(g, run->cluster),
                (uint64_t)run->count * g->cluster_sectors);
    }
}

/* Pin the FAT sectors of the chain; false: take the ordinary way. */
static bool prepare_withdrawal(struct fat_node *node, struct fat_edits *edits)
{
    if (node->fresh == 0 || !fat_runmap_is_complete(&node->map) ||
            !fat_runmap_is_whole(&node->map, 0) ||
            node->map.clusters > WITHDRAW_CLUSTERS_MAX) {
        return false;
    }
    for (size_t i = 0; i < node->map.count; i++) {
        const struct fat_run *run = &node->map.runs[i];

        if (fat_fattab_prepare_run(&node->tree->fattab, edits, run->cluster, run->count,
                    1) != FAT_OK) {
            return false;
        }
    }
    return true;
}

/* W6: no image but this interval's own knows the chain. */
static void withdraw(struct fat_node *node, struct fat_edits *edits)
{
    struct fat_tree *tree = node->tree;

    if (node->is_directory) {
        forget_blocks(node);
    }
    for (size_t i = 0; i < node->map.count; i++) {
        const struct fat_run *run = &node->map.runs[i];

        for (uint32_t c = 0; c < run->count; c++) {
            fat_fattab_set(&tree->fattab, edits, FAT_STAGE_FILL, run->cluster + c,
                    (struct fat_link){.kind = FAT_LINK_FREE});
        }
        fat_freemap_release(tree->freemap,
                (struct fat_extent){.cluster = run->cluster, .count = run->count});
    }
}

static void give_up_chain(struct fat_node *node, struct fat_edits *edits)
{
    struct fat_tree *tree = node->tree;
    const bool prepared = prepare_withdrawal(node, edits);
    const uint64_t number = fat_interval_enter(&tree->interval);

    if (prepared && node->fresh == number) {
        withdraw(node, edits);
    } else {
        node->farewell->first = node->entry.first_cluster;
        node->farewell->promised = node->map.clusters;
        fat_tree_give_up(tree, node->farewell);
        node->farewell = NULL;
    }
    fat_interval_leave(&tree->interval);
}

static void farewell(struct fat_node *node)
{
    struct fat_edits edits;

    if (node->entry.first_cluster == 0 ||
            fat_tree_learn(node->tree, &node->map, UINT32_MAX) == FAT_E_CORRUPT ||
            fat_tree_writable(node->tree) != FAT_OK) {
        return;
    }
    fat_edits_init(&edits, node->tree->cache);
    give_up_chain(node, &edits);
    fat_edits_done(&edits);
}

void fat_node_unref(struct fat_node *node)
{
    while (node && fat_node_drop(node)) {
        struct fat_node *parent = node->place.parent;

        if (node->removed) {
            farewell(node);
        }
        fat_node_destroy(node);
        node = parent; /* a node holds a reference to its parent */
    }
}

enum { IDLE_BATCH = 64 };

/* Some nodes whose commit is finished, taken out of the list. Returns how many. */
static size_t take_idle(struct fat_tree *tree, struct fat_node *idle[IDLE_BATCH])
{
    size_t count = 0;
    struct fat_node *next;

    fat_mutex_lock(&tree->table_lock);
    for (struct fat_node *node = tree->busy; node && count < IDLE_BATCH; node = next) {
        next = node->busy_next;
        if (fat_interval_is_finished(&tree->interval, node->busy_interval)) {
            fat_node_leave_busy(tree, node);
            idle[count++] = node;
        }
    }
    fat_mutex_unlock(&tree->table_lock);
    return count;
}

void fat_tree_release_busy(struct fat_tree *tree)
{
    struct fat_node *idle[IDLE_BATCH];
    size_t count;

    do {
        count = take_idle(tree, idle);
        for (size_t i = 0; i < count; i++) {
            fat_node_unref(idle[i]);
        }
    } while (count == IDLE_BATCH);
}

static struct fat_node *next_spent(struct fat_tree *tree)
{
    struct fat_node *node;

    fat_mutex_lock(&tree->table_lock);
    node = tree->renamed_spent;
    if (node) {
        tree->renamed_spent = node->renamed_next;
        node->renamed = false;
    }
    fat_mutex_unlock(&tree->table_lock);
    return node;
}

void fat_tree_release_renamed(struct fat_tree *tree)
{
    for (struct fat_node *node = next_spent(tree); node; node = next_spent(tree)) {
        fat_node_unref(node);
    }
}
