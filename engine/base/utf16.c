/* SPDX-License-Identifier: MIT */
/*
 * Names travel as UTF-8 outside and as UTF-16 on disk. Both directions refuse
 * whatever has no exact counterpart, so that a name that was accepted always
 * reads back byte for byte.
 */
#include "base/utf16.h"

#include <stdbool.h>

enum {
    SURROGATE_HIGH = 0xd800,
    SURROGATE_LOW = 0xdc00,
    SURROGATE_END = 0xe000,
    BMP_END = 0x10000,
    POINT_END = 0x110000,
};

static bool is_surrogate(uint32_t point)
{
    return point >= SURROGATE_HIGH && point < SURROGATE_END;
}

/* Bytes of the sequence that starts with @lead, 0 if none does. */
static size_t sequence_length(uint8_t lead)
{
    if (lead < 0x80) {
        return 1;
    }
    if (lead >= 0xc2 && lead < 0xe0) {
        return 2;
    }
    if (lead >= 0xe0 && lead < 0xf0) {
        return 3;
    }
    if (lead >= 0xf0 && lead < 0xf5) {
        return 4;
    }
    return 0;
}

/* The code point at @bytes and its length, 0 if there is no valid one. */
static size_t decode_point(const char *bytes, size_t left, uint32_t *ret_point)
{
    static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
    const uint8_t lead = (uint8_t)bytes[0];
    const size_t length = sequence_length(lead);
    uint32_t point;

    if (length == 0 || length > left) {
        return 0;
    }
    point = length == 1 ? lead : lead & (0x7fU >> length);
    for (size_t i = 1; i < length; i++) {
        const uint8_t next = (uint8_t)bytes[i];

        if ((next & 0xc0) != 0x80) {
            return 0;
        }
        point = point << 6 | (next & 0x3fU);
    }
    if (point < smallest[length] || point >= POINT_END || is_surrogate(point)) {
        return 0;
    }
    *ret_point = point;
    return length;
}

fat_err fat_utf8_to_utf16(const char *bytes, size_t length, uint16_t *units,
        size_t capacity, size_t *ret_length)
{
    size_t count = 0;

    for (size_t i = 0; i < length;) {
        uint32_t point = 0;
        const size_t taken = decode_point(bytes + i, length - i, &point);
        const size_t needed = point < BMP_END ? 1 : 2;

        if (taken == 0) {
            return FAT_E_NAME;
        }
        if (capacity - count < needed) {
            return FAT_E_NAMETOOLONG;
        }
        if (needed == 1) {
            units[count++] = (uint16_t)point;
        } else {
            point -= BMP_END;
            units[count++] = (uint16_t)(SURROGATE_HIGH | point >> 10);
            units[count++] = (uint16_t)(SURROGATE_LOW | (point & 0x3ff));
        }
        i += taken;
    }
    *ret_length = count;
    return FAT_OK;
}

/* The code point at @units and its length in units, 0 if a surrogate stands alone. */
static size_t join_point(const uint16_t *units, size_t left, uint32_t *ret_point)
{
    const uint32_t first = units[0];

    if (!is_surrogate(first)) {
        *ret_point = first;
        return 1;
    }
    if (first >= SURROGATE_LOW || left < 2 || units[1] < SURROGATE_LOW ||
            units[1] >= SURROGATE_END) {
        return 0;
    }
    *ret_point = BMP_END + ((first - SURROGATE_HIGH) << 10) +
                 (uint32_t)(units[1] - SURROGATE_LOW);
    return 2;
}

/* Returns the number of bytes written to @out. */
static size_t encode_point(uint32_t point, uint8_t out[4])
{
    static const uint8_t leads[] = {0, 0, 0xc0, 0xe0, 0xf0};
    size_t length = 4;

    if (point < 0x80) {
        out[0] = (uint8_t)point;
        return 1;
    }
    if (point < 0x800) {
        length = 2;
    } else if (point < BMP_END) {
        length = 3;
    }
    for (size_t i = length - 1; i > 0; i--) {
        out[i] = (uint8_t)(0x80 | (point & 0x3f));
        point >>= 6;
    }
    out[0] = (uint8_t)(leads[length] | point);
    return length;
}

fat_err fat_utf16_to_utf8(const uint16_t *units, size_t length, char *bytes,
        size_t capacity, size_t *ret_length)
{
    size_t count = 0;

    for (size_t i = 0; i < length;) {
        uint8_t encoded[4];
        uint32_t point = 0;
        const size_t taken = join_point(units + i, length - i, &point);
        size_t size;

        if (taken == 0) {
            return FAT_E_NAME;
        }
        size = encode_point(point, encoded);
        /* One byte more than the sequence: the NUL always has its place. */
        if (capacity - count < size + 1) {
            return FAT_E_NAMETOOLONG;
        }
        for (size_t k = 0; k < size; k++) {
            bytes[count++] = (char)encoded[k];
        }
        i += taken;
    }
    if (capacity == count) {
        return FAT_E_NAMETOOLONG;
    }
    bytes[count] = '\0';
    *ret_length = count;
    return FAT_OK;
}
