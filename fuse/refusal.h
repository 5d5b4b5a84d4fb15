/* SPDX-License-Identifier: MIT */
/* The end of a server whose medium does not answer: whatever is asked is refused. */
#ifndef FAT_FUSE_REFUSAL_H
#define FAT_FUSE_REFUSAL_H

#include "loop.h"
#include "notifier.h"

/*
 * Answer all requests with EIO, those under way and those that come, until no
 * notification waits any more inside the kernel for one of them, where nothing but an
 * answer reaches it: else this process would never be gone, not even by a SIGKILL. The
 * process has to end then.
 *
 * @loop, @notifier   NULL: there is none
 * @seconds           for how long at most
 */
void fat_refusal(struct fuse_session *session, struct fat_loop *loop,
        struct fat_notifier *notifier, unsigned seconds);

#endif
