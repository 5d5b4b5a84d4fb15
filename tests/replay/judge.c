/* SPDX-License-Identifier: MIT */
#include "judge.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <fatward/check.h>

#include "cells.h"
#include "dump.h"
#include "recovery.h"
#include "world.h"

int judge_complain(struct judge *judge, const char *format, ...)
{
    va_list arguments;

    if (judge->reason[0] == '\0') {
        va_start(arguments, format);
        (void)vsnprintf(judge->reason, sizeof(judge->reason), format, arguments);
        va_end(arguments);
    }
    return 1;
}

/* The checker's word. */

struct heard {
    struct judge *judge;
    const struct judge_bounds *bounds;
    bool bad;
    bool unclean; /* a leftover that only a dirty volume may have */
};

/* What mounting and changing the volume doesn't mend, since nobody is hurt by it. */
static bool outlasts_recovery(enum fat_finding_kind kind)
{
    return kind == FAT_FINDING_LFN_ORPHAN || kind == FAT_FINDING_CHAIN_LONG;
}

static bool is_mark(enum fat_finding_kind kind)
{
    return kind == FAT_FINDING_DIRTY || kind == FAT_FINDING_DIRTY_FAT ||
           kind == FAT_FINDING_FSINFO_UNKNOWN;
}

/* One copy of the FAT has the mark already. */
static bool only_mark_differs(const struct fat_finding *finding)
{
    return finding->kind == FAT_FINDING_FAT_DIFFERS && finding->cluster <= 1 &&
           finding->first <= 1;
}

static void hear(void *context, const struct fat_finding *finding)
{
    struct heard *heard = context;
    const enum fat_finding_kind kind = finding->kind;
    bool bad = finding->weight == FAT_WEIGHT_DAMAGE;

    heard->judge->finding_kinds |= UINT64_C(1) << kind;
    if (finding->weight == FAT_WEIGHT_LEFTOVER) {
        heard->unclean |=
                !is_mark(kind) && !only_mark_differs(finding) &&
                (heard->bounds->after == JUDGE_CUT || !outlasts_recovery(kind));
        bad |= heard->bounds->closed;
        bad |= heard->bounds->after == JUDGE_RECOVERED && !outlasts_recovery(kind);
    }
    if (bad) {
        heard->bad = true;
        (void)judge_complain(heard->judge, "check: %s: %s: %s", fat_finding_name(kind),
                finding->path ? finding->path : "-", finding->text);
    }
}

static int ask_checker(
        struct judge *judge, struct fat_blkdev *dev, const struct judge_bounds *bounds)
{
    struct heard heard = {.judge = judge, .bounds = bounds};
    struct fat_check_summary summary;
    fat_err err;

    judge->finding_kinds = 0;
    err = fat_check(dev, hear, &heard, &summary);
    if (err != FAT_OK) {
        return judge_complain(judge, "check fails: %s", fat_err_text(err));
    }
    if (heard.unclean && bounds->after != JUDGE_RECOVERED &&
            summary.findings[FAT_FINDING_DIRTY] == 0) {
        return judge_complain(judge, "leftovers on a volume that isn't marked dirty");
    }
    return heard.bad;
}

/* The promises. */

uint32_t judge_durable(
        const struct book *book, uint32_t object, const struct judge_bounds *bounds)
{
    uint32_t step = 0;

    for (size_t i = bounds->promises; i-- > 0;) {
        const struct book_promise *promise = &book->promises[i];

        if (promise->object == object && promise->step > step) {
            step = promise->step;
        }
        if (promise->object == BOOK_NOTHING) {
            /* each of these promises more than the one before */
            return promise->step > step ? promise->step : step;
        }
    }
    return step;
}

static bool is_called(const struct book_place *place, const char *name)
{
    return place->name[0] == '\0' || strcmp(place->name, name) == 0 ||
           (place->any_case && strcasecmp(place->name, name) == 0);
}

bool judge_may_be_at(const struct book_object *object, uint32_t durable,
        uint32_t reached, uint32_t parent, const char *name)
{
    for (size_t i = 0; i < object->place_count; i++) {
        const struct book_place *place = &object->places[i];

        if (place->from <= reached && place->until > durable &&
                place->parent == parent && is_called(place, name)) {
            return true;
        }
    }
    return false;
}

bool judge_must_be(const struct book_object *object, uint32_t durable, uint32_t reached)
{
    bool was = false;
    bool is = false;

    for (size_t i = 0; i < object->place_count; i++) {
        const struct book_place *place = &object->places[i];

        was |= place->from <= durable && place->until > durable;
        is |= place->from <= reached && place->until > reached;
    }
    return was && is;
}

struct versions {
    const struct book_version *first;
    size_t count;
};

/* From the one that is durable to the last that was reached. */
static struct versions versions_between(
        const struct book_object *object, uint32_t durable, uint32_t reached)
{
    struct versions range;
    size_t first = 0;
    size_t end = 0;

    for (size_t i = 0; i < object->version_count; i++) {
        first = object->versions[i].from <= durable ? i : first;
        end = object->versions[i].from <= reached ? i + 1 : end;
    }
    range.first = &object->versions[first];
    range.count = end > first ? end - first : 0;
    return range;
}

static bool cell_is_of(const struct versions *range, uint32_t generation,
        uint32_t index, uint32_t write)
{
    for (size_t i = range->count; i-- > 0;) {
        const struct book_version *version = &range->first[i];

        if (version->generation == generation &&
                index < book_cell_count(version->size) &&
                version->cells[index] == write) {
            return true;
        }
    }
    return false;
}

static bool size_is_of(const struct versions *range, uint32_t generation, uint32_t size)
{
    for (size_t i = 0; i < range->count; i++) {
        if (range->first[i].generation == generation && range->first[i].size == size) {
            return true;
        }
    }
    return false;
}

/* The same for the first @length bytes of a cell that the file ends in. */
static bool tail_is_of(const struct book *book, const struct versions *range,
        uint32_t generation, uint32_t index, const uint8_t *bytes, size_t length)
{
    for (size_t i = range->count; i-- > 0;) {
        const struct book_version *version = &range->first[i];

        if (version->generation == generation &&
                index < book_cell_count(version->size) &&
                memcmp(cells_bytes(book->contents, version->cells[index]), bytes,
                        length) == 0) {
            return true;
        }
    }
    return false;
}

/*
 * Mostly a cell is as the oldest or the newest version has it. Then it need not be found
 * out which one it is, which takes long where contents are not tagged.
 */
static bool cell_is_at_an_end(const struct book *book, const struct versions *range,
        uint32_t generation, uint32_t index, const uint8_t *bytes)
{
    const struct versions ends[2] = {
            {range->first, 1}, {range->first + range->count - 1, 1}};

    return book->contents &&
           (tail_is_of(book, &ends[1], generation, index, bytes, BOOK_CELL_BYTES) ||
                   tail_is_of(
                           book, &ends[0], generation, index, bytes, BOOK_CELL_BYTES));
}

static bool cell_is_right(const struct book *book, const struct versions *range,
        uint32_t generation, uint32_t index, uint32_t object, const uint8_t *bytes)
{
    uint32_t write;

    if (cell_is_at_an_end(book, range, generation, index, bytes)) {
        return true;
    }
    write = book_cell_of(book, bytes, object, index);
    return write != BOOK_NOTHING && cell_is_of(range, generation, index, write);
}

/* The first cell that is not of this generation; the number of cells: none. */
static uint32_t wrong_cell(const struct judge *judge, uint32_t size, uint32_t object,
        const struct versions *range, uint32_t generation)
{
    const uint32_t cells = size / BOOK_CELL_BYTES;
    const size_t tail = size % BOOK_CELL_BYTES;

    for (uint32_t i = 0; i < cells; i++) {
        if (!cell_is_right(judge->book, range, generation, i, object,
                    judge->content + (size_t)i * BOOK_CELL_BYTES)) {
            return i;
        }
    }
    if (tail > 0 && !tail_is_of(judge->book, range, generation, cells,
                            judge->content + (size_t)cells * BOOK_CELL_BYTES, tail)) {
        return cells;
    }
    return book_cell_count(size);
}

int judge_complain_at(struct judge *judge, size_t entry, const char *what)
{
    char path[300];

    reader_path(&judge->reader, entry, path, sizeof(path));
    return judge_complain(judge, "%s: %s", path, what);
}

int judge_complain_of_cell(
        struct judge *judge, size_t entry, uint32_t object, uint32_t cell)
{
    const uint8_t *bytes = judge->content + (size_t)cell * BOOK_CELL_BYTES;
    char text[160];
    uint32_t owner;
    uint32_t write;

    memcpy(&owner, bytes + 8, sizeof(owner));
    memcpy(&write, bytes + 16, sizeof(write));
    if (memcmp(bytes, "fwcell", 6) == 0) {
        snprintf(text, sizeof(text),
                "cell %u of object %u: bytes of object %u, write %u", (unsigned)cell,
                (unsigned)object, (unsigned)owner, (unsigned)write);
    } else if (judge->book->contents) {
        snprintf(text, sizeof(text), "cell %u of object %u (size %u): \"%.8s...\"",
                (unsigned)cell, (unsigned)object,
                (unsigned)judge->reader.entries[entry].size, (const char *)bytes);
    } else {
        snprintf(text, sizeof(text), "cell %u of object %u: %s", (unsigned)cell,
                (unsigned)object,
                bytes[0] == 0 ? "zeros" : "bytes that nobody wrote there");
    }
    return judge_complain_at(judge, entry, text);
}

int judge_load(struct judge *judge, size_t index)
{
    const struct reader_entry *entry = &judge->reader.entries[index];

    if (entry->size >= judge->content_bytes) {
        /* the last cell is looked at whole */
        judge->content_bytes = (size_t)entry->size + BOOK_CELL_BYTES;
        judge->content = realloc(judge->content, judge->content_bytes);
        if (!judge->content) {
            abort();
        }
        memset(judge->content, 0, judge->content_bytes);
    }
    if (!reader_chain_bytes(
                &judge->reader, entry->first_cluster, judge->content, entry->size)) {
        return judge_complain_at(judge, index, "its chain is shorter than its size");
    }
    return 0;
}

static int judge_content(struct judge *judge, size_t index, uint32_t object,
        const struct versions *range)
{
    const struct reader_entry *entry = &judge->reader.entries[index];
    uint32_t generation = UINT32_MAX;
    uint32_t cell = BOOK_NOTHING;

    if (judge_load(judge, index) != 0) {
        return 1;
    }
    for (size_t i = 0; i < range->count; i++) {
        if (range->first[i].generation == generation) {
            continue;
        }
        generation = range->first[i].generation;
        if (!size_is_of(range, generation, entry->size)) {
            continue;
        }
        cell = wrong_cell(judge, entry->size, object, range, generation);
        if (cell == book_cell_count(entry->size)) {
            return 0;
        }
    }
    if (cell == BOOK_NOTHING) {
        return judge_complain_at(judge, index, "a size it has never had");
    }
    return judge_complain_of_cell(judge, index, object, cell);
}

static int judge_entry(
        struct judge *judge, size_t index, const struct judge_bounds *bounds)
{
    const struct reader_entry *entry = &judge->reader.entries[index];
    const struct book_object *object = &judge->book->objects[entry->born];
    const uint32_t durable = judge_durable(judge->book, entry->born, bounds);
    const struct versions range = versions_between(object, durable, bounds->reached);
    const uint32_t parent = entry->parent == READER_NONE
                                    ? BOOK_ROOT
                                    : judge->reader.entries[entry->parent].born;
    bool attributes = false;

    if (object->is_directory != entry->is_directory || range.count == 0 ||
            !judge_may_be_at(object, durable, bounds->reached, parent, entry->name)) {
        return judge_complain_at(judge, index, "no such thing should be there");
    }
    for (size_t i = 0; i < range.count; i++) {
        attributes |= (entry->attributes & 0x27) == range.first[i].attributes;
    }
    if (!attributes) {
        return judge_complain_at(judge, index, "attributes it has never had");
    }
    return entry->is_directory || object->is_filler
                   ? 0
                   : judge_content(judge, index, entry->born, &range);
}

static bool is_of_recovery(const struct reader_entry *entry)
{
    return entry->parent == READER_NONE &&
           strcmp(entry->name, JUDGE_RECOVERY_NAME) == 0;
}

static bool may_be_two(
        const struct judge *judge, size_t index, const struct judge_bounds *bounds)
{
    const uint32_t born = judge->reader.entries[index].born;

    if (judge->book->objects[born].is_common) {
        return judge_common_may_be_two(judge, index);
    }
    return judge_may_have_two_names(&judge->book->objects[born],
            judge_durable(judge->book, born, bounds), bounds->reached);
}

static int judge_names(struct judge *judge, const struct judge_bounds *bounds)
{
    for (size_t i = 0; i < judge->reader.entry_count; i++) {
        const struct reader_entry *entry = &judge->reader.entries[i];

        if (bounds->after != JUDGE_CUT && is_of_recovery(entry)) {
            continue;
        }
        if (entry->born == 0 || entry->born >= judge->book->object_count) {
            return judge_complain_at(judge, i, "nobody has made that");
        }
        if (judge->book->objects[entry->born].is_common) {
            if (judge_common(judge, i) != 0) {
                return 1;
            }
        } else if (judge_entry(judge, i, bounds) != 0) {
            return 1;
        }
        if (bounds->after == JUDGE_RECOVERED && judge->seen[entry->born] != 0 &&
                !may_be_two(judge, i, bounds)) {
            return judge_complain_at(judge, i, "recovered, and still has two names");
        }
        judge->seen[entry->born] = entry->first_cluster + 1;
    }
    return 0;
}

static int find_missing(struct judge *judge, const struct judge_bounds *bounds)
{
    for (uint32_t i = 1; i < judge->book->object_count; i++) {
        const struct book_object *object = &judge->book->objects[i];
        const uint32_t durable = judge_durable(judge->book, i, bounds);

        if (judge->seen[i] == 0 && judge_must_be(object, durable, bounds->reached)) {
            return judge_complain(judge, "lost: object %u, \"%s\"", (unsigned)i,
                    object->places[0].name);
        }
        if (judge_lasting_names(judge, i, durable, bounds->reached) != 0) {
            return 1;
        }
    }
    return 0;
}

int judge_volume(
        struct judge *judge, struct fat_blkdev *dev, const struct judge_bounds *bounds)
{
    free(judge->seen);
    judge->seen = calloc(judge->book->object_count, sizeof(*judge->seen));
    if (!judge->seen) {
        abort();
    }
    if (!reader_read(&judge->reader, dev)) {
        return judge_complain(judge, "reader: %s", judge->reader.complaint);
    }
    if (judge_names(judge, bounds) != 0 || find_missing(judge, bounds) != 0) {
        return 1;
    }
    return ask_checker(judge, dev, bounds);
}

struct judge_bounds judge_bounds_of(const struct recdev *rec, size_t marks)
{
    struct judge_bounds bounds = {0};

    for (size_t i = 0; i < marks; i++) {
        const struct recdev_mark *mark = recdev_mark_at(rec, i);

        if (mark->tag == MARK_BEGIN && mark->value > bounds.reached) {
            bounds.reached = (uint32_t)mark->value;
        } else if (mark->tag == MARK_PROMISE && mark->value > bounds.promises) {
            bounds.promises = mark->value;
        } else if (mark->tag == MARK_NOTE && mark->value > bounds.note) {
            bounds.note = (uint32_t)mark->value;
        } else if (mark->tag == MARK_CLOSED) {
            bounds.closed = true;
        }
    }
    return bounds;
}

static bool has_more_than_marks(uint64_t findings)
{
    for (enum fat_finding_kind kind = 0; findings >> kind != 0; kind++) {
        if (findings >> kind & 1 && !is_mark(kind)) {
            return true;
        }
    }
    return false;
}

/* Are there findings on it as on few others, by now? Or any, if all of them count. */
static bool is_unusual(struct judge *judge)
{
    struct judge_kind *kind;
    size_t i = 0;

    if (judge->dump_found || judge->dump_alike == 0) {
        return judge->dump_found && has_more_than_marks(judge->finding_kinds);
    }

    while (i < judge->kind_count && judge->kinds[i].findings != judge->finding_kinds) {
        i++;
    }
    if (i == judge->kind_count) {
        judge->kinds =
                realloc(judge->kinds, (judge->kind_count + 1) * sizeof(*judge->kinds));
        if (!judge->kinds) {
            abort();
        }
        judge->kinds[judge->kind_count++] =
                (struct judge_kind){.findings = judge->finding_kinds};
    }
    kind = &judge->kinds[i];
    return ++kind->seen <= judge->dump_alike;
}

enum { ASK_AFTER = 200 }; /* states: that many volumes have room on any disk */

/* For other programs; what they say may come with a later state. */
static int dump_for_others(
        struct judge *judge, struct fat_blkdev *dev, const struct judge_bounds *bounds)
{
    dump_state(judge, judge->dump_directory, dev, bounds);
    if (judge->others && judge->others->command &&
            ++judge->others->waiting >= ASK_AFTER &&
            !dump_ask(judge->others, judge->dump_directory)) {
        return judge_complain(judge, "other programs say so: see above");
    }
    return 0;
}

int judge_state(struct fat_blkdev *dev, const struct replay_state *state, void *context)
{
    struct judge *judge = context;
    const struct judge_bounds bounds =
            judge_bounds_of(judge->rec, state->marks_reached);

    judge->states++;
    if (judge->dump_every > 0 && judge->states % judge->dump_every == 0 &&
            dump_for_others(judge, dev, &bounds) != 0) {
        return 1;
    }
    if (judge_volume(judge, dev, &bounds) != 0) {
        return 1;
    }
    if (is_unusual(judge) && dump_for_others(judge, dev, &bounds) != 0) {
        return 1;
    }
    if (judge->recover_every > 0 && judge->states % judge->recover_every == 0) {
        return recover(judge, dev, &bounds);
    }
    return 0;
}

void judge_done(struct judge *judge)
{
    reader_done(&judge->reader);
    free(judge->content);
    free(judge->seen);
    free(judge->kinds);
    judge->kinds = NULL;
    judge->kind_count = 0;
    judge->content = NULL;
    judge->seen = NULL;
}
