/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE /* RENAME_EXCHANGE, O_TRUNC */
#include "requests.h"

#include <fcntl.h>
#include <linux/fuse.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <fatward/node.h>

#include "cells.h"
#include "shadow.h"

#define OPCODE_SYNCFS UINT32_C(50) /* older headers don't know it */

enum { OWNER_MAY_WRITE = 0200, PENDING_MAX = 64 };

struct request {
    uint64_t unique;
    uint32_t opcode;
    uint32_t step;      /* of the book, when it came */
    uint32_t promising; /* a sync: the step that it promises */
    uint32_t object;    /* BOOK_NOTHING: none */
    uint32_t other;     /* target that a rename removes, or has exchanged */
    uint32_t parent;    /* of the name */
    char name[BOOK_NAME_BYTES];
    char old_name[BOOK_NAME_BYTES]; /* rename, and what is removed */
    uint32_t old_parent;
    uint8_t *before; /* contents, if it changes them */
    uint32_t before_size;
    uint32_t offset, length; /* of a write */
    bool exchanges, changes;
};

static bool complain(struct requests *r, const char *what, uint32_t opcode)
{
    if (r->reason[0] == '\0') {
        snprintf(r->reason, sizeof(r->reason), "opcode %u: %s", (unsigned)opcode, what);
    }
    return false;
}

void requests_init(struct requests *r, struct book *book)
{
    *r = (struct requests){.book = book};
    r->pending = shadow_grown(NULL, 0, PENDING_MAX, sizeof(*r->pending));
}

void requests_done(struct requests *r)
{
    for (size_t i = 0; i < r->shadow_count; i++) {
        shadow_done(&r->shadows[i]);
    }
    for (size_t i = 0; i < r->pending_count; i++) {
        free(r->pending[i].before);
    }
    free(r->shadows);
    free(r->pending);
    free(r->object_of);
    *r = (struct requests){0};
}

/* Numbers of nodes */

static void meet_node(struct requests *r, uint64_t node, uint32_t object)
{
    if (node >= r->node_count) {
        const size_t count = (size_t)node * 2 + 64;

        r->object_of =
                shadow_grown(r->object_of, r->node_count, count, sizeof(*r->object_of));
        r->node_count = count;
    }
    r->object_of[node] = object + 1;
}

static uint32_t object_of(const struct requests *r, uint64_t node)
{
    if (node == FUSE_ROOT_ID) {
        return BOOK_ROOT;
    }
    return node < r->node_count && r->object_of[node] > 0 ? r->object_of[node] - 1
                                                          : BOOK_NOTHING;
}

/* Contents */

static struct shadow *shadow_of(struct requests *r, uint32_t object)
{
    if (object >= r->shadow_count) {
        const size_t count = (size_t)object * 2 + 64;

        r->shadows =
                shadow_grown(r->shadows, r->shadow_count, count, sizeof(*r->shadows));
        r->shadow_count = count;
    }
    return &r->shadows[object];
}

/* The shadow as a new version. */
static void note_version(struct requests *r, uint32_t object)
{
    const struct shadow *shadow = shadow_of(r, object);

    book_set_cells(
            r->book, object, shadow->size, shadow_cells(shadow, r->book->contents));
}

/* Remember what it was, since the request may fail. */
static void set_aside(struct requests *r, struct request *q)
{
    const struct shadow *shadow = shadow_of(r, q->object);

    q->before = shadow_grown(NULL, 0, (size_t)shadow->size + 1, 1);
    if (shadow->size > 0) {
        memcpy(q->before, shadow->bytes, shadow->size);
    }
    q->before_size = shadow->size;
}

static void change_size(struct requests *r, struct request *q, uint32_t size)
{
    set_aside(r, q);
    shadow_resize(shadow_of(r, q->object), size);
    note_version(r, q->object);
    q->changes = true;
}

/* The steps of the book */

static bool begin_make(
        struct requests *r, struct request *q, const char *name, uint64_t made)
{
    const bool is_directory = q->opcode == FUSE_MKDIR;

    if (made != r->book->object_count || strlen(name) >= sizeof(q->name) ||
            q->parent == BOOK_NOTHING) {
        return complain(r, "an object out of order, or where nothing is", q->opcode);
    }
    r->book->step++;
    strcpy(q->name, name);
    q->object = book_create(r->book, q->parent, name, is_directory);
    book_set_attributes(r->book, q->object, is_directory ? 0 : FAT_NODE_ARCHIVE);
    q->changes = true;
    return true;
}

static bool begin_remove(struct requests *r, struct request *q, const char *name)
{
    q->object = q->parent == BOOK_NOTHING ? BOOK_NOTHING
                                          : book_find(r->book, q->parent, name);
    if (q->object == BOOK_NOTHING) {
        return complain(r, "it removes what the book doesn't know", q->opcode);
    }
    r->book->step++;
    strcpy(q->old_name, book_place(r->book, q->object)->name);
    q->old_parent = q->parent;
    book_remove(r->book, q->object);
    q->changes = true;
    return true;
}

static bool begin_rename(struct requests *r, struct request *q, const char *names,
        uint64_t new_node, uint32_t flags)
{
    const char *new_name = names + strlen(names) + 1;
    const uint32_t to = object_of(r, new_node);

    q->old_parent = q->parent;
    q->parent = to;
    q->object = q->old_parent == BOOK_NOTHING
                        ? BOOK_NOTHING
                        : book_find(r->book, q->old_parent, names);
    if (q->object == BOOK_NOTHING || to == BOOK_NOTHING ||
            strlen(new_name) >= sizeof(q->name)) {
        return complain(r, "it renames what the book doesn't know", q->opcode);
    }
    q->other = book_find(r->book, to, new_name);
    q->exchanges = (flags & RENAME_EXCHANGE) != 0;
    if ((flags & RENAME_NOREPLACE) && q->other != BOOK_NOTHING) {
        q->object = BOOK_NOTHING; /* it will be refused */
        return true;
    }
    r->book->step++;
    strcpy(q->name, new_name);
    strcpy(q->old_name, book_place(r->book, q->object)->name);
    q->changes = true;
    if (q->exchanges) {
        if (q->other == BOOK_NOTHING) {
            return complain(r, "it exchanges with nothing", q->opcode);
        }
        book_wander(r->book, q->object, q->old_parent);
        r->book->step++;
        book_exchange(r->book, q->object, q->other);
        return true;
    }
    if (q->other != BOOK_NOTHING && q->other != q->object) {
        /* What is replaced is rewritten in place: its spelling stays. */
        strcpy(q->name, book_place(r->book, q->other)->name);
        book_remove(r->book, q->other);
    }
    book_move(r->book, q->object, to, q->name);
    return true;
}

static bool begin_write(struct requests *r, struct request *q, uint64_t offset,
        const uint8_t *bytes, uint32_t length)
{
    if (q->object == BOOK_NOTHING || offset > (UINT32_C(1) << 30)) {
        return complain(r, "it writes what the book doesn't know", q->opcode);
    }
    for (size_t i = 0; i + 1 < r->pending_count; i++) {
        const struct request *other = &r->pending[i];

        if (other->before && other->object == q->object &&
                (offset + length > other->before_size ||
                        other->before_size != shadow_of(r, q->object)->size)) {
            return complain(r, "two at once change the size of a file", q->opcode);
        }
    }
    r->book->step++;
    set_aside(r, q);
    q->offset = (uint32_t)offset;
    q->length = length;
    shadow_put(shadow_of(r, q->object), q->offset, bytes, length);
    note_version(r, q->object);
    q->changes = true;
    return true;
}

static bool begin_copy(
        struct requests *r, struct request *q, const struct fuse_copy_file_range_in *in)
{
    const uint32_t from = q->object;
    const struct shadow *source = from == BOOK_NOTHING ? NULL : shadow_of(r, from);
    uint64_t length;
    uint8_t *bytes;
    bool good;

    q->object = object_of(r, in->nodeid_out);
    if (!source || q->object == BOOK_NOTHING) {
        return complain(r, "it copies what the book doesn't know", q->opcode);
    }
    length = in->off_in < source->size ? source->size - in->off_in : 0;
    length = in->len < length ? in->len : length;
    bytes = shadow_grown(NULL, 0, (size_t)length + 1, 1);
    memcpy(bytes, source->bytes ? source->bytes + in->off_in : bytes, (size_t)length);
    good = begin_write(r, q, in->off_out, bytes, (uint32_t)length);
    free(bytes);
    return good;
}

static bool begin_setattr(
        struct requests *r, struct request *q, const struct fuse_setattr_in *in)
{
    const uint32_t wanted = in->valid & (FATTR_SIZE | FATTR_MODE);

    if (wanted == 0 || q->object == BOOK_NOTHING ||
            r->book->objects[q->object].is_directory) {
        return true;
    }
    r->book->step++;
    if (wanted & FATTR_SIZE) {
        change_size(r, q, (uint32_t)in->size);
    }
    if (wanted & FATTR_MODE) {
        const unsigned now = book_version(r->book, q->object)->attributes;
        const unsigned next = in->mode & OWNER_MAY_WRITE
                                      ? now & ~(unsigned)FAT_NODE_READ_ONLY
                                      : now | FAT_NODE_READ_ONLY;

        book_set_attributes(r->book, q->object, (uint8_t)next);
    }
    return true;
}

static bool begin_allocate(
        struct requests *r, struct request *q, const struct fuse_fallocate_in *in)
{
    if (q->object != BOOK_NOTHING && in->mode == 0 &&
            in->offset + in->length > shadow_of(r, q->object)->size) {
        r->book->step++;
        change_size(r, q, (uint32_t)(in->offset + in->length));
    }
    return true;
}

static bool is_about(const struct requests *r, const struct request *q, uint32_t object)
{
    while (object != BOOK_NOTHING) {
        const struct book_place *place;

        if (q->object == object || q->other == object) {
            return true;
        }
        place = object == BOOK_ROOT ? NULL : book_place(r->book, object);
        object = place ? place->parent : BOOK_NOTHING;
    }
    return false;
}

/* What is certain once this sync is through. */
static bool begin_sync(struct requests *r, struct request *q)
{
    if (q->opcode != FUSE_FSYNC) {
        q->object = BOOK_NOTHING; /* of a directory, and of a volume: everything */
    }
    q->promising = r->book->step;
    for (size_t i = 0; i + 1 < r->pending_count; i++) {
        const struct request *other = &r->pending[i];

        if (other->changes && other->step < q->promising &&
                (q->object == BOOK_NOTHING || is_about(r, other, q->object))) {
            q->promising = other->step;
        }
    }
    return true;
}

static bool begin(
        struct requests *r, struct request *q, const uint8_t *body, uint64_t made)
{
    union {
        struct fuse_setattr_in setattr;
        struct fuse_open_in open;
        struct fuse_write_in write;
        struct fuse_rename_in rename;
        struct fuse_rename2_in rename2;
        struct fuse_fallocate_in fallocate;
        struct fuse_copy_file_range_in copy;
    } in;

    memcpy(&in, body, sizeof(in));
    switch (q->opcode) {
    case FUSE_LOOKUP:
        snprintf(q->name, sizeof(q->name), "%s", (const char *)body);
        return true;
    case FUSE_MKNOD:
        return begin_make(
                r, q, (const char *)body + sizeof(struct fuse_mknod_in), made);
    case FUSE_MKDIR:
        return begin_make(
                r, q, (const char *)body + sizeof(struct fuse_mkdir_in), made);
    case FUSE_CREATE:
        return begin_make(
                r, q, (const char *)body + sizeof(struct fuse_create_in), made);
    case FUSE_UNLINK:
    case FUSE_RMDIR:
        return begin_remove(r, q, (const char *)body);
    case FUSE_RENAME:
        return begin_rename(
                r, q, (const char *)body + sizeof(in.rename), in.rename.newdir, 0);
    case FUSE_RENAME2:
        return begin_rename(r, q, (const char *)body + sizeof(in.rename2),
                in.rename2.newdir, in.rename2.flags);
    case FUSE_OPEN:
        if ((in.open.flags & O_TRUNC) && q->object != BOOK_NOTHING) {
            r->book->step++;
            change_size(r, q, 0);
        }
        return true;
    case FUSE_SETATTR:
        return begin_setattr(r, q, &in.setattr);
    case FUSE_WRITE:
        return begin_write(
                r, q, in.write.offset, body + sizeof(in.write), in.write.size);
    case FUSE_COPY_FILE_RANGE:
        return begin_copy(r, q, &in.copy);
    case FUSE_FALLOCATE:
        return begin_allocate(r, q, &in.fallocate);
    case FUSE_FSYNC:
    case FUSE_FSYNCDIR:
    case OPCODE_SYNCFS:
        return begin_sync(r, q);
    default:
        return true;
    }
}

bool requests_begin(
        struct requests *r, const void *request, size_t length, uint64_t made)
{
    struct fuse_in_header header;
    struct request *q = &r->pending[r->pending_count];
    uint8_t *body;
    bool good;

    if (length < sizeof(header) || r->pending_count == PENDING_MAX) {
        return complain(r, "cut short, or too many at once", 0);
    }
    memcpy(&header, request, sizeof(header));
    *q = (struct request){.unique = header.unique,
            .opcode = header.opcode,
            .step = r->book->step,
            .object = object_of(r, header.nodeid),
            .parent = object_of(r, header.nodeid),
            .other = BOOK_NOTHING};
    r->pending_count++;
    /* no decoder looks behind its end: zeros, and no less than the longest of them */
    body = shadow_grown(NULL, 0, length + 256, 1);
    memcpy(body, (const uint8_t *)request + sizeof(header), length - sizeof(header));
    good = begin(r, q, body, made);
    free(body);
    return good;
}

/* Replies */

static void restore(struct requests *r, struct request *q)
{
    struct shadow *shadow = shadow_of(r, q->object);

    shadow_doubt(shadow);
    shadow_resize(shadow, 0);
    shadow_put(shadow, 0, q->before, q->before_size);
}

/* It has done nothing, as far as its caller knows: that is a step, too. */
static bool take_back(struct requests *r, struct request *q)
{
    if (!q->changes) {
        return true;
    }
    r->book->step++;
    switch (q->opcode) {
    case FUSE_MKNOD:
    case FUSE_MKDIR:
    case FUSE_CREATE:
        book_remove(r->book, q->object);
        return true;
    case FUSE_UNLINK:
    case FUSE_RMDIR:
        book_move(r->book, q->object, q->old_parent, q->old_name);
        return true;
    case FUSE_RENAME:
    case FUSE_RENAME2:
        if (q->exchanges) {
            book_exchange(r->book, q->object, q->other);
            return true;
        }
        book_move(r->book, q->object, q->old_parent, q->old_name);
        if (q->other != BOOK_NOTHING && q->other != q->object) {
            book_move(r->book, q->other, q->parent, q->name);
        }
        return true;
    default:
        restore(r, q);
        note_version(r, q->object);
        return true;
    }
}

/* A size that somebody was told. After a failure it says how far that had come. */
static void hear_size(struct requests *r, uint32_t object, uint64_t size)
{
    struct shadow *shadow;

    if (object == BOOK_NOTHING || r->book->objects[object].is_directory) {
        return;
    }
    shadow = shadow_of(r, object);
    if (shadow->size != size && shadow->doubtful && size <= shadow->doubtful_size) {
        r->book->step++;
        shadow_resize(shadow, 0);
        shadow_put(shadow, 0, shadow->doubtful, (uint32_t)size);
        note_version(r, object);
    }
}

static void end_entry(struct requests *r, const struct request *q, const uint8_t *body)
{
    struct fuse_entry_out entry;
    uint32_t object = q->object;

    memcpy(&entry, body, sizeof(entry));
    if (q->opcode == FUSE_LOOKUP && entry.nodeid != 0 && q->parent != BOOK_NOTHING) {
        object = book_find(r->book, q->parent, q->name);
    }
    if (entry.nodeid != 0 && object != BOOK_NOTHING) {
        meet_node(r, entry.nodeid, object);
    }
}

static void end_listing(
        struct requests *r, const struct request *q, const uint8_t *body, size_t length)
{
    size_t at = 0;

    while (length - at >= sizeof(struct fuse_direntplus)) {
        struct fuse_direntplus plus;
        char name[BOOK_NAME_BYTES * 4] = "";
        uint32_t object;

        memcpy(&plus, body + at, sizeof(plus));
        if (plus.dirent.namelen < sizeof(name)) {
            memcpy(name, body + at + sizeof(plus), plus.dirent.namelen);
        }
        object = q->object == BOOK_NOTHING ? BOOK_NOTHING
                                           : book_find(r->book, q->object, name);
        if (plus.entry_out.nodeid != 0 && object != BOOK_NOTHING) {
            meet_node(r, plus.entry_out.nodeid, object);
        }
        at += (sizeof(plus) + plus.dirent.namelen + 7) & ~(size_t)7;
        if (at > length) {
            break;
        }
    }
}

/* Less was written than was asked for. */
static bool end_write(struct requests *r, struct request *q, const uint8_t *body)
{
    struct fuse_write_out out;
    uint8_t *kept;
    struct shadow *shadow;

    memcpy(&out, body, sizeof(out));
    if (!q->changes || out.size == q->length) {
        return true;
    }
    shadow = shadow_of(r, q->object);
    kept = shadow_grown(NULL, 0, (size_t)out.size + 1, 1);
    memcpy(kept, shadow->bytes + q->offset, out.size);
    r->book->step++;
    restore(r, q);
    shadow_put(shadow, q->offset, kept, out.size);
    note_version(r, q->object);
    free(kept);
    return true;
}

static bool end(
        struct requests *r, struct request *q, const uint8_t *body, size_t length)
{
    struct fuse_attr_out attr;

    memcpy(&attr, body, sizeof(attr));
    switch (q->opcode) {
    case FUSE_LOOKUP:
    case FUSE_MKNOD:
    case FUSE_MKDIR:
    case FUSE_CREATE:
        end_entry(r, q, body);
        return true;
    case FUSE_READDIRPLUS:
        end_listing(r, q, body, length);
        return true;
    case FUSE_GETATTR:
    case FUSE_SETATTR:
        hear_size(r, q->object, attr.attr.size);
        return true;
    case FUSE_WRITE:
    case FUSE_COPY_FILE_RANGE:
        return end_write(r, q, body);
    case FUSE_FSYNC:
        if (q->object != BOOK_NOTHING) {
            (void)book_promise_at(r->book, q->object, q->promising);
        }
        return true;
    case FUSE_FSYNCDIR:
    case OPCODE_SYNCFS:
        (void)book_promise_at(r->book, BOOK_NOTHING, q->promising);
        return true;
    default:
        return true;
    }
}

bool requests_end(struct requests *r, const void *reply, size_t length)
{
    struct fuse_out_header header;
    struct request *q = NULL;
    uint8_t *body;
    bool good;

    if (length < sizeof(header)) {
        return complain(r, "a reply cut short", 0);
    }
    memcpy(&header, reply, sizeof(header));
    for (size_t i = 0; i < r->pending_count; i++) {
        q = r->pending[i].unique == header.unique ? &r->pending[i] : q;
    }
    if (!q) {
        return complain(r, "a reply to nothing", 0);
    }
    body = shadow_grown(NULL, 0, length + 512, 1);
    memcpy(body, (const uint8_t *)reply + sizeof(header), length - sizeof(header));
    good = header.error != 0 ? take_back(r, q)
                             : end(r, q, body, length - sizeof(header));
    free(body);
    free(q->before);
    *q = r->pending[--r->pending_count];
    return good;
}
