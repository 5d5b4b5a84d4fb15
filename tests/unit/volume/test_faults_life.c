/* SPDX-License-Identifier: MIT */
/* Opening, closing, and the scan of a dirty volume, with every call failing once. */
#include <stdio.h>

#include "support/cmocka.h"
#include "support/failalloc.h"
#include "support/surgery.h"

static const struct image_spec SPECS[] = {{.type = 12}, {.type = 32}};

enum { SPEC_COUNT = sizeof(SPECS) / sizeof(SPECS[0]), NTH_MAX = 3000 };

/* A closed volume with files in it. */
static void make_closed(struct image *img, const struct image_spec *spec)
{
    char name[32];

    image_make(img, spec);
    for (unsigned i = 0; i < 20; i++) {
        (void)snprintf(name, sizeof(name), "file number %u", i);
        image_put(img->root, name, i, i * 300 + 1);
    }
    image_put(img->root, "GONE.TXT", 99, 4000);
    image_close(img);
}

static fat_err try_open(struct image *img)
{
    const struct fat_volume_options options = image_options(img);
    struct fat_volume *volume = NULL;
    const fat_err err = fat_volume_open(img->dev, &options, &volume);

    if (err == FAT_OK) {
        assert_int_equal(fat_volume_close(volume), FAT_OK);
    } else {
        assert_null(volume);
    }
    return err;
}

static void opening_fails_with_a_read(void **state)
{
    (void)state;
    for (size_t s = 0; s < SPEC_COUNT; s++) {
        struct image img;
        unsigned nth = 0;
        unsigned failures;
        fat_err err;

        make_closed(&img, &SPECS[s]);
        do {
            failures = recdev_failures(img.rec);
            recdev_fail(img.rec, RECDEV_READ, ++nth, FAT_E_IO, RECDEV_ONCE);
            err = try_open(&img);
            recdev_fail(img.rec, RECDEV_READ, 0, FAT_E_IO, RECDEV_ONCE);
            if (err != FAT_OK) {
                assert_int_equal(err, FAT_E_IO);
            }
        } while (recdev_failures(img.rec) > failures && nth < NTH_MAX);
        assert_int_equal(err, FAT_OK);
        image_open(&img);
        image_done(&img);
    }
}

static void opening_fails_with_an_allocation(void **state)
{
    (void)state;
    for (size_t s = 0; s < SPEC_COUNT; s++) {
        struct image img;
        unsigned nth = 0;
        bool fired;
        fat_err err;

        make_closed(&img, &SPECS[s]);
        do {
            failalloc_arm(++nth, FAILALLOC_ONCE);
            err = try_open(&img);
            fired = failalloc_disarm();
            if (err != FAT_OK) {
                assert_int_equal(err, FAT_E_NOMEM);
            }
        } while (fired && nth < NTH_MAX);
        assert_int_equal(err, FAT_OK);
        image_open(&img);
        image_done(&img);
    }
}

/* Changes of all kinds, none of them committed; one file is removed and open. */
static struct fat_node *change(struct image *img)
{
    struct fat_node *dir = image_mkdir(img->root, "dir");
    struct fat_node *gone = image_lookup(img->root, "file number 7");

    image_put(dir, "new", 1, 3000);
    assert_int_equal(fat_unlink(img->root, "file number 7"), FAT_OK);
    assert_int_equal(fat_unlink(img->root, "file number 8"), FAT_OK);
    assert_int_equal(fat_rename(img->root, "file number 9", dir, "nine", 0), FAT_OK);
    fat_node_unref(dir);
    return gone;
}

/* Closing with the @nth call failing: an error, and at most leftovers. */
static bool close_with(
        const struct image_spec *spec, enum recdev_call call, unsigned nth)
{
    struct image img;
    struct fat_node *gone;
    unsigned failures;
    fat_err err;
    bool fired;

    make_closed(&img, spec);
    image_open(&img);
    gone = change(&img);
    failures = recdev_failures(img.rec);
    recdev_fail(img.rec, call, nth, FAT_E_IO, RECDEV_ONCE);
    fat_node_unref(gone);
    fat_node_unref(img.root);
    err = fat_volume_close(img.volume);
    img.volume = NULL;
    img.root = NULL;
    fired = recdev_failures(img.rec) > failures;
    recdev_fail(img.rec, call, 0, FAT_E_IO, RECDEV_ONCE);
    if (!fired || call != RECDEV_READ) {
        assert_true(fired == (err != FAT_OK));
    }
    if (err == FAT_OK) {
        image_check_clean(img.dev);
    } else {
        assert_int_equal(image_check(img.dev, FAT_WEIGHT_DAMAGE).damages, 0);
    }
    image_open(&img);
    image_touch(img.root, "what the scan mends is mended");
    image_done(&img);
    return fired;
}

static void closing_fails_with_any_call(void **state)
{
    static const enum recdev_call calls[] = {RECDEV_READ, RECDEV_WRITE, RECDEV_FLUSH};

    (void)state;
    for (size_t s = 0; s < SPEC_COUNT; s++) {
        for (size_t c = 0; c < 3; c++) {
            unsigned nth = 1;

            while (close_with(&SPECS[s], calls[c], nth)) {
                assert_true(++nth < NTH_MAX);
            }
        }
    }
}

static void committing_and_closing_without_memory_is_harmless(void **state)
{
    (void)state;
    for (size_t s = 0; s < SPEC_COUNT; s++) {
        bool fired = true;

        for (unsigned nth = 1; fired; nth++) {
            struct image img;
            struct fat_node *gone;
            fat_err err;

            assert_true(nth < NTH_MAX);
            make_closed(&img, &SPECS[s]);
            image_open(&img);
            gone = change(&img);
            failalloc_arm(nth, FAILALLOC_ALWAYS);
            fat_node_unref(gone);
            err = fat_volume_commit(img.volume);
            fat_node_unref(img.root);
            if (err == FAT_OK) {
                err = fat_volume_close(img.volume);
            } else {
                (void)fat_volume_close(img.volume);
            }
            fired = failalloc_disarm();
            img.volume = NULL;
            img.root = NULL;
            if (!fired) {
                assert_int_equal(err, FAT_OK);
                image_check_clean(img.dev);
            }
            assert_int_equal(image_check(img.dev, FAT_WEIGHT_DAMAGE).damages, 0);
            image_open(&img);
            image_touch(img.root, "what the scan mends is mended");
            image_done(&img);
        }
    }
}

/* A dirty volume with something of everything to mend. */
static void make_dirty(struct image *img, const struct image_spec *spec)
{
    uint32_t first;
    uint64_t second;
    const uint8_t gone = 0xe5;

    make_closed(img, spec);
    image_open(img);
    first = surgery_first_of(img->root, "file number 5");
    second = surgery_entry_of(img->root, "file number 6");
    image_close(img);
    surgery_point(img, second, first, 5 * 300 + 1);
    image_open(img);
    second = surgery_entry_of(img->root, "GONE.TXT");
    image_close(img);
    surgery_write(img, second, &gone, 1);
    surgery_link(img, 1, 300, SURGERY_END);
    surgery_make_dirty(img);
    image_open(img);
}

/* The first change of a dirty volume, with a call failing in its scan. */
static bool scan_with(
        const struct image_spec *spec, enum recdev_call call, unsigned nth)
{
    struct image img;
    struct fat_found found;
    unsigned failures;
    fat_err err;
    bool fired;

    make_dirty(&img, spec);
    failures = recdev_failures(img.rec);
    recdev_fail(img.rec, call, nth, FAT_E_IO, RECDEV_ONCE);
    err = fat_create(img.root, "first change", 0, &found);
    fired = recdev_failures(img.rec) > failures;
    recdev_fail(img.rec, call, 0, FAT_E_IO, RECDEV_ONCE);
    if (err == FAT_OK) {
        fat_node_unref(found.node);
    } else {
        assert_true(fired);
    }
    if (err != FAT_OK && !fat_volume_is_read_only(img.volume)) {
        image_touch(img.root, "first change");
    }
    if (fat_volume_is_read_only(img.volume)) {
        fat_node_unref(img.root);
        (void)fat_volume_close(img.volume);
        assert_int_equal(image_check(img.dev, FAT_WEIGHT_DAMAGE).damages, 0);
        image_open(&img);
        image_touch(img.root, "first change");
    }
    image_done(&img);
    return fired;
}

static void a_scan_fails_with_any_call(void **state)
{
    static const enum recdev_call calls[] = {RECDEV_READ, RECDEV_WRITE, RECDEV_FLUSH};

    (void)state;
    for (size_t s = 0; s < SPEC_COUNT; s++) {
        for (size_t c = 0; c < 3; c++) {
            unsigned nth = 1;

            while (scan_with(&SPECS[s], calls[c], nth)) {
                assert_true(++nth < NTH_MAX);
            }
        }
    }
}

static void a_scan_without_memory_is_tried_again(void **state)
{
    (void)state;
    for (size_t s = 0; s < SPEC_COUNT; s++) {
        bool fired = true;

        for (unsigned nth = 1; fired; nth++) {
            struct image img;
            struct fat_found found;
            fat_err err;

            make_dirty(&img, &SPECS[s]);
            failalloc_arm(nth, FAILALLOC_ONCE);
            err = fat_create(img.root, "first change", 0, &found);
            fired = failalloc_disarm();
            if (err == FAT_OK) {
                fat_node_unref(found.node);
            } else {
                assert_int_equal(err, FAT_E_NOMEM);
                assert_true(fired);
                assert_false(fat_volume_is_read_only(img.volume));
                image_touch(img.root, "first change");
            }
            image_done(&img);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(opening_fails_with_a_read),
            cmocka_unit_test(opening_fails_with_an_allocation),
            cmocka_unit_test(closing_fails_with_any_call),
            cmocka_unit_test(committing_and_closing_without_memory_is_harmless),
            cmocka_unit_test(a_scan_fails_with_any_call),
            cmocka_unit_test(a_scan_without_memory_is_tried_again),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
