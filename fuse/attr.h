/* SPDX-License-Identifier: MIT */
/* How a FAT entry looks through stat(2), and what chmod and chown mean for it. */
#ifndef FAT_FUSE_ATTR_H
#define FAT_FUSE_ATTR_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#include <fatward/node.h>

#include "inodes.h"
#include "options.h"

/* What a mount adds to every entry: FAT keeps no owner and no permissions. */
struct fat_attr_rules {
    uid_t uid;
    gid_t gid;
    unsigned file_mask, directory_mask;
    uint32_t cluster_bytes;
};

struct fat_attr_rules fat_attr_rules_make(
        const struct fat_options *options, uint32_t cluster_bytes);

/* The number that stat(2) shows: an alias has its own, or mv would see one file. */
uint64_t fat_attr_ino(const struct fat_inode *inode, uint64_t ino);

mode_t fat_attr_mode(const struct fat_attr_rules *rules, const struct fat_stat *stat);

struct stat fat_attr_stat(const struct fat_attr_rules *rules,
        const struct fat_inode *inode, const struct fat_stat *stat);

/*
 * The attributes a chmod to @mode leaves: the owner's write permission of a file is
 * READ_ONLY's opposite. What FAT can't keep is dropped without a word, as vfat does.
 */
uint8_t fat_attr_after_chmod(
        const struct fat_attr_rules *rules, const struct fat_stat *stat, mode_t mode);

#endif
