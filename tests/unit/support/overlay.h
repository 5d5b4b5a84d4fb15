/* SPDX-License-Identifier: MIT */
/*
 * A device on top of another one that is never written: what was written here is
 * kept in pages of its own and read back, the rest is read from below. Forgetting
 * it all is cheap, so one image serves any number of trials.
 *
 * Threads: reads and writes may come from any thread; the device below must not
 *          change at the same time. init, forget, sink and done are for one thread.
 * Memory:  never from malloc, so that failalloc leaves it alone ("support/steady.h").
 */
#ifndef TEST_SUPPORT_OVERLAY_H
#define TEST_SUPPORT_OVERLAY_H

#include <pthread.h>

#include <fatward/blkdev.h>

struct overlay_page;

struct overlay {
    struct fat_blkdev dev; /* first member: &overlay.dev is the device. No close. */
    struct fat_blkdev *under;
    pthread_mutex_t lock;        /* all below                               */
    struct overlay_page *newest; /* of the pages in use                     */
    struct overlay_page *spare;  /* forgotten ones, to be used again        */
    struct overlay_page **buckets;
    size_t bucket_count;
    size_t page_count;
};

/*
 * An overlay that shows what @under shows; size and block size are copied, and
 * it is writable even if @under isn't.
 *
 * FAT_E_NOMEM   nothing to release
 */
FAT_MUST_CHECK fat_err overlay_init(struct overlay *overlay, struct fat_blkdev *under);

void overlay_done(struct overlay *overlay);

/* Show what the device below shows again. */
void overlay_forget(struct overlay *overlay);

/* Write everything to the device below, then forget it. */
FAT_MUST_CHECK fat_err overlay_sink(struct overlay *overlay);

#endif
