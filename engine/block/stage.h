/* SPDX-License-Identifier: MIT */
/*
 * Stages and epochs: in which order the changed blocks reach the disk.
 *
 * An edit belongs to one of six stages. It changes the image of its stage and every
 * later one, so that image k of a block is what the disk holds once the stages up to
 * k are written. A snapshot turns the images of the open interval into those of a
 * commit; the commit writes them stage by stage, with a flush in between, while the
 * next interval is already being edited. docs/crash-order.md argues why.
 */
#ifndef FAT_BLOCK_STAGE_H
#define FAT_BLOCK_STAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <fatward/error.h>

#include "block/cache.h"

struct fat_spare;

/*
 * One operation's edits: first every block it will touch is pinned and memory for
 * its images is set aside, which may fail and leaves nothing behind; then, under the
 * interval lock, the edits are made, which can't fail.
 */
struct fat_edits {
    struct fat_cache *cache;
    struct fat_block **pins;
    size_t pin_count, pin_capacity;
    struct fat_spare *spares; /* images set aside                                  */
};

void fat_edits_init(struct fat_edits *edits, struct fat_cache *cache);

/* Give back the pins and what was not used of the spares. */
void fat_edits_done(struct fat_edits *edits);

/*
 * Prepare for edits of @sector in up to @stages different stages.
 *
 * FAT_E_IO, FAT_E_NOMEM; what was prepared before stays prepared.
 */
FAT_MUST_CHECK fat_err fat_edits_prepare(
        struct fat_edits *edits, uint64_t sector, unsigned stages);

/* Edit bytes of a prepared sector in @stage. */
void fat_edits_set(struct fat_edits *edits, uint64_t sector, enum fat_stage stage,
        size_t offset, const void *bytes, size_t length);

/* Some bits of some bytes: (old & ~mask) | (bytes & mask). @mask NULL means all. */
struct fat_bits {
    const void *bytes;
    const uint8_t *mask;
    size_t length;
};

/* The same for single bits. */
void fat_edits_merge(struct fat_edits *edits, uint64_t sector, enum fat_stage stage,
        size_t offset, const struct fat_bits *bits);

/* Copy from the newest image of a prepared sector. */
void fat_edits_get(struct fat_edits *edits, uint64_t sector, size_t offset, void *bytes,
        size_t length);

/*
 * The block of a LINK (or CUT) edit of this interval belongs to a chain that has
 * entries claimed (or freed) in another sector: LINK then can't go with FILL, CUT
 * not with RECLAIM. Sticks until the snapshot. The block must have been edited in
 * the open interval; where it has not been, nothing happens.
 */
void fat_cache_link_strays(struct fat_cache *cache, uint64_t sector);
void fat_cache_cut_strays(struct fat_cache *cache, uint64_t sector);

/*
 * At the snapshot, before fat_cache_snapshot(): @bytes go with an earlier stage after
 * all, where the block has an image of it; nothing happens where it has none.
 */
void fat_cache_merge_into(struct fat_cache *cache, uint64_t sector,
        enum fat_stage stage, size_t offset, const uint8_t *bytes, size_t length);

/*
 * The images of the open interval become those of the commit; merges are decided
 * here. Caller holds the interval exclusively and no commit is under way.
 * Returns whether there is anything to write.
 */
bool fat_cache_snapshot(struct fat_cache *cache);

/*
 * Write the copies that are due and the commit's images of @stage; no flush.
 *
 * @ret_wrote   something was written: a flush has to follow
 *
 * Each sector is looked at before it is written over, but for FAT copies.
 *
 * FAT_E_CHANGED   it does not hold what we left there: fat_cache_changed_sector()
 * FAT_E_CORRUPT   likewise, and a file that shares its cluster was written to
 * FAT_E_IO and the device's other errors: the commit must be given up for good.
 */
FAT_MUST_CHECK fat_err fat_cache_write_stage(
        struct fat_cache *cache, enum fat_stage stage, bool *ret_wrote);

/*
 * During RECLAIM, when no copy of @block is due: change @block on disk, in the commit
 * and in the open interval alike; written by the next fat_cache_write_stage() of
 * RECLAIM. No memory is taken.
 *
 * FAT_E_CHANGED   as there; nothing was changed
 */
FAT_MUST_CHECK fat_err fat_cache_reclaim(struct fat_cache *cache,
        struct fat_block *block, size_t offset, const struct fat_bits *bits);

/* Blocks that fat_cache_reclaim() has changed and nobody has written yet. */
size_t fat_cache_reclaim_waiting(struct fat_cache *cache);

/* Write the copies that are still due, whatever epoch it is; no flush. */
FAT_MUST_CHECK fat_err fat_cache_write_copies(struct fat_cache *cache, bool *ret_wrote);

/*
 * Change @sector in every image and write it at once, all its copies too; no flush.
 * For the marks only (MARK and CLEAR), which no other edit touches.
 */
FAT_MUST_CHECK fat_err fat_cache_write_now(struct fat_cache *cache, uint64_t sector,
        size_t offset, const uint8_t *bytes, const uint8_t *mask, size_t length);

/*
 * Does the disk still hold in @sector what its block says, if it is cached? By the
 * commit alone. A failed read proves nothing and is FAT_OK: fat_cache_unseen().
 *
 * FAT_E_CHANGED   no
 * FAT_E_CORRUPT   no, as fat_cache_write_stage() has it; never of a sector that is not
 *                 in a cluster
 */
FAT_MUST_CHECK fat_err fat_cache_prove(struct fat_cache *cache, uint64_t sector);

/* The sector that FAT_E_CHANGED, or such a FAT_E_CORRUPT, was about. By the commit alone. */
uint64_t fat_cache_changed_sector(const struct fat_cache *cache);

/*
 * Why a sector could not be looked at before it was written over, the first time that
 * happened; FAT_OK if it has not. By the commit alone.
 */
fat_err fat_cache_unseen(const struct fat_cache *cache, uint64_t *ret_sector);

#endif
