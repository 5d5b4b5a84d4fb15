/* SPDX-License-Identifier: MIT */
#include <pthread.h>
#include <stdatomic.h>

#include "block/epochs.h"
#include "support/failalloc.h"

static void link_goes_with_fill_unless_its_chain_strays(void **state)
{
    struct fixture *f = *state;

    edit(f, FAT, FILL, 0, "a");
    edit(f, FAT, LINK, 1, "b");
    edit(f, FAT, PUBLISH, 2, "c");
    assert_true(fat_cache_snapshot(f->cache));
    assert_images(f, FAT, "... ab. abc");
    write_all_stages(f);
    edit(f, 50, LINK, 0, "a"); /* without a FILL of its own */
    assert_true(fat_cache_snapshot(f->cache));
    assert_true(write_stage(f, FILL));
    assert_disk(f, 50, "a..");
    edit(f, 51, FILL, 0, "a");
    edit(f, 51, LINK, 1, "b");
    fat_cache_link_strays(f->cache, 51);
    assert_true(fat_cache_snapshot(f->cache));
    assert_images(f, 51, "... a.. ab.");
    assert_true(write_stage(f, FILL));
    assert_disk(f, 51, "a..");
    assert_true(write_stage(f, LINK));
    assert_disk(f, 51, "ab.");
}

static void cut_goes_with_reclaim_unless_its_chain_strays(void **state)
{
    struct fixture *f = *state;

    edit(f, 50, CUT, 0, "a");
    edit(f, 51, CUT, 0, "a");
    edit(f, 51, RECLAIM, 1, "b");
    edit(f, 52, CUT, 0, "a");
    edit(f, 52, RECLAIM, 1, "b");
    fat_cache_cut_strays(f->cache, 52);
    assert_true(fat_cache_snapshot(f->cache));
    assert_true(write_stage(f, CUT));
    assert_disk(f, 50, "...");
    assert_disk(f, 51, "...");
    assert_disk(f, 52, "a..");
    assert_true(write_stage(f, RECLAIM));
    assert_disk(f, 50, "a..");
    assert_disk(f, 51, "ab.");
    assert_disk(f, 52, "ab.");
}

static void straying_is_for_edited_blocks_and_ends_at_the_snapshot(void **state)
{
    struct fixture *f = *state;

    assert_newest(f, 50, "...");
    fat_cache_link_strays(f->cache, 50); /* there, but not edited */
    fat_cache_link_strays(f->cache, 90); /* not there */
    edit(f, 50, LINK, 0, "a");
    assert_true(fat_cache_snapshot(f->cache));
    assert_true(write_stage(f, FILL));
    edit(f, 50, LINK, 0, "b");
    fat_cache_link_strays(f->cache, 50);
    assert_true(fat_cache_snapshot(f->cache));
    write_all_stages(f);
    edit(f, 50, LINK, 0, "c");
    assert_true(fat_cache_snapshot(f->cache));
    assert_true(write_stage(f, FILL)); /* no longer */
    assert_disk(f, 50, "c..");
}

static void images_that_change_nothing_are_not_written(void **state)
{
    struct fixture *f = *state;
    char byte;

    edit(f, 40, FILL, 0, "a");
    edit(f, 40, FILL, 0, ".");
    assert_false(fat_cache_snapshot(f->cache));
    for (uint64_t i = 200; i < 400; i++) {
        assert_int_equal(fat_cache_read(f->cache, i, 0, &byte, 1, 0), FAT_OK);
    }
    recdev_reset_counts(f->rec);
    assert_newest(f, 40, "...");
    assert_int_equal(recdev_counts(f->rec).reads, 1); /* it could be evicted */
    edit(f, 40, FILL, 0, "a");
    edit(f, 40, PUBLISH, 0, "a");
    edit(f, 40, RETIRE, 1, "b");
    assert_true(fat_cache_snapshot(f->cache));
    write_all_stages(f);
    assert_log(f, "40:a..x1 | 40:ab.x1 | ");
}

static void an_image_that_takes_an_earlier_one_back_is_written(void **state)
{
    struct fixture *f = *state;

    edit(f, 40, FILL, 0, "a");
    edit(f, 40, RETIRE, 0, ".");
    assert_true(fat_cache_snapshot(f->cache));
    write_all_stages(f);
    assert_log(f, "40:a..x1 | 40:...x1 | ");
}

static void merging_pulls_bytes_into_an_earlier_image_where_there_is_one(void **state)
{
    struct fixture *f = *state;

    edit(f, 40, PUBLISH, 0, "P");
    edit(f, 40, RETIRE, 1, "R");
    edit(f, 41, RETIRE, 1, "R");
    fat_cache_merge_into(f->cache, 40, FAT_STAGE_PUBLISH, 1, (const uint8_t *)"R", 1);
    fat_cache_merge_into(f->cache, 41, FAT_STAGE_PUBLISH, 1, (const uint8_t *)"R", 1);
    fat_cache_merge_into(f->cache, 99, FAT_STAGE_PUBLISH, 1, (const uint8_t *)"R", 1);
    assert_true(fat_cache_snapshot(f->cache));
    write_all_stages(f);
    assert_log(f, "40:PR.x1 | 41:.R.x1 | ");
}

static void reclaim(struct fixture *f, uint64_t sector, size_t offset, const char *text)
{
    struct fat_block *block;

    assert_int_equal(fat_cache_get(f->cache, sector, 0, &block), FAT_OK);
    assert_int_equal(fat_cache_reclaim(f->cache, block, offset,
                             &(struct fat_bits){.bytes = text, .length = strlen(text)}),
            FAT_OK);
    fat_cache_put(f->cache, block);
}

static void reclaiming_changes_every_image_and_is_written_by_reclaim(void **state)
{
    struct fixture *f = *state;

    edit(f, 40, RECLAIM, 0, "a");
    assert_true(fat_cache_snapshot(f->cache));
    edit(f, 40, FILL, 1, "b");
    assert_int_equal(fat_cache_reclaim_waiting(f->cache), 0);
    reclaim(f, 40, 2, "x");
    reclaim(f, 40, 2, "0");
    reclaim(f, 41, 2, "0");
    assert_int_equal(fat_cache_reclaim_waiting(f->cache), 2);
    assert_images(f, 40, "..0 a.0 ab0");
    assert_true(write_stage(f, RECLAIM));
    assert_int_equal(fat_cache_reclaim_waiting(f->cache), 0);
    assert_log(f, "40:a.0x2 | ");
    assert_false(write_stage(f, RECLAIM));
    reclaim(f, 41, 1, "1"); /* the commit goes on: the next part */
    assert_true(write_stage(f, RECLAIM));
    assert_log(f, "41:.10x1 | ");
    assert_true(fat_cache_snapshot(f->cache));
    assert_images(f, 40, "a.0 ab0");
}

static void reclaiming_needs_no_snapshot_that_had_anything(void **state)
{
    struct fixture *f = *state;

    assert_false(fat_cache_snapshot(f->cache));
    reclaim(f, 41, 0, "0");
    assert_true(write_stage(f, RECLAIM));
    assert_log(f, "41:0..x1 | ");
    assert_false(fat_cache_snapshot(f->cache));
}

static void copies_get_what_is_reclaimed_one_epoch_later_too(void **state)
{
    struct fixture *f = *state;
    bool wrote;

    edit(f, FAT, CUT, 0, "c");
    fat_cache_cut_strays(f->cache, FAT);
    assert_true(fat_cache_snapshot(f->cache));
    assert_true(write_stage(f, CUT));
    assert_int_equal(fat_cache_write_copies(f->cache, &wrote), FAT_OK); /* before it */
    reclaim(f, FAT, 1, "0");
    assert_true(write_stage(f, RECLAIM));
    assert_log(f, "16:c..x1 | 8:c..x1 24:c..x1 16:c0.x1 | ");
    assert_int_equal(fat_cache_write_copies(f->cache, &wrote), FAT_OK);
    assert_log(f, "8:c0.x1 24:c0.x1 ");
}

static void a_mark_is_written_at_once_with_all_copies_and_stays_in_images(void **state)
{
    struct fixture *f = *state;

    edit(f, FAT, PUBLISH, 0, "a");
    assert_true(fat_cache_snapshot(f->cache));
    edit(f, FAT, FILL, 1, "b");
    assert_int_equal(
            fat_cache_write_now(f->cache, FAT, 2, (const uint8_t *)"M", NULL, 1),
            FAT_OK);
    assert_log(f, "16:..Mx1 8:..Mx1 24:..Mx1 ");
    assert_images(f, FAT, "..M a.M abM");
    assert_int_equal(
            fat_cache_write_now(f->cache, 2, 0, (const uint8_t *)"M", NULL, 1), FAT_OK);
    assert_log(f, "2:M..x1 ");
    recdev_fail(f->rec, RECDEV_WRITE, 1, FAT_E_IO, RECDEV_ONCE);
    assert_int_equal(fat_cache_write_now(f->cache, 2, 0, (const uint8_t *)"N", NULL, 1),
            FAT_E_IO);
    recdev_fail(f->rec, RECDEV_READ, 1, FAT_E_IO, RECDEV_ONCE);
    assert_int_equal(fat_cache_write_now(f->cache, 3, 0, (const uint8_t *)"N", NULL, 1),
            FAT_E_IO);
}

static void edits_go_on_while_a_commit_is_written(void **state)
{
    struct fixture *f = *state;

    edit(f, 40, FILL, 0, "a");
    edit(f, 40, RETIRE, 1, "b");
    assert_true(fat_cache_snapshot(f->cache));
    assert_true(write_stage(f, FILL));
    edit(f, 40, FILL, 2, "c");
    edit(f, 41, FILL, 2, "c");
    assert_images(f, 40, "a.. ab. abc");
    assert_true(write_stage(f, RETIRE));
    assert_log(f, "40:a..x1 | 40:ab.x1 | ");
    assert_true(fat_cache_snapshot(f->cache));
    write_all_stages(f);
    assert_log(f, "40:abcx2 | ");
}

static void forgetting_drops_what_is_open_and_keeps_what_is_in_flight(void **state)
{
    struct fixture *f = *state;

    edit(f, 40, PUBLISH, 0, "a");
    edit(f, 41, PUBLISH, 0, "a");
    fat_cache_forget(f->cache, 40, 1);
    assert_newest(f, 40, "...");
    assert_true(fat_cache_snapshot(f->cache));
    edit(f, 41, PUBLISH, 1, "b");
    fat_cache_forget(f->cache, 41, 1);
    write_all_stages(f);
    assert_log(f, "41:a..x1 | ");
    assert_newest(f, 41, "a..");
    assert_false(fat_cache_snapshot(f->cache));
    edit(f, 40, PUBLISH, 0, "c"); /* the sector lives again */
    assert_true(fat_cache_snapshot(f->cache));
    write_all_stages(f);
    assert_log(f, "40:c..x1 | ");
}

/* Nothing to assert: LeakSanitizer does. */
static void a_cache_is_freed_with_all_that_is_forgotten_open_or_in_flight(void **state)
{
    struct fixture *f = *state;

    edit(f, 40, FILL, 0, "a");
    edit(f, FAT, FILL, 0, "a");
    assert_true(fat_cache_snapshot(f->cache));
    edit(f, 40, FILL, 1, "b");
    fat_cache_forget(f->cache, 40, 1);
    edit(f, 41, FILL, 1, "b");
    fat_cache_forget(f->cache, 41, 1);
    edit(f, 42, FILL, 1, "b");
    reclaim(f, FAT + 2, 0, "0");
    assert_true(write_stage(f, RECLAIM)); /* copies are due */
}

static void a_failed_write_is_told_and_no_output_is_touched(void **state)
{
    struct fixture *f = *state;
    bool wrote = true;

    edit(f, 40, FILL, 0, "a");
    edit(f, 50, FILL, 0, "a");
    edit(f, FAT, FILL, 0, "a");
    assert_true(fat_cache_snapshot(f->cache));
    recdev_fail(f->rec, RECDEV_WRITE, 3, FAT_E_IO, RECDEV_ONCE);
    assert_int_equal(fat_cache_write_stage(f->cache, FAT_STAGE_FILL, &wrote), FAT_E_IO);
    assert_true(wrote);
    assert_int_equal(recdev_failures(f->rec), 1);
    assert_newest(f, 50, "a.."); /* readers go on with what there is in memory */
}

static void a_failed_copy_fails_the_stage(void **state)
{
    struct fixture *f = *state;
    bool wrote = true;

    edit(f, FAT, FILL, 0, "a");
    edit(f, FAT, PUBLISH, 1, "b");
    assert_true(fat_cache_snapshot(f->cache));
    assert_true(write_stage(f, FILL));
    recdev_fail(f->rec, RECDEV_WRITE, 2, FAT_E_NODEV, RECDEV_ONCE);
    assert_int_equal(
            fat_cache_write_stage(f->cache, FAT_STAGE_PUBLISH, &wrote), FAT_E_NODEV);
    assert_true(wrote);
    assert_disk(f, FAT, "a..");
}

static void preparing_that_fails_keeps_what_was_prepared(void **state)
{
    struct fixture *f = *state;
    struct fat_edits edits;
    bool failed = true;

    for (unsigned nth = 1; failed; nth++) {
        fat_err err;

        fat_edits_init(&edits, f->cache);
        assert_int_equal(fat_edits_prepare(&edits, 40, 1), FAT_OK);
        failalloc_arm(nth, FAILALLOC_ONCE);
        err = fat_edits_prepare(&edits, 41, 3);
        failed = failalloc_disarm();
        assert_int_equal(err, failed ? FAT_E_NOMEM : FAT_OK);
        fat_edits_set(&edits, 40, FAT_STAGE_LINK, 0, "a", 1);
        if (!failed) {
            fat_edits_set(&edits, 41, FAT_STAGE_LINK, 0, "a", 1);
            fat_edits_set(&edits, 41, FAT_STAGE_FILL, 0, "a", 1);
            fat_edits_set(&edits, 41, FAT_STAGE_CUT, 0, "a", 1);
        }
        fat_edits_done(&edits);
        fat_cache_forget(f->cache, 40, 2);
    }
    fat_edits_init(&edits, f->cache);
    assert_int_equal(fat_edits_prepare(&edits, 40, 1), FAT_OK);
    recdev_fail(f->rec, RECDEV_READ, 1, FAT_E_IO, RECDEV_ONCE);
    assert_int_equal(fat_edits_prepare(&edits, 90, 1), FAT_E_IO);
    fat_edits_set(&edits, 40, FAT_STAGE_LINK, 0, "a", 1);
    fat_edits_done(&edits);
}

/* The model: an edit is (sector, stage, place, byte), in the order they were made. */
enum { MODEL_SECTORS = 12, MODEL_BYTES = 3, MODEL_EDITS = 60 };

struct model_edit {
    unsigned sector;
    int stage;
    unsigned place;
    char byte;
};

struct model {
    char disk[MODEL_SECTORS][MODEL_BYTES + 1];
    struct model_edit edits[MODEL_EDITS];
    unsigned count;
};

static void model_apply(const struct model *m, int stage, struct model *to)
{
    for (unsigned i = 0; i < m->count; i++) {
        if (m->edits[i].stage <= stage) {
            to->disk[m->edits[i].sector][m->edits[i].place] = m->edits[i].byte;
        }
    }
}

static void model_step(struct fixture *f, struct model *m)
{
    const struct model_edit e = {.sector = (unsigned)rand() % MODEL_SECTORS,
            .stage = rand() % STAGES,
            .place = (unsigned)rand() % MODEL_BYTES,
            .byte = (char)('a' + rand() % 26)};
    const char text[2] = {e.byte, '\0'};

    edit(f, FAT_A - 4 + e.sector, e.stage, e.place, text);
    fat_cache_link_strays(f->cache, FAT_A - 4 + e.sector);
    fat_cache_cut_strays(f->cache, FAT_A - 4 + e.sector);
    m->edits[m->count++] = e;
}

static void model_compare(struct fixture *f, const struct model *m)
{
    for (unsigned i = 0; i < MODEL_SECTORS; i++) {
        assert_disk(f, FAT_A - 4 + i, m->disk[i]);
    }
}

static void random_edits_reach_the_disk_stage_by_stage(void **state)
{
    struct fixture *f = *state;
    struct fat_cache_copies none = {.count = 1};
    struct model m = {.count = 0};

    fat_cache_set_copies(f->cache, &none);
    for (unsigned i = 0; i < MODEL_SECTORS; i++) {
        memcpy(m.disk[i], "...", 4);
    }
    srand(7);
    for (int round = 0; round < 300; round++) {
        struct model next = {.count = 0};

        memcpy(next.disk, m.disk, sizeof(m.disk));
        while (m.count < MODEL_EDITS / 2 && rand() % 20 > 0) {
            model_step(f, &m);
        }
        (void)fat_cache_snapshot(f->cache);
        for (int stage = 0; stage < STAGES; stage++) {
            struct model then = {.count = 0};

            (void)write_stage(f, stage);
            memcpy(then.disk, m.disk, sizeof(m.disk));
            model_apply(&m, stage, &then);
            model_compare(f, &then);
            if (rand() % 2) {
                model_step(f, &next); /* belongs to the next commit */
            }
        }
        model_apply(&m, STAGES, &m);
        next.count = next.count;
        memcpy(next.disk, m.disk, sizeof(m.disk));
        m = next;
        assert_int_equal(recdev_restart(f->rec), FAT_OK);
    }
}

struct writer {
    struct fixture *f;
    atomic_bool stop;
};

/* Of the FAT or behind its copies: nobody edits these. */
static uint64_t pick_sector(unsigned number)
{
    const unsigned n = number % 40;

    return n < FAT_SECTORS ? FAT + n : FAT_C + n;
}

static void *keep_editing(void *context)
{
    struct writer *writer = context;
    unsigned seed = 1;

    while (!writer->stop) {
        struct fat_edits edits;
        uint64_t sector;

        seed = seed * 1103515245 + 12345;
        sector = pick_sector(seed / 65536);
        fat_edits_init(&edits, writer->f->cache);
        if (fat_edits_prepare(&edits, sector, 2) != FAT_OK) {
            return context; /* not NULL: something is wrong */
        }
        fat_edits_set(&edits, sector, FAT_STAGE_FILL, 0, &seed, 4);
        fat_edits_set(&edits, sector, FAT_STAGE_RETIRE, 8, &seed, 4);
        fat_edits_done(&edits);
    }
    return NULL;
}

static void a_thread_may_edit_while_another_one_commits(void **state)
{
    struct writer writer = {.f = *state};
    pthread_t thread;
    void *wrong;

    assert_int_equal(pthread_create(&thread, NULL, keep_editing, &writer), 0);
    for (int i = 0; i < 100; i++) {
        (void)fat_cache_snapshot(writer.f->cache);
        write_all_stages(writer.f);
    }
    writer.stop = true;
    pthread_join(thread, &wrong);
    assert_null(wrong);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
            CASE(link_goes_with_fill_unless_its_chain_strays),
            CASE(cut_goes_with_reclaim_unless_its_chain_strays),
            CASE(straying_is_for_edited_blocks_and_ends_at_the_snapshot),
            CASE(images_that_change_nothing_are_not_written),
            CASE(an_image_that_takes_an_earlier_one_back_is_written),
            CASE(merging_pulls_bytes_into_an_earlier_image_where_there_is_one),
            CASE(reclaiming_changes_every_image_and_is_written_by_reclaim),
            CASE(reclaiming_needs_no_snapshot_that_had_anything),
            CASE(copies_get_what_is_reclaimed_one_epoch_later_too),
            CASE(a_mark_is_written_at_once_with_all_copies_and_stays_in_images),
            CASE(edits_go_on_while_a_commit_is_written),
            CASE(forgetting_drops_what_is_open_and_keeps_what_is_in_flight),
            CASE(a_cache_is_freed_with_all_that_is_forgotten_open_or_in_flight),
            CASE(a_failed_write_is_told_and_no_output_is_touched),
            CASE(a_failed_copy_fails_the_stage),
            CASE(preparing_that_fails_keeps_what_was_prepared),
            CASE(random_edits_reach_the_disk_stage_by_stage),
            CASE(a_thread_may_edit_while_another_one_commits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
