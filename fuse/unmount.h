/* SPDX-License-Identifier: MIT */
/* Unmounting from inside the server and from its umount helper. */
#ifndef FAT_FUSE_UNMOUNT_H
#define FAT_FUSE_UNMOUNT_H

#include <stdbool.h>

/* Have the kernel hand over what programs have mapped and changed. */
void fat_unmount_write_back(const char *directory);

/*
 * Take the mount off @directory: ourselves, or by fusermount3 for an ordinary user.
 *
 * @lazy   also while it is in use
 * Zero, or what to tell the user as an errno; fusermount3 tells him itself (EPERM).
 */
int fat_unmount(const char *directory, bool lazy, bool force);

#endif
