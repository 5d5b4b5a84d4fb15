/* SPDX-License-Identifier: MIT */
/* Telling one mount from another by its number, without asking who serves it. */
#ifndef FAT_SERVICE_MOUNT_MOUNT_TABLE_H
#define FAT_SERVICE_MOUNT_MOUNT_TABLE_H

#include <stdbool.h>

#include "service/mountinfo.h"

enum { FAT_MOUNT_UNKNOWN = -1 };

/* What is known of a mount. */
struct fat_mount_marks {
    long id;
    long parent;      /* the mount it lies on, or FAT_MOUNT_UNKNOWN: any */
    const char *type; /* "fuse.vfat", or NULL: any                       */
};

/* The number of the mount that @fd is on, or FAT_MOUNT_UNKNOWN. */
long fat_mount_find_id(int fd);

/* Whether such a mount is in the kernel's table. False also without a table. */
bool fat_mount_is_listed(const struct fat_mount_marks *marks);

/* Whether it is that one. */
bool fat_mount_has_marks(
        const struct fat_mountinfo *mount, const struct fat_mount_marks *marks);

/* The fuse mounts, all users' together. -1: there is no table. */
long fat_mount_count_fuse(void);

#endif
