/* SPDX-License-Identifier: MIT */
/*
 * Receiving requests, with several threads.
 *
 * libfuse has a loop of its own; this one exists because libfuse before 3.18 answers
 * SYNCFS and STATX with ENOSYS itself. It serves these two and hands on the rest. It
 * also sees to it that DESTROY, which closes the volume, is served alone.
 */
#ifndef FAT_FUSE_LOOP_H
#define FAT_FUSE_LOOP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mount.h"

struct fat_loop;

/* NULL without memory. @session and @mount outlive the loop. */
struct fat_loop *fat_loop_new(struct fuse_session *session, struct fat_mount *mount);
void fat_loop_free(struct fat_loop *loop);

/*
 * Serve with @threads threads until the volume is unmounted or fat_loop_stop(). Then a
 * scan that requests may wait for is given up, and they are waited for, as long as the
 * mount's patience lasts.
 * False: no thread could be started, or the connection failed.
 */
bool fat_loop_run(struct fat_loop *loop, unsigned threads);

/* Whether requests have not come back from the medium: nothing may be freed then. */
bool fat_loop_is_stuck(const struct fat_loop *loop);

/* Have nobody wait for a scan any more; from any thread. */
void fat_loop_stop_recovery(struct fat_loop *loop);

/* Answer what is being served with EIO; from any thread. */
void fat_loop_refuse(struct fat_loop *loop);

/*
 * Answer a request past libfuse.
 *
 * @unique   the kernel's number for it; one that is none, or was answered, is ignored
 * @error    0, or an errno without @body
 */
void fat_loop_reply(struct fuse_session *session, uint64_t unique, int error,
        const void *body, size_t length);

/* Let fat_loop_run() return when the requests under way are answered; from any thread. */
void fat_loop_stop(struct fat_loop *loop);

#endif
