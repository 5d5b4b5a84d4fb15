/* SPDX-License-Identifier: MIT */
/* /etc/fuse.conf: what the administrator lets ordinary users do. */
#ifndef FAT_SERVICE_MOUNT_FUSE_CONF_H
#define FAT_SERVICE_MOUNT_FUSE_CONF_H

#include <stdbool.h>
#include <stdio.h>

struct fat_fuse_conf {
    bool user_allow_other;
    long mount_max; /* fuse mounts on the machine, all users together; -1: no limit */
};

/* @file may be NULL: there is none. Lines that make no sense are skipped. */
void fat_fuse_conf_read(FILE *file, struct fat_fuse_conf *ret);

#endif
