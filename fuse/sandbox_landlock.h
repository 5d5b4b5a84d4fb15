/* SPDX-License-Identifier: MIT */
/* Landlock: from here on no path leads anywhere. Used by sandbox.c only. */
#ifndef FAT_FUSE_SANDBOX_LANDLOCK_H
#define FAT_FUSE_SANDBOX_LANDLOCK_H

#include <stdbool.h>

/* Of the kernel's interface; 0: it has none, has it switched off, or keeps it from us. */
unsigned fat_landlock_version(void);

/*
 * Take every right there is away from the calling thread and what it starts: over
 * files, TCP ports, and the sockets and processes of others. What is open stays open.
 *
 * After no_new_privs. False with errno.
 */
bool fat_landlock_enter(unsigned version);

#endif
