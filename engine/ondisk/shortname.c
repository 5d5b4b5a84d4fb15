/* SPDX-License-Identifier: MIT */
/*
 * How a name becomes 8.3 follows the Linux kernel's vfat step by step, so that a
 * volume looks the same whoever wrote it. The one difference: the hex digits of
 * late tails come from the name and not from a clock, so that the same files make
 * the same image.
 */
#include "ondisk/shortname.h"

#include <assert.h>
#include <string.h>

#include "base/casefold.h"
#include "base/codepage.h"
#include "base/utf16.h"

enum {
    BASE_BYTES = 8,
    EXT_BYTES = 3,
    BASE_WITH_TAIL = 6,     /* "~1" behind it                              */
    BASE_WITH_HEX_TAIL = 2, /* "1A2B~1" behind it                          */
    TAILS_PER_HASH = 9,
    DEL = 0x7f, /* from here on the code page decides                      */
};

/* Units that no name may have at all: MSFAT 7. */
static bool is_illegal_anywhere(uint16_t unit)
{
    return unit < 0x20 || (unit < DEL && strchr("\"*/:<>?\\|", unit));
}

/* Units that a long name may have and a short one may not. */
static bool is_illegal_in_short(uint16_t unit)
{
    return unit < DEL && unit > 0 && strchr("[];,+=", unit);
}

static bool is_skipped(uint16_t unit)
{
    return unit == '.' || unit == ' ';
}

/* A part without its padding; a NUL ends it, as in the kernel. */
static size_t part_length(const uint8_t *part, size_t capacity)
{
    const uint8_t *nul = memchr(part, 0, capacity);
    size_t length = nul ? (size_t)(nul - part) : capacity;

    while (length > 0 && part[length - 1] == ' ') {
        length--;
    }
    return length;
}

static void decode_part(const uint8_t *part, size_t length, bool lower, uint16_t *units)
{
    for (size_t i = 0; i < length; i++) {
        units[i] = fat_oem_to_unit(lower ? fat_oem_downcase(part[i]) : part[i]);
    }
}

size_t fat_short_units(const uint8_t name[FAT_SHORT_BYTES], uint8_t nt_flags,
        uint16_t units[FAT_SHORT_UNITS_MAX])
{
    uint8_t stored[FAT_SHORT_BYTES];
    size_t length, ext_length;

    memcpy(stored, name, sizeof(stored));
    if (stored[0] == FAT_SLOT_KANJI_BYTE) {
        stored[0] = FAT_SLOT_FREE_BYTE;
    }
    length = part_length(stored, BASE_BYTES);
    ext_length = part_length(stored + BASE_BYTES, EXT_BYTES);
    decode_part(stored, length, nt_flags & FAT_NT_LOWER_BASE, units);
    if (ext_length > 0) {
        units[length++] = '.';
        decode_part(stored + BASE_BYTES, ext_length, nt_flags & FAT_NT_LOWER_EXT,
                units + length);
    }
    return length + ext_length;
}

fat_err fat_name_parse(const char *bytes, size_t length,
        uint16_t units[FAT_NAME_UNITS_MAX], size_t *ret_length)
{
    uint16_t decoded[FAT_NAME_UNITS_MAX];
    size_t count = 0;
    fat_err err;

    while (length > 0 && bytes[length - 1] == '.') {
        length--;
    }
    err = fat_utf8_to_utf16(bytes, length, decoded, FAT_NAME_UNITS_MAX, &count);
    if (err) {
        return err;
    }
    /* A name of only dots and spaces is empty or ends with a space by now. */
    if (count == 0 || decoded[count - 1] == ' ') {
        return FAT_E_NAME;
    }
    for (size_t i = 0; i < count; i++) {
        if (is_illegal_anywhere(decoded[i])) {
            return FAT_E_NAME;
        }
    }
    memcpy(units, decoded, count * sizeof(*units));
    *ret_length = count;
    return FAT_OK;
}

/* What was seen in a base or an extension while it was squeezed into its bytes. */
struct part {
    size_t length;
    bool lossy; /* something was dropped, replaced or cut                    */
    bool has_lower, has_upper;
    bool has_oem; /* its letters depend on the code page                     */
};

static uint8_t short_byte(uint16_t unit, struct part *part)
{
    uint8_t byte = fat_oem_from_unit(unit);

    if (byte == 0 || is_illegal_anywhere(unit) || is_illegal_in_short(unit)) {
        part->lossy = true;
        return '_';
    }
    if (unit >= DEL) {
        part->has_oem = true;
    } else if (unit >= 'a' && unit <= 'z') {
        part->has_lower = true;
    } else if (unit >= 'A' && unit <= 'Z') {
        part->has_upper = true;
    }
    return fat_oem_upcase(byte);
}

static struct part squeeze(
        const uint16_t *units, size_t length, uint8_t *bytes, size_t capacity)
{
    struct part part = {0};

    for (size_t i = 0; i < length; i++) {
        if (is_skipped(units[i]) || part.length == capacity) {
            part.lossy = true;
        } else {
            bytes[part.length++] = short_byte(units[i], &part);
        }
    }
    return part;
}

/*
 * Where the extension's dot is, @length if there is no extension: the last dot,
 * unless it is the last unit or has nothing but dots and spaces before it.
 */
static size_t find_dot(const uint16_t *units, size_t length)
{
    size_t dot = length;

    for (size_t i = 0; i < length; i++) {
        if (units[i] == '.') {
            dot = i;
        }
    }
    if (dot + 1 >= length) {
        return length;
    }
    for (size_t i = 0; i < dot; i++) {
        if (!is_skipped(units[i])) {
            return dot;
        }
    }
    return length;
}

static enum fat_short_fit fit_of(const struct part *base, const struct part *ext)
{
    if (base->lossy || ext->lossy) {
        return FAT_SHORT_LOSSY;
    }
    /* Another code page would show another name: Linux and Windows write it long. */
    if (base->has_oem || ext->has_oem || (base->has_lower && base->has_upper) ||
            (ext->has_lower && ext->has_upper)) {
        return FAT_SHORT_CASE;
    }
    return FAT_SHORT_FITS;
}

struct fat_short_basis fat_short_basis(const uint16_t *units, size_t length)
{
    struct fat_short_basis basis = {.hash = fat_casefold_hash(units, length)};
    const size_t dot = find_dot(units, length);
    struct part base, ext = {0};

    memset(basis.name, ' ', FAT_SHORT_BYTES);
    base = squeeze(units, dot, basis.name, BASE_BYTES);
    if (dot < length) {
        ext = squeeze(
                units + dot + 1, length - dot - 1, basis.name + BASE_BYTES, EXT_BYTES);
    }
    if (base.length == 0) {
        basis.name[0] = '_';
        base.lossy = true;
    }
    if (basis.name[0] == FAT_SLOT_FREE_BYTE) {
        basis.name[0] = FAT_SLOT_KANJI_BYTE;
    }
    basis.fit = fit_of(&base, &ext);
    if (basis.fit == FAT_SHORT_FITS) {
        basis.nt_flags = (uint8_t)((base.has_lower ? FAT_NT_LOWER_BASE : 0) |
                                   (ext.has_lower ? FAT_NT_LOWER_EXT : 0));
    }
    assert(fat_short_is_legal(basis.name));
    return basis;
}

void fat_short_with_tail(const struct fat_short_basis *basis, uint32_t n,
        uint8_t ret_name[FAT_SHORT_BYTES])
{
    const bool is_hex = n >= TAILS_PER_HASH;
    const size_t room = is_hex ? BASE_WITH_HEX_TAIL : BASE_WITH_TAIL;
    const uint32_t hash = basis->hash + n / TAILS_PER_HASH;
    size_t length = part_length(basis->name, BASE_BYTES);

    assert(n < FAT_SHORT_TAILS);
    if (length > room) {
        length = room;
    }
    memmove(ret_name, basis->name, FAT_SHORT_BYTES);
    memset(ret_name + length, ' ', BASE_BYTES - length);
    for (unsigned shift = 16; is_hex && shift > 0; length++) {
        shift -= 4;
        ret_name[length] = (uint8_t) "0123456789ABCDEF"[hash >> shift & 0xf];
    }
    ret_name[length] = '~';
    ret_name[length + 1] = (uint8_t)('1' + n % TAILS_PER_HASH);
}

bool fat_short_is_legal(const uint8_t name[FAT_SHORT_BYTES])
{
    if (name[0] == ' ' || name[0] == FAT_SLOT_FREE_BYTE) {
        return false;
    }
    for (size_t i = 0; i < FAT_SHORT_BYTES; i++) {
        const uint8_t byte = name[i];

        if (i == 0 && byte == FAT_SLOT_KANJI_BYTE) {
            continue;
        }
        if (is_illegal_anywhere(byte) || is_illegal_in_short(byte) || byte == '.' ||
                (byte >= 'a' && byte <= 'z')) {
            return false;
        }
    }
    return true;
}
