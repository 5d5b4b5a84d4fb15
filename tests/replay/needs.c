/* SPDX-License-Identifier: MIT */
#include "needs.h"

#include <stdlib.h>
#include <string.h>

#include "needs_rules.h"

enum { DIRTY_AT_32 = 0x41, DIRTY_AT = 0x25, DIRTY = 1 };

/* Epochs */

static size_t end_of_epoch(const struct recdev *rec, size_t position)
{
    while (position < recdev_event_count(rec) &&
            recdev_event(rec, position)->call != RECDEV_FLUSH) {
        position++;
    }
    return position;
}

static void note_changes(const struct needs *needs, uint8_t *wrote,
        const struct view *a, const struct view *b)
{
    for (size_t i = 0; i < needs->sectors; i++) {
        wrote[i] = memcmp(a->bytes + i * VIEW_SECTOR, b->bytes + i * VIEW_SECTOR,
                           VIEW_SECTOR) != 0;
    }
}

static void note_bounds(struct needs *needs)
{
    const struct recdev *rec = needs->recording->rec;
    size_t marks = 0;

    while (marks < recdev_mark_count(rec) &&
            recdev_mark_at(rec, marks)->position <= needs->positions[3]) {
        marks++;
    }
    needs->bounds = judge_bounds_of(rec, marks);
}

static bool look(struct needs *needs)
{
    const struct recdev *rec = needs->recording->rec;
    size_t *p = needs->positions;

    p[1] = end_of_epoch(rec, p[0]);
    p[2] = p[1] + 1;
    if (p[2] > recdev_event_count(rec)) {
        return false; /* no flush ends the last epoch */
    }
    p[3] = end_of_epoch(rec, p[2]);
    if (!view_apply(&needs->between, rec, p[0], p[1]) ||
            !view_apply(&needs->after, rec, p[0], p[3])) {
        return false;
    }
    note_changes(needs, needs->first_wrote, &needs->before, &needs->between);
    note_changes(needs, needs->then_wrote, &needs->between, &needs->after);
    note_bounds(needs);
    needs->flush++;
    return true;
}

bool needs_init(struct needs *needs, const struct recording *recording)
{
    *needs = (struct needs){.recording = recording};
    needs->sectors = (size_t)recording->start->size_bytes / VIEW_SECTOR;
    view_init(&needs->before, recording->start);
    view_init(&needs->between, recording->start);
    view_init(&needs->after, recording->start);
    needs->first_wrote = calloc(needs->sectors, 1);
    needs->then_wrote = calloc(needs->sectors, 1);
    if (!needs->first_wrote || !needs->then_wrote) {
        abort();
    }
    return view_apply(&needs->before, recording->rec, 0, 0) && look(needs);
}

void needs_done(struct needs *needs)
{
    view_done(&needs->before);
    view_done(&needs->between);
    view_done(&needs->after);
    free(needs->first_wrote);
    free(needs->then_wrote);
}

bool needs_next(struct needs *needs)
{
    const struct recdev *rec = needs->recording->rec;

    if (!view_apply(&needs->before, rec, needs->positions[0], needs->positions[1])) {
        return false;
    }
    needs->positions[0] = needs->positions[2];
    return look(needs);
}

/* Marks */

static bool is_dirty(const struct view *view)
{
    return (view->bytes[view->reader.type == 32 ? DIRTY_AT_32 : DIRTY_AT] & DIRTY) != 0;
}

/* What leaves something over as soon as a part of it is there. */
static bool find_marks(struct needs *needs)
{
    if (is_dirty(&needs->before) || !is_dirty(&needs->between)) {
        return false;
    }
    for (uint64_t i = 1; i < needs->sectors; i++) {
        const enum view_region region = view_region(&needs->after, i);

        if (needs->then_wrote[i] && (region == VIEW_FAT || region == VIEW_COPIES)) {
            return found(needs, "marks", NULL, READER_NONE, i);
        }
    }
    return false;
}

static bool find_clean(struct needs *needs)
{
    if (!needs->bounds.closed &&
            (!is_dirty(&needs->between) || is_dirty(&needs->after))) {
        return false;
    }
    for (uint64_t i = 0; i < needs->sectors; i++) {
        const enum view_region region = view_region(&needs->after, i);

        /* without its count FSInfo says that it has none */
        if (needs->first_wrote[i] && region != VIEW_REST &&
                (region != VIEW_BOOT || needs->bounds.closed)) {
            return found(needs, "clean", NULL, READER_NONE, i);
        }
    }
    return false;
}

/* count: FSInfo says how many clusters are free. */
static bool find_count(struct needs *needs)
{
    const uint8_t *boot = needs->before.bytes;
    const uint64_t sector = (uint64_t)boot[48] | (uint64_t)boot[49] << 8;
    const uint8_t *count = needs->after.bytes + sector * VIEW_SECTOR + 488;

    if (needs->before.reader.type != 32 || !needs->then_wrote[sector] ||
            (count[0] & count[1] & count[2] & count[3]) == 0xff) {
        return false;
    }
    for (uint64_t i = 0; i < needs->sectors; i++) {
        if (needs->first_wrote[i] && view_region(&needs->after, i) == VIEW_FAT) {
            return found(needs, "count", NULL, READER_NONE, i);
        }
    }
    return false;
}

const char *needs_why(struct needs *needs, enum needs_lie lie)
{
    static bool (*const rules[])(struct needs *) = {needs_find_chain, needs_find_link,
            needs_find_long_name, needs_find_free, needs_find_last, needs_find_twice,
            needs_find_promise, find_marks, find_clean, find_count};

    needs->lie = lie;
    for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
        if (rules[i](needs)) {
            return needs->found;
        }
    }
    return NULL;
}

/* Deeds */

static bool only_frees(const struct needs *needs)
{
    const uint32_t count = needs->before.reader.cluster_count;

    for (uint32_t cluster = 2; cluster < count + 2; cluster++) {
        const uint32_t now = next_in(&needs->between, cluster);

        if (now != 0 && now != next_in(&needs->before, cluster)) {
            return false;
        }
    }
    return true;
}

/* Is there an entry in @in that is not in @than, or is not the same there? */
static bool has_more(const struct view *in, const struct view *than)
{
    for (size_t i = 0; i < in->reader.entry_count; i++) {
        const struct reader_entry *e = entry_of(in, i);
        const size_t other = view_find(than, in->at[i], e->born);
        const struct reader_entry *o;

        if (other == READER_NONE) {
            return true;
        }
        o = entry_of(than, other);
        if (o->size != e->size || o->first_cluster != e->first_cluster ||
                strcmp(o->name, e->name) != 0) {
            return true;
        }
    }
    return false;
}

enum needs_deed needs_deed(const struct needs *needs)
{
    bool wrote[VIEW_REST + 1] = {false};

    for (uint64_t i = 0; i < needs->sectors; i++) {
        wrote[view_region(&needs->before, i)] |= needs->first_wrote[i] != 0;
    }
    if (has_more(&needs->between, &needs->before)) {
        return NEEDS_NAMES;
    }
    if (wrote[VIEW_FAT] && !only_frees(needs)) {
        return NEEDS_CHAINS;
    }
    if (has_more(&needs->before, &needs->between)) {
        return NEEDS_OLD;
    }
    return wrote[VIEW_REST]                            ? NEEDS_SLOTS
           : wrote[VIEW_FAT]                           ? NEEDS_FREED
           : wrote[VIEW_COPIES] + wrote[VIEW_BOOT] > 0 ? NEEDS_COPIES
                                                       : NEEDS_NOTHING;
}

const char *needs_deed_text(enum needs_deed deed)
{
    static const char *const texts[NEEDS_DEEDS] = {
            [NEEDS_NOTHING] = "nothing",
            [NEEDS_COPIES] = "copies of the FAT",
            [NEEDS_FREED] = "freed clusters",
            [NEEDS_CHAINS] = "chains",
            [NEEDS_NAMES] = "names",
            [NEEDS_OLD] = "removed names",
            [NEEDS_SLOTS] = "end marks, times, data",
    };

    return texts[deed];
}
