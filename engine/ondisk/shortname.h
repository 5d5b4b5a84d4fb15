/* SPDX-License-Identifier: MIT */
/*
 * 8.3 names: what they show, which long names they can carry, and the numeric
 * tails. Pure. MSFAT 6.1, 7.3; the steps are those of the Linux kernel's vfat.
 */
#ifndef FAT_ONDISK_SHORTNAME_H
#define FAT_ONDISK_SHORTNAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <fatward/error.h>

#include "ondisk/dirent.h"
#include "ondisk/lfn.h"

enum { FAT_SHORT_UNITS_MAX = 12 }; /* 8 + '.' + 3 */

/*
 * The name a short entry shows: padding removed, dot put in, first byte 0x05
 * read as 0xE5, the OEM code page decoded, lower case as @nt_flags say.
 * Returns the number of units, 0 for a name of nothing but spaces.
 */
size_t fat_short_units(const uint8_t name[FAT_SHORT_BYTES], uint8_t nt_flags,
        uint16_t units[FAT_SHORT_UNITS_MAX]);

/*
 * A name as somebody asks for it: UTF-8 to UTF-16, trailing dots dropped (as the
 * kernel and Windows do).
 *
 * FAT_E_NAME          not UTF-8, empty, only dots and spaces, a trailing space,
 *                     a control character or one of " * / : < > ? \ |
 * FAT_E_NAMETOOLONG   more than 255 units
 */
FAT_MUST_CHECK fat_err fat_name_parse(const char *bytes, size_t length,
        uint16_t units[FAT_NAME_UNITS_MAX], size_t *ret_length);

/* How a long name is to be stored. */
enum fat_short_fit {
    FAT_SHORT_FITS,  /* short entry alone, with the NT flags given         */
    FAT_SHORT_CASE,  /* needs long slots for mixed case or for a letter that
                        depends on the code page; no tail                  */
    FAT_SHORT_LOSSY, /* needs long slots and a numeric tail                */
};

struct fat_short_basis {
    enum fat_short_fit fit;
    uint8_t name[FAT_SHORT_BYTES]; /* without tail; first byte 0xE5 is stored as 0x05 */
    uint8_t nt_flags;              /* only with FITS                        */
    uint32_t hash;                 /* of the long name, for the tails past ~9 */
};

/* What becomes of a parsed name. A name that yields no character is "_". */
struct fat_short_basis fat_short_basis(const uint16_t *units, size_t length);

enum { FAT_SHORT_TAILS = 9 + 9 * 65536 };

/*
 * The name with its @n-th numeric tail, 0 <= n < FAT_SHORT_TAILS: first "~1" to
 * "~9" on up to six characters, then two characters, four hex digits of the hash
 * (plus n / 9) and "~1" to "~9". Same name, same n: same result, on any machine.
 */
void fat_short_with_tail(const struct fat_short_basis *basis, uint32_t n,
        uint8_t ret_name[FAT_SHORT_BYTES]);

/*
 * Every byte is legal in an 8.3 name as stored on disk: MSFAT 6.1. Lower case is
 * not, nor are "." and "..", which are no names but fixed entries.
 */
bool fat_short_is_legal(const uint8_t name[FAT_SHORT_BYTES]);

#endif
