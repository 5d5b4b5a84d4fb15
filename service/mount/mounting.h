/* SPDX-License-Identifier: MIT */
/*
 * Making a mount, and taking that very mount off again. Both raise the process's
 * rights for the system calls that need it, and lower them.
 */
#ifndef FAT_SERVICE_MOUNT_MOUNTING_H
#define FAT_SERVICE_MOUNT_MOUNTING_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "kernel_options.h"
#include "mountpoint.h"

struct fat_mounting {
    const char *type; /* "vfat": the kernel's type becomes fuse.vfat            */
    bool fuseblk;
    const char *source;
    const struct fat_kernel_options *options;
    uint32_t flags; /* MS_* */
    int fuse_fd;
    const struct fat_mountpoint *mountpoint;
    uid_t uid; /* the caller: he may unmount it */
    gid_t gid;
};

/*
 * Mount over the pinned directory. What the kernel says about a failure is printed.
 *
 * @ret_fd   leads to the mount, whatever becomes of the paths to it; for
 *           fat_mounting_undo(), and close(2)
 *
 * 0 or a positive errno, and then nothing is mounted.
 */
int fat_mounting_make(const struct fat_mounting *mounting, int *ret_fd);

/* Take the mount off, even if it is in use. 0 or a positive errno. */
int fat_mounting_undo(int fd);

#endif
