/* SPDX-License-Identifier: MIT */
#include "ops.h"

#include <errno.h>

enum {
    LARGEST_REQUEST = 1024 * 1024, /* [bytes] */
    COARSEST_TIME = 1000000000,    /* FUSE knows nothing above a second [ns] */
};

/*
 * Nobody else changes the volume, so the kernel's pages stay good until we say
 * otherwise. Left to itself it would drop a file's pages whenever its mtime moves,
 * after each of its own writes. A write-back cache would hide a full volume from
 * the writer and lose pages on SIGTERM.
 */
static void op_init(void *data, struct fuse_conn_info *connection)
{
    struct fat_mount *mount = data;
    const unsigned wanted = FUSE_CAP_ASYNC_READ | FUSE_CAP_ATOMIC_O_TRUNC |
                            FUSE_CAP_READDIRPLUS | FUSE_CAP_READDIRPLUS_AUTO |
                            FUSE_CAP_ASYNC_DIO | FUSE_CAP_PARALLEL_DIROPS |
                            FUSE_CAP_EXPLICIT_INVAL_DATA;
    const unsigned unwanted = FUSE_CAP_AUTO_INVAL_DATA | FUSE_CAP_WRITEBACK_CACHE |
                              FUSE_CAP_SPLICE_READ | FUSE_CAP_SPLICE_WRITE |
                              FUSE_CAP_SPLICE_MOVE | FUSE_CAP_HANDLE_KILLPRIV;

    connection->want &= ~unwanted;
    connection->want |= wanted & connection->capable;
    connection->max_write = LARGEST_REQUEST;
    /* what libfuse has been told at first, or it ends the connection */
    connection->max_read = mount->options->max_read;
    connection->max_readahead = LARGEST_REQUEST;
    if (mount->options->max_readahead) {
        connection->max_readahead = mount->options->max_readahead;
    }
    if (mount->options->max_background) {
        connection->max_background = mount->options->max_background;
    }
    connection->time_gran = COARSEST_TIME;
    fat_notifier_set_protocol(mount->notifier, connection->proto_minor);
}

/* On fuseblk umount(2) waits for this: it returns when all is on the medium. */
static void op_destroy(void *data)
{
    fat_mount_finish(data);
}

bool fat_op_sent_round(fuse_req_t req, const struct fat_inode *inode)
{
    struct fat_redirect *redirect = fat_mount_of(req)->redirect;
    const pid_t task = fuse_req_ctx(req)->pid;

    if (!inode->alias) {
        fat_redirect_end(redirect, task);
        return false;
    }
    if (fat_node_is_directory(inode->node) || !fat_redirect_begin(redirect, task)) {
        return false;
    }
    fuse_reply_err(req, ESTALE);
    return true;
}

bool fat_op_sent_to_look(fuse_req_t req, const struct fat_inode *inode)
{
    const pid_t task = fuse_req_ctx(req)->pid;
    struct fat_stat stat;

    if (inode->alias || fat_node_stat(inode->node, &stat) < 0 || stat.links > 0 ||
            !fat_redirect_begin(fat_mount_of(req)->redirect, task)) {
        return fat_op_sent_round(req, inode);
    }
    fuse_reply_err(req, ESTALE);
    return true;
}

void fat_op_contents_changed(struct fat_mount *mount, const struct fat_inode *inode,
        off_t offset, off_t length)
{
    fuse_ino_t id;

    if (inode->alias) {
        id = fat_inodes_main(mount->inodes, inode->node);
        if (id) {
            fat_notifier_inode(mount->notifier, id, offset, length);
        }
    }
}

/*
 * Left out on purpose: lseek, which the kernel does itself and takes a file for data
 * up to its end; getxattr, whose mere presence costs a request before every write.
 */
static const struct fuse_lowlevel_ops ops = {
        .init = op_init,
        .destroy = op_destroy,
        .lookup = fat_op_lookup,
        .forget = fat_op_forget,
        .forget_multi = fat_op_forget_multi,
        .getattr = fat_op_getattr,
        .setattr = fat_op_setattr,
        .mknod = fat_op_mknod,
        .mkdir = fat_op_mkdir,
        .unlink = fat_op_unlink,
        .rmdir = fat_op_rmdir,
        .symlink = fat_op_symlink,
        .link = fat_op_link,
        .rename = fat_op_rename,
        .create = fat_op_create,
        .open = fat_op_open,
        .release = fat_op_release,
        .read = fat_op_read,
        .write = fat_op_write,
        .flush = fat_op_flush,
        .fsync = fat_op_fsync,
        .fallocate = fat_op_fallocate,
        .copy_file_range = fat_op_copy_file_range,
        .opendir = fat_op_opendir,
        .readdir = fat_op_readdir,
        .readdirplus = fat_op_readdirplus,
        .fsyncdir = fat_op_fsyncdir,
        .statfs = fat_op_statfs,
};

const struct fuse_lowlevel_ops *fat_ops(void)
{
    return &ops;
}
