/* SPDX-License-Identifier: MIT */
/*
 * The book: what the volume has to hold, step by step, told without looking at it.
 *
 * An object is one file or directory from its creation on, whatever it is called. It
 * has places (a parent and a name, for some steps) and, if it is a file, versions (a
 * size, and what each cell of its content holds, from some step on). Step 0 is the
 * volume a test begins with. A judge asks which of all that may show after a power cut
 * that came when the steps up to @durable were promised and those up to @reached may
 * have begun.
 *
 * Content is written in cells of 32 bytes that say to which object and which place in
 * it they belong and which write wrote them, so bytes of others give themselves away.
 */
#ifndef REPLAY_BOOK_H
#define REPLAY_BOOK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct cells;

enum { BOOK_CELL_BYTES = 32, BOOK_NAME_BYTES = 96 };

#define BOOK_FOREVER  UINT32_MAX
#define BOOK_NOTHING  UINT32_MAX /* no such object; no cell of that object */
#define BOOK_ROOT     UINT32_C(0)
/* For the index of a cell that was appended, by somebody who didn't know where. */
#define BOOK_ANYWHERE (UINT32_MAX / BOOK_CELL_BYTES)

struct book_place {
    uint32_t from;  /* step that put it there                                    */
    uint32_t until; /* step that took it away, BOOK_FOREVER: none. The same as
                       @from: it was there in the course of that step only       */
    uint32_t parent;
    char name[BOOK_NAME_BYTES]; /* "": any */
    bool any_case;              /* by EXCHANGE: it may be spelled in other cases */
};

struct book_version {
    uint32_t from;
    uint32_t generation; /* goes up where the content starts anew in another chain */
    uint32_t size;       /* a multiple of BOOK_CELL_BYTES, where cells are tagged  */
    uint8_t attributes;
    uint32_t *cells; /* the write that each cell is from, 0: zeros             */
};

struct book_object {
    bool is_directory;
    bool is_filler; /* its content is nobody's business */
    bool is_common; /* everybody's: where it is and how large, the book can't say */
    struct book_place *places;
    size_t place_count;
    struct book_version *versions;
    size_t version_count;
};

/* A promise: what was there after @step is durable, of all objects or of one. */
struct book_promise {
    uint32_t step;
    uint32_t object; /* BOOK_NOTHING: all */
};

struct book {
    struct book_object *objects;
    uint32_t object_count;
    struct book_promise *promises;
    size_t promise_count;
    uint32_t step;
    uint32_t writes;
    struct cells *contents; /* of a book whose cells are not tagged; its owner's */
};

void book_init(struct book *book);
void book_done(struct book *book);

/* A copy whose history is forgotten: what is there now is there from step 0. */
void book_copy(struct book *copy, const struct book *book);

/* All of these are about now: the step under way. */
uint32_t book_find(const struct book *book, uint32_t parent, const char *name);
const struct book_place *book_place(const struct book *book, uint32_t object);
const struct book_version *book_version(const struct book *book, uint32_t object);
bool book_is_empty(const struct book *book, uint32_t directory);
/* Is @directory @object itself or below it? */
bool book_is_below(const struct book *book, uint32_t directory, uint32_t object);

uint32_t book_create(
        struct book *book, uint32_t parent, const char *name, bool is_directory);
/* One that many change at once (is_common): where it goes is not noted. */
uint32_t book_create_common(struct book *book, bool is_directory);
void book_remove(struct book *book, uint32_t object);
void book_move(struct book *book, uint32_t object, uint32_t parent, const char *name);
/* Two change places; the spelling is whose it was, or the caller's. */
void book_exchange(struct book *book, uint32_t a, uint32_t b);
/* In the course of this step it may be anywhere in @parent. */
void book_wander(struct book *book, uint32_t object, uint32_t parent);
void book_resize(struct book *book, uint32_t object, uint32_t size);
/* Bytes from the write with the number @write; a gap before them is zeros. */
void book_write(struct book *book, uint32_t object, uint32_t offset, uint32_t length,
        uint32_t write);
void book_set_attributes(struct book *book, uint32_t object, uint8_t attributes);

/* What is there now is promised: all of it, or @object and the way to it. The number
   of promises there are then. */
size_t book_promise(struct book *book, uint32_t object);

/* The same about a step that has passed, and an object that may have no name any more. */
size_t book_promise_at(struct book *book, uint32_t object, uint32_t step);

/* A new version with this size and these cells, which become the book's. */
void book_set_cells(struct book *book, uint32_t object, uint32_t size, uint32_t *cells);

/* How many cells there are in so many bytes. */
uint32_t book_cell_count(uint32_t size);

/* The bytes that write number @write puts at @offset. */
void book_fill(uint8_t *bytes, uint32_t object, uint32_t write, uint32_t offset,
        uint32_t length);

/* Which write a cell of @object is from: 0 zeros, BOOK_NOTHING none of that object. */
uint32_t book_cell(const uint8_t *cell, uint32_t object, uint32_t index);

/* The same for any book, and the other way round. */
uint32_t book_cell_of(
        const struct book *book, const uint8_t *cell, uint32_t object, uint32_t index);
void book_fill_cell(const struct book *book, uint8_t *cell, uint32_t object,
        uint32_t index, uint32_t write);

#endif
