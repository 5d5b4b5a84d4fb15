/* SPDX-License-Identifier: MIT */
/*
 * UTF-8 and UTF-16, strictly: no overlong forms, no surrogates in UTF-8, no
 * unpaired surrogate in UTF-16. Pure.
 */
#ifndef FAT_BASE_UTF16_H
#define FAT_BASE_UTF16_H

#include <stddef.h>
#include <stdint.h>

#include <fatward/error.h>

/*
 * Decode @length bytes of UTF-8 into host-order UTF-16.
 *
 * @capacity     room in @units                                       [units]
 * @ret_length   units written
 *
 * FAT_E_NAME          not UTF-8
 * FAT_E_NAMETOOLONG   more than @capacity units
 * @units may hold garbage after a failure.
 */
FAT_MUST_CHECK fat_err fat_utf8_to_utf16(const char *bytes, size_t length,
        uint16_t *units, size_t capacity, size_t *ret_length);

/*
 * Encode @length units as UTF-8 and end it with NUL.
 *
 * @capacity     room in @bytes, the NUL included; 3 * length + 1 is enough [bytes]
 * @ret_length   bytes written, without the NUL
 *
 * FAT_E_NAME          an unpaired surrogate
 * FAT_E_NAMETOOLONG   no room
 */
FAT_MUST_CHECK fat_err fat_utf16_to_utf8(const uint16_t *units, size_t length,
        char *bytes, size_t capacity, size_t *ret_length);

#endif
