/* SPDX-License-Identifier: MIT */
/*
 * How long the end of a server waits for a medium that does not answer. While volumes
 * are served there is no limit: who waits can be killed, and others go on.
 */
#ifndef FAT_FUSE_PATIENCE_H
#define FAT_FUSE_PATIENCE_H

#include <stdbool.h>

/* In seconds, each from 1 to 1,000,000. */
struct fat_patience {
    unsigned requests; /* what is under way, before a commit is made beside it      */
    unsigned reads;    /* one read                                                  */
    unsigned writes;   /* one write, flush or close: a flush of all that the kernel
                          has for a slow medium takes many minutes                  */
};

/*
 * 10 s, 2 min and an hour, unless FATWARD_PATIENCE, which is for tests, says otherwise:
 * "REQUESTS,READS,WRITES". False: it says something else.
 */
bool fat_patience_read(struct fat_patience *ret);

#endif
