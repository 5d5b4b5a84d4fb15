/* SPDX-License-Identifier: MIT */
/*
 * fatward-inspect info: the boot sector field by field, then what the engine
 * derives from it. When the engine refuses the volume, the fields are printed all
 * the same: one of them is why.
 */
#include "inspect/commands.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <fatward/error.h>
#include <fatward/volume.h>

#include "inspect/boot_fields.h"
#include "text/escape.h"

static void print_area(const char *name, uint64_t from, uint64_t to)
{
    printf("  %-15s %14" PRIu64 " %14" PRIu64 "\n", name, from, to - from);
}

static const char *type_reason(unsigned type)
{
    switch (type) {
    case 12:
        return "BPB_FATSz16 is not 0, and at most 4084 clusters";
    case 16:
        return "BPB_FATSz16 is not 0, and more than 4084 clusters";
    default:
        return "BPB_FATSz16 is 0";
    }
}

static void print_volume(const struct fat_volume_info *info)
{
    puts("volume");
    printf("  type            FAT%u: %s\n", info->type, type_reason(info->type));
    printf("  size            %" PRIu64 " bytes, %" PRIu64 " sectors of %" PRIu32 "\n",
            info->total_sectors * info->sector_bytes, info->total_sectors,
            info->sector_bytes);
    printf("  clusters        %" PRIu32 " of %" PRIu32 " bytes, numbers 2 to %" PRIu32
           "\n",
            info->cluster_count, info->cluster_bytes, info->cluster_count + 1);
    printf("  FATs            %" PRIu32 " of %" PRIu64 " sectors, ", info->fat_count,
            info->fat_sectors);
    if (info->mirrored) {
        puts("kept alike");
    } else {
        printf("only number %" PRIu32 " in use\n", info->active_fat + 1);
    }
    if (info->type == 32) {
        printf("  root directory  from cluster %" PRIu32 "\n", info->root_cluster);
    } else {
        printf("  root directory  %" PRIu32 " entries\n", info->root_entries);
    }
}

static void print_areas(const struct fat_volume_info *info)
{
    const uint64_t sector = info->sector_bytes;
    const uint64_t data = info->data_start * sector;
    const uint64_t data_end =
            data + (uint64_t)info->cluster_count * info->cluster_bytes;
    const uint64_t end = info->total_sectors * sector;

    puts("areas (first byte, bytes)");
    print_area("reserved", 0, info->fat_start * sector);
    for (uint32_t i = 0; i < info->fat_count; i++) {
        const uint64_t from = info->fat_start + i * info->fat_sectors;
        char name[24];

        snprintf(name, sizeof(name), "FAT %" PRIu32, i + 1);
        print_area(name, from * sector, (from + info->fat_sectors) * sector);
    }
    if (info->type != 32) {
        print_area("root directory", info->root_start * sector, data);
    }
    print_area("clusters", data, data_end);
    if (end > data_end) {
        print_area("unused tail", data_end, end);
    }
}

/* FAT[1], as found: FAT12 keeps no marks there. MSFAT 4 */
static fat_err print_fat_marks(
        struct fat_blkdev *dev, const struct fat_volume_info *info)
{
    const uint64_t fat = info->fat_start + info->active_fat * info->fat_sectors;
    const unsigned entry_bytes = info->type == 32 ? 4 : 2;
    const unsigned clean_bit = info->type == 32 ? 27 : 15;
    uint8_t raw[8];
    uint32_t entry;
    fat_err err;

    if (info->type == 12) {
        return FAT_OK;
    }
    err = dev->ops->read(dev, fat * info->sector_bytes, raw, sizeof(raw));
    if (err) {
        return err;
    }
    entry = boot_fields_number(raw + entry_bytes, entry_bytes);
    printf("  in FAT[1]       %s%s\n", entry >> clean_bit & 1 ? "clean" : "dirty",
            entry >> (clean_bit - 1) & 1 ? "" : ", hard error met");
    return FAT_OK;
}

static void print_count(const char *name, uint32_t count)
{
    if (count == UINT32_MAX) {
        printf("  %-15s unknown\n", name);
    } else {
        printf("  %-15s %" PRIu32 "\n", name, count);
    }
}

/* MSFAT 5 */
static fat_err print_fsinfo(struct fat_blkdev *dev, const struct fat_volume_info *info)
{
    uint8_t raw[BOOT_BYTES];
    fat_err err;

    if (info->fsinfo_sector == 0) {
        return FAT_OK;
    }
    err = dev->ops->read(
            dev, (uint64_t)info->fsinfo_sector * info->sector_bytes, raw, sizeof(raw));
    if (err) {
        return err;
    }
    printf("FSInfo, in sector %" PRIu32 "\n", info->fsinfo_sector);
    if (memcmp(raw, "RRaA", 4) != 0 || memcmp(raw + 484, "rrAa", 4) != 0) {
        puts("  signatures      missing: what it says is ignored");
        return FAT_OK;
    }
    print_count("free clusters", boot_fields_number(raw + 488, 4));
    print_count("next free", boot_fields_number(raw + 492, 4));
    return FAT_OK;
}

static void print_label(const uint8_t *boot, const struct fat_volume_info *info)
{
    char of_boot_sector[12];

    boot_fields_label(boot, of_boot_sector);
    fputs("  label           ", stdout);
    if (info->label[0] != '\0') {
        fputc('"', stdout);
        escape_print(stdout, info->label);
        fputc('"', stdout);
    } else {
        fputs("none", stdout);
    }
    fputs("\n  in boot sector  \"", stdout);
    escape_print(stdout, of_boot_sector);
    fputs("\"\n", stdout);
    if (info->has_serial) {
        printf("  serial          %04" PRIX32 "-%04" PRIX32 "\n", info->serial >> 16,
                info->serial & 0xFFFF);
    }
}

static fat_err print_derived(
        struct fat_blkdev *dev, const uint8_t *boot, const struct fat_volume_info *info)
{
    const struct boot_marks marks = boot_fields_marks(boot);
    fat_err err;

    print_volume(info);
    print_label(boot, info);
    print_areas(info);
    puts("marks");
    printf("  in boot sector  %s%s\n", marks.dirty ? "dirty" : "clean",
            marks.surface_test ? ", surface test wanted" : "");
    err = print_fat_marks(dev, info);
    return err ? err : print_fsinfo(dev, info);
}

struct audience {
    const char *image;
};

static void pass_on(void *context, const struct fat_report *report)
{
    const struct audience *audience = context;

    fflush(stdout);
    inspect_complain(audience->image, fat_err_text(report->err), report->text);
}

static void compare_with_device(const char *image, const struct fat_blkdev *dev,
        const struct fat_volume_info *info)
{
    const uint64_t end = info->total_sectors * info->sector_bytes;
    char text[96];

    if (end > dev->size_bytes) {
        snprintf(text, sizeof(text),
                "%" PRIu64 " bytes by its boot sector, but here are only %" PRIu64, end,
                dev->size_bytes);
        inspect_complain(image, "the volume is larger than its device", text);
    }
}

static fat_err inspect_volume(
        const char *image, struct fat_blkdev *dev, const uint8_t *boot)
{
    struct audience audience = {image};
    const struct fat_volume_options options = {.flags = FAT_VOLUME_READ_ONLY,
            .report = pass_on,
            .report_context = &audience};
    struct fat_volume *volume;
    struct fat_volume_info info;
    fat_err err, closed;

    err = fat_volume_open(dev, &options, &volume);
    if (err) {
        return err;
    }
    fat_volume_info(volume, &info);
    err = print_derived(dev, boot, &info);
    compare_with_device(image, dev, &info);
    closed = fat_volume_close(volume);
    return err ? err : closed;
}

int inspect_info(const char *image, struct fat_blkdev *dev)
{
    uint8_t boot[BOOT_BYTES];
    fat_err err;

    if (dev->size_bytes < sizeof(boot)) {
        inspect_complain(
                image, "no FAT volume here", "there is no room for a boot sector");
        return INSPECT_FAILED;
    }
    err = dev->ops->read(dev, 0, boot, sizeof(boot));
    if (!err) {
        boot_fields_print(stdout, boot);
        err = inspect_volume(image, dev, boot);
    }
    if (err) {
        fflush(stdout);
        inspect_complain(image, fat_err_text(err), NULL);
        return INSPECT_FAILED;
    }
    return INSPECT_CLEAN;
}
