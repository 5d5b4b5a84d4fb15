/* SPDX-License-Identifier: MIT */
#include "support/recdev.h"

#include <assert.h>
#include <pthread.h>
#include <stdbool.h>

#include "support/count.h"
#include "support/overlay.h"
#include "support/steady.h"

enum { CALL_KINDS = RECDEV_FLUSH + 1, FIRST_CAPACITY = 64 };

struct order {
    unsigned left; /* calls until it strikes; 0: no order, or it has struck */
    fat_err err;
    enum recdev_lasting lasting;
    bool has_struck;
};

struct recdev {
    struct fat_blkdev dev; /* first member: the methods cast back */
    struct overlay start;  /* when the log began, over the base   */
    struct overlay now;    /* over start                          */
    pthread_mutex_t lock;  /* all below                           */
    struct recdev_event *events;
    size_t event_count;
    size_t event_capacity;
    struct recdev_mark *marks;
    size_t mark_count;
    size_t mark_capacity;
    struct recdev_counts counts;
    struct order orders[CALL_KINDS];
    unsigned failures;
    unsigned until_hidden_flush;
    unsigned until_lost_write;
};

/* Room for one more element of @size bytes; false: no memory. */
static bool make_room(void **array, size_t count, size_t *capacity, size_t size)
{
    const size_t wanted = *capacity ? *capacity * 2 : FIRST_CAPACITY;
    void *bigger;

    if (count < *capacity) {
        return true;
    }
    bigger = steady_grow(*array, count * size, wanted * size);
    if (!bigger) {
        return false;
    }
    *array = bigger;
    *capacity = wanted;
    return true;
}

static bool room_for_event(struct recdev *rec)
{
    void *events = rec->events;
    const bool is_there = make_room(
            &events, rec->event_count, &rec->event_capacity, sizeof(*rec->events));

    rec->events = events;
    return is_there;
}

/* FAT_OK, or what this call was ordered to fail with. */
static fat_err obey(struct recdev *rec, enum recdev_call call)
{
    struct order *order = &rec->orders[call];

    if (order->left > 0) {
        order->left--;
        order->has_struck = order->left == 0;
        if (order->has_struck) {
            rec->failures++;
            count_add(COUNT_FAULTS, 1);
            return order->err;
        }
    } else if (order->has_struck && order->lasting == RECDEV_ALWAYS) {
        rec->failures++;
        return order->err;
    }
    return FAT_OK;
}

/* True once, when a countdown comes to its end. */
static bool is_due(unsigned *left)
{
    if (*left == 0) {
        return false;
    }
    (*left)--;
    return *left == 0;
}

static bool is_outside(const struct fat_blkdev *dev, uint64_t offset, size_t length)
{
    return offset > dev->size_bytes || length > dev->size_bytes - offset;
}

static fat_err rec_read(
        struct fat_blkdev *dev, uint64_t offset, void *buffer, size_t length)
{
    struct recdev *rec = (struct recdev *)dev;
    fat_err err;

    (void)pthread_mutex_lock(&rec->lock);
    rec->counts.reads++;
    err = obey(rec, RECDEV_READ);
    if (err == FAT_OK) {
        err = rec->now.dev.ops->read(&rec->now.dev, offset, buffer, length);
    }
    if (err == FAT_OK) {
        rec->counts.bytes_read += length;
    }
    (void)pthread_mutex_unlock(&rec->lock);
    return err;
}

static fat_err log_write(
        struct recdev *rec, uint64_t offset, const void *buffer, size_t length)
{
    uint8_t *bytes = NULL;

    if (room_for_event(rec)) {
        bytes = steady_alloc(length);
    }
    if (!bytes) {
        return FAT_E_NOMEM;
    }
    memcpy(bytes, buffer, length);
    rec->events[rec->event_count++] = (struct recdev_event){
            .call = RECDEV_WRITE, .offset = offset, .length = length, .bytes = bytes};
    return FAT_OK;
}

static fat_err write_locked(
        struct recdev *rec, uint64_t offset, const void *buffer, size_t length)
{
    fat_err err = obey(rec, RECDEV_WRITE);

    if (err != FAT_OK) {
        return err;
    }
    if (is_outside(&rec->dev, offset, length)) {
        return FAT_E_RANGE;
    }
    err = rec->now.dev.ops->write(&rec->now.dev, offset, buffer, length);
    if (err == FAT_OK && !is_due(&rec->until_lost_write)) {
        err = log_write(rec, offset, buffer, length);
    }
    if (err == FAT_OK) {
        rec->counts.bytes_written += length;
    }
    return err;
}

static fat_err rec_write(
        struct fat_blkdev *dev, uint64_t offset, const void *buffer, size_t length)
{
    struct recdev *rec = (struct recdev *)dev;
    fat_err err;

    if (dev->read_only) {
        return FAT_E_READONLY;
    }
    (void)pthread_mutex_lock(&rec->lock);
    rec->counts.writes++;
    err = write_locked(rec, offset, buffer, length);
    (void)pthread_mutex_unlock(&rec->lock);
    return err;
}

static fat_err flush_locked(struct recdev *rec)
{
    const fat_err err = obey(rec, RECDEV_FLUSH);

    if (err != FAT_OK || is_due(&rec->until_hidden_flush)) {
        return err;
    }
    if (!room_for_event(rec)) {
        return FAT_E_NOMEM;
    }
    rec->events[rec->event_count++] = (struct recdev_event){.call = RECDEV_FLUSH};
    return FAT_OK;
}

static fat_err rec_flush(struct fat_blkdev *dev)
{
    struct recdev *rec = (struct recdev *)dev;
    fat_err err;

    (void)pthread_mutex_lock(&rec->lock);
    rec->counts.flushes++;
    err = flush_locked(rec);
    (void)pthread_mutex_unlock(&rec->lock);
    return err;
}

static fat_err init_layers(struct recdev *rec, struct fat_blkdev *base)
{
    fat_err err = overlay_init(&rec->start, base);

    if (err != FAT_OK) {
        return err;
    }
    err = overlay_init(&rec->now, &rec->start.dev);
    if (err == FAT_OK && pthread_mutex_init(&rec->lock, NULL) != 0) {
        overlay_done(&rec->now);
        err = FAT_E_NOMEM;
    }
    if (err != FAT_OK) {
        overlay_done(&rec->start);
    }
    return err;
}

fat_err recdev_new(struct fat_blkdev *base, struct recdev **ret)
{
    static const struct fat_blkdev_ops ops = {
            .read = rec_read, .write = rec_write, .flush = rec_flush};
    struct recdev *rec = steady_zalloc(sizeof(*rec));
    fat_err err;

    if (!rec) {
        return FAT_E_NOMEM;
    }
    rec->dev = (struct fat_blkdev){.ops = &ops,
            .size_bytes = base->size_bytes,
            .block_bytes = base->block_bytes};
    err = init_layers(rec, base);
    if (err != FAT_OK) {
        free(rec);
        return err;
    }
    *ret = rec;
    return FAT_OK;
}

static void empty_log(struct recdev *rec)
{
    for (size_t i = 0; i < rec->event_count; i++) {
        free(rec->events[i].bytes);
    }
    rec->event_count = 0;
    rec->mark_count = 0;
}

void recdev_free(struct recdev *rec)
{
    if (!rec) {
        return;
    }
    empty_log(rec);
    free(rec->events);
    free(rec->marks);
    overlay_done(&rec->now);
    overlay_done(&rec->start);
    (void)pthread_mutex_destroy(&rec->lock);
    free(rec);
}

struct fat_blkdev *recdev_blkdev(struct recdev *rec)
{
    return &rec->dev;
}

struct fat_blkdev *recdev_start(struct recdev *rec)
{
    return &rec->start.dev;
}

fat_err recdev_restart(struct recdev *rec)
{
    const fat_err err = overlay_sink(&rec->now);

    if (err == FAT_OK) {
        empty_log(rec);
    }
    return err;
}

fat_err recdev_mark(struct recdev *rec, int tag, uintptr_t value)
{
    void *marks;
    bool is_there;

    (void)pthread_mutex_lock(&rec->lock);
    marks = rec->marks;
    is_there = make_room(
            &marks, rec->mark_count, &rec->mark_capacity, sizeof(*rec->marks));
    rec->marks = marks;
    if (is_there) {
        rec->marks[rec->mark_count++] = (struct recdev_mark){
                .position = rec->event_count, .tag = tag, .value = value};
    }
    (void)pthread_mutex_unlock(&rec->lock);
    return is_there ? FAT_OK : FAT_E_NOMEM;
}

size_t recdev_event_count(const struct recdev *rec)
{
    return rec->event_count;
}

const struct recdev_event *recdev_event(const struct recdev *rec, size_t position)
{
    assert(position < rec->event_count);
    return &rec->events[position];
}

size_t recdev_mark_count(const struct recdev *rec)
{
    return rec->mark_count;
}

const struct recdev_mark *recdev_mark_at(const struct recdev *rec, size_t index)
{
    assert(index < rec->mark_count);
    return &rec->marks[index];
}

struct recdev_counts recdev_counts(const struct recdev *rec)
{
    return rec->counts;
}

void recdev_reset_counts(struct recdev *rec)
{
    rec->counts = (struct recdev_counts){0};
}

void recdev_fail(struct recdev *rec, enum recdev_call call, unsigned nth, fat_err err,
        enum recdev_lasting lasting)
{
    rec->orders[call] = (struct order){.left = nth, .err = err, .lasting = lasting};
}

unsigned recdev_failures(const struct recdev *rec)
{
    return rec->failures;
}

void recdev_hide_flush(struct recdev *rec, unsigned nth)
{
    rec->until_hidden_flush = nth;
}

void recdev_lose_write(struct recdev *rec, unsigned nth)
{
    rec->until_lost_write = nth;
}
