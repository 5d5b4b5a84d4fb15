/* SPDX-License-Identifier: MIT */
/*
 * Logs by hand, on a device where each sector is one letter: a state is a word,
 * such as "A.B." for a device of four sectors.
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <fatward/blkdev.h>

#include "support/cmocka.h"
#include "support/replay.h"

enum { SECTOR = 512, SECTORS = 64, STATES_MAX = 2000, LETTERS = 4 };

/* What a judge saw. */
struct seen_state {
    char word[SECTORS + 1];
    unsigned epoch;
    size_t marks_durable;
    size_t marks_reached;
    enum replay_shape shape;
};

struct fixture {
    struct fat_blkdev *base; /* every byte is '.' */
    struct recdev *rec;
    struct fat_blkdev *dev; /* of rec */
    struct replay_options options;
    struct replay_stats stats;
    struct seen_state states[STATES_MAX];
    size_t state_count;
    size_t letters;       /* of a word                                  */
    const char *bad_word; /* what the judge calls bad; NULL: nothing is */
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    static char dots[SECTORS * SECTOR];

    assert_non_null(f);
    memset(dots, '.', sizeof(dots));
    assert_int_equal(fat_blkdev_mem_new(sizeof(dots), &f->base), FAT_OK);
    assert_int_equal(f->base->ops->write(f->base, 0, dots, sizeof(dots)), FAT_OK);
    assert_int_equal(recdev_new(f->base, &f->rec), FAT_OK);
    f->dev = recdev_blkdev(f->rec);
    f->letters = LETTERS;
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

/* Write the letters of @word to the sectors from @sector on, in one call. */
static void put(struct fat_blkdev *dev, unsigned sector, const char *word)
{
    static char bytes[SECTORS * SECTOR];
    const size_t length = strlen(word) * SECTOR;

    for (size_t i = 0; i < length; i++) {
        bytes[i] = word[i / SECTOR];
    }
    assert_int_equal(
            dev->ops->write(dev, sector * (uint64_t)SECTOR, bytes, length), FAT_OK);
}

static void flush(struct fixture *f)
{
    assert_int_equal(f->dev->ops->flush(f->dev), FAT_OK);
}

static void mark(struct fixture *f)
{
    assert_int_equal(recdev_mark(f->rec, 0, 0), FAT_OK);
}

/* The letter that fills a sector; in lower case if three bytes at most are others;
   a sector more mixed than that is a question mark. */
static char summary_of(const char *bytes)
{
    size_t different = 0;

    for (size_t i = 1; i < SECTOR; i++) {
        different += bytes[i] != bytes[0];
    }
    if (different == 0) {
        return bytes[0];
    }
    return different <= 3 ? (char)tolower(bytes[0]) : '?';
}

static void read_word(struct fat_blkdev *dev, size_t letters, char *word)
{
    for (size_t i = 0; i < letters; i++) {
        char bytes[SECTOR];

        assert_int_equal(dev->ops->read(dev, i * SECTOR, bytes, sizeof(bytes)), FAT_OK);
        word[i] = summary_of(bytes);
    }
    word[letters] = '\0';
}

static int look(struct fat_blkdev *dev, const struct replay_state *state, void *context)
{
    struct fixture *f = context;
    struct seen_state *seen = &f->states[f->state_count++];

    assert_true(f->state_count <= STATES_MAX);
    read_word(dev, f->letters, seen->word);
    seen->epoch = state->epoch;
    seen->marks_durable = state->marks_durable;
    seen->marks_reached = state->marks_reached;
    seen->shape = state->shape;
    return f->bad_word && strcmp(seen->word, f->bad_word) == 0;
}

static void replay(struct fixture *f)
{
    f->state_count = 0;
    assert_int_equal(recdev_replay(f->rec, &f->options, look, f, &f->stats), FAT_OK);
    assert_int_equal(f->stats.states, f->state_count);
}

/* All states, as "epoch:word epoch:word ...", in the order shown. */
static void assert_states(struct fixture *f, const char *want)
{
    char got[2000] = "";
    size_t length = 0;

    replay(f);
    for (size_t i = 0; i < f->state_count; i++) {
        const int added = snprintf(got + length, sizeof(got) - length, "%s%u:%s",
                i > 0 ? " " : "", f->states[i].epoch, f->states[i].word);

        assert_in_range(added, 1, sizeof(got) - length - 1);
        length += (size_t)added;
    }
    assert_string_equal(got, want);
}

static bool was_shown(const struct fixture *f, const char *word)
{
    for (size_t i = 0; i < f->state_count; i++) {
        if (strcmp(f->states[i].word, word) == 0) {
            return true;
        }
    }
    return false;
}

static void an_empty_log_has_one_state(void **state)
{
    assert_states(*state, "1:....");
}

static void each_epoch_is_shown_in_all_subsets_over_the_earlier_ones(void **state)
{
    struct fixture *f = *state;

    put(f->dev, 0, "A");
    put(f->dev, 1, "B");
    flush(f);
    put(f->dev, 2, "C");
    assert_states(f, "1:.... 1:A... 1:.B.. 1:AB.. 2:AB.. 2:ABC.");
    assert_int_equal(f->stats.epochs, 2);
    assert_int_equal(f->stats.flushes, 1);
    assert_int_equal(f->stats.bad, 0);
}

static void a_flush_at_the_end_opens_an_epoch_with_one_state(void **state)
{
    struct fixture *f = *state;

    put(f->dev, 0, "A");
    flush(f);
    assert_states(f, "1:.... 1:A... 2:A...");
    assert_int_equal(f->stats.epochs, 2);
}

static void a_long_write_tears_at_the_sectors(void **state)
{
    struct fixture *f = *state;

    put(f->dev, 1, "AB");
    assert_states(f, "1:.... 1:.A.. 1:..B. 1:.AB.");
}

static void a_larger_sector_is_written_whole(void **state)
{
    struct fixture *f = *state;

    f->options.sector_bytes = 1024;
    put(f->dev, 0, "ABCD");
    assert_states(f, "1:.... 1:AB.. 1:..CD 1:ABCD");
}

static void a_sector_written_twice_is_old_first_or_second(void **state)
{
    struct fixture *f = *state;

    put(f->dev, 0, "A");
    put(f->dev, 0, "B");
    assert_states(f, "1:.... 1:A... 1:B...");
    assert_int_equal(f->stats.same, 1);
}

static void a_sector_write_that_changes_nothing_is_left_out(void **state)
{
    struct fixture *f = *state;

    put(f->dev, 0, ".");
    put(f->dev, 1, "A");
    put(f->dev, 1, "A");
    put(f->dev, 1, ".");
    assert_states(f, "1:.... 1:.A..");
    assert_int_equal(f->stats.same, 2);
}

static void part_of_a_sector_is_written_with_the_rest_as_it_was(void **state)
{
    struct fixture *f = *state;
    char bytes[SECTOR];

    put(f->dev, 0, "A");
    assert_int_equal(f->dev->ops->write(f->dev, 500, "!!!", 3), FAT_OK);
    assert_states(f, "1:.... 1:A... 1:a...");
    assert_int_equal(f->dev->ops->read(f->dev, 0, bytes, sizeof(bytes)), FAT_OK);
    assert_int_equal(bytes[0], 'A');
    assert_int_equal(bytes[503], 'A');
}

static void ten_sector_writes_are_shown_in_all_1024_subsets(void **state)
{
    struct fixture *f = *state;

    f->letters = 10;
    put(f->dev, 0, "ABCDEFGHIJ");
    replay(f);
    assert_int_equal(f->stats.states, 1024);
    assert_int_equal(f->stats.same, 0);
}

/* 40 sector writes in one epoch. */
static void put_forty(struct fixture *f)
{
    f->letters = 40;
    put(f->dev, 0, "abcdefghijklmnopqrstABCDEFGHIJKLMNOPQRST");
}

static void more_sector_writes_are_sampled(void **state)
{
    struct fixture *f = *state;
    unsigned of_shape[REPLAY_RANDOM + 1] = {0};

    put_forty(f);
    replay(f);
    for (size_t i = 0; i < f->state_count; i++) {
        of_shape[f->states[i].shape]++;
    }
    assert_int_equal(of_shape[REPLAY_SUBSET], 0);
    assert_int_equal(of_shape[REPLAY_PREFIX], 41);
    assert_int_equal(of_shape[REPLAY_SINGLE_MISSING], 39); /* one is a prefix */
    assert_int_equal(of_shape[REPLAY_SINGLE_PRESENT], 39);
    assert_int_equal(of_shape[REPLAY_RANDOM], 64);
    assert_true(was_shown(f, "abcdefghijklmnopqrstABCDEFGHIJKLMNOPQRST"));
    assert_true(was_shown(f, "abcdefghijklmnopqrstABCDEFGHIJKLMNOPQRS."));
    assert_true(was_shown(f, ".bcdefghijklmnopqrstABCDEFGHIJKLMNOPQRST"));
    assert_true(was_shown(f, "abcde.ghijklmnopqrstABCDEFGHIJKLMNOPQRST"));
    assert_true(was_shown(f, "....................A..................."));
    assert_true(was_shown(f, "........................................"));
}

static void the_same_seed_shows_the_same_and_another_seed_others(void **state)
{
    struct fixture *f = *state;
    static struct seen_state first[STATES_MAX];

    put_forty(f);
    f->options.seed = 7;
    replay(f);
    memcpy(first, f->states, sizeof(first));
    replay(f);
    assert_memory_equal(first, f->states, sizeof(first));
    f->options.seed = 8;
    replay(f);
    assert_memory_not_equal(first, f->states, sizeof(first));
}

static void a_long_epoch_can_be_thinned_and_keeps_its_edges(void **state)
{
    struct fixture *f = *state;

    put_forty(f);
    f->options.most_of_a_shape = 4;
    f->options.random_subsets = 1;
    replay(f);
    assert_in_range(f->stats.states, 10, 16);
    assert_true(was_shown(f, "abcdefghijklmnopqrstABCDEFGHIJKLMNOPQRST"));
    assert_true(was_shown(f, "abcdefghijklmnopqrstABCDEFGHIJKLMNOPQRS."));
    assert_true(was_shown(f, ".bcdefghijklmnopqrstABCDEFGHIJKLMNOPQRST"));
    assert_true(was_shown(f, "........................................"));
}

static int scribble(
        struct fat_blkdev *dev, const struct replay_state *state, void *context)
{
    const int is_bad = look(dev, state, context);
    char before[LETTERS + 1];
    char after[LETTERS + 1];

    read_word(dev, LETTERS, before);
    put(dev, 3, "X");
    put(dev, 40, "X");
    read_word(dev, LETTERS, after);
    assert_memory_equal(before, after, 3);
    assert_int_equal(after[3], 'X');
    return is_bad;
}

static void what_a_judge_writes_is_gone_in_the_next_state(void **state)
{
    struct fixture *f = *state;
    char word[LETTERS + 1];

    put(f->dev, 0, "A");
    put(f->dev, 1, "B");
    assert_int_equal(
            recdev_replay(f->rec, &f->options, scribble, f, &f->stats), FAT_OK);
    assert_int_equal(f->state_count, 4);
    for (size_t i = 0; i < f->state_count; i++) {
        assert_null(strchr(f->states[i].word, 'X'));
    }
    read_word(f->dev, LETTERS, word);
    assert_string_equal(word, "AB..");
    read_word(f->base, LETTERS, word);
    assert_string_equal(word, "....");
}

/* Recover by writing an R, and cut the recovery. */
static int recover(
        struct fat_blkdev *dev, const struct replay_state *state, void *context)
{
    struct fixture *f = context;
    struct recdev *inner = NULL;
    struct replay_stats stats;

    (void)state;
    assert_int_equal(recdev_new(dev, &inner), FAT_OK);
    put(recdev_blkdev(inner), 3, "R");
    assert_int_equal(recdev_replay(inner, NULL, look, f, &stats), FAT_OK);
    assert_int_equal(stats.states, 2);
    recdev_free(inner);
    return 0;
}

static void a_recovery_can_be_recorded_and_cut_once_more(void **state)
{
    struct fixture *f = *state;

    put(f->dev, 0, "A");
    assert_int_equal(recdev_replay(f->rec, NULL, recover, f, &f->stats), FAT_OK);
    assert_int_equal(f->state_count, 4);
    assert_string_equal(f->states[0].word, "....");
    assert_string_equal(f->states[1].word, "...R");
    assert_string_equal(f->states[2].word, "A...");
    assert_string_equal(f->states[3].word, "A..R");
}

static void marks_are_durable_after_a_flush_and_reached_before_it(void **state)
{
    struct fixture *f = *state;

    mark(f); /* 1: durable from the start */
    put(f->dev, 0, "A");
    mark(f); /* 2: reached in epoch 1, durable in 2 */
    flush(f);
    mark(f); /* 3: durable in epoch 2, not reached in 1 */
    put(f->dev, 1, "B");
    mark(f); /* 4: reached in epoch 2 */
    assert_states(f, "1:.... 1:A... 2:A... 2:AB..");
    assert_int_equal(f->states[0].marks_durable, 1);
    assert_int_equal(f->states[0].marks_reached, 2);
    assert_int_equal(f->states[1].marks_durable, 1);
    assert_int_equal(f->states[1].marks_reached, 2);
    assert_int_equal(f->states[2].marks_durable, 3);
    assert_int_equal(f->states[2].marks_reached, 4);
    assert_int_equal(f->states[3].marks_durable, 3);
    assert_int_equal(f->states[3].marks_reached, 4);
}

/* A | B | C, with a mark after each flush. */
static void record_three_epochs(struct fixture *f)
{
    put(f->dev, 0, "A");
    flush(f);
    mark(f);
    put(f->dev, 1, "B");
    flush(f);
    mark(f);
    put(f->dev, 2, "C");
}

static void a_flush_left_out_makes_two_epochs_one(void **state)
{
    struct fixture *f = *state;

    record_three_epochs(f);
    assert_states(f, "1:.... 1:A... 2:A... 2:AB.. 3:AB.. 3:ABC.");
    f->options.leave_out_flush = 1;
    assert_states(f, "1:.... 1:A... 1:.B.. 1:AB.. 2:AB.. 2:ABC.");
    assert_int_equal(f->states[0].marks_reached, 1); /* and its promise is broken */
    f->options.leave_out_flush = 2;
    assert_states(f, "1:.... 1:A... 2:A... 2:AB.. 2:A.C. 2:ABC.");
    f->options.leave_out_flush = 3;
    assert_int_equal(
            recdev_replay(f->rec, &f->options, look, f, &f->stats), FAT_E_INVAL);
}

static void a_flush_the_device_hides_shows_the_same_states(void **state)
{
    struct fixture *f = *state;

    recdev_hide_flush(f->rec, 1);
    record_three_epochs(f);
    assert_states(f, "1:.... 1:A... 1:.B.. 1:AB.. 2:AB.. 2:ABC.");
    assert_int_equal(f->states[0].marks_reached, 1);
}

static void swapped_epochs_reach_the_medium_in_the_other_order(void **state)
{
    struct fixture *f = *state;

    record_three_epochs(f);
    f->options.swap_epoch = 1;
    assert_states(f, "1:.... 1:.B.. 2:.B.. 2:AB.. 3:AB.. 3:ABC.");
    f->options.swap_epoch = 2;
    assert_states(f, "1:.... 1:A... 2:A... 2:A.C. 3:A.C. 3:ABC.");
    f->options.swap_epoch = 3;
    assert_int_equal(
            recdev_replay(f->rec, &f->options, look, f, &f->stats), FAT_E_INVAL);
}

static void a_sector_of_both_swapped_epochs_keeps_the_later_contents(void **state)
{
    struct fixture *f = *state;

    put(f->dev, 0, "AB");
    flush(f);
    put(f->dev, 1, "CD");
    flush(f);
    f->options.swap_epoch = 1;
    assert_states(f, "1:.... 1:.C.. 1:..D. 1:.CD. 2:.CD. 2:ACD. 3:ACD.");
}

static void a_dropped_write_never_arrives(void **state)
{
    struct fixture *f = *state;

    record_three_epochs(f);
    f->options.drop_write = 2;
    assert_states(f, "1:.... 1:A... 2:A... 3:A... 3:A.C.");
    f->options.drop_write = 4;
    assert_int_equal(
            recdev_replay(f->rec, &f->options, look, f, &f->stats), FAT_E_INVAL);
}

static void it_stops_at_the_first_bad_state_and_says_which(void **state)
{
    struct fixture *f = *state;
    char report[200] = "";

    f->options.report = report;
    f->options.report_bytes = sizeof(report);
    f->options.seed = 99;
    f->bad_word = "A.C.";
    put(f->dev, 0, "A");
    flush(f);
    put(f->dev, 1, "B");
    put(f->dev, 2, "C");
    replay(f);
    assert_int_equal(f->stats.bad, 1);
    assert_string_equal(f->states[f->state_count - 1].word, "A.C.");
    assert_string_equal(report, "epoch 2 (events 2 to 4), subset, seed 99: 1 of 2 "
                                "sector writes, present: #1=2");
}

static void it_goes_on_after_a_bad_state_when_told(void **state)
{
    struct fixture *f = *state;

    f->options.on_bad = REPLAY_GO_ON;
    f->bad_word = "A...";
    put(f->dev, 0, "A");
    flush(f);
    put(f->dev, 1, "B");
    replay(f);
    assert_int_equal(f->stats.bad, 2);
    assert_int_equal(f->stats.states, 4);
}

static void only_the_epochs_asked_for_are_shown(void **state)
{
    struct fixture *f = *state;

    record_three_epochs(f);
    f->options.first_epoch = 2;
    f->options.epoch_count = 1;
    assert_states(f, "2:A... 2:AB..");
    assert_int_equal(f->stats.epochs, 1);
    f->options.epoch_count = 0;
    assert_states(f, "2:A... 2:AB.. 3:AB.. 3:ABC.");
}

static void a_restarted_log_is_replayed_from_there(void **state)
{
    struct fixture *f = *state;

    put(f->dev, 0, "A");
    assert_int_equal(recdev_restart(f->rec), FAT_OK);
    put(f->dev, 1, "B");
    assert_states(f, "1:A... 1:AB..");
}

#define ON_A_LOG(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
            ON_A_LOG(an_empty_log_has_one_state),
            ON_A_LOG(each_epoch_is_shown_in_all_subsets_over_the_earlier_ones),
            ON_A_LOG(a_flush_at_the_end_opens_an_epoch_with_one_state),
            ON_A_LOG(a_long_write_tears_at_the_sectors),
            ON_A_LOG(a_larger_sector_is_written_whole),
            ON_A_LOG(a_sector_written_twice_is_old_first_or_second),
            ON_A_LOG(a_sector_write_that_changes_nothing_is_left_out),
            ON_A_LOG(part_of_a_sector_is_written_with_the_rest_as_it_was),
            ON_A_LOG(ten_sector_writes_are_shown_in_all_1024_subsets),
            ON_A_LOG(more_sector_writes_are_sampled),
            ON_A_LOG(the_same_seed_shows_the_same_and_another_seed_others),
            ON_A_LOG(a_long_epoch_can_be_thinned_and_keeps_its_edges),
            ON_A_LOG(what_a_judge_writes_is_gone_in_the_next_state),
            ON_A_LOG(a_recovery_can_be_recorded_and_cut_once_more),
            ON_A_LOG(marks_are_durable_after_a_flush_and_reached_before_it),
            ON_A_LOG(a_flush_left_out_makes_two_epochs_one),
            ON_A_LOG(a_flush_the_device_hides_shows_the_same_states),
            ON_A_LOG(swapped_epochs_reach_the_medium_in_the_other_order),
            ON_A_LOG(a_sector_of_both_swapped_epochs_keeps_the_later_contents),
            ON_A_LOG(a_dropped_write_never_arrives),
            ON_A_LOG(it_stops_at_the_first_bad_state_and_says_which),
            ON_A_LOG(it_goes_on_after_a_bad_state_when_told),
            ON_A_LOG(only_the_epochs_asked_for_are_shown),
            ON_A_LOG(a_restarted_log_is_replayed_from_there),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
