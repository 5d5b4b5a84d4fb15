/* SPDX-License-Identifier: MIT */
#include "base/codepage.h"

/* The upper half of code page 437, 0x80 first. */
static const uint16_t upper_half[128] = {
        0x00c7, 0x00fc, 0x00e9, 0x00e2, 0x00e4, 0x00e0, 0x00e5, 0x00e7, /* 80 */
        0x00ea, 0x00eb, 0x00e8, 0x00ef, 0x00ee, 0x00ec, 0x00c4, 0x00c5, /* 88 */
        0x00c9, 0x00e6, 0x00c6, 0x00f4, 0x00f6, 0x00f2, 0x00fb, 0x00f9, /* 90 */
        0x00ff, 0x00d6, 0x00dc, 0x00a2, 0x00a3, 0x00a5, 0x20a7, 0x0192, /* 98 */
        0x00e1, 0x00ed, 0x00f3, 0x00fa, 0x00f1, 0x00d1, 0x00aa, 0x00ba, /* a0 */
        0x00bf, 0x2310, 0x00ac, 0x00bd, 0x00bc, 0x00a1, 0x00ab, 0x00bb, /* a8 */
        0x2591, 0x2592, 0x2593, 0x2502, 0x2524, 0x2561, 0x2562, 0x2556, /* b0 */
        0x2555, 0x2563, 0x2551, 0x2557, 0x255d, 0x255c, 0x255b, 0x2510, /* b8 */
        0x2514, 0x2534, 0x252c, 0x251c, 0x2500, 0x253c, 0x255e, 0x255f, /* c0 */
        0x255a, 0x2554, 0x2569, 0x2566, 0x2560, 0x2550, 0x256c, 0x2567, /* c8 */
        0x2568, 0x2564, 0x2565, 0x2559, 0x2558, 0x2552, 0x2553, 0x256b, /* d0 */
        0x256a, 0x2518, 0x250c, 0x2588, 0x2584, 0x258c, 0x2590, 0x2580, /* d8 */
        0x03b1, 0x00df, 0x0393, 0x03c0, 0x03a3, 0x03c3, 0x00b5, 0x03c4, /* e0 */
        0x03a6, 0x0398, 0x03a9, 0x03b4, 0x221e, 0x03c6, 0x03b5, 0x2229, /* e8 */
        0x2261, 0x00b1, 0x2265, 0x2264, 0x2320, 0x2321, 0x00f7, 0x2248, /* f0 */
        0x00b0, 0x2219, 0x00b7, 0x221a, 0x207f, 0x00b2, 0x25a0, 0x00a0, /* f8 */
};

uint16_t fat_oem_to_unit(uint8_t byte)
{
    return byte < 0x80 ? byte : upper_half[byte - 0x80];
}

uint8_t fat_oem_from_unit(uint16_t unit)
{
    if (unit < 0x80) {
        return (uint8_t)unit;
    }
    for (unsigned i = 0; i < 128; i++) {
        if (upper_half[i] == unit) {
            return (uint8_t)(0x80 + i);
        }
    }
    return 0;
}

/*
 * The letters that the code page has in both cases, its upper half only. It
 * follows from the table above and fat_upcase(); written down because names are
 * shown and compared by the thousand.
 */
static const struct {
    uint8_t lower, upper;
} letters[] = {
        {0x81, 0x9a}, /* u diaeresis */
        {0x82, 0x90}, /* e acute */
        {0x84, 0x8e}, /* a diaeresis */
        {0x86, 0x8f}, /* a ring */
        {0x87, 0x80}, /* c cedilla */
        {0x91, 0x92}, /* ae */
        {0x94, 0x99}, /* o diaeresis */
        {0xa4, 0xa5}, /* n tilde */
        {0xe5, 0xe4}, /* sigma */
        {0xed, 0xe8}, /* phi */
};

uint8_t fat_oem_upcase(uint8_t byte)
{
    if (byte < 0x80) {
        return byte >= 'a' && byte <= 'z' ? (uint8_t)(byte - 'a' + 'A') : byte;
    }
    for (unsigned i = 0; i < sizeof(letters) / sizeof(*letters); i++) {
        if (letters[i].lower == byte) {
            return letters[i].upper;
        }
    }
    return byte;
}

uint8_t fat_oem_downcase(uint8_t byte)
{
    if (byte < 0x80) {
        return byte >= 'A' && byte <= 'Z' ? (uint8_t)(byte - 'A' + 'a') : byte;
    }
    for (unsigned i = 0; i < sizeof(letters) / sizeof(*letters); i++) {
        if (letters[i].upper == byte) {
            return letters[i].lower;
        }
    }
    return byte;
}
