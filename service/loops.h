/* SPDX-License-Identifier: MIT */
/*
 * A file and the loop devices over it are the same medium under several names, and no
 * lock knows that: flock(2) on the file, a claim of the device and a lock on the
 * device's node never meet. So whoever opens a medium looks for its other names.
 *
 * What can't be looked at with the caller's rights counts as not in use (of a file that
 * he may not open the kernel's list of locks tells, see locks.h), and somebody may begin
 * just after the question: it keeps people from mistakes and is no lock.
 */
#ifndef FAT_SERVICE_LOOPS_H
#define FAT_SERVICE_LOOPS_H

#include <limits.h>
#include <stdbool.h>

struct fat_loops_user {
    char name[PATH_MAX]; /* "/dev/loop3", or the file below a loop device */
};

/*
 * Whether what @fd leads to (O_PATH is enough; a loop device has to be one that the
 * caller may read) is in use under another name:
 *
 *   a file            by a loop device that is claimed, which all mounts do, or locked
 *   a loop device     by a lock on the file below it, or another loop device over the
 *                     same part of that file
 *   anything else     never
 *
 * A loop device that is only attached is no user. A reader has nothing against other
 * readers as far as can be told: if they hold shared locks, or a device that can't be
 * written.
 *
 * @writing   whether the caller is going to write
 *
 * 0, or EBUSY and who it is.
 */
int fat_loops_find_user(int fd, bool writing, struct fat_loops_user *ret);

#endif
