/* SPDX-License-Identifier: MIT */
#ifndef FAT_FORMAT_H
#define FAT_FORMAT_H

#include <stdbool.h>
#include <stdint.h>

#include <fatward/blkdev.h>
#include <fatward/time.h>

/*
 * Making an empty FAT volume.
 *
 * Every field may be left zero: then the geometry is what mkfs.fat 4.2 would
 * choose for a volume of that size, save for smaller clusters where it gives up.
 */
struct fat_format_options {
    unsigned type;             /* 12, 16, 32; 0 means by size                      */
    uint32_t sector_bytes;     /* 512, 1024, 2048, 4096; 0 means 512       [bytes] */
    uint32_t cluster_sectors;  /* a power of two, 1..128; 0 means by size          */
    uint32_t fat_count;        /* 1..255; 0 means 2                                */
    uint32_t root_entries;     /* FAT12 and FAT16; 0 means 512 (112, 224 on floppies) */
    uint32_t reserved_sectors; /* exact when given; 0 means mkfs.fat's, aligned   */
    uint32_t hidden_sectors;
    uint32_t serial;      /* volume serial number, when @has_serial               */
    bool has_serial;      /* otherwise derived from @now                          */
    uint8_t media;        /* 0 means 0xF8 (0xF0, 0xF9, 0xFD on floppies)          */
    char label[12];       /* up to 11 ASCII characters and NUL, upper-cased; "" and
                             "NO NAME" are none                                   */
    struct fat_time now;  /* the label's time and the serial's source             */
    bool allow_ambiguous; /* accept a cluster count that some systems read as
                             another type (small FAT32); never the default        */
};

/* What fat_format() made, or would make. */
struct fat_format_result {
    unsigned type;
    uint32_t sector_bytes, cluster_sectors, cluster_count;
    uint32_t reserved_sectors, fat_count, fat_sectors, root_entries;
    uint32_t total_sectors, serial;
};

/*
 * Format all of @dev, or its first 2^32-1 sectors: a boot sector can't say more, and
 * the rest stays unused (MSFAT 3.1). Everything that matters is written and flushed; the
 * boot sector is written last, so that an interrupted format is not a volume.
 *
 * @options   NULL means all zero
 * @ret       may be NULL
 *
 * FAT_E_INVAL    an option is out of its range, or two contradict each other
 * FAT_E_NOSPC    the device is too small for the wanted type
 * FAT_E_FBIG     the device is too large for the wanted type and cluster
 * FAT_E_RANGE    the cluster count would be read as different types by
 *                different systems (MSFAT 3.5; 4085, 4086, small FAT32) and
 *                allow_ambiguous is not set
 * FAT_E_IO, FAT_E_NOMEM, FAT_E_READONLY
 * After the first four nothing has been written.
 */
FAT_API FAT_MUST_CHECK fat_err fat_format(struct fat_blkdev *dev,
        const struct fat_format_options *options, struct fat_format_result *ret);

#endif
