/* SPDX-License-Identifier: MIT */
#include "attr.h"

/* Far above every number that a place on disk can give. */
#define ALIAS_INO (UINT64_C(1) << 63) /* the engine uses numbers below it */

struct fat_attr_rules fat_attr_rules_make(
        const struct fat_options *options, uint32_t cluster_bytes)
{
    return (struct fat_attr_rules){
            .uid = options->uid,
            .gid = options->gid,
            .file_mask = options->file_mask,
            .directory_mask = options->directory_mask,
            .cluster_bytes = cluster_bytes,
    };
}

uint64_t fat_attr_ino(const struct fat_inode *inode, uint64_t ino)
{
    return inode->alias ? ALIAS_INO | inode->id : ino;
}

mode_t fat_attr_mode(const struct fat_attr_rules *rules, const struct fat_stat *stat)
{
    if (stat->is_directory) {
        /* READ_ONLY on a directory means something else to those who set it */
        return S_IFDIR | (0777u & ~rules->directory_mask);
    }
    if (stat->attributes & FAT_NODE_READ_ONLY) {
        return S_IFREG | (0555u & ~rules->file_mask);
    }
    return S_IFREG | (0777u & ~rules->file_mask);
}

static struct timespec timespec_of(struct fat_time time)
{
    return (struct timespec){
            .tv_sec = (time_t)time.seconds, .tv_nsec = (long)time.nanoseconds};
}

struct stat fat_attr_stat(const struct fat_attr_rules *rules,
        const struct fat_inode *inode, const struct fat_stat *stat)
{
    return (struct stat){
            .st_ino = fat_attr_ino(inode, stat->ino),
            .st_mode = fat_attr_mode(rules, stat),
            .st_nlink = stat->links,
            .st_uid = rules->uid,
            .st_gid = rules->gid,
            .st_size = (off_t)stat->size_bytes,
            .st_blksize = (blksize_t)rules->cluster_bytes,
            .st_blocks = (blkcnt_t)(stat->allocated_bytes / 512),
            .st_atim = timespec_of(stat->accessed),
            .st_mtim = timespec_of(stat->modified),
            /* FAT keeps no time of the last change of attributes */
            .st_ctim = timespec_of(stat->modified),
    };
}

uint8_t fat_attr_after_chmod(
        const struct fat_attr_rules *rules, const struct fat_stat *stat, mode_t mode)
{
    /* a write bit that the mask hides says nothing */
    if (stat->is_directory || (rules->file_mask & S_IWUSR)) {
        return stat->attributes;
    }
    if (mode & S_IWUSR) {
        return (uint8_t)(stat->attributes & ~FAT_NODE_READ_ONLY);
    }
    return (uint8_t)(stat->attributes | FAT_NODE_READ_ONLY);
}
