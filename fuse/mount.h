/* SPDX-License-Identifier: MIT */
/*
 * One mounted volume as the requests see it.
 *
 * Threads: the fields are set before the first request and torn down after the last
 *          one; the objects behind them look after themselves.
 */
#ifndef FAT_FUSE_MOUNT_H
#define FAT_FUSE_MOUNT_H

#include <stdbool.h>

#include <fatward/blkdev.h>
#include <fatward/volume.h>

#include "attr.h"
#include "committer.h"
#include "fuse_api.h"
#include "inodes.h"
#include "notifier.h"
#include "options.h"
#include "patience.h"
#include "redirect.h"
#include "watchdog.h"

struct fat_mount {
    struct fat_blkdev *device;
    struct fat_volume *volume;
    struct fat_inodes *inodes;
    struct fat_redirect *redirect;
    struct fat_committer *committer;
    struct fat_notifier *notifier; /* NULL until the session exists */
    struct fat_watched *watched;   /* what @device passes its calls to */
    struct fat_watchdog *watchdog;
    struct fat_patience patience;
    struct fat_attr_rules rules;
    const struct fat_options *options; /* outlive the mount                          */
    bool sync, dirsync, flush;
    uint32_t cluster_bytes, cluster_count; /* for statfs: they never change */
    bool finished;                         /* fat_mount_finish() has run */
    bool stuck;       /* something waits for the medium, and all is left as it is */
    fat_err last_err; /* what closing the volume returned */
};

/* Prepare to serve @mount->volume; false without memory or threads. */
bool fat_mount_start(struct fat_mount *mount, const struct fat_options *options);

/*
 * Let go of every node, commit, close the volume and the device. The first call
 * counts; no request may be under way. Where the committer does not come back from the
 * medium nothing is freed or closed, but all changes are committed if that can be done.
 */
void fat_mount_finish(struct fat_mount *mount);

/* After a change of contents or attributes: commit it now or soon. */
fat_err fat_mount_changed(struct fat_mount *mount);

/* After a change of names. */
fat_err fat_mount_renamed(struct fat_mount *mount);

/* The mount and the inode that a request is about. */
struct fat_mount *fat_mount_of(fuse_req_t req);

/* Answer ESTALE and return false if @id is not known; else fat_mount_done() it. */
bool fat_mount_find(fuse_req_t req, fuse_ino_t id, struct fat_inode *ret);

/* The same for two. */
bool fat_mount_find_two(fuse_req_t req, fuse_ino_t id, struct fat_inode *ret,
        fuse_ino_t other_id, struct fat_inode *ret_other);

/* The request needs @inode no longer: what it was the last to use is given up. */
void fat_mount_done(struct fat_mount *mount, struct fat_inode *inode);

/* What the last user of a removed file gives up waits for a commit: see to one. */
void fat_mount_gave_up(struct fat_mount *mount);

void fat_mount_reply(fuse_req_t req, fat_err err);

#endif
