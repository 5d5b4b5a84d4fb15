/* SPDX-License-Identifier: MIT */
/*
 * The inside of a block and of the cache, shared by cache.c, image.c,
 * snapshot.c and epoch.c and by nobody else.
 */
#ifndef FAT_BLOCK_BLOCK_H
#define FAT_BLOCK_BLOCK_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <fatward/blkdev.h>

#include "base/lock.h"
#include "block/types.h"

/* Images by stage; NULL where the stage changes nothing against the one before. */
struct fat_images {
    uint8_t *of[FAT_STAGE_COUNT];
};

/* A memory area of one sector, while nobody uses it. */
struct fat_spare {
    struct fat_spare *next;
};

enum fat_block_state { FAT_BLOCK_LOADING, FAT_BLOCK_READY, FAT_BLOCK_FORGOTTEN };

struct fat_cache;

/* Every field is guarded by the cache's lock, but for @sector, which never changes. */
struct fat_block {
    uint64_t sector;
    struct fat_block *hash_next;
    struct fat_block *older, *newer; /* in the list of what may be evicted          */
    struct fat_block *open_next;     /* in the list of blocks with open images      */
    struct fat_block *commit_next;   /* in the list of the commit under way         */
    struct fat_block *copy_next;     /* in the list of blocks whose copies are due  */
    uint32_t pins;
    enum fat_block_state state;
    bool evictable; /* is in the list                                            */
    bool in_open, in_commit, copies_due;
    bool reclaimed; /* changed by fat_cache_reclaim() since it was last written  */
    bool link_strays, cut_strays;
    bool shared; /* a file has written its data there: see fat_cache_note_data() */
    struct fat_images open;   /* of the open interval                               */
    struct fat_images commit; /* of the commit under way                            */
    uint8_t disk[];           /* what is on disk                                    */
};

struct fat_cache {
    struct fat_blkdev *dev;
    uint32_t sector_bytes;
    size_t budget_bytes;
    struct fat_cache_copies copies;

    struct fat_mutex lock;
    pthread_cond_t loaded; /* some block has left LOADING */

    /* guarded by lock */
    struct fat_block **table;
    size_t table_mask;
    size_t block_count;
    size_t image_bytes;
    size_t reclaim_waiting;
    struct fat_block *oldest, *newest;
    struct fat_block *open_list;
    struct fat_block *commit_list;
    struct fat_block *copy_list;

    /* used by the commit alone, which is one at a time */
    uint8_t *transfer; /* FAT_CACHE_TRANSFER bytes                              */
    uint8_t *proof;    /* FAT_CACHE_TRANSFER bytes: what the disk says          */
    uint64_t changed;  /* the sector that did not hold what its block says      */
    fat_err unseen;    /* why the first look failed that did, and where         */
    uint64_t unseen_sector;
};

enum { FAT_CACHE_TRANSFER = 256 * 1024 };

struct fat_block *fat_block_find(struct fat_cache *cache, uint64_t sector)
        FAT_REQUIRES(cache->lock);

/* Drop one pin; a block that nobody needs becomes evictable or is freed. */
void fat_block_unpin(struct fat_cache *cache, struct fat_block *block)
        FAT_REQUIRES(cache->lock);

/* What readers see. */
const uint8_t *fat_block_newest(const struct fat_block *block);

/* The newest of @images at or before @stage, NULL if none. */
uint8_t *fat_images_at(const struct fat_images *images, int stage);

/* Free *@image, if there is one, and forget it. */
void fat_image_drop(struct fat_cache *cache, uint8_t **image) FAT_REQUIRES(cache->lock);

/* @block has something to write: it joins the list of the commit under way. */
void fat_block_enter_commit(struct fat_cache *cache, struct fat_block *block)
        FAT_REQUIRES(cache->lock);

/*
 * Does the disk hold what the blocks of @count sectors from @sector on, those that are
 * cached, say that it holds? Nobody else changes them while a commit runs.
 *
 * FAT_E_CHANGED   no: another program has written there
 * FAT_E_CORRUPT   no: a file of ours has, which shares the cluster
 */
FAT_MUST_CHECK fat_err fat_blocks_prove(
        struct fat_cache *cache, uint64_t sector, size_t count);

/* Change @image where @mask (NULL: everywhere) says so. */
void fat_image_merge(uint8_t *image, size_t offset, const uint8_t *bytes,
        const uint8_t *mask, size_t length);

#endif
