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

/*
 * Other programs: REPLAY_JUDGE in the environment is a command that gets "-d DIRECTORY",
 * judges what was dumped there, and ends with "N states, N files compared, N bad".
 */

#define DUMP_DIRECTORY "/dev/shm/replay-dump-XXXXXX"

/* Makes @directory, a copy of DUMP_DIRECTORY, or one in /tmp where memory is short.
   False: there is no such command, or it would find no fsck.fat and no mtools here. */
bool dump_begin(struct judge_others *others, char *directory);

/*
 * Let it judge what was dumped in @directory since the last time, and take that away:
 * the disk has no room for millions of volumes. False: something was bad, and it has
 * said what.
 */
bool dump_ask(struct judge_others *others, const char *directory);

/* The same for the rest, and print what all of them came to; see @others->bad. */
void dump_end(struct judge_others *others, const char *directory);

#endif
