/* SPDX-License-Identifier: MIT */
#include "ops.h"

#include <errno.h>
#include <stdint.h>
#include <sys/statvfs.h>
#include <time.h>

#include <fatward/file.h>
#include <fatward/namei.h>

#include "entry.h"

static void reply_attr(fuse_req_t req, const struct fat_inode *inode)
{
    struct fat_mount *mount = fat_mount_of(req);
    struct fat_stat stat;
    struct stat attr;
    const fat_err err = fat_node_stat(inode->node, &stat);

    if (err < 0) {
        fat_mount_reply(req, err);
        return;
    }
    attr = fat_attr_stat(&mount->rules, inode, &stat);
    fuse_reply_attr(req, &attr, fat_entry_attr_timeout(inode));
}

void fat_op_getattr(fuse_req_t req, fuse_ino_t id, struct fuse_file_info *info)
{
    struct fat_mount *mount = fat_mount_of(req);
    struct fat_inode inode;

    (void)info;
    if (fat_mount_find(req, id, &inode)) {
        reply_attr(req, &inode);
        fat_mount_done(mount, &inode);
    }
}

/* FAT has no owners: to the one that everything has is allowed, and does nothing. */
static bool changes_owner(
        const struct fat_mount *mount, const struct stat *attr, int to_set)
{
    return ((to_set & FUSE_SET_ATTR_UID) && attr->st_uid != mount->rules.uid) ||
           ((to_set & FUSE_SET_ATTR_GID) && attr->st_gid != mount->rules.gid);
}

static struct fat_time present(void)
{
    struct timespec now = {0};

    (void)clock_gettime(CLOCK_REALTIME, &now); /* cannot fail with this clock */
    return (struct fat_time){now.tv_sec, (uint32_t)now.tv_nsec};
}

static struct fat_time time_of(const struct timespec *time)
{
    return (struct fat_time){time->tv_sec, (uint32_t)time->tv_nsec};
}

/* libfuse sets the _NOW bit without the other one on some kernels: either counts. */
static void change_times(
        struct fat_node_changes *changes, const struct stat *attr, int to_set)
{
    if (to_set & (FUSE_SET_ATTR_ATIME | FUSE_SET_ATTR_ATIME_NOW)) {
        changes->which |= FAT_SET_ACCESSED;
        changes->accessed =
                to_set & FUSE_SET_ATTR_ATIME_NOW ? present() : time_of(&attr->st_atim);
    }
    if (to_set & (FUSE_SET_ATTR_MTIME | FUSE_SET_ATTR_MTIME_NOW)) {
        changes->which |= FAT_SET_MODIFIED;
        changes->modified =
                to_set & FUSE_SET_ATTR_MTIME_NOW ? present() : time_of(&attr->st_mtim);
    }
}

static fat_err change_mode(const struct fat_mount *mount, struct fat_node *node,
        mode_t mode, struct fat_node_changes *changes)
{
    struct fat_stat stat;
    const fat_err err = fat_node_stat(node, &stat);

    if (err < 0) {
        return err;
    }
    changes->attributes = fat_attr_after_chmod(&mount->rules, &stat, mode);
    if (changes->attributes != stat.attributes) {
        changes->which |= FAT_SET_ATTRIBUTES;
    }
    return FAT_OK;
}

static fat_err change(struct fat_mount *mount, const struct fat_inode *inode,
        const struct stat *attr, int to_set)
{
    struct fat_node_changes changes = {0};
    fat_err err = FAT_OK;

    if (to_set & FUSE_SET_ATTR_SIZE) {
        err = fat_file_truncate(inode->node, (uint64_t)attr->st_size);
        fat_committer_kick(mount->committer); /* it may have grown and then failed */
        fat_op_contents_changed(mount, inode, 0, 0);
    }
    if (err == FAT_OK && (to_set & FUSE_SET_ATTR_MODE)) {
        err = change_mode(mount, inode->node, attr->st_mode, &changes);
    }
    change_times(&changes, attr, to_set);
    if (err == FAT_OK && changes.which) {
        err = fat_node_change(inode->node, &changes);
    }
    return err == FAT_OK ? fat_mount_changed(mount) : err;
}

/* A handle is sent for a new size only: then whoever sends none has come by a name. */
static bool is_sent_away(fuse_req_t req, const struct fat_inode *inode, int to_set)
{
    return to_set & FUSE_SET_ATTR_SIZE ? fat_op_sent_to_look(req, inode)
                                       : fat_op_sent_round(req, inode);
}

void fat_op_setattr(fuse_req_t req, fuse_ino_t id, struct stat *attr, int to_set,
        struct fuse_file_info *info)
{
    struct fat_mount *mount = fat_mount_of(req);
    struct fat_inode inode;

    if (!fat_mount_find(req, id, &inode)) {
        return;
    }
    if (changes_owner(mount, attr, to_set)) {
        fuse_reply_err(req, EPERM);
    } else if (info || !is_sent_away(req, &inode, to_set)) {
        const fat_err err = change(mount, &inode, attr, to_set);

        if (err < 0) {
            fat_mount_reply(req, err);
        } else {
            reply_attr(req, &inode);
        }
    }
    fat_mount_done(mount, &inode);
}

void fat_op_statfs(fuse_req_t req, fuse_ino_t id)
{
    struct fat_mount *mount = fat_mount_of(req);
    struct statvfs answer = {0};
    uint32_t free_clusters;
    const fat_err err = fat_volume_free_clusters(mount->volume, &free_clusters);

    (void)id;
    if (err < 0) {
        fat_mount_reply(req, err);
        return;
    }
    answer.f_bsize = mount->cluster_bytes;
    answer.f_frsize = mount->cluster_bytes;
    answer.f_blocks = mount->cluster_count;
    answer.f_bfree = free_clusters;
    answer.f_bavail = free_clusters;
    answer.f_namemax = FAT_NAME_BYTES - 1;
    fuse_reply_statfs(req, &answer);
}
