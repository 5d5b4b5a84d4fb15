/* SPDX-License-Identifier: MIT */
/*
 * The open interval: the changes that the next commit will make durable.
 *
 * An operation reads first, then makes all its edits under the interval's lock,
 * shared and without a device call; the snapshot of a commit takes it exclusively.
 * So no operation is ever cut in two, and whatever it decides by the interval's
 * number is still true when it acts on it.
 */
#ifndef FAT_ALLOC_INTERVAL_H
#define FAT_ALLOC_INTERVAL_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <fatward/error.h>

#include "base/lock.h"

/* Part of a chain that the commit is to free, by walking it (W11). */
struct fat_piece {
    struct fat_piece *next;
    uint32_t first;    /* cluster */
    uint32_t count;    /* clusters of it, 0: to its end */
    uint32_t tries;    /* how often a commit could not read it */
    uint32_t promised; /* clusters that were counted as free when it was given up */
};

struct fat_interval {
    struct fat_rwlock lock;
    _Atomic uint64_t number;    /* of the open one, from 1; changes under the lock,
                                  exclusively                                       */
    _Atomic uint64_t finished;  /* the newest that is wholly on disk                 */
    _Atomic uint64_t changes;   /* goes up with every change                         */
    _Atomic uint64_t committed; /* what changes was at the last snapshot            */
    _Atomic bool data_written;  /* file data since the last flush                    */
    _Atomic(struct fat_piece *) pieces;
};

void fat_interval_init(struct fat_interval *interval);

/* Frees the pieces that nobody took. */
void fat_interval_done(struct fat_interval *interval);

/* Take the lock shared; returns the number of the open interval. */
uint64_t fat_interval_enter(struct fat_interval *interval)
        FAT_ACQUIRES_SHARED(interval->lock);

/* Let go; a change was made. */
void fat_interval_leave(struct fat_interval *interval)
        FAT_RELEASES_SHARED(interval->lock);

/* Let go; nothing was changed. */
void fat_interval_leave_unchanged(struct fat_interval *interval)
        FAT_RELEASES_SHARED(interval->lock);

/* @number is on disk, wholly. */
static inline bool fat_interval_is_finished(
        const struct fat_interval *interval, uint64_t number)
{
    return number <= interval->finished;
}

/* The commit of the open interval frees @piece, which it takes over. */
void fat_interval_free_chain(struct fat_interval *interval, struct fat_piece *piece)
        FAT_REQUIRES_SHARED(interval->lock);

/* File data have been written: a flush comes before what the next commit publishes. */
void fat_interval_data_written(struct fat_interval *interval);

/* What a commit takes over at its snapshot. */
struct fat_interval_taken {
    uint64_t number;
    struct fat_piece *pieces;
    bool data_written;
};

/* Begin the next interval. */
struct fat_interval_taken fat_interval_take(struct fat_interval *interval)
        FAT_REQUIRES(interval->lock);

void fat_piece_free_all(struct fat_piece *pieces);

#endif
