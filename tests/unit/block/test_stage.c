/* SPDX-License-Identifier: MIT */
#include "block/epochs.h"

static void an_edit_changes_its_stage_and_every_later_one(void **state)
{
    struct fixture *f = *state;

    edit(f, 1, RECLAIM, 0, "R");
    assert_images(f, 1, "... R..");
    edit(f, 1, FILL, 1, "F");
    assert_images(f, 1, "... .F. RF.");
    edit(f, 1, PUBLISH, 2, "P");
    assert_images(f, 1, "... .F. .FP RFP");
    edit(f, 1, RETIRE, 0, "x");
    assert_images(f, 1, "... .F. .FP xFP xFP"); /* the later edit wins */
    assert_newest(f, 1, "xFP");
    assert_disk(f, 1, "...");
}

static void only_the_bits_of_the_mask_change(void **state)
{
    static const uint8_t mask[3] = {0x0f, 0x00, 0xff};
    struct fixture *f = *state;
    struct fat_edits edits;
    uint8_t bytes[3] = {0};

    fat_edits_init(&edits, f->cache);
    assert_int_equal(fat_edits_prepare(&edits, 1, 1), FAT_OK);
    fat_edits_merge(&edits, 1, FAT_STAGE_CUT, 0,
            &(struct fat_bits){.bytes = "\xf1\xf1\xf1", .mask = mask, .length = 3});
    fat_edits_get(&edits, 1, 0, bytes, 3);
    fat_edits_done(&edits);
    assert_memory_equal(bytes, "\x21.\xf1", 3);
}

static void a_snapshot_makes_room_for_the_next_interval(void **state)
{
    struct fixture *f = *state;

    assert_false(fat_cache_snapshot(f->cache));
    edit(f, 1, PUBLISH, 0, "a");
    assert_true(fat_cache_snapshot(f->cache));
    edit(f, 1, FILL, 1, "b"); /* on top of all of the commit */
    assert_images(f, 1, "... a.. ab.");
    assert_newest(f, 1, "ab.");
    write_all_stages(f);
    assert_disk(f, 1, "a..");
    assert_images(f, 1, "a.. ab.");
    assert_true(fat_cache_snapshot(f->cache));
    write_all_stages(f);
    assert_disk(f, 1, "ab.");
    assert_images(f, 1, "ab.");
    assert_false(fat_cache_snapshot(f->cache));
}

static void each_stage_is_one_epoch_with_its_own_content(void **state)
{
    struct fixture *f = *state;

    edit(f, 40, RECLAIM, 0, "6");
    edit(f, 40, CUT, 0, "5");
    edit(f, 40, RETIRE, 0, "4");
    edit(f, 40, PUBLISH, 0, "3");
    edit(f, 40, LINK, 0, "2");
    edit(f, 40, FILL, 0, "1");
    for (int i = FILL; i < STAGES; i++) {
        const char digit[2] = {(char)('1' + i), '\0'};

        edit(f, 40, i, 1, digit);
    }
    fat_cache_link_strays(f->cache, 40);
    fat_cache_cut_strays(f->cache, 40);
    assert_true(fat_cache_snapshot(f->cache));
    write_all_stages(f);
    assert_log(f, "40:11.x1 | 40:12.x1 | 40:13.x1 | 40:14.x1 | 40:15.x1 | 40:16.x1 | ");
}

static void a_stage_without_images_writes_nothing(void **state)
{
    struct fixture *f = *state;

    edit(f, 1, PUBLISH, 0, "a");
    assert_true(fat_cache_snapshot(f->cache));
    for (int i = 0; i < STAGES; i++) {
        assert_int_equal(write_stage(f, i), i == PUBLISH);
    }
    assert_log(f, "1:a..x1 | ");
}

static void neighbours_are_written_together_in_rising_order(void **state)
{
    struct fixture *f = *state;

    edit(f, 43, FILL, 0, "d");
    edit(f, 41, FILL, 0, "b");
    edit(f, 50, FILL, 0, "e");
    edit(f, 40, FILL, 0, "a");
    edit(f, 42, FILL, 0, "c");
    assert_true(fat_cache_snapshot(f->cache));
    write_all_stages(f);
    assert_int_equal(recdev_event(f->rec, 0)->bytes[3 * SECTOR], 'd');
    assert_log(f, "40:a..x4 50:e..x1 | ");
}

static void a_long_row_is_cut_at_the_size_of_a_transfer(void **state)
{
    struct fixture *f = *state;

    for (unsigned i = 0; i < 1000; i++) {
        edit(f, 100 + (i * 7) % 1000, FILL, 0, "x");
    }
    assert_true(fat_cache_snapshot(f->cache));
    write_all_stages(f);
    assert_log(f, "100:x..x512 612:x..x488 | ");
}

static void copies_are_written_one_epoch_after_their_original(void **state)
{
    struct fixture *f = *state;
    bool wrote = false;

    edit(f, FAT, FILL, 0, "a");
    edit(f, FAT, PUBLISH, 1, "b");
    assert_true(fat_cache_snapshot(f->cache));
    assert_true(write_stage(f, FILL));
    assert_true(write_stage(f, PUBLISH));
    assert_log(f, "16:a..x1 | 8:a..x1 24:a..x1 16:ab.x1 | ");
    assert_int_equal(fat_cache_write_copies(f->cache, &wrote), FAT_OK);
    assert_true(wrote);
    assert_log(f, "8:ab.x1 24:ab.x1 ");
    assert_int_equal(fat_cache_write_copies(f->cache, &wrote), FAT_OK);
    assert_false(wrote);
    assert_log(f, "");
}

static void copies_of_a_commit_hold_nothing_of_the_next_one(void **state)
{
    struct fixture *f = *state;

    edit(f, FAT + 1, RECLAIM, 0, "a");
    edit(f, FAT, RECLAIM, 0, "a");
    edit(f, FAT + 7, RECLAIM, 0, "z");
    assert_true(fat_cache_snapshot(f->cache));
    write_all_stages(f);
    edit(f, FAT, FILL, 1, "b");
    assert_true(fat_cache_snapshot(f->cache));
    assert_log(f, "16:a..x2 23:z..x1 | ");
    edit(f, FAT, FILL, 2, "c");
    write_all_stages(f);
    assert_log(f, "8:a..x2 15:z..x1 24:a..x2 31:z..x1 16:ab.x1 | ");
}

static void sectors_beside_the_fat_have_no_copies(void **state)
{
    struct fixture *f = *state;
    bool wrote = true;

    edit(f, FAT + FAT_SECTORS, FILL, 0, "a");
    edit(f, FAT - 1, FILL, 0, "b");
    assert_true(fat_cache_snapshot(f->cache));
    write_all_stages(f);
    assert_int_equal(fat_cache_write_copies(f->cache, &wrote), FAT_OK);
    assert_false(wrote);
}

static void a_block_whose_copies_are_due_stays(void **state)
{
    struct fixture *f = *state;
    bool wrote;
    char byte;

    edit(f, FAT, FILL, 0, "a");
    assert_true(fat_cache_snapshot(f->cache));
    write_all_stages(f);
    for (uint64_t i = 200; i < 400; i++) {
        assert_int_equal(fat_cache_read(f->cache, i, 0, &byte, 1, 0), FAT_OK);
    }
    assert_int_equal(fat_cache_write_copies(f->cache, &wrote), FAT_OK);
    assert_disk(f, FAT_C, "a..");
    for (uint64_t i = 200; i < 400; i++) {
        assert_int_equal(fat_cache_read(f->cache, i, 0, &byte, 1, 0), FAT_OK);
    }
    recdev_reset_counts(f->rec);
    assert_newest(f, FAT, "a..");
    assert_int_equal(recdev_counts(f->rec).reads, 1); /* and can go after that */
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
            CASE(an_edit_changes_its_stage_and_every_later_one),
            CASE(only_the_bits_of_the_mask_change),
            CASE(a_snapshot_makes_room_for_the_next_interval),
            CASE(each_stage_is_one_epoch_with_its_own_content),
            CASE(a_stage_without_images_writes_nothing),
            CASE(neighbours_are_written_together_in_rising_order),
            CASE(a_long_row_is_cut_at_the_size_of_a_transfer),
            CASE(copies_are_written_one_epoch_after_their_original),
            CASE(copies_of_a_commit_hold_nothing_of_the_next_one),
            CASE(sectors_beside_the_fat_have_no_copies),
            CASE(a_block_whose_copies_are_due_stays),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
