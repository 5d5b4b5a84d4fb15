/* SPDX-License-Identifier: MIT */
#include <pthread.h>
#include <string.h>

#include <fatward/blkdev.h>

#include "support/cmocka.h"
#include "support/failalloc.h"

enum { SIZE = 3 * 4096 + 100 };

static struct fat_blkdev *open_device(uint64_t size_bytes)
{
    struct fat_blkdev *dev = NULL;

    assert_int_equal(fat_blkdev_mem_new(size_bytes, &dev), FAT_OK);
    return dev;
}

static int setup(void **state)
{
    *state = open_device(SIZE);
    return 0;
}

static int teardown(void **state)
{
    fat_blkdev_close(*state);
    return 0;
}

static fat_err get(struct fat_blkdev *dev, uint64_t offset, void *buffer, size_t length)
{
    return dev->ops->read(dev, offset, buffer, length);
}

static fat_err put(
        struct fat_blkdev *dev, uint64_t offset, const void *buffer, size_t length)
{
    return dev->ops->write(dev, offset, buffer, length);
}

static void assert_zero(struct fat_blkdev *dev, uint64_t offset, size_t length)
{
    uint8_t byte = 1;

    for (size_t i = 0; i < length; i++) {
        assert_int_equal(get(dev, offset + i, &byte, 1), FAT_OK);
        assert_int_equal(byte, 0);
    }
}

static void a_new_device_is_writable_and_all_zero(void **state)
{
    struct fat_blkdev *dev = *state;

    assert_int_equal(dev->size_bytes, SIZE);
    assert_int_equal(dev->block_bytes, 512);
    assert_false(dev->read_only);
    assert_zero(dev, 0, SIZE);
    assert_int_equal(dev->ops->flush(dev), FAT_OK);
}

static void a_write_over_page_borders_is_read_back_and_changes_nothing_else(
        void **state)
{
    struct fat_blkdev *dev = *state;
    uint8_t bytes[2 * 4096];
    uint8_t got[sizeof(bytes)] = {0};

    for (size_t i = 0; i < sizeof(bytes); i++) {
        bytes[i] = (uint8_t)(i * 7 + i / 256 + 1);
    }
    assert_int_equal(put(dev, 4000, bytes, sizeof(bytes)), FAT_OK);
    assert_int_equal(get(dev, 4000, got, sizeof(got)), FAT_OK);
    assert_memory_equal(got, bytes, sizeof(bytes));
    assert_zero(dev, 0, 4000);
    assert_zero(dev, 4000 + sizeof(bytes), SIZE - 4000 - sizeof(bytes));
}

static const struct {
    const char *name;
    uint64_t offset;
    size_t length;
    fat_err want;
} ranges[] = {
        {"nothing at the start", 0, 0, FAT_OK},
        {"nothing at the very end", SIZE, 0, FAT_OK},
        {"the last byte", SIZE - 1, 1, FAT_OK},
        {"one byte past the end", SIZE, 1, FAT_E_RANGE},
        {"across the end", SIZE - 1, 2, FAT_E_RANGE},
        {"nothing past the end", SIZE + 1, 0, FAT_E_RANGE},
        {"an end that wraps round 2^64", UINT64_MAX, 2, FAT_E_RANGE},
        {"a length that wraps round", 1, SIZE_MAX, FAT_E_RANGE},
};

static void transfers_outside_the_device_are_refused(void **state)
{
    for (size_t i = 0; i < sizeof(ranges) / sizeof(*ranges); i++) {
        uint8_t bytes[2] = {9, 9};
        fat_err err = put(*state, ranges[i].offset, bytes, ranges[i].length);

        if (err != ranges[i].want) {
            fail_msg("write %s: got %d", ranges[i].name, err);
        }
        err = get(*state, ranges[i].offset, bytes, ranges[i].length);
        if (err != ranges[i].want) {
            fail_msg("read %s: got %d", ranges[i].name, err);
        }
        assert_int_equal(bytes[1], 9);
    }
}

static void a_device_marked_read_only_refuses_writes(void **state)
{
    struct fat_blkdev *dev = *state;

    dev->read_only = true;
    assert_int_equal(put(dev, 0, "x", 1), FAT_E_READONLY);
    assert_zero(dev, 0, 1);
}

static void an_empty_device_can_be_made(void **state)
{
    struct fat_blkdev *dev = open_device(0);

    (void)state;
    assert_int_equal(put(dev, 0, "x", 1), FAT_E_RANGE);
    fat_blkdev_close(dev);
}

static void two_tebibytes_cost_only_what_was_written(void **state)
{
    const uint64_t size = UINT64_C(2) << 40;
    struct fat_blkdev *dev = open_device(size);
    uint64_t got = 0;

    (void)state;
    for (uint64_t at = 0; at < size; at += size / 1024) {
        assert_int_equal(put(dev, at, &at, sizeof(at)), FAT_OK);
    }
    for (uint64_t at = 0; at < size; at += size / 1024) {
        assert_int_equal(get(dev, at, &got, sizeof(got)), FAT_OK);
        assert_int_equal(got, at);
    }
    fat_blkdev_close(dev);
}

static void no_memory_for_the_device_is_nomem_and_leaves_ret_alone(void **state)
{
    unsigned nth;

    (void)state;
    for (nth = 1;; nth++) {
        struct fat_blkdev *dev = NULL;
        fat_err err;

        failalloc_arm(nth, FAILALLOC_ONCE);
        err = fat_blkdev_mem_new(SIZE, &dev);
        if (!failalloc_disarm()) {
            assert_int_equal(err, FAT_OK);
            fat_blkdev_close(dev);
            break;
        }
        assert_int_equal(err, FAT_E_NOMEM);
        assert_null(dev);
    }
    assert_true(nth > 1);
}

static void a_write_without_memory_for_its_last_page_changes_nothing(void **state)
{
    struct fat_blkdev *dev = *state;
    uint8_t bytes[3 * 4096];

    memset(bytes, 0xee, sizeof(bytes));
    failalloc_arm(3, FAILALLOC_ONCE);
    assert_int_equal(put(dev, 0, bytes, sizeof(bytes)), FAT_E_NOMEM);
    assert_true(failalloc_disarm());
    assert_zero(dev, 0, SIZE);
    assert_int_equal(put(dev, 0, bytes, sizeof(bytes)), FAT_OK);
}

static void a_page_table_that_cannot_grow_still_finds_every_page(void **state)
{
    enum { PAGES = 65 }; /* one more than the table starts with */
    struct fat_blkdev *dev = open_device(PAGES * UINT64_C(4096));
    bool was_reached;

    (void)state;
    for (uint64_t i = 0; i < PAGES - 1; i++) {
        assert_int_equal(put(dev, i * 4096, &i, sizeof(i)), FAT_OK);
    }
    failalloc_arm(2, FAILALLOC_ONCE); /* the page, then the table */
    assert_int_equal(put(dev, (PAGES - 1) * UINT64_C(4096), "x", 1), FAT_OK);
    was_reached = failalloc_disarm();
    assert_true(was_reached);
    for (uint64_t i = 0; i < PAGES - 1; i++) {
        uint64_t got = 0;

        assert_int_equal(get(dev, i * 4096, &got, sizeof(got)), FAT_OK);
        assert_int_equal(got, i);
    }
    fat_blkdev_close(dev);
}

/* Four threads, each on its own slice of every page. */
struct slice {
    struct fat_blkdev *dev;
    uint8_t number;
    bool is_right;
};

enum { SLICES = 4, SLICE_BYTES = 1024, ROUNDS = 200, PAGE = 4096 };

static void *write_and_compare(void *context)
{
    struct slice *slice = context;
    uint8_t bytes[SLICE_BYTES];
    uint8_t got[SLICE_BYTES];

    slice->is_right = true;
    for (uint64_t i = 0; i < ROUNDS; i++) {
        const uint64_t at = i * PAGE + slice->number * (uint64_t)SLICE_BYTES;

        memset(bytes, (int)(i + slice->number), sizeof(bytes));
        if (put(slice->dev, at, bytes, sizeof(bytes)) != FAT_OK ||
                get(slice->dev, at, got, sizeof(got)) != FAT_OK ||
                memcmp(bytes, got, sizeof(bytes)) != 0) {
            slice->is_right = false;
        }
    }
    return NULL;
}

static void threads_on_the_same_pages_do_not_disturb_each_other(void **state)
{
    struct fat_blkdev *dev = open_device((uint64_t)ROUNDS * PAGE);
    struct slice slices[SLICES];
    pthread_t threads[SLICES];

    (void)state;
    for (size_t i = 0; i < SLICES; i++) {
        slices[i] = (struct slice){.dev = dev, .number = (uint8_t)i};
        assert_int_equal(
                pthread_create(&threads[i], NULL, write_and_compare, &slices[i]), 0);
    }
    for (size_t i = 0; i < SLICES; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_true(slices[i].is_right);
    }
    fat_blkdev_close(dev);
}

static void closing_null_is_a_no_op(void **state)
{
    (void)state;
    fat_blkdev_close(NULL);
}

#define ON_A_DEVICE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
            ON_A_DEVICE(a_new_device_is_writable_and_all_zero),
            ON_A_DEVICE(
                    a_write_over_page_borders_is_read_back_and_changes_nothing_else),
            ON_A_DEVICE(transfers_outside_the_device_are_refused),
            ON_A_DEVICE(a_device_marked_read_only_refuses_writes),
            cmocka_unit_test(an_empty_device_can_be_made),
            cmocka_unit_test(two_tebibytes_cost_only_what_was_written),
            cmocka_unit_test(no_memory_for_the_device_is_nomem_and_leaves_ret_alone),
            ON_A_DEVICE(a_write_without_memory_for_its_last_page_changes_nothing),
            cmocka_unit_test(a_page_table_that_cannot_grow_still_finds_every_page),
            cmocka_unit_test(threads_on_the_same_pages_do_not_disturb_each_other),
            cmocka_unit_test(closing_null_is_a_no_op),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
