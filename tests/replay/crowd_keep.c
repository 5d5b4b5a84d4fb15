/* SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>

#include "crowd.h"
#include "crowd_worker.h"
#include "world.h"

static FILE *open_file(const char *directory, const char *name)
{
    char path[400];
    FILE *file;

    (void)snprintf(path, sizeof(path), "%s/%s", directory, name);
    file = fopen(path, "wb");
    if (!file) {
        perror(path);
        exit(1);
    }
    return file;
}

static void close_file(FILE *file)
{
    if (fclose(file) != 0) {
        perror("a bad state can't be kept");
        exit(1);
    }
}

static void keep_image(struct fat_blkdev *dev, const char *directory, const char *name)
{
    FILE *file = open_file(directory, name);
    uint8_t bytes[512];

    for (uint64_t at = 0; at < dev->size_bytes; at += sizeof(bytes)) {
        if (dev->ops->read(dev, at, bytes, sizeof(bytes)) != FAT_OK) {
            abort();
        }
        (void)fwrite(bytes, sizeof(bytes), 1, file);
    }
    close_file(file);
}

static void print_mark(
        FILE *file, const struct crowd_record *record, const struct recdev_mark *mark)
{
    const size_t value = mark->value;

    if (mark->tag == MARK_LINE) {
        (void)fprintf(file, "    %s\n", record->lines[value]);
    } else if (mark->tag == MARK_PROMISE) {
        const struct book_promise *promise = &record->book.promises[value - 1];

        (void)fprintf(file, "    promise %zu: object %u as of step %u\n", value,
                (unsigned)promise->object, (unsigned)promise->step);
    } else if (mark->tag == MARK_CLOSED) {
        (void)fprintf(file, "    closed\n");
    }
}

static void print_event(FILE *file, size_t position, const struct recdev_event *event)
{
    if (event->call == RECDEV_FLUSH) {
        (void)fprintf(file, "%zu flush\n", position);
    } else {
        (void)fprintf(file, "%zu write of %zu at sector %llu + %u\n", position,
                event->length, (unsigned long long)(event->offset / 512),
                (unsigned)(event->offset % 512));
    }
}

static void keep_log(const struct crowd_record *record, const char *directory)
{
    FILE *log = open_file(directory, "log");
    FILE *writes = open_file(directory, "writes");
    const size_t events = recdev_event_count(record->rec);
    size_t next = 0;

    for (size_t i = 0; i <= events; i++) {
        for (; next < recdev_mark_count(record->rec) &&
                recdev_mark_at(record->rec, next)->position <= i;
                next++) {
            print_mark(log, record, recdev_mark_at(record->rec, next));
        }
        if (i < events) {
            const struct recdev_event *event = recdev_event(record->rec, i);

            print_event(log, i, event);
            if (event->call == RECDEV_WRITE) {
                (void)fwrite(event->bytes, event->length, 1, writes);
            }
        }
    }
    close_file(writes);
    close_file(log);
}

void crowd_keep(const struct crowd_record *record, struct fat_blkdev *state,
        const char *directory)
{
    keep_image(recdev_start(record->rec), directory, "start.img");
    keep_log(record, directory);
    if (state) {
        keep_image(state, directory, "state.img");
    }
}
