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

#include "support/overlay.h"
#include "support/steady.h"

enum {
    NO_SECTOR_WRITE = -1, /* the sector as it was before the epoch */
    SUBSETS_MAX = 20,
};

/* The writes between two flushes, as a range of the log. */
struct span {
    size_t first;
    size_t end; /* position of the flush, or the length of the log */
};

/* A sector that the epoch writes, however often. */
struct sector {
    uint64_t number;
    int64_t newest;  /* while cutting: the last sector write that goes here     */
    int64_t wanted;  /* by the state to come; always the earliest that is equal */
    int64_t current; /* in the image                                            */
};

/* An epoch, cut into sector writes. Arrays indexed by sector write have room for
   more than there are: those that change nothing were left out. */
struct epoch {
    size_t count;        /* of sector writes                                   */
    size_t sector_count; /* of different sectors; indexes sectors and before   */
    size_t *sector_of;   /* sector write -> index into sectors                 */
    int64_t *equal_to;   /* the earliest one of its sector with these contents */
    uint64_t *numbers;   /* sector write -> sector number                      */
    bool *present;
    uint8_t *contents; /* sector write -> the sector after it                */
    uint8_t *before;   /* sector -> what it held before the epoch            */
    struct sector *sectors;
    size_t *table;     /* sector number -> index + 1, open addressing        */
    size_t table_size; /* a power of two                                     */
};

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
    struct span *spans;
    size_t span_count;
    struct epoch epoch;
    struct seen seen;
    struct replay_state state;
    uint64_t random;
};

static uint64_t mix(uint64_t value)
{
    value += UINT64_C(0x9e3779b97f4a7c15);
    value = (value ^ value >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    value = (value ^ value >> 27) * UINT64_C(0x94d049bb133111eb);
    return value ^ value >> 31;
}

static uint64_t next_random(struct run *run)
{
    run->random += UINT64_C(0x9e3779b97f4a7c15);
    return mix(run->random);
}

static size_t power_of_two_over(size_t value)
{
    size_t power = 16;

    while (power <= value) {
        power *= 2;
    }
    return power;
}

/* The epochs */

static fat_err find_spans(struct run *run)
{
    const size_t event_count = recdev_event_count(run->rec);
    unsigned flush = 0;
    size_t first = 0;

    run->spans = steady_alloc((event_count + 1) * sizeof(*run->spans));
    if (!run->spans) {
        return FAT_E_NOMEM;
    }
    for (size_t i = 0; i < event_count; i++) {
        if (recdev_event(run->rec, i)->call != RECDEV_FLUSH) {
            continue;
        }
        flush++;
        if (flush != run->options.leave_out_flush) {
            run->spans[run->span_count++] = (struct span){first, i};
            first = i + 1;
        }
    }
    run->stats.flushes = (unsigned)run->span_count;
    run->spans[run->span_count++] = (struct span){first, event_count};
    return run->options.leave_out_flush > flush ? FAT_E_INVAL : FAT_OK;
}

/* Does the event write something, and isn't it the one to be dropped? */
static bool counts_as_write(const struct run *run, size_t position)
{
    unsigned number = 0;

    if (recdev_event(run->rec, position)->call != RECDEV_WRITE) {
        return false;
    }
    if (run->options.drop_write == 0) {
        return true;
    }
    for (size_t i = 0; i <= position; i++) {
        number += recdev_event(run->rec, i)->call == RECDEV_WRITE;
    }
    return number != run->options.drop_write;
}

static size_t count_sectors(const struct run *run, const struct recdev_event *event)
{
    const uint64_t size = run->options.sector_bytes;

    if (event->length == 0) {
        return 0;
    }
    return (size_t)((event->offset + event->length - 1) / size - event->offset / size +
                    1);
}

static bool span_writes_sector(
        const struct run *run, const struct span *span, uint64_t sector)
{
    for (size_t i = span->first; i < span->end; i++) {
        const struct recdev_event *event = recdev_event(run->rec, i);
        const uint64_t first = event->offset / run->options.sector_bytes;

        if (counts_as_write(run, i) && sector >= first &&
                sector - first < count_sectors(run, event)) {
            return true;
        }
    }
    return false;
}

static void free_epoch(struct epoch *epoch)
{
    free(epoch->sector_of);
    free(epoch->equal_to);
    free(epoch->numbers);
    free(epoch->present);
    free(epoch->contents);
    free(epoch->before);
    free(epoch->sectors);
    free(epoch->table);
    *epoch = (struct epoch){0};
}

static fat_err new_epoch(struct epoch *epoch, size_t room, uint32_t sector_bytes)
{
    *epoch = (struct epoch){
            .sector_of = steady_alloc(room * sizeof(*epoch->sector_of)),
            .equal_to = steady_alloc(room * sizeof(*epoch->equal_to)),
            .numbers = steady_alloc(room * sizeof(*epoch->numbers)),
            .present = steady_zalloc(room * sizeof(*epoch->present)),
            .contents = steady_alloc(room * sector_bytes),
            .before = steady_alloc(room * sector_bytes),
            .sectors = steady_alloc(room * sizeof(*epoch->sectors)),
            .table_size = power_of_two_over(room * 2),
    };
    epoch->table = steady_zalloc(epoch->table_size * sizeof(*epoch->table));
    if (!epoch->sector_of || !epoch->equal_to || !epoch->numbers || !epoch->present ||
            !epoch->contents || !epoch->before || !epoch->sectors || !epoch->table) {
        free_epoch(epoch);
        return FAT_E_NOMEM;
    }
    return FAT_OK;
}

/* The sector's place in the epoch; a new one gets its old contents from the image. */
static fat_err get_sector(struct run *run, uint64_t number, size_t *ret)
{
    struct epoch *epoch = &run->epoch;
    const uint32_t size = run->options.sector_bytes;
    size_t at = (size_t)mix(number) & (epoch->table_size - 1);
    fat_err err;

    while (epoch->table[at] != 0) {
        if (epoch->sectors[epoch->table[at] - 1].number == number) {
            *ret = epoch->table[at] - 1;
            return FAT_OK;
        }
        at = (at + 1) & (epoch->table_size - 1);
    }
    err = run->image.dev.ops->read(&run->image.dev, number * size,
            epoch->before + epoch->sector_count * size, size);
    if (err != FAT_OK) {
        return err;
    }
    epoch->sectors[epoch->sector_count] = (struct sector){
            .number = number,
            .newest = NO_SECTOR_WRITE,
            .wanted = NO_SECTOR_WRITE,
            .current = NO_SECTOR_WRITE,
    };
    *ret = epoch->sector_count++;
    epoch->table[at] = epoch->sector_count;
    return FAT_OK;
}

static const uint8_t *contents_of(
        const struct run *run, size_t sector, int64_t sector_write)
{
    const uint32_t size = run->options.sector_bytes;

    return sector_write == NO_SECTOR_WRITE
                   ? run->epoch.before + sector * size
                   : run->epoch.contents + (size_t)sector_write * size;
}

/* The earliest contents of this sector that equal those of the sector write. */
static int64_t find_equal(const struct run *run, size_t sector, size_t sector_write)
{
    const struct epoch *epoch = &run->epoch;
    const uint32_t size = run->options.sector_bytes;
    const uint8_t *contents = epoch->contents + sector_write * size;

    if (memcmp(contents, epoch->before + sector * size, size) == 0) {
        return NO_SECTOR_WRITE;
    }
    for (int64_t i = epoch->sectors[sector].newest; i >= 0; i--) {
        if (epoch->sector_of[i] == sector && epoch->equal_to[i] == i &&
                memcmp(contents, epoch->contents + (size_t)i * size, size) == 0) {
            return i;
        }
    }
    return (int64_t)sector_write;
}

/* The part of one write that falls into one sector, as a sector write. */
static fat_err add_sector_write(
        struct run *run, const struct recdev_event *event, uint64_t number)
{
    struct epoch *epoch = &run->epoch;
    const uint32_t size = run->options.sector_bytes;
    const uint64_t sector_start = number * size;
    const uint64_t start = event->offset > sector_start ? event->offset : sector_start;
    uint64_t end = event->offset + event->length;
    uint8_t *contents = epoch->contents + epoch->count * size;
    const uint8_t *previous;
    size_t sector = 0;
    const fat_err err = get_sector(run, number, &sector);

    if (err != FAT_OK) {
        return err;
    }
    end = end < sector_start + size ? end : sector_start + size;
    previous = contents_of(run, sector, epoch->sectors[sector].newest);
    memcpy(contents, previous, size);
    memcpy(contents + (start - sector_start), event->bytes + (start - event->offset),
            (size_t)(end - start));
    if (memcmp(contents, previous, size) == 0) {
        return FAT_OK;
    }
    epoch->sector_of[epoch->count] = sector;
    epoch->numbers[epoch->count] = number;
    epoch->equal_to[epoch->count] = find_equal(run, sector, epoch->count);
    epoch->sectors[sector].newest = (int64_t)epoch->count;
    epoch->count++;
    return FAT_OK;
}

static size_t count_span(const struct run *run, const struct span *span)
{
    size_t count = 0;

    for (size_t i = span->first; i < span->end; i++) {
        count += count_sectors(run, recdev_event(run->rec, i));
    }
    return count;
}

/* Cut the writes of @span up. Sectors that @later writes too are left out. */
static fat_err cut_epoch(
        struct run *run, const struct span *span, const struct span *later)
{
    fat_err err =
            new_epoch(&run->epoch, count_span(run, span), run->options.sector_bytes);

    for (size_t i = span->first; i < span->end && err == FAT_OK; i++) {
        const struct recdev_event *event = recdev_event(run->rec, i);
        const uint64_t first = event->offset / run->options.sector_bytes;
        const size_t count = counts_as_write(run, i) ? count_sectors(run, event) : 0;

        for (uint64_t k = first; k < first + count && err == FAT_OK; k++) {
            if (!later || !span_writes_sector(run, later, k)) {
                err = add_sector_write(run, event, k);
            }
        }
    }
    return err;
}

/* The states */

static bool grow_seen(struct seen *seen)
{
    struct seen bigger = {
            .size = power_of_two_over(seen->size * 2), .count = seen->count};

    bigger.table = steady_zalloc(bigger.size * sizeof(*bigger.table));
    if (!bigger.table) {
        return false;
    }
    for (size_t i = 0; i < seen->size; i++) {
        size_t at = (size_t)seen->table[i] & (bigger.size - 1);

        while (seen->table[i] != 0 && bigger.table[at] != 0) {
            at = (at + 1) & (bigger.size - 1);
        }
        if (seen->table[i] != 0) {
            bigger.table[at] = seen->table[i];
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
    at = (size_t)mix(hash) & (seen->size - 1);
    while (seen->table[at] != 0) {
        if (seen->table[at] == hash) {
            return FAT_END;
        }
        at = (at + 1) & (seen->size - 1);
    }
    seen->table[at] = hash;
    seen->count++;
    return FAT_OK;
}

/* What every sector has to hold, by the last sector write present; its hash. */
static uint64_t choose_contents(struct epoch *epoch)
{
    uint64_t hash = 0;

    for (size_t i = 0; i < epoch->sector_count; i++) {
        epoch->sectors[i].wanted = NO_SECTOR_WRITE;
    }
    for (size_t i = 0; i < epoch->count; i++) {
        if (epoch->present[i]) {
            epoch->sectors[epoch->sector_of[i]].wanted = epoch->equal_to[i];
        }
    }
    for (size_t i = 0; i < epoch->sector_count; i++) {
        hash = mix(hash ^ (uint64_t)(epoch->sectors[i].wanted + 1));
    }
    return hash;
}

static fat_err move_image(struct run *run)
{
    struct epoch *epoch = &run->epoch;
    const uint32_t size = run->options.sector_bytes;

    for (size_t i = 0; i < epoch->sector_count; i++) {
        struct sector *sector = &epoch->sectors[i];

        if (sector->wanted != sector->current) {
            const fat_err err = run->image.dev.ops->write(&run->image.dev,
                    sector->number * size, contents_of(run, i, sector->wanted), size);

            if (err != FAT_OK) {
                return err;
            }
            sector->current = sector->wanted;
        }
    }
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
    fat_err err = note_state(&run->seen, choose_contents(&run->epoch));

    if (err == FAT_END) {
        run->stats.same++;
        return FAT_OK;
    }
    if (err == FAT_OK) {
        err = move_image(run);
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

static void set_present(struct epoch *epoch, size_t from, size_t to, bool is_present)
{
    for (size_t i = from; i < to; i++) {
        epoch->present[i] = is_present;
    }
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
    set_present(&run->epoch, 0, length, true);
    set_present(&run->epoch, length, run->epoch.count, false);
    return show(run, REPLAY_PREFIX);
}

static fat_err show_single_missing(struct run *run, size_t index)
{
    set_present(&run->epoch, 0, run->epoch.count, true);
    run->epoch.present[index] = false;
    return show(run, REPLAY_SINGLE_MISSING);
}

static fat_err show_single_present(struct run *run, size_t index)
{
    set_present(&run->epoch, 0, run->epoch.count, false);
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
    run->random = mix(run->options.seed) ^ run->state.epoch;
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
    const struct span *span = &run->spans[number - 1];

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
    const struct span *span = &run->spans[number - 1];
    const struct span *later = NULL;
    fat_err err;

    if (swapped > 0 && number == swapped) {
        span = &run->spans[number];
    } else if (swapped > 0 && number == swapped + 1) {
        later = span;
        span = &run->spans[number - 2];
    }
    err = cut_epoch(run, span, later);
    if (err == FAT_OK && is_wanted(run, number)) {
        err = show_epoch(run, number);
    }
    if (err == FAT_OK) {
        set_present(&run->epoch, 0, run->epoch.count, true);
        (void)choose_contents(&run->epoch);
        err = move_image(run);
    }
    free_epoch(&run->epoch);
    return err;
}

static fat_err replay_epochs(struct run *run)
{
    fat_err err = find_spans(run);

    if (err == FAT_OK && run->options.swap_epoch >= run->span_count) {
        err = FAT_E_INVAL;
    }
    for (unsigned i = 1; i <= run->span_count && err == FAT_OK && !is_over(run); i++) {
        err = replay_epoch(run, i);
    }
    return err;
}

static bool are_possible(const struct replay_options *options, uint64_t size_bytes)
{
    const uint32_t size = options->sector_bytes;

    return size > 0 && size <= 4096 && (size & (size - 1)) == 0 &&
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
