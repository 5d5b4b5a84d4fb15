/* SPDX-License-Identifier: MIT */
/*
 * Long names: UTF-16 units and the slots that hold them. Pure. MSFAT 7.
 */
#ifndef FAT_ONDISK_LFN_H
#define FAT_ONDISK_LFN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ondisk/dirent.h"

enum {
    FAT_LFN_UNITS = 13, /* per slot */
    FAT_LFN_SLOTS_MAX = 20,
    FAT_NAME_UNITS_MAX = 255,
    FAT_NAME_BYTES_MAX = 3 * FAT_NAME_UNITS_MAX, /* UTF-8, without NUL */
};

enum {
    LDIR_ORD = 0,          /* 1: 1..20, with 0x40 in the highest */
    LDIR_NAME1 = 1,        /* 5 units */
    LDIR_ATTR = 11,        /* 1 */
    LDIR_TYPE = 12,        /* 1: 0 */
    LDIR_CHKSUM = 13,      /* 1 */
    LDIR_NAME2 = 14,       /* 6 units */
    LDIR_FST_CLUS_LO = 26, /* 2: 0 */
    LDIR_NAME3 = 28,       /* 2 units */
    LDIR_LAST = 0x40,
};

/* MSFAT 7.2, over the 11 bytes as stored. */
uint8_t fat_lfn_checksum(const uint8_t name[FAT_SHORT_BYTES]);

/* Slots that a name of @length units needs, without the short entry. */
unsigned fat_lfn_slots(size_t length);

/*
 * The slot with number @ordinal (1 .. fat_lfn_slots()) of a name.
 *
 * @raw   FAT_SLOT_BYTES, all written
 */
void fat_lfn_encode(const uint16_t *units, size_t length, unsigned ordinal,
        uint8_t checksum, uint8_t *raw);

/*
 * Puts a name together from slots in the order they are on disk.
 *
 * Feed every LONG slot to fat_lfn_push(), any other slot that is not a short
 * entry to fat_lfn_reset(), and ask fat_lfn_finish() at a short entry, which
 * also resets. A gap, a wrong order, checksum, type, start cluster or padding
 * makes the set invalid: the short name is used instead.
 */
struct fat_lfn {
    uint16_t units[FAT_LFN_SLOTS_MAX * FAT_LFN_UNITS];
    uint8_t checksum;
    uint8_t slots;    /* of the set under way, 0: none                          */
    uint8_t expected; /* ordinal of the next slot, 0: the set is complete       */
    bool broken;      /* a slot that belonged to no set was seen since the reset */
};

void fat_lfn_reset(struct fat_lfn *lfn);
void fat_lfn_push(struct fat_lfn *lfn, const uint8_t *raw);

/*
 * @ret_length   units of the name in lfn->units; 0: no valid long name
 * @ret_slots    LONG slots that belong to it; 0 if it has no valid long name
 * Returns false if LONG slots were seen that are no valid name for @short_name.
 */
bool fat_lfn_finish(struct fat_lfn *lfn, const uint8_t short_name[FAT_SHORT_BYTES],
        size_t *ret_length, unsigned *ret_slots);

#endif
