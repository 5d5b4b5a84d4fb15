/* SPDX-License-Identifier: MIT */
/* How a node's entry is written. */
#include <stdlib.h>

#include "tree/node.h"

fat_err fat_node_prepare(
        struct fat_node *node, struct fat_edits *edits, unsigned stages)
{
    return node->place.parent ? fat_edits_prepare(edits, node->place.sector, stages)
                              : FAT_OK;
}

fat_err fat_node_prepare_farewell(struct fat_node *node)
{
    struct fat_piece *piece;

    if (node->farewell) {
        return FAT_OK;
    }
    piece = calloc(1, sizeof(*piece));
    if (!piece) {
        return FAT_E_NOMEM;
    }
    node->farewell = piece;
    return FAT_OK;
}

void fat_node_publish(struct fat_node *node, struct fat_edits *edits)
{
    const struct fat_place *place = &node->place;
    uint8_t raw[FAT_SLOT_BYTES];

    if (!place->parent) {
        return; /* the root, or a file without a name: nothing shows its size */
    }
    fat_edits_get(edits, place->sector, place->offset, raw, sizeof(raw));
    fat_mutex_lock(&node->index_lock);
    fat_dirent_encode(node->tree->geometry.type, &node->entry, raw);
    fat_edits_set(
            edits, place->sector, FAT_STAGE_PUBLISH, place->offset, raw, sizeof(raw));
    fat_mutex_unlock(&node->index_lock);
}

void fat_node_put_times(struct fat_node *node, struct fat_edits *edits,
        enum fat_stage stage, uint64_t number)
{
    const struct fat_place *place = &node->place;
    uint8_t raw[FAT_SLOT_BYTES];

    if (!place->parent) {
        return;
    }
    if (place->published == number && stage < FAT_STAGE_PUBLISH) {
        stage = FAT_STAGE_PUBLISH;
    }
    fat_edits_get(edits, place->sector, place->offset, raw, sizeof(raw));
    fat_mutex_lock(&node->index_lock);
    fat_dirent_encode(node->tree->geometry.type, &node->entry, raw);
    fat_edits_set(
            edits, place->sector, stage, place->offset + DIR_ATTR, raw + DIR_ATTR, 1);
    fat_edits_set(edits, place->sector, stage, place->offset + DIR_LST_ACC_DATE,
            raw + DIR_LST_ACC_DATE, 2);
    fat_edits_set(edits, place->sector, stage, place->offset + DIR_WRT_TIME,
            raw + DIR_WRT_TIME, 4);
    fat_mutex_unlock(&node->index_lock);
}

void fat_node_touch(struct fat_node *node)
{
    const struct fat_tree *tree = node->tree;
    const struct fat_stamp now = fat_stamp_encode(fat_tree_now(tree), tree->utc_offset);

    fat_mutex_lock(&node->index_lock);
    node->entry.written = (struct fat_stamp){.date = now.date, .time = now.time};
    node->entry.accessed.date = now.date;
    if (!node->is_directory) {
        node->entry.attributes |= FAT_ATTR_ARCHIVE;
    }
    fat_mutex_unlock(&node->index_lock);
}

uint32_t fat_node_clusters(const struct fat_node *node, uint64_t size_bytes)
{
    const uint32_t cluster_bytes = node->tree->geometry.cluster_bytes;

    return (uint32_t)((size_bytes + cluster_bytes - 1) / cluster_bytes);
}
