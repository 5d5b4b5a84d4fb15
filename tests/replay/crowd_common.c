/* SPDX-License-Identifier: MIT */
/*
 * What all do to the same names, and to the halls. Nothing is said about who wins: any
 * answer will do that some order of the calls explains.
 */
#include <string.h>

#include <fatward/file.h>

#include "crowd_worker.h"
#include "reader.h"

enum { CELLS_MAX = 40 };

static const char *pick_name(struct crowd_worker *w)
{
    static const char *const names[] = {"one", "TWO.TXT", "a rather long name.text",
            "A Rather Long Name.TEXT", "deep",
            "four slots of a name that is long.four"};

    return names[crowd_roll(w, sizeof(names) / sizeof(names[0]))];
}

static const struct crowd_hall *pick_hall(struct crowd_worker *w)
{
    return &w->crowd->halls[crowd_roll(w, CROWD_HALLS)];
}

static unsigned bit(fat_err err)
{
    return 1U << -(int)err;
}

/* What a call on names may end with, since others come in between. */
static unsigned names_errors(void)
{
    return bit(FAT_E_NOENT) | bit(FAT_E_EXIST) | bit(FAT_E_ISDIR) | bit(FAT_E_NOTDIR) |
           bit(FAT_E_NOTEMPTY) | bit(FAT_E_STALE) | bit(FAT_E_INVAL) | bit(FAT_E_NOSPC);
}

static bool went(
        struct crowd_worker *w, const char *call, fat_err err, unsigned allowed)
{
    if (err < 0 && !(bit(err) & allowed)) {
        crowd_complain(
                w->crowd, "%s of thread %u: %s", call, w->number, fat_err_text(err));
    }
    return err == FAT_OK;
}

/* By when it was created: as everybody recognises it. 0: it can't be told. */
static uint32_t object_of(struct crowd_worker *w, struct fat_node *node)
{
    struct fat_stat st;

    if (!went(w, "stat", fat_node_stat(node, &st), bit(FAT_E_STALE)) ||
            st.created.seconds < READER_EPOCH ||
            st.created.seconds >= READER_EPOCH + 2 * CROWD_OBJECTS_MAX) {
        return 0;
    }
    return (uint32_t)((st.created.seconds - READER_EPOCH) / 2);
}

static uint32_t next_write(struct crowd *crowd)
{
    uint32_t write;

    pthread_mutex_lock(&crowd->lock);
    write = ++crowd->record->book.writes;
    pthread_mutex_unlock(&crowd->lock);
    return write;
}

static bool is_everybodys(struct crowd *crowd, uint32_t object)
{
    bool is_common;

    pthread_mutex_lock(&crowd->lock);
    is_common = object > 0 && object < crowd->record->book.object_count &&
                crowd->record->book.objects[object].is_common;
    pthread_mutex_unlock(&crowd->lock);
    return is_common;
}

static void write_cells(struct crowd_worker *w, struct fat_node *file, uint32_t object)
{
    const uint32_t length = (1 + crowd_roll(w, CELLS_MAX)) * BOOK_CELL_BYTES;
    const uint32_t offset = crowd_roll(w, 2 * CELLS_MAX) * BOOK_CELL_BYTES;
    size_t done = 0;

    crowd_say(w, "%u bytes at %u of object %u", length, offset, object);
    book_fill(w->bytes, object, next_write(w->crowd), offset, length);
    (void)went(w, "write", fat_file_write(file, offset, w->bytes, length, &done),
            bit(FAT_E_NOSPC));
}

static void append_cells(struct crowd_worker *w, struct fat_node *file, uint32_t object)
{
    const uint32_t length = (1 + crowd_roll(w, CELLS_MAX)) * BOOK_CELL_BYTES;
    const uint32_t write = next_write(w->crowd);
    size_t done = 0;

    crowd_say(w, "append %u to object %u", length, object);
    for (uint32_t at = 0; at < length; at += BOOK_CELL_BYTES) {
        book_fill(w->bytes + at, object, write, BOOK_ANYWHERE * BOOK_CELL_BYTES,
                BOOK_CELL_BYTES);
    }
    (void)went(w, "append", fat_file_append(file, w->bytes, length, &done),
            bit(FAT_E_NOSPC));
}

void crowd_read_through(struct crowd_worker *w, struct fat_node *node)
{
    const uint32_t object = object_of(w, node);
    const uint32_t offset = crowd_roll(w, CELLS_MAX) * BOOK_CELL_BYTES;
    size_t length = 0;

    if (object == 0 ||
            !went(w, "read",
                    fat_file_read(node, offset, w->bytes, sizeof(w->bytes), &length),
                    0)) {
        return;
    }
    for (uint32_t at = 0; at + BOOK_CELL_BYTES <= length; at += BOOK_CELL_BYTES) {
        const uint8_t *cell = w->bytes + at;

        if (book_cell(cell, object, (offset + at) / BOOK_CELL_BYTES) == BOOK_NOTHING &&
                book_cell(cell, object, BOOK_ANYWHERE) == BOOK_NOTHING) {
            crowd_complain(w->crowd,
                    "thread %u reads bytes at %u of object %u that aren't its own",
                    w->number, offset + at, object);
        }
    }
}

static void use_file(struct crowd_worker *w, struct fat_node *node)
{
    const uint32_t object = object_of(w, node);
    const uint32_t size = crowd_roll(w, 3 * CELLS_MAX) * BOOK_CELL_BYTES;

    if (fat_node_is_directory(node) || !is_everybodys(w->crowd, object)) {
        return;
    }
    switch (crowd_roll(w, 8)) {
    case 0:
    case 1:
        write_cells(w, node, object);
        break;
    case 2:
    case 3:
        append_cells(w, node, object);
        break;
    case 4:
    case 5:
        crowd_say(w, "truncate object %u to %u", object, size);
        (void)went(w, "truncate",
                fat_file_truncate(node, crowd_roll(w, 3) == 0 ? 0 : size),
                bit(FAT_E_NOSPC));
        break;
    case 6:
        (void)went(w, "allocate",
                fat_file_allocate(node, 0, size + 1, FAT_ALLOCATE_KEEP_SIZE),
                bit(FAT_E_NOSPC));
        break;
    default:
        crowd_read_through(w, node);
        break;
    }
}

/* A number for one more object, which the book knows before it is there. */
static uint32_t take_number(struct crowd_worker *w, bool is_directory)
{
    uint32_t *spare = &w->spare[is_directory];
    uint32_t number = *spare;

    if (number == 0) {
        pthread_mutex_lock(&w->crowd->lock);
        number = book_create_common(&w->crowd->record->book, is_directory);
        pthread_mutex_unlock(&w->crowd->lock);
    }
    *spare = 0;
    return number;
}

static fat_err create(struct crowd_worker *w, struct fat_node *directory,
        bool is_directory, struct fat_found *ret)
{
    const uint32_t number = take_number(w, is_directory);
    const char *name = pick_name(w);
    fat_err err;

    crowd_say(w, "make \"%s\", object %u", name, number);
    crowd_set_clock(number);
    err = (is_directory ? fat_mkdir : fat_create)(directory, name, 0, ret);
    crowd_set_clock(0);
    if (err != FAT_OK) {
        w->spare[is_directory] = number;
    }
    return err;
}

static void make(struct crowd_worker *w)
{
    struct fat_found found;

    if (went(w, "create", create(w, pick_hall(w)->node, false, &found),
                names_errors())) {
        use_file(w, found.node);
        use_file(w, found.node);
        fat_node_unref(found.node);
    }
}

/* ... and something in it. */
static void make_directory(struct crowd_worker *w)
{
    struct fat_found found;
    struct fat_found inner;

    if (!went(w, "mkdir", create(w, pick_hall(w)->node, true, &found),
                names_errors())) {
        return;
    }
    if (crowd_roll(w, 2) == 0) {
        if (went(w, "create", create(w, found.node, false, &inner), names_errors())) {
            use_file(w, inner.node);
            fat_node_unref(inner.node);
        }
    } else {
        const char *name = pick_name(w);

        crowd_say(w, "rename \"%s\" into a new directory", name);
        (void)went(w, "rename",
                fat_rename(pick_hall(w)->node, name, found.node, name, 0),
                names_errors());
    }
    fat_node_unref(found.node);
}

static void remove_one(struct crowd_worker *w)
{
    const struct crowd_hall *hall = pick_hall(w);
    const char *name = pick_name(w);

    crowd_say(w, "remove \"%s\" in object %u", name, hall->object);
    (void)went(w, "remove",
            (crowd_roll(w, 3) == 0 ? fat_rmdir : fat_unlink)(hall->node, name),
            names_errors());
}

static void rename_one(struct crowd_worker *w)
{
    static const unsigned flags[] = {
            0, 0, 0, FAT_RENAME_NOREPLACE, FAT_RENAME_EXCHANGE};
    const struct crowd_hall *from = pick_hall(w);
    const struct crowd_hall *to = pick_hall(w);
    const char *old = pick_name(w);
    const char *new = pick_name(w);
    const unsigned how = flags[crowd_roll(w, sizeof(flags) / sizeof(flags[0]))];

    crowd_say(w, "rename \"%s\" in object %u to \"%s\" in object %u, flags %u", old,
            from->object, new, to->object, how);
    (void)went(w, "rename", fat_rename(from->node, old, to->node, new, how),
            names_errors());
}

/* A hall with all that is in it; where it is now, others may change too. */
static void move_hall(struct crowd_worker *w)
{
    const struct crowd_hall *hall =
            &w->crowd->halls[1 + crowd_roll(w, CROWD_HALLS - 1)];
    const struct crowd_hall *to = pick_hall(w);
    struct fat_node *parent = fat_node_parent(hall->node);

    crowd_say(w, "move object %u into object %u", hall->object, to->object);
    (void)went(w, "rename of a hall",
            fat_rename(parent, hall->name, to->node, hall->name, 0), names_errors());
    fat_node_unref(parent);
}

static void list(struct crowd_worker *w)
{
    struct fat_node *directory = pick_hall(w)->node;
    struct fat_dir_entry entry;
    uint32_t cookie = 0;
    fat_err err;

    while ((err = fat_dir_next(directory, &cookie, &entry)) == FAT_OK) {
        struct fat_node *node;

        if (!went(w, "dir_node", fat_dir_node(directory, &entry, &node),
                    bit(FAT_E_NOENT))) {
            continue;
        }
        if (!fat_node_is_directory(node)) {
            crowd_read_through(w, node);
        }
        fat_node_unref(node);
    }
    (void)went(w, "dir_next", err, 0);
}

static void use_one(struct crowd_worker *w)
{
    struct fat_found found;

    if (went(w, "lookup", fat_lookup(pick_hall(w)->node, pick_name(w), &found),
                bit(FAT_E_NOENT))) {
        for (uint32_t i = 1 + crowd_roll(w, 3); i > 0; i--) {
            use_file(w, found.node);
        }
        if (crowd_roll(w, 16) == 0) {
            (void)went(w, "sync", fat_node_sync(found.node), 0);
        }
        fat_node_unref(found.node);
    }
}

void crowd_stare(struct crowd_worker *w)
{
    const unsigned on_show = atomic_load(&w->crowd->on_show);
    struct crowd_show at = {.hall = crowd_roll(w, CROWD_HALLS),
            .number = crowd_roll(w, w->crowd->worker_count),
            .leaf = crowd_roll(w, CROWD_LEAVES)};
    char name[BOOK_NAME_BYTES];

    at = on_show > 0 ? crowd_shown(on_show) : at;
    crowd_name_leaf(at.number, at.leaf, name);
    for (int i = 0; i < 60; i++) {
        struct fat_found found;

        if (!went(w, "lookup", fat_lookup(w->crowd->halls[at.hall].node, name, &found),
                    bit(FAT_E_NOENT))) {
            return;
        }
        if (i % 16 == 0) {
            crowd_read_through(w, found.node);
        }
        fat_node_unref(found.node);
    }
}

void crowd_common_step(struct crowd_worker *w)
{
    static void (*const steps[])(struct crowd_worker *) = {make, make, make,
            make_directory, remove_one, remove_one, rename_one, rename_one, rename_one,
            move_hall, list, crowd_stare, use_one, use_one, use_one};

    steps[crowd_roll(w, sizeof(steps) / sizeof(steps[0]))](w);
}
