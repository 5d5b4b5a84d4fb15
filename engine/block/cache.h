/* SPDX-License-Identifier: MIT */
/*
 * The metadata of a volume in memory, one block per logical sector: the FAT, the
 * directories, FSInfo and the boot sector. File contents never pass through here.
 *
 * A block holds what is on disk and, where it was changed, images of what it is to
 * hold after each stage of a commit (block/stage.h). Readers see the newest image.
 *
 * Threads: every call may come from any thread. Memory: clean blocks stay within
 * the budget, least recently used ones go first; blocks with images and pinned
 * blocks stay whatever the budget says, see fat_cache_is_heavy().
 */
#ifndef FAT_BLOCK_CACHE_H
#define FAT_BLOCK_CACHE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <fatward/blkdev.h>
#include <fatward/error.h>

#include "base/scope.h"
#include "block/types.h"

struct fat_cache;
struct fat_block;

/*
 * @sector_bytes   logical sector of the volume, 512 .. 4096            [bytes]
 * @budget_bytes   at least 64 blocks are kept whatever it says         [bytes]
 *
 * FAT_E_NOMEM
 */
FAT_MUST_CHECK fat_err fat_cache_new(struct fat_blkdev *dev, uint32_t sector_bytes,
        size_t budget_bytes, struct fat_cache **ret);

/* Nothing may be pinned. Images that were not written are lost. */
void fat_cache_free(struct fat_cache *cache);
FAT_DEFINE_CLEANUP(struct fat_cache, fat_cache_free);

/* Once, before the first change. Of copies nothing is ever read through the cache. */
void fat_cache_set_copies(
        struct fat_cache *cache, const struct fat_cache_copies *copies);

uint32_t fat_cache_sector_bytes(const struct fat_cache *cache);

/*
 * Pin the block of @sector, reading it if it is not there.
 *
 * @ahead   how many sectors behind it will be wanted soon          [sectors]
 * @ret     release with fat_cache_put()
 *
 * FAT_E_IO and the device's other errors: nothing is remembered of a failed read;
 * FAT_E_NOMEM
 */
FAT_MUST_CHECK fat_err fat_cache_get(struct fat_cache *cache, uint64_t sector,
        uint32_t ahead, struct fat_block **ret);
void fat_cache_put(struct fat_cache *cache, struct fat_block *block);

/* Copy bytes of the newest image. @offset + @length stay inside the sector. */
void fat_cache_copy(struct fat_cache *cache, struct fat_block *block, size_t offset,
        void *bytes, size_t length);

/*
 * fat_cache_get(), copy, put; a read that crosses into the next sector is fine.
 *
 * @offset   from the first byte of @sector; may be beyond it        [bytes]
 */
FAT_MUST_CHECK fat_err fat_cache_read(struct fat_cache *cache, uint64_t sector,
        uint64_t offset, void *bytes, size_t length, uint32_t ahead);

/* Called with one image of a block, whole; must be short and call nothing. */
typedef void fat_image_fn(void *context, const uint8_t *image);

/* Every image of @block: on disk, in the commit under way, in the open interval. */
void fat_cache_each_image(struct fat_cache *cache, struct fat_block *block,
        fat_image_fn *visit, void *context);

/*
 * Forget the blocks of freed directory clusters: their images of the open interval
 * are dropped, those of a commit under way are still written.
 */
void fat_cache_forget(struct fat_cache *cache, uint64_t sector, uint64_t count);

/*
 * A file's data are about to be written to @count sectors from @sector on, past the
 * cache. A block there is of a directory that shares the file's clusters; a commit that
 * finds it changed then says so, and accuses no other program.
 */
void fat_cache_note_data(struct fat_cache *cache, uint64_t sector, uint64_t count);

/* So much is waiting that a commit should come before the next change. */
bool fat_cache_is_heavy(struct fat_cache *cache);

#endif
