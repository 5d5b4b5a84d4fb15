/* SPDX-License-Identifier: MIT */
/* The helper's side of the service protocol, from the greeting to the goodbye. */
#ifndef FAT_SERVICE_MOUNT_CONVERSATION_H
#define FAT_SERVICE_MOUNT_CONVERSATION_H

#include <stdbool.h>

#include "mountpoint.h"
#include "plan.h"
#include "rights.h"

/* How it ended. */
enum fat_ending {
    FAT_ENDING_MOUNTED,
    FAT_ENDING_FAILED,  /* nothing is mounted: the server, or what it said     */
    FAT_ENDING_REFUSED, /* nothing is mounted: the kernel or the rules forbid it */
};

struct fat_conversation {
    int socket;
    unsigned limit_ms; /* for each message */
    int fuse_fd;
    const struct fat_caller *caller;
    const struct fat_mountpoint *mountpoint;
    long mount_max; /* fuse mounts on the machine, for users; -1: no limit */
    bool no_table, verbose;
    struct fat_plan plan; /* with its bounds; fat_plan_done() is the caller's */
};

/*
 * Have it. What goes wrong is said. A mount that was made is taken off again unless
 * the server ends with success.
 */
enum fat_ending fat_conversation_run(struct fat_conversation *conversation);

#endif
