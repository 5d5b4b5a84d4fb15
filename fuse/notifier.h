/* SPDX-License-Identifier: MIT */
/*
 * Telling the kernel to forget what it has cached.
 *
 * The kernel takes the directory's lock to drop a name, and waits for pages to drop
 * a file's contents; the caller whose request is being answered may hold either. So
 * both are done by a thread of its own, never by a request's. Only the epoch (kernel
 * 6.16) takes no lock: it ages every cached name at once and is written in place.
 */
#ifndef FAT_FUSE_NOTIFIER_H
#define FAT_FUSE_NOTIFIER_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "fuse_api.h"
#include "watched.h"

struct fat_notifier;

/* NULL without memory or without a thread. */
struct fat_notifier *fat_notifier_new(struct fuse_session *session);

/*
 * End the thread; what is still waiting is dropped, now and later.
 *
 * To be done while requests are still served, or when the connection has ended: a
 * notification waits inside the kernel for a caller who waits for us, and then
 * neither closing the session nor a signal would free the two.
 *
 * @watched   what such a caller may be waiting for
 * False: it has been waited for in vain, and the thread may still be there.
 */
bool fat_notifier_stop(struct fat_notifier *notifier, struct fat_watched *watched);

/* The same without waiting, and whether it has ended; from any thread. */
void fat_notifier_dismiss(struct fat_notifier *notifier);
bool fat_notifier_has_ended(struct fat_notifier *notifier);

/* Stops it first if need be. NULL is a no-op. */
void fat_notifier_free(struct fat_notifier *notifier);

/* What the kernel at the other end speaks, as INIT said. */
void fat_notifier_set_protocol(struct fat_notifier *notifier, unsigned minor);

/*
 * Let no cached name be believed unasked from now on. Linux 6.16 can; before that nothing
 * happens. It costs the mounts that lie on directories of ours.
 */
void fat_notifier_distrust(struct fat_notifier *notifier);

/*
 * Drop @name in @parent from the kernel's cache, soon, which also lets go of the file if
 * nobody else uses it.
 */
void fat_notifier_name(
        struct fat_notifier *notifier, fuse_ino_t parent, const char *name);

/*
 * Let the kernel forget these inodes, soon, as far as nobody uses them: files that are
 * open, current directories, mount points and directories with something in its cache
 * below them stay. Linux 6.18 can; before that nothing happens.
 */
void fat_notifier_prune(
        struct fat_notifier *notifier, const fuse_ino_t *ids, size_t count);

/*
 * Let @id's attributes be asked for again soon, and @length bytes of contents from
 * @offset on be read again; a negative @offset leaves the contents alone, @length 0
 * means up to the end.
 */
void fat_notifier_inode(
        struct fat_notifier *notifier, fuse_ino_t id, off_t offset, off_t length);

#endif
