/* SPDX-License-Identifier: MIT */
/*
 * Options are refused before anything is written, or make a volume in which the checker
 * finds nothing and which opens as what the result says.
 */
#include <string.h>

#include <fatward/format.h>

#include "base/bytes.h"
#include "fuzz.h"
#include "image.h"

enum { OPTION_BYTES = 48 };

/* A device that counts what is written to it. */
struct counter {
    struct fat_blkdev dev;
    struct fat_blkdev *under;
    unsigned writes;
};

static fat_err pass_read(
        struct fat_blkdev *dev, uint64_t offset, void *buffer, size_t length)
{
    struct fat_blkdev *under = ((struct counter *)dev)->under;

    return under->ops->read(under, offset, buffer, length);
}

static fat_err pass_write(
        struct fat_blkdev *dev, uint64_t offset, const void *buffer, size_t length)
{
    struct counter *counter = (struct counter *)dev;

    counter->writes++;
    return counter->under->ops->write(counter->under, offset, buffer, length);
}

static fat_err pass_flush(struct fat_blkdev *dev)
{
    (void)dev;
    return FAT_OK;
}

/* An odd first byte of a field means one of the values that may be right. */
static uint32_t number(const uint8_t *bytes, uint32_t largest_shift)
{
    const uint32_t value = fat_get32(bytes, 0);

    return value & 1 ? UINT32_C(1) << (value >> 1) % (largest_shift + 1) : value >> 1;
}

static uint32_t small_number(const uint8_t *bytes)
{
    return bytes[0] & 1 ? (uint32_t)bytes[0] >> 4 : fat_get16(bytes, 0);
}

static struct fat_format_options read_options(const uint8_t *b)
{
    static const unsigned types[] = {0, 12, 16, 32};
    struct fat_format_options o = {.type = b[0] & 4 ? b[1] : types[b[0] & 3]};

    o.allow_ambiguous = (b[0] & 8) != 0;
    o.has_serial = (b[0] & 16) != 0;
    o.sector_bytes = b[0] & 32 ? number(b + 2, 12) : 0;
    o.cluster_sectors = b[0] & 64 ? number(b + 6, 7) : 0;
    o.fat_count = b[0] & 128 ? small_number(b + 10) : 0;
    o.root_entries = b[1] & 1 ? 0 : small_number(b + 12) * (b[1] & 2 ? 16 : 1);
    o.reserved_sectors = b[1] & 4 ? 0 : small_number(b + 14);
    o.hidden_sectors = b[1] & 8 ? 0 : fat_get32(b, 16);
    o.serial = fat_get32(b, 20);
    o.media = b[1] & 16 ? 0 : b[24];
    memcpy(o.label, b + 25, sizeof(o.label) - (b[1] & 32 ? 0 : 1));
    o.now.seconds =
            (int64_t)((uint64_t)fat_get32(b, 38) << 4) - (b[1] & 64 ? 1 << 30 : 0);
    return o;
}

/*
 * Up to 16 MiB, often small. More only where it must be refused: of a FAT32 volume on
 * 2 TiB and more, the tables alone would fill the memory.
 */
static uint64_t read_size(const uint8_t *b, unsigned type)
{
    const uint64_t size = fat_get32(b, 0) & UINT32_C(0xffffff);

    switch (b[3] >> 5) {
    case 0:
        return size;
    case 1:
        return type == 12 || type == 16 ? ((size & 0xfff) | 1) << 40 : size;
    case 2:
        return size & ~UINT64_C(511);
    default:
        return size & UINT64_C(0x3ffe00);
    }
}

/*
 * Clusters that nobody may claim: with one FAT12 those whose entry lies in two sectors,
 * which a power cut can tear apart.
 */
static uint32_t barred(const struct fat_volume_info *info)
{
    uint32_t count = 0;

    for (uint32_t c = 2; info->type == 12 && c < info->cluster_count + 2; c++) {
        count += (c + c / 2) % info->sector_bytes == info->sector_bytes - 1;
    }
    return info->fat_count == 1 ? count : 0;
}

static void check_volume(struct fat_blkdev *dev, const struct fat_format_result *made)
{
    struct fat_check_summary summary;
    struct fat_volume_info info;
    struct fat_volume *volume;
    uint32_t clusters;

    PROMISE(fat_check(dev, NULL, NULL, &summary) == FAT_OK);
    PROMISE(summary.damages == 0 && summary.leftovers == 0);
    PROMISE(fat_volume_open(dev, NULL, &volume) == FAT_OK);
    PROMISE(!fat_volume_is_read_only(volume));
    fat_volume_info(volume, &info);
    PROMISE(info.type == made->type && info.sector_bytes == made->sector_bytes);
    PROMISE(info.cluster_bytes == made->cluster_sectors * made->sector_bytes);
    PROMISE(info.cluster_count == made->cluster_count);
    PROMISE(info.fat_count == made->fat_count && info.serial == made->serial);
    PROMISE(info.fat_sectors == made->fat_sectors);
    PROMISE(info.total_sectors == made->total_sectors);
    PROMISE(info.total_sectors * info.sector_bytes <= dev->size_bytes);
    PROMISE(fat_volume_free_clusters(volume, &clusters) == FAT_OK);
    PROMISE(clusters == info.cluster_count - (info.type == 32 ? 1 : 0) - barred(&info));
    PROMISE(fat_volume_close(volume) == FAT_OK);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    static const struct fat_blkdev_ops ops = {
            .read = pass_read, .write = pass_write, .flush = pass_flush};
    uint8_t raw[OPTION_BYTES] = {0};
    struct counter counter = {.writes = 0};
    struct fat_format_options options;
    struct fat_format_result made;
    fat_err err;

    memcpy(raw, bytes, length < sizeof(raw) ? length : sizeof(raw));
    options = read_options(raw);
    counter.dev = (struct fat_blkdev){.ops = &ops,
            .size_bytes = read_size(raw + 42, options.type),
            .block_bytes = 512};
    PROMISE(fat_blkdev_mem_new(counter.dev.size_bytes, &counter.under) == FAT_OK);
    err = fat_format(&counter.dev, &options, &made);
    if (err == FAT_OK) {
        check_volume(&counter.dev, &made);
    } else {
        PROMISE(err == FAT_E_INVAL || err == FAT_E_NOSPC || err == FAT_E_FBIG ||
                err == FAT_E_RANGE);
        PROMISE(counter.writes == 0);
    }
    fat_blkdev_close(counter.under);
    return 0;
}
