/* SPDX-License-Identifier: MIT */
/*
 * Whether the disk still holds what the cache believes: another program may write to a
 * volume that is mounted, lock or no lock.
 */
#include <string.h>

#include "block/block.h"
#include "block/stage.h"

static bool differs(struct fat_cache *cache, uint64_t sector, const uint8_t *bytes)
        FAT_REQUIRES(cache->lock)
{
    const struct fat_block *block = fat_block_find(cache, sector);

    /* What fat_cache_reclaim() has changed was looked at then. */
    return block && block->state == FAT_BLOCK_READY && !block->reclaimed &&
           memcmp(block->disk, bytes, cache->sector_bytes) != 0;
}

fat_err fat_blocks_prove(struct fat_cache *cache, uint64_t sector, size_t count)
{
    const size_t bytes = cache->sector_bytes;
    fat_err err = cache->dev->ops->read(
            cache->dev, sector * bytes, cache->proof, count * bytes);

    if (err != FAT_OK) {
        if (cache->unseen == FAT_OK) {
            cache->unseen = err;
            cache->unseen_sector = sector;
        }
        return FAT_OK; /* that it can't be read proves nothing of the kind */
    }
    fat_mutex_lock(&cache->lock);
    for (size_t i = 0; i < count && err == FAT_OK; i++) {
        if (differs(cache, sector + i, cache->proof + i * bytes)) {
            cache->changed = sector + i;
            err = FAT_E_CHANGED;
        }
    }
    fat_mutex_unlock(&cache->lock);
    return err;
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
