/* SPDX-License-Identifier: MIT */
#include "entry.h"

static const double long_seconds = 3600.0;

double fat_entry_attr_timeout(const struct fat_inode *inode)
{
    return inode->alias || inode->shared ? 0.0 : long_seconds;
}

void fat_entry_announce(struct fat_mount *mount, struct fat_stale_name *stale)
{
    if (stale->believed) {
        fat_notifier_distrust(mount->notifier);
    }
    if (stale->name) {
        fat_notifier_name(mount->notifier, stale->parent, stale->name);
    }
    if (stale->id) {
        fat_notifier_inode(mount->notifier, stale->id, -1, 0);
    }
    fat_stale_name_done(stale);
}

fat_err fat_entry_make(struct fat_mount *mount, const struct fat_naming *naming,
        struct fuse_entry_param *ret)
{
    struct fat_named named;
    struct fat_stale_name stale;
    fuse_ino_t ids[FAT_PRUNE_MOST];
    struct fat_stat stat;
    fat_err err;

    if (!fat_inodes_name(mount->inodes, naming, &named, &stale)) {
        fat_stale_name_done(&stale);
        return FAT_E_NOMEM;
    }
    fat_entry_announce(mount, &stale);
    fat_notifier_prune(mount->notifier, ids, fat_inodes_oldest(mount->inodes, ids));
    err = fat_node_stat(named.inode.node, &stat);
    if (err < 0) {
        fat_inodes_forget(mount->inodes, named.inode.id, 1);
    } else {
        *ret = (struct fuse_entry_param){
                .ino = named.inode.id,
                .generation = 1, /* numbers are never used twice */
                .attr = fat_attr_stat(&mount->rules, &named.inode, &stat),
                .attr_timeout = fat_entry_attr_timeout(&named.inode),
                /* it may have been removed since it was found */
                .entry_timeout = named.cacheable && stat.links > 0 ? long_seconds : 0.0,
        };
        err = FAT_OK;
    }
    fat_mount_done(mount, &named.inode);
    return err;
}

void fat_entry_drop(struct fat_mount *mount, const struct fuse_entry_param *entry)
{
    fat_inodes_forget(mount->inodes, entry->ino, 1);
}
