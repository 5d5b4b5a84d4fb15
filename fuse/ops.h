/* SPDX-License-Identifier: MIT */
/* What each request does; one table for libfuse, its parts by kind. */
#ifndef FAT_FUSE_OPS_H
#define FAT_FUSE_OPS_H

#include <stdint.h>

#include "mount.h"

const struct fuse_lowlevel_ops *fat_ops(void);

/* ops_name.c */
void fat_op_lookup(fuse_req_t req, fuse_ino_t parent, const char *name);
void fat_op_forget(fuse_req_t req, fuse_ino_t id, uint64_t times);
void fat_op_forget_multi(fuse_req_t req, size_t count, struct fuse_forget_data *list);
void fat_op_create(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode,
        struct fuse_file_info *info);
void fat_op_mknod(
        fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode, dev_t device);
void fat_op_mkdir(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode);
void fat_op_unlink(fuse_req_t req, fuse_ino_t parent, const char *name);
void fat_op_rmdir(fuse_req_t req, fuse_ino_t parent, const char *name);
void fat_op_rename(fuse_req_t req, fuse_ino_t old_parent, const char *old_name,
        fuse_ino_t new_parent, const char *new_name, unsigned flags);
void fat_op_symlink(
        fuse_req_t req, const char *target, fuse_ino_t parent, const char *name);
void fat_op_link(fuse_req_t req, fuse_ino_t id, fuse_ino_t parent, const char *name);

/* ops_dir.c */
void fat_op_opendir(fuse_req_t req, fuse_ino_t id, struct fuse_file_info *info);
void fat_op_readdir(fuse_req_t req, fuse_ino_t id, size_t size, off_t offset,
        struct fuse_file_info *info);
void fat_op_readdirplus(fuse_req_t req, fuse_ino_t id, size_t size, off_t offset,
        struct fuse_file_info *info);
void fat_op_fsyncdir(
        fuse_req_t req, fuse_ino_t id, int data_only, struct fuse_file_info *info);

/* ops_file.c */
void fat_op_open(fuse_req_t req, fuse_ino_t id, struct fuse_file_info *info);
void fat_op_release(fuse_req_t req, fuse_ino_t id, struct fuse_file_info *info);
void fat_op_read(fuse_req_t req, fuse_ino_t id, size_t size, off_t offset,
        struct fuse_file_info *info);
void fat_op_write(fuse_req_t req, fuse_ino_t id, const char *buffer, size_t size,
        off_t offset, struct fuse_file_info *info);
void fat_op_flush(fuse_req_t req, fuse_ino_t id, struct fuse_file_info *info);
void fat_op_fsync(
        fuse_req_t req, fuse_ino_t id, int data_only, struct fuse_file_info *info);
void fat_op_fallocate(fuse_req_t req, fuse_ino_t id, int mode, off_t offset,
        off_t length, struct fuse_file_info *info);
void fat_op_copy_file_range(fuse_req_t req, fuse_ino_t id_in, off_t offset_in,
        struct fuse_file_info *info_in, fuse_ino_t id_out, off_t offset_out,
        struct fuse_file_info *info_out, size_t length, int flags);

/* ops_attr.c */
void fat_op_getattr(fuse_req_t req, fuse_ino_t id, struct fuse_file_info *info);
void fat_op_setattr(fuse_req_t req, fuse_ino_t id, struct stat *attr, int to_set,
        struct fuse_file_info *info);
void fat_op_statfs(fuse_req_t req, fuse_ino_t id);

/*
 * Whether a request to open or change the file behind @inode has been answered with
 * ESTALE, to come again by its main number.
 */
bool fat_op_sent_round(fuse_req_t req, const struct fat_inode *inode);

/*
 * The same for a request that only comes by a name: a file that has been removed is to
 * be looked up once more too, lest what is written to it is lost. Whoever comes back has
 * it open, and no name to ask for.
 */
bool fat_op_sent_to_look(fuse_req_t req, const struct fat_inode *inode);

/* After a change of contents made by another number than the main one. */
void fat_op_contents_changed(struct fat_mount *mount, const struct fat_inode *inode,
        off_t offset, off_t length);

#endif
