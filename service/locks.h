/* SPDX-License-Identifier: MIT */
/* The kernel's list of locks, which tells of files that one may not open. */
#ifndef FAT_SERVICE_LOCKS_H
#define FAT_SERVICE_LOCKS_H

#include <stdbool.h>
#include <sys/types.h>

/*
 * Whether somebody, this process included, has a flock(2) on the file of these numbers
 * that would keep a writer, or else a reader, from his.
 *
 * The numbers are stat's. Those of btrfs, and of an overlay of several file systems, are
 * others in the list: locks there are not found. Nor are those of holders in other pid
 * namespaces, or behind very many other locks, or any where /proc doesn't show the list.
 */
bool fat_locks_has(dev_t device, ino_t inode, bool writing);

#endif
