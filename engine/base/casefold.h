/* SPDX-License-Identifier: MIT */
/*
 * Upper-casing as Windows does it for FAT: the simple one-to-one mapping within
 * the BMP, unit by unit, independent of any locale. Surrogates map to themselves,
 * so do letters whose upper case is longer (U+00DF) or outside the BMP.
 */
#ifndef FAT_BASE_CASEFOLD_H
#define FAT_BASE_CASEFOLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

uint16_t fat_upcase(uint16_t unit);

/* Equal after upper-casing both. */
bool fat_casefold_equal(
        const uint16_t *a, size_t a_length, const uint16_t *b, size_t b_length);

/* A hash that is equal for names that are equal after upper-casing. */
uint32_t fat_casefold_hash(const uint16_t *units, size_t length);

#endif
