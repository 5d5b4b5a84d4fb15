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
 *   an unknown free count      counted, a wrong one too
 *   a ".." of no directory     rewritten
 *
 * Where there is other damage, lost chains stay: they may be what it has cut off.
 *
 * Clusters shared in any other way, loops, and chains that run into free, bad or
 * absent clusters turn the volume read-only: freeing one owner's half is how damage
 * becomes loss.
 */
#ifndef FAT_VOLUME_SCAN_H
#define FAT_VOLUME_SCAN_H

#include <stdbool.h>
#include <stdint.h>

#include <fatward/check.h>
#include <fatward/error.h>

#include "volume/state.h"

struct fat_scan;

/* What a repair asks of the scan beyond what mounting wants. */
struct fat_scan_wishes {
    bool cut_sizes;         /* a size that exceeds its chain is made to fit        */
    bool keep_lost;         /* lost chains are not given back, but handed over ... */
    struct fat_piece *lost; /* ... here, for fat_piece_free_all()                  */
};

/*
 * Lost chains that one scan gives back: what is in memory for them is bounded. With more
 * of them the marks stay, and the scan of the next mount goes on.
 */
enum { FAT_SCAN_LOST_MAX = 65536 };

/* Damage that makes every free, and every claim, a danger to somebody's data. */
bool fat_scan_is_fatal(enum fat_finding_kind kind);

/* Can the scan mend it? A name used twice: only if both are of one chain. */
bool fat_scan_mends(const struct fat_finding *finding, bool cut_sizes);

/*
 * Look what has to be mended, by reading alone. The commit lock is held, and nothing
 * has been changed yet.
 *
 * @ret             for fat_scan_mend(); release with fat_scan_free()
 *
 * FAT_E_READONLY   the volume has damage and is read-only from now on
 * FAT_E_STOPPED    fat_volume_stop_recovery(); it was said
 * FAT_E_IO, FAT_E_NOMEM
 */
FAT_MUST_CHECK fat_err fat_scan_look(struct fat_volume *volume, struct fat_scan **ret)
        FAT_REQUIRES(volume->commit_lock);

/*
 * Mend it. The commit lock has been held since fat_scan_look(), and MARK is on disk.
 *
 * FAT_E_STOPPED, FAT_E_IO, FAT_E_NOMEM   some of it may be mended; to be begun anew
 */
FAT_MUST_CHECK fat_err fat_scan_mend(struct fat_volume *volume, struct fat_scan *scan)
        FAT_REQUIRES(volume->commit_lock);

void fat_scan_free(struct fat_scan *scan); /* NULL is a no-op */

#endif
