/* SPDX-License-Identifier: MIT */
/* What a thread does to the contents of its own files. */
#include <stdlib.h>
#include <string.h>

#include <fatward/file.h>

#include "crowd_own.h"

enum { CELLS_MAX = 40, FILE_CELLS_MAX = 120, CELLS_SHOWN = 12 };

/* A change of a file's content, and what it had before. */
struct change {
    struct crowd_spot spot;
    struct fat_node *node;
    uint32_t size;
    uint32_t *cells;
    uint32_t offset, length, write; /* of a write */
};

/* Opens a file of its own and remembers what it has. */
static bool open_change(
        struct crowd_worker *w, const struct crowd_spot *spot, struct change *c)
{
    const struct book_version *now;

    c->spot = *spot;
    if (crowd_expect(w, "lookup", crowd_open_spot(w, &c->spot, &c->node)) != FAT_OK) {
        return false;
    }
    pthread_mutex_lock(&w->crowd->lock);
    now = book_version(crowd_book(w), c->spot.object);
    c->size = now->size;
    c->cells = calloc(book_cell_count(c->size) + 1, sizeof(*c->cells));
    if (!c->cells) {
        abort();
    }
    if (c->size > 0) {
        memcpy(c->cells, now->cells, book_cell_count(c->size) * sizeof(*c->cells));
    }
    pthread_mutex_unlock(&w->crowd->lock);
    return true;
}

/* Any of them. False: there is none. */
static bool open_any(struct crowd_worker *w, struct change *c)
{
    struct crowd_spot spot;

    return crowd_pick(w, false, true, &spot) && open_change(w, &spot, c);
}

static void close_change(struct change *c)
{
    fat_node_unref(c->node);
    free(c->cells);
}

/* As it was; the book takes the cells. */
static void as_before(struct crowd_worker *w, struct change *c)
{
    crowd_begin(w, "there was no room: object %u as before", c->spot.object);
    book_set_cells(crowd_book(w), c->spot.object, c->size, c->cells);
    c->cells = NULL;
    crowd_change(w, c->spot.object);
}

/* Where room may run out on the way, it may end at each cluster. */
static void write_piecewise(struct crowd_worker *w, const struct change *c)
{
    const uint32_t cluster = w->crowd->cluster_bytes;

    for (uint32_t end = (c->offset / cluster + 1) * cluster;
            end < c->offset + c->length; end += cluster) {
        book_write(crowd_book(w), c->spot.object, c->offset, end - c->offset, c->write);
    }
}

static void do_write(struct crowd_worker *w, struct change *c)
{
    size_t written = 0;
    fat_err err;

    crowd_begin(w, "%u bytes at %u of object %u, which has %u", c->length, c->offset,
            c->spot.object, c->size);
    c->write = ++crowd_book(w)->writes;
    if (w->crowd->tight) {
        write_piecewise(w, c);
    }
    book_write(crowd_book(w), c->spot.object, c->offset, c->length, c->write);
    crowd_change(w, c->spot.object);
    crowd_go(w);
    book_fill(w->bytes, c->spot.object, c->write, c->offset, c->length);
    err = c->offset == c->size
                  ? fat_file_append(c->node, w->bytes, c->length, &written)
                  : fat_file_write(c->node, c->offset, w->bytes, c->length, &written);
    err = crowd_expect(w, "write", err);
    if (err != FAT_OK || written < c->length) {
        as_before(w, c);
        if (err == FAT_OK) {
            book_write(crowd_book(w), c->spot.object, c->offset, (uint32_t)written,
                    c->write);
        }
        crowd_go(w);
    }
    crowd_end(w);
}

/* At the end, inside, or behind a gap. */
static void write_one(struct crowd_worker *w)
{
    struct change c;

    if (!open_any(w, &c)) {
        return;
    }
    c.length = (1 + crowd_roll(w, CELLS_MAX)) * BOOK_CELL_BYTES;
    switch (crowd_roll(w, 4)) {
    case 0:
    case 1:
        c.offset = c.size;
        break;
    case 2:
        c.offset = c.size + crowd_roll(w, CELLS_MAX) * BOOK_CELL_BYTES;
        break;
    default:
        c.offset = crowd_roll(w, book_cell_count(c.size) + 1) * BOOK_CELL_BYTES;
        break;
    }
    if (c.offset + c.length <= FILE_CELLS_MAX * BOOK_CELL_BYTES) {
        do_write(w, &c);
    }
    close_change(&c);
}

static void do_truncate(struct crowd_worker *w, struct change *c, uint32_t size)
{
    struct fat_stat st;

    crowd_begin(w, "truncate object %u from %u to %u", c->spot.object, c->size, size);
    book_resize(crowd_book(w), c->spot.object, size);
    crowd_change(w, c->spot.object);
    crowd_go(w);
    if (crowd_expect(w, "truncate", fat_file_truncate(c->node, size)) != FAT_OK &&
            crowd_expect(w, "stat", fat_node_stat(c->node, &st)) == FAT_OK) {
        as_before(w, c);
        book_resize(crowd_book(w), c->spot.object, (uint32_t)st.size_bytes);
        crowd_go(w);
    }
    crowd_end(w);
}

static void truncate_one(struct crowd_worker *w)
{
    uint32_t size = crowd_roll(w, FILE_CELLS_MAX) * BOOK_CELL_BYTES;
    struct change c;

    if (!open_any(w, &c)) {
        return;
    }
    size = crowd_roll(w, 3) == 0 ? 0 : size;
    if (size != c.size) {
        do_truncate(w, &c, size);
    }
    close_change(&c);
}

/* Whoever looks it up now learns of it from its entry, and makes its node anew. */
static void show(struct crowd_worker *w, const struct crowd_spot *spot)
{
    const struct crowd_show at = {.hall = (unsigned)(spot->hall - w->crowd->halls),
            .number = w->number,
            .leaf = spot->leaf};

    if (!spot->in_home) {
        atomic_store(&w->crowd->on_show, crowd_show(at));
    }
}

/* Cell by cell, and letting go of the file each time, while others look at it. */
static void lengthen_one(struct crowd_worker *w)
{
    struct crowd_spot spot;
    struct change c;

    if (!crowd_pick(w, false, true, &spot)) {
        return;
    }
    show(w, &spot);
    for (int i = 0; i < CELLS_SHOWN && open_change(w, &spot, &c); i++) {
        c.offset = c.size;
        c.length = BOOK_CELL_BYTES;
        if (c.size < FILE_CELLS_MAX * BOOK_CELL_BYTES) {
            do_write(w, &c);
        }
        close_change(&c);
    }
    atomic_store(&w->crowd->on_show, 0);
}

static void reserve(struct crowd_worker *w)
{
    struct change c;

    if (open_any(w, &c)) {
        (void)crowd_expect(w, "allocate",
                fat_file_allocate(c.node, c.size, CELLS_MAX * BOOK_CELL_BYTES,
                        FAT_ALLOCATE_KEEP_SIZE));
        close_change(&c);
    }
}

static void compare(struct crowd_worker *w, const struct change *c)
{
    uint8_t bytes[(FILE_CELLS_MAX + 1) * BOOK_CELL_BYTES];
    uint8_t cell[BOOK_CELL_BYTES];
    size_t length = 0;

    if (crowd_expect(w, "read",
                fat_file_read(c->node, 0, bytes, sizeof(bytes), &length)) != FAT_OK) {
        return;
    }
    if (length != c->size) {
        crowd_complain(w->crowd, "object %u has %zu bytes, not %u", c->spot.object,
                length, c->size);
    }
    for (uint32_t i = 0; i < length / BOOK_CELL_BYTES && length == c->size; i++) {
        book_fill_cell(crowd_book(w), cell, c->spot.object, i, c->cells[i]);
        if (memcmp(cell, bytes + (size_t)i * BOOK_CELL_BYTES, sizeof(cell)) != 0) {
            crowd_complain(w->crowd, "cell %u of object %u isn't as write %u left it",
                    i, c->spot.object, c->cells[i]);
        }
    }
}

static void read_one(struct crowd_worker *w)
{
    struct change c;

    if (open_any(w, &c)) {
        compare(w, &c);
        close_change(&c);
    }
}

static void sync_one(struct crowd_worker *w)
{
    struct change c;

    if (open_any(w, &c)) {
        crowd_sync(w, c.node, c.spot.object);
        close_change(&c);
    }
}

void crowd_content_step(struct crowd_worker *w)
{
    static void (*const steps[])(struct crowd_worker *) = {write_one, write_one,
            write_one, write_one, write_one, truncate_one, truncate_one, lengthen_one,
            reserve, read_one, read_one, sync_one, sync_one};

    steps[crowd_roll(w, sizeof(steps) / sizeof(steps[0]))](w);
}
