/* SPDX-License-Identifier: MIT */
#include "mount.h"

#include <errno.h>
#include <stdlib.h>

#include <fatward/node.h>

#include "moment.h"

/* About 190 MiB. The variable is for tests. */
enum { MOST_FILES = 256 * 1024 };

static size_t most_files(void)
{
    /* NOLINTNEXTLINE(concurrency-mt-unsafe): nobody changes the environment */
    const char *text = getenv("FATWARD_MOST_FILES");
    const unsigned long most = text ? strtoul(text, NULL, 10) : 0;

    return most > 0 ? most : MOST_FILES;
}

bool fat_mount_start(struct fat_mount *mount, const struct fat_options *options)
{
    struct fat_volume_info info;

    fat_volume_info(mount->volume, &info);
    mount->rules = fat_attr_rules_make(options, info.cluster_bytes);
    mount->cluster_bytes = info.cluster_bytes;
    mount->cluster_count = info.cluster_count;
    mount->options = options;
    mount->sync = options->sync;
    mount->dirsync = options->dirsync;
    mount->flush = options->flush;
    mount->inodes = fat_inodes_new(fat_volume_root(mount->volume), most_files());
    mount->redirect = fat_redirect_new();
    mount->committer = fat_committer_new(mount->volume, options->commit_seconds);
    return mount->inodes && mount->redirect && mount->committer;
}

static bool end_committer(struct fat_mount *mount)
{
    const struct timespec since = fat_moment_now();
    bool stopped = fat_committer_stop(mount->committer, mount->patience.requests);

    if (!stopped) {
        /* what can be committed beside it is */
        mount->last_err = fat_volume_commit(mount->volume);
    }
    while (!stopped && !fat_watched_is_overdue(mount->watched, &since, NULL)) {
        stopped = fat_committer_stop(mount->committer, 1);
    }
    return stopped;
}

void fat_mount_finish(struct fat_mount *mount)
{
    if (mount->finished) {
        return;
    }
    mount->finished = true;
    fat_watchdog_wake(mount->watchdog); /* nobody has where no loop was run */
    if (mount->committer && !end_committer(mount)) {
        mount->stuck = true;
        return;
    }
    fat_committer_free(mount->committer);
    fat_inodes_free(mount->inodes);
    fat_redirect_free(mount->redirect);
    mount->committer = NULL;
    mount->inodes = NULL;
    mount->redirect = NULL;
    if (mount->volume) {
        mount->last_err = fat_volume_close(mount->volume);
        mount->volume = NULL;
    }
    fat_blkdev_close(mount->device);
    mount->device = NULL;
}

fat_err fat_mount_changed(struct fat_mount *mount)
{
    if (mount->sync) {
        return fat_volume_commit(mount->volume);
    }
    fat_committer_kick(mount->committer);
    return FAT_OK;
}

fat_err fat_mount_renamed(struct fat_mount *mount)
{
    if (mount->dirsync) {
        return fat_volume_commit(mount->volume);
    }
    return fat_mount_changed(mount);
}

struct fat_mount *fat_mount_of(fuse_req_t req)
{
    return fuse_req_userdata(req);
}

bool fat_mount_find(fuse_req_t req, fuse_ino_t id, struct fat_inode *ret)
{
    if (fat_inodes_find(fat_mount_of(req)->inodes, id, ret)) {
        return true;
    }
    fuse_reply_err(req, ESTALE);
    return false;
}

void fat_mount_gave_up(struct fat_mount *mount)
{
    if (fat_volume_pending(mount->volume).any) {
        fat_committer_kick(mount->committer);
    }
}

void fat_mount_done(struct fat_mount *mount, struct fat_inode *inode)
{
    if (fat_inodes_done(mount->inodes, inode)) {
        fat_mount_gave_up(mount);
    }
}

bool fat_mount_find_two(fuse_req_t req, fuse_ino_t id, struct fat_inode *ret,
        fuse_ino_t other_id, struct fat_inode *ret_other)
{
    struct fat_mount *mount = fat_mount_of(req);

    if (!fat_mount_find(req, id, ret)) {
        return false;
    }
    if (!fat_mount_find(req, other_id, ret_other)) {
        fat_mount_done(mount, ret); /* @req is gone with its answer */
        return false;
    }
    return true;
}

void fat_mount_reply(fuse_req_t req, fat_err err)
{
    fuse_reply_err(req, fat_err_errno(err));
}
