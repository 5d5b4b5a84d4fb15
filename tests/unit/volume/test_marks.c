/* SPDX-License-Identifier: MIT */
/*
 * When the dirty marks stay, because the next one to mount has to look again; and what
 * a commit does about clusters that it can't free.
 */
#include "support/cmocka.h"
#include "support/surgery.h"

/* A volume with files "F" and "G", and what is to be broken. */
struct patient {
    struct image img;
    uint64_t f, g; /* their entries */
    uint32_t first;
    uint64_t dir; /* the first slot of directory "dir" */
};

static void make_patient(struct patient *p, unsigned type)
{
    struct fat_node *dir;

    image_make(&p->img, &(struct image_spec){.type = type});
    image_put(p->img.root, "F", 1, 3000);
    image_put(p->img.root, "G", 2, 2000);
    dir = image_mkdir(p->img.root, "dir");
    image_touch(dir, "inner");
    p->f = surgery_entry_of(p->img.root, "F");
    p->g = surgery_entry_of(p->img.root, "G");
    p->first = surgery_first_of(p->img.root, "F");
    p->dir = surgery_first(dir);
    fat_node_unref(dir);
    image_close(&p->img);
    p->dir = surgery_cluster(&p->img, (uint32_t)p->dir);
}

static void promise_too_much(struct patient *p)
{
    surgery_point(&p->img, p->f, p->first, 60000);
}

static void spoil_a_short_name(struct patient *p)
{
    const uint8_t control = 0x01;

    surgery_write(&p->img, p->f + 1, &control, 1);
}

static void use_a_name_twice(struct patient *p)
{
    const uint8_t name = 'F';

    surgery_write(&p->img, p->g, &name, 1);
}

static void take_the_dots_away(struct patient *p)
{
    const uint8_t gone = 0xe5;

    surgery_write(&p->img, p->dir, &gone, 1);
}

static void damage_that_nobody_mends_keeps_the_marks(void **state)
{
    static const struct {
        const char *name;
        void (*spoil)(struct patient *p);
    } rows[] = {
            {"a chain shorter than the size", promise_too_much},
            {"a control character in a short name", spoil_a_short_name},
            {"two files of one name", use_a_name_twice},
            {"a directory without its dot", take_the_dots_away},
    };
    static const unsigned types[] = {12, 16, 32};

    (void)state;
    for (size_t i = 0; i < 3 * (sizeof(rows) / sizeof(rows[0])); i++) {
        struct patient p;

        make_patient(&p, types[i % 3]);
        rows[i / 3].spoil(&p);
        surgery_make_dirty(&p.img);
        for (unsigned again = 0; again < 2; again++) {
            image_open(&p.img);
            image_touch(p.img.root, again ? "second" : "first");
            if (fat_volume_is_read_only(p.img.volume)) {
                fail_msg("%s: it can't be written", rows[i / 3].name);
            }
            image_close(&p.img);
            if (!surgery_is_dirty(&p.img)) {
                fail_msg("%s: nobody will look again", rows[i / 3].name);
            }
        }
        image_drop(&p.img);
    }
}

static void they_go_once_it_is_repaired(void **state)
{
    struct patient p;

    (void)state;
    make_patient(&p, 16);
    promise_too_much(&p);
    surgery_make_dirty(&p.img);
    image_open(&p.img);
    image_touch(p.img.root, "first");
    image_close(&p.img);
    assert_true(surgery_is_dirty(&p.img));
    surgery_point(&p.img, p.f, p.first, 3000);
    image_open(&p.img);
    image_touch(p.img.root, "second");
    image_close(&p.img);
    assert_false(surgery_is_dirty(&p.img));
    image_open(&p.img);
    image_done(&p.img);
}

/* An unfinished rename shows a name twice too, but it is mended. */
static void they_go_where_the_damage_went_with_a_leftover(void **state)
{
    struct patient p;

    (void)state;
    make_patient(&p, 16);
    use_a_name_twice(&p);
    surgery_point(&p.img, p.g, p.first, 3000);
    surgery_make_dirty(&p.img);
    image_open(&p.img);
    image_touch(p.img.root, "first");
    image_close(&p.img);
    assert_false(surgery_is_dirty(&p.img));
    image_open(&p.img);
    image_expect(p.img.root, "F", 1, 3000);
    image_done(&p.img);
}

enum { BIG = 20000000 };

/* Many FAT sectors of a removed file, few blocks of cache: RECLAIM has to read. */
static void make_farewell(struct image *img)
{
    image_make(
            img, &(struct image_spec){.type = 16, .clusters = 60000, .cache_bytes = 1});
    image_put(img->root, "big", 1, BIG);
    image_put(img->root, "b", 2, 900);
    image_reopen(img);
    image_touch(img->root, "z");
    assert_int_equal(fat_volume_commit(img->volume), FAT_OK);
    assert_int_equal(fat_unlink(img->root, "big"), FAT_OK);
}

static void assert_still_good(struct image *img)
{
    assert_false(fat_volume_is_read_only(img->volume));
    assert_int_equal(img->damage_reports, 0);
    image_put(img->root, "n", 3, 5000);
    image_expect(img->root, "b", 2, 900);
    image_expect(img->root, "n", 3, 5000);
}

/* A commit whose @nth read fails, and what is left by it; false: it has no such read. */
static bool free_with_bad_reads(unsigned nth, enum recdev_lasting lasting)
{
    struct image img;
    unsigned failures;
    bool fired;

    make_farewell(&img);
    failures = recdev_failures(img.rec);
    recdev_fail(img.rec, RECDEV_READ, nth, FAT_E_IO, lasting);
    assert_int_equal(fat_volume_commit(img.volume), FAT_OK);
    fired = recdev_failures(img.rec) > failures;
    recdev_fail(img.rec, RECDEV_READ, 0, FAT_E_IO, RECDEV_ONCE);
    assert_still_good(&img);
    image_done(&img); /* and no chain is lost */
    return fired;
}

static void one_read_error_while_freeing_only_puts_it_off(void **state)
{
    unsigned nth = 1;

    (void)state;
    while (free_with_bad_reads(nth, RECDEV_ONCE)) {
        nth += nth / 4 + 1;
        assert_true(nth < 10000);
    }
    assert_true(nth > 1);
}

/* A block may be read twice for one cluster: the second time is no other. */
static void a_medium_that_fails_while_freeing_only_puts_it_off(void **state)
{
    unsigned nth = 1;

    (void)state;
    while (free_with_bad_reads(nth, RECDEV_ALWAYS)) {
        nth += nth / 4 + 1;
        assert_true(nth < 10000);
    }
    assert_true(nth > 1);
}

static void clusters_that_can_never_be_freed_are_left_to_the_next_scan(void **state)
{
    struct image img;
    struct fat_check_summary summary;

    (void)state;
    make_farewell(&img);
    for (unsigned i = 0; i < 8; i++) {
        recdev_fail(img.rec, RECDEV_READ, 1, FAT_E_IO, RECDEV_ALWAYS);
        assert_int_equal(fat_volume_commit(img.volume), FAT_OK);
        recdev_fail(img.rec, RECDEV_READ, 0, FAT_E_IO, RECDEV_ONCE);
        image_touch(img.root, (const char[]){'t', (char)('0' + i), '\0'});
    }
    assert_still_good(&img);
    image_close(&img);
    assert_true(surgery_is_dirty(&img));
    summary = image_check(img.dev, FAT_WEIGHT_DAMAGE);
    assert_int_equal(summary.damages, 0);
    assert_true(summary.clusters_lost > 0);
    image_open(&img);
    image_touch(img.root, "first change");
    image_done(&img);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(damage_that_nobody_mends_keeps_the_marks),
            cmocka_unit_test(they_go_once_it_is_repaired),
            cmocka_unit_test(they_go_where_the_damage_went_with_a_leftover),
            cmocka_unit_test(one_read_error_while_freeing_only_puts_it_off),
            cmocka_unit_test(a_medium_that_fails_while_freeing_only_puts_it_off),
            cmocka_unit_test(
                    clusters_that_can_never_be_freed_are_left_to_the_next_scan),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
