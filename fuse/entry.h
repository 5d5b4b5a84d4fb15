/* SPDX-License-Identifier: MIT */
/*
 * Answering a name with its node: the number, the attributes, and for how long the
 * kernel may believe both. That is long, since nobody else writes to the volume, but
 * only for the spelling that is stored and while no other one is about; a name that
 * does not exist is never remembered, it may exist in another spelling a moment later.
 */
#ifndef FAT_FUSE_ENTRY_H
#define FAT_FUSE_ENTRY_H

#include "mount.h"

/* How long the kernel may keep the attributes of @inode [seconds] */
double fat_entry_attr_timeout(const struct fat_inode *inode);

/*
 * Make the answer to a name.
 *
 * Takes over the reference in @naming; the kernel knows the number once more
 * afterwards: undo with fat_entry_drop() if the answer is not sent.
 */
fat_err fat_entry_make(struct fat_mount *mount, const struct fat_naming *naming,
        struct fuse_entry_param *ret);

/* Tell the kernel what it must not believe any longer, and release that. */
void fat_entry_announce(struct fat_mount *mount, struct fat_stale_name *stale);

void fat_entry_drop(struct fat_mount *mount, const struct fuse_entry_param *entry);

#endif
