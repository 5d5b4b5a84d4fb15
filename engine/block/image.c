/* SPDX-License-Identifier: MIT */
/* Images of blocks, and the edits that make them. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "block/block.h"
#include "block/stage.h"

uint8_t *fat_images_at(const struct fat_images *images, int stage)
{
    while (stage >= 0 && !images->of[stage]) {
        stage--;
    }
    return stage >= 0 ? images->of[stage] : NULL;
}

/* What the disk will hold when the commit under way is done. */
static const uint8_t *below_open(const struct fat_block *block)
{
    const uint8_t *image = fat_images_at(&block->commit, FAT_STAGE_COUNT - 1);

    return image ? image : block->disk;
}

const uint8_t *fat_block_newest(const struct fat_block *block)
{
    const uint8_t *image = fat_images_at(&block->open, FAT_STAGE_COUNT - 1);

    return image ? image : below_open(block);
}

void fat_image_merge(uint8_t *image, size_t offset, const uint8_t *bytes,
        const uint8_t *mask, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        const uint8_t m = mask ? mask[i] : 0xff;

        image[offset + i] = (uint8_t)((image[offset + i] & ~m) | (bytes[i] & m));
    }
}

void fat_edits_init(struct fat_edits *edits, struct fat_cache *cache)
{
    *edits = (struct fat_edits){.cache = cache};
}

static void free_spares(struct fat_spare *spare)
{
    while (spare) {
        struct fat_spare *next = spare->next;

        free(spare);
        spare = next;
    }
}

void fat_edits_done(struct fat_edits *edits)
{
    for (size_t i = 0; i < edits->pin_count; i++) {
        fat_cache_put(edits->cache, edits->pins[i]);
    }
    free(edits->pins);
    free_spares(edits->spares);
    *edits = (struct fat_edits){.cache = edits->cache};
}

static fat_err reserve_pin(struct fat_edits *edits)
{
    const size_t capacity = edits->pin_capacity ? edits->pin_capacity * 2 : 8;
    struct fat_block **pins;

    if (edits->pin_count < edits->pin_capacity) {
        return FAT_OK;
    }
    pins = realloc(edits->pins, capacity * sizeof(struct fat_block *));
    if (!pins) {
        return FAT_E_NOMEM;
    }
    edits->pins = pins;
    edits->pin_capacity = capacity;
    return FAT_OK;
}

static fat_err reserve_spare(struct fat_edits *edits)
{
    struct fat_spare *spare = malloc(edits->cache->sector_bytes);

    if (!spare) {
        return FAT_E_NOMEM;
    }
    spare->next = edits->spares;
    edits->spares = spare;
    return FAT_OK;
}

fat_err fat_edits_prepare(struct fat_edits *edits, uint64_t sector, unsigned stages)
{
    fat_err err = reserve_pin(edits);

    for (unsigned i = 0; err == FAT_OK && i < stages; i++) {
        err = reserve_spare(edits);
    }
    if (err != FAT_OK) {
        return err;
    }
    err = fat_cache_get(edits->cache, sector, 0, &edits->pins[edits->pin_count]);
    if (err == FAT_OK) {
        edits->pin_count++;
    }
    return err;
}

/* The image of @stage in the open interval, made from the one before if need be. */
static void need_open_image(struct fat_cache *cache, struct fat_edits *edits,
        struct fat_block *block, int stage) FAT_REQUIRES(cache->lock)
{
    struct fat_spare *spare = edits->spares;
    const uint8_t *from = fat_images_at(&block->open, stage);

    if (block->open.of[stage]) {
        return;
    }
    assert(spare);
    edits->spares = spare->next;
    block->open.of[stage] = (uint8_t *)spare;
    memcpy(block->open.of[stage], from ? from : below_open(block), cache->sector_bytes);
    cache->image_bytes += cache->sector_bytes;
    if (!block->in_open) {
        block->in_open = true;
        block->open_next = cache->open_list;
        cache->open_list = block;
    }
}

void fat_edits_set(struct fat_edits *edits, uint64_t sector, enum fat_stage stage,
        size_t offset, const void *bytes, size_t length)
{
    const struct fat_bits bits = {.bytes = bytes, .length = length};

    fat_edits_merge(edits, sector, stage, offset, &bits);
}

void fat_edits_merge(struct fat_edits *edits, uint64_t sector, enum fat_stage stage,
        size_t offset, const struct fat_bits *bits)
{
    struct fat_cache *cache = edits->cache;
    struct fat_block *block;

    assert(offset + bits->length <= cache->sector_bytes);
    fat_mutex_lock(&cache->lock);
    block = fat_block_find(cache, sector);
    assert(block && block->pins > 0);
    need_open_image(cache, edits, block, (int)stage);
    for (int i = (int)stage; i < FAT_STAGE_COUNT; i++) {
        if (block->open.of[i]) {
            fat_image_merge(
                    block->open.of[i], offset, bits->bytes, bits->mask, bits->length);
        }
    }
    fat_mutex_unlock(&cache->lock);
}

void fat_edits_get(struct fat_edits *edits, uint64_t sector, size_t offset, void *bytes,
        size_t length)
{
    struct fat_cache *cache = edits->cache;
    struct fat_block *block;

    fat_mutex_lock(&cache->lock);
    block = fat_block_find(cache, sector);
    assert(block && block->pins > 0 && offset + length <= cache->sector_bytes);
    memcpy(bytes, fat_block_newest(block) + offset, length);
    fat_mutex_unlock(&cache->lock);
}

static void visit_images(
        const struct fat_images *images, fat_image_fn *visit, void *context)
{
    for (int i = 0; i < FAT_STAGE_COUNT; i++) {
        if (images->of[i]) {
            visit(context, images->of[i]);
        }
    }
}

void fat_cache_each_image(struct fat_cache *cache, struct fat_block *block,
        fat_image_fn *visit, void *context)
{
    fat_mutex_lock(&cache->lock);
    visit(context, block->disk);
    visit_images(&block->commit, visit, context);
    visit_images(&block->open, visit, context);
    fat_mutex_unlock(&cache->lock);
}

void fat_cache_link_strays(struct fat_cache *cache, uint64_t sector)
{
    struct fat_block *block;

    fat_mutex_lock(&cache->lock);
    block = fat_block_find(cache, sector);
    if (block && block->in_open) {
        block->link_strays = true;
    }
    fat_mutex_unlock(&cache->lock);
}

void fat_cache_cut_strays(struct fat_cache *cache, uint64_t sector)
{
    struct fat_block *block;

    fat_mutex_lock(&cache->lock);
    block = fat_block_find(cache, sector);
    if (block && block->in_open) {
        block->cut_strays = true;
    }
    fat_mutex_unlock(&cache->lock);
}
