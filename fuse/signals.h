/* SPDX-License-Identifier: MIT */
/*
 * Ending in order on SIGTERM, SIGINT and SIGHUP: what is mapped is written back, the
 * mount is taken away from under its directory, and then the loop is stopped.
 */
#ifndef FAT_FUSE_SIGNALS_H
#define FAT_FUSE_SIGNALS_H

#include <stdbool.h>

#include "loop.h"
#include "unmounter.h"

struct fat_signals;

/* Keep these signals from every thread; before the first thread is started. */
bool fat_signals_block(void);

/*
 * NULL without memory or without a thread. The arguments outlive it.
 *
 * @watched     what the unmounter may be waiting for
 * @unmounter   NULL: nobody can take the mount off, a signal only stops the loop
 */
struct fat_signals *fat_signals_new(struct fat_loop *loop, struct fat_watched *watched,
        struct fat_unmounter *unmounter);
void fat_signals_free(struct fat_signals *signals); /* NULL is a no-op */

/* Whether a signal has taken the mount off its directory. */
bool fat_signals_unmounted(const struct fat_signals *signals);

#endif
