/* SPDX-License-Identifier: MIT */
/* Writing the images of a commit stage by stage, and the copies of the FAT. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "block/block.h"
#include "block/stage.h"

void fat_image_drop(struct fat_cache *cache, uint8_t **image)
{
    if (*image) {
        cache->image_bytes -= cache->sector_bytes;
        free(*image);
        *image = NULL;
    }
}

void fat_block_enter_commit(struct fat_cache *cache, struct fat_block *block)
{
    if (!block->in_commit) {
        block->in_commit = true;
        block->commit_next = cache->commit_list;
        cache->commit_list = block;
    }
}

static bool has_copies(const struct fat_cache *cache, uint64_t sector)
{
    return cache->copies.count > 1 && sector >= cache->copies.start &&
           sector - cache->copies.start < cache->copies.sectors;
}

/* Sector @sector of copy @copy; the original may be any of them. */
static uint64_t copy_sector(
        const struct fat_cache *cache, uint64_t sector, uint32_t copy)
{
    return sector + copy * cache->copies.sectors -
           cache->copies.original * cache->copies.sectors;
}

static fat_err write_sectors(struct fat_cache *cache, uint64_t sector, size_t count)
{
    return cache->dev->ops->write(cache->dev, sector * cache->sector_bytes,
            cache->transfer, count * cache->sector_bytes);
}

static bool goes_before(const struct fat_block *a, const struct fat_block *b)
{
    return a->sector <= b->sector;
}

/* The lists that get sorted, by their link. */
enum list { LIST_COMMIT, LIST_COPY };

static struct fat_block **link_of(struct fat_block *block, enum list list)
{
    return list == LIST_COMMIT ? &block->commit_next : &block->copy_next;
}

static struct fat_block *merge_lists(
        struct fat_block *a, struct fat_block *b, enum list list)
{
    struct fat_block *head = NULL;
    struct fat_block **tail = &head;

    while (a && b) {
        struct fat_block **from = goes_before(a, b) ? &a : &b;

        *tail = *from;
        tail = link_of(*from, list);
        *from = *tail;
    }
    *tail = a ? a : b;
    return head;
}

/* Bottom-up merge sort of a linked list: takes no memory, which a commit must not. */
static struct fat_block *sort_list(struct fat_block *blocks, enum list list)
{
    struct fat_block *runs[64] = {NULL}; /* runs[i]: sorted, 2^i blocks */

    while (blocks) {
        struct fat_block *run = blocks;
        size_t i = 0;

        blocks = *link_of(run, list);
        *link_of(run, list) = NULL;
        for (; runs[i]; i++) {
            run = merge_lists(runs[i], run, list);
            runs[i] = NULL;
        }
        runs[i] = run;
    }
    for (size_t i = 0; i < 64; i++) {
        blocks = merge_lists(runs[i], blocks, list);
    }
    return blocks;
}

/* A row of neighbouring sectors collected in cache->transfer. */
struct row {
    uint64_t first;
    size_t count;
    bool wrote;
    bool proves; /* looks at the sectors before it writes over them */
};

static fat_err row_flush(struct fat_cache *cache, struct row *row)
{
    fat_err err = FAT_OK;

    if (row->count > 0 && row->proves) {
        err = fat_blocks_prove(cache, row->first, row->count);
    }
    if (row->count > 0 && err == FAT_OK) {
        err = write_sectors(cache, row->first, row->count);
        row->wrote = true;
    }
    row->count = 0;
    return err;
}

/* Caller writes the row out first if @sector does not continue it. */
static bool row_takes(
        const struct fat_cache *cache, const struct row *row, uint64_t sector)
{
    return row->count == 0 ||
           (sector == row->first + row->count &&
                   (row->count + 1) * cache->sector_bytes <= FAT_CACHE_TRANSFER);
}

static fat_err row_add(
        struct fat_cache *cache, struct row *row, uint64_t sector, const uint8_t *image)
{
    fat_err err = FAT_OK;

    if (!row_takes(cache, row, sector)) {
        err = row_flush(cache, row);
    }
    if (row->count == 0) {
        row->first = sector;
    }
    fat_mutex_lock(&cache->lock);
    memcpy(cache->transfer + row->count * cache->sector_bytes, image,
            cache->sector_bytes);
    fat_mutex_unlock(&cache->lock);
    row->count++;
    return err;
}

static fat_err write_one_copy(
        struct fat_cache *cache, struct fat_block *due, uint32_t copy, struct row *row)
{
    fat_err err = FAT_OK;

    for (; due && err == FAT_OK; due = due->copy_next) {
        err = row_add(cache, row, copy_sector(cache, due->sector, copy), due->disk);
    }
    return err == FAT_OK ? row_flush(cache, row) : err;
}

static void release_due(struct fat_cache *cache, struct fat_block *due)
{
    fat_mutex_lock(&cache->lock);
    while (due) {
        struct fat_block *next = due->copy_next;

        due->copies_due = false;
        fat_block_unpin(cache, due);
        due = next;
    }
    fat_mutex_unlock(&cache->lock);
}

fat_err fat_cache_write_copies(struct fat_cache *cache, bool *ret_wrote)
{
    struct row row = {0};
    struct fat_block *due;
    fat_err err = FAT_OK;

    fat_mutex_lock(&cache->lock);
    due = cache->copy_list;
    cache->copy_list = NULL;
    fat_mutex_unlock(&cache->lock);
    due = sort_list(due, LIST_COPY);
    for (uint32_t i = 0; i < cache->copies.count && err == FAT_OK; i++) {
        if (i != cache->copies.original) {
            err = write_one_copy(cache, due, i, &row);
        }
    }
    release_due(cache, due);
    if (err == FAT_OK) {
        *ret_wrote = row.wrote;
    }
    return err;
}

static void copies_become_due(struct fat_cache *cache, struct fat_block *block)
        FAT_REQUIRES(cache->lock)
{
    if (has_copies(cache, block->sector) && !block->copies_due) {
        block->copies_due = true;
        block->pins++;
        block->copy_next = cache->copy_list;
        cache->copy_list = block;
    }
}

static bool is_written_in(const struct fat_block *block, enum fat_stage stage)
{
    return block->commit.of[stage] || (stage == FAT_STAGE_RECLAIM && block->reclaimed);
}

/* The stage is on its way to the disk: its image is what the disk holds. */
static void promote(struct fat_cache *cache, struct fat_block *block,
        enum fat_stage stage) FAT_REQUIRES(cache->lock)
{
    if (block->commit.of[stage]) {
        memcpy(block->disk, block->commit.of[stage], cache->sector_bytes);
        fat_image_drop(cache, &block->commit.of[stage]);
    }
    if (stage == FAT_STAGE_RECLAIM && block->reclaimed) {
        block->reclaimed = false;
        cache->reclaim_waiting--;
    }
    copies_become_due(cache, block);
}

/* Take the blocks that the commit has finished with out of its list. */
static void prune_commit_list(struct fat_cache *cache) FAT_REQUIRES(cache->lock)
{
    struct fat_block **link = &cache->commit_list;

    while (*link) {
        struct fat_block *block = *link;

        if (block->reclaimed || fat_images_at(&block->commit, FAT_STAGE_COUNT - 1)) {
            link = &block->commit_next;
            continue;
        }
        *link = block->commit_next;
        block->in_commit = false;
        block->pins++;
        fat_block_unpin(cache, block);
    }
}

static bool anything_in(struct fat_cache *cache, enum fat_stage stage)
{
    bool any = false;

    fat_mutex_lock(&cache->lock);
    for (struct fat_block *b = cache->commit_list; b && !any; b = b->commit_next) {
        any = is_written_in(b, stage);
    }
    fat_mutex_unlock(&cache->lock);
    return any;
}

/* Nobody else edits the commit's list or its images while a commit runs. */
static fat_err write_images(
        struct fat_cache *cache, enum fat_stage stage, struct row *row)
{
    fat_err err = FAT_OK;

    for (struct fat_block *b = cache->commit_list; b; b = b->commit_next) {
        if (!is_written_in(b, stage)) {
            continue;
        }
        err = row_add(cache, row, b->sector,
                b->commit.of[stage] ? b->commit.of[stage] : b->disk);
        if (err != FAT_OK) {
            return err;
        }
    }
    return row_flush(cache, row);
}

fat_err fat_cache_write_stage(
        struct fat_cache *cache, enum fat_stage stage, bool *ret_wrote)
{
    struct row row = {.proves = true};
    bool wrote_copies;
    fat_err err;

    if (!anything_in(cache, stage)) {
        *ret_wrote = false;
        return FAT_OK;
    }
    /* The copies first: they must not get what this very epoch writes. */
    err = fat_cache_write_copies(cache, &wrote_copies);
    if (err != FAT_OK) {
        return err;
    }
    cache->commit_list = sort_list(cache->commit_list, LIST_COMMIT);
    err = write_images(cache, stage, &row);
    if (err != FAT_OK) {
        return err;
    }
    fat_mutex_lock(&cache->lock);
    for (struct fat_block *b = cache->commit_list; b; b = b->commit_next) {
        if (is_written_in(b, stage)) {
            promote(cache, b, stage);
        }
    }
    prune_commit_list(cache);
    fat_mutex_unlock(&cache->lock);
    *ret_wrote = true;
    return FAT_OK;
}

static void merge_into_all(struct fat_block *block, size_t offset, const uint8_t *bytes,
        const uint8_t *mask, size_t length)
{
    fat_image_merge(block->disk, offset, bytes, mask, length);
    for (int i = 0; i < FAT_STAGE_COUNT; i++) {
        if (block->commit.of[i]) {
            fat_image_merge(block->commit.of[i], offset, bytes, mask, length);
        }
        if (block->open.of[i]) {
            fat_image_merge(block->open.of[i], offset, bytes, mask, length);
        }
    }
}

fat_err fat_cache_reclaim(struct fat_cache *cache, struct fat_block *block,
        size_t offset, const struct fat_bits *bits)
{
    const fat_err err =
            block->reclaimed ? FAT_OK : fat_cache_prove(cache, block->sector);

    assert(offset + bits->length <= cache->sector_bytes);
    if (err != FAT_OK) {
        return err;
    }
    fat_mutex_lock(&cache->lock);
    assert(!block->copies_due);
    merge_into_all(block, offset, bits->bytes, bits->mask, bits->length);
    fat_block_enter_commit(cache, block);
    if (!block->reclaimed) {
        block->reclaimed = true;
        cache->reclaim_waiting++;
    }
    fat_mutex_unlock(&cache->lock);
    return FAT_OK;
}

size_t fat_cache_reclaim_waiting(struct fat_cache *cache)
{
    size_t waiting;

    fat_mutex_lock(&cache->lock);
    waiting = cache->reclaim_waiting;
    fat_mutex_unlock(&cache->lock);
    return waiting;
}

fat_err fat_cache_write_now(struct fat_cache *cache, uint64_t sector, size_t offset,
        const uint8_t *bytes, const uint8_t *mask, size_t length)
{
    const uint32_t copies = has_copies(cache, sector) ? cache->copies.count : 1;
    struct fat_block *block;
    fat_err err = fat_cache_get(cache, sector, 0, &block);

    if (err != FAT_OK) {
        return err;
    }
    fat_mutex_lock(&cache->lock);
    merge_into_all(block, offset, bytes, mask, length);
    memcpy(cache->transfer, block->disk, cache->sector_bytes);
    fat_mutex_unlock(&cache->lock);
    err = write_sectors(cache, sector, 1);
    for (uint32_t i = 0; i < copies && err == FAT_OK; i++) {
        if (copies > 1 && i != cache->copies.original) {
            err = write_sectors(cache, copy_sector(cache, sector, i), 1);
        }
    }
    fat_cache_put(cache, block);
    return err;
}
