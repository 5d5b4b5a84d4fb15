/* SPDX-License-Identifier: MIT */
/*
 * Ending the scan of a volume that was not closed: at each read that it makes, before
 * it, and by another thread while a change waits for it.
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "support/cmocka.h"
#include "support/surgery.h"

/* A device that stops the scan, or does something else, in the middle of a read. */
struct trap {
    struct fat_blkdev dev; /* first member */
    struct image *img;
    void (*spring)(struct trap *trap);
    unsigned at; /* the number of the read, 0: never     */
    unsigned reads, writes;
    unsigned reads_behind; /* after it was sprung                  */
    bool sprung;
    unsigned warnings;
    pthread_t waiter; /* somebody who wants to change something meanwhile */
    fat_err waiter_err;
};

static fat_err trap_read(
        struct fat_blkdev *dev, uint64_t offset, void *buffer, size_t length)
{
    struct trap *trap = (struct trap *)dev;

    trap->reads_behind += trap->sprung;
    if (++trap->reads == trap->at) {
        trap->spring(trap);
        trap->sprung = true;
    }
    return trap->img->dev->ops->read(trap->img->dev, offset, buffer, length);
}

static fat_err trap_write(
        struct fat_blkdev *dev, uint64_t offset, const void *buffer, size_t length)
{
    struct trap *trap = (struct trap *)dev;

    trap->writes++;
    return trap->img->dev->ops->write(trap->img->dev, offset, buffer, length);
}

static fat_err trap_flush(struct fat_blkdev *dev)
{
    struct trap *trap = (struct trap *)dev;

    return trap->img->dev->ops->flush(trap->img->dev);
}

static const struct fat_blkdev_ops TRAP = {
        .read = trap_read, .write = trap_write, .flush = trap_flush};

static void count_warnings(void *context, const struct fat_report *report)
{
    struct trap *trap = context;

    trap->warnings += report->severity == FAT_SEVERITY_WARNING;
}

static void stop_it(struct trap *trap)
{
    fat_volume_stop_recovery(trap->img->volume);
}

/* The image opened anew, through a trap. */
static void trap_open(struct trap *trap, struct image *img)
{
    struct fat_volume_options options = image_options(img);

    *trap = (struct trap){.dev = *img->dev, .img = img, .spring = stop_it};
    trap->dev.ops = &TRAP;
    options.report = count_warnings;
    options.report_context = trap;
    assert_int_equal(fat_volume_open(&trap->dev, &options, &img->volume), FAT_OK);
    img->root = fat_volume_root(img->volume);
    trap->reads = 0;
}

enum { SOUND, COPIES_DIFFER, CHAIN_TOO_LONG, STATES };

/* A volume that was not closed. */
static void make_dirty(struct image *img, unsigned type, int state)
{
    struct fat_node *dir;
    uint32_t first;
    uint32_t second;
    uint64_t entry;

    image_make(img, &(struct image_spec){.type = type});
    image_put(img->root, "file", 1, 10000);
    image_put(img->root, "long", 2, 5000);
    dir = image_mkdir(img->root, "dir");
    image_put(dir, "inner", 3, 100);
    fat_node_unref(image_mkdir(dir, "sub"));
    fat_node_unref(dir);
    entry = surgery_entry_of(img->root, "long");
    first = surgery_first_of(img->root, "long");
    second = surgery_first_of(img->root, "file");
    image_close(img);
    if (state == COPIES_DIFFER) {
        surgery_link(img, 1, second, 0);
    } else if (state == CHAIN_TOO_LONG) {
        surgery_point(img, entry, first, 1);
    }
    surgery_make_dirty(img);
}

static fat_err change(struct image *img)
{
    struct fat_found found;
    const fat_err err = fat_create(img->root, "a change", 0, &found);

    if (err == FAT_OK) {
        fat_node_unref(found.node);
    }
    return err;
}

static void assert_same(struct image *img, uint8_t *before)
{
    uint8_t *after = image_bytes(img->dev);

    assert_memory_equal(before, after, (size_t)img->dev->size_bytes);
    free(after);
}

static void stop_at_any_read(unsigned type, int state)
{
    unsigned while_mending = 0;
    bool stopped = true;

    for (unsigned at = 1; stopped; at++) {
        struct image img;
        struct trap trap;
        uint8_t *before;
        unsigned reads_behind;
        fat_err err;

        make_dirty(&img, type, state);
        before = image_bytes(img.dev);
        trap_open(&trap, &img);
        trap.at = at;
        err = at % 2 ? fat_volume_recover(img.volume) : change(&img);
        stopped = trap.sprung;
        reads_behind = trap.reads_behind;
        assert_int_equal(trap.warnings, err == FAT_E_STOPPED);
        if (err == FAT_E_STOPPED) {
            /* a change is refused as well, and it is said once */
            assert_int_equal(change(&img), FAT_E_STOPPED);
            assert_int_equal(trap.warnings, 1);
            assert_false(fat_volume_is_read_only(img.volume));
            image_expect(img.root, "file", 1, 10000);
            image_close(&img);
            assert_true(surgery_is_dirty(&img));
            while_mending += trap.writes > 0;
        } else {
            assert_int_equal(err, FAT_OK); /* it was too late for that */
            image_close(&img);
        }
        if (trap.writes == 0) {
            assert_same(&img, before);
            assert_int_equal(reads_behind, 0);
        }
        assert_int_equal(image_check(img.dev, FAT_WEIGHT_DAMAGE).damages, 0);
        image_open(&img);
        assert_int_equal(fat_volume_recover(img.volume), FAT_OK);
        image_expect(img.root, "file", 1, 10000);
        image_done(&img);
        free(before);
        assert_true(at < 500);
    }
    assert_int_equal(while_mending > 0, state != SOUND);
}

static void stopped_at_any_read_nothing_is_harmed(void **state)
{
    static const unsigned types[] = {12, 16, 32};

    (void)state;
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        for (int kind = 0; kind < STATES; kind++) {
            stop_at_any_read(types[i], kind);
        }
    }
}

static void stopped_before_it_begins_nothing_is_read(void **state)
{
    struct image img;
    struct trap trap;
    uint8_t *before;

    (void)state;
    make_dirty(&img, 32, CHAIN_TOO_LONG);
    before = image_bytes(img.dev);
    trap_open(&trap, &img);
    fat_volume_stop_recovery(img.volume);
    assert_int_equal(fat_volume_recover(img.volume), FAT_E_STOPPED);
    assert_int_equal(change(&img), FAT_E_STOPPED);
    assert_int_equal(trap.reads, 0);
    assert_int_equal(trap.warnings, 1);
    image_close(&img);
    assert_same(&img, before);
    free(before);
    image_drop(&img);
}

static void what_needs_no_scan_is_not_stopped(void **state)
{
    struct image img;
    struct trap trap;

    (void)state;
    image_make(&img, &(struct image_spec){.type = 16});
    fat_volume_stop_recovery(img.volume);
    assert_int_equal(fat_volume_recover(img.volume), FAT_OK);
    assert_int_equal(change(&img), FAT_OK);
    image_close(&img);
    surgery_make_dirty(&img);
    trap_open(&trap, &img);
    assert_int_equal(fat_volume_recover(img.volume), FAT_OK);
    fat_volume_stop_recovery(img.volume);
    image_touch(img.root, "after the scan");
    assert_int_equal(trap.warnings, 0);
    image_close(&img);
    assert_false(surgery_is_dirty(&img));
    image_drop(&img);
}

/* sync(1) must not wait for hours; the device calls it in the middle of a read. */
static void sync_it(struct trap *trap)
{
    assert_int_equal(fat_volume_commit(trap->img->volume), FAT_OK);
    assert_int_equal(fat_node_sync(trap->img->root), FAT_OK);
}

static void a_commit_does_not_wait_for_the_scan(void **state)
{
    struct image img;
    struct trap trap;

    (void)state;
    make_dirty(&img, 12, CHAIN_TOO_LONG);
    trap_open(&trap, &img);
    trap.spring = sync_it;
    trap.at = 3;
    assert_int_equal(fat_volume_recover(img.volume), FAT_OK);
    assert_true(trap.sprung);
    image_done(&img);
}

static void *wait_for_a_change(void *argument)
{
    struct trap *trap = argument;

    trap->waiter_err = change(trap->img);
    return NULL;
}

static void stop_while_a_change_waits(struct trap *trap)
{
    assert_int_equal(pthread_create(&trap->waiter, NULL, wait_for_a_change, trap), 0);
    fat_volume_stop_recovery(trap->img->volume);
}

static void a_change_that_waits_is_let_go(void **state)
{
    struct image img;
    struct trap trap;

    (void)state;
    make_dirty(&img, 12, SOUND);
    trap_open(&trap, &img);
    trap.spring = stop_while_a_change_waits;
    trap.at = 2;
    assert_int_equal(fat_volume_recover(img.volume), FAT_E_STOPPED);
    assert_int_equal(pthread_join(trap.waiter, NULL), 0);
    assert_int_equal(trap.waiter_err, FAT_E_STOPPED);
    assert_int_equal(trap.writes, 0);
    assert_int_equal(trap.warnings, 1);
    image_drop(&img);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(stopped_at_any_read_nothing_is_harmed),
            cmocka_unit_test(stopped_before_it_begins_nothing_is_read),
            cmocka_unit_test(what_needs_no_scan_is_not_stopped),
            cmocka_unit_test(a_commit_does_not_wait_for_the_scan),
            cmocka_unit_test(a_change_that_waits_is_let_go),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
