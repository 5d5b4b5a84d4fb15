/* SPDX-License-Identifier: MIT */
#include "recording.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "requests.h"
#include "shim.h"
#include "world.h"

enum { PENDING_MAX = 64 };

/* A write or a flush that has begun. */
struct call {
    bool is_open, is_flush, overlaps;
    uint64_t number;
    const struct shim_record *record;
};

struct loader {
    struct recording *to;
    enum recording_order order;
    struct requests requests;
    struct call calls[PENDING_MAX];
};

static bool complain(struct recording *recording, const char *what)
{
    if (recording->reason[0] == '\0') {
        snprintf(recording->reason, sizeof(recording->reason), "%s", what);
    }
    return false;
}

static uint8_t *read_file(struct recording *recording, const char *path, size_t *ret)
{
    FILE *file = fopen(path, "rb");
    uint8_t *bytes = NULL;
    long size;

    if (!file || fseek(file, 0, SEEK_END) != 0 || (size = ftell(file)) < 0 ||
            fseek(file, 0, SEEK_SET) != 0) {
        (void)complain(recording, path);
    } else {
        bytes = malloc((size_t)size + 1);
        if (!bytes) {
            abort();
        }
        *ret = fread(bytes, 1, (size_t)size, file);
    }
    if (file) {
        fclose(file);
    }
    return bytes;
}

static bool load_start(struct recording *recording, const char *path)
{
    size_t length = 0;
    uint8_t *bytes = read_file(recording, path, &length);
    bool good = bytes && fat_blkdev_mem_new(length, &recording->start) == FAT_OK &&
                recording->start->ops->write(recording->start, 0, bytes, length) ==
                        FAT_OK &&
                recdev_new(recording->start, &recording->rec) == FAT_OK;

    free(bytes);
    return good || complain(recording, "the image can't be loaded");
}

static void mark(struct loader *loader, int tag, size_t value)
{
    if (recdev_mark(loader->to->rec, tag, value) != FAT_OK) {
        abort();
    }
}

/* Calls */

static struct call *call_of(struct loader *loader, uint64_t number, bool is_open)
{
    for (size_t i = 0; i < PENDING_MAX; i++) {
        struct call *call = &loader->calls[i];

        if (call->is_open == is_open && (!is_open || call->number == number)) {
            return call;
        }
    }
    return NULL;
}

static void begin_call(
        struct loader *loader, const struct shim_record *record, bool is_flush)
{
    struct call *call = call_of(loader, 0, false);

    if (!call) {
        abort(); /* the server has eight threads */
    }
    *call = (struct call){.is_open = true,
            .is_flush = is_flush,
            .number = record->b,
            .record = record};
    for (size_t i = 0; i < PENDING_MAX; i++) {
        struct call *other = &loader->calls[i];

        if (other->is_open && other->is_flush != is_flush) {
            other->overlaps = true;
            call->overlaps = true;
        }
    }
}

static bool emit(struct loader *loader, const struct shim_record *record)
{
    struct fat_blkdev *dev = recdev_blkdev(loader->to->rec);

    if (record->kind == SHIM_WRITE_BEGIN) {
        return dev->ops->write(dev, record->a, record + 1, (size_t)record->length) ==
               FAT_OK;
    }
    return dev->ops->flush(dev) == FAT_OK;
}

/* Is this the moment that counts for a call of this kind? */
static bool counts(const struct loader *loader, bool is_flush, bool is_begin)
{
    return is_begin == ((loader->order == RECORDING_EARLY) != is_flush);
}

static bool take_begin(
        struct loader *loader, const struct shim_record *record, bool is_flush)
{
    begin_call(loader, record, is_flush);
    return !counts(loader, is_flush, true) || emit(loader, record);
}

static bool take_end(
        struct loader *loader, const struct shim_record *record, bool is_flush)
{
    struct call *call = call_of(loader, record->b, true);
    bool good = call && call->is_flush == is_flush &&
                record->a == (is_flush ? 0 : call->record->length);

    if (good && counts(loader, is_flush, false)) {
        good = emit(loader, call->record);
    }
    if (good) {
        loader->to->overlaps += !is_flush && call->overlaps;
        *(is_flush ? &loader->to->flushes : &loader->to->writes) += 1;
        call->is_open = false;
    }
    return good || complain(loader->to, "a write or a flush has failed");
}

/* Requests */

static bool take_request(struct loader *loader, const struct shim_record *record)
{
    const uint32_t step = loader->to->book.step;

    if (!requests_begin(
                &loader->requests, record + 1, (size_t)record->length, record->a)) {
        return complain(loader->to, loader->requests.reason);
    }
    if (loader->to->book.step != step) {
        mark(loader, MARK_BEGIN, loader->to->book.step);
    }
    loader->to->requests++;
    return true;
}

static bool take_reply(struct loader *loader, const struct shim_record *record)
{
    const uint32_t step = loader->to->book.step;
    const size_t promises = loader->to->book.promise_count;

    if (!requests_end(&loader->requests, record + 1, (size_t)record->length)) {
        return complain(loader->to, loader->requests.reason);
    }
    if (loader->to->book.step != step) {
        mark(loader, MARK_BEGIN, loader->to->book.step);
    }
    if (loader->to->book.promise_count != promises) {
        mark(loader, MARK_PROMISE, loader->to->book.promise_count);
        loader->to->promises++;
    }
    return true;
}

static bool take_note(struct loader *loader, const struct shim_record *record)
{
    static const char closed[] = "closed";

    if (record->length == sizeof(closed) - 1 &&
            memcmp(record + 1, closed, sizeof(closed) - 1) == 0) {
        mark(loader, MARK_PROMISE, book_promise(&loader->to->book, BOOK_NOTHING));
        mark(loader, MARK_CLOSED, 0);
    } else {
        mark(loader, MARK_NOTE, record->a);
        loader->to->notes++;
    }
    return true;
}

static bool take(struct loader *loader, const struct shim_record *record)
{
    switch (record->kind) {
    case SHIM_WRITE_BEGIN:
    case SHIM_FLUSH_BEGIN:
        return take_begin(loader, record, record->kind == SHIM_FLUSH_BEGIN) ||
               complain(loader->to, "a write outside the volume");
    case SHIM_WRITE_END:
    case SHIM_FLUSH_END:
        return take_end(loader, record, record->kind == SHIM_FLUSH_END);
    case SHIM_REQUEST:
        return take_request(loader, record);
    case SHIM_REPLY:
        return take_reply(loader, record);
    case SHIM_NOTE:
        return take_note(loader, record);
    default:
        return complain(loader->to, "a record of no known kind");
    }
}

/* A copy of each record where its numbers are aligned; it lives as long as the load. */
static bool take_all(struct loader *loader, const uint8_t *log, size_t length)
{
    struct shim_record **records = NULL;
    size_t count = 0;
    size_t at = 0;
    bool good = true;

    while (good && at < length) {
        struct shim_record header;
        struct shim_record *record;

        if (length - at < sizeof(header)) {
            good = complain(loader->to, "the log ends within a record");
            break;
        }
        memcpy(&header, log + at, sizeof(header));
        if (header.magic != SHIM_MAGIC ||
                header.length > length - at - sizeof(header)) {
            good = complain(loader->to, "the log ends within a record");
            break;
        }
        record = malloc(sizeof(header) + (size_t)header.length);
        records = realloc(records, (count + 1) * sizeof(struct shim_record *));
        if (!record || !records) {
            abort();
        }
        memcpy(record, log + at, sizeof(header) + (size_t)header.length);
        records[count++] = record;
        at += sizeof(header) + (size_t)header.length;
        good = take(loader, record);
    }
    while (count > 0) {
        free(records[--count]);
    }
    free(records);
    return good;
}

bool recording_load(struct recording *recording, const char *start, const char *log,
        enum recording_order order)
{
    struct loader loader = {.to = recording, .order = order};
    uint8_t *bytes;
    size_t length = 0;
    bool good;

    *recording = (struct recording){0};
    book_init(&recording->book);
    recording->book.contents = &recording->cells;
    if (!load_start(recording, start)) {
        return false;
    }
    bytes = read_file(recording, log, &length);
    if (!bytes) {
        return false;
    }
    requests_init(&loader.requests, &recording->book);
    good = take_all(&loader, bytes, length);
    requests_done(&loader.requests);
    free(bytes);
    return good;
}

void recording_done(struct recording *recording)
{
    recdev_free(recording->rec);
    if (recording->start) {
        fat_blkdev_close(recording->start);
    }
    book_done(&recording->book);
    cells_done(&recording->cells);
}
