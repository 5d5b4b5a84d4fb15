/* SPDX-License-Identifier: MIT */
/* What those who were promised something need. */
#include "needs_rules.h"

#include <string.h>

#include "cells.h"

enum { SLOT_BYTES = 32 };

/* Promises */

static const struct book_object *object_of(const struct needs *needs, uint32_t born)
{
    const struct book *book = &needs->recording->book;

    return born > 0 && born < book->object_count ? &book->objects[born] : NULL;
}

static uint32_t durable(const struct needs *needs, uint32_t born)
{
    return judge_durable(&needs->recording->book, born, &needs->bounds);
}

static bool has_to_be(const struct needs *needs, uint32_t born)
{
    const struct book_object *object = object_of(needs, born);

    return object && judge_must_be(object, durable(needs, born), needs->bounds.reached);
}

/* May the entry be there as it is in @view? */
static bool is_good(const struct needs *needs, const struct view *view, size_t index)
{
    const struct reader_entry *e = entry_of(view, index);
    const struct book_object *object = object_of(needs, e->born);
    const uint32_t parent =
            e->parent == READER_NONE ? BOOK_ROOT : entry_of(view, e->parent)->born;
    const uint32_t step = durable(needs, e->born);
    bool size = e->is_directory;

    for (size_t i = 0; object && i < object->version_count; i++) {
        const struct book_version *v = &object->versions[i];
        const bool is_past = i + 1 < object->version_count && v[1].from <= step;

        size |= !is_past && v->from <= needs->bounds.reached && v->size == e->size;
    }
    return object && size &&
           judge_may_be_at(object, step, needs->bounds.reached, parent, e->name);
}

/* last */
bool needs_find_last(struct needs *needs)
{
    const struct view *between = &needs->between;

    for (size_t i = 0; i < between->reader.entry_count; i++) {
        const uint32_t born = entry_of(between, i)->born;
        const uint64_t at = between->at[i];

        if (view_find(&needs->after, at, born) != READER_NONE ||
                !has_to_be(needs, born)) {
            continue;
        }
        for (size_t k = 0; k < between->reader.entry_count; k++) {
            if (entry_of(between, k)->born == born && k != i &&
                    view_find(&needs->before, between->at[k], born) == READER_NONE &&
                    is_apart(needs, sector_of(between->at[k]), sector_of(at))) {
                return found(needs, "last", between, i, sector_of(between->at[k]));
            }
        }
    }
    return false;
}

/*
 * Is there nothing of an object, or what must not be, if @sector is as it was and the
 * rest as the second epoch left it?
 */
static bool is_lost_with(const struct needs *needs, uint32_t born, uint64_t sector)
{
    const struct view *const views[] = {&needs->before, &needs->after};
    bool is_there = false;

    for (size_t v = 0; v < 2; v++) {
        for (size_t i = 0; i < views[v]->reader.entry_count; i++) {
            if (entry_of(views[v], i)->born == born &&
                    (sector_of(views[v]->at[i]) == sector) == (v == 0)) {
                is_there = true;
                if (!is_good(needs, views[v], i)) {
                    return true;
                }
            }
        }
    }
    return !is_there && has_to_be(needs, born);
}

/* promise: an entry that the first epoch made what it is. */
static bool promised_entry(struct needs *needs, size_t index)
{
    const struct view *between = &needs->between;
    const struct reader_entry *e = entry_of(between, index);
    const uint64_t sector = sector_of(between->at[index]);

    return may_lack(needs, sector) && is_lost_with(needs, e->born, sector);
}

static bool link_may_lack(const struct needs *needs, uint32_t cluster)
{
    uint64_t sectors[VIEW_FAT_SECTORS];
    const size_t count = view_fat_sectors(&needs->before, cluster, sectors);

    return may_lack(needs, sectors[0]) || (count > 1 && may_lack(needs, sectors[1]));
}

/* Can what is in slot @slot beside @index be reached without the first epoch? */
static bool way_is_new(const struct needs *needs, size_t index)
{
    const struct view *between = &needs->between;
    const uint32_t slot = entry_of(between, index)->slot;
    const uint64_t own = sector_of(between->at[index]);

    for (uint32_t k = 0; k < slot; k++) {
        const uint64_t at = view_slot(between, index, k);

        if (sector_of(at) != own && may_lack(needs, sector_of(at)) &&
                needs->before.bytes[at] == 0) {
            return true; /* the directory ended there */
        }
    }
    if (view_directory(between, index) != 0) {
        uint32_t cluster = view_directory(between, index);
        const uint32_t per = between->reader.cluster_bytes / SLOT_BYTES;

        for (uint32_t k = 0; k < slot / per; k++) {
            if (next_in(&needs->before, cluster) != next_in(between, cluster) &&
                    link_may_lack(needs, cluster)) {
                return true;
            }
            cluster = next_in(between, cluster);
        }
    }
    return false;
}

static bool promised_way(struct needs *needs, size_t index)
{
    const struct view *between = &needs->between;

    for (size_t at = index; at != READER_NONE; at = entry_of(between, at)->parent) {
        const uint32_t born = entry_of(between, at)->born;

        if (way_is_new(needs, at) ||
                (at != index && may_lack(needs, sector_of(between->at[at])) &&
                        view_find(&needs->before, between->at[at], born) ==
                                READER_NONE)) {
            return true;
        }
    }
    return false;
}

bool needs_cell_is_good(const struct needs *needs, uint32_t born, uint32_t index,
        const uint8_t *bytes, size_t length)
{
    const struct book *book = &needs->recording->book;
    const struct book_object *object = object_of(needs, born);
    const uint32_t step = durable(needs, born);

    for (size_t i = 0; object && i < object->version_count; i++) {
        const struct book_version *v = &object->versions[i];
        const bool is_past = i + 1 < object->version_count && v[1].from <= step;

        if (!is_past && v->from <= needs->bounds.reached &&
                index < book_cell_count(v->size) &&
                memcmp(cells_bytes(book->contents, v->cells[index]), bytes, length) ==
                        0) {
            return true;
        }
    }
    return false;
}

/* Bytes that the first epoch wrote into a file, and that have to be there now. */
static bool promised_bytes(struct needs *needs, size_t index)
{
    const struct view *between = &needs->between;
    const struct reader_entry *e = entry_of(between, index);
    const uint32_t per = between->reader.cluster_bytes / BOOK_CELL_BYTES;
    const uint32_t cells = e->size / BOOK_CELL_BYTES;
    uint32_t cluster = e->first_cluster;

    if (e->is_directory || !object_of(needs, e->born)) {
        return false;
    }
    for (uint32_t i = 0; i < cells && view_is_cluster(between, cluster); i++) {
        const uint64_t at = reader_cluster_offset(&between->reader, cluster) +
                            (uint64_t)(i % per) * BOOK_CELL_BYTES;

        if (may_lack(needs, sector_of(at)) &&
                !needs_cell_is_good(
                        needs, e->born, i, needs->before.bytes + at, BOOK_CELL_BYTES)) {
            return true;
        }
        cluster = (i + 1) % per == 0 ? next_in(between, cluster) : cluster;
    }
    return false;
}

bool needs_find_promise(struct needs *needs)
{
    for (size_t i = 0; i < needs->between.reader.entry_count; i++) {
        const uint32_t born = entry_of(&needs->between, i)->born;

        if (promised_entry(needs, i) || promised_bytes(needs, i) ||
                (has_to_be(needs, born) && promised_way(needs, i))) {
            return found(needs, "promise", &needs->between, i, born);
        }
    }
    for (size_t i = 0; i < needs->before.reader.entry_count; i++) {
        const struct view *before = &needs->before;
        const uint32_t born = entry_of(before, i)->born;

        if (view_find(&needs->between, before->at[i], born) == READER_NONE &&
                may_lack(needs, sector_of(before->at[i])) &&
                !is_good(needs, before, i)) {
            return found(needs, "promise", before, i, born);
        }
    }
    return false;
}
