/* SPDX-License-Identifier: MIT */
#include "crowd.h"

#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <fatward/file.h>

#include "crowd_worker.h"
#include "reader.h"
#include "support/epoch.h"
#include "world.h"

/* Anything but the day on which objects are created. */
#define OTHER_DAY (READER_EPOCH + INT64_C(86400) * 400)

static _Thread_local int64_t clock_seconds = OTHER_DAY;

static struct fat_time tell_time(void *context)
{
    (void)context;
    return (struct fat_time){.seconds = clock_seconds};
}

void crowd_set_clock(uint32_t object)
{
    clock_seconds = object > 0 ? READER_EPOCH + INT64_C(2) * object : OTHER_DAY;
}

uint32_t crowd_roll(struct crowd_worker *w, uint32_t sides)
{
    w->dice += UINT64_C(0x9e3779b97f4a7c15);
    return (uint32_t)(epoch_mix(w->dice) >> 16) % sides;
}

void crowd_complain(struct crowd *crowd, const char *format, ...)
{
    struct crowd_record *record = crowd->record;
    va_list arguments;

    pthread_mutex_lock(&crowd->lock);
    if (record->reason[0] == '\0') {
        va_start(arguments, format);
        (void)vsnprintf(record->reason, sizeof(record->reason), format, arguments);
        va_end(arguments);
    }
    pthread_mutex_unlock(&crowd->lock);
    atomic_store(&crowd->stop, true);
}

static void hear(void *context, const struct fat_report *report)
{
    crowd_complain(context, "it reports: %s (sector %llu, cluster %u)", report->text,
            (unsigned long long)report->sector, (unsigned)report->cluster);
}

/* The book and the log. */

static void mark(struct crowd *crowd, int tag, size_t value)
{
    if (recdev_mark(crowd->record->rec, tag, value) != FAT_OK) {
        abort();
    }
}

__attribute__((format(printf, 2, 0))) static void add_line(
        struct crowd_worker *w, const char *format, va_list arguments)
{
    struct crowd *crowd = w->crowd;
    struct crowd_record *record = crowd->record;
    char *line;
    int length;

    if (record->line_count == crowd->line_capacity) {
        crowd->line_capacity = crowd->line_capacity ? crowd->line_capacity * 2 : 256;
        record->lines =
                realloc(record->lines, crowd->line_capacity * sizeof(*record->lines));
        if (!record->lines) {
            abort();
        }
    }
    line = record->lines[record->line_count];
    length = snprintf(line, CROWD_LINE_BYTES,
            "step %u, thread %u: ", (unsigned)record->book.step, w->number);
    (void)vsnprintf(
            line + length, CROWD_LINE_BYTES - (size_t)length, format, arguments);
    mark(crowd, MARK_LINE, record->line_count++);
}

void crowd_say(struct crowd_worker *w, const char *format, ...)
{
    va_list arguments;

    pthread_mutex_lock(&w->crowd->lock);
    va_start(arguments, format);
    add_line(w, format, arguments);
    va_end(arguments);
    pthread_mutex_unlock(&w->crowd->lock);
}

void crowd_begin(struct crowd_worker *w, const char *format, ...)
{
    va_list arguments;

    pthread_mutex_lock(&w->crowd->lock);
    w->busy_step = ++w->crowd->record->book.step;
    mark(w->crowd, MARK_BEGIN, w->busy_step);
    va_start(arguments, format);
    add_line(w, format, arguments);
    va_end(arguments);
}

void crowd_change(struct crowd_worker *w, uint32_t object)
{
    if (object >= CROWD_OBJECTS_MAX) {
        abort();
    }
    w->crowd->objects[object].owner = w;
    w->crowd->objects[object].changed = w->busy_step;
}

void crowd_go(struct crowd_worker *w)
{
    pthread_mutex_unlock(&w->crowd->lock);
}

void crowd_end(struct crowd_worker *w)
{
    pthread_mutex_lock(&w->crowd->lock);
    w->busy_step = 0;
    pthread_mutex_unlock(&w->crowd->lock);
}

fat_err crowd_expect(struct crowd_worker *w, const char *what, fat_err err)
{
    if (err == FAT_E_NOSPC && w->crowd->tight) {
        pthread_mutex_lock(&w->crowd->lock);
        w->crowd->record->full++;
        pthread_mutex_unlock(&w->crowd->lock);
    } else if (err != FAT_OK) {
        crowd_complain(w->crowd, "%s of thread %u's own: %s", what, w->number,
                fat_err_text(err));
    }
    return err;
}

/* Promises. */

static void promise(struct crowd *crowd, uint32_t object, uint32_t step)
{
    struct crowd_object *o = &crowd->objects[object];

    if (step > o->promised) {
        mark(crowd, MARK_PROMISE, book_promise_at(&crowd->record->book, object, step));
        o->promised = step;
    }
}

void crowd_sync(struct crowd_worker *w, struct fat_node *node, uint32_t object)
{
    struct crowd *crowd = w->crowd;
    uint32_t step;
    fat_err err;

    crowd_say(w, "sync object %u", object);
    pthread_mutex_lock(&crowd->lock);
    step = crowd->record->book.step;
    pthread_mutex_unlock(&crowd->lock);
    err = crowd_expect(w, "sync", fat_node_sync(node));
    pthread_mutex_lock(&crowd->lock);
    if (err == FAT_OK) {
        promise(crowd, object, step);
    }
    pthread_mutex_unlock(&crowd->lock);
}

/* The last step of each object that is over, where it hasn't been promised yet. */
static void see_what_is_over(struct crowd_worker *w)
{
    const struct book *book = &w->crowd->record->book;

    for (uint32_t i = 1; i < book->object_count; i++) {
        const struct crowd_object *o = &w->crowd->objects[i];
        const bool waits = o->owner && o->changed > o->promised;

        w->steps[i] = !waits                ? 0
                      : o->owner->busy_step ? o->owner->busy_step - 1
                                            : book->step;
    }
}

void crowd_commit(struct crowd_worker *w)
{
    struct crowd *crowd = w->crowd;
    uint32_t count;
    fat_err err;

    crowd_say(w, "commit");
    pthread_mutex_lock(&crowd->lock);
    count = crowd->record->book.object_count;
    see_what_is_over(w);
    pthread_mutex_unlock(&crowd->lock);
    err = crowd_expect(w, "commit", fat_volume_commit(crowd->volume));
    pthread_mutex_lock(&crowd->lock);
    for (uint32_t i = 1; i < count && err == FAT_OK; i++) {
        promise(crowd, i, w->steps[i]);
    }
    pthread_mutex_unlock(&crowd->lock);
}

/* Threads. */

static void *work(void *context)
{
    struct crowd_worker *w = context;

    pace_join(w->dice);
    (void)pthread_barrier_wait(&w->crowd->start);
    for (uint32_t left = w->steps[0]; left > 0 && !atomic_load(&w->crowd->stop);
            left--) {
        if (atomic_load(&w->crowd->on_show) > 0 && crowd_roll(w, 2) == 0) {
            crowd_stare(w);
        } else if (crowd_roll(w, 5) < 3) {
            crowd_own_step(w);
        } else {
            crowd_common_step(w);
        }
        atomic_fetch_add(&w->crowd->progress, 1);
    }
    atomic_fetch_sub(&w->crowd->at_work, 1);
    return NULL;
}

/* One who only commits. */
static void *keep_committing(void *context)
{
    struct crowd_worker *w = context;

    pace_join(w->dice);
    (void)pthread_barrier_wait(&w->crowd->start);
    while (atomic_load(&w->crowd->at_work) > 0 && !atomic_load(&w->crowd->stop)) {
        pace_linger(&w->crowd->progress, crowd_roll(w, 25));
        crowd_commit(w);
    }
    return NULL;
}

static void run_threads(struct crowd *crowd)
{
    for (unsigned i = 0; i <= crowd->worker_count; i++) {
        struct crowd_worker *w = &crowd->workers[i];

        if (pthread_create(&w->thread, NULL,
                    i < crowd->worker_count ? work : keep_committing, w) != 0) {
            abort();
        }
    }
    for (unsigned i = 0; i <= crowd->worker_count; i++) {
        (void)pthread_join(crowd->workers[i].thread, NULL);
    }
}

/* The volume. */

static void open_hall(
        struct crowd *crowd, unsigned index, unsigned inside, const char *name)
{
    struct book *book = &crowd->record->book;
    struct crowd_hall *hall = &crowd->halls[index];
    struct fat_found found;

    if (fat_lookup(crowd->halls[inside].node, name, &found) != FAT_OK) {
        abort();
    }
    hall->name = name;
    hall->node = found.node;
    hall->object = book_find(book, crowd->halls[inside].object, name);
    book->objects[hall->object].is_common = true;
}

static void open_halls(struct crowd *crowd)
{
    crowd->halls[0] = (struct crowd_hall){
            .node = fat_volume_root(crowd->volume), .object = BOOK_ROOT, .name = ""};
    open_hall(crowd, 1, 0, "D");
    open_hall(crowd, 2, 0, "E");
    open_hall(crowd, 3, 1, "S");
}

static void close_halls(struct crowd *crowd)
{
    for (unsigned i = 0; i < CROWD_HALLS; i++) {
        fat_node_unref(crowd->halls[i].node);
    }
}

static void use_volume(struct crowd *crowd)
{
    struct fat_volume_info info;
    fat_err err;

    fat_volume_info(crowd->volume, &info);
    crowd->cluster_bytes = info.cluster_bytes;
    open_halls(crowd);
    run_threads(crowd);
    close_halls(crowd);
    err = fat_volume_close(crowd->volume);
    if (err != FAT_OK) {
        crowd_complain(crowd, "close: %s", fat_err_text(err));
    }
    mark(crowd, MARK_PROMISE, book_promise(&crowd->record->book, BOOK_NOTHING));
    mark(crowd, MARK_CLOSED, 0);
}

static void make_workers(struct crowd *crowd, const struct crowd_setting *setting)
{
    crowd->worker_count = setting->threads;
    atomic_init(&crowd->at_work, setting->threads);
    crowd->workers = calloc(setting->threads + 1, sizeof(*crowd->workers));
    if (!crowd->workers || setting->threads > CROWD_THREADS_MAX ||
            pthread_mutex_init(&crowd->lock, NULL) != 0 ||
            pthread_barrier_init(&crowd->start, NULL, setting->threads + 1) != 0) {
        abort();
    }
    for (unsigned i = 0; i <= setting->threads; i++) {
        crowd->workers[i] = (struct crowd_worker){.crowd = crowd,
                .number = i,
                .dice = setting->seed * 1000 + i,
                .steps[0] = setting->steps};
    }
}

static void forget_workers(struct crowd *crowd)
{
    (void)pthread_barrier_destroy(&crowd->start);
    (void)pthread_mutex_destroy(&crowd->lock);
    free(crowd->workers);
}

bool crowd_run(struct crowd_record *record, const struct crowd_setting *setting)
{
    struct crowd *crowd = calloc(1, sizeof(*crowd));
    const struct fat_volume_options options = {.cache_bytes = setting->cache_bytes,
            .clock = tell_time,
            .report = hear,
            .report_context = crowd};
    fat_err err;

    *record = (struct crowd_record){0};
    book_copy(&record->book, &setting->base->book);
    if (!crowd || recdev_new(setting->base->dev, &record->rec) != FAT_OK) {
        abort();
    }
    crowd->record = record;
    crowd->tight = setting->tight;
    make_workers(crowd, setting);
    pace_init(
            &crowd->pace, recdev_blkdev(record->rec), &crowd->progress, setting->seed);
    err = fat_volume_open(&crowd->pace.dev, &options, &crowd->volume);
    if (err == FAT_OK) {
        use_volume(crowd);
    } else {
        crowd_complain(crowd, "open: %s", fat_err_text(err));
    }
    forget_workers(crowd);
    free(crowd);
    return record->reason[0] == '\0';
}

void crowd_done(struct crowd_record *record)
{
    recdev_free(record->rec);
    book_done(&record->book);
    free(record->lines);
}
