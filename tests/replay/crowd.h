/* SPDX-License-Identifier: MIT */
/*
 * A crowd: threads at work on one volume at once, recorded, and a book of what can be
 * said of that whoever came first.
 *
 * They meet in four directories, the *halls*: the root, and three that are moved into
 * each other all the while. There each thread has files and directories of its *own*,
 * under names that nobody else changes: of these the book has every step, as if the
 * thread were alone, and what a sync or a commit has promised. Other names are *common*:
 * whoever likes creates, writes, moves, and removes what is called so. Of these objects
 * the book knows that they were made, and no more (is_common). Everybody lists, looks up
 * and reads everything, and finds in each file its own cells or zeros. One thread more
 * does nothing but commit.
 *
 * Who comes first is up to the system, so a seed chooses the steps and not the outcome:
 * what went wrong has to be kept (crowd_keep()), it won't come back.
 */
#ifndef REPLAY_CROWD_H
#define REPLAY_CROWD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base.h"
#include "book.h"
#include "support/recdev.h"

enum { CROWD_LINE_BYTES = 120 };

struct crowd_setting {
    const struct base *base;
    size_t cache_bytes; /* as fat_volume_options has it              */
    unsigned threads;   /* who commits comes on top; 1 to 8          */
    unsigned steps;     /* of each                                   */
    bool tight;         /* room may run out                          */
    uint64_t seed;
};

/* What they have done, with the marks of world.h in the log. */
struct crowd_record {
    struct recdev *rec;
    struct book book;
    char (*lines)
            [CROWD_LINE_BYTES]; /* what began, in words; there is a mark for each */
    size_t line_count;
    unsigned full;    /* so often there was no room */
    char reason[300]; /* what went wrong before any power was cut */
};

/*
 * From opening a copy of the base to closing it. False: an answer was wrong, the volume
 * was reported damaged, or it can't be closed; see reason. Release with crowd_done()
 * always.
 */
bool crowd_run(struct crowd_record *record, const struct crowd_setting *setting);

void crowd_done(struct crowd_record *record);

/*
 * What is needed to look at it again, into @directory: start.img, what the log began
 * with; log, a line for each write, flush, step and promise; writes, the bytes of all
 * writes in a row; and state.img, if there is a bad one.
 *
 * @state   NULL: there is none
 */
void crowd_keep(const struct crowd_record *record, struct fat_blkdev *state,
        const char *directory);

#endif
