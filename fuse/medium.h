/* SPDX-License-Identifier: MIT */
/* Opening what is to be mounted, by path or from a descriptor. */
#ifndef FAT_FUSE_MEDIUM_H
#define FAT_FUSE_MEDIUM_H

#include <stdbool.h>

#include "log.h"
#include "mount.h"

struct fat_medium {
    bool read_only;      /* wanted, or all that could be had        */
    bool held_by_kernel; /* a block device, to be mounted as fuseblk */
    bool continues;      /* after damage                            */
};

/*
 * Open the image and the volume on it into @mount. What goes wrong, and a fall back
 * to read-only, is said through @log. False: nothing is open.
 */
bool fat_medium_open(struct fat_mount *mount, const struct fat_options *options,
        struct fat_log *log, struct fat_medium *ret);

/*
 * The same from a descriptor that somebody has opened as @medium says; it is closed on
 * failure too. @medium->read_only is set where the volume can't be written.
 */
bool fat_medium_take(struct fat_mount *mount, int fd, struct fat_log *log,
        struct fat_medium *medium);

#endif
