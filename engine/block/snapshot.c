/* SPDX-License-Identifier: MIT */
/* The open interval becomes a commit: which stages go together, what is idle. */
#include <assert.h>
#include <string.h>

#include "block/block.h"
#include "block/stage.h"

/* Stage @from goes along with stage @to: its image takes the other's place. */
static void move_image(struct fat_cache *cache, struct fat_images *images,
        enum fat_stage from, enum fat_stage to) FAT_REQUIRES(cache->lock)
{
    fat_image_drop(cache, &images->of[to]);
    images->of[to] = images->of[from];
    images->of[from] = NULL;
}

/*
 * LINK goes with FILL where every entry claimed for its chains lies in this sector;
 * CUT goes with RECLAIM where everything it frees does. The sector is written whole
 * or not at all, so nothing can be seen in between.
 */
static void merge_stages(struct fat_cache *cache, struct fat_block *block)
        FAT_REQUIRES(cache->lock)
{
    struct fat_images *images = &block->commit;

    if (images->of[FAT_STAGE_LINK] && !block->link_strays) {
        move_image(cache, images, FAT_STAGE_LINK, FAT_STAGE_FILL);
    }
    if (images->of[FAT_STAGE_CUT] && !block->cut_strays) {
        if (images->of[FAT_STAGE_RECLAIM]) {
            fat_image_drop(cache, &images->of[FAT_STAGE_CUT]);
        } else {
            move_image(cache, images, FAT_STAGE_CUT, FAT_STAGE_RECLAIM);
        }
    }
}

void fat_cache_merge_into(struct fat_cache *cache, uint64_t sector,
        enum fat_stage stage, size_t offset, const uint8_t *bytes, size_t length)
{
    struct fat_block *block;

    fat_mutex_lock(&cache->lock);
    block = fat_block_find(cache, sector);
    if (block && block->open.of[stage]) {
        fat_image_merge(block->open.of[stage], offset, bytes, NULL, length);
    }
    fat_mutex_unlock(&cache->lock);
}

/* An image that changes nothing costs a write and a flush: leave it out. */
static bool drop_idle_images(struct fat_cache *cache, struct fat_block *block)
        FAT_REQUIRES(cache->lock)
{
    const uint8_t *before = block->disk;
    bool any = false;

    for (int i = 0; i < FAT_STAGE_COUNT; i++) {
        uint8_t **image = &block->commit.of[i];

        if (!*image) {
            continue;
        }
        if (memcmp(*image, before, cache->sector_bytes) == 0) {
            fat_image_drop(cache, image);
        } else {
            before = *image;
            any = true;
        }
    }
    return any;
}

/* Returns whether the block has something to write. */
static bool snapshot_block(struct fat_cache *cache, struct fat_block *block)
        FAT_REQUIRES(cache->lock)
{
    bool any;

    block->in_open = false;
    block->commit = block->open;
    block->open = (struct fat_images){{NULL}};
    merge_stages(cache, block);
    block->link_strays = block->cut_strays = false;
    any = drop_idle_images(cache, block);
    if (any) {
        fat_block_enter_commit(cache, block);
    } else {
        block->pins++; /* nobody but us may hold it: let it go the usual way */
        fat_block_unpin(cache, block);
    }
    return any;
}

bool fat_cache_snapshot(struct fat_cache *cache)
{
    bool any = false;

    fat_mutex_lock(&cache->lock);
    assert(!cache->commit_list);
    while (cache->open_list) {
        struct fat_block *block = cache->open_list;

        cache->open_list = block->open_next;
        any |= snapshot_block(cache, block);
    }
    fat_mutex_unlock(&cache->lock);
    return any;
}
