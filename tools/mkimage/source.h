/* SPDX-License-Identifier: MIT */
/*
 * The folder that fills the volume: paths in it, and what is in one folder of it,
 * in an order that depends on the names alone.
 */
#ifndef FATWARD_MKIMAGE_SOURCE_H
#define FATWARD_MKIMAGE_SOURCE_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include <fatward/time.h>

/* A path that goes down and up; one for a whole walk. */
struct source_path {
    char text[PATH_MAX];
    size_t length;
};

/* Each of these complains itself. */
bool source_path_start(struct source_path *path, const char *folder);
bool source_path_push(struct source_path *path, const char *name);

/* Back to what it was when it was @length long. */
void source_path_pop(struct source_path *path, size_t length);

struct source_rules {
    bool follow;        /* symbolic links stand for what they lead to */
    dev_t image_device; /* the image itself, which can't be in itself */
    ino_t image_inode;
};

struct source_entry {
    char name[NAME_MAX + 1];
    bool is_folder;
    uint64_t size_bytes;
    struct fat_time modified;
    dev_t device;
    ino_t inode;
};

struct source_list {
    struct source_entry *entries;
    size_t count;
};

/*
 * What is in the folder at @path, in order. Anything but files and folders is an
 * error that names it; the function complains itself and returns false.
 */
bool source_list_read(struct source_path *path, const struct source_rules *rules,
        struct source_list *ret);

void source_list_free(struct source_list *list);

#endif
