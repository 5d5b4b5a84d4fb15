/* SPDX-License-Identifier: MIT */
/*
 * The OEM code page of 8.3 names and labels: 437, the kernel's default. Pure.
 */
#ifndef FAT_BASE_CODEPAGE_H
#define FAT_BASE_CODEPAGE_H

#include <stdint.h>

/* Every byte has a unit; below 0x80 it is the same number. */
uint16_t fat_oem_to_unit(uint8_t byte);

/* The byte for @unit, or 0 if the code page has none (0 itself has none). */
uint8_t fat_oem_from_unit(uint16_t unit);

/*
 * The byte for the upper case of @byte, as 8.3 names are stored; @byte itself
 * where the code page has no upper-case letter for it.
 */
uint8_t fat_oem_upcase(uint8_t byte);

/* The other way, as the lower-case flags of short entries ask for. */
uint8_t fat_oem_downcase(uint8_t byte);

#endif
