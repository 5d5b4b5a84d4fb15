/* SPDX-License-Identifier: MIT */
/*
 * The one that stays outside when the server locks itself in: a process that can take
 * this mount off its directory, that does nothing else, and that listens to the server
 * only. It holds neither the image nor the connection to the kernel, and ends with the
 * server, however that ends.
 */
#ifndef FAT_FUSE_UNMOUNTER_H
#define FAT_FUSE_UNMOUNTER_H

#include <stdbool.h>

#include "watched.h"

struct fat_unmounter;

/*
 * Start it: when the mount is up, and before the first thread. From then on children
 * of this process leave no status behind. NULL without memory or without a process.
 *
 * @directory   absolute; outlives it
 */
struct fat_unmounter *fat_unmounter_new(const char *directory);

/*
 * Have the kernel hand over what programs have mapped and changed, and take the mount
 * off, in use or not. Somebody has to serve requests meanwhile; once the medium is
 * overdue with something, it is not waited for any longer.
 *
 * False: it's still there, or another one lies on top of it.
 */
bool fat_unmounter_in_order(
        struct fat_unmounter *unmounter, struct fat_watched *watched);

/* Take off a mount that nobody serves: the connection has been closed. */
bool fat_unmounter_left_over(struct fat_unmounter *unmounter);

/* The same for a process that is about to end: that closes the connection. */
void fat_unmounter_leave_it(struct fat_unmounter *unmounter);

/* Wait for its end. NULL is a no-op. */
void fat_unmounter_free(struct fat_unmounter *unmounter);

#endif
