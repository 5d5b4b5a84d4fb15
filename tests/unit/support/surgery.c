/* SPDX-License-Identifier: MIT */
#include "support/surgery.h"

#include "base/bytes.h"
#include "ondisk/dirent.h"
#include "support/cmocka.h"
#include "tree/node.h"

/* Read the boot sector afresh: the volume is closed when this is wanted. */
struct layout {
    uint64_t fat_start, fat_bytes, data_start;
    uint32_t fat_count, sector_bytes, cluster_bytes;
};

static struct layout layout_of(struct image *img)
{
    uint8_t boot[512];
    struct layout l;
    uint32_t fat_sectors;
    uint64_t root;

    surgery_read(img, 0, boot, sizeof(boot));
    l.sector_bytes = fat_get16(boot, 11);
    l.cluster_bytes = l.sector_bytes * boot[13];
    l.fat_start = (uint64_t)fat_get16(boot, 14) * l.sector_bytes;
    l.fat_count = boot[16];
    fat_sectors = fat_get16(boot, 22) ? fat_get16(boot, 22) : fat_get32(boot, 36);
    l.fat_bytes = (uint64_t)fat_sectors * l.sector_bytes;
    root = (fat_get16(boot, 17) * UINT64_C(32) + l.sector_bytes - 1) / l.sector_bytes *
           l.sector_bytes;
    l.data_start = l.fat_start + l.fat_count * l.fat_bytes + root;
    return l;
}

uint64_t surgery_entry(struct fat_node *node)
{
    return node->place.sector * node->tree->geometry.sector_bytes + node->place.offset;
}

uint32_t surgery_first(struct fat_node *node)
{
    return node->entry.first_cluster;
}

uint64_t surgery_entry_of(struct fat_node *directory, const char *name)
{
    struct fat_node *node = image_lookup(directory, name);
    const uint64_t entry = surgery_entry(node);

    fat_node_unref(node);
    return entry;
}

uint32_t surgery_first_of(struct fat_node *directory, const char *name)
{
    struct fat_node *node = image_lookup(directory, name);
    const uint32_t first = surgery_first(node);

    fat_node_unref(node);
    return first;
}

uint64_t surgery_cluster(struct image *img, uint32_t cluster)
{
    const struct layout l = layout_of(img);

    return l.data_start + (uint64_t)(cluster - 2) * l.cluster_bytes;
}

static uint64_t bit_offset(struct image *img, uint32_t cluster)
{
    return (uint64_t)cluster * img->spec.type;
}

uint32_t surgery_get_link(struct image *img, int copy, uint32_t cluster)
{
    const struct layout l = layout_of(img);
    const uint64_t bit = bit_offset(img, cluster);
    uint8_t raw[4] = {0};
    uint32_t value;

    surgery_read(img, l.fat_start + (unsigned)copy * l.fat_bytes + bit / 8, raw,
            img->spec.type == 32 ? 4 : 2);
    value = fat_get32(raw, 0) >> (bit % 8);
    return value & (img->spec.type == 32          ? UINT32_C(0x0fffffff)
                           : img->spec.type == 16 ? 0xffffU
                                                  : 0xfffU);
}

static void set_in_copy(
        struct image *img, uint64_t fat_start, uint32_t cluster, uint32_t value)
{
    const uint64_t bit = bit_offset(img, cluster);
    const size_t length = img->spec.type == 32 ? 4 : 2;
    const uint32_t mask = (img->spec.type == 32          ? UINT32_C(0x0fffffff)
                                  : img->spec.type == 16 ? 0xffffU
                                                         : 0xfffU)
                          << (bit % 8);
    uint8_t raw[4] = {0};

    surgery_read(img, fat_start + bit / 8, raw, length);
    fat_put32(raw, 0, (fat_get32(raw, 0) & ~mask) | (value << (bit % 8) & mask));
    surgery_write(img, fat_start + bit / 8, raw, length);
}

void surgery_link(struct image *img, int copy, uint32_t cluster, uint32_t value)
{
    const struct layout l = layout_of(img);

    for (uint32_t i = 0; i < l.fat_count; i++) {
        if (copy == SURGERY_ALL || (uint32_t)copy == i) {
            set_in_copy(img, l.fat_start + i * l.fat_bytes, cluster, value);
        }
    }
}

void surgery_write(struct image *img, uint64_t offset, const void *bytes, size_t length)
{
    assert_int_equal(img->dev->ops->write(img->dev, offset, bytes, length), FAT_OK);
}

void surgery_read(struct image *img, uint64_t offset, void *bytes, size_t length)
{
    assert_int_equal(img->dev->ops->read(img->dev, offset, bytes, length), FAT_OK);
}

void surgery_point(struct image *img, uint64_t entry, uint32_t first, uint32_t size)
{
    uint8_t raw[FAT_SLOT_BYTES];

    surgery_read(img, entry, raw, sizeof(raw));
    fat_put16(raw, DIR_FST_CLUS_LO, (uint16_t)first);
    fat_put16(raw, DIR_FST_CLUS_HI, (uint16_t)(first >> 16));
    fat_put32(raw, DIR_FILE_SIZE, size);
    surgery_write(img, entry, raw, sizeof(raw));
}

static uint64_t state_offset(const struct image *img)
{
    return img->spec.type == 32 ? 0x41 : 0x25;
}

void surgery_make_dirty(struct image *img)
{
    const uint8_t dirty = 1;

    surgery_write(img, state_offset(img), &dirty, 1);
}

bool surgery_is_dirty(struct image *img)
{
    uint8_t state;

    surgery_read(img, state_offset(img), &state, 1);
    return state & 1;
}
