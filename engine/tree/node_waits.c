/* SPDX-License-Identifier: MIT */
/* Nodes that wait for a commit: what they know must last, or their old slots go. */
#include <assert.h>

#include "tree/node.h"

void fat_node_set_busy(struct fat_node *node, uint64_t number)
{
    struct fat_tree *tree = node->tree;

    if (node->removed) {
        return;
    }
    fat_mutex_lock(&tree->table_lock);
    if (node->busy_interval == 0) {
        node->refs++;
        node->busy_previous = NULL;
        node->busy_next = tree->busy;
        if (tree->busy) {
            tree->busy->busy_previous = node;
        }
        tree->busy = node;
    }
    node->busy_interval = number;
    fat_mutex_unlock(&tree->table_lock);
}

void fat_node_leave_busy(struct fat_tree *tree, struct fat_node *node)
{
    if (node->busy_previous) {
        node->busy_previous->busy_next = node->busy_next;
    } else {
        tree->busy = node->busy_next;
    }
    if (node->busy_next) {
        node->busy_next->busy_previous = node->busy_previous;
    }
    node->busy_interval = 0;
}

void fat_node_clear_busy(struct fat_node *node)
{
    struct fat_tree *tree = node->tree;

    fat_mutex_lock(&tree->table_lock);
    if (node->busy_interval != 0) {
        fat_node_leave_busy(tree, node);
        assert(node->refs > 1);
        node->refs--;
    }
    fat_mutex_unlock(&tree->table_lock);
}

bool fat_node_set_renamed(struct fat_node *node, const struct fat_place *from)
{
    struct fat_tree *tree = node->tree;

    bool first;

    node->renamed_from = *from;
    fat_mutex_lock(&tree->table_lock);
    first = !node->renamed;
    if (first) {
        node->renamed = true;
        node->refs++;
        node->renamed_next = tree->renamed;
        tree->renamed = node;
    }
    fat_mutex_unlock(&tree->table_lock);
    return first;
}

/* The old slots in the short entry's sector: erased by the write that shows the new. */
static void merge_rename(struct fat_tree *tree, const struct fat_node *node)
{
    static const uint8_t free_byte = FAT_SLOT_FREE_BYTE;
    const struct fat_place *from = &node->renamed_from;
    uint32_t offset = from->offset;

    if (node->removed || node->place.sector != from->sector) {
        return;
    }
    for (uint32_t i = 0; i < from->slots; i++) {
        fat_cache_merge_into(
                tree->cache, from->sector, FAT_STAGE_PUBLISH, offset, &free_byte, 1);
        if (offset < FAT_SLOT_BYTES) {
            return;
        }
        offset -= FAT_SLOT_BYTES;
    }
}

void fat_tree_merge_renames(struct fat_tree *tree)
{
    fat_mutex_lock(&tree->table_lock);
    while (tree->renamed) {
        struct fat_node *node = tree->renamed;

        tree->renamed = node->renamed_next;
        merge_rename(tree, node);
        node->renamed_next = tree->renamed_spent;
        tree->renamed_spent = node;
    }
    fat_mutex_unlock(&tree->table_lock);
}
