/* SPDX-License-Identifier: MIT */
/*
 * A repair that is interrupted, or whose device or memory fails: what was promised is
 * there, and a further repair brings it to its end.
 */
#include <stdio.h>
#include <string.h>

#include "support/cmocka.h"
#include "support/count.h"
#include "support/failalloc.h"
#include "support/replay.h"
#include "volume/repair_kinds.h"

static const unsigned types[] = {12, 16, 32};

enum { NTH_MAX = 4000 };

/* What is in the two clusters of one of the lost chains. */
enum { LOST_SEED = 77, LOST_BYTES = 1024 };

static void make_all_kinds(struct patient *p, unsigned type)
{
    uint8_t lost[LOST_BYTES];

    patient_make(p, type);
    for (size_t i = 0; i < mendable_count; i++) {
        if (mendable_kinds[i].types & type_bit(type)) {
            mendable_kinds[i].make(p);
        }
    }
    image_fill(LOST_SEED, lost, sizeof(lost));
    surgery_write(&p->img, surgery_cluster(&p->img, 300), lost, sizeof(lost));
    patient_settle(p);
}

static fat_err repair(struct fat_blkdev *dev, uint32_t flags, bool *ret_sound)
{
    const struct fat_repair_options options = {.flags = flags};
    struct fat_repair_summary s = {.outcome = FAT_REPAIR_REFUSED};
    const fat_err err = fat_repair(dev, &options, &s);

    *ret_sound = err == FAT_OK &&
                 (s.outcome == FAT_REPAIR_CLEAN || s.outcome == FAT_REPAIR_MENDED);
    return err;
}

/* --- the power is cut --- */

struct cut {
    struct patient *p;
    uint32_t flags;
};

static bool holds_lost(struct fat_node *root, unsigned number)
{
    uint8_t lost[LOST_BYTES], read[LOST_BYTES + 1];
    struct fat_found found;
    size_t done = 0;
    char name[32];

    (void)snprintf(name, sizeof(name), "FSCK%04u.REC", number);
    if (fat_lookup(root, name, &found) != FAT_OK) {
        return false;
    }
    image_fill(LOST_SEED, lost, sizeof(lost));
    assert_int_equal(fat_file_read(found.node, 0, read, sizeof(read), &done), FAT_OK);
    fat_node_unref(found.node);
    return done == sizeof(lost) && memcmp(read, lost, sizeof(lost)) == 0;
}

static bool is_saved(struct fat_blkdev *dev)
{
    struct fat_volume *volume;
    struct fat_node *root;
    bool saved = false;

    assert_int_equal(fat_volume_open(dev, NULL, &volume), FAT_OK);
    root = fat_volume_root(volume);
    for (unsigned i = 0; i < 20 && !saved; i++) {
        saved = holds_lost(root, i);
    }
    fat_node_unref(root);
    assert_int_equal(fat_volume_close(volume), FAT_OK);
    return saved;
}

static int mend_again(
        struct fat_blkdev *dev, const struct replay_state *state, void *context)
{
    const struct cut *cut = context;
    struct fat_check_summary left;
    bool sound;

    (void)state;
    assert_int_equal(fat_check(dev, NULL, NULL, &left), FAT_OK);
    if (left.damages > left.findings[FAT_FINDING_FSINFO_COUNT] +
                               left.findings[FAT_FINDING_DIR_DOT]) {
        return 1; /* these two were there, and no other */
    }
    patient_expect_all_on(cut->p, dev);
    if (repair(dev, cut->flags, &sound) != FAT_OK || !sound) {
        return 1;
    }
    patient_expect_all_on(cut->p, dev);
    image_check_clean(dev);
    return cut->flags == 0 || is_saved(dev) ? 0 : 1;
}

static void after_a_power_cut_it_goes_on(void **state)
{
    static const struct replay_options options = {
            .all_subsets_up_to = 6, .random_subsets = 16, .most_of_a_shape = 40};

    (void)state;
    for (unsigned i = 0; i < 6; i++) {
        struct replay_stats stats;
        struct patient p;
        struct cut cut = {.p = &p, .flags = i % 2 ? FAT_REPAIR_SAVE_LOST : 0};
        bool sound;

        make_all_kinds(&p, types[i / 2]);
        assert_int_equal(repair(p.img.dev, cut.flags, &sound), FAT_OK);
        assert_true(sound);
        assert_int_equal(
                recdev_replay(p.img.rec, &options, mend_again, &cut, &stats), FAT_OK);
        assert_int_equal(stats.bad, 0);
        assert_true(stats.states > 20);
        count_add(COUNT_STATES, stats.states);
        image_drop(&p.img);
    }
}

/* --- the device fails --- */

/* The @nth call fails. False: there was none so late. */
static bool fail_nth(struct patient *p, enum recdev_call call, unsigned nth,
        enum recdev_lasting lasting, uint32_t flags)
{
    bool fired, sound;
    fat_err err;

    patient_again(p);
    recdev_fail(p->img.rec, call, nth, FAT_E_IO, lasting);
    err = repair(p->img.dev, flags, &sound);
    fired = recdev_failures(p->img.rec) > 0;
    recdev_fail(p->img.rec, call, 0, FAT_E_IO, lasting);
    if (sound) {
        image_check_clean(p->img.dev);
    } else {
        assert_true(fired);
        if (call != RECDEV_READ) {
            assert_int_not_equal(err, FAT_OK);
        }
    }
    patient_expect_all(p);
    assert_int_equal(repair(p->img.dev, flags, &sound), FAT_OK);
    assert_true(sound);
    patient_expect_all(p);
    return fired;
}

static void sweep(enum recdev_call call)
{
    for (unsigned i = 0; i < 12; i++) {
        const enum recdev_lasting lasting = i % 2 ? RECDEV_ONCE : RECDEV_ALWAYS;
        const uint32_t flags = i / 2 % 2 ? FAT_REPAIR_SAVE_LOST : 0;
        struct patient p;
        unsigned nth = 1;

        make_all_kinds(&p, types[i / 4]);
        while (fail_nth(&p, call, nth, lasting, flags)) {
            nth++;
            assert_true(nth < NTH_MAX);
        }
        assert_true(nth > 4);
        image_drop(&p.img);
    }
}

static void each_read_may_fail(void **state)
{
    (void)state;
    sweep(RECDEV_READ);
}

static void each_write_may_fail(void **state)
{
    (void)state;
    sweep(RECDEV_WRITE);
}

static void each_flush_may_fail(void **state)
{
    (void)state;
    sweep(RECDEV_FLUSH);
}

/* --- memory fails --- */

static bool fail_allocation(
        struct patient *p, unsigned nth, enum failalloc_lasting lasting, uint32_t flags)
{
    bool fired, sound;
    fat_err err;

    patient_again(p);
    failalloc_arm(nth, lasting);
    err = repair(p->img.dev, flags, &sound);
    fired = failalloc_disarm();
    if (sound) {
        image_check_clean(p->img.dev);
    } else {
        assert_true(fired);
        assert_int_not_equal(err, FAT_OK);
    }
    patient_expect_all(p);
    assert_int_equal(repair(p->img.dev, flags, &sound), FAT_OK);
    assert_true(sound);
    patient_expect_all(p);
    return fired;
}

static void each_allocation_may_fail(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 12; i++) {
        const uint32_t flags = i / 2 % 2 ? FAT_REPAIR_SAVE_LOST : 0;
        struct patient p;
        unsigned nth = 1;

        make_all_kinds(&p, types[i / 4]);
        while (fail_allocation(
                &p, nth, i % 2 ? FAILALLOC_ONCE : FAILALLOC_ALWAYS, flags)) {
            nth++;
            assert_true(nth < NTH_MAX);
        }
        image_drop(&p.img);
    }
}

/* What can't be read is not judged: nothing is written where that was the check's. */
static void what_cannot_be_checked_is_not_written_to(void **state)
{
    (void)state;
    for (size_t t = 0; t < 3; t++) {
        struct fat_repair_summary s;
        struct patient p;

        make_all_kinds(&p, types[t]);
        recdev_fail(p.img.rec, RECDEV_READ, 2, FAT_E_IO, RECDEV_ALWAYS);
        if (fat_repair(p.img.dev, NULL, &s) == FAT_OK) {
            assert_int_equal(s.outcome, FAT_REPAIR_REFUSED);
        }
        assert_int_equal(recdev_counts(p.img.rec).writes, 0);
        image_drop(&p.img);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(after_a_power_cut_it_goes_on),
            cmocka_unit_test(each_read_may_fail),
            cmocka_unit_test(each_write_may_fail),
            cmocka_unit_test(each_flush_may_fail),
            cmocka_unit_test(each_allocation_may_fail),
            cmocka_unit_test(what_cannot_be_checked_is_not_written_to),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
