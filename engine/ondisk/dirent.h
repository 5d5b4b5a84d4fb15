/* SPDX-License-Identifier: MIT */
/*
 * One 32-byte directory slot: short entry, long-name slot, free or end. Pure.
 * MSFAT 6.
 */
#ifndef FAT_ONDISK_DIRENT_H
#define FAT_ONDISK_DIRENT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/fattime.h"
#include "ondisk/fatent.h"

enum { FAT_HUNDREDTHS = 200 }; /* values of DIR_CrtTimeTenth */

enum { FAT_SLOT_BYTES = 32, FAT_SHORT_BYTES = 11 };

enum {
    DIR_NAME = 0,            /* 11 */
    DIR_ATTR = 11,           /* 1 */
    DIR_NTRES = 12,          /* 1: bit 3 lower-case base, bit 4 lower-case extension */
    DIR_CRT_TIME_TENTH = 13, /* 1: in units of 10 ms */
    DIR_CRT_TIME = 14,       /* 2 */
    DIR_CRT_DATE = 16,       /* 2 */
    DIR_LST_ACC_DATE = 18,   /* 2 */
    DIR_FST_CLUS_HI = 20,    /* 2: FAT32; an OS/2 handle on FAT12 and FAT16 */
    DIR_WRT_TIME = 22,       /* 2 */
    DIR_WRT_DATE = 24,       /* 2 */
    DIR_FST_CLUS_LO = 26,    /* 2 */
    DIR_FILE_SIZE = 28,      /* 4 */
};

enum {
    FAT_ATTR_READ_ONLY = 0x01,
    FAT_ATTR_HIDDEN = 0x02,
    FAT_ATTR_SYSTEM = 0x04,
    FAT_ATTR_VOLUME_ID = 0x08,
    FAT_ATTR_DIRECTORY = 0x10,
    FAT_ATTR_ARCHIVE = 0x20,
    FAT_ATTR_LONG_NAME = 0x0f,
};

enum { FAT_NT_LOWER_BASE = 0x08, FAT_NT_LOWER_EXT = 0x10 };

enum { FAT_SLOT_FREE_BYTE = 0xe5, FAT_SLOT_KANJI_BYTE = 0x05 };

enum fat_slot_kind {
    FAT_SLOT_END,   /* first byte 0x00: nothing from here on              */
    FAT_SLOT_FREE,  /* first byte 0xE5                                    */
    FAT_SLOT_LONG,  /* attributes (masked with 0x3F) exactly 0x0F         */
    FAT_SLOT_LABEL, /* volume-ID bit without the directory bit            */
    FAT_SLOT_SHORT, /* a file or a directory, "." and ".." included       */
};

enum fat_slot_kind fat_slot_classify(const uint8_t *raw);

/* A short entry's fields; @name is as stored (0x05 not translated). */
struct fat_dirent {
    uint8_t name[FAT_SHORT_BYTES];
    uint8_t attributes;
    uint8_t nt_flags;
    struct fat_stamp created, accessed, written;
    uint32_t first_cluster; /* on FAT12 and FAT16 the high half is not read */
    uint32_t size_bytes;
};

void fat_dirent_decode(enum fat_type type, const uint8_t *raw, struct fat_dirent *ret);

/* Writes every field; on FAT12 and FAT16 the two bytes at DIR_FST_CLUS_HI survive. */
void fat_dirent_encode(
        enum fat_type type, const struct fat_dirent *entry, uint8_t *raw);

/* Replace the two lower-case bits of nt_flags; the others stay. */
void fat_dirent_set_case(struct fat_dirent *entry, uint8_t nt_flags);

/* "." or "..", as stored. */
bool fat_short_is_dot(const uint8_t name[FAT_SHORT_BYTES]);
bool fat_short_is_dotdot(const uint8_t name[FAT_SHORT_BYTES]);

#endif
