/* SPDX-License-Identifier: MIT */
/* Room in directories: free slots, growth, and a clean end (W10). */
#include <stdlib.h>

#include "tree/dir.h"

static uint32_t slots_of(const struct fat_node *directory, uint32_t clusters)
{
    const uint64_t slots = (uint64_t)clusters *
                           directory->tree->geometry.cluster_bytes / FAT_SLOT_BYTES;

    return slots < FAT_DIR_SLOTS_MAX ? (uint32_t)slots : FAT_DIR_SLOTS_MAX;
}

/* Slots that the directory has on disk. */
static fat_err capacity_of(struct fat_node *directory, uint32_t *ret)
{
    fat_err err;

    if (fat_dir_is_fixed_root(directory)) {
        *ret = directory->tree->geometry.root_entries;
        return FAT_OK;
    }
    fat_mutex_lock(&directory->index_lock);
    err = fat_tree_learn(directory->tree, &directory->map, UINT32_MAX);
    *ret = slots_of(directory, directory->map.clusters);
    fat_mutex_unlock(&directory->index_lock);
    return err;
}

fat_err fat_dir_zero_cluster(struct fat_tree *tree, uint32_t cluster)
{
    const uint32_t length = tree->geometry.cluster_bytes;
    uint8_t *zeros = calloc(1, length);
    fat_err err;

    if (!zeros) {
        return FAT_E_NOMEM;
    }
    /* Whatever the cache may know of the cluster is of an earlier life. */
    fat_cache_forget(tree->cache, fat_geometry_sector(&tree->geometry, cluster),
            tree->geometry.cluster_sectors);
    err = tree->dev->ops->write(
            tree->dev, fat_tree_offset(tree, cluster), zeros, length);
    free(zeros);
    if (err == FAT_OK) {
        fat_interval_data_written(&tree->interval);
    }
    return err;
}

static fat_err prepare_growth(
        struct fat_node *directory, struct fat_edits *edits, uint32_t cluster)
{
    struct fat_tree *tree = directory->tree;
    fat_err err = fat_dir_zero_cluster(tree, cluster);

    if (err == FAT_OK) {
        err = fat_fattab_prepare(&tree->fattab, edits, cluster, 1);
    }
    if (err == FAT_OK) {
        err = fat_fattab_prepare(
                &tree->fattab, edits, fat_runmap_last(&directory->map), 2);
    }
    if (err == FAT_OK) {
        fat_mutex_lock(&directory->index_lock);
        err = fat_runmap_reserve(&directory->map, 1);
        fat_mutex_unlock(&directory->index_lock);
    }
    return err;
}

/* The new cluster is zero on disk before PUBLISH links it: no garbage shows. */
static void link_cluster(
        struct fat_node *directory, struct fat_edits *edits, uint32_t cluster)
{
    struct fat_tree *tree = directory->tree;
    const uint64_t number = fat_interval_enter(&tree->interval);
    const uint32_t tail = fat_runmap_last(&directory->map);
    const bool tail_is_new = directory->grown == number &&
                             directory->map.clusters > directory->grown_from;

    if (directory->grown != number) {
        directory->grown = number;
        directory->grown_from = directory->map.clusters;
    }
    fat_fattab_set(&tree->fattab, edits, FAT_STAGE_FILL, cluster,
            (struct fat_link){.kind = FAT_LINK_END});
    fat_fattab_set(&tree->fattab, edits,
            tail_is_new ? FAT_STAGE_FILL : FAT_STAGE_PUBLISH, tail,
            (struct fat_link){.kind = FAT_LINK_NEXT, .cluster = cluster});
    fat_mutex_lock(&directory->index_lock);
    fat_runmap_append(&directory->map, cluster, 1);
    fat_mutex_unlock(&directory->index_lock);
    fat_node_set_busy(directory, number);
    fat_interval_leave(&tree->interval);
}

/* An operation of its own: a directory with an empty cluster more harms nobody. */
static fat_err grow(struct fat_node *directory)
{
    struct fat_tree *tree = directory->tree;
    struct fat_extent extent;
    struct fat_edits edits;
    fat_err err;

    if (fat_dir_is_fixed_root(directory) ||
            slots_of(directory, directory->map.clusters) >= FAT_DIR_SLOTS_MAX) {
        return FAT_E_NOSPC;
    }
    err = fat_freemap_claim(
            tree->freemap, NULL, fat_runmap_last(&directory->map), 1, &extent);
    if (err != FAT_OK) {
        return err;
    }
    fat_edits_init(&edits, tree->cache);
    err = prepare_growth(directory, &edits, extent.cluster);
    if (err == FAT_OK) {
        link_cluster(directory, &edits, extent.cluster);
    } else {
        fat_freemap_release(tree->freemap, extent);
    }
    fat_edits_done(&edits);
    return err;
}

static fat_err prepare_tail(struct fat_node *directory, struct fat_edits *edits,
        uint32_t end, uint32_t slots)
{
    const uint32_t step = directory->tree->geometry.sector_bytes / FAT_SLOT_BYTES;
    fat_err err = FAT_OK;

    for (uint32_t s = end; s < slots && err == FAT_OK; s = (s / step + 1) * step) {
        uint64_t sector;
        uint32_t offset;

        err = fat_dir_locate(directory, s, &sector, &offset);
        if (err == FAT_OK) {
            err = fat_edits_prepare(edits, sector, 1);
        }
    }
    return err;
}

static void zero_slots(struct fat_node *directory, struct fat_edits *edits,
        uint32_t end, uint32_t slots)
{
    static const uint8_t zeros[FAT_SLOT_BYTES];

    for (uint32_t s = end; s < slots; s++) {
        uint64_t sector;
        uint32_t offset;

        if (fat_dir_locate(directory, s, &sector, &offset) == FAT_OK) {
            fat_edits_set(edits, sector, FAT_STAGE_FILL, offset, zeros, sizeof(zeros));
        }
    }
}

/* W10: a commit of its own zeroes what lies behind the end mark before it moves. */
static fat_err clean_end(struct fat_node *directory, uint32_t slots)
{
    struct fat_tree *tree = directory->tree;
    const uint32_t end = fat_dirindex_end(directory->index);
    struct fat_edits edits;
    fat_err err;

    fat_edits_init(&edits, tree->cache);
    err = prepare_tail(directory, &edits, end, slots);
    if (err == FAT_OK) {
        directory->cleaned = fat_interval_enter(&tree->interval);
        zero_slots(directory, &edits, end, slots);
        fat_node_set_busy(directory, directory->cleaned);
        fat_dirindex_set_junk(directory->index, false);
        fat_interval_leave(&tree->interval);
        err = FAT_E_AGAIN;
    }
    fat_edits_done(&edits);
    return err;
}

static fat_err find_first(
        struct fat_node *directory, uint32_t count, uint32_t *ret_first)
{
    const uint32_t per_sector = directory->tree->geometry.sector_bytes / FAT_SLOT_BYTES;
    uint32_t slots;
    fat_err err;

    for (;;) {
        err = capacity_of(directory, &slots);
        if (err != FAT_OK) {
            return err;
        }
        if (fat_dirindex_has_junk(directory->index)) {
            return clean_end(directory, slots);
        }
        if (!fat_interval_is_finished(&directory->tree->interval, directory->cleaned)) {
            return FAT_E_AGAIN; /* W10: the zeros have to be on disk first */
        }
        if (fat_dirindex_find_room(
                    directory->index, count, per_sector, slots, ret_first)) {
            return FAT_OK;
        }
        err = grow(directory);
        if (err == FAT_E_NOSPC &&
                fat_dirindex_find_room(directory->index, count, 1, slots, ret_first)) {
            return FAT_OK; /* over a sector border, since nothing else is left */
        }
        if (err != FAT_OK) {
            return err;
        }
    }
}

fat_err fat_dir_place_of(
        struct fat_node *directory, struct fat_slots slots, struct fat_place *ret)
{
    *ret = (struct fat_place){.parent = directory,
            .slot = (uint16_t)(slots.first + slots.count - 1),
            .slots = (uint8_t)slots.count};
    return fat_dir_locate(directory, ret->slot, &ret->sector, &ret->offset);
}

fat_err fat_dir_make_room(
        struct fat_node *directory, uint32_t count, struct fat_place *ret)
{
    struct fat_slots slots = {.count = count};
    fat_err err = fat_dir_need_index(directory);

    if (err == FAT_OK) {
        err = find_first(directory, count, &slots.first);
    }
    if (err == FAT_OK) {
        err = fat_dirindex_reserve(directory->index, 1, slots.first + count);
    }
    return err == FAT_OK ? fat_dir_place_of(directory, slots, ret) : err;
}
