/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include <fatward/blkdev.h>

#include "support/cmocka.h"
#include "support/failalloc.h"
#include "support/recdev.h"
#include "support/replay.h"

enum { SECTOR = 512, SECTORS = 16 };

struct fixture {
    struct fat_blkdev *base; /* every byte is '.' */
    struct recdev *rec;
    struct fat_blkdev *dev; /* of rec */
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    char dots[SECTORS * SECTOR];

    assert_non_null(f);
    memset(dots, '.', sizeof(dots));
    assert_int_equal(fat_blkdev_mem_new(sizeof(dots), &f->base), FAT_OK);
    assert_int_equal(f->base->ops->write(f->base, 0, dots, sizeof(dots)), FAT_OK);
    assert_int_equal(recdev_new(f->base, &f->rec), FAT_OK);
    f->dev = recdev_blkdev(f->rec);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    recdev_free(f->rec);
    fat_blkdev_close(f->base);
    free(f);
    return 0;
}

/* Fill a sector with one letter. */
static fat_err put(struct fat_blkdev *dev, unsigned sector, char letter)
{
    char bytes[SECTOR];

    memset(bytes, letter, sizeof(bytes));
    return dev->ops->write(dev, sector * (uint64_t)SECTOR, bytes, sizeof(bytes));
}

static void put_ok(struct fixture *f, unsigned sector, char letter)
{
    assert_int_equal(put(f->dev, sector, letter), FAT_OK);
}

static void flush_ok(struct fixture *f)
{
    assert_int_equal(f->dev->ops->flush(f->dev), FAT_OK);
}

static char letter_at(struct fat_blkdev *dev, unsigned sector)
{
    char letter = '?';

    assert_int_equal(
            dev->ops->read(dev, sector * (uint64_t)SECTOR, &letter, 1), FAT_OK);
    return letter;
}

static void what_was_written_is_read_back_and_the_base_stays(void **state)
{
    struct fixture *f = *state;

    put_ok(f, 3, 'A');
    assert_int_equal(letter_at(f->dev, 3), 'A');
    assert_int_equal(letter_at(f->dev, 2), '.');
    assert_int_equal(letter_at(f->dev, 4), '.');
    assert_int_equal(letter_at(f->base, 3), '.');
    assert_int_equal(f->dev->size_bytes, f->base->size_bytes);
}

static void the_log_holds_writes_and_flushes_in_their_order(void **state)
{
    struct fixture *f = *state;
    const struct recdev_event *event;

    put_ok(f, 1, 'A');
    flush_ok(f);
    assert_int_equal(f->dev->ops->write(f->dev, 700, "xyz", 3), FAT_OK);
    assert_int_equal(recdev_event_count(f->rec), 3);
    event = recdev_event(f->rec, 0);
    assert_int_equal(event->call, RECDEV_WRITE);
    assert_int_equal(event->offset, SECTOR);
    assert_int_equal(event->length, SECTOR);
    assert_int_equal(event->bytes[SECTOR - 1], 'A');
    assert_int_equal(recdev_event(f->rec, 1)->call, RECDEV_FLUSH);
    event = recdev_event(f->rec, 2);
    assert_int_equal(event->offset, 700);
    assert_int_equal(event->length, 3);
    assert_memory_equal(event->bytes, "xyz", 3);
}

static void calls_and_bytes_are_counted(void **state)
{
    struct fixture *f = *state;
    struct recdev_counts counts;

    put_ok(f, 0, 'A');
    put_ok(f, 1, 'A');
    flush_ok(f);
    (void)letter_at(f->dev, 0);
    counts = recdev_counts(f->rec);
    assert_int_equal(counts.writes, 2);
    assert_int_equal(counts.flushes, 1);
    assert_int_equal(counts.reads, 1);
    assert_int_equal(counts.bytes_written, 2 * SECTOR);
    assert_int_equal(counts.bytes_read, 1);
    recdev_reset_counts(f->rec);
    assert_int_equal(recdev_counts(f->rec).writes, 0);
}

static fat_err call(struct fixture *f, enum recdev_call kind)
{
    char byte = 0;

    switch (kind) {
    case RECDEV_READ:
        return f->dev->ops->read(f->dev, 0, &byte, 1);
    case RECDEV_WRITE:
        return put(f->dev, 0, 'A');
    case RECDEV_FLUSH:
        return f->dev->ops->flush(f->dev);
    }
    return FAT_E_INVAL;
}

static void only_the_nth_call_of_the_kind_fails(void **state)
{
    struct fixture *f = *state;

    for (int i = RECDEV_READ; i <= RECDEV_FLUSH; i++) {
        const enum recdev_call kind = (enum recdev_call)i;
        const enum recdev_call other = kind == RECDEV_READ ? RECDEV_WRITE : RECDEV_READ;

        recdev_fail(f->rec, kind, 2, FAT_E_NODEV, RECDEV_ONCE);
        assert_int_equal(call(f, other), FAT_OK);
        assert_int_equal(call(f, other), FAT_OK);
        assert_int_equal(call(f, kind), FAT_OK);
        assert_int_equal(recdev_failures(f->rec), i);
        assert_int_equal(call(f, kind), FAT_E_NODEV);
        assert_int_equal(recdev_failures(f->rec), i + 1);
        assert_int_equal(call(f, kind), FAT_OK);
    }
}

static void from_the_nth_call_on_all_fail_until_taken_back(void **state)
{
    struct fixture *f = *state;

    for (int i = RECDEV_READ; i <= RECDEV_FLUSH; i++) {
        const enum recdev_call kind = (enum recdev_call)i;

        recdev_fail(f->rec, kind, 2, FAT_E_IO, RECDEV_ALWAYS);
        assert_int_equal(call(f, kind), FAT_OK);
        assert_int_equal(call(f, kind), FAT_E_IO);
        assert_int_equal(call(f, kind), FAT_E_IO);
        recdev_fail(f->rec, kind, 0, FAT_E_IO, RECDEV_ALWAYS);
        assert_int_equal(call(f, kind), FAT_OK);
    }
}

static void a_failed_call_changes_nothing_and_is_not_logged(void **state)
{
    struct fixture *f = *state;

    recdev_fail(f->rec, RECDEV_WRITE, 1, FAT_E_IO, RECDEV_ONCE);
    recdev_fail(f->rec, RECDEV_FLUSH, 1, FAT_E_IO, RECDEV_ONCE);
    assert_int_equal(put(f->dev, 5, 'A'), FAT_E_IO);
    assert_int_equal(f->dev->ops->flush(f->dev), FAT_E_IO);
    assert_int_equal(letter_at(f->dev, 5), '.');
    assert_int_equal(recdev_event_count(f->rec), 0);
    assert_int_equal(recdev_counts(f->rec).writes, 1);
    assert_int_equal(recdev_counts(f->rec).bytes_written, 0);
}

static void transfers_outside_are_refused(void **state)
{
    struct fixture *f = *state;
    char byte = 0;

    assert_int_equal(put(f->dev, SECTORS, 'A'), FAT_E_RANGE);
    assert_int_equal(f->dev->ops->read(f->dev, UINT64_MAX, &byte, 1), FAT_E_RANGE);
    assert_int_equal(recdev_event_count(f->rec), 0);
    f->dev->read_only = true;
    assert_int_equal(put(f->dev, 0, 'A'), FAT_E_READONLY);
}

static void marks_know_how_many_events_came_before(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(recdev_mark(f->rec, 1, 10), FAT_OK);
    put_ok(f, 0, 'A');
    flush_ok(f);
    assert_int_equal(recdev_mark(f->rec, 2, 20), FAT_OK);
    assert_int_equal(recdev_mark_count(f->rec), 2);
    assert_int_equal(recdev_mark_at(f->rec, 0)->position, 0);
    assert_int_equal(recdev_mark_at(f->rec, 1)->position, 2);
    assert_int_equal(recdev_mark_at(f->rec, 1)->tag, 2);
    assert_int_equal(recdev_mark_at(f->rec, 1)->value, 20);
}

static void a_log_can_grow_long(void **state)
{
    enum { MANY = 1000 };
    struct fixture *f = *state;

    for (unsigned i = 0; i < MANY; i++) {
        put_ok(f, i % SECTORS, (char)('a' + i % 26));
        assert_int_equal(recdev_mark(f->rec, 0, i), FAT_OK);
    }
    assert_int_equal(recdev_event_count(f->rec), MANY);
    for (unsigned i = 0; i < MANY; i++) {
        assert_int_equal(recdev_event(f->rec, i)->bytes[0], 'a' + i % 26);
        assert_int_equal(recdev_mark_at(f->rec, i)->value, i);
    }
}

static void a_restart_forgets_the_log_and_keeps_the_contents(void **state)
{
    struct fixture *f = *state;

    put_ok(f, 2, 'A');
    assert_int_equal(recdev_mark(f->rec, 0, 0), FAT_OK);
    assert_int_equal(letter_at(recdev_start(f->rec), 2), '.');
    assert_int_equal(recdev_restart(f->rec), FAT_OK);
    assert_int_equal(recdev_event_count(f->rec), 0);
    assert_int_equal(recdev_mark_count(f->rec), 0);
    assert_int_equal(letter_at(f->dev, 2), 'A');
    assert_int_equal(letter_at(recdev_start(f->rec), 2), 'A');
    assert_int_equal(letter_at(f->base, 2), '.');
}

static void a_hidden_flush_says_ok_and_is_not_in_the_log(void **state)
{
    struct fixture *f = *state;

    recdev_hide_flush(f->rec, 2);
    flush_ok(f);
    flush_ok(f);
    assert_int_equal(recdev_event_count(f->rec), 1);
    flush_ok(f);
    assert_int_equal(recdev_event_count(f->rec), 2);
    assert_int_equal(recdev_counts(f->rec).flushes, 3);
}

static void a_lost_write_is_read_back_and_is_not_in_the_log(void **state)
{
    struct fixture *f = *state;

    recdev_lose_write(f->rec, 2);
    put_ok(f, 0, 'A');
    put_ok(f, 1, 'B');
    put_ok(f, 2, 'C');
    assert_int_equal(letter_at(f->dev, 1), 'B');
    assert_int_equal(recdev_event_count(f->rec), 2);
    assert_int_equal(recdev_event(f->rec, 1)->bytes[0], 'C');
}

static void the_recorder_has_memory_when_the_engine_has_none(void **state)
{
    struct fixture *f = *state;
    struct recdev *another = NULL;

    failalloc_arm(1, FAILALLOC_ALWAYS);
    assert_int_equal(recdev_new(f->dev, &another), FAT_OK);
    assert_int_equal(put(recdev_blkdev(another), 0, 'B'), FAT_OK);
    assert_int_equal(recdev_restart(another), FAT_OK);
    for (unsigned i = 0; i < SECTORS * 10; i++) {
        put_ok(f, i % SECTORS, 'A');
        assert_int_equal(recdev_mark(f->rec, 0, 0), FAT_OK);
    }
    assert_false(failalloc_disarm());
    recdev_free(another);
}

static void a_volume_of_a_gibibyte_costs_what_is_written(void **state)
{
    const uint64_t size = UINT64_C(1) << 30;
    struct fat_blkdev *base = NULL;
    struct recdev *rec = NULL;
    struct fat_blkdev *dev;
    uint64_t got = 1;

    (void)state;
    assert_int_equal(fat_blkdev_mem_new(size, &base), FAT_OK);
    assert_int_equal(recdev_new(base, &rec), FAT_OK);
    dev = recdev_blkdev(rec);
    for (uint64_t at = 0; at < size; at += size / 256) {
        assert_int_equal(dev->ops->write(dev, at, &at, sizeof(at)), FAT_OK);
    }
    for (uint64_t at = 0; at < size; at += size / 256) {
        assert_int_equal(dev->ops->read(dev, at, &got, sizeof(got)), FAT_OK);
        assert_int_equal(got, at);
    }
    recdev_free(rec);
    fat_blkdev_close(base);
}

static void a_description_says_what_is_less_and_is_cut_to_fit(void **state)
{
    const bool present[] = {true, false, true, true};
    const uint64_t sectors[] = {10, 20, 30, 40};
    const struct replay_state example = {
            .epoch = 3,
            .first_position = 5,
            .end_position = 9,
            .write_count = 4,
            .present = present,
            .sectors = sectors,
            .shape = REPLAY_SINGLE_MISSING,
    };
    char text[100];
    char whole[100];

    (void)state;
    replay_describe(&example, whole, sizeof(whole));
    assert_string_equal(whole, "epoch 3 (events 5 to 9), single missing, seed 0: "
                               "3 of 4 sector writes, missing: #1=20");
    for (size_t bytes = 1; bytes < sizeof(text); bytes++) {
        memset(text, 'x', sizeof(text));
        replay_describe(&example, text, bytes);
        assert_true(strlen(text) < bytes);
        assert_int_equal(strncmp(text, whole, strlen(text)), 0);
    }
}

static int count_states(
        struct fat_blkdev *dev, const struct replay_state *state, void *context)
{
    (void)dev;
    (void)state;
    (*(unsigned *)context)++;
    return 0;
}

static const struct {
    const char *name;
    struct replay_options options;
} nonsense[] = {
        {"a sector size that is no power of two", {.sector_bytes = 1000}},
        {"a sector size beyond 4096", {.sector_bytes = 8192}},
        {"more subsets than one waits for", {.all_subsets_up_to = 21}},
        {"a flush that isn't there", {.leave_out_flush = 1}},
        {"an epoch without a next one", {.swap_epoch = 1}},
        {"a write that isn't there", {.drop_write = 1}},
};

static void options_that_make_no_sense_are_invalid(void **state)
{
    struct fixture *f = *state;
    struct replay_stats stats;
    unsigned count = 0;

    for (size_t i = 0; i < sizeof(nonsense) / sizeof(*nonsense); i++) {
        const fat_err err = recdev_replay(
                f->rec, &nonsense[i].options, count_states, &count, &stats);

        if (err != FAT_E_INVAL) {
            fail_msg("%s: got %d", nonsense[i].name, err);
        }
    }
    assert_int_equal(count, 0);
}

#define ON_A_RECORDER(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
            ON_A_RECORDER(what_was_written_is_read_back_and_the_base_stays),
            ON_A_RECORDER(the_log_holds_writes_and_flushes_in_their_order),
            ON_A_RECORDER(calls_and_bytes_are_counted),
            ON_A_RECORDER(only_the_nth_call_of_the_kind_fails),
            ON_A_RECORDER(from_the_nth_call_on_all_fail_until_taken_back),
            ON_A_RECORDER(a_failed_call_changes_nothing_and_is_not_logged),
            ON_A_RECORDER(transfers_outside_are_refused),
            ON_A_RECORDER(marks_know_how_many_events_came_before),
            ON_A_RECORDER(a_log_can_grow_long),
            ON_A_RECORDER(a_restart_forgets_the_log_and_keeps_the_contents),
            ON_A_RECORDER(a_hidden_flush_says_ok_and_is_not_in_the_log),
            ON_A_RECORDER(a_lost_write_is_read_back_and_is_not_in_the_log),
            ON_A_RECORDER(the_recorder_has_memory_when_the_engine_has_none),
            cmocka_unit_test(a_description_says_what_is_less_and_is_cut_to_fit),
            ON_A_RECORDER(options_that_make_no_sense_are_invalid),
            cmocka_unit_test(a_volume_of_a_gibibyte_costs_what_is_written),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
