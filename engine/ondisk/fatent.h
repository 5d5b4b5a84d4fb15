/* SPDX-License-Identifier: MIT */
/*
 * One FAT entry as bytes: FAT12, FAT16 and FAT32 behind one pair of functions.
 * Pure. MSFAT 4.1.
 */
#ifndef FAT_ONDISK_FATENT_H
#define FAT_ONDISK_FATENT_H

#include <stdint.h>

enum fat_type { FAT_TYPE_12 = 12, FAT_TYPE_16 = 16, FAT_TYPE_32 = 32 };

enum { FAT_ENT_BYTES_MAX = 4 };

enum fat_link_kind {
    FAT_LINK_FREE,
    FAT_LINK_NEXT, /* .cluster is the next cluster of the chain            */
    FAT_LINK_END,
    FAT_LINK_BAD,
    FAT_LINK_RESERVED, /* 1: never a cluster on any volume                 */
};

struct fat_link {
    enum fat_link_kind kind;
    uint32_t cluster; /* only for FAT_LINK_NEXT, else 0                     */
};

/* The bytes of the table that hold an entry; they may cross a sector (FAT12). */
struct fat_ent_span {
    uint64_t offset; /* from the first byte of the table            [bytes] */
    uint32_t length; /* 2 or 4                                      [bytes] */
};

struct fat_ent_span fat_ent_locate(enum fat_type type, uint32_t cluster);

/* Bytes a table needs for the clusters 0 .. @cluster_count + 1. */
uint64_t fat_ent_table_bytes(enum fat_type type, uint32_t cluster_count);

/*
 * @raw holds fat_ent_locate().length bytes.
 *
 * Values ..F0 to ..F6 are NEXT: 0xff5 is an ordinary cluster of a full FAT12
 * volume. Whether this volume has that cluster, ask fat_geometry_holds().
 */
struct fat_link fat_ent_decode(
        enum fat_type type, uint32_t cluster, const uint8_t *raw);

/*
 * The bytes and the mask of @link: (old & ~mask) | (value & mask) is the entry
 * written, with the neighbour's nibble on FAT12 and the top nibble on FAT32
 * untouched. END is written as all ones, RESERVED is never written.
 */
void fat_ent_encode(enum fat_type type, uint32_t cluster, struct fat_link link,
        uint8_t value[FAT_ENT_BYTES_MAX], uint8_t mask[FAT_ENT_BYTES_MAX]);

/*
 * The marks in FAT[1], MSFAT 4.2: 0 on FAT12, which has none. A set bit means
 * clean shutdown, no hard error. The bits are in the entry read as a number.
 */
uint32_t fat_ent_clean_bit(enum fat_type type);
uint32_t fat_ent_no_error_bit(enum fat_type type);

#endif
