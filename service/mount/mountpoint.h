/* SPDX-License-Identifier: MIT */
/*
 * Where to mount. The path is followed once, with the caller's rights; from then on
 * it is a descriptor, which nobody can exchange.
 */
#ifndef FAT_SERVICE_MOUNT_MOUNTPOINT_H
#define FAT_SERVICE_MOUNT_MOUNTPOINT_H

#include <stdbool.h>
#include <sys/types.h>

struct fat_mountpoint {
    int fd;      /* O_PATH, or -1                                       */
    mode_t type; /* S_IFDIR or S_IFREG                                  */
    char *path;  /* absolute, of when it was followed; for tables only  */
};

/*
 * Follow @directory. A user who is not root must be able to write there, must own it
 * if it is sticky, and the file system below must be one for files.
 *
 * NULL and fat_mountpoint_done() is owed, or why not as a sentence's end.
 */
const char *fat_mountpoint_pin(
        const char *directory, uid_t uid, struct fat_mountpoint *ret);

/*
 * Whether @uid may still mount there: its owner may have changed it since. To be asked
 * with the caller's rights. NULL, or why not as a sentence's end.
 */
const char *fat_mountpoint_check(const struct fat_mountpoint *mountpoint, uid_t uid);

/* Whether users may mount on a file system with this f_type of statfs(2). */
bool fat_mountpoint_lies_well(unsigned long magic);

void fat_mountpoint_done(struct fat_mountpoint *mountpoint);

#endif
