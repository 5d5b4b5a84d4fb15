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
#include "signals.h"

/* mount(8)'s */
enum { EXIT_DONE = 0, EXIT_USAGE = 1, EXIT_SYSTEM = 2, EXIT_MOUNT = 32 };

struct fat_server {
    struct fat_options *options;
    struct fat_log log;
    struct fat_mount mount; /* its volume is open before fat_server_start() */
    struct fuse_session *session;
    struct fat_loop *loop;
    struct fat_signals *signals;
};

/*
 * Start what serves requests, and watch for signals.
 *
 * @directory   what a signal unmounts first; NULL: it only ends the loop
 * False after saying why.
 */
bool fat_server_start(struct fat_server *server, const char *directory);

/*
 * Serve until the volume is unmounted or a signal ends it.
 *
 * @ret_left_over   whether the mount may still be there, for somebody to unmount
 * False: the connection failed, or no thread could be had.
 */
bool fat_server_run(struct fat_server *server, bool *ret_left_over);

/*
 * Commit and close the volume, say what went wrong with that, end the session.
 * Copes with a server that was never started. False: changes may be missing.
 */
bool fat_server_finish(struct fat_server *server);

#endif
