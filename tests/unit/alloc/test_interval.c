/* SPDX-License-Identifier: MIT */
#include <pthread.h>
#include <stdlib.h>

#include "alloc/interval.h"
#include "support/cmocka.h"

static int setup(void **state)
{
    struct fat_interval *interval = calloc(1, sizeof(*interval));

    assert_non_null(interval);
    fat_interval_init(interval);
    *state = interval;
    return 0;
}

static int teardown(void **state)
{
    fat_interval_done(*state);
    free(*state);
    return 0;
}

static struct fat_piece *piece(uint32_t first)
{
    struct fat_piece *p = calloc(1, sizeof(*p));

    assert_non_null(p);
    p->first = first;
    return p;
}

FAT_UNCHECKED static struct fat_interval_taken take(struct fat_interval *interval)
{
    struct fat_interval_taken taken;

    fat_rwlock_write(&interval->lock);
    taken = fat_interval_take(interval);
    fat_rwlock_write_end(&interval->lock);
    return taken;
}

static void the_first_interval_is_one_and_nothing_is_finished(void **state)
{
    struct fat_interval *interval = *state;

    assert_int_equal(fat_interval_enter(interval), 1);
    fat_interval_leave_unchanged(interval);
    assert_true(fat_interval_is_finished(interval, 0));
    assert_false(fat_interval_is_finished(interval, 1));
}

static void each_snapshot_opens_the_next_number(void **state)
{
    struct fat_interval *interval = *state;

    for (uint64_t n = 1; n < 5; n++) {
        assert_int_equal(fat_interval_enter(interval), n);
        fat_interval_leave(interval);
        assert_int_equal(take(interval).number, n);
    }
}

static void what_is_on_disk_is_finished_and_what_came_before_it(void **state)
{
    struct fat_interval *interval = *state;

    interval->finished = 3;
    assert_true(fat_interval_is_finished(interval, 2));
    assert_true(fat_interval_is_finished(interval, 3));
    assert_false(fat_interval_is_finished(interval, 4));
}

static void changes_count_up_only_when_something_was_changed(void **state)
{
    struct fat_interval *interval = *state;

    (void)fat_interval_enter(interval);
    fat_interval_leave_unchanged(interval);
    assert_int_equal(interval->changes, 0);
    (void)fat_interval_enter(interval);
    fat_interval_leave(interval);
    assert_int_equal(interval->changes, 1);
    fat_interval_data_written(interval);
    assert_int_equal(interval->changes, 2);
    assert_int_equal(interval->committed, 0);
    (void)take(interval);
    assert_int_equal(interval->committed, 2);
}

static void data_count_for_the_next_snapshot_only(void **state)
{
    struct fat_interval *interval = *state;

    assert_false(take(interval).data_written);
    fat_interval_data_written(interval);
    assert_true(take(interval).data_written);
    assert_false(take(interval).data_written);
}

static void pieces_go_to_the_commit_of_their_interval(void **state)
{
    struct fat_interval *interval = *state;
    struct fat_interval_taken taken;
    uint32_t sum = 0;

    for (uint32_t i = 1; i <= 3; i++) {
        (void)fat_interval_enter(interval);
        fat_interval_free_chain(interval, piece(1U << i));
        fat_interval_leave(interval);
    }
    taken = take(interval);
    for (const struct fat_piece *p = taken.pieces; p; p = p->next) {
        sum += p->first;
    }
    assert_int_equal(sum, 2 + 4 + 8);
    assert_null(take(interval).pieces);
    fat_piece_free_all(taken.pieces);
    fat_piece_free_all(NULL);
}

static void pieces_that_nobody_took_are_freed(void **state)
{
    struct fat_interval *interval = *state;

    (void)fat_interval_enter(interval);
    fat_interval_free_chain(interval, piece(9));
    fat_interval_leave(interval);
}

enum { THREADS = 4, ROUNDS = 2000 };

static void *change(void *context)
{
    struct fat_interval *interval = context;

    for (int i = 0; i < ROUNDS; i++) {
        const uint64_t number = fat_interval_enter(interval);

        if (i % 4 == 0) {
            fat_interval_free_chain(interval, piece((uint32_t)number));
        }
        fat_interval_leave(interval);
    }
    return NULL;
}

/* Every piece is in the snapshot of the interval whose number it saw. */
static void no_operation_is_cut_in_two_by_a_snapshot(void **state)
{
    struct fat_interval *interval = *state;
    pthread_t threads[THREADS];
    unsigned pieces = 0;

    for (int i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, change, interval), 0);
    }
    while (pieces < THREADS * ROUNDS / 4) {
        const struct fat_interval_taken taken = take(interval);

        for (const struct fat_piece *p = taken.pieces; p; p = p->next) {
            assert_int_equal(p->first, taken.number);
            pieces++;
        }
        fat_piece_free_all(taken.pieces);
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
    }
    assert_int_equal(interval->changes, THREADS * ROUNDS);
    assert_null(take(interval).pieces);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
            CASE(the_first_interval_is_one_and_nothing_is_finished),
            CASE(each_snapshot_opens_the_next_number),
            CASE(what_is_on_disk_is_finished_and_what_came_before_it),
            CASE(changes_count_up_only_when_something_was_changed),
            CASE(data_count_for_the_next_snapshot_only),
            CASE(pieces_go_to_the_commit_of_their_interval),
            CASE(pieces_that_nobody_took_are_freed),
            CASE(no_operation_is_cut_in_two_by_a_snapshot),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
