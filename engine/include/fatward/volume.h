/* SPDX-License-Identifier: MIT */
#ifndef FAT_VOLUME_H
#define FAT_VOLUME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <fatward/blkdev.h>
#include <fatward/error.h>
#include <fatward/report.h>
#include <fatward/time.h>

/*
 * One open FAT volume.
 *
 * Threads:  every call may come from any thread at once, except open and close.
 * Life:     the device must outlive the volume; every node is released before close.
 * Changes:  reach the medium in commits, in the order docs/crash-order.md gives:
 *           with fat_volume_commit(), fat_node_sync(), fat_volume_close(), or when
 *           too much is waiting. The engine has no thread and no timer of its own;
 *           whoever wants changes committed after a while asks fat_volume_pending().
 * Dirty:    nothing is written, not even the dirty marks, before the first change.
 *           A volume that was found dirty is scanned before its first change, or
 *           by fat_volume_recover() while it is read.
 * Damage:   after the first proof of damage, be it an operation that meets it or the scan
 *           of a dirty volume, after a failed metadata write or flush, or when another
 *           program has written to it, the volume is read-only (FAT_E_READONLY) until it
 *           is opened again, says so once through @report, and never clears its dirty
 *           marks.
 */
struct fat_volume;

enum {
    FAT_VOLUME_READ_ONLY = 1 << 0,
    /* On damage that an operation meets, that operation fails and others go on. No
       cluster is freed from then on: what is given up stays lost until a repair. A chain
       that runs into a free cluster, and all else that "Damage" above names, still turn
       the volume read-only.                                                          */
    FAT_VOLUME_CONTINUE = 1 << 1
};

/* Every field may be left zero. */
struct fat_volume_options {
    uint32_t flags;      /* FAT_VOLUME_...                                         */
    size_t cache_bytes;  /* metadata in memory; 0 means 8 MiB. Half as much at most
                            comes on top for names, four times as much for where
                            files lie                                      [bytes] */
    int utc_offset;      /* of the time stamps on disk, -1440..1440      [minutes] */
    fat_clock_fn *clock; /* NULL means the system's clock                          */
    void *clock_context;
    fat_report_fn *report; /* NULL means nobody is told                             */
    void *report_context;
};

/*
 * Open the volume on @dev; it is only read. Costs the boot sector, FSInfo and the
 * first FAT sector, at any size of the volume.
 *
 * A read-only device, a volume that ends behind its device, and one whose sectors with
 * the dirty marks can't be read, are opened read-only; ask fat_volume_is_read_only().
 *
 * @options   NULL means all zero
 * @ret       release with fat_volume_close()
 *
 * FAT_E_NOTFAT    no FAT boot sector (the rule it breaks is reported)
 * FAT_E_CORRUPT   a FAT boot sector that contradicts itself (likewise)
 * FAT_E_IO, FAT_E_NOMEM
 */
FAT_API FAT_MUST_CHECK fat_err fat_volume_open(struct fat_blkdev *dev,
        const struct fat_volume_options *options, struct fat_volume **ret);

/*
 * Commit everything, write the free count, clear the dirty marks, free @volume.
 *
 * The volume is freed whatever is returned; the device stays open.
 * FAT_E_IO and others: changes may be missing on the medium; it stays marked dirty.
 * FAT_E_CHANGED: the same, since another program has written to it.
 */
FAT_API fat_err fat_volume_close(struct fat_volume *volume);

/*
 * Make every change that was finished before this call durable. It doesn't wait for a
 * scan, before which no change is finished.
 *
 * FAT_E_IO         writing or flushing failed, now or in an earlier commit whose
 *                  changes this one would have had to make durable
 * FAT_E_READONLY   never: with nothing to write this is FAT_OK
 */
FAT_API FAT_MUST_CHECK fat_err fat_volume_commit(struct fat_volume *volume);

/*
 * Scan a volume that was found dirty and mend what a power cut left, as its first change
 * would. Reading goes on meanwhile; changes wait. On any other volume, or when that has
 * been done, this does nothing.
 *
 * FAT_E_READONLY   the volume is read-only, or turned so by the damage that was found
 * FAT_E_STOPPED    fat_volume_stop_recovery() was called
 * FAT_E_IO, FAT_E_NOMEM   the first change will try again
 * Cost: fat_check()'s.
 */
FAT_API FAT_MUST_CHECK fat_err fat_volume_recover(struct fat_volume *volume);

/*
 * Have a scan of a volume that was found dirty end soon, whoever waits for it, and let
 * none begin: for those who want to close the volume. It says so once through @report.
 * From here on every change, and fat_volume_recover(), is refused with FAT_E_STOPPED,
 * and the volume is closed as it was found: marked dirty, with not a byte written unless
 * the scan was over and mending had begun. On a volume that was not found dirty, or has
 * been scanned, this does nothing. A read that is under way is waited for; behind it the
 * scan ends within one directory or 64 KiB of the FAT.
 */
FAT_API void fat_volume_stop_recovery(struct fat_volume *volume);

struct fat_volume_pending {
    bool any;         /* something waits for a commit                              */
    uint64_t changes; /* goes up with every change: the same number, nothing new   */
};

FAT_API struct fat_volume_pending fat_volume_pending(struct fat_volume *volume);

/* Why writing is refused, for a person; NULL while the volume can be written. */
FAT_API const char *fat_volume_read_only_reason(struct fat_volume *volume);
FAT_API bool fat_volume_is_read_only(struct fat_volume *volume);

struct fat_volume_info {
    unsigned type; /* 12, 16, 32 */
    uint32_t sector_bytes, cluster_bytes, cluster_count;
    uint32_t fat_count, active_fat, root_entries, root_cluster;
    uint64_t fat_start, fat_sectors, root_start, data_start,
            total_sectors; /* [sectors] */
    uint32_t fsinfo_sector, backup_sector, serial;
    uint8_t media;
    bool mirrored, found_dirty, has_serial;
    char oem_name[9];
    char label[34]; /* UTF-8; the root directory's, else the boot sector's, else ""  */
};

FAT_API void fat_volume_info(struct fat_volume *volume, struct fat_volume_info *ret);

/*
 * Clusters that could be claimed, those waiting for a commit included.
 *
 * Cost: the first call on a volume whose free count is not known (FAT12, FAT16,
 *       found dirty, FSInfo unknown) reads the whole FAT.
 * FAT_E_IO, FAT_E_NOMEM
 */
FAT_API FAT_MUST_CHECK fat_err fat_volume_free_clusters(
        struct fat_volume *volume, uint32_t *ret);

#endif
