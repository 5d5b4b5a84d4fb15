/* SPDX-License-Identifier: MIT */
#include "alloc/fattab.h"
#include "alloc/table.h"
#include "support/failalloc.h"

enum { CLUSTERS = 3000, STRADDLER = 341 /* bytes 511 and 512 of a FAT12 */ };

static const enum fat_type types[] = {FAT_TYPE_12, FAT_TYPE_16, FAT_TYPE_32};

static const struct fat_link end_of_chain = {.kind = FAT_LINK_END};

static struct fat_link next(uint32_t cluster)
{
    return (struct fat_link){.kind = FAT_LINK_NEXT, .cluster = cluster};
}

static void assert_link(struct table *t, uint32_t cluster, struct fat_link expected)
{
    struct fat_fat_cursor cursor = {.valid = false};
    struct fat_link link = {.kind = FAT_LINK_RESERVED};

    assert_int_equal(fat_fattab_get(&t->tab, &cursor, cluster, &link), FAT_OK);
    assert_int_equal(link.kind, expected.kind);
    assert_int_equal(link.cluster, expected.cluster);
    link.kind = FAT_LINK_RESERVED;
    assert_int_equal(fat_fattab_peek(&t->tab, cluster, &link), FAT_OK);
    assert_int_equal(link.kind, expected.kind);
    assert_int_equal(link.cluster, expected.cluster);
}

static void the_sector_of_an_entry_is_that_of_its_first_byte(void **state)
{
    static const struct {
        enum fat_type type;
        uint32_t cluster;
        uint64_t sector;
        bool straddles;
    } rows[] = {
            {FAT_TYPE_12, 2, 1, false},
            {FAT_TYPE_12, 340, 1, false},
            {FAT_TYPE_12, 341, 1, true},
            {FAT_TYPE_12, 342, 2, false},
            {FAT_TYPE_12, 682, 2, true},
            {FAT_TYPE_12, 683, 3, false},
            {FAT_TYPE_12, 1023, 3, false},
            {FAT_TYPE_12, 1024, 4, false},
            {FAT_TYPE_16, 255, 1, false},
            {FAT_TYPE_16, 256, 2, false},
            {FAT_TYPE_32, 127, 1, false},
            {FAT_TYPE_32, 128, 2, false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct table t;

        table_make(&t, rows[i].type, CLUSTERS);
        table_open(&t);
        assert_int_equal(fat_fattab_sector(&t.tab, rows[i].cluster), rows[i].sector);
        assert_int_equal(
                fat_fattab_straddles(&t.tab, rows[i].cluster), rows[i].straddles);
        table_done(&t);
    }
}

static void every_entry_is_read_with_and_without_a_cursor(void **state)
{
    (void)state;
    for (size_t type = 0; type < 3; type++) {
        struct fat_fat_cursor cursor = {.valid = false};
        struct table t;

        table_make(&t, types[type], CLUSTERS);
        for (uint32_t c = 2; c < CLUSTERS + 2; c++) {
            table_put(&t, c, 2 + (c * 1237) % CLUSTERS);
        }
        table_put(&t, 2, VALUE_END);
        table_put(&t, 3, VALUE_BAD);
        table_put(&t, STRADDLER + 1, VALUE_FREE);
        table_open(&t);
        for (uint32_t c = 4; c < CLUSTERS + 2; c++) {
            struct fat_link link;

            assert_int_equal(fat_fattab_get(&t.tab, &cursor, c, &link), FAT_OK);
            assert_int_equal(
                    link.cluster, c == STRADDLER + 1 ? 0 : 2 + (c * 1237) % CLUSTERS);
        }
        assert_link(&t, 2, end_of_chain);
        assert_link(&t, 3, (struct fat_link){.kind = FAT_LINK_BAD});
        assert_link(&t, STRADDLER, next(2 + (STRADDLER * 1237) % CLUSTERS));
        table_done(&t);
    }
}

static void a_link_out_of_the_volume_is_returned_as_it_is(void **state)
{
    struct table t;

    (void)state;
    table_make(&t, FAT_TYPE_16, CLUSTERS);
    table_put(&t, 5, 60000);
    table_open(&t);
    assert_link(&t, 5, next(60000));
    table_done(&t);
}

static void the_active_copy_is_the_one_that_counts(void **state)
{
    struct fat_link link;
    struct table t;

    (void)state;
    table_make(&t, FAT_TYPE_16, CLUSTERS);
    t.geometry.fat_start += t.geometry.fat_sectors; /* into the second copy */
    table_put(&t, 5, VALUE_END);
    t.geometry.fat_start -= t.geometry.fat_sectors;
    t.geometry.active_fat = 1;
    table_open(&t);
    assert_int_equal(fat_fattab_peek(&t.tab, 5, &link), FAT_OK);
    assert_int_equal(link.kind, FAT_LINK_END);
    table_done(&t);
}

static void an_edit_is_read_at_once_and_leaves_its_neighbours_alone(void **state)
{
    static const uint32_t clusters[] = {2, 3, 340, STRADDLER, 342, 682, 683, 3001};

    (void)state;
    for (size_t type = 0; type < 3; type++) {
        struct table t;

        table_make(&t, types[type], CLUSTERS);
        for (uint32_t c = 2; c < CLUSTERS + 2; c++) {
            table_put(&t, c, 0xabc);
        }
        table_open(&t);
        for (size_t i = 0; i < 8; i++) {
            table_edit(&t, FAT_STAGE_FILL, clusters[i], next(0x543));
            assert_link(&t, clusters[i], next(0x543));
            table_edit(&t, FAT_STAGE_FILL, clusters[i], end_of_chain);
            assert_link(&t, clusters[i], end_of_chain);
        }
        assert_link(&t, STRADDLER - 2, next(0xabc));
        table_commit(&t);
        for (uint32_t c = 4; c < 338; c++) {
            assert_link(&t, c, next(0xabc));
        }
        assert_link(&t, 343, next(0xabc));
        assert_link(&t, 3000, next(0xabc));
        table_done(&t);
    }
}

static void a_cursor_is_a_copy_of_the_moment(void **state)
{
    struct fat_fat_cursor cursor = {.valid = false};
    struct fat_link link;
    struct table t;

    (void)state;
    table_make(&t, FAT_TYPE_12, CLUSTERS);
    table_open(&t);
    assert_int_equal(fat_fattab_get(&t.tab, &cursor, 5, &link), FAT_OK);
    table_edit(&t, FAT_STAGE_FILL, 5, end_of_chain);
    assert_int_equal(fat_fattab_get(&t.tab, &cursor, 5, &link), FAT_OK);
    assert_int_equal(link.kind, FAT_LINK_FREE);
    assert_link(&t, 5, end_of_chain);
    table_done(&t);
}

static void a_run_is_prepared_with_all_its_sectors(void **state)
{
    (void)state;
    for (size_t type = 0; type < 3; type++) {
        struct fat_edits edits;
        struct table t;

        table_make(&t, types[type], CLUSTERS);
        table_open(&t);
        fat_edits_init(&edits, t.cache);
        assert_int_equal(fat_fattab_prepare_run(&t.tab, &edits, 300, 42, 2), FAT_OK);
        for (uint32_t c = 300; c <= STRADDLER; c++) {
            fat_fattab_set(&t.tab, &edits, FAT_STAGE_FILL, c, next(c + 1));
            fat_fattab_set(&t.tab, &edits, FAT_STAGE_CUT, c, end_of_chain);
        }
        fat_edits_done(&edits);
        assert_int_equal(
                fat_fattab_prepare_run(&t.tab, &edits, STRADDLER, 1, 1), FAT_OK);
        fat_fattab_set(&t.tab, &edits, FAT_STAGE_FILL, STRADDLER, next(9));
        fat_edits_done(&edits);
        assert_link(&t, 300, end_of_chain);
        assert_link(&t, STRADDLER, next(9)); /* the later edit wins */
        table_done(&t);
    }
}

static void a_reclaimed_entry_is_free_in_every_image(void **state)
{
    static const uint32_t clusters[] = {7, STRADDLER, 682};

    (void)state;
    for (size_t type = 0; type < 3; type++) {
        struct table t;

        table_make(&t, types[type], CLUSTERS);
        for (uint32_t c = 2; c < 700; c++) {
            table_put(&t, c, 0xabc);
        }
        table_open(&t);
        table_edit(&t, FAT_STAGE_CUT, 8, end_of_chain);
        (void)fat_cache_snapshot(t.cache);
        table_edit(&t, FAT_STAGE_FILL, 9, end_of_chain);
        table_write_stage(&t, FAT_STAGE_CUT);
        for (size_t i = 0; i < 3; i++) {
            assert_int_equal(fat_fattab_reclaim(&t.tab, clusters[i]), FAT_OK);
            assert_link(&t, clusters[i], (struct fat_link){.kind = FAT_LINK_FREE});
            assert_link(&t, clusters[i] - 1, next(0xabc));
        }
        table_write_stage(&t, FAT_STAGE_RECLAIM);
        assert_int_equal(fat_cache_reclaim_waiting(t.cache), 0);
        table_commit(&t);
        for (size_t i = 0; i < 3; i++) {
            assert_link(&t, clusters[i], (struct fat_link){.kind = FAT_LINK_FREE});
        }
        assert_link(&t, 8, end_of_chain);
        assert_link(&t, 9, end_of_chain);
        table_done(&t);
    }
}

static void an_error_of_the_device_is_passed_on_with_outputs_untouched(void **state)
{
    struct fat_fat_cursor cursor = {.valid = false};
    struct fat_link link = {.kind = FAT_LINK_BAD};
    struct fat_edits edits;
    struct table t;

    (void)state;
    table_make(&t, FAT_TYPE_12, CLUSTERS);
    table_open(&t);
    recdev_fail(t.rec, RECDEV_READ, 1, FAT_E_NODEV, RECDEV_ALWAYS);
    fat_edits_init(&edits, t.cache);
    assert_int_equal(fat_fattab_get(&t.tab, &cursor, 5, &link), FAT_E_NODEV);
    assert_int_equal(fat_fattab_get(&t.tab, &cursor, 5, &link), FAT_E_NODEV);
    assert_int_equal(fat_fattab_peek(&t.tab, 5, &link), FAT_E_NODEV);
    assert_int_equal(fat_fattab_reclaim(&t.tab, 5), FAT_E_NODEV);
    assert_int_equal(fat_fattab_prepare(&t.tab, &edits, 5, 1), FAT_E_NODEV);
    assert_int_equal(fat_fattab_prepare_run(&t.tab, &edits, 5, 900, 1), FAT_E_NODEV);
    assert_int_equal(link.kind, FAT_LINK_BAD);
    fat_edits_done(&edits);
    recdev_fail(t.rec, RECDEV_READ, 0, FAT_OK, RECDEV_ONCE);
    assert_int_equal(fat_fattab_get(&t.tab, &cursor, 5, &link), FAT_OK);
    failalloc_arm(1, FAILALLOC_ALWAYS);
    assert_int_equal(fat_fattab_peek(&t.tab, 2900, &link), FAT_OK); /* read ahead */
    fat_cache_forget(t.cache, 0, 100);
    assert_int_equal(fat_fattab_peek(&t.tab, 2900, &link), FAT_E_NOMEM);
    (void)failalloc_disarm();
    table_done(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(the_sector_of_an_entry_is_that_of_its_first_byte),
            cmocka_unit_test(every_entry_is_read_with_and_without_a_cursor),
            cmocka_unit_test(a_link_out_of_the_volume_is_returned_as_it_is),
            cmocka_unit_test(the_active_copy_is_the_one_that_counts),
            cmocka_unit_test(an_edit_is_read_at_once_and_leaves_its_neighbours_alone),
            cmocka_unit_test(a_cursor_is_a_copy_of_the_moment),
            cmocka_unit_test(a_run_is_prepared_with_all_its_sectors),
            cmocka_unit_test(a_reclaimed_entry_is_free_in_every_image),
            cmocka_unit_test(
                    an_error_of_the_device_is_passed_on_with_outputs_untouched),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
