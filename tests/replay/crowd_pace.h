/* SPDX-License-Identifier: MIT */
/*
 * Who of a crowd goes first. On a device in memory everything is over before anybody has
 * noticed, and nothing would ever happen in the course of anything else. So here
 *
 *   - a flush, and now and then a write, takes its time: until others have done
 *     something, or nobody does;
 *   - a thread of the crowd sometimes lets others go first: in a read, and in a program
 *     linked with crowd_yield.c also before it takes a lock or memory.
 */
#ifndef REPLAY_CROWD_PACE_H
#define REPLAY_CROWD_PACE_H

#include <stdatomic.h>
#include <stdint.h>

#include <fatward/blkdev.h>

struct pace {
    struct fat_blkdev dev; /* first member */
    struct fat_blkdev *under;
    atomic_uint *progress; /* goes up whenever somebody has done something */
    _Atomic uint64_t dice;
};

void pace_init(struct pace *pace, struct fat_blkdev *under, atomic_uint *progress,
        uint64_t seed);

/* Wait until @progress is @steps more than it was, or seems to stand still. */
void pace_linger(const atomic_uint *progress, unsigned steps);

/* This thread is one of a crowd. Others never give way. */
void pace_join(uint64_t seed);

/* Once in so many calls. */
void pace_give_way(unsigned one_in);

#endif
