/* SPDX-License-Identifier: MIT */
/*
 * What a thread does to names that are its own: some files in each hall, and in each hall
 * a home, a directory with files in it. The book is told before, and told again where
 * there was no room.
 */
#ifndef REPLAY_CROWD_OWN_H
#define REPLAY_CROWD_OWN_H

#include "crowd_worker.h"

/* Where something of the worker's own is, or may be. */
struct crowd_spot {
    const struct crowd_hall *hall;
    bool in_home;
    unsigned leaf; /* of a file */
    char name[BOOK_NAME_BYTES];
    uint32_t parent, object; /* BOOK_NOTHING: none. Nobody else changes that. */
};

/*
 * One that has somebody, or has nobody but could. False: none was found. Often it is the
 * file of the step before: what happens to one file in one commit is what matters.
 */
bool crowd_pick(
        struct crowd_worker *worker, bool is_home, bool taken, struct crowd_spot *ret);

/* What the volume says of it; nobody else removes it. */
fat_err crowd_open_spot(struct crowd_worker *worker, const struct crowd_spot *spot,
        struct fat_node **ret);

/* One step about the contents of a file: crowd_content.c. */
void crowd_content_step(struct crowd_worker *worker);

static inline struct book *crowd_book(struct crowd_worker *worker)
{
    return &worker->crowd->record->book;
}

#endif
