/* SPDX-License-Identifier: MIT */
#include "mkimage/discard.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include <fatward/blkdev.h>

static fat_err read_zeros(
        struct fat_blkdev *dev, uint64_t offset, void *buffer, size_t length)
{
    (void)dev;
    (void)offset;
    memset(buffer, 0, length);
    return FAT_OK;
}

static fat_err forget(
        struct fat_blkdev *dev, uint64_t offset, const void *buffer, size_t length)
{
    (void)dev;
    (void)offset;
    (void)buffer;
    (void)length;
    return FAT_OK;
}

static fat_err flush_nothing(struct fat_blkdev *dev)
{
    (void)dev;
    return FAT_OK;
}

static const struct fat_blkdev_ops discard_ops = {
        .read = read_zeros, .write = forget, .flush = flush_nothing};

fat_err discard_format(uint64_t size_bytes, const struct fat_format_options *options,
        struct fat_format_result *ret)
{
    struct fat_blkdev dev = {
            .ops = &discard_ops, .size_bytes = size_bytes, .block_bytes = 512};

    return fat_format(&dev, options, ret);
}

static bool fits(uint64_t sectors, const struct fat_format_options *options)
{
    return !discard_format(sectors * options->sector_bytes, options, NULL);
}

/* The border between @good, which fits, and @bad, which does not; exact. */
static uint64_t find_border(
        uint64_t good, uint64_t bad, const struct fat_format_options *options)
{
    while (good + 1 < bad || bad + 1 < good) {
        const uint64_t middle = good + (bad - good) / 2;
        const uint64_t between = good < bad ? middle : bad + (good - bad) / 2;

        if (fits(between, options)) {
            good = between;
        } else {
            bad = between;
        }
    }
    return good;
}

/*
 * Sizes are tried in steps of an eighth of a doubling, from nothing to what the
 * 32-bit sector count can say; the ends are then found by halving.
 */
fat_err discard_size_range(
        const struct fat_format_options *options, struct size_range *ret)
{
    const uint64_t sectors_max = UINT32_MAX;
    uint64_t first = 0, before_first = 0, last = 0, after_last = 0;

    for (uint64_t sectors = 8; sectors <= sectors_max; sectors += sectors / 8) {
        if (fits(sectors, options)) {
            first = first ? first : sectors;
            last = sectors;
            after_last = 0;
        } else if (!first) {
            before_first = sectors;
        } else if (!after_last) {
            after_last = sectors;
        }
    }
    if (!first) {
        return FAT_E_INVAL;
    }
    after_last = after_last ? after_last : sectors_max + 1;
    ret->least = find_border(first, before_first, options) * options->sector_bytes;
    ret->most = find_border(last, after_last, options) * options->sector_bytes;
    return FAT_OK;
}
