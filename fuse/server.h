/* SPDX-License-Identifier: MIT */
/*
 * From an open volume to its end: the session, the threads, and closing. What comes
 * before, how the options and the image are had and who mounts, differs between the
 * ways in (by_hand, by_service).
 */
#ifndef FAT_FUSE_SERVER_H
#define FAT_FUSE_SERVER_H

#include <stdbool.h>

#include "log.h"
#include "loop.h"
#include "mount.h"
#include "options.h"
#include "sandbox.h"
#include "signals.h"
#include "unmounter.h"

/* mount(8)'s */
enum { EXIT_DONE = 0, EXIT_USAGE = 1, EXIT_SYSTEM = 2, EXIT_MOUNT = 32 };

struct fat_server {
    struct fat_options *options;
    struct fat_log log;
    struct fat_sandbox sandbox;
    struct fat_mount mount; /* its volume is open before fat_server_start() */
    struct fuse_session *session;
    struct fat_loop *loop;
    struct fat_signals *signals;
    struct fat_unmounter *unmounter; /* whoever started it frees it */
};

/*
 * Go where no path leads anywhere, start what serves requests, and watch for signals.
 *
 * @unmounter   what a signal has to unmount first; NULL: it only ends the loop
 * False after saying why.
 */
bool fat_server_start(struct fat_server *server, struct fat_unmounter *unmounter);

/*
 * Lock ourselves in, and serve until the volume is unmounted or a signal ends it.
 *
 * @ret_left_over   whether the mount may still be there, for somebody to unmount
 * False: the connection failed, or no thread or no jail could be had.
 */
bool fat_server_run(struct fat_server *server, bool *ret_left_over);

/* Whether the kernel has ended the connection. */
bool fat_server_is_disconnected(const struct fat_server *server);

/*
 * Commit and close the volume, say what went wrong with that, end the session.
 * Copes with a server that was never started. False: changes may be missing.
 *
 * Where requests never came back from the medium, nothing can be closed or freed under
 * them: then it says so and ends the process with EXIT_SYSTEM.
 */
bool fat_server_finish(struct fat_server *server);

#endif
