/* SPDX-License-Identifier: MIT */
#ifndef FAT_CHECK_H
#define FAT_CHECK_H

#include <stddef.h>
#include <stdint.h>

#include <fatward/blkdev.h>

/*
 * The checker: reads a whole volume and names everything that is wrong with it.
 *
 * It shares the on-disk codecs with the engine and nothing else: chains, tree
 * and names are walked by code of its own, so that it can judge the engine.
 * Memory: at most five bits per cluster and a megabyte, plus the directory being read.
 * Pieces of the FAT are read more than once.
 */
enum fat_finding_kind {
    FAT_FINDING_BOOT,               /* a BPB field is odd but tolerable            */
    FAT_FINDING_BACKUP_BOOT,        /* backup boot sector differs (dirty byte aside) */
    FAT_FINDING_DEVICE_SHORT,       /* the volume is larger than its device        */
    FAT_FINDING_DIRTY,              /* boot sector byte 0x25/0x41 bit 0            */
    FAT_FINDING_DIRTY_FAT,          /* FAT[1] clean-shutdown bit is clear          */
    FAT_FINDING_HARD_ERROR,         /* FAT[1] hard-error bit, or boot byte bit 1   */
    FAT_FINDING_MEDIA,              /* FAT[0] does not match BPB_Media             */
    FAT_FINDING_FAT_DIFFERS,        /* FAT copies differ                           */
    FAT_FINDING_FSINFO_SIGNATURE,   /* FSInfo is not there                         */
    FAT_FINDING_FSINFO_UNKNOWN,     /* free count is 0xFFFFFFFF                    */
    FAT_FINDING_FSINFO_COUNT,       /* free count is wrong                         */
    FAT_FINDING_FSINFO_HINT,        /* next-free hint is out of range              */
    FAT_FINDING_LOST_CHAIN,         /* clusters in use that nobody owns            */
    FAT_FINDING_CHAIN_LONG,         /* chain longer than the size needs            */
    FAT_FINDING_CHAIN_SHORT,        /* size larger than the chain                  */
    FAT_FINDING_CHAIN_LOOP,         /* chain runs into itself                      */
    FAT_FINDING_CHAIN_FREE,         /* chain runs into a free cluster              */
    FAT_FINDING_CHAIN_BAD,          /* chain runs into a bad or reserved entry     */
    FAT_FINDING_CHAIN_RANGE,        /* chain leaves the volume                     */
    FAT_FINDING_START,              /* first cluster is no cluster of this volume  */
    FAT_FINDING_CROSS_LINK,         /* two chains share clusters                   */
    FAT_FINDING_ALIAS,              /* two entries, one kind, one first cluster    */
    FAT_FINDING_EMPTY_WITH_CHAIN,   /* size 0 with a first cluster                 */
    FAT_FINDING_DIR_SIZE,           /* directory entry with a size                 */
    FAT_FINDING_DIR_LOOP,           /* directory contains itself or an ancestor    */
    FAT_FINDING_DIR_DOT,            /* "." or ".." missing, misplaced or no directory */
    FAT_FINDING_DIR_DOT_CLUSTER,    /* "." names another cluster                   */
    FAT_FINDING_DIR_DOTDOT_CLUSTER, /* ".." names another parent                  */
    FAT_FINDING_DIR_TOO_LONG,       /* more than 65,536 slots                      */
    FAT_FINDING_AFTER_END,          /* something behind the end-of-directory mark  */
    FAT_FINDING_SHORT_NAME,         /* illegal bytes in an 8.3 name                */
    FAT_FINDING_DUPLICATE_NAME,     /* two entries with one name, long or short    */
    FAT_FINDING_LFN_ORPHAN,         /* long-name slots without their short entry   */
    FAT_FINDING_LFN_BROKEN,         /* wrong order, checksum, padding or fields    */
    FAT_FINDING_ATTRIBUTES,         /* attributes that contradict each other       */
    FAT_FINDING_LABEL,              /* label entry illegal, twice, or not in the root */
    FAT_FINDING_LABEL_DIFFERS,      /* boot sector's label differs from the root's */
    FAT_FINDING_TIME,               /* impossible date or time                     */
    FAT_FINDING_READ_ERROR,         /* the device could not read it                */
    FAT_FINDING_KIND_COUNT
};

/* How bad a finding is; the table is findings[] in check.c. */
enum fat_finding_weight {
    FAT_WEIGHT_NOTE,     /* legal, or nobody is hurt: check still says clean      */
    FAT_WEIGHT_LEFTOVER, /* what a power cut may leave (docs/crash-order.md)      */
    FAT_WEIGHT_DAMAGE,   /* bytes are lost, shown to the wrong file, or in danger */
};

struct fat_finding {
    enum fat_finding_kind kind;
    enum fat_finding_weight weight;
    const char *path;       /* UTF-8, "/" first, NULL if it is about no entry; lives
                            until the call returns                                */
    const char *text;       /* what is wrong with what, in English                   */
    uint64_t offset;        /* byte on the device it was seen at, 0 if none          */
    uint32_t cluster;       /* 0 if none                                             */
    uint32_t first, second; /* numbers the text speaks of, for programs           */
};

typedef void fat_finding_fn(void *context, const struct fat_finding *finding);

struct fat_check_summary {
    uint64_t findings[FAT_FINDING_KIND_COUNT];
    uint64_t notes, leftovers, damages; /* the same by weight                     */
    uint64_t files, directories;
    uint32_t clusters_used, clusters_free, clusters_bad, clusters_lost;
    unsigned type;
    uint32_t cluster_bytes, cluster_count;
};

/* Constant short name, "lost-chain"; never NULL. */
FAT_API const char *fat_finding_name(enum fat_finding_kind kind);

/* The weight of @kind; every judge of ours asks here. */
FAT_API enum fat_finding_weight fat_finding_weigh(enum fat_finding_kind kind);

/*
 * Check the volume on @dev; nothing is written.
 *
 * @found     told about each finding, in a fixed order; may be NULL
 * @ret       may be NULL
 *
 * FAT_OK          the check was done; look at @ret for what it found
 * FAT_E_NOTFAT    no FAT volume here; FAT_E_CORRUPT: the boot sector contradicts
 *                 itself so that nothing more can be read (told through @found)
 * FAT_E_IO, FAT_E_NOMEM
 */
FAT_API FAT_MUST_CHECK fat_err fat_check(struct fat_blkdev *dev, fat_finding_fn *found,
        void *context, struct fat_check_summary *ret);

#endif
