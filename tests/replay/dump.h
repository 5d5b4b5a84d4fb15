/* SPDX-License-Identifier: MIT */
#ifndef REPLAY_DUMP_H
#define REPLAY_DUMP_H

#include "judge.h"

/*
 * Write the state to @directory for other programs to judge: NAME.img, and
 * NAME.files with a line "object size path" for each file that has one name and one
 * content, not empty, in all that was promised and begun; what it has to hold is in NAME.object.
 * The last of the notes in the log is in NAME.note.
 */
void dump_state(struct judge *judge, const char *directory, struct fat_blkdev *dev,
        const struct judge_bounds *bounds);

#endif
