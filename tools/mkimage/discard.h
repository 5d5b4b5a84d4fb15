/* SPDX-License-Identifier: MIT */
/*
 * A device that reads as zeros and forgets what is written: what fat_format()
 * would make of a size can be asked before anything is overwritten.
 */
#ifndef FATWARD_MKIMAGE_DISCARD_H
#define FATWARD_MKIMAGE_DISCARD_H

#include <stdint.h>

#include <fatward/error.h>
#include <fatward/format.h>

/* As fat_format() on a device of @size_bytes; nothing is written anywhere. */
fat_err discard_format(uint64_t size_bytes, const struct fat_format_options *options,
        struct fat_format_result *ret);

struct size_range {
    uint64_t least, most; /* [bytes] */
};

/*
 * Which sizes fat_format() takes with @options, to the sector.
 *
 * FAT_E_INVAL   none
 */
fat_err discard_size_range(
        const struct fat_format_options *options, struct size_range *ret);

#endif
