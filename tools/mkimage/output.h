/* SPDX-License-Identifier: MIT */
/*
 * The image being made: a new file, an old one that may be overwritten, or a block
 * device. Nobody else may be using it, and a failure leaves no new file behind.
 */
#ifndef FATWARD_MKIMAGE_OUTPUT_H
#define FATWARD_MKIMAGE_OUTPUT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include <fatward/blkdev.h>

struct output {
    const char *path;
    int fd;                 /* of a file, until output_prepare(); else -1 */
    struct fat_blkdev *dev; /* of a block device; of a file after output_prepare() */
    bool created;
    uint64_t size_bytes; /* that it has now; 0 for a new file */
    dev_t device;
    ino_t inode;
};

/* Find or make @path and lock it; nothing is overwritten yet. Complains itself. */
bool output_open(const char *path, bool force, struct output *ret);

/* Now it is overwritten: @output->dev has @size_bytes, a file's all zero. */
bool output_prepare(struct output *output, uint64_t size_bytes);

/* Let go of it. Without @keep, a file that was made is removed. */
void output_close(struct output *output, bool keep);

#endif
