/* SPDX-License-Identifier: MIT */
/*
 * What a mounted fatward did under the shim (shim.c), as a log to replay and a book to
 * judge by. The book is made of the requests that the kernel sent: whatever program was
 * at work, every byte that it wrote is known, and every promise is a reply to an fsync.
 *
 * Requests may overlap. What an fsync promises of an object is what was there before
 * the first of those requests about it that had no reply yet when the fsync came.
 */
#ifndef REPLAY_RECORDING_H
#define REPLAY_RECORDING_H

#include <stdbool.h>

#include "book.h"
#include "cells.h"
#include "support/recdev.h"

/*
 * Which place in the row of events a call has that took some time: a write that was
 * under way while another thread's flush was, is not made durable by it, and may still
 * have come before it.
 */
enum recording_order {
    RECORDING_LATE,  /* writes when they returned, flushes when they began    */
    RECORDING_EARLY, /* writes when they began, flushes when they returned    */
};

struct recording {
    struct fat_blkdev *start;
    struct recdev *rec;
    struct book book;
    struct cells cells;
    unsigned overlaps; /* writes that were under way while a flush was: if there are
                          none, both orders are the same                           */
    unsigned writes, flushes, requests, promises, notes;
    char reason[200];
};

/*
 * Read the image that it began with, and the log. False: see reason. Release with
 * recording_done() always.
 */
bool recording_load(struct recording *recording, const char *start, const char *log,
        enum recording_order order);

void recording_done(struct recording *recording);

#endif
