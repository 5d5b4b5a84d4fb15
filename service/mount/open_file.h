/* SPDX-License-Identifier: MIT */
/* Opening a file for the server, with the caller's rights. */
#ifndef FAT_SERVICE_MOUNT_OPEN_FILE_H
#define FAT_SERVICE_MOUNT_OPEN_FILE_H

#include <sys/types.h>

#include "service/loops.h"
#include "service/wire.h"

struct fat_opened {
    int fd;                     /* close-on-exec                                 */
    dev_t device;               /* a block device's number; 0 for a file         */
    struct fat_loops_user user; /* who else has it: set after EBUSY, or empty    */
};

/*
 * Do what an OPEN or OPEN_DEVICE asks for; fat_plan_allows_open() has been asked.
 * Nothing but regular files and block devices is opened: with a directory the server
 * could reach the whole machine's files, and to open some devices is to use them.
 *
 * 0, open(2)'s or ioctl(2)'s errno, ENOTBLK, EISDIR, EBUSY also for what is in use
 * under another name, or EINVAL for other kinds; then @ret's descriptor is -1
 */
int fat_open_file(const struct fat_wire_message *message, struct fat_opened *ret);

/* /dev/fuse, as the caller. 0 or open(2)'s errno. */
int fat_open_fuse(int *ret_fd);

#endif
