/* SPDX-License-Identifier: MIT */
/*
 * The writes between two flushes of a log, cut into sector writes: which sectors,
 * what they held before and hold after each of them. The inner half of the replay
 * ("support/replay.h"), which decides what is shown.
 */
#ifndef TEST_SUPPORT_EPOCH_H
#define TEST_SUPPORT_EPOCH_H

#include <stdbool.h>

#include "support/recdev.h"

/* The writes between two flushes, as a range of the log. */
struct epoch_span {
    size_t first;
    size_t end; /* position of the flush, or the length of the log */
};

/* Where an epoch comes from and goes to. */
struct epoch_place {
    const struct recdev *rec;
    struct fat_blkdev *image; /* holds what was written before the epoch      */
    uint32_t sector_bytes;
    size_t dropped; /* the write at this position doesn't count; SIZE_MAX: none */
};

/* A number of a sector write, or: the sector as it was before the epoch. */
enum { EPOCH_BEFORE = -1 };

struct epoch_sector;

/* Sector writes that change nothing are left out. */
struct epoch {
    struct epoch_place place;

    size_t count; /* of sector writes; for each, in the order of the log: */
    uint64_t *numbers;
    bool *present;     /* does the next state have it? The caller's to set */
    size_t *sector_of; /* index into sectors */
    int64_t *previous; /* to the same sector, or EPOCH_BEFORE */
    int64_t *equal_to; /* the earliest of its sector with the same contents */
    uint8_t *contents; /* the sector after it */

    size_t sector_count; /* of different sectors; for each: */
    struct epoch_sector *sectors;
    uint8_t *before; /* what it held before the epoch */

    size_t *table; /* sector number -> index + 1, open addressing */
    size_t table_size;
};

/* A well-mixed 64-bit number, the same for the same @value. */
uint64_t epoch_mix(uint64_t value);

/*
 * Cut the writes of @span up. Sectors that @later writes too are left out; NULL
 * means none. Release with epoch_done().
 *
 * FAT_E_NOMEM, or what reading the image says; nothing to release
 */
FAT_MUST_CHECK fat_err epoch_cut(struct epoch *epoch, const struct epoch_place *place,
        const struct epoch_span *span, const struct epoch_span *later);

/* Also for an epoch that is all zero. */
void epoch_done(struct epoch *epoch);

/* Let sector writes @from <= i < @to be present, or not. */
void epoch_set(struct epoch *epoch, size_t from, size_t to, bool is_present);

/* Choose what each sector has to hold by @present. Equal states, equal numbers. */
uint64_t epoch_choose(struct epoch *epoch);

/* Bring the image into the state last chosen. */
FAT_MUST_CHECK fat_err epoch_move(struct epoch *epoch);

#endif
