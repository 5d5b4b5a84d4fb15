/* SPDX-License-Identifier: MIT */
/*
 * The last resort of a server that is told to end: a thread that ends the process where
 * the medium does not answer and somebody waits for it who can't give up, in a commit or
 * behind a lock that one holds.
 */
#ifndef FAT_FUSE_WATCHDOG_H
#define FAT_FUSE_WATCHDOG_H

#include "watched.h"

struct fat_watchdog;

/* Called once, in the watchdog's thread. Does not return. */
typedef void fat_watchdog_fn(void *context, const struct fat_overdue *overdue);

/* NULL without memory or threads. @watched and @context outlive it. */
struct fat_watchdog *fat_watchdog_new(
        struct fat_watched *watched, fat_watchdog_fn *give_up, void *context);

/*
 * The end has come: what the medium was asked before counts from here, and a little more,
 * so that whoever can give up by himself does so first. From any thread, the first call counts; NULL is a no-op.
 */
void fat_watchdog_wake(struct fat_watchdog *watchdog);

void fat_watchdog_free(struct fat_watchdog *watchdog); /* NULL is a no-op */

#endif
