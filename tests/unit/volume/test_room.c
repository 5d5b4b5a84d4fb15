/* SPDX-License-Identifier: MIT */
/*
 * Room that is only waiting for a commit is room: nobody hears FAT_E_NOSPC where one
 * commit would have helped. And room set aside on speculation does not stay behind.
 */
#include <stdio.h>
#include <stdlib.h>

#include "support/cmocka.h"
#include "support/surgery.h"

/* Files F00, F01, ... of one slot each. */
static void touch_many(struct fat_node *directory, unsigned count)
{
    for (unsigned k = 0; k < count; k++) {
        char name[13];

        (void)snprintf(name, sizeof(name), "F%02u", k);
        image_touch(directory, name);
    }
}

/* Every cluster that is free now goes into one file. */
static uint32_t fill_with(struct image *img, const char *name)
{
    const uint32_t clusters = image_free(img);

    image_put(img->root, name, 1, (size_t)clusters * 512);
    assert_int_equal(image_free(img), 0);
    return clusters;
}

static void write_clusters(
        struct image *img, const char *row, const char *name, uint32_t clusters)
{
    fat_err err;
    struct fat_node *file = image_lookup(img->root, name);
    uint8_t *bytes = calloc(clusters, 512);
    size_t done = 0;

    assert_non_null(bytes);
    err = fat_file_write(file, 0, bytes, (size_t)clusters * 512, &done);
    if (err != FAT_OK) {
        fail_msg("%s: %s", row, fat_err_text(err));
    }
    assert_int_equal(done, (size_t)clusters * 512);
    free(bytes);
    fat_node_unref(file);
}

/* mv a b; rm b; cp ... */
static void a_file_renamed_and_removed_makes_room_at_once(void **state)
{
    static const struct {
        const char *name, *away, *again;
        unsigned slots_before;
    } rows[] = {
            {"another name", "b", "c", 0},
            {"the old name again", "b", "a", 0},
            {"by way of the next sector", "b in many a slot more", "c", 13},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct image img;
        uint32_t clusters;

        image_make(&img, &(struct image_spec){.type = 12, .clusters = 50});
        touch_many(img.root, rows[i].slots_before);
        clusters = fill_with(&img, "a");
        assert_int_equal(fat_volume_commit(img.volume), FAT_OK);
        assert_int_equal(fat_rename(img.root, "a", img.root, rows[i].away, 0), FAT_OK);
        assert_int_equal(fat_unlink(img.root, rows[i].away), FAT_OK);
        image_touch(img.root, rows[i].again);
        write_clusters(&img, rows[i].name, rows[i].again, clusters);
        image_done(&img);
    }
}

static void a_file_renamed_and_replaced_makes_room_at_once(void **state)
{
    struct image img;
    uint32_t clusters;

    (void)state;
    image_make(&img, &(struct image_spec){.type = 12, .clusters = 50});
    image_touch(img.root, "new");
    clusters = fill_with(&img, "a");
    assert_int_equal(fat_volume_commit(img.volume), FAT_OK);
    assert_int_equal(fat_rename(img.root, "a", img.root, "b", 0), FAT_OK);
    assert_int_equal(fat_rename(img.root, "new", img.root, "b", 0), FAT_OK);
    write_clusters(&img, "replaced", "b", clusters);
    image_done(&img);
}

static void a_full_volume_says_so_however_much_waits(void **state)
{
    struct image img;
    struct fat_node *file;
    size_t done = 77;

    (void)state;
    image_make(&img, &(struct image_spec){.type = 12, .clusters = 50});
    image_touch(img.root, "new");
    (void)fill_with(&img, "a");
    assert_int_equal(fat_rename(img.root, "a", img.root, "b", 0), FAT_OK);
    file = image_lookup(img.root, "new");
    assert_int_equal(fat_file_write(file, 0, "x", 1, &done), FAT_E_NOSPC);
    assert_int_equal(done, 77);
    fat_node_unref(file);
    image_done(&img);
}

enum { ROOT_SLOTS = 16 };

static void make_full_root(struct image *img)
{
    image_make(img, &(struct image_spec){.type = 12, .root_entries = ROOT_SLOTS});
    touch_many(img->root, ROOT_SLOTS);
    assert_int_equal(fat_volume_commit(img->volume), FAT_OK);
}

static fat_err make_file(struct image *img)
{
    struct fat_found found;
    const fat_err err = fat_create(img->root, "NEW", 0, &found);

    if (err == FAT_OK) {
        fat_node_unref(found.node);
    }
    return err;
}

static fat_err make_directory(struct image *img)
{
    struct fat_found found;
    const fat_err err = fat_mkdir(img->root, "NEW", 0, &found);

    if (err == FAT_OK) {
        fat_node_unref(found.node);
    }
    return err;
}

static fat_err make_long_name(struct image *img)
{
    struct fat_found found;
    const fat_err err = fat_create(img->root, "a long name", 0, &found);

    if (err == FAT_OK) {
        fat_node_unref(found.node);
    }
    return err;
}

static fat_err make_by_rename(struct image *img)
{
    return fat_rename(img->root, "F15", img->root, "NEW", 0);
}

static void slots_that_wait_for_a_commit_are_room_in_a_full_root(void **state)
{
    static const struct {
        const char *name;
        fat_err (*make)(struct image *img);
        unsigned slots;
    } rows[] = {
            {"a file", make_file, 1},
            {"a directory", make_directory, 1},
            {"a long name", make_long_name, 2},
            {"a rename", make_by_rename, 1},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct image img;
        fat_err err;

        make_full_root(&img);
        assert_int_equal(rows[i].make(&img), FAT_E_NOSPC);
        assert_int_equal(image_count(img.root), ROOT_SLOTS);
        assert_int_equal(fat_unlink(img.root, "F03"), FAT_OK);
        if (rows[i].slots > 1) {
            assert_int_equal(fat_unlink(img.root, "F04"), FAT_OK);
        }
        err = rows[i].make(&img);
        if (err != FAT_OK) {
            fail_msg("%s: %s", rows[i].name, fat_err_text(err));
        }
        image_done(&img);
    }
}

static void they_are_room_in_a_directory_that_cannot_grow(void **state)
{
    struct image img;
    struct fat_node *dir;
    struct fat_found found;

    (void)state;
    image_make(&img, &(struct image_spec){.type = 12, .clusters = 50});
    dir = image_mkdir(img.root, "dir");
    touch_many(dir, 14); /* a cluster has 16 slots, two are the dots' */
    (void)fill_with(&img, "all the rest");
    assert_int_equal(fat_volume_commit(img.volume), FAT_OK);
    assert_int_equal(fat_create(dir, "NEW", 0, &found), FAT_E_NOSPC);
    assert_int_equal(fat_unlink(dir, "F03"), FAT_OK);
    image_touch(dir, "NEW");
    assert_int_equal(fat_create(dir, "NEW2", 0, &found), FAT_E_NOSPC);
    assert_int_equal(fat_unlink(dir, "F04"), FAT_OK);
    assert_int_equal(fat_rename(img.root, "all the rest", dir, "REST", 0), FAT_OK);
    fat_node_unref(dir);
    image_done(&img);
}

enum { PIECE = 64 * 1024, PIECES = 8 };

/* In pieces, so that room is taken ahead. */
static struct fat_node *write_in_pieces(struct image *img, const char *name)
{
    struct fat_node *file = image_create(img->root, name);
    uint8_t *bytes = calloc(1, PIECE);
    size_t done = 0;

    assert_non_null(bytes);
    for (unsigned i = 0; i < PIECES; i++) {
        assert_int_equal(fat_file_append(file, bytes, PIECE, &done), FAT_OK);
        assert_int_equal(done, PIECE);
    }
    free(bytes);
    return file;
}

static void files_written_and_closed_one_after_another_lie_side_by_side(void **state)
{
    struct image img;
    struct fat_node *files[4];
    uint32_t next = 0;

    (void)state;
    image_make(&img, &(struct image_spec){.type = 16, .clusters = 20000});
    for (unsigned k = 0; k < 4; k++) {
        char name[9];

        (void)snprintf(name, sizeof(name), "F%02u", k);
        files[k] = write_in_pieces(&img, name);
        fat_file_closed(files[k]);
        if (k > 0) {
            assert_int_equal(surgery_first(files[k]), next);
        }
        next = surgery_first(files[k]) + PIECES * PIECE / 512;
    }
    for (unsigned k = 0; k < 4; k++) {
        fat_node_unref(files[k]);
    }
    image_done(&img);
}

static void closing_a_file_that_took_nothing_ahead_changes_nothing(void **state)
{
    struct image img;
    struct fat_node *file;

    (void)state;
    image_make(&img, &(struct image_spec){.type = 16});
    file = image_create(img.root, "F");
    fat_file_closed(file);
    image_write(file, 0, "abc", 3);
    fat_file_closed(file);
    fat_file_closed(file);
    assert_int_equal(image_size(file), 3);
    fat_node_unref(file);
    image_done(&img);
}

static void what_was_set_aside_on_demand_outlives_a_close(void **state)
{
    struct image img;
    struct fat_node *file, *other;
    struct fat_stat st;
    uint32_t rest;

    (void)state;
    image_make(&img, &(struct image_spec){.type = 12, .clusters = 100});
    file = image_create(img.root, "F");
    other = image_create(img.root, "other");
    assert_int_equal(
            fat_file_allocate(file, 0, 40 * 512, FAT_ALLOCATE_KEEP_SIZE), FAT_OK);
    rest = image_free(&img);
    fat_file_closed(file);
    assert_int_equal(image_free(&img), rest);
    assert_int_equal(fat_node_stat(file, &st), FAT_OK);
    assert_int_equal(st.allocated_bytes, 40 * 512);
    assert_int_equal(fat_file_truncate(other, (uint64_t)(rest + 1) * 512), FAT_E_NOSPC);
    write_clusters(&img, "set aside", "F", 40);
    fat_node_unref(other);
    fat_node_unref(file);
    image_done(&img);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(a_file_renamed_and_removed_makes_room_at_once),
            cmocka_unit_test(a_file_renamed_and_replaced_makes_room_at_once),
            cmocka_unit_test(a_full_volume_says_so_however_much_waits),
            cmocka_unit_test(slots_that_wait_for_a_commit_are_room_in_a_full_root),
            cmocka_unit_test(they_are_room_in_a_directory_that_cannot_grow),
            cmocka_unit_test(
                    files_written_and_closed_one_after_another_lie_side_by_side),
            cmocka_unit_test(closing_a_file_that_took_nothing_ahead_changes_nothing),
            cmocka_unit_test(what_was_set_aside_on_demand_outlives_a_close),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
