/* SPDX-License-Identifier: MIT */
/*
 * The table is runs of letters at an even distance (step 1 or 2) with one
 * distance to their capitals; it is searched by halves. How it comes about, and
 * which letters are left out for Windows' sake: tools/gen-casefold.
 */
#include "base/casefold.h"

/* delta is added modulo 65536, so that a step down needs no sign. */
struct run {
    uint16_t first, last, step, delta;
};

static const struct run runs[] = {
/* clang-format off */
#include "base/casefold_table.inc"
        /* clang-format on */
};

uint16_t fat_upcase(uint16_t unit)
{
    size_t low = 0;
    size_t high = sizeof(runs) / sizeof(*runs);

    if (unit < 0x80) {
        return unit >= 'a' && unit <= 'z' ? (uint16_t)(unit - 'a' + 'A') : unit;
    }
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        const struct run *run = &runs[middle];

        if (unit < run->first) {
            high = middle;
        } else if (unit > run->last) {
            low = middle + 1;
        } else if ((unit - run->first) % run->step != 0) {
            return unit;
        } else {
            return (uint16_t)(unit + run->delta);
        }
    }
    return unit;
}

bool fat_casefold_equal(
        const uint16_t *a, size_t a_length, const uint16_t *b, size_t b_length)
{
    if (a_length != b_length) {
        return false;
    }
    for (size_t i = 0; i < a_length; i++) {
        if (a[i] != b[i] && fat_upcase(a[i]) != fat_upcase(b[i])) {
            return false;
        }
    }
    return true;
}

/* FNV-1a over the bytes of the upper-cased units, low byte first. */
uint32_t fat_casefold_hash(const uint16_t *units, size_t length)
{
    uint32_t hash = UINT32_C(2166136261);

    for (size_t i = 0; i < length; i++) {
        const uint32_t unit = fat_upcase(units[i]);

        hash = (hash ^ (unit & 0xff)) * UINT32_C(16777619);
        hash = (hash ^ unit >> 8) * UINT32_C(16777619);
    }
    return hash;
}
