/* SPDX-License-Identifier: MIT */
/*
 * A commit of another thread's in the middle of an operation, wherever one could begin
 * there. A commit takes its snapshot between two sections of edits; between these an
 * operation decides, reads and writes data. So the points are:
 *
 *   - before the interval's lock or the commit lock is taken, and after it is let go
 *   - before a write to the device
 *   - after a read from it, when the block that was read is ready for everybody
 *
 * and of these the ones where the operation has no lock that a commit wants: none but
 * names and nodes. What waits for a mutex to be let go comes when that is done.
 *
 * Only one of the two threads runs at any time, so everything can be had again.
 */
#ifndef REPLAY_WITHIN_H
#define REPLAY_WITHIN_H

#include <fatward/blkdev.h>

#include "base/lock.h"
#include "world.h"

enum within_state { WITHIN_IDLE, WITHIN_RUNS, WITHIN_HALTS, WITHIN_DONE };

struct within {
    struct fat_blkdev dev; /* first member; the one to open */
    struct fat_blkdev *under;
    struct world *world;
    unsigned point_to_come; /* 0: not any more */
    unsigned locks;         /* of those that a commit wants, held by the operation */
    bool owed;              /* it comes with the last of these let go              */
    bool halts;             /* in its first flush                                  */
    bool begun;
    fat_err err; /* what the commit said */
    size_t promises;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    enum within_state state; /* under the lock */
};

/* @under: what dev passes everything on to. */
void within_init(struct within *w, struct fat_blkdev *under, struct world *world);

/*
 * From here on what this thread does is the operation: at its @point'th point, from 1,
 * a commit is run. To its end, or, if it @halts, as far as its first flush: the
 * rest comes when somebody waits for it, or with within_end().
 */
void within_watch(struct within *w, unsigned point, bool halts);

/* Whatever of it is left is done. */
void within_end(struct within *w);

/* For the wrappers of locks (within_locks.c): this thread is about to take one, has taken
   it, has let it go. */
void within_wants(enum fat_lock_level level);
void within_has(enum fat_lock_level level);
void within_left(enum fat_lock_level level);

#endif
