/* SPDX-License-Identifier: MIT */
/*
 * The scan of a volume that was found dirty, before its first change (W7): once over
 * the FAT and the tree. What a power cut may have left is mended by edits of the open
 * interval, so that one commit makes it durable:
 *
 *   lost chains                given back
 *   several names, one chain   one unfinished rename (W4): one name is kept
 *   a ".." of an old parent    rewritten
 *   orphaned long-name slots   erased
 *   a chain beyond its size    cut
 *   FAT copies that differ     rewritten from the first
 *   an unknown free count      counted
 *
 * Clusters shared in any other way, loops, and chains that run into free, bad or
 * absent clusters turn the volume read-only: freeing one owner's half is how damage
 * becomes loss.
 */
#ifndef FAT_VOLUME_SCAN_H
#define FAT_VOLUME_SCAN_H

#include <fatward/error.h>

#include "volume/state.h"

/*
 * The commit lock is held, nothing has been changed yet, and MARK is on disk.
 *
 * FAT_E_READONLY   the volume has damage and is read-only from now on
 * FAT_E_IO, FAT_E_NOMEM
 */
FAT_MUST_CHECK fat_err fat_scan_dirty(struct fat_volume *volume)
        FAT_REQUIRES(volume->commit_lock);

#endif
