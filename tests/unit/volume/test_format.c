/* SPDX-License-Identifier: MIT */
#include <fatward/format.h>

#include <string.h>

#include "base/bytes.h"
#include "ondisk/bpb.h"
#include "ondisk/dirent.h"
#include "ondisk/fsinfo.h"
#include "ondisk/geometry.h"
#include "support/cmocka.h"
#include "support/failalloc.h"
#include "support/recdev.h"

#define COUNT(table) (sizeof(table) / sizeof(*(table)))
#define KIB          UINT64_C(1024)
#define MIB          (UINT64_C(1) << 20)

/* 2023-11-14 22:13:20 UTC */
static const struct fat_time now = {1700000000, 0};

/* A device full of 0xA5, so that nothing is zero by chance. */
static struct fat_blkdev *dirty_device(uint64_t size_bytes)
{
    static uint8_t bytes[65536];
    struct fat_blkdev *dev = NULL;

    memset(bytes, 0xa5, sizeof(bytes));
    assert_int_equal(fat_blkdev_mem_new(size_bytes, &dev), FAT_OK);
    for (uint64_t offset = 0; offset < size_bytes; offset += sizeof(bytes)) {
        const uint64_t rest = size_bytes - offset;
        const size_t length = rest < sizeof(bytes) ? (size_t)rest : sizeof(bytes);

        assert_int_equal(dev->ops->write(dev, offset, bytes, length), FAT_OK);
    }
    return dev;
}

static void read_at(
        struct fat_blkdev *dev, uint64_t offset, uint8_t *buffer, size_t length)
{
    assert_int_equal(dev->ops->read(dev, offset, buffer, length), FAT_OK);
}

static struct fat_geometry geometry_of(struct fat_blkdev *dev, struct fat_bpb *ret_bpb)
{
    uint8_t raw[FAT_BOOT_BYTES];
    struct fat_geometry g = {0};
    const char *rule = "";

    read_at(dev, 0, raw, sizeof(raw));
    fat_bpb_decode(raw, ret_bpb);
    if (fat_bpb_validate(ret_bpb, &rule) != FAT_OK ||
            fat_geometry_derive(ret_bpb, &g, &rule) != FAT_OK) {
        fail_msg("no volume: %s", rule);
    }
    return g;
}

/* True if all of [@from, @to) is zero. */
static bool is_zero(struct fat_blkdev *dev, uint64_t from, uint64_t to)
{
    uint8_t buffer[512];

    for (uint64_t offset = from; offset < to; offset += sizeof(buffer)) {
        const uint64_t rest = to - offset;
        const size_t length = rest < sizeof(buffer) ? (size_t)rest : sizeof(buffer);

        read_at(dev, offset, buffer, length);
        for (size_t i = 0; i < length; i++) {
            if (buffer[i] != 0) {
                return false;
            }
        }
    }
    return true;
}

struct made_case {
    const char *name;
    uint64_t size_bytes;
    struct fat_format_options options;
    unsigned type;
    const char *fat_start; /* the first bytes of each FAT */
    size_t fat_start_bytes;
};

static const struct made_case made_cases[] = {
        {"floppy", 1440 * KIB, {.label = "floppy"}, 12, "\xf0\xff\xff", 3},
        {"small FAT12", 64 * KIB, {.type = 12}, 12, "\xf8\xff\xff", 3},
        {"FAT12, sectors of 4096", 16 * MIB, {.sector_bytes = 4096, .label = "x"}, 12,
                "\xf8\xff\xff", 3},
        {"FAT16", 16 * MIB, {.label = "A LABEL"}, 16, "\xf8\xff\xff\xff", 4},
        {"FAT16, three FATs", 16 * MIB, {.fat_count = 3}, 16, "\xf8\xff\xff\xff", 4},
        {"FAT12, 512 KiB clusters", 80 * MIB,
                {.type = 12, .sector_bytes = 4096, .cluster_sectors = 128}, 12,
                "\xf8\xff\xff", 3},
        {"FAT32", 40 * MIB, {.type = 32, .label = "elevenchars"}, 32,
                "\xf8\xff\xff\x0f\xff\xff\xff\x0f\xff\xff\xff\x0f", 12},
        {"FAT32, more than a megabyte of FATs", 96 * MIB, {.type = 32}, 32,
                "\xf8\xff\xff\x0f\xff\xff\xff\x0f\xff\xff\xff\x0f", 12},
        {"FAT32, one FAT", 40 * MIB, {.type = 32, .fat_count = 1}, 32,
                "\xf8\xff\xff\x0f\xff\xff\xff\x0f\xff\xff\xff\x0f", 12},
        {"FAT32, sectors of 4096", 40 * MIB,
                {.type = 32, .sector_bytes = 4096, .allow_ambiguous = true}, 32,
                "\xf8\xff\xff\x0f\xff\xff\xff\x0f\xff\xff\xff\x0f", 12},
};

static struct fat_blkdev *made(
        const struct made_case *c, struct fat_bpb *ret_bpb, struct fat_geometry *ret_g)
{
    struct fat_blkdev *dev = dirty_device(c->size_bytes);
    struct fat_format_options options = c->options;

    options.now = now;
    assert_int_equal(fat_format(dev, &options, NULL), FAT_OK);
    *ret_g = geometry_of(dev, ret_bpb);
    if ((unsigned)ret_g->type != c->type) {
        fail_msg("%s: got FAT%d", c->name, (int)ret_g->type);
    }
    return dev;
}

/* The marks at the start of FAT @fat, and zeros. */
static void check_fat(struct fat_blkdev *dev, const struct fat_geometry *g,
        const struct made_case *c, uint32_t fat)
{
    const uint64_t start = (g->fat_start + fat * g->fat_sectors) * g->sector_bytes;
    uint8_t got[12];

    read_at(dev, start, got, sizeof(got));
    if (memcmp(got, c->fat_start, c->fat_start_bytes) != 0 ||
            !is_zero(dev, start + c->fat_start_bytes,
                    start + g->fat_sectors * g->sector_bytes)) {
        fail_msg("%s: FAT %u", c->name, fat);
    }
}

static void each_fat_begins_with_its_marks_and_is_zero_then(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(made_cases); i++) {
        struct fat_bpb bpb;
        struct fat_geometry g;
        struct fat_blkdev *dev = made(&made_cases[i], &bpb, &g);

        for (uint32_t fat = 0; fat < g.fat_count; fat++) {
            check_fat(dev, &g, &made_cases[i], fat);
        }
        fat_blkdev_close(dev);
    }
}

static uint64_t root_offset(const struct fat_geometry *g)
{
    return (g->type == FAT_TYPE_32 ? fat_geometry_sector(g, g->root_cluster)
                                   : g->root_start) *
           g->sector_bytes;
}

static uint64_t root_bytes(const struct fat_geometry *g)
{
    return g->type == FAT_TYPE_32 ? g->cluster_bytes
                                  : (uint64_t)g->root_entries * FAT_SLOT_BYTES;
}

static void the_root_has_the_label_or_nothing(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(made_cases); i++) {
        const struct made_case *c = &made_cases[i];
        const bool has_label = c->options.label[0] != '\0';
        struct fat_bpb bpb;
        struct fat_geometry g;
        struct fat_blkdev *dev = made(c, &bpb, &g);
        const uint64_t root = root_offset(&g);
        uint8_t slot[FAT_SLOT_BYTES];

        read_at(dev, root, slot, sizeof(slot));
        if (fat_slot_classify(slot) != (has_label ? FAT_SLOT_LABEL : FAT_SLOT_END)) {
            fail_msg("%s: first slot %02x", c->name, slot[0]);
        }
        if (has_label) {
            assert_memory_equal(slot, bpb.label, FAT_LABEL_BYTES);
            assert_int_equal(fat_get16(slot, DIR_WRT_DATE), 0x576e);
            assert_int_equal(fat_get16(slot, DIR_WRT_TIME), 0xb1aa);
            assert_int_equal(fat_get32(slot, DIR_FILE_SIZE), 0);
        } else {
            assert_memory_equal(bpb.label, "NO NAME    ", FAT_LABEL_BYTES);
        }
        if (!is_zero(dev, root + (has_label ? FAT_SLOT_BYTES : 0),
                    root + root_bytes(&g))) {
            fail_msg("%s: the root is not empty", c->name);
        }
        fat_blkdev_close(dev);
    }
}

static void data_clusters_are_left_alone(void **state)
{
    const struct made_case *c = &made_cases[3];
    struct fat_bpb bpb;
    struct fat_geometry g;
    struct fat_blkdev *dev = made(c, &bpb, &g);
    uint8_t byte = 0;

    (void)state;
    read_at(dev, g.data_start * g.sector_bytes, &byte, 1);
    assert_int_equal(byte, 0xa5);
    fat_blkdev_close(dev);
}

static void the_boot_sector_is_one_that_firmware_can_run(void **state)
{
    const struct made_case *c = &made_cases[0];
    struct fat_bpb bpb;
    struct fat_geometry g;
    struct fat_blkdev *dev = made(c, &bpb, &g);
    uint8_t raw[FAT_BOOT_BYTES];

    (void)state;
    read_at(dev, 0, raw, sizeof(raw));
    assert_memory_equal(raw, "\xeb\x3c\x90", 3);
    assert_memory_equal(raw + 3, "fatward ", 8);
    assert_memory_equal(raw + 62, "\xcd\x18\xf4\xeb\xfd\x00", 6);
    assert_true(bpb.has_signature);
    assert_int_equal(bpb.state, 0);
    fat_blkdev_close(dev);
}

static void the_reserved_sectors_of_fat32_have_fsinfo_and_backups(void **state)
{
    const struct made_case *c = &made_cases[6];
    struct fat_bpb bpb;
    struct fat_geometry g;
    struct fat_blkdev *dev = made(c, &bpb, &g);
    uint8_t boot[FAT_BOOT_BYTES], backup[FAT_BOOT_BYTES], raw[512];
    struct fat_fsinfo info;

    (void)state;
    assert_int_equal(g.fsinfo_sector, 1);
    assert_int_equal(g.backup_sector, 6);
    read_at(dev, 0, boot, sizeof(boot));
    read_at(dev, UINT64_C(6) * 512, backup, sizeof(backup));
    assert_memory_equal(backup, boot, sizeof(boot));
    for (uint64_t sector = 1; sector < 8; sector += 6) {
        read_at(dev, sector * 512, raw, sizeof(raw));
        assert_true(fat_fsinfo_is_valid(raw));
        info = fat_fsinfo_decode(raw, g.cluster_count);
        assert_int_equal(info.free_count, g.cluster_count - 1);
        assert_int_equal(info.next_free, 2);
    }
    assert_true(is_zero(dev, UINT64_C(2) * 512, UINT64_C(6) * 512));
    assert_true(is_zero(dev, UINT64_C(8) * 512, g.fat_start * 512));
    fat_blkdev_close(dev);
}

static void the_result_says_what_is_on_the_device(void **state)
{
    struct fat_blkdev *dev = dirty_device(16 * MIB);
    const struct fat_format_options options = {.serial = 0xcafe, .has_serial = true};
    struct fat_format_result result;
    struct fat_bpb bpb;
    struct fat_geometry g;

    (void)state;
    assert_int_equal(fat_format(dev, &options, &result), FAT_OK);
    g = geometry_of(dev, &bpb);
    assert_int_equal(result.type, g.type);
    assert_int_equal(result.sector_bytes, g.sector_bytes);
    assert_int_equal(result.cluster_sectors, g.cluster_sectors);
    assert_int_equal(result.cluster_count, g.cluster_count);
    assert_int_equal(result.reserved_sectors, g.fat_start);
    assert_int_equal(result.fat_count, g.fat_count);
    assert_int_equal(result.fat_sectors, g.fat_sectors);
    assert_int_equal(result.root_entries, g.root_entries);
    assert_int_equal(result.total_sectors, g.total_sectors);
    assert_int_equal(result.serial, 0xcafe);
    assert_int_equal(bpb.serial, 0xcafe);
    fat_blkdev_close(dev);
}

static void no_options_are_all_zero(void **state)
{
    struct fat_blkdev *dev = dirty_device(1440 * KIB);
    struct fat_format_result result;

    (void)state;
    assert_int_equal(fat_format(dev, NULL, &result), FAT_OK);
    assert_int_equal(result.type, 12);
    assert_int_equal(result.cluster_count, 2847);
    fat_blkdev_close(dev);
}

static void the_sector_is_not_smaller_than_the_devices(void **state)
{
    struct fat_blkdev *dev = dirty_device(16 * MIB);
    struct fat_format_result result;

    (void)state;
    dev->block_bytes = 4096;
    assert_int_equal(fat_format(dev, NULL, &result), FAT_OK);
    assert_int_equal(result.sector_bytes, 4096);
    fat_blkdev_close(dev);
}

static void what_is_refused_is_not_written_to(void **state)
{
    static const struct fat_format_options refused[] = {{.type = 13}, {.type = 32},
            {.label = "a*"}, {.type = 12, .cluster_sectors = 1}};
    struct fat_blkdev *base = dirty_device(16 * MIB);
    struct recdev *rec = NULL;
    struct fat_blkdev *dev;
    struct fat_format_result result;

    (void)state;
    assert_int_equal(recdev_new(base, &rec), FAT_OK);
    dev = recdev_blkdev(rec);
    memset(&result, 0x5a, sizeof(result));
    for (size_t i = 0; i < COUNT(refused); i++) {
        assert_int_not_equal(fat_format(dev, &refused[i], &result), FAT_OK);
    }
    dev->read_only = true;
    assert_int_equal(fat_format(dev, NULL, &result), FAT_E_READONLY);
    assert_int_equal(result.type, 0x5a5a5a5a);
    assert_int_equal(recdev_event_count(rec), 0);
    recdev_free(rec);
    fat_blkdev_close(base);
}

static bool covers_boot(const struct recdev_event *event)
{
    return event->call == RECDEV_WRITE && event->offset == 0;
}

static void the_old_boot_sector_goes_first_and_the_new_one_comes_last(void **state)
{
    const struct fat_format_options options = {.type = 32, .label = "L"};
    struct fat_blkdev *base = dirty_device(96 * MIB);
    struct recdev *rec = NULL;
    size_t last;

    (void)state;
    assert_int_equal(recdev_new(base, &rec), FAT_OK);
    assert_int_equal(fat_format(recdev_blkdev(rec), &options, NULL), FAT_OK);
    last = recdev_event_count(rec) - 1;
    assert_true(covers_boot(recdev_event(rec, 0)));
    assert_int_equal(recdev_event(rec, 0)->bytes[BS_SIGNATURE], 0);
    assert_int_equal(recdev_event(rec, 1)->call, RECDEV_FLUSH);
    assert_int_equal(recdev_event(rec, last - 2)->call, RECDEV_FLUSH);
    assert_true(covers_boot(recdev_event(rec, last - 1)));
    assert_int_equal(recdev_event(rec, last - 1)->bytes[BS_SIGNATURE], 0x55);
    assert_int_equal(recdev_event(rec, last)->call, RECDEV_FLUSH);
    for (size_t i = 0; i < last - 1; i++) {
        const struct recdev_event *event = recdev_event(rec, i);

        assert_false(covers_boot(event) && event->bytes[BS_SIGNATURE] != 0);
        assert_true(event->call == RECDEV_FLUSH || event->length <= MIB);
    }
    recdev_free(rec);
    fat_blkdev_close(base);
}

/* Fails the Nth @call for every N until none is left; no failure is lost. */
static void fail_each(enum recdev_call call)
{
    const struct fat_format_options options = {.type = 32, .label = "L"};
    fat_err err = FAT_E_IO;

    for (unsigned nth = 1; err != FAT_OK; nth++) {
        struct fat_blkdev *base = dirty_device(40 * MIB);
        struct recdev *rec = NULL;
        struct fat_format_result result;

        assert_int_equal(recdev_new(base, &rec), FAT_OK);
        memset(&result, 0x5a, sizeof(result));
        recdev_fail(rec, call, nth, FAT_E_IO, RECDEV_ONCE);
        err = fat_format(recdev_blkdev(rec), &options, &result);
        assert_int_equal(err, recdev_failures(rec) != 0 ? FAT_E_IO : FAT_OK);
        assert_int_equal(result.type, err ? 0x5a5a5a5a : 32);
        assert_true(nth > 3 || err);
        recdev_free(rec);
        fat_blkdev_close(base);
    }
}

static void every_failed_write_and_flush_is_told(void **state)
{
    (void)state;
    fail_each(RECDEV_WRITE);
    fail_each(RECDEV_FLUSH);
}

static void without_memory_the_old_volume_stays(void **state)
{
    struct fat_blkdev *base = dirty_device(16 * MIB);
    struct recdev *rec = NULL;

    (void)state;
    assert_int_equal(recdev_new(base, &rec), FAT_OK);
    failalloc_arm(1, FAILALLOC_ONCE);
    assert_int_equal(fat_format(recdev_blkdev(rec), NULL, NULL), FAT_E_NOMEM);
    assert_true(failalloc_disarm());
    assert_int_equal(recdev_event_count(rec), 0);
    recdev_free(rec);
    fat_blkdev_close(base);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(each_fat_begins_with_its_marks_and_is_zero_then),
            cmocka_unit_test(the_root_has_the_label_or_nothing),
            cmocka_unit_test(data_clusters_are_left_alone),
            cmocka_unit_test(the_boot_sector_is_one_that_firmware_can_run),
            cmocka_unit_test(the_reserved_sectors_of_fat32_have_fsinfo_and_backups),
            cmocka_unit_test(the_result_says_what_is_on_the_device),
            cmocka_unit_test(no_options_are_all_zero),
            cmocka_unit_test(the_sector_is_not_smaller_than_the_devices),
            cmocka_unit_test(what_is_refused_is_not_written_to),
            cmocka_unit_test(the_old_boot_sector_goes_first_and_the_new_one_comes_last),
            cmocka_unit_test(every_failed_write_and_flush_is_told),
            cmocka_unit_test(without_memory_the_old_volume_stays),
    };

    return cmocka_run_group_tests_name("format", tests, NULL, NULL);
}
