/* SPDX-License-Identifier: MIT */
#ifndef REPLAY_RECOVERY_H
#define REPLAY_RECOVERY_H

#include "judge.h"

/*
 * Mount the state on @dev for writing, make a file, write to it, sync and close: after
 * that the checker has nothing more to say, and every promise holds as before. Now
 * and then the power is cut in the course of that too. Then the same state is repaired
 * instead, after which nothing at all may be left over. Zero: good.
 */
int recover(
        struct judge *judge, struct fat_blkdev *dev, const struct judge_bounds *bounds);

#endif
