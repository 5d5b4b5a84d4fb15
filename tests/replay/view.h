/* SPDX-License-Identifier: MIT */
/* A volume at one moment of a log: its bytes, its names, and which sector holds what. */
#ifndef REPLAY_VIEW_H
#define REPLAY_VIEW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "reader.h"
#include "support/recdev.h"

enum { VIEW_SECTOR = 512, VIEW_FAT_SECTORS = 2 };

struct view {
    uint8_t *bytes;
    size_t length;
    struct fat_blkdev *dev;
    struct reader reader;
    uint64_t *at; /* for each of the reader's entries: the place of its short entry */
    size_t at_capacity;
};

/* The bytes of @dev. */
void view_init(struct view *view, struct fat_blkdev *dev);
void view_done(struct view *view);

/* What events @first <= i < @end of the log write, then; the names follow. */
bool view_apply(struct view *view, const struct recdev *rec, size_t first, size_t end);

/* The entry whose short entry is at @at and that was made as @born; READER_NONE: none. */
size_t view_find(const struct view *view, uint64_t at, uint32_t born);

/* Where slot number @slot of the directory that @entry is in is; 0: beyond its end. */
uint64_t view_slot(const struct view *view, size_t entry, uint32_t slot);

/* The first cluster of the directory that it is in; 0: a root without clusters. */
uint32_t view_directory(const struct view *view, size_t entry);

/* How many clusters its size asks for; of a directory: all that it has. */
uint32_t view_wanted(const struct view *view, size_t entry);

/* The sectors, one or two, that the entry of a cluster lies in; how many. */
size_t view_fat_sectors(
        const struct view *view, uint32_t cluster, uint64_t sectors[VIEW_FAT_SECTORS]);

/* Is it a cluster, and not the end of a chain? */
bool view_is_cluster(const struct view *view, uint32_t cluster);

enum view_region {
    VIEW_BOOT, /* and the other reserved sectors */
    VIEW_FAT,
    VIEW_COPIES, /* of the FAT */
    VIEW_REST,
};

enum view_region view_region(const struct view *view, uint64_t sector);

#endif
