/* SPDX-License-Identifier: MIT */
/*
 * Finding, reading, pinning and evicting blocks. Their images are image.c's and
 * epoch.c's.
 */
#include "block/cache.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "block/block.h"

enum { BLOCKS_MIN = 64, AHEAD_MAX = 128 };

static size_t bucket(const struct fat_cache *cache, uint64_t sector)
{
    return (size_t)((sector * UINT64_C(0x9e3779b97f4a7c15)) >> 32) & cache->table_mask;
}

/* A power of two, about one bucket per block of the budget. */
static size_t table_size(size_t blocks)
{
    size_t size = 64;

    while (size < blocks && size < (size_t)1 << 20) {
        size <<= 1;
    }
    return size;
}

fat_err fat_cache_new(struct fat_blkdev *dev, uint32_t sector_bytes,
        size_t budget_bytes, struct fat_cache **ret)
{
    struct fat_cache *cache = calloc(1, sizeof(*cache));
    const size_t buckets = table_size(budget_bytes / sector_bytes);

    if (!cache) {
        return FAT_E_NOMEM;
    }
    cache->table = calloc(buckets, sizeof(struct fat_block *));
    cache->transfer = malloc(FAT_CACHE_TRANSFER);
    cache->proof = malloc(FAT_CACHE_TRANSFER);
    if (!cache->table || !cache->transfer || !cache->proof) {
        free(cache->table);
        free(cache->transfer);
        free(cache->proof);
        free(cache);
        return FAT_E_NOMEM;
    }
    cache->dev = dev;
    cache->sector_bytes = sector_bytes;
    cache->budget_bytes = budget_bytes;
    cache->copies.count = 1;
    cache->table_mask = buckets - 1;
    fat_mutex_init(&cache->lock, FAT_LOCK_CACHE);
    pthread_cond_init(&cache->loaded, NULL);
    *ret = cache;
    return FAT_OK;
}

static void free_images(struct fat_images *images)
{
    for (int i = 0; i < FAT_STAGE_COUNT; i++) {
        free(images->of[i]);
    }
}

static void free_block(struct fat_block *block)
{
    free_images(&block->open);
    free_images(&block->commit);
    free(block);
}

/* Forgotten blocks that were still edited or being written are in no bucket. */
static void free_forgotten(struct fat_cache *cache)
{
    struct fat_block *next;

    for (struct fat_block *block = cache->commit_list; block; block = next) {
        next = block->commit_next;
        if (block->state == FAT_BLOCK_FORGOTTEN && !block->in_open) {
            free_block(block);
        }
    }
    for (struct fat_block *block = cache->open_list; block; block = next) {
        next = block->open_next;
        if (block->state == FAT_BLOCK_FORGOTTEN) {
            free_block(block);
        }
    }
}

void fat_cache_free(struct fat_cache *cache)
{
    if (!cache) {
        return;
    }
    free_forgotten(cache);
    for (size_t i = 0; i <= cache->table_mask; i++) {
        struct fat_block *block = cache->table[i];

        while (block) {
            struct fat_block *next = block->hash_next;

            assert(block->pins == 0 || block->copies_due);
            free_block(block);
            block = next;
        }
    }
    pthread_cond_destroy(&cache->loaded);
    fat_mutex_done(&cache->lock);
    free(cache->transfer);
    free(cache->proof);
    free(cache->table);
    free(cache);
}

void fat_cache_set_copies(
        struct fat_cache *cache, const struct fat_cache_copies *copies)
{
    assert(copies->original < copies->count);
    cache->copies = *copies;
}

uint32_t fat_cache_sector_bytes(const struct fat_cache *cache)
{
    return cache->sector_bytes;
}

struct fat_block *fat_block_find(struct fat_cache *cache, uint64_t sector)
{
    struct fat_block *block = cache->table[bucket(cache, sector)];

    while (block && block->sector != sector) {
        block = block->hash_next;
    }
    return block;
}

static void unhash(struct fat_cache *cache, struct fat_block *block)
        FAT_REQUIRES(cache->lock)
{
    struct fat_block **link = &cache->table[bucket(cache, block->sector)];

    while (*link != block) {
        link = &(*link)->hash_next;
    }
    *link = block->hash_next;
    cache->block_count--;
}

static void evictable_remove(struct fat_cache *cache, struct fat_block *block)
        FAT_REQUIRES(cache->lock)
{
    if (!block->evictable) {
        return;
    }
    if (block->older) {
        block->older->newer = block->newer;
    } else {
        cache->oldest = block->newer;
    }
    if (block->newer) {
        block->newer->older = block->older;
    } else {
        cache->newest = block->older;
    }
    block->evictable = false;
}

static void evictable_add(struct fat_cache *cache, struct fat_block *block)
        FAT_REQUIRES(cache->lock)
{
    block->older = cache->newest;
    block->newer = NULL;
    if (cache->newest) {
        cache->newest->newer = block;
    } else {
        cache->oldest = block;
    }
    cache->newest = block;
    block->evictable = true;
}

static bool over_budget(const struct fat_cache *cache)
{
    const size_t used =
            cache->block_count * (sizeof(struct fat_block) + cache->sector_bytes) +
            cache->image_bytes;

    return cache->block_count > BLOCKS_MIN && used > cache->budget_bytes;
}

static void evict(struct fat_cache *cache) FAT_REQUIRES(cache->lock)
{
    while (over_budget(cache) && cache->oldest) {
        struct fat_block *block = cache->oldest;

        evictable_remove(cache, block);
        unhash(cache, block);
        free_block(block);
    }
}

void fat_block_unpin(struct fat_cache *cache, struct fat_block *block)
{
    assert(block->pins > 0);
    block->pins--;
    if (block->pins > 0 || block->in_open || block->in_commit) {
        return;
    }
    if (block->state == FAT_BLOCK_FORGOTTEN) {
        free_block(block);
        return;
    }
    evictable_add(cache, block);
    evict(cache);
}

/* Insert a block to be read, pinned once. NULL: no memory. */
static struct fat_block *insert(struct fat_cache *cache, uint64_t sector)
        FAT_REQUIRES(cache->lock)
{
    struct fat_block *block = calloc(1, sizeof(*block) + cache->sector_bytes);
    struct fat_block **head = &cache->table[bucket(cache, sector)];

    if (!block) {
        return NULL;
    }
    block->sector = sector;
    block->state = FAT_BLOCK_LOADING;
    block->pins = 1;
    block->hash_next = *head;
    *head = block;
    cache->block_count++;
    return block;
}

/* The blocks to be read in one call: @sector and those behind it that are absent. */
struct load {
    struct fat_block *blocks[AHEAD_MAX + 1];
    size_t count;
};

static void load_begin(struct fat_cache *cache, uint64_t sector, uint32_t ahead,
        struct load *load) FAT_REQUIRES(cache->lock)
{
    const uint64_t sectors = cache->dev->size_bytes / cache->sector_bytes;

    load->count = 0;
    do {
        struct fat_block *block = insert(cache, sector + load->count);

        if (!block) {
            return;
        }
        load->blocks[load->count++] = block;
    } while (load->count <= ahead && load->count <= AHEAD_MAX &&
             sector + load->count < sectors &&
             !fat_block_find(cache, sector + load->count));
}

/*
 * Read the blocks of @load. Where reading them all at once fails, or has no memory,
 * the first alone is tried: what comes ahead must not fail what was asked for.
 *
 * @ret_good   how many of them, from the first, hold what is on disk
 */
static fat_err load_read(struct fat_cache *cache, struct load *load, size_t *ret_good)
{
    const size_t sector_bytes = cache->sector_bytes;
    const uint64_t offset = load->blocks[0]->sector * sector_bytes;
    const size_t length = load->count * sector_bytes;
    uint8_t *buffer = load->count > 1 ? malloc(length) : NULL;
    fat_err err = FAT_E_NOMEM;

    if (buffer) {
        err = cache->dev->ops->read(cache->dev, offset, buffer, length);
    }
    if (err == FAT_OK) {
        for (size_t i = 0; i < load->count; i++) {
            memcpy(load->blocks[i]->disk, buffer + i * sector_bytes, sector_bytes);
        }
        *ret_good = load->count;
    } else {
        err = cache->dev->ops->read(
                cache->dev, offset, load->blocks[0]->disk, sector_bytes);
        *ret_good = err == FAT_OK ? 1 : 0;
    }
    free(buffer);
    return err;
}

static void drop_loading(struct fat_cache *cache, struct fat_block *block)
        FAT_REQUIRES(cache->lock)
{
    unhash(cache, block);
    block->state = FAT_BLOCK_FORGOTTEN;
    fat_block_unpin(cache, block);
}

static void load_end(struct fat_cache *cache, struct load *load, size_t good)
        FAT_REQUIRES(cache->lock)
{
    for (size_t i = 0; i < load->count; i++) {
        if (i >= good) {
            drop_loading(cache, load->blocks[i]);
            continue;
        }
        load->blocks[i]->state = FAT_BLOCK_READY;
        if (i > 0) {
            fat_block_unpin(cache, load->blocks[i]);
        }
    }
    pthread_cond_broadcast(&cache->loaded);
}

static fat_err load(struct fat_cache *cache, uint64_t sector, uint32_t ahead,
        struct fat_block **ret) FAT_REQUIRES(cache->lock)
{
    struct load load;
    size_t good = 0;
    fat_err err;

    load_begin(cache, sector, ahead, &load);
    if (load.count == 0) {
        return FAT_E_NOMEM;
    }
    fat_mutex_unlock(&cache->lock);
    err = load_read(cache, &load, &good);
    fat_mutex_lock(&cache->lock);
    if (err == FAT_OK) {
        *ret = load.blocks[0];
    }
    load_end(cache, &load, good);
    return err;
}

static fat_err get_locked(struct fat_cache *cache, uint64_t sector, uint32_t ahead,
        struct fat_block **ret) FAT_REQUIRES(cache->lock)
{
    struct fat_block *block;

    for (;;) {
        block = fat_block_find(cache, sector);
        if (!block) {
            return load(cache, sector, ahead, ret);
        }
        if (block->state == FAT_BLOCK_READY) {
            break;
        }
        fat_mutex_wait(&cache->lock, &cache->loaded);
    }
    evictable_remove(cache, block);
    block->pins++;
    *ret = block;
    return FAT_OK;
}

fat_err fat_cache_get(struct fat_cache *cache, uint64_t sector, uint32_t ahead,
        struct fat_block **ret)
{
    fat_err err;

    if (sector >= cache->dev->size_bytes / cache->sector_bytes) {
        return FAT_E_IO; /* the volume is larger than its device */
    }
    fat_mutex_lock(&cache->lock);
    err = get_locked(cache, sector, ahead, ret);
    fat_mutex_unlock(&cache->lock);
    return err;
}

void fat_cache_put(struct fat_cache *cache, struct fat_block *block)
{
    fat_mutex_lock(&cache->lock);
    fat_block_unpin(cache, block);
    fat_mutex_unlock(&cache->lock);
}

void fat_cache_copy(struct fat_cache *cache, struct fat_block *block, size_t offset,
        void *bytes, size_t length)
{
    assert(offset + length <= cache->sector_bytes);
    fat_mutex_lock(&cache->lock);
    memcpy(bytes, fat_block_newest(block) + offset, length);
    fat_mutex_unlock(&cache->lock);
}

fat_err fat_cache_read(struct fat_cache *cache, uint64_t sector, uint64_t offset,
        void *bytes, size_t length, uint32_t ahead)
{
    uint8_t *to = bytes;

    while (length > 0) {
        const uint64_t at = sector + offset / cache->sector_bytes;
        const size_t within = (size_t)(offset % cache->sector_bytes);
        const size_t room = cache->sector_bytes - within;
        const size_t part = length < room ? length : room;
        struct fat_block *block;
        fat_err err = fat_cache_get(cache, at, ahead, &block);

        if (err != FAT_OK) {
            return err;
        }
        fat_cache_copy(cache, block, within, to, part);
        fat_cache_put(cache, block);
        to += part;
        offset += part;
        length -= part;
    }
    return FAT_OK;
}

static void forget_open_images(struct fat_cache *cache, struct fat_block *block)
        FAT_REQUIRES(cache->lock)
{
    for (int i = 0; i < FAT_STAGE_COUNT; i++) {
        if (block->open.of[i]) {
            cache->image_bytes -= cache->sector_bytes;
            free(block->open.of[i]);
            block->open.of[i] = NULL;
        }
    }
}

void fat_cache_forget(struct fat_cache *cache, uint64_t sector, uint64_t count)
{
    fat_mutex_lock(&cache->lock);
    for (uint64_t i = 0; i < count; i++) {
        struct fat_block *block = fat_block_find(cache, sector + i);

        if (!block || block->state != FAT_BLOCK_READY) {
            continue;
        }
        forget_open_images(cache, block);
        evictable_remove(cache, block);
        unhash(cache, block);
        block->state = FAT_BLOCK_FORGOTTEN;
        block->pins++;
        fat_block_unpin(cache, block);
    }
    fat_mutex_unlock(&cache->lock);
}

bool fat_cache_is_heavy(struct fat_cache *cache)
{
    bool heavy;

    fat_mutex_lock(&cache->lock);
    heavy = cache->image_bytes > cache->budget_bytes / 2;
    fat_mutex_unlock(&cache->lock);
    return heavy;
}
