/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE /* FALLOC_FL_KEEP_SIZE */
#include "ops.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>

#include <fatward/file.h>

enum {
    COPY_BUFFER = 1024 * 1024,       /* [bytes] */
    COPY_LONGEST = 64 * 1024 * 1024, /* of one request: the caller asks again [bytes] */
};

static fat_err truncate_opened(struct fat_mount *mount, const struct fat_inode *inode)
{
    const fat_err err = fat_file_truncate(inode->node, 0);

    fat_op_contents_changed(mount, inode, 0, 0);
    return err < 0 ? err : fat_mount_changed(mount);
}

static void open_and_reply(
        fuse_req_t req, const struct fat_inode *inode, struct fuse_file_info *info)
{
    fat_err err = FAT_OK;

    if (info->flags & O_TRUNC) {
        err = truncate_opened(fat_mount_of(req), inode);
    } else {
        struct fat_stat unused;

        /* the kernel looks again for what the engine no longer knows by that name */
        err = fat_node_stat(inode->node, &unused);
    }
    if (err < 0) {
        fat_mount_reply(req, err);
        return;
    }
    /* pages belong to the main number; past an alias there are none */
    info->keep_cache = !inode->alias;
    info->direct_io = inode->alias;
    fuse_reply_open(req, info);
}

void fat_op_open(fuse_req_t req, fuse_ino_t id, struct fuse_file_info *info)
{
    struct fat_mount *mount = fat_mount_of(req);
    struct fat_inode inode;

    if (fat_mount_find(req, id, &inode)) {
        if (!fat_op_sent_to_look(req, &inode)) {
            open_and_reply(req, &inode, info);
        }
        fat_mount_done(mount, &inode);
    }
}

void fat_op_release(fuse_req_t req, fuse_ino_t id, struct fuse_file_info *info)
{
    struct fat_mount *mount = fat_mount_of(req);
    struct fat_inode inode;

    if (!fat_mount_find(req, id, &inode)) {
        return;
    }
    if ((info->flags & O_ACCMODE) != O_RDONLY) {
        fat_file_closed(inode.node);
    }
    fat_mount_done(mount, &inode);
    fuse_reply_err(req, 0);
}

void fat_op_read(fuse_req_t req, fuse_ino_t id, size_t size, off_t offset,
        struct fuse_file_info *info)
{
    struct fat_inode inode;
    size_t length = 0;
    char *buffer;
    fat_err err;

    (void)info;
    if (!fat_mount_find(req, id, &inode)) {
        return;
    }
    buffer = malloc(size);
    err = buffer ? fat_file_read(inode.node, (uint64_t)offset, buffer, size, &length)
                 : FAT_E_NOMEM;
    fat_mount_done(fat_mount_of(req), &inode);
    if (err < 0) {
        fat_mount_reply(req, err);
    } else {
        fuse_reply_buf(req, buffer, length);
    }
    free(buffer);
}

void fat_op_write(fuse_req_t req, fuse_ino_t id, const char *buffer, size_t size,
        off_t offset, struct fuse_file_info *info)
{
    struct fat_mount *mount = fat_mount_of(req);
    struct fat_inode inode;
    size_t length = 0;
    fat_err err;

    (void)info;
    if (!fat_mount_find(req, id, &inode)) {
        return;
    }
    err = fat_file_write(inode.node, (uint64_t)offset, buffer, size, &length);
    if (err == FAT_OK) {
        fat_op_contents_changed(mount, &inode, offset, (off_t)length);
        err = fat_mount_changed(mount);
    }
    fat_mount_done(mount, &inode);
    if (err < 0) {
        fat_mount_reply(req, err);
    } else {
        fuse_reply_write(req, length);
    }
}

static void sync_and_reply(fuse_req_t req, fuse_ino_t id)
{
    struct fat_inode inode;
    fat_err err;

    if (fat_mount_find(req, id, &inode)) {
        err = fat_node_sync(inode.node);
        fat_mount_done(fat_mount_of(req), &inode);
        fat_mount_reply(req, err);
    }
}

/* Without the option the kernel is told not to ask again at every close. */
void fat_op_flush(fuse_req_t req, fuse_ino_t id, struct fuse_file_info *info)
{
    (void)info;
    if (fat_mount_of(req)->flush) {
        sync_and_reply(req, id);
    } else {
        fuse_reply_err(req, ENOSYS);
    }
}

void fat_op_fsync(
        fuse_req_t req, fuse_ino_t id, int data_only, struct fuse_file_info *info)
{
    (void)data_only; /* a size is needed to find the data again */
    (void)info;
    sync_and_reply(req, id);
}

void fat_op_fallocate(fuse_req_t req, fuse_ino_t id, int mode, off_t offset,
        off_t length, struct fuse_file_info *info)
{
    struct fat_mount *mount = fat_mount_of(req);
    struct fat_inode inode;
    fat_err err;

    (void)info;
    if (mode & ~FALLOC_FL_KEEP_SIZE) {
        fuse_reply_err(req, EOPNOTSUPP);
        return;
    }
    if (!fat_mount_find(req, id, &inode)) {
        return;
    }
    err = fat_file_allocate(inode.node, (uint64_t)offset, (uint64_t)length,
            mode & FALLOC_FL_KEEP_SIZE ? FAT_ALLOCATE_KEEP_SIZE : 0u);
    if (err == FAT_OK) {
        err = fat_mount_changed(mount);
    }
    fat_mount_done(mount, &inode);
    fat_mount_reply(req, err);
}

struct copy {
    struct fat_node *from, *to;
    uint64_t from_offset, to_offset;
    size_t left, done;
    char *buffer;
};

/* One buffer full; FAT_END at the end of the source or when room ran out. */
static fat_err copy_piece(struct copy *c)
{
    size_t want = c->left < COPY_BUFFER ? c->left : COPY_BUFFER;
    size_t got, put;
    fat_err err = fat_file_read(c->from, c->from_offset, c->buffer, want, &got);

    if (err < 0 || got == 0) {
        return err < 0 ? err : FAT_END;
    }
    err = fat_file_write(c->to, c->to_offset, c->buffer, got, &put);
    if (err < 0) {
        return err;
    }
    c->from_offset += put;
    c->to_offset += put;
    c->left -= put;
    c->done += put;
    return put < want ? FAT_END : FAT_OK;
}

/* An error after the first byte is found again by the call for the rest. */
static fat_err copy_all(struct copy *c)
{
    fat_err err = FAT_OK;

    c->buffer = malloc(COPY_BUFFER);
    if (!c->buffer) {
        return FAT_E_NOMEM;
    }
    while (err == FAT_OK && c->left > 0) {
        err = copy_piece(c);
    }
    free(c->buffer);
    return c->done > 0 || err == FAT_END ? FAT_OK : err;
}

/* NOLINTNEXTLINE(readability-function-size): the parameters are libfuse's */
void fat_op_copy_file_range(fuse_req_t req, fuse_ino_t id_in, off_t offset_in,
        struct fuse_file_info *info_in, fuse_ino_t id_out, off_t offset_out,
        struct fuse_file_info *info_out, size_t length, int flags)
{
    struct fat_mount *mount = fat_mount_of(req);
    struct fat_inode in, out;
    struct copy c = {
            .from_offset = (uint64_t)offset_in,
            .to_offset = (uint64_t)offset_out,
            .left = length < COPY_LONGEST ? length : COPY_LONGEST,
    };
    fat_err err;

    (void)info_in;
    (void)info_out;
    (void)flags; /* none is defined */
    if (!fat_mount_find_two(req, id_in, &in, id_out, &out)) {
        return;
    }
    c.from = in.node;
    c.to = out.node;
    err = copy_all(&c);
    if (err == FAT_OK && c.done > 0) {
        fat_op_contents_changed(mount, &out, offset_out, (off_t)c.done);
        err = fat_mount_changed(mount);
    }
    fat_mount_done(mount, &in);
    fat_mount_done(mount, &out);
    if (err < 0) {
        fat_mount_reply(req, err);
    } else {
        fuse_reply_write(req, c.done);
    }
}
