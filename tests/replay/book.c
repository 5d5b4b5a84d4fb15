/* SPDX-License-Identifier: MIT */
#include "book.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "cells.h"

/* A test without memory is no test. */
static void *grown(void *array, size_t count, size_t size)
{
    void *more = realloc(array, (count + 1) * size);

    if (!more) {
        abort();
    }
    memset((char *)more + count * size, 0, size);
    return more;
}

static struct book_place *add_place(struct book_object *object)
{
    object->places =
            grown(object->places, object->place_count, sizeof(*object->places));
    return &object->places[object->place_count++];
}

static struct book_version *add_version(struct book_object *object)
{
    object->versions =
            grown(object->versions, object->version_count, sizeof(*object->versions));
    return &object->versions[object->version_count++];
}

static uint32_t add_object(struct book *book, bool is_directory)
{
    struct book_object *object;

    book->objects = grown(book->objects, book->object_count, sizeof(*book->objects));
    object = &book->objects[book->object_count];
    object->is_directory = is_directory;
    return book->object_count++;
}

void book_init(struct book *book)
{
    *book = (struct book){0};
    (void)add_object(book, true);
    (void)add_version(&book->objects[BOOK_ROOT]);
}

void book_done(struct book *book)
{
    for (uint32_t i = 0; i < book->object_count; i++) {
        struct book_object *object = &book->objects[i];

        for (size_t v = 0; v < object->version_count; v++) {
            free(object->versions[v].cells);
        }
        free(object->versions);
        free(object->places);
    }
    free(book->objects);
    free(book->promises);
    *book = (struct book){0};
}

static uint32_t *copy_cells(const struct book_version *version, uint32_t size)
{
    const size_t old = book_cell_count(version->size);
    const size_t count = book_cell_count(size);
    uint32_t *cells = calloc(count + 1, sizeof(*cells));

    if (!cells) {
        abort();
    }
    if (version->cells) {
        memcpy(cells, version->cells, (old < count ? old : count) * sizeof(*cells));
    }
    return cells;
}

void book_copy(struct book *copy, const struct book *book)
{
    book_init(copy);
    copy->writes = book->writes;
    for (uint32_t i = 1; i < book->object_count; i++) {
        const uint32_t same = add_object(copy, book->objects[i].is_directory);
        struct book_object *object = &copy->objects[same];
        struct book_version *first = add_version(object);
        const struct book_place *place = book_place(book, i);
        const struct book_version *version = book_version(book, i);

        object->is_filler = book->objects[i].is_filler;
        object->is_common = book->objects[i].is_common;
        *first = *version;
        first->from = 0;
        first->cells = object->is_filler ? NULL : copy_cells(version, version->size);
        if (place) {
            struct book_place *now = add_place(object);

            *now = *place;
            now->from = 0;
        }
    }
}

const struct book_place *book_place(const struct book *book, uint32_t object)
{
    const struct book_object *o = &book->objects[object];

    for (size_t i = 0; i < o->place_count; i++) {
        if (o->places[i].until == BOOK_FOREVER) {
            return &o->places[i];
        }
    }
    return NULL;
}

const struct book_version *book_version(const struct book *book, uint32_t object)
{
    const struct book_object *o = &book->objects[object];

    return &o->versions[o->version_count - 1];
}

uint32_t book_find(const struct book *book, uint32_t parent, const char *name)
{
    for (uint32_t i = 1; i < book->object_count; i++) {
        const struct book_place *place = book_place(book, i);

        if (place && place->parent == parent && strcasecmp(place->name, name) == 0) {
            return i;
        }
    }
    return BOOK_NOTHING;
}

bool book_is_empty(const struct book *book, uint32_t directory)
{
    for (uint32_t i = 1; i < book->object_count; i++) {
        const struct book_place *place = book_place(book, i);

        if (place && place->parent == directory) {
            return false;
        }
    }
    return true;
}

bool book_is_below(const struct book *book, uint32_t directory, uint32_t object)
{
    while (directory != object && directory != BOOK_ROOT) {
        directory = book_place(book, directory)->parent;
    }
    return directory == object;
}

static void leave(struct book *book, uint32_t object)
{
    struct book_object *o = &book->objects[object];

    for (size_t i = 0; i < o->place_count; i++) {
        if (o->places[i].until == BOOK_FOREVER) {
            o->places[i].until = book->step;
        }
    }
}

static void settle(struct book *book, uint32_t object, uint32_t parent,
        const char *name, uint32_t until)
{
    struct book_place *place = add_place(&book->objects[object]);

    place->from = book->step;
    place->until = until;
    place->parent = parent;
    strncpy(place->name, name, sizeof(place->name) - 1);
}

uint32_t book_create(
        struct book *book, uint32_t parent, const char *name, bool is_directory)
{
    const uint32_t object = add_object(book, is_directory);

    add_version(&book->objects[object])->from = book->step;
    settle(book, object, parent, name, BOOK_FOREVER);
    return object;
}

uint32_t book_create_common(struct book *book, bool is_directory)
{
    const uint32_t object = add_object(book, is_directory);

    add_version(&book->objects[object])->from = book->step;
    book->objects[object].is_common = true;
    return object;
}

void book_remove(struct book *book, uint32_t object)
{
    leave(book, object);
}

void book_move(struct book *book, uint32_t object, uint32_t parent, const char *name)
{
    leave(book, object);
    settle(book, object, parent, name, BOOK_FOREVER);
}

void book_exchange(struct book *book, uint32_t a, uint32_t b)
{
    const struct book_place at_a = *book_place(book, a);
    const struct book_place at_b = *book_place(book, b);
    struct book_object *objects = book->objects;

    book_move(book, a, at_b.parent, at_b.name);
    book_move(book, b, at_a.parent, at_a.name);
    objects[a].places[objects[a].place_count - 1].any_case = true;
    objects[b].places[objects[b].place_count - 1].any_case = true;
}

void book_wander(struct book *book, uint32_t object, uint32_t parent)
{
    settle(book, object, parent, "", book->step);
}

void book_set_cells(struct book *book, uint32_t object, uint32_t size, uint32_t *cells)
{
    struct book_version next = *book_version(book, object);

    next.from = book->step;
    next.generation += (next.size == 0) != (size == 0);
    next.size = size;
    next.cells = cells;
    *add_version(&book->objects[object]) = next;
}

/* The same as now, with another size. */
static struct book_version *next_version(
        struct book *book, uint32_t object, uint32_t size)
{
    struct book_version next = *book_version(book, object);
    struct book_version *ret;

    next.from = book->step;
    next.cells = copy_cells(&next, size);
    /* From nothing, or to nothing, the content is in another chain than before. */
    next.generation += (next.size == 0) != (size == 0);
    next.size = size;
    ret = add_version(&book->objects[object]);
    *ret = next;
    return ret;
}

void book_resize(struct book *book, uint32_t object, uint32_t size)
{
    (void)next_version(book, object, size);
}

void book_write(struct book *book, uint32_t object, uint32_t offset, uint32_t length,
        uint32_t write)
{
    const uint32_t size = book_version(book, object)->size;
    const uint32_t end = offset + length;
    struct book_version *next = next_version(book, object, end > size ? end : size);

    for (uint32_t at = offset; at < end; at += BOOK_CELL_BYTES) {
        next->cells[at / BOOK_CELL_BYTES] = write;
    }
}

void book_set_attributes(struct book *book, uint32_t object, uint8_t attributes)
{
    next_version(book, object, book_version(book, object)->size)->attributes =
            attributes;
}

static void promise_one(struct book *book, uint32_t object, uint32_t step)
{
    book->promises =
            grown(book->promises, book->promise_count, sizeof(*book->promises));
    book->promises[book->promise_count++] =
            (struct book_promise){.step = step, .object = object};
}

size_t book_promise(struct book *book, uint32_t object)
{
    return book_promise_at(book, object, book->step);
}

size_t book_promise_at(struct book *book, uint32_t object, uint32_t step)
{
    if (object == BOOK_NOTHING) {
        promise_one(book, object, step);
        return book->promise_count;
    }
    while (object != BOOK_ROOT) {
        const struct book_place *place = book_place(book, object);

        promise_one(book, object, step);
        object = place ? place->parent : BOOK_ROOT;
    }
    return book->promise_count;
}

uint32_t book_cell_count(uint32_t size)
{
    return size / BOOK_CELL_BYTES + (size % BOOK_CELL_BYTES != 0);
}

/* A cell: who it belongs to, where, which write, and a sum over that. */
struct cell {
    char magic[8];
    uint32_t object, index, write, spare;
    uint64_t sum;
};

static struct cell make_cell(uint32_t object, uint32_t index, uint32_t write)
{
    struct cell cell = {
            .magic = "fwcell", .object = object, .index = index, .write = write};

    cell.sum = ((uint64_t)object << 40 ^ (uint64_t)index << 20 ^ write) *
               UINT64_C(0x9e3779b97f4a7c15);
    return cell;
}

void book_fill(uint8_t *bytes, uint32_t object, uint32_t write, uint32_t offset,
        uint32_t length)
{
    _Static_assert(sizeof(struct cell) == BOOK_CELL_BYTES, "a cell is what it says");

    for (uint32_t at = 0; at < length; at += BOOK_CELL_BYTES) {
        const struct cell cell =
                make_cell(object, (offset + at) / BOOK_CELL_BYTES, write);

        memcpy(bytes + at, &cell, sizeof(cell));
    }
}

uint32_t book_cell(const uint8_t *cell, uint32_t object, uint32_t index)
{
    static const uint8_t zeros[BOOK_CELL_BYTES];
    struct cell is;
    struct cell should;

    if (memcmp(cell, zeros, sizeof(zeros)) == 0) {
        return 0;
    }
    memcpy(&is, cell, sizeof(is));
    should = make_cell(object, index, is.write);
    return memcmp(&is, &should, sizeof(is)) == 0 && is.write != 0 ? is.write
                                                                  : BOOK_NOTHING;
}

uint32_t book_cell_of(
        const struct book *book, const uint8_t *cell, uint32_t object, uint32_t index)
{
    return book->contents ? cells_find(book->contents, cell)
                          : book_cell(cell, object, index);
}

void book_fill_cell(const struct book *book, uint8_t *cell, uint32_t object,
        uint32_t index, uint32_t write)
{
    if (book->contents) {
        memcpy(cell, cells_bytes(book->contents, write), BOOK_CELL_BYTES);
    } else if (write == 0) {
        memset(cell, 0, BOOK_CELL_BYTES);
    } else {
        book_fill(cell, object, write, index * BOOK_CELL_BYTES, BOOK_CELL_BYTES);
    }
}
