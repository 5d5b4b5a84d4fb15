/* SPDX-License-Identifier: MIT */
/*
 * A small volume with known contents, and the means to break it byte by byte:
 * for the tests of the checker, which therefore need no engine to write it.
 *
 *     /HELLO.TXT               2 clusters + 5 bytes    clusters 10, 11, 12
 *     /A rather long name.txt  100 bytes               cluster 13
 *     /SUB                                             cluster 14
 *     /EMPTY.BIN               0 bytes
 *     /SUB/IN.TXT              1 byte                  cluster 15
 *     /SUB/DEEP                                        cluster 16
 */
#ifndef TEST_VOLUME_CHECK_IMAGE_H
#define TEST_VOLUME_CHECK_IMAGE_H

#include <stdbool.h>
#include <string.h>

#include <fatward/check.h>
#include <fatward/format.h>

#include "base/bytes.h"
#include "ondisk/bpb.h"
#include "ondisk/fatent.h"
#include "ondisk/fsinfo.h"
#include "ondisk/geometry.h"
#include "ondisk/lfn.h"
#include "support/cmocka.h"

enum {
    ROOT_HELLO = 0,
    ROOT_LONG_2 = 1,
    ROOT_LONG_1 = 2,
    ROOT_LONG = 3,
    ROOT_SUB = 4,
    ROOT_EMPTY = 5,
    ROOT_END = 6,
    SUB_IN = 2,
    SUB_DEEP = 3,
    SUB_END = 4,
    HELLO = 10,
    LONG = 13,
    SUB = 14,
    IN = 15,
    DEEP = 16,
    UNUSED = 40,
};

struct image {
    struct fat_blkdev *dev;
    struct fat_geometry g;
};

static inline void image_get(
        struct image *image, uint64_t offset, void *bytes, size_t n)
{
    assert_int_equal(image->dev->ops->read(image->dev, offset, bytes, n), FAT_OK);
}

static inline void image_put(
        struct image *image, uint64_t offset, const void *bytes, size_t n)
{
    assert_int_equal(image->dev->ops->write(image->dev, offset, bytes, n), FAT_OK);
}

static inline void image_put_byte(struct image *image, uint64_t offset, unsigned value)
{
    const uint8_t byte = (uint8_t)value;

    image_put(image, offset, &byte, 1);
}

static inline uint64_t image_fat(const struct image *image, unsigned copy)
{
    return (image->g.fat_start + copy * image->g.fat_sectors) * image->g.sector_bytes;
}

static inline uint64_t image_cluster(const struct image *image, uint32_t cluster)
{
    return fat_geometry_sector(&image->g, cluster) * image->g.sector_bytes;
}

/* @where: 0 is the root, else the (first) cluster of a directory. */
static inline uint64_t image_slot(
        const struct image *image, uint32_t where, uint32_t slot)
{
    uint64_t base;

    if (where == 0 && image->g.type != FAT_TYPE_32) {
        base = image->g.root_start * image->g.sector_bytes;
    } else {
        base = image_cluster(image, where == 0 ? image->g.root_cluster : where);
    }
    return base + (uint64_t)slot * FAT_SLOT_BYTES;
}

/* The entry's bits as they are, in one copy. */
static inline void image_put_fat_copy(
        struct image *image, unsigned copy, uint32_t cluster, uint32_t value)
{
    const struct fat_ent_span span = fat_ent_locate(image->g.type, cluster);
    const uint64_t offset = image_fat(image, copy) + span.offset;
    uint8_t raw[FAT_ENT_BYTES_MAX];

    image_get(image, offset, raw, span.length);
    if (image->g.type == FAT_TYPE_12) {
        const unsigned old = fat_get16(raw, 0);

        fat_put16(raw, 0,
                (uint16_t)(cluster % 2 ? (old & 0xf) | value << 4
                                       : (old & 0xf000) | (value & 0xfff)));
    } else if (image->g.type == FAT_TYPE_16) {
        fat_put16(raw, 0, (uint16_t)value);
    } else {
        fat_put32(raw, 0, value & 0x0fffffff);
    }
    image_put(image, offset, raw, span.length);
}

enum { VALUE_FREE = 0, VALUE_BAD = 0x0ffffff7, VALUE_END = 0x0fffffff };

static inline void image_put_fat(struct image *image, uint32_t cluster, uint32_t value)
{
    for (unsigned copy = 0; copy < image->g.fat_count; copy++) {
        image_put_fat_copy(image, copy, cluster, value);
    }
}

static inline void image_put_entry(struct image *image, uint32_t where, uint32_t slot,
        const char *name, unsigned attributes, uint32_t cluster)
{
    struct fat_dirent entry = {
            .attributes = (uint8_t)attributes, .first_cluster = cluster};
    uint8_t raw[FAT_SLOT_BYTES] = {0};

    entry.written.date = (2024 - 1980) << 9 | 5 << 5 | 17;
    memcpy(entry.name, name, FAT_SHORT_BYTES);
    fat_dirent_encode(image->g.type, &entry, raw);
    image_put(image, image_slot(image, where, slot), raw, sizeof(raw));
}

static inline void image_put_size(
        struct image *image, uint32_t where, uint32_t slot, uint32_t size)
{
    uint8_t raw[4];

    fat_put32(raw, 0, size);
    image_put(image, image_slot(image, where, slot) + DIR_FILE_SIZE, raw, sizeof(raw));
}

static inline void image_put_start(
        struct image *image, uint32_t where, uint32_t slot, uint32_t cluster)
{
    uint8_t raw[2];

    fat_put16(raw, 0, (uint16_t)cluster);
    image_put(image, image_slot(image, where, slot) + DIR_FST_CLUS_LO, raw, 2);
    if (image->g.type == FAT_TYPE_32) {
        fat_put16(raw, 0, (uint16_t)(cluster >> 16));
        image_put(image, image_slot(image, where, slot) + DIR_FST_CLUS_HI, raw, 2);
    }
}

/* The long-name slots of an ASCII name for the short name @alias, before @slot. */
static inline void image_put_long(struct image *image, uint32_t where, uint32_t slot,
        const char *name, const char *alias)
{
    const size_t length = strlen(name);
    uint16_t units[FAT_NAME_UNITS_MAX];
    uint8_t raw[FAT_SLOT_BYTES];
    uint8_t bytes[FAT_SHORT_BYTES];

    memcpy(bytes, alias, sizeof(bytes));
    for (size_t i = 0; i < length; i++) {
        units[i] = (uint8_t)name[i];
    }
    for (unsigned ordinal = 1; ordinal <= fat_lfn_slots(length); ordinal++) {
        fat_lfn_encode(units, length, ordinal, fat_lfn_checksum(bytes), raw);
        image_put(image, image_slot(image, where, slot - ordinal), raw, sizeof(raw));
    }
}

/* In the boot sector and its backup. */
static inline void image_put_boot_byte(struct image *i, unsigned offset, unsigned value)
{
    image_put_byte(i, offset, value);
    if (i->g.type == FAT_TYPE_32) {
        image_put_byte(
                i, i->g.backup_sector * (uint64_t)i->g.sector_bytes + offset, value);
    }
}

static inline void image_make_dir(
        struct image *image, uint32_t cluster, uint32_t parent)
{
    image_put_fat(image, cluster, VALUE_END);
    image_put_entry(image, cluster, 0, ".          ", FAT_ATTR_DIRECTORY, cluster);
    image_put_entry(image, cluster, 1, "..         ", FAT_ATTR_DIRECTORY, parent);
}

/* Makes FSInfo's count right again. */
static inline void image_count_free(struct image *image)
{
    struct fat_fsinfo info = {.next_free = FAT_FSINFO_UNKNOWN};
    uint8_t raw[FAT_BOOT_BYTES];

    if (image->g.type != FAT_TYPE_32) {
        return;
    }
    for (uint32_t i = 0; i < image->g.cluster_count; i++) {
        image_get(image, image_fat(image, 0) + 4 * (uint64_t)(i + 2), raw, 4);
        info.free_count += (fat_get32(raw, 0) & 0x0fffffff) == 0;
    }
    image_get(image, image->g.fsinfo_sector * (uint64_t)image->g.sector_bytes, raw,
            sizeof(raw));
    fat_fsinfo_encode(info, raw);
    image_put(image, image->g.fsinfo_sector * (uint64_t)image->g.sector_bytes, raw,
            sizeof(raw));
}

static inline void image_fill(struct image *image)
{
    const uint32_t cluster_bytes = image->g.cluster_bytes;

    image_put_entry(image, 0, ROOT_HELLO, "HELLO   TXT", FAT_ATTR_ARCHIVE, HELLO);
    image_put_size(image, 0, ROOT_HELLO, 2 * cluster_bytes + 5);
    image_put_fat(image, HELLO, HELLO + 1);
    image_put_fat(image, HELLO + 1, HELLO + 2);
    image_put_fat(image, HELLO + 2, VALUE_END);
    image_put_long(image, 0, ROOT_LONG, "A rather long name.txt", "ARATHE~1TXT");
    image_put_entry(image, 0, ROOT_LONG, "ARATHE~1TXT", FAT_ATTR_ARCHIVE, LONG);
    image_put_size(image, 0, ROOT_LONG, 100);
    image_put_fat(image, LONG, VALUE_END);
    image_put_entry(image, 0, ROOT_SUB, "SUB        ", FAT_ATTR_DIRECTORY, SUB);
    image_make_dir(image, SUB, 0);
    image_put_entry(image, 0, ROOT_EMPTY, "EMPTY   BIN", FAT_ATTR_ARCHIVE, 0);
    image_put_entry(image, SUB, SUB_IN, "IN      TXT", FAT_ATTR_ARCHIVE, IN);
    image_put_size(image, SUB, SUB_IN, 1);
    image_put_fat(image, IN, VALUE_END);
    image_put_entry(image, SUB, SUB_DEEP, "DEEP       ", FAT_ATTR_DIRECTORY, DEEP);
    image_make_dir(image, DEEP, SUB);
    image_count_free(image);
}

static inline void image_make(struct image *image, unsigned type)
{
    const uint64_t size = type == 32 ? 36 << 20 : type == 16 ? 16 << 20 : 1 << 20;
    const struct fat_format_options options = {.type = type};
    uint8_t raw[FAT_BOOT_BYTES];
    struct fat_bpb bpb;
    const char *rule;

    assert_int_equal(fat_blkdev_mem_new(size, &image->dev), FAT_OK);
    assert_int_equal(fat_format(image->dev, &options, NULL), FAT_OK);
    image_get(image, 0, raw, sizeof(raw));
    fat_bpb_decode(raw, &bpb);
    assert_int_equal(fat_geometry_derive(&bpb, &image->g, &rule), FAT_OK);
    assert_int_equal(image->g.type, type);
    image_fill(image);
}

#endif
