/* SPDX-License-Identifier: MIT */
#ifndef FAT_REPAIR_H
#define FAT_REPAIR_H

#include <stddef.h>
#include <stdint.h>

#include <fatward/blkdev.h>
#include <fatward/check.h>
#include <fatward/report.h>
#include <fatward/time.h>

/*
 * Repair: checks a volume that nobody has open, and mends what can be mended without
 * loss for anybody, by what mounting a volume found dirty does before its first change.
 *
 * Mended is everything of weight leftover, and of damage: a wrong free count, a ".."
 * that names what is no directory. Damage that is in names only (illegal, used twice, a
 * broken long name) is left and stands in nobody's way, except that lost clusters stay
 * lost beside it: they may be what it has cut off. Where there is any other damage
 * nothing is written at all; nor where two names share a chain on a volume that is
 * marked clean: that was no power cut in a rename, so each of them may be somebody's.
 *
 * Interrupted at any write, the volume is left as a power cut would leave it: a further
 * repair, or mounting it and changing something, goes on.
 */
enum {
    FAT_REPAIR_SAVE_LOST = 1 << 0, /* lost clusters become files in the root directory,
                                      FSCK0000.REC and so on, not free space; without
                                      room there they stay lost, and it is PARTLY    */
    FAT_REPAIR_CUT_SIZES = 1 << 1, /* where a file is larger than its chain, its size is
                                      cut down; without it that is damage like any    */
};

/* Every field may be left zero. */
struct fat_repair_options {
    uint32_t flags;        /* FAT_REPAIR_...                                        */
    size_t cache_bytes;    /* as in struct fat_volume_options, and what follows too */
    int utc_offset;        /* [minutes]                                             */
    fat_clock_fn *clock;   /* NULL means the system's clock                         */
    void *clock_context;   /*                                                       */
    fat_report_fn *report; /* NULL means nobody is told                             */
    void *report_context;
    fat_finding_fn *found; /* what the first check finds; may be NULL               */
    fat_finding_fn *left;  /* what is there after it was mended in part; may be NULL */
    void *finding_context; /* for both                                              */
};

enum fat_repair_outcome {
    FAT_REPAIR_CLEAN,   /* nothing above a note was found; nothing was written       */
    FAT_REPAIR_MENDED,  /* something was, and nothing is any more                    */
    FAT_REPAIR_PARTLY,  /* something was mended, something is left                   */
    FAT_REPAIR_REFUSED, /* nothing of what was found can be mended safely, or beside it;
                           nothing was written                                      */
};

struct fat_repair_summary {
    enum fat_repair_outcome outcome;
    struct fat_check_summary before, after; /* after: of the volume as it is now     */
    uint32_t files_saved, clusters_saved;   /* lost ones that became files           */
};

/*
 * Repair the volume on @dev, which nobody else may use meanwhile.
 *
 * @options   NULL means all zero
 * @ret       may be NULL
 *
 * FAT_OK           look at @ret
 * FAT_E_READONLY   @dev can't be written; nothing was checked
 * FAT_E_NOTFAT, FAT_E_CORRUPT   as fat_check(); nothing was written
 * FAT_E_IO, FAT_E_NOMEM and others   it may be half done
 */
FAT_API FAT_MUST_CHECK fat_err fat_repair(struct fat_blkdev *dev,
        const struct fat_repair_options *options, struct fat_repair_summary *ret);

#endif
