/* SPDX-License-Identifier: MIT */
/* Looking a directory up in the kernel's table of mounts. */
#ifndef FAT_FUSE_MOUNTS_H
#define FAT_FUSE_MOUNTS_H

#include <stdbool.h>
#include <sys/types.h>

struct fat_mounted {
    dev_t device;
    char *type;   /* "fuse.fatward"                             */
    char *source; /* for a mount of ours the image              */
    bool has_user;
    uid_t user; /* who mounted it, for a fuse mount: user_id=  */
};

/* What is mounted, uppermost, on the absolute path @directory. False: nothing. */
bool fat_mounts_find(const char *directory, struct fat_mounted *ret);

void fat_mounted_done(struct fat_mounted *mounted);

#endif
