/* SPDX-License-Identifier: MIT */
/*
 * Leading whoever opens a file by another spelling to its main number.
 *
 * An alias number has a page cache of its own, which would show old data beside the
 * main one's. So an alias is good for stat, rename and unlink only: opening or
 * changing a file through it is answered with ESTALE. The kernel then walks the path
 * once more, asking for every name anew, and this time the name is answered with the
 * main number. The task that was sent round is remembered until it arrives.
 *
 * A task that comes back to the alias all the same has no name to ask for (a bind
 * mount of the file, a descriptor opened with O_PATH) and is served as it is.
 */
#ifndef FAT_FUSE_REDIRECT_H
#define FAT_FUSE_REDIRECT_H

#include <stdbool.h>
#include <sys/types.h>

struct fat_redirect;

struct fat_redirect *fat_redirect_new(void); /* NULL without memory */
void fat_redirect_free(struct fat_redirect *redirect);

/*
 * True: answer ESTALE. False: @task has been sent round already, and the kernel does
 * that once only; whatever it found this time, serve it.
 */
bool fat_redirect_begin(struct fat_redirect *redirect, pid_t task);

/* Whether @task is on its way round: then it gets main numbers for files. */
bool fat_redirect_is_under_way(struct fat_redirect *redirect, pid_t task);

/* @task has arrived. */
void fat_redirect_end(struct fat_redirect *redirect, pid_t task);

#endif
