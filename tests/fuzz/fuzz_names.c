/* SPDX-License-Identifier: MIT */
/*
 * Names: UTF-8 and UTF-16 both ways, long names into slots and back, short names that
 * are legal whatever they are made of, and slots that a stranger filled.
 */
#include <string.h>

#include "base/casefold.h"
#include "base/utf16.h"
#include "fuzz.h"
#include "ondisk/lfn.h"
#include "ondisk/shortname.h"

static void check_text(const uint8_t *bytes, size_t length)
{
    uint16_t units[512];
    char again[3 * 512 + 1];
    size_t count = 0;
    size_t written = 0;

    if (fat_utf8_to_utf16((const char *)bytes, length, units, 512, &count) == FAT_OK) {
        PROMISE(count <= length);
        PROMISE(fat_utf16_to_utf8(units, count, again, sizeof(again), &written) ==
                FAT_OK);
        PROMISE(written == length && memcmp(again, bytes, length) == 0);
    }
}

static void check_units(const uint8_t *bytes, size_t length)
{
    uint16_t units[256];
    uint16_t back[256];
    char text[3 * 256 + 1];
    const size_t count = length / 2 < 256 ? length / 2 : 256;
    size_t written = 0;
    size_t again = 0;

    memcpy(units, bytes, 2 * count);
    if (fat_utf16_to_utf8(units, count, text, 3 * count + 1, &written) == FAT_OK) {
        PROMISE(written <= 3 * count && text[written] == '\0');
        PROMISE(fat_utf8_to_utf16(text, written, back, 256, &again) == FAT_OK);
        PROMISE(again == count && memcmp(back, units, 2 * count) == 0);
    }
    for (size_t i = 0; i < count; i++) {
        PROMISE(fat_upcase(fat_upcase(units[i])) == fat_upcase(units[i]));
    }
}

static void store_and_read(
        const uint16_t *units, size_t length, const uint8_t short_name[FAT_SHORT_BYTES])
{
    const unsigned slots = fat_lfn_slots(length);
    struct fat_lfn lfn;
    uint8_t raw[FAT_SLOT_BYTES];
    size_t got = 0;
    unsigned got_slots = 0;

    PROMISE(slots >= 1 && slots <= FAT_LFN_SLOTS_MAX);
    fat_lfn_reset(&lfn);
    for (unsigned ordinal = slots; ordinal > 0; ordinal--) {
        fat_lfn_encode(units, length, ordinal, fat_lfn_checksum(short_name), raw);
        PROMISE(fat_slot_classify(raw) == FAT_SLOT_LONG);
        fat_lfn_push(&lfn, raw);
    }
    PROMISE(fat_lfn_finish(&lfn, short_name, &got, &got_slots));
    PROMISE(got == length && got_slots == slots);
    PROMISE(memcmp(lfn.units, units, length * 2) == 0);
}

static void check_fit(
        const struct fat_short_basis *basis, const uint16_t *units, size_t length)
{
    uint16_t shown[FAT_SHORT_UNITS_MAX];
    size_t count;

    PROMISE(fat_short_is_legal(basis->name));
    count = fat_short_units(basis->name, basis->nt_flags, shown);
    switch (basis->fit) {
    case FAT_SHORT_FITS:
        PROMISE(count == length && memcmp(shown, units, 2 * length) == 0);
        break;
    case FAT_SHORT_CASE:
        PROMISE(fat_casefold_equal(shown, count, units, length));
        break;
    case FAT_SHORT_LOSSY:
        break;
    }
}

static void check_name(const uint8_t *bytes, size_t length)
{
    uint16_t units[FAT_NAME_UNITS_MAX];
    uint8_t tailed[FAT_SHORT_BYTES];
    struct fat_short_basis basis;
    size_t count = 0;

    if (length < 4 || fat_name_parse((const char *)bytes + 4, length - 4, units,
                              &count) != FAT_OK) {
        return;
    }
    PROMISE(count >= 1 && count <= FAT_NAME_UNITS_MAX && units[count - 1] != '.');
    basis = fat_short_basis(units, count);
    check_fit(&basis, units, count);
    store_and_read(units, count, basis.name);
    fat_short_with_tail(&basis,
            (bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16) %
                    FAT_SHORT_TAILS,
            tailed);
    PROMISE(fat_short_is_legal(tailed) && memchr(tailed, '~', 8));
    store_and_read(units, count, tailed);
}

/* Slots as they come, and then their short entry. */
static void check_slots(const uint8_t *bytes, size_t length)
{
    struct fat_lfn lfn;
    uint8_t raw[FAT_SLOT_BYTES];
    uint16_t shown[FAT_SHORT_UNITS_MAX];
    size_t count = 0;
    unsigned slots = 0;

    if (length < FAT_SHORT_BYTES + 1) {
        return;
    }
    fat_lfn_reset(&lfn);
    for (size_t at = FAT_SHORT_BYTES + 1; length - at >= FAT_SLOT_BYTES;
            at += FAT_SLOT_BYTES) {
        memcpy(raw, bytes + at, sizeof(raw));
        if (bytes[FAT_SHORT_BYTES] & 1) { /* a checksum is hard to guess */
            raw[LDIR_CHKSUM] = fat_lfn_checksum(bytes);
            raw[LDIR_ATTR] = FAT_ATTR_LONG_NAME;
            raw[LDIR_TYPE] = 0;
            raw[LDIR_FST_CLUS_LO] = raw[LDIR_FST_CLUS_LO + 1] = 0;
        }
        fat_lfn_push(&lfn, raw);
    }
    if (fat_lfn_finish(&lfn, bytes, &count, &slots) && count > 0) {
        uint16_t units[FAT_NAME_UNITS_MAX];

        PROMISE(count <= FAT_NAME_UNITS_MAX && slots == fat_lfn_slots(count));
        memcpy(units, lfn.units, 2 * count);
        store_and_read(units, count, bytes);
    }
    PROMISE(fat_short_units(bytes, bytes[FAT_SHORT_BYTES], shown) <=
            FAT_SHORT_UNITS_MAX);
    (void)fat_short_is_legal(bytes); /* reads it all */
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    if (length == 0) {
        return 0;
    }
    switch (bytes[0] % 4) {
    case 0:
        check_text(bytes + 1, length - 1);
        break;
    case 1:
        check_units(bytes + 1, length - 1);
        break;
    case 2:
        check_name(bytes + 1, length - 1);
        break;
    default:
        check_slots(bytes + 1, length - 1);
        break;
    }
    return 0;
}
