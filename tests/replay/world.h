/* SPDX-License-Identifier: MIT */
/*
 * A volume in use and its book, and the operations that change both.
 *
 * Files and directories are recognised on disk by when they were created: the clock
 * of the world gives each object a time of its own.
 */
#ifndef REPLAY_WORLD_H
#define REPLAY_WORLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <fatward/namei.h>
#include <fatward/volume.h>

#include "book.h"
#include "op.h"
#include "support/recdev.h"

enum op_result {
    OP_DONE,
    OP_SENSELESS, /* there is nothing to do it to, as the book says: not tried    */
    OP_FULL,      /* no room: nothing happened                                   */
    OP_WRONG,     /* the engine said something else than the book: world.reason  */
};

/* Marks in the log. */
enum { MARK_BEGIN = 1, MARK_PROMISE, MARK_CLOSED, MARK_NOTE };

enum { WORLD_KEPT = 32 };

/*
 * Of the cache: more metadata than any of the volumes here has, but the real FAT32 one.
 * The engine's own measure has room for eight times as much, and a table for all of that
 * is cleared and walked for each of the many thousand volumes opened.
 */
enum { WORLD_CACHE_BYTES = 1024 * 1024 };

struct world {
    struct fat_blkdev *dev;
    struct recdev *rec; /* gets the marks; may be NULL */
    struct book *book;
    struct fat_volume *volume;
    uint32_t cluster_bytes;
    int64_t now;           /* what the clock says [seconds] */
    struct fat_node *held; /* OP_HOLD */
    uint32_t held_object;
    struct fat_node *kept[WORLD_KEPT];
    size_t kept_count;
    char reason[256];
};

/* Open the volume on @dev. False: see reason. */
bool world_open(struct world *world, struct fat_blkdev *dev, struct recdev *rec,
        struct book *book);
bool world_open_with(struct world *world, struct fat_blkdev *dev, struct recdev *rec,
        struct book *book, size_t cache_bytes);

enum op_result world_do(struct world *world, const struct op *op);

/* Let go of everything, close, and mark what that promises. */
bool world_close(struct world *world);

#endif
