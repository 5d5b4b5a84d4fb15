/* SPDX-License-Identifier: MIT */
#include "tree/contents.h"

#include <stdlib.h>

#include <fatward/file.h>

#include "tree/chain.h"

enum { ZEROS = 256 * 1024 };

/* A device call and its place in a buffer. */
typedef fat_err transfer_fn(
        struct fat_tree *tree, uint64_t device_offset, void *bytes, size_t length);

static fat_err read_bytes(
        struct fat_tree *tree, uint64_t device_offset, void *bytes, size_t length)
{
    return tree->dev->ops->read(tree->dev, device_offset, bytes, length);
}

static fat_err write_bytes(
        struct fat_tree *tree, uint64_t device_offset, void *bytes, size_t length)
{
    const uint32_t sector_bytes = tree->geometry.sector_bytes;
    const uint64_t first = device_offset / sector_bytes;
    const uint64_t last = (device_offset + length - 1) / sector_bytes;

    fat_cache_note_data(tree->cache, first, last - first + 1);
    return tree->dev->ops->write(tree->dev, device_offset, bytes, length);
}

static fat_err too_short(struct fat_node *node)
{
    return fat_tree_damage(node->tree, node->entry.first_cluster,
            "a file's cluster chain is shorter than its size");
}

static fat_err find_run(struct fat_node *node, uint32_t index, struct fat_run *ret)
{
    fat_err err;

    fat_mutex_lock(&node->index_lock);
    err = fat_tree_seek(node->tree, &node->map, index, ret);
    fat_mutex_unlock(&node->index_lock);
    return err == FAT_END || err == FAT_E_CORRUPT ? too_short(node) : err;
}

/* One device call per run, however long. */
static fat_err each_run(struct fat_node *node, uint64_t offset, uint8_t *bytes,
        size_t length, transfer_fn *transfer)
{
    const uint32_t cluster_bytes = node->tree->geometry.cluster_bytes;

    while (length > 0) {
        const uint32_t within = (uint32_t)(offset % cluster_bytes);
        struct fat_run run = {0};
        uint64_t room;
        size_t part;
        fat_err err = find_run(node, (uint32_t)(offset / cluster_bytes), &run);

        if (err != FAT_OK) {
            return err;
        }
        room = (uint64_t)run.count * cluster_bytes - within;
        part = length < room ? length : (size_t)room;
        err = transfer(node->tree, fat_tree_offset(node->tree, run.cluster) + within,
                bytes, part);
        if (err != FAT_OK) {
            return err;
        }
        bytes += part;
        offset += part;
        length -= part;
    }
    return FAT_OK;
}

fat_err fat_contents_read(struct fat_node *node, uint64_t offset, void *buffer,
        size_t length, size_t *ret_length)
{
    uint64_t left;
    fat_err err;

    fat_rwlock_read(&node->lock);
    left = offset < node->entry.size_bytes ? node->entry.size_bytes - offset : 0;
    length = length < left ? length : (size_t)left;
    err = node->stale ? FAT_E_STALE
                      : each_run(node, offset, buffer, length, read_bytes);
    fat_rwlock_read_end(&node->lock);
    if (err == FAT_OK) {
        *ret_length = length;
    }
    return err;
}

/* The device is told that it only reads, so the buffer may be the caller's own. */
static fat_err write_data(
        struct fat_node *node, uint64_t offset, const void *bytes, size_t length)
{
    union {
        const void *given;
        void *passed;
    } buffer = {.given = bytes};
    const fat_err err = each_run(node, offset, buffer.passed, length, write_bytes);

    /* Even a write that failed may have reached the disk in part. */
    fat_interval_data_written(&node->tree->interval);
    return err;
}

static fat_err write_zeros(struct fat_node *node, uint64_t begin, uint64_t end)
{
    uint8_t *zeros;
    fat_err err = FAT_OK;

    if (begin >= end) {
        return FAT_OK;
    }
    zeros = calloc(1, ZEROS);
    if (!zeros) {
        return FAT_E_NOMEM;
    }
    while (begin < end && err == FAT_OK) {
        const size_t part = end - begin < ZEROS ? (size_t)(end - begin) : ZEROS;

        err = write_data(node, begin, zeros, part);
        begin += part;
    }
    free(zeros);
    return err;
}

/* The data, and the times: these order nothing, so they need no flush of their own. */
static fat_err write_in_place(
        struct fat_node *node, uint64_t offset, const void *bytes, size_t length)
{
    struct fat_tree *tree = node->tree;
    struct fat_edits edits;
    fat_err err;

    fat_edits_init(&edits, tree->cache);
    err = fat_node_prepare(node, &edits, 1);
    if (err == FAT_OK) {
        err = write_data(node, offset, bytes, length);
    }
    if (err == FAT_OK) {
        const uint64_t number = fat_interval_enter(&tree->interval);

        fat_node_touch(node);
        fat_node_put_times(node, &edits, FAT_STAGE_FILL, number);
        fat_interval_leave(&tree->interval);
    }
    fat_edits_done(&edits);
    return err;
}

/* FAT_END: the file is shorter than that by now. */
static fat_err overwrite(
        struct fat_node *node, uint64_t offset, const void *bytes, size_t length)
{
    fat_err err = FAT_END;

    fat_rwlock_read(&node->lock);
    if (offset + length <= node->entry.size_bytes) {
        err = write_in_place(node, offset, bytes, length);
    }
    fat_rwlock_read_end(&node->lock);
    return err;
}

/*
 * PUBLISH the new size: all it covers is written, all its clusters are linked. The first
 * one is named from here on, and since it was claimed a commit may have begun (W4).
 */
static fat_err publish_size(struct fat_node *node, uint32_t size)
{
    struct fat_tree *tree = node->tree;
    struct fat_edits edits;
    fat_err err;

    fat_edits_init(&edits, tree->cache);
    err = fat_node_prepare(node, &edits, 1);
    if (err == FAT_OK) {
        const uint64_t number = fat_interval_enter(&tree->interval);

        fat_node_touch(node);
        if (node->entry.size_bytes == 0) {
            node->recast = number;
            fat_node_set_busy(node, number); /* it must not forget that */
        }
        node->entry.size_bytes = size;
        fat_node_publish(node, &edits);
        fat_interval_leave(&tree->interval);
    }
    fat_edits_done(&edits);
    return err;
}

/* Growing has failed: clusters beyond the size that we linked are given up again. */
static void shrink_back(struct fat_node *node, uint32_t clusters)
{
    /* Where it waited for a commit, the map may have been forgotten meanwhile. */
    fat_err err = fat_tree_learn(node->tree, &node->map, UINT32_MAX);

    if (err == FAT_OK && node->map.clusters > clusters) {
        err = fat_chain_cut(node, clusters, node->entry.size_bytes);
    }
    (void)err; /* then the chain stays longer than its size: harmless */
}

/* Clusters the chain keeps if growing fails: what the size needs, or had before. */
static fat_err clusters_before(struct fat_node *node, uint32_t *ret)
{
    const uint32_t needed = fat_node_clusters(node, node->entry.size_bytes);
    fat_err err = fat_tree_learn(node->tree, &node->map, UINT32_MAX);

    if (err == FAT_OK && node->map.clusters < needed) {
        err = too_short(node);
    }
    if (err == FAT_OK) {
        *ret = needed;
    }
    return err;
}

/* How many of the @length bytes at @offset fit into the clusters that are linked. */
static size_t fitting(const struct fat_node *node, uint64_t offset, size_t length)
{
    const uint64_t end =
            (uint64_t)node->map.clusters * node->tree->geometry.cluster_bytes;

    if (end <= offset) {
        return 0;
    }
    return end - offset < length ? (size_t)(end - offset) : length;
}

/* Write where the size has to grow; node held exclusively. */
static fat_err extend(struct fat_node *node, uint64_t offset, const void *bytes,
        size_t length, size_t *ret_length)
{
    const uint64_t size = node->entry.size_bytes;
    uint32_t before;
    fat_err err = clusters_before(node, &before);

    if (err != FAT_OK) {
        return err;
    }
    err = fat_chain_grow(node, fat_node_clusters(node, offset + length));
    node->overgrown = err == FAT_E_AGAIN;
    if (err == FAT_E_AGAIN) {
        return err;
    }
    if (err == FAT_E_NOSPC) {
        length = fitting(node, offset, length);
        err = length > 0 ? FAT_OK : FAT_E_NOSPC;
    }
    if (err == FAT_OK) {
        err = write_zeros(node, size, offset);
    }
    if (err == FAT_OK) {
        err = write_data(node, offset, bytes, length);
    }
    if (err == FAT_OK) {
        const uint64_t end = offset + length;

        err = publish_size(node, (uint32_t)(end > size ? end : size));
    }
    if (err != FAT_OK) {
        shrink_back(node, before);
        return err;
    }
    *ret_length = length;
    return FAT_OK;
}

fat_err fat_contents_write(struct fat_node *node, uint64_t offset, const void *buffer,
        size_t length, size_t *ret_length)
{
    fat_err err = FAT_END;

    if (node->stale) {
        return FAT_E_STALE;
    }
    if (offset != FAT_CONTENTS_APPEND) {
        err = overwrite(node, offset, buffer, length);
    }
    if (err == FAT_OK) {
        *ret_length = length;
    }
    if (err != FAT_END) {
        return err;
    }
    fat_rwlock_write(&node->lock);
    if (offset == FAT_CONTENTS_APPEND) {
        offset = node->entry.size_bytes;
    }
    if (offset >= FAT_FILE_SIZE_MAX) {
        err = FAT_E_FBIG;
    } else {
        const uint64_t room = FAT_FILE_SIZE_MAX - offset;

        err = extend(node, offset, buffer, length < room ? length : (size_t)room,
                ret_length);
    }
    fat_rwlock_write_end(&node->lock);
    return err;
}

static fat_err grow_with_zeros(struct fat_node *node, uint32_t size)
{
    uint32_t before;
    fat_err err = clusters_before(node, &before);

    if (err != FAT_OK) {
        return err;
    }
    err = fat_chain_grow(node, fat_node_clusters(node, size));
    node->overgrown = err == FAT_E_AGAIN;
    if (err == FAT_E_AGAIN) {
        return err;
    }
    if (err == FAT_OK) {
        err = write_zeros(node, node->entry.size_bytes, size);
    }
    if (err == FAT_OK) {
        err = publish_size(node, size);
    }
    if (err != FAT_OK) {
        shrink_back(node, before);
    }
    return err;
}

fat_err fat_contents_extend(struct fat_node *node, uint32_t size)
{
    fat_err err = FAT_OK;

    if (node->stale) {
        return FAT_E_STALE;
    }
    fat_rwlock_write(&node->lock);
    if (size > node->entry.size_bytes) {
        err = grow_with_zeros(node, size);
    }
    fat_rwlock_write_end(&node->lock);
    return err;
}

fat_err fat_contents_truncate(struct fat_node *node, uint32_t size)
{
    fat_err err;

    if (node->stale) {
        return FAT_E_STALE;
    }
    fat_rwlock_write(&node->lock);
    if (size > node->entry.size_bytes) {
        err = grow_with_zeros(node, size);
    } else if (size == 0 && node->entry.size_bytes > 0 &&
               fat_node_has_two_names(node)) {
        err = FAT_E_AGAIN; /* W4 */
    } else {
        err = fat_chain_truncate(node, size);
    }
    fat_rwlock_write_end(&node->lock);
    return err;
}

void fat_contents_give_up(struct fat_node *node)
{
    fat_rwlock_write(&node->lock);
    if (node->overgrown) {
        node->overgrown = false;
        shrink_back(node, fat_node_clusters(node, node->entry.size_bytes));
    }
    fat_rwlock_write_end(&node->lock);
}

/* Node held exclusively, chain known. */
static fat_err set_aside(struct fat_node *node, uint32_t want)
{
    struct fat_freemap *map = node->tree->freemap;
    const uint32_t last = node->map.clusters > 0 ? fat_runmap_last(&node->map) : 0;
    uint32_t have;
    bool kept;
    fat_err err = FAT_OK;

    node->set_aside = true;
    fat_freemap_keep(map, &node->reserve, true);
    have = node->map.clusters + fat_freemap_reserved(map, &node->reserve, &kept);
    if (want > have) {
        err = fat_freemap_reserve(map, &node->reserve, last, want - have, want - have);
    }
    fat_freemap_keep(map, &node->reserve, false);
    return err;
}

fat_err fat_contents_set_aside(struct fat_node *node, uint32_t end)
{
    fat_err err;

    fat_rwlock_write(&node->lock);
    err = node->stale ? FAT_E_STALE
                      : fat_tree_learn(node->tree, &node->map, UINT32_MAX);
    if (err == FAT_OK) {
        err = set_aside(node, fat_node_clusters(node, end));
    }
    fat_rwlock_write_end(&node->lock);
    return err;
}
