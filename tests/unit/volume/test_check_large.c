/* SPDX-License-Identifier: MIT */
/*
 * The checker on volumes whose FAT is larger than what it keeps of it in memory, and the
 * scan of such volumes.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "support/cmocka.h"
#include "support/failalloc.h"
#include "support/surgery.h"

enum {
    MANY = 600000,    /* clusters: more entries than views hold */
    APART = 64 * 4096 /* entries that share a view */
};

/* A file of @count clusters whose chain goes to and fro between two far pieces. */
static void make_zigzag(struct image *img, const char *name, uint32_t count)
{
    uint32_t first;

    image_put(img->root, name, 1, (size_t)count * 512);
    first = surgery_first_of(img->root, name);
    image_close(img);
    for (uint32_t i = 0; i < count; i++) {
        surgery_link(img, SURGERY_ALL, first + i, 0);
    }
    for (uint32_t i = 0; i < count; i++) {
        const uint32_t at = first + i / 2 + i % 2 * APART;
        const uint32_t next = first + (i + 1) / 2 + (i + 1) % 2 * APART;

        surgery_link(img, SURGERY_ALL, at, i + 1 == count ? SURGERY_END : next);
    }
    image_open(img);
}

static void a_chain_between_pieces_that_share_a_view_is_followed(void **state)
{
    struct image img;

    (void)state;
    image_make(&img, &(struct image_spec){.type = 32, .clusters = MANY});
    make_zigzag(&img, "there and back", 501);
    image_done(&img);
}

static void a_second_owner_is_found_when_the_piece_has_gone(void **state)
{
    struct fat_check_summary sum;
    struct image img;
    uint32_t first;
    uint32_t other;

    (void)state;
    image_make(&img, &(struct image_spec){.type = 32, .clusters = MANY});
    make_zigzag(&img, "there and back", 501);
    image_put(img.root, "other", 2, 600);
    first = surgery_first_of(img.root, "there and back");
    other = surgery_first_of(img.root, "other");
    image_close(&img);
    surgery_link(&img, SURGERY_ALL, other, first + 100 + APART);
    sum = image_check(img.dev, FAT_WEIGHT_DAMAGE);
    assert_int_equal(sum.findings[FAT_FINDING_CROSS_LINK], 1);
    assert_int_equal(sum.clusters_lost, 1);
    image_drop(&img);
}

static struct recdev_counts cost_of(struct image *img)
{
    recdev_reset_counts(img->rec);
    image_check_clean(img->dev);
    return recdev_counts(img->rec);
}

enum { LINKS = 2000, PART_BYTES = 256 * 4 };

/* Not the neighbours of a cluster that the chain only touches. */
static void a_chain_that_jumps_about_costs_a_small_read_for_each_link(void **state)
{
    struct recdev_counts before;
    struct recdev_counts after;
    struct image img;

    (void)state;
    image_make(&img, &(struct image_spec){.type = 32, .clusters = MANY});
    image_close(&img);
    before = cost_of(&img);
    image_open(&img);
    make_zigzag(&img, "there and back", LINKS);
    image_close(&img);
    after = cost_of(&img);
    assert_in_range(after.reads - before.reads, LINKS / 2, LINKS + 16);
    assert_true(after.bytes_read - before.bytes_read < 2 * LINKS * PART_BYTES);
    image_drop(&img);
}

/* Two copies are read in pieces of 64 KiB, and then the chain in its order. */
static void a_chain_in_order_costs_few_reads(void **state)
{
    enum { CLUSTERS = 120000, PARTS = CLUSTERS / 256, GROUP = 16 };
    struct recdev_counts before;
    struct recdev_counts after;
    struct image img;

    (void)state;
    image_make(&img, &(struct image_spec){.type = 32, .clusters = MANY});
    image_close(&img);
    before = cost_of(&img);
    image_open(&img);
    image_put(img.root, "long", 1, (size_t)CLUSTERS * 512);
    image_close(&img);
    after = cost_of(&img);
    assert_in_range(after.reads - before.reads, PARTS / GROUP, PARTS / GROUP + 16);
    image_drop(&img);
}

static void memory_is_a_few_bits_for_each_cluster(void **state)
{
    struct image img;

    (void)state;
    image_make(&img, &(struct image_spec){.type = 32, .clusters = 8 * MANY});
    image_put(img.root, "file", 1, 100000);
    image_close(&img);
    failalloc_arm(0, FAILALLOC_ONCE);
    assert_int_equal(fat_check(img.dev, NULL, NULL, NULL), FAT_OK);
    assert_false(failalloc_disarm());
    assert_true(failalloc_bytes() < 8 * MANY * 5 / 8 + (2 << 20));
    image_drop(&img);
}

enum { FULL = 65536, LEVELS = 14 };

/* A subdirectory at @slot, with a name that no other slot's has. */
static void put_subdirectory(uint8_t *slots, uint32_t slot, uint32_t cluster)
{
    uint8_t *raw = slots + (size_t)slot * 32;
    char name[12];

    (void)snprintf(name, sizeof(name), "%-11u", (unsigned)slot);
    memcpy(raw, name, 11);
    raw[11] = 0x10;
    fat_put16(raw, 20, (uint16_t)(cluster >> 16));
    fat_put16(raw, 26, (uint16_t)cluster);
}

/*
 * @levels directories, each the first entry of the one above and with as many
 * subdirectories as fit beside it. Those have a cluster, and nothing in it.
 */
static void make_thicket(struct image *img, uint32_t levels)
{
    const uint32_t length = FULL * 32 / 512;
    const uint32_t first = 3;
    const uint32_t leaves = first + levels * length;
    const uint32_t end = leaves + levels * FULL;
    uint8_t *fat = calloc(end, 4);
    uint8_t *slots = calloc(FULL, 32);

    assert_non_null(fat);
    assert_non_null(slots);
    put_subdirectory(slots, 0, first);
    surgery_write(img, surgery_cluster(img, 2), slots, 512);
    for (uint32_t i = first; i < end; i++) {
        const bool more = i < leaves && (i + 1 - first) % length != 0;

        fat_put32(fat, (size_t)i * 4, more ? i + 1 : SURGERY_END);
    }
    surgery_read(img, 32 * 512, fat, 12); /* FAT32 as fat_format() makes it */
    surgery_write(img, 32 * 512, fat, (size_t)end * 4);
    for (uint32_t level = 0; level < levels; level++) {
        for (uint32_t slot = 0; slot < FULL; slot++) {
            const bool down = slot == 0 && level + 1 < levels;

            put_subdirectory(slots, slot,
                    down ? first + (level + 1) * length : leaves + level * FULL + slot);
        }
        surgery_write(img, surgery_cluster(img, first + level * length), slots,
                (size_t)FULL * 32);
    }
    free(slots);
    free(fat);
}

/* More directories wait to be read than any volume has that is not out for that. */
static void directories_that_wait_take_no_more_than_their_share(void **state)
{
    struct fat_check_summary sum = {.files = 77};
    const uint32_t clusters = LEVELS * (FULL + FULL * 32 / 512 + 1);
    struct image img;

    (void)state;
    image_make(&img, &(struct image_spec){.type = 32, .clusters = clusters});
    image_close(&img);
    make_thicket(&img, LEVELS);
    failalloc_arm(0, FAILALLOC_ONCE);
    assert_int_equal(fat_check(img.dev, NULL, NULL, &sum), FAT_E_NOMEM);
    assert_false(failalloc_disarm());
    assert_true(failalloc_bytes() < clusters * 5 / 8 + (80 << 20)); /* it doubles */
    assert_int_equal(sum.files, 77);
    image_drop(&img);
}

static void eight_full_directories_in_a_row_are_read(void **state)
{
    const uint32_t clusters = 8 * (FULL + FULL * 32 / 512 + 1);
    struct fat_check_summary sum;
    struct image img;

    (void)state;
    image_make(&img, &(struct image_spec){.type = 32, .clusters = clusters});
    image_close(&img);
    make_thicket(&img, 8);
    assert_int_equal(fat_check(img.dev, NULL, NULL, &sum), FAT_OK);
    assert_int_equal(sum.directories, 8 * FULL + 1);
    image_drop(&img);
}

/* A device whose FAT can be read so many times and no more; it counts down. */
struct tired {
    struct fat_blkdev dev;
    struct fat_blkdev *below;
    uint64_t from, to;
    unsigned reads_left;
};

static fat_err tired_read(
        struct fat_blkdev *dev, uint64_t offset, void *buffer, size_t length)
{
    struct tired *tired = (struct tired *)dev;

    if (offset < tired->to && offset + length > tired->from) {
        if (tired->reads_left == 0) {
            return FAT_E_IO;
        }
        tired->reads_left--;
    }
    return tired->below->ops->read(tired->below, offset, buffer, length);
}

enum { PLENTY = 1000 };

static void a_fat_that_fails_after_some_time_is_not_passed_over(void **state)
{
    static const struct fat_blkdev_ops ops = {.read = tired_read};
    struct fat_volume_info info;
    struct image img;
    unsigned needed = 0;

    (void)state;
    image_make(&img, &(struct image_spec){.type = 16});
    image_put(img.root, "file", 1, 100000);
    fat_node_unref(image_mkdir(img.root, "folder"));
    fat_volume_info(img.volume, &info);
    image_close(&img);
    for (unsigned reads = PLENTY; reads == PLENTY || reads < needed;
            reads = reads == PLENTY ? 0 : reads + 1) {
        struct fat_check_summary sum;
        struct tired tired = {.dev = *img.dev,
                .below = img.dev,
                .from = info.fat_start * info.sector_bytes,
                .to = info.root_start * info.sector_bytes,
                .reads_left = reads};

        tired.dev.ops = &ops;
        assert_int_equal(fat_check(&tired.dev, NULL, NULL, &sum), FAT_OK);
        assert_int_equal(sum.damages, sum.findings[FAT_FINDING_READ_ERROR]);
        if (reads == PLENTY) {
            needed = PLENTY - tired.reads_left;
            assert_int_equal(sum.damages, 0);
        } else {
            assert_in_range(sum.damages, 1, 2);
        }
    }
    assert_true(needed > 3);
    image_drop(&img);
}

enum { LOST_MAX = 65536 }; /* FAT_SCAN_LOST_MAX */

static void more_lost_chains_than_one_scan_gives_back_are_left_for_the_next(
        void **state)
{
    const uint32_t lost = LOST_MAX + 1000;
    struct image img;
    uint32_t before;

    (void)state;
    image_make(&img, &(struct image_spec){.type = 32, .clusters = 70000});
    before = image_free(&img);
    image_close(&img);
    for (uint32_t i = 0; i < lost; i++) {
        surgery_link(&img, SURGERY_ALL, 100 + i, SURGERY_END);
    }
    surgery_make_dirty(&img);
    image_open(&img);
    assert_int_equal(fat_volume_recover(img.volume), FAT_OK);
    assert_int_equal(image_free(&img), before - 1000);
    image_close(&img);
    assert_true(surgery_is_dirty(&img));
    image_open(&img);
    assert_int_equal(fat_volume_recover(img.volume), FAT_OK);
    assert_int_equal(image_free(&img), before);
    image_close(&img);
    assert_false(surgery_is_dirty(&img));
    image_open(&img);
    image_done(&img);
}

/* Directories in each other, @levels of them, and slots of a lost long name in the first. */
static void make_shaft(struct image *img, uint32_t levels)
{
    const uint32_t first = 3;
    uint8_t *fat = calloc(first + levels, 4);
    uint8_t *clusters = calloc(levels, 512);

    assert_non_null(fat);
    assert_non_null(clusters);
    for (uint32_t i = 0; i < levels; i++) {
        uint8_t *slots = clusters + (size_t)i * 512;

        fat_put32(fat, (size_t)(first + i) * 4, SURGERY_END);
        put_subdirectory(slots, 0, first + i);
        memcpy(slots, ".          ", 11);
        put_subdirectory(slots, 1, i == 0 ? 0 : first + i - 1);
        memcpy(slots + 32, "..         ", 11);
        if (i + 1 < levels) {
            put_subdirectory(slots, 2, first + i + 1);
        }
    }
    surgery_read(img, 32 * 512, fat, 12); /* FAT32 as fat_format() makes it */
    surgery_write(img, 32 * 512, fat, (size_t)(first + levels) * 4);
    surgery_write(img, surgery_cluster(img, first), clusters, (size_t)levels * 512);
    memset(clusters, 0, 512);
    put_subdirectory(clusters, 1, first);
    clusters[0] = 0x41; /* the first and last of a long name */
    clusters[11] = 0x0f;
    clusters[13] = 0x55; /* checksum: no entry's */
    clusters[32 + 0] = 'T';
    surgery_write(img, surgery_cluster(img, 2), clusters, 64);
    free(clusters);
    free(fat);
    surgery_make_dirty(img);
}

static fat_err recover_shaft(uint32_t levels)
{
    struct image img;
    fat_err err;

    image_make(&img, &(struct image_spec){.type = 32, .clusters = levels + 2000});
    image_close(&img);
    make_shaft(&img, levels);
    image_open(&img);
    err = fat_volume_recover(img.volume);
    if (err == FAT_OK) {
        image_done(&img);
    } else {
        assert_true(surgery_is_dirty(&img));
        image_drop(&img);
    }
    return err;
}

enum { LEVELS_MAX = 65536 }; /* of leftovers.c, the root is one */

static void a_tree_is_mended_however_deep_up_to_a_bound(void **state)
{
    (void)state;
    assert_int_equal(recover_shaft(LEVELS_MAX - 1), FAT_OK);
    assert_int_equal(recover_shaft(LEVELS_MAX), FAT_E_NOMEM);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(a_chain_between_pieces_that_share_a_view_is_followed),
            cmocka_unit_test(a_second_owner_is_found_when_the_piece_has_gone),
            cmocka_unit_test(a_chain_that_jumps_about_costs_a_small_read_for_each_link),
            cmocka_unit_test(a_chain_in_order_costs_few_reads),
            cmocka_unit_test(memory_is_a_few_bits_for_each_cluster),
            cmocka_unit_test(directories_that_wait_take_no_more_than_their_share),
            cmocka_unit_test(eight_full_directories_in_a_row_are_read),
            cmocka_unit_test(a_fat_that_fails_after_some_time_is_not_passed_over),
            cmocka_unit_test(
                    more_lost_chains_than_one_scan_gives_back_are_left_for_the_next),
            cmocka_unit_test(a_tree_is_mended_however_deep_up_to_a_bound),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
