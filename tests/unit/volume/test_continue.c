/* SPDX-License-Identifier: MIT */
/*
 * FAT_VOLUME_CONTINUE: an operation that meets damage fails and others go on, but
 * nothing is freed any more; and what turns a volume read-only whatever was asked for.
 */
#include "support/cmocka.h"
#include "support/surgery.h"

enum { PROMISED = 60000, HELD = 3000, OTHER = 5000 };

/* Open, with a file "short" whose chain does not hold its size, and a sound "other". */
struct patient {
    struct image img;
    uint32_t other; /* the first cluster of "other" */
};

static void open_to_continue(struct image *img)
{
    struct fat_volume_options options = image_options(img);

    options.flags |= FAT_VOLUME_CONTINUE;
    assert_int_equal(fat_volume_open(img->dev, &options, &img->volume), FAT_OK);
    img->root = fat_volume_root(img->volume);
}

static void make_patient(struct patient *p, unsigned type)
{
    struct image *img = &p->img;
    uint64_t entry;
    uint32_t first;

    image_make(img, &(struct image_spec){.type = type});
    image_put(img->root, "short", 1, HELD);
    image_put(img->root, "other", 2, OTHER);
    entry = surgery_entry_of(img->root, "short");
    first = surgery_first_of(img->root, "short");
    p->other = surgery_first_of(img->root, "other");
    image_close(img);
    surgery_point(img, entry, first, PROMISED);
    open_to_continue(img);
}

static fat_err read_beyond_the_chain(struct image *img)
{
    struct fat_node *file = image_lookup(img->root, "short");
    uint8_t byte;
    size_t got;
    const fat_err err = fat_file_read(file, PROMISED - 1, &byte, 1, &got);

    fat_node_unref(file);
    return err;
}

static void other_operations_go_on(void **state)
{
    static const unsigned types[] = {12, 16, 32};

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        struct patient p;

        make_patient(&p, types[i]);
        assert_int_equal(read_beyond_the_chain(&p.img), FAT_E_CORRUPT);
        assert_int_equal(read_beyond_the_chain(&p.img), FAT_E_CORRUPT);
        assert_int_equal(p.img.damage_reports, 1);
        assert_false(fat_volume_is_read_only(p.img.volume));
        image_put(p.img.root, "new", 3, OTHER);
        image_close(&p.img);
        assert_true(surgery_is_dirty(&p.img));
        image_open_read_only(&p.img);
        image_expect(p.img.root, "new", 3, OTHER);
        image_expect(p.img.root, "other", 2, OTHER);
        image_drop(&p.img);
    }
}

static void nothing_is_freed_any_more(void **state)
{
    struct patient p;
    uint32_t before;

    (void)state;
    make_patient(&p, 16);
    assert_int_equal(read_beyond_the_chain(&p.img), FAT_E_CORRUPT);
    before = image_free(&p.img);
    assert_int_equal(fat_unlink(p.img.root, "other"), FAT_OK);
    image_touch(p.img.root, "later");
    assert_int_equal(fat_volume_commit(p.img.volume), FAT_OK);
    assert_int_equal(image_free(&p.img), before);
    assert_int_equal(image_try_lookup(p.img.root, "other"), FAT_E_NOENT);
    image_close(&p.img);
    assert_int_not_equal(surgery_get_link(&p.img, 0, p.other), 0);
    image_drop(&p.img);
}

static void it_is_freed_where_no_damage_was_met(void **state)
{
    struct patient p;

    (void)state;
    make_patient(&p, 16);
    assert_int_equal(fat_unlink(p.img.root, "other"), FAT_OK);
    image_close(&p.img);
    assert_int_equal(surgery_get_link(&p.img, 0, p.other), 0);
    image_drop(&p.img);
}

static void a_failed_flush_is_the_end_all_the_same(void **state)
{
    struct patient p;

    (void)state;
    make_patient(&p, 16);
    image_touch(p.img.root, "new");
    recdev_fail(p.img.rec, RECDEV_FLUSH, 1, FAT_E_IO, RECDEV_ONCE);
    assert_int_equal(fat_volume_commit(p.img.volume), FAT_E_IO);
    assert_true(fat_volume_is_read_only(p.img.volume));
    image_drop(&p.img);
}

static void so_is_what_the_scan_finds_of_shared_clusters(void **state)
{
    struct patient p;
    struct fat_found found;
    uint32_t second;

    (void)state;
    make_patient(&p, 16);
    second = surgery_get_link(&p.img, 0, p.other);
    p.other = surgery_first_of(p.img.root, "short");
    image_close(&p.img);
    surgery_link(&p.img, SURGERY_ALL, p.other, second);
    surgery_make_dirty(&p.img);
    open_to_continue(&p.img);
    assert_int_equal(fat_create(p.img.root, "new", 0, &found), FAT_E_READONLY);
    assert_true(fat_volume_is_read_only(p.img.volume));
    image_drop(&p.img);
}

/* The next file to claim that cluster would be in the chain of the broken one. */
static void so_is_a_chain_that_runs_into_a_free_cluster(void **state)
{
    struct patient p;
    struct fat_found found;
    struct fat_node *file;
    uint32_t free_cluster;
    uint8_t byte;
    size_t got;

    (void)state;
    make_patient(&p, 16);
    image_close(&p.img);
    free_cluster = p.other + 1000;
    surgery_link(&p.img, SURGERY_ALL, p.other, free_cluster);
    open_to_continue(&p.img);
    file = image_lookup(p.img.root, "other");
    assert_int_equal(fat_file_read(file, OTHER - 1, &byte, 1, &got), FAT_E_CORRUPT);
    fat_node_unref(file);
    assert_int_equal(fat_create(p.img.root, "new", 0, &found), FAT_E_READONLY);
    image_drop(&p.img);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(other_operations_go_on),
            cmocka_unit_test(nothing_is_freed_any_more),
            cmocka_unit_test(it_is_freed_where_no_damage_was_met),
            cmocka_unit_test(a_failed_flush_is_the_end_all_the_same),
            cmocka_unit_test(so_is_what_the_scan_finds_of_shared_clusters),
            cmocka_unit_test(so_is_a_chain_that_runs_into_a_free_cluster),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
