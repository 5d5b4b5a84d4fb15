/* SPDX-License-Identifier: MIT */
/*
 * The medium, and what it has been asked and has not answered.
 *
 * The volume works on a device that stands in front of the medium's, passes everything
 * on, and knows when each read and each write began.
 */
#ifndef FAT_FUSE_WATCHED_H
#define FAT_FUSE_WATCHED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <fatward/blkdev.h>

#include "patience.h"

struct fat_watched;

/* What the medium has not answered in time. */
struct fat_overdue {
    const char *what; /* "a read", "a write", "a flush", "closing it" */
    uint64_t offset;  /* in bytes; of a read or a write                           */
    size_t length;    /* in bytes; 0: neither                                     */
    unsigned seconds; /* its limit                                                */
};

/*
 * NULL without memory. @patience outlives it. @medium is taken over on success: it is closed with the device,
 * and must be before fat_watched_free().
 */
struct fat_watched *fat_watched_new(
        struct fat_blkdev *medium, const struct fat_patience *patience);

/* What to open the volume on. */
struct fat_blkdev *fat_watched_device(struct fat_watched *watched);

void fat_watched_free(struct fat_watched *watched); /* NULL is a no-op */

/*
 * Whether anything takes longer than patience has for it; what it was asked before
 * @since counts from there. From any thread.
 *
 * @since   of fat_moment_now()
 * @ret     may be NULL
 */
bool fat_watched_is_overdue(struct fat_watched *watched, const struct timespec *since,
        struct fat_overdue *ret);

#endif
