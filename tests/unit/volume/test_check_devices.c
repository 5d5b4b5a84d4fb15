/* SPDX-License-Identifier: MIT */
/*
 * The checker on devices that lie, fail or are too small, on volumes built to
 * make it slow, and without memory.
 */
#include <stdlib.h>

#include "support/cmocka.h"
#include "support/failalloc.h"
#include "volume/check_image.h"
#include "volume/check_rows.h"

/* A window on another device in which some bytes can't be read. */
struct bad_device {
    struct fat_blkdev dev;
    struct fat_blkdev *below;
    uint64_t bad_start, bad_end;
};

static fat_err bad_read(
        struct fat_blkdev *dev, uint64_t offset, void *buffer, size_t length)
{
    const struct bad_device *bad = (const struct bad_device *)dev;

    if (offset < bad->bad_end && offset + length > bad->bad_start) {
        return FAT_E_IO;
    }
    return bad->below->ops->read(bad->below, offset, buffer, length);
}

static const struct fat_blkdev_ops bad_ops = {.read = bad_read};

static struct bad_device make_bad(
        const struct image *image, uint64_t start, uint64_t end)
{
    return (struct bad_device){.dev = *image->dev,
            .below = image->dev,
            .bad_start = start,
            .bad_end = end};
}

static fat_err check_bad(struct bad_device *bad, struct log *log)
{
    memset(log, 0, sizeof(*log));
    bad->dev.ops = &bad_ops;
    return fat_check(&bad->dev, note_finding, log, NULL);
}

static void an_empty_device_is_no_volume_and_ret_is_untouched(void **state)
{
    struct fat_check_summary sum = {.files = 77};
    struct log log = {0};
    struct fat_blkdev *dev;

    (void)state;
    assert_int_equal(fat_blkdev_mem_new(1 << 20, &dev), FAT_OK);
    assert_int_equal(fat_check(dev, note_finding, &log, &sum), FAT_E_NOTFAT);
    assert_int_equal(sum.files, 77);
    assert_int_equal(log.count, 1);
    assert_true(strlen(log.first_text) > 0);
    fat_blkdev_close(dev);
    assert_int_equal(fat_blkdev_mem_new(100, &dev), FAT_OK);
    assert_int_equal(fat_check(dev, NULL, NULL, NULL), FAT_E_NOTFAT);
    fat_blkdev_close(dev);
}

static void a_boot_sector_that_contradicts_itself_is_corrupt_and_says_why(void **state)
{
    struct log log = {0};
    struct image image;

    (void)state;
    image_make(&image, 16);
    image_put(&image, BPB_RSVD_SEC_CNT, "\xff\xff", 2);
    assert_int_equal(fat_check(image.dev, note_finding, &log, NULL), FAT_E_CORRUPT);
    assert_int_equal(log.count, 1);
    assert_int_equal(log.weights[0], FAT_WEIGHT_DAMAGE);
    fat_blkdev_close(image.dev);
}

static void a_boot_sector_that_cannot_be_read_is_an_io_error(void **state)
{
    struct bad_device bad;
    struct image image;
    struct log log;

    (void)state;
    image_make(&image, 12);
    bad = make_bad(&image, 0, 512);
    assert_int_equal(check_bad(&bad, &log), FAT_E_IO);
    assert_int_equal(log.kinds[0], FAT_FINDING_READ_ERROR);
    fat_blkdev_close(image.dev);
}

static void a_short_device_is_checked_as_far_as_it_goes(void **state)
{
    struct image image;

    (void)state;
    for (unsigned type = 12; type <= 32; type = type == 12 ? 16 : type * 2) {
        struct fat_check_summary sum;
        struct log log = {0};

        image_make(&image, type);
        image.dev->size_bytes = image_cluster(&image, 100);
        assert_int_equal(fat_check(image.dev, note_finding, &log, &sum), FAT_OK);
        assert_int_equal(log.count, 1);
        assert_int_equal(log.kinds[0], FAT_FINDING_DEVICE_SHORT);
        assert_int_equal(sum.cluster_count, 98);
        image_put_fat(&image, HELLO + 2, 100);
        assert_int_equal(fat_check(image.dev, note_finding, &log, NULL), FAT_OK);
        assert_int_equal(log.kinds[2], FAT_FINDING_CHAIN_RANGE);
        fat_blkdev_close(image.dev);
    }
}

static void a_root_that_the_device_does_not_have_is_said(void **state)
{
    struct log log = {0};
    struct image image;

    (void)state;
    image_make(&image, 32);
    image_put_boot_byte(&image, BPB_ROOT_CLUS, 200);
    image.dev->size_bytes = image_cluster(&image, 100);
    assert_int_equal(fat_check(image.dev, note_finding, &log, NULL), FAT_OK);
    assert_int_equal(log.kinds[1], FAT_FINDING_START);
    fat_blkdev_close(image.dev);
}

static void a_device_without_data_area_or_fat_ends_the_check(void **state)
{
    struct log log = {0};
    struct image image;

    (void)state;
    image_make(&image, 32);
    image.dev->size_bytes = image_cluster(&image, 2);
    assert_int_equal(fat_check(image.dev, note_finding, &log, NULL), FAT_E_CORRUPT);
    image.dev->size_bytes = 4096;
    assert_int_equal(fat_check(image.dev, note_finding, &log, NULL), FAT_E_CORRUPT);
    assert_int_equal(log.count, 2);
    assert_int_equal(log.kinds[1], FAT_FINDING_DEVICE_SHORT);
    fat_blkdev_close(image.dev);
}

static void a_claim_of_a_terabyte_is_cut_to_what_the_device_has(void **state)
{
    struct fat_check_summary sum;
    struct log log = {0};
    struct image image;
    uint8_t raw[4];

    (void)state;
    image_make(&image, 32);
    fat_put32(raw, 0, 0x7fffffff);
    image_put(&image, BPB_TOT_SEC32, raw, 4);
    image_put_byte(&image, BPB_SEC_PER_CLUS, 64);
    assert_int_equal(fat_check(image.dev, note_finding, &log, &sum), FAT_OK);
    assert_int_equal(log.kinds[0], FAT_FINDING_DEVICE_SHORT);
    assert_true(sum.cluster_count <= image.dev->size_bytes / sum.cluster_bytes);
    fat_blkdev_close(image.dev);
}

static void the_fat_is_read_from_the_copy_that_can_be_read(void **state)
{
    struct bad_device bad;
    struct image image;
    struct log log;

    (void)state;
    for (unsigned type = 12; type <= 32; type = type == 12 ? 16 : type * 2) {
        image_make(&image, type);
        bad = make_bad(&image, image_fat(&image, 0) + 8, image_fat(&image, 0) + 9);
        assert_int_equal(check_bad(&bad, &log), FAT_OK);
        assert_int_equal(log.count, 1);
        assert_int_equal(log.kinds[0], FAT_FINDING_READ_ERROR);
        bad = make_bad(&image, image_fat(&image, 1) + 8, image_fat(&image, 1) + 9);
        assert_int_equal(check_bad(&bad, &log), FAT_OK);
        assert_int_equal(log.count, 1);
        assert_int_equal(log.kinds[0], FAT_FINDING_READ_ERROR);
        fat_blkdev_close(image.dev);
    }
}

static void what_no_copy_has_is_neither_lost_nor_free(void **state)
{
    struct bad_device bad;
    struct image image;
    struct log log;

    (void)state;
    image_make(&image, 16);
    bad = make_bad(&image, image_fat(&image, 0), image_fat(&image, 1) + 512);
    assert_int_equal(check_bad(&bad, &log), FAT_OK);
    assert_int_equal(log.count, 2);
    assert_int_equal(log.kinds[0], FAT_FINDING_READ_ERROR);
    assert_int_equal(log.kinds[1], FAT_FINDING_READ_ERROR);
    fat_blkdev_close(image.dev);
}

static void a_directory_that_cannot_be_read_is_said_once(void **state)
{
    struct bad_device bad;
    struct image image;
    struct log log;

    (void)state;
    image_make(&image, 12);
    bad = make_bad(
            &image, image_cluster(&image, DEEP), image_cluster(&image, DEEP + 1));
    assert_int_equal(check_bad(&bad, &log), FAT_OK);
    assert_int_equal(log.count, 1);
    assert_int_equal(log.kinds[0], FAT_FINDING_READ_ERROR);
    assert_string_equal(log.first_path, "/SUB/DEEP");
    fat_blkdev_close(image.dev);
}

static void backup_and_fsinfo_that_cannot_be_read_are_said(void **state)
{
    struct bad_device bad;
    struct image image;
    struct log log;

    (void)state;
    image_make(&image, 32);
    bad = make_bad(&image, 512, image_fat(&image, 0));
    assert_int_equal(check_bad(&bad, &log), FAT_OK);
    assert_int_equal(log.count, 2);
    assert_int_equal(log.kinds[0], FAT_FINDING_READ_ERROR);
    assert_int_equal(log.kinds[1], FAT_FINDING_READ_ERROR);
    fat_blkdev_close(image.dev);
}

static void a_tree_as_deep_as_the_volume_has_bounded_paths(void **state)
{
    const uint32_t depth = 5000;
    struct fat_check_summary sum;
    struct log log = {0};
    struct image image;

    (void)state;
    image_make(&image, 16);
    image_put_entry(&image, 0, ROOT_END, "DIRECTOR   ", FAT_ATTR_DIRECTORY, UNUSED);
    for (uint32_t k = 0; k < depth; k++) {
        image_make_dir(&image, UNUSED + k, k == 0 ? 0 : UNUSED + k - 1);
        image_put_entry(&image, UNUSED + k, 2, "DIRECTOR   ", FAT_ATTR_DIRECTORY,
                k + 1 < depth ? UNUSED + k + 1 : UNUSED);
    }
    assert_int_equal(fat_check(image.dev, note_finding, &log, &sum), FAT_OK);
    assert_int_equal(log.count, 1);
    assert_int_equal(log.kinds[0], FAT_FINDING_DIR_LOOP);
    assert_memory_equal(log.first_path, "/.../DIRECTOR/", 14);
    assert_int_equal(sum.directories, 2 + depth + 1);
    fat_blkdev_close(image.dev);
}

static void a_directory_of_more_than_65536_slots_is_too_long(void **state)
{
    struct log log = {0};
    struct image image;
    uint32_t clusters;

    (void)state;
    image_make(&image, 16);
    clusters = FAT_DIR_SLOTS_MAX * FAT_SLOT_BYTES / image.g.cluster_bytes;
    for (uint32_t k = 0; k < clusters - 1; k++) {
        image_put_fat(&image, k == 0 ? DEEP : UNUSED + k - 1, UNUSED + k);
    }
    image_put_fat(&image, UNUSED + clusters - 2, VALUE_END);
    assert_int_equal(fat_check(image.dev, note_finding, &log, NULL), FAT_OK);
    assert_int_equal(log.count, 0);
    image_put_fat(&image, UNUSED + clusters - 2, UNUSED + clusters - 1);
    image_put_fat(&image, UNUSED + clusters - 1, VALUE_END);
    assert_int_equal(fat_check(image.dev, note_finding, &log, NULL), FAT_OK);
    assert_int_equal(log.count, 1);
    assert_int_equal(log.kinds[0], FAT_FINDING_DIR_TOO_LONG);
    fat_blkdev_close(image.dev);
}

static void without_mirroring_only_the_active_fat_counts(void **state)
{
    struct log log = {0};
    struct image image;

    (void)state;
    image_make(&image, 32);
    for (uint32_t cluster = 0; cluster < 64; cluster++) {
        image_put_fat_copy(&image, 0, cluster, 0);
    }
    image_put_boot_byte(&image, BPB_EXT_FLAGS, 0x81);
    assert_int_equal(fat_check(image.dev, note_finding, &log, NULL), FAT_OK);
    assert_int_equal(log.count, 1);
    assert_int_equal(log.kinds[0], FAT_FINDING_BOOT);
    fat_blkdev_close(image.dev);
}

static void each_allocation_may_fail_and_nothing_leaks(void **state)
{
    bool failed = true;
    struct image image;

    (void)state;
    image_make(&image, 32);
    for (unsigned nth = 1; failed; nth++) {
        struct fat_check_summary sum = {.files = 77};
        fat_err err;

        failalloc_arm(nth, FAILALLOC_ONCE);
        err = fat_check(image.dev, NULL, NULL, &sum);
        failed = failalloc_disarm();
        assert_int_equal(err, failed ? FAT_E_NOMEM : FAT_OK);
        assert_int_equal(sum.files, failed ? 77 : 4);
    }
    fat_blkdev_close(image.dev);
}

/* Numbers that look random and are the same every time. */
static uint32_t next_random(uint32_t *seed)
{
    *seed = *seed * 1664525 + 1013904223;
    return *seed >> 8;
}

static void corrupt(struct image *image, uint32_t *seed)
{
    const uint64_t places[] = {0, image_fat(image, 0), image_fat(image, 1),
            image_slot(image, 0, 0), image_cluster(image, SUB),
            image_cluster(image, DEEP)};

    for (unsigned k = next_random(seed) % 6 + 1; k > 0; k--) {
        const uint64_t place =
                places[next_random(seed) % (sizeof(places) / sizeof(*places))];

        image_put_byte(image, place + next_random(seed) % (place == 0 ? 64 : 256),
                next_random(seed));
    }
}

static void damage_of_any_kind_ends_the_check_in_good_order(void **state)
{
    uint32_t seed = 1;

    (void)state;
    for (unsigned round = 0; round < 600; round++) {
        struct image image;
        fat_err err;

        image_make(&image, round % 2 ? 12 : 16);
        corrupt(&image, &seed);
        err = fat_check(image.dev, NULL, NULL, NULL);
        assert_true(err == FAT_OK || err == FAT_E_CORRUPT || err == FAT_E_NOTFAT);
        fat_blkdev_close(image.dev);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(an_empty_device_is_no_volume_and_ret_is_untouched),
            cmocka_unit_test(
                    a_boot_sector_that_contradicts_itself_is_corrupt_and_says_why),
            cmocka_unit_test(a_boot_sector_that_cannot_be_read_is_an_io_error),
            cmocka_unit_test(a_short_device_is_checked_as_far_as_it_goes),
            cmocka_unit_test(a_root_that_the_device_does_not_have_is_said),
            cmocka_unit_test(a_device_without_data_area_or_fat_ends_the_check),
            cmocka_unit_test(a_claim_of_a_terabyte_is_cut_to_what_the_device_has),
            cmocka_unit_test(the_fat_is_read_from_the_copy_that_can_be_read),
            cmocka_unit_test(what_no_copy_has_is_neither_lost_nor_free),
            cmocka_unit_test(a_directory_that_cannot_be_read_is_said_once),
            cmocka_unit_test(backup_and_fsinfo_that_cannot_be_read_are_said),
            cmocka_unit_test(a_tree_as_deep_as_the_volume_has_bounded_paths),
            cmocka_unit_test(a_directory_of_more_than_65536_slots_is_too_long),
            cmocka_unit_test(without_mirroring_only_the_active_fat_counts),
            cmocka_unit_test(each_allocation_may_fail_and_nothing_leaks),
            cmocka_unit_test(damage_of_any_kind_ends_the_check_in_good_order),
    };

    return cmocka_run_group_tests_name("volume/check_devices", tests, NULL, NULL);
}
