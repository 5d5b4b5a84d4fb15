/* SPDX-License-Identifier: MIT */
/*
 * One image, kept in an overlay over the start of the log, wanders from state to
 * state: only sectors that differ between two neighbours are written. On top of it
 * lies a second overlay for what the judge writes.
 */
#include "support/replay.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "support/epoch.h"
#include "support/overlay.h"
#include "support/steady.h"

enum { SUBSETS_MAX = 20, SECTOR_BYTES_MAX = 4096 };

/* Hashes of the states that were shown. */
struct seen {
    uint64_t *table; /* 0: empty */
    size_t size;     /* a power of two, at least twice count */
    size_t count;
};

struct run {
    struct recdev *rec;
    struct replay_options options;
    replay_judge_fn *judge;
    void *context;
    struct replay_stats stats;
    struct overlay image;   /* the state              */
    struct overlay scratch; /* what the judge writes  */
    struct epoch_span *spans;
    size_t span_count;
    struct epoch_place place;
    struct epoch epoch;
    struct seen seen;
    struct replay_state state;
    uint64_t random;
};

static uint64_t next_random(struct run *run)
{
    run->random += UINT64_C(0x9e3779b97f4a7c15);
    return epoch_mix(run->random);
}

/* Where the epochs are, and the write to be dropped. */
static fat_err find_spans(struct run *run)
{
    const size_t event_count = recdev_event_count(run->rec);
    unsigned flush = 0;
    unsigned write = 0;
    size_t first = 0;

    run->spans = steady_alloc((event_count + 1) * sizeof(*run->spans));
    if (!run->spans) {
        return FAT_E_NOMEM;
    }
    for (size_t i = 0; i < event_count; i++) {
        if (recdev_event(run->rec, i)->call != RECDEV_FLUSH) {
            write++;
            if (write == run->options.drop_write) {
                run->place.dropped = i;
            }
            continue;
        }
        flush++;
        if (flush != run->options.leave_out_flush) {
            run->spans[run->span_count++] = (struct epoch_span){first, i};
            first = i + 1;
        }
    }
    run->stats.flushes = (unsigned)run->span_count;
    run->spans[run->span_count++] = (struct epoch_span){first, event_count};
    if (run->options.leave_out_flush > flush || run->options.drop_write > write ||
            run->options.swap_epoch >= run->span_count) {
        return FAT_E_INVAL;
    }
    return FAT_OK;
}

/* The states */

/* Where @hash is in the table, or the empty place where it belongs. */
static size_t find_seen(const struct seen *seen, uint64_t hash)
{
    size_t at = (size_t)epoch_mix(hash) & (seen->size - 1);

    while (seen->table[at] != 0 && seen->table[at] != hash) {
        at = (at + 1) & (seen->size - 1);
    }
    return at;
}

static bool grow_seen(struct seen *seen)
{
    struct seen bigger = {
            .size = seen->size ? seen->size * 2 : 64, .count = seen->count};

    bigger.table = steady_zalloc(bigger.size * sizeof(*bigger.table));
    if (!bigger.table) {
        return false;
    }
    for (size_t i = 0; i < seen->size; i++) {
        if (seen->table[i] != 0) {
            bigger.table[find_seen(&bigger, seen->table[i])] = seen->table[i];
        }
    }
    free(seen->table);
    *seen = bigger;
    return true;
}

/* FAT_OK: new, and noted. FAT_END: it was there before. */
static fat_err note_state(struct seen *seen, uint64_t hash)
{
    size_t at;

    hash |= 1; /* 0 means empty */
    if (seen->count * 2 >= seen->size && !grow_seen(seen)) {
        return FAT_E_NOMEM;
    }
    at = find_seen(seen, hash);
    if (seen->table[at] != 0) {
        return FAT_END;
    }
    seen->table[at] = hash;
    seen->count++;
    return FAT_OK;
}

static void count_bad(struct run *run)
{
    if (run->stats.bad == 0 && run->options.report) {
        replay_describe(&run->state, run->options.report, run->options.report_bytes);
    }
    run->stats.bad++;
}

static bool is_over(const struct run *run)
{
    return run->stats.bad > 0 && run->options.on_bad == REPLAY_STOP;
}

/* Show the state that epoch.present says, unless it was shown before. */
static fat_err show(struct run *run, enum replay_shape shape)
{
    fat_err err = note_state(&run->seen, epoch_choose(&run->epoch));

    if (err == FAT_END) {
        run->stats.same++;
        return FAT_OK;
    }
    if (err == FAT_OK) {
        err = epoch_move(&run->epoch);
    }
    if (err != FAT_OK) {
        return err;
    }
    run->state.shape = shape;
    run->stats.states++;
    if (run->judge(&run->scratch.dev, &run->state, run->context) != 0) {
        count_bad(run);
    }
    overlay_forget(&run->scratch);
    return FAT_OK;
}

static fat_err show_all_subsets(struct run *run)
{
    struct epoch *epoch = &run->epoch;
    fat_err err = FAT_OK;

    for (uint32_t mask = 0;
            mask < UINT32_C(1) << epoch->count && err == FAT_OK && !is_over(run);
            mask++) {
        for (size_t i = 0; i < epoch->count; i++) {
            epoch->present[i] = (mask >> i & 1) != 0;
        }
        err = show(run, REPLAY_SUBSET);
    }
    return err;
}

/* The first @length ones are there. */
static fat_err show_prefix(struct run *run, size_t length)
{
    epoch_set(&run->epoch, 0, length, true);
    epoch_set(&run->epoch, length, run->epoch.count, false);
    return show(run, REPLAY_PREFIX);
}

static fat_err show_single_missing(struct run *run, size_t index)
{
    epoch_set(&run->epoch, 0, run->epoch.count, true);
    run->epoch.present[index] = false;
    return show(run, REPLAY_SINGLE_MISSING);
}

static fat_err show_single_present(struct run *run, size_t index)
{
    epoch_set(&run->epoch, 0, run->epoch.count, false);
    run->epoch.present[index] = true;
    return show(run, REPLAY_SINGLE_PRESENT);
}

/* From the first to the last index, in steps; the last one always. */
static fat_err show_each(
        struct run *run, size_t count, fat_err (*show_one)(struct run *, size_t))
{
    const size_t most = run->options.most_of_a_shape;
    const size_t step = most > 0 && count > most ? (count + most - 1) / most : 1;
    fat_err err = FAT_OK;

    for (size_t i = 0; i < count && err == FAT_OK && !is_over(run); i += step) {
        err = show_one(run, i);
    }
    if (err == FAT_OK && !is_over(run)) {
        err = show_one(run, count - 1); /* mostly the same once more, and not shown */
    }
    return err;
}

static fat_err show_random(struct run *run, size_t number)
{
    uint64_t bits = 0;

    (void)number;
    for (size_t i = 0; i < run->epoch.count; i++) {
        if (i % 64 == 0) {
            bits = next_random(run);
        }
        run->epoch.present[i] = (bits >> i % 64 & 1) != 0;
    }
    return show(run, REPLAY_RANDOM);
}

static fat_err show_sample(struct run *run)
{
    const size_t count = run->epoch.count;
    fat_err err = show_each(run, count + 1, show_prefix);

    if (err == FAT_OK) {
        err = show_each(run, count, show_single_missing);
    }
    if (err == FAT_OK) {
        err = show_each(run, count, show_single_present);
    }
    run->random = epoch_mix(run->options.seed) ^ run->state.epoch;
    for (unsigned i = 0; i < run->options.random_subsets && err == FAT_OK; i++) {
        if (!is_over(run)) {
            err = show_random(run, i);
        }
    }
    return err;
}

static size_t marks_up_to(const struct recdev *rec, size_t position)
{
    size_t count = 0;

    while (count < recdev_mark_count(rec) &&
            recdev_mark_at(rec, count)->position <= position) {
        count++;
    }
    return count;
}

static void describe_epoch(struct run *run, unsigned number)
{
    const struct epoch_span *span = &run->spans[number - 1];

    run->state = (struct replay_state){
            .epoch = number,
            .first_position = span->first,
            .end_position = span->end,
            .marks_durable = marks_up_to(run->rec, span->first),
            .marks_reached = marks_up_to(run->rec, span->end),
            .write_count = run->epoch.count,
            .present = run->epoch.present,
            .sectors = run->epoch.numbers,
            .seed = run->options.seed,
    };
}

static bool is_wanted(const struct run *run, unsigned number)
{
    const unsigned first = run->options.first_epoch > 0 ? run->options.first_epoch : 1;

    return !is_over(run) && number >= first &&
           (run->options.epoch_count == 0 || number - first < run->options.epoch_count);
}

static fat_err show_epoch(struct run *run, unsigned number)
{
    describe_epoch(run, number);
    run->stats.epochs++;
    memset(run->seen.table, 0, run->seen.size * sizeof(*run->seen.table));
    run->seen.count = 0;
    if (run->epoch.count <= run->options.all_subsets_up_to) {
        return show_all_subsets(run);
    }
    return show_sample(run);
}

static fat_err replay_epoch(struct run *run, unsigned number)
{
    const unsigned swapped = run->options.swap_epoch;
    const struct epoch_span *span = &run->spans[number - 1];
    const struct epoch_span *later = NULL;
    fat_err err;

    if (swapped > 0 && number == swapped) {
        span = &run->spans[number];
    } else if (swapped > 0 && number == swapped + 1) {
        later = span;
        span = &run->spans[number - 2];
    }
    err = epoch_cut(&run->epoch, &run->place, span, later);
    if (err == FAT_OK && is_wanted(run, number)) {
        err = show_epoch(run, number);
    }
    if (err == FAT_OK) {
        epoch_set(&run->epoch, 0, run->epoch.count, true);
        (void)epoch_choose(&run->epoch);
        err = epoch_move(&run->epoch);
    }
    epoch_done(&run->epoch);
    return err;
}

static fat_err replay_epochs(struct run *run)
{
    fat_err err = find_spans(run);

    for (unsigned i = 1; i <= run->span_count && err == FAT_OK && !is_over(run); i++) {
        err = replay_epoch(run, i);
    }
    return err;
}

static bool are_possible(const struct replay_options *options, uint64_t size_bytes)
{
    const uint32_t size = options->sector_bytes;

    return size > 0 && size <= SECTOR_BYTES_MAX && (size & (size - 1)) == 0 &&
           size_bytes % size == 0 && options->all_subsets_up_to <= SUBSETS_MAX;
}

static void fill_in(struct replay_options *options)
{
    if (options->sector_bytes == 0) {
        options->sector_bytes = 512;
    }
    if (options->all_subsets_up_to == 0) {
        options->all_subsets_up_to = 10;
    }
    if (options->random_subsets == 0) {
        options->random_subsets = 64;
    }
}

static fat_err replay_on_overlays(struct run *run)
{
    fat_err err = overlay_init(&run->image, recdev_start(run->rec));

    if (err != FAT_OK) {
        return err;
    }
    run->place = (struct epoch_place){.rec = run->rec,
            .image = &run->image.dev,
            .sector_bytes = run->options.sector_bytes,
            .dropped = SIZE_MAX};
    err = overlay_init(&run->scratch, &run->image.dev);
    if (err == FAT_OK) {
        err = grow_seen(&run->seen) ? replay_epochs(run) : FAT_E_NOMEM;
        overlay_done(&run->scratch);
    }
    overlay_done(&run->image);
    free(run->seen.table);
    free(run->spans);
    return err;
}

fat_err recdev_replay(struct recdev *rec, const struct replay_options *options,
        replay_judge_fn *judge, void *context, struct replay_stats *stats)
{
    struct run run = {.rec = rec, .judge = judge, .context = context};
    fat_err err;

    if (options) {
        run.options = *options;
    }
    fill_in(&run.options);
    if (!are_possible(&run.options, recdev_blkdev(rec)->size_bytes)) {
        return FAT_E_INVAL;
    }
    err = replay_on_overlays(&run);
    if (err == FAT_OK) {
        *stats = run.stats;
    }
    return err;
}

/* The description */

struct line {
    char *text;
    size_t room;
};

__attribute__((format(printf, 2, 3))) static void say(
        struct line *line, const char *format, ...)
{
    va_list list;
    int length;

    if (line->room == 0) {
        return;
    }
    va_start(list, format);
    length = vsnprintf(line->text, line->room, format, list);
    va_end(list);
    if (length < 0 || (size_t)length >= line->room) {
        line->room = 0; /* cut, and terminated by vsnprintf */
        return;
    }
    line->text += length;
    line->room -= (size_t)length;
}

void replay_describe(const struct replay_state *state, char *text, size_t text_bytes)
{
    static const char *const shapes[] = {
            [REPLAY_SUBSET] = "subset",
            [REPLAY_PREFIX] = "prefix",
            [REPLAY_SINGLE_MISSING] = "single missing",
            [REPLAY_SINGLE_PRESENT] = "single present",
            [REPLAY_RANDOM] = "random subset",
    };
    struct line line = {text, text_bytes};
    size_t present = 0;
    bool says_present;

    for (size_t i = 0; i < state->write_count; i++) {
        present += state->present[i];
    }
    says_present = present * 2 <= state->write_count;
    say(&line,
            "epoch %u (events %zu to %zu), %s, seed %" PRIu64
            ": %zu of %zu sector writes",
            state->epoch, state->first_position, state->end_position,
            shapes[state->shape], state->seed, present, state->write_count);
    if (present == state->write_count) {
        return;
    }
    say(&line, says_present ? ", present:" : ", missing:");
    for (size_t i = 0; i < state->write_count; i++) {
        if (state->present[i] == says_present) {
            say(&line, " #%zu=%" PRIu64, i, state->sectors[i]);
        }
    }
}
