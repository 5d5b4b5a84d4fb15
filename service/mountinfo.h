/* SPDX-License-Identifier: MIT */
/* The kernel's table of mounts, /proc/self/mountinfo. */
#ifndef FAT_SERVICE_MOUNTINFO_H
#define FAT_SERVICE_MOUNTINFO_H

#include <stdbool.h>
#include <stdio.h>
#include <sys/types.h>

struct fat_mountinfo {
    long id, parent; /* its number, and that of the mount it lies on */
    dev_t device;
    const char *directory, *type, *source;
    const char *options; /* the file system's own: "rw,user_id=1000,group_id=100" */
};

/* A line of the table. It is cut into pieces, which @ret leads to. False: it is none. */
bool fat_mountinfo_parse(char *line, struct fat_mountinfo *ret);

/* A walk over the table; @mount is good until the next step. */
struct fat_mountinfo_walk {
    struct fat_mountinfo mount;
    FILE *file;
    char *line;
    size_t size;
};

/* False: there is no table. Stepping and closing may be done nevertheless. */
bool fat_mountinfo_open(struct fat_mountinfo_walk *walk);
/* To the next mount, upwards where they lie on each other. False: there is none. */
bool fat_mountinfo_next(struct fat_mountinfo_walk *walk);
void fat_mountinfo_close(struct fat_mountinfo_walk *walk);

/* "major:minor", as the kernel prints it there and below /sys. */
dev_t fat_mountinfo_device(const char *text);

/* Whether anything of that number is mounted, wherever. */
bool fat_mountinfo_has(dev_t device);

/* Whether that is the @type of a fuse server's mount: "fuse.vfat", "fuseblk". */
bool fat_mountinfo_is_fuse(const char *type);

#endif
