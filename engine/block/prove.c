/* SPDX-License-Identifier: MIT */
/*
 * Whether the disk still holds what the cache believes: another program may write to a
 * volume that is mounted, lock or no lock.
 */
#include <string.h>

#include "block/block.h"
#include "block/stage.h"

/* Sectors of one row: two pages of 4096 bytes, which often fail as a whole. */
enum { UNREAD_MAX = 16 };

static fat_err compare_one(struct fat_cache *cache, uint64_t sector,
        const uint8_t *bytes) FAT_REQUIRES(cache->lock)
{
    const struct fat_block *block = fat_block_find(cache, sector);

    /* What fat_cache_reclaim() has changed was looked at then. */
    if (!block || block->state != FAT_BLOCK_READY || block->reclaimed ||
            memcmp(block->disk, bytes, cache->sector_bytes) == 0) {
        return FAT_OK;
    }
    cache->changed = sector;
    return block->shared ? FAT_E_CORRUPT : FAT_E_CHANGED;
}

/* Compare what was read of @count sectors into cache->proof. */
static fat_err compare(struct fat_cache *cache, uint64_t sector, size_t count)
{
    fat_err err = FAT_OK;

    fat_mutex_lock(&cache->lock);
    for (size_t i = 0; i < count && err == FAT_OK; i++) {
        err = compare_one(cache, sector + i, cache->proof + i * cache->sector_bytes);
    }
    fat_mutex_unlock(&cache->lock);
    return err;
}

void fat_cache_note_data(struct fat_cache *cache, uint64_t sector, uint64_t count)
{
    fat_mutex_lock(&cache->lock);
    for (uint64_t i = 0; i < count; i++) {
        struct fat_block *block = fat_block_find(cache, sector + i);

        if (block) {
            block->shared = true;
        }
    }
    fat_mutex_unlock(&cache->lock);
}

static fat_err look(struct fat_cache *cache, uint64_t sector, size_t count)
{
    return cache->dev->ops->read(cache->dev, sector * cache->sector_bytes, cache->proof,
            count * cache->sector_bytes);
}

static void note_unseen(struct fat_cache *cache, uint64_t sector, fat_err err)
{
    if (cache->unseen == FAT_OK) {
        cache->unseen = err;
        cache->unseen_sector = sector;
    }
}

/*
 * Of a row that can't be read at once, only the sectors that can't be read alone stay
 * unproven, and no more is asked of a medium where there are many of them: each may
 * take seconds. That a sector can't be read proves nothing.
 */
static fat_err prove_each(struct fat_cache *cache, uint64_t sector, size_t count)
{
    unsigned unread = 0;
    fat_err err = FAT_OK;

    for (size_t i = 0; i < count && err == FAT_OK && unread < UNREAD_MAX; i++) {
        const fat_err seen = look(cache, sector + i, 1);

        if (seen == FAT_OK) {
            err = compare(cache, sector + i, 1);
        } else {
            note_unseen(cache, sector + i, seen);
            unread++;
        }
    }
    return err;
}

fat_err fat_blocks_prove(struct fat_cache *cache, uint64_t sector, size_t count)
{
    const fat_err err = look(cache, sector, count);

    if (err == FAT_OK) {
        return compare(cache, sector, count);
    }
    if (count > 1) {
        return prove_each(cache, sector, count);
    }
    note_unseen(cache, sector, err);
    return FAT_OK;
}

fat_err fat_cache_prove(struct fat_cache *cache, uint64_t sector)
{
    return fat_blocks_prove(cache, sector, 1);
}

uint64_t fat_cache_changed_sector(const struct fat_cache *cache)
{
    return cache->changed;
}

fat_err fat_cache_unseen(const struct fat_cache *cache, uint64_t *ret_sector)
{
    if (cache->unseen != FAT_OK) {
        *ret_sector = cache->unseen_sector;
    }
    return cache->unseen;
}
