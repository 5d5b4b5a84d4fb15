/* SPDX-License-Identifier: MIT */
/* Opening a file for the server, with the caller's rights. */
#ifndef FAT_SERVICE_MOUNT_OPEN_FILE_H
#define FAT_SERVICE_MOUNT_OPEN_FILE_H

#include "service/wire.h"

/*
 * Do what an OPEN or OPEN_DEVICE asks for; fat_plan_allows_open() has been asked.
 * Nothing but regular files and block devices is opened: with a directory the server
 * could reach the whole machine's files, and to open some devices is to use them.
 *
 * @ret_fd   close-on-exec
 *
 * 0, open(2)'s or ioctl(2)'s errno, ENOTBLK, EISDIR, or EINVAL for other kinds
 */
int fat_open_file(const struct fat_wire_message *message, int *ret_fd);

/* /dev/fuse, as the caller. 0 or open(2)'s errno. */
int fat_open_fuse(int *ret_fd);

#endif
