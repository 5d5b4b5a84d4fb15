/* SPDX-License-Identifier: MIT */
#include "volume/format_plan.h"

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "volume/format_layout.h"

enum {
    SLOT_BYTES = 32,
    CLUSTER_SECTORS_MAX = 128,
    UNALIGNED_SECTORS_MAX = 8192, /* smaller volumes waste nothing on alignment */
    BACKUP_SECTOR = 6,
    NO_SECTOR = 0xffff,
};

static const struct fat_format_medium floppies[] = {
        {360, 9, 2, 0xfd, 2, 112},
        {720, 9, 2, 0xf9, 2, 112},
        {1200, 15, 2, 0xf9, 1, 224},
        {1440, 18, 2, 0xf0, 1, 224},
        {2880, 36, 2, 0xf0, 2, 224},
};

/* Disks: what the SD association recommends, then LBA-assisted translation. */
static const struct {
    uint64_t sectors_most;
    uint16_t track_sectors, heads;
} disks[] = {
        {4096, 16, 2},
        {32768, 32, 2},
        {65536, 32, 4},
        {262144, 32, 8},
        {524288, 32, 16},
        {UINT64_C(16) * 63 * 1024, 63, 16},
        {UINT64_C(32) * 63 * 1024, 63, 32},
        {UINT64_C(64) * 63 * 1024, 63, 64},
        {UINT64_C(128) * 63 * 1024, 63, 128},
        {UINT64_MAX, 63, 255},
};

static struct fat_format_medium disk_of(uint64_t sectors)
{
    size_t i = 0;

    while (sectors > disks[i].sectors_most) {
        i++;
    }
    return (struct fat_format_medium){.track_sectors = disks[i].track_sectors,
            .heads = disks[i].heads,
            .media = 0xf8,
            .cluster_sectors = 4,
            .root_entries = 512};
}

static struct fat_format_medium medium_of(uint64_t size_bytes, uint32_t sector_bytes)
{
    for (size_t i = 0; i < sizeof(floppies) / sizeof(*floppies); i++) {
        if (floppies[i].size_kib == size_bytes >> 10) {
            return floppies[i];
        }
    }
    return disk_of(size_bytes / sector_bytes);
}

static bool is_power_of_two(uint32_t number)
{
    return number != 0 && (number & (number - 1)) == 0;
}

static bool options_make_sense(const struct fat_format_options *o)
{
    const uint32_t per_sector = o->sector_bytes / SLOT_BYTES;

    if (o->type != 0 && o->type != FAT_TYPE_12 && o->type != FAT_TYPE_16 &&
            o->type != FAT_TYPE_32) {
        return false;
    }
    if (!is_power_of_two(o->sector_bytes) || o->sector_bytes < 512 ||
            o->sector_bytes > 4096) {
        return false;
    }
    if (o->cluster_sectors != 0 && (!is_power_of_two(o->cluster_sectors) ||
                                           o->cluster_sectors > CLUSTER_SECTORS_MAX)) {
        return false;
    }
    /* The field has 16 bits and counts whole sectors. */
    if (o->root_entries > UINT16_MAX / per_sector * per_sector ||
            o->reserved_sectors > UINT16_MAX || o->fat_count > UINT8_MAX) {
        return false;
    }
    /* FAT32 has no fixed root, and needs a sector for FSInfo. */
    if (o->type == FAT_TYPE_32 && (o->root_entries != 0 || o->reserved_sectors == 1)) {
        return false;
    }
    return o->media == 0 || o->media == 0xf0 || o->media >= 0xf8;
}

static struct fat_format_request request_of(
        const struct fat_format_options *options, uint64_t size_bytes)
{
    struct fat_format_request r = {
            .options = options,
            .medium = medium_of(size_bytes, options->sector_bytes),
            .size_bytes = size_bytes,
            .total_sectors = size_bytes / options->sector_bytes,
            .fat_count = options->fat_count != 0 ? options->fat_count : 2,
            /* Nobody gets an ambiguous volume who has not asked for its details. */
            .allow_ambiguous = options->allow_ambiguous &&
                               (options->type != 0 || options->cluster_sectors != 0),
    };

    /* The rest of a larger device stays unused. */
    if (r.total_sectors > UINT32_MAX) {
        r.total_sectors = UINT32_MAX;
    }
    /* DOS and mtools want whole tracks. */
    if (r.total_sectors >= r.medium.track_sectors) {
        r.total_sectors -= r.total_sectors % r.medium.track_sectors;
    }
    r.aligned = r.total_sectors > UNALIGNED_SECTORS_MAX;
    if (options->media != 0) {
        r.medium.media = options->media;
    }
    return r;
}

static void fill_fat32(const struct fat_format_layout *layout, struct fat_bpb *bpb)
{
    const uint64_t reserved = layout->reserved_sectors;

    bpb->is_fat32 = true;
    bpb->fat_sectors_32 = (uint32_t)layout->fat_sectors;
    bpb->root_cluster = FAT_CLUSTER_FIRST;
    bpb->fsinfo_sector = reserved > 1 ? 1 : NO_SECTOR;
    if (reserved > BACKUP_SECTOR) {
        bpb->backup_sector = BACKUP_SECTOR;
    } else if (reserved > 2) {
        bpb->backup_sector = (uint16_t)(reserved - 1);
    }
}

/* MSFAT 3.2: the 16-bit total only where it fits, and never on FAT32. */
static void fill_total(const struct fat_format_request *r, struct fat_bpb *bpb)
{
    if (!bpb->is_fat32 && r->total_sectors <= UINT16_MAX) {
        bpb->total_sectors_16 = (uint16_t)r->total_sectors;
    } else {
        bpb->total_sectors_32 = (uint32_t)r->total_sectors;
    }
}

static struct fat_bpb bpb_of(
        const struct fat_format_request *r, const struct fat_format_layout *layout)
{
    struct fat_bpb bpb = {
            .sector_bytes = (uint16_t)r->options->sector_bytes,
            .cluster_sectors = (uint8_t)layout->cluster_sectors,
            .reserved_sectors = (uint16_t)layout->reserved_sectors,
            .fat_count = (uint8_t)r->fat_count,
            .media = r->medium.media,
            .track_sectors = r->medium.track_sectors,
            .heads = r->medium.heads,
            .hidden_sectors = r->options->hidden_sectors,
            .drive = r->medium.media == 0xf8 ? 0x80 : 0,
            .has_signature = true,
    };

    if (layout->type == FAT_TYPE_32) {
        fill_fat32(layout, &bpb);
    } else {
        bpb.fat_sectors_16 = (uint16_t)layout->fat_sectors;
        bpb.root_entries =
                (uint16_t)(layout->root_sectors * bpb.sector_bytes / SLOT_BYTES);
    }
    fill_total(r, &bpb);
    return bpb;
}

static bool is_label_byte(char c)
{
    return c >= 0x20 && c < 0x7f && !strchr("\"*+,./:;<=>?[\\]|", c);
}

/* An empty label and "NO NAME" are none: what the boot sector says of such volumes. */
static fat_err pad_label(const char label[FAT_LABEL_BYTES + 1], uint8_t *ret)
{
    uint8_t padded[FAT_LABEL_BYTES];
    size_t length = 0;

    memcpy(padded, label[0] == '\0' ? FAT_NO_NAME : "           ", sizeof(padded));
    while (length <= FAT_LABEL_BYTES && label[length] != '\0') {
        if (length == FAT_LABEL_BYTES || !is_label_byte(label[length])) {
            return FAT_E_INVAL;
        }
        padded[length] = (uint8_t)label[length];
        if (label[length] >= 'a' && label[length] <= 'z') {
            padded[length] = (uint8_t)(label[length] - 'a' + 'A');
        }
        length++;
    }
    if (label[0] == ' ') {
        return FAT_E_INVAL;
    }
    memcpy(ret, padded, sizeof(padded));
    return FAT_OK;
}

/* Two volumes made in one second differ, if the clock does. */
static uint32_t serial_of(const struct fat_format_options *options)
{
    if (options->has_serial) {
        return options->serial;
    }
    return (uint32_t)((uint64_t)options->now.seconds & UINT32_MAX) ^
           options->now.nanoseconds << 2;
}

static const char *type_name_of(enum fat_type type)
{
    switch (type) {
    case FAT_TYPE_12:
        return "FAT12   ";
    case FAT_TYPE_16:
        return "FAT16   ";
    case FAT_TYPE_32:
        break;
    }
    return "FAT32   ";
}

/* What the boot sector says beside the layout. */
static fat_err sign(const struct fat_format_options *options, enum fat_type type,
        struct fat_bpb *bpb)
{
    const char *type_name = type_name_of(type);

    memcpy(bpb->oem_name, "fatward ", sizeof(bpb->oem_name));
    memcpy(bpb->type_name, type_name, sizeof(bpb->type_name));
    bpb->boot_signature = 0x29;
    bpb->serial = serial_of(options);
    return pad_label(options->label, bpb->label);
}

fat_err fat_format_plan_make(const struct fat_format_options *options,
        uint64_t size_bytes, struct fat_format_plan *ret)
{
    struct fat_format_plan plan;
    struct fat_format_request r;
    struct fat_format_layout layout;
    const char *rule;
    fat_err err;

    if (!options_make_sense(options)) {
        return FAT_E_INVAL;
    }
    r = request_of(options, size_bytes);
    err = fat_format_layout_choose(&r, &layout);
    if (err) {
        return err;
    }
    plan.bpb = bpb_of(&r, &layout);
    err = sign(options, layout.type, &plan.bpb);
    if (err) {
        return err;
    }
    err = fat_geometry_derive(&plan.bpb, &plan.geometry, &rule);
    if (err) {
        return err;
    }
    assert(plan.geometry.type == layout.type && !plan.geometry.fat_clamped);
    assert(plan.geometry.cluster_count == layout.cluster_count);
    *ret = plan;
    return FAT_OK;
}
