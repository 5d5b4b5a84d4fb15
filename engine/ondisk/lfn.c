/* SPDX-License-Identifier: MIT */
/*
 * The slots of a name stand before its short entry, the highest number first. The
 * highest is known by LDIR_LAST, and only that one may end in a NUL and padding.
 */
#include "ondisk/lfn.h"

#include <assert.h>

#include "base/bytes.h"

enum { PADDING = 0xffff };

/* Where the units of a slot are. */
static const uint8_t unit_offsets[FAT_LFN_UNITS] = {LDIR_NAME1, LDIR_NAME1 + 2,
        LDIR_NAME1 + 4, LDIR_NAME1 + 6, LDIR_NAME1 + 8, LDIR_NAME2, LDIR_NAME2 + 2,
        LDIR_NAME2 + 4, LDIR_NAME2 + 6, LDIR_NAME2 + 8, LDIR_NAME2 + 10, LDIR_NAME3,
        LDIR_NAME3 + 2};

uint8_t fat_lfn_checksum(const uint8_t name[FAT_SHORT_BYTES])
{
    unsigned sum = 0;

    for (size_t i = 0; i < FAT_SHORT_BYTES; i++) {
        sum = ((sum & 1) << 7 | sum >> 1) + name[i];
        sum &= 0xff;
    }
    return (uint8_t)sum;
}

unsigned fat_lfn_slots(size_t length)
{
    assert(length <= FAT_NAME_UNITS_MAX);
    return (unsigned)((length + FAT_LFN_UNITS - 1) / FAT_LFN_UNITS);
}

void fat_lfn_encode(const uint16_t *units, size_t length, unsigned ordinal,
        uint8_t checksum, uint8_t *raw)
{
    const unsigned slots = fat_lfn_slots(length);
    size_t next = (size_t)(ordinal - 1) * FAT_LFN_UNITS;

    assert(ordinal >= 1 && ordinal <= slots);
    raw[LDIR_ORD] = (uint8_t)(ordinal == slots ? ordinal | LDIR_LAST : ordinal);
    raw[LDIR_ATTR] = FAT_ATTR_LONG_NAME;
    raw[LDIR_TYPE] = 0;
    raw[LDIR_CHKSUM] = checksum;
    fat_put16(raw, LDIR_FST_CLUS_LO, 0);
    for (size_t i = 0; i < FAT_LFN_UNITS; i++, next++) {
        uint16_t unit = PADDING;

        if (next < length) {
            unit = units[next];
        } else if (next == length) {
            unit = 0;
        }
        fat_put16(raw, unit_offsets[i], unit);
    }
}

void fat_lfn_reset(struct fat_lfn *lfn)
{
    lfn->slots = 0;
    lfn->expected = 0;
    lfn->broken = false;
}

/* The set under way is none; its slots belong to nobody. */
static void abandon(struct fat_lfn *lfn)
{
    lfn->slots = 0;
    lfn->expected = 0;
    lfn->broken = true;
}

/*
 * Copies the units of a slot to their place. Returns false if a slot that is not
 * the last one ends early, or if anything but padding follows the NUL.
 */
static bool take_units(const uint8_t *raw, bool is_last, uint16_t *units)
{
    bool ended = false;

    for (size_t i = 0; i < FAT_LFN_UNITS; i++) {
        units[i] = fat_get16(raw, unit_offsets[i]);
        if (ended && units[i] != PADDING) {
            return false;
        }
        if (units[i] == 0) {
            ended = true;
        }
    }
    return is_last || !ended;
}

void fat_lfn_push(struct fat_lfn *lfn, const uint8_t *raw)
{
    const bool is_last = (raw[LDIR_ORD] & LDIR_LAST) != 0;
    const unsigned ordinal = raw[LDIR_ORD] & ~(unsigned)LDIR_LAST;

    if (is_last) {
        /* Whatever came before it without a short entry is left over. */
        if (lfn->slots > 0) {
            lfn->broken = true;
        }
        lfn->checksum = raw[LDIR_CHKSUM];
        lfn->slots = 0;
        if (ordinal >= 1 && ordinal <= FAT_LFN_SLOTS_MAX) {
            lfn->slots = (uint8_t)ordinal;
            lfn->expected = lfn->slots;
        }
    }
    if (lfn->slots == 0 || lfn->expected == 0 || ordinal != lfn->expected ||
            raw[LDIR_CHKSUM] != lfn->checksum || raw[LDIR_TYPE] != 0 ||
            fat_get16(raw, LDIR_FST_CLUS_LO) != 0 ||
            !take_units(
                    raw, is_last, lfn->units + (size_t)(ordinal - 1) * FAT_LFN_UNITS)) {
        abandon(lfn);
        return;
    }
    lfn->expected--;
}

/* Only the highest slot can hold a NUL, fat_lfn_push() has seen to that. */
static size_t name_length(const struct fat_lfn *lfn)
{
    const size_t most = (size_t)lfn->slots * FAT_LFN_UNITS;
    size_t length = most - FAT_LFN_UNITS;

    while (length < most && lfn->units[length] != 0) {
        length++;
    }
    return length;
}

bool fat_lfn_finish(struct fat_lfn *lfn, const uint8_t short_name[FAT_SHORT_BYTES],
        size_t *ret_length, unsigned *ret_slots)
{
    bool clean = !lfn->broken;

    *ret_length = 0;
    *ret_slots = 0;
    if (lfn->slots > 0) {
        const size_t length = name_length(lfn);

        if (lfn->expected == 0 && lfn->checksum == fat_lfn_checksum(short_name) &&
                length >= 1 && length <= FAT_NAME_UNITS_MAX) {
            *ret_length = length;
            *ret_slots = lfn->slots;
        } else {
            clean = false;
        }
    }
    fat_lfn_reset(lfn);
    return clean;
}
