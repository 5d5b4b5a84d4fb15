/* SPDX-License-Identifier: MIT */
#include "watched.h"

#include <pthread.h>
#include <stdlib.h>

#include "moment.h"

enum kind { READS, WRITES, KINDS };

/* One call that has not come back; lives on its caller's stack. */
struct call {
    struct call *next, *previous;
    struct timespec begun;
    const char *what;
    uint64_t offset;
    size_t length;
};

struct fat_watched {
    struct fat_blkdev base;
    struct fat_blkdev *medium;
    const struct fat_patience *patience;
    pthread_mutex_t lock; /* over everything below */
    struct call *oldest[KINDS], *newest[KINDS];
};

static void begin(struct fat_watched *watched, enum kind kind, struct call *call)
{
    call->begun = fat_moment_now();
    pthread_mutex_lock(&watched->lock);
    call->next = NULL;
    call->previous = watched->newest[kind];
    if (call->previous) {
        call->previous->next = call;
    } else {
        watched->oldest[kind] = call;
    }
    watched->newest[kind] = call;
    pthread_mutex_unlock(&watched->lock);
}

static void end(struct fat_watched *watched, enum kind kind, struct call *call)
{
    pthread_mutex_lock(&watched->lock);
    if (call->previous) {
        call->previous->next = call->next;
    } else {
        watched->oldest[kind] = call->next;
    }
    if (call->next) {
        call->next->previous = call->previous;
    } else {
        watched->newest[kind] = call->previous;
    }
    pthread_mutex_unlock(&watched->lock);
}

static fat_err watched_read(
        struct fat_blkdev *dev, uint64_t offset, void *buffer, size_t length)
{
    struct fat_watched *watched = (struct fat_watched *)dev;
    struct call call = {.what = "a read", .offset = offset, .length = length};
    fat_err err;

    begin(watched, READS, &call);
    err = watched->medium->ops->read(watched->medium, offset, buffer, length);
    end(watched, READS, &call);
    return err;
}

static fat_err watched_write(
        struct fat_blkdev *dev, uint64_t offset, const void *buffer, size_t length)
{
    struct fat_watched *watched = (struct fat_watched *)dev;
    struct call call = {.what = "a write", .offset = offset, .length = length};
    fat_err err;

    begin(watched, WRITES, &call);
    err = watched->medium->ops->write(watched->medium, offset, buffer, length);
    end(watched, WRITES, &call);
    return err;
}

static fat_err watched_flush(struct fat_blkdev *dev)
{
    struct fat_watched *watched = (struct fat_watched *)dev;
    struct call call = {.what = "a flush"};
    fat_err err;

    begin(watched, WRITES, &call);
    err = watched->medium->ops->flush(watched->medium);
    end(watched, WRITES, &call);
    return err;
}

/* close(2) of a block device writes out what the kernel still has for it. */
static void watched_close(struct fat_blkdev *dev)
{
    struct fat_watched *watched = (struct fat_watched *)dev;
    struct call call = {.what = "closing it"};

    begin(watched, WRITES, &call);
    fat_blkdev_close(watched->medium);
    end(watched, WRITES, &call);
}

static const struct fat_blkdev_ops watched_ops = {
        .read = watched_read,
        .write = watched_write,
        .flush = watched_flush,
        .close = watched_close,
};

struct fat_watched *fat_watched_new(
        struct fat_blkdev *medium, const struct fat_patience *patience)
{
    struct fat_watched *watched = calloc(1, sizeof(*watched));

    if (!watched || pthread_mutex_init(&watched->lock, NULL) != 0) {
        free(watched);
        return NULL;
    }
    watched->base = *medium;
    watched->base.ops = &watched_ops;
    watched->medium = medium;
    watched->patience = patience;
    return watched;
}

struct fat_blkdev *fat_watched_device(struct fat_watched *watched)
{
    return &watched->base;
}

void fat_watched_free(struct fat_watched *watched)
{
    if (watched) {
        pthread_mutex_destroy(&watched->lock);
        free(watched);
    }
}

static bool takes_longer(
        const struct call *call, unsigned seconds, const struct timespec *since)
{
    const bool is_old = fat_moment_is_before(&call->begun, since);
    const struct timespec end =
            fat_moment_after(is_old ? *since : call->begun, seconds);
    const struct timespec now = fat_moment_now();

    return !fat_moment_is_before(&now, &end);
}

bool fat_watched_is_overdue(struct fat_watched *watched, const struct timespec *since,
        struct fat_overdue *ret)
{
    const unsigned limits[KINDS] = {
            [READS] = watched->patience->reads, [WRITES] = watched->patience->writes};
    bool overdue = false;

    pthread_mutex_lock(&watched->lock);
    for (unsigned kind = 0; kind < KINDS && !overdue; kind++) {
        const struct call *call = watched->oldest[kind];

        overdue = call && takes_longer(call, limits[kind], since);
        if (overdue && ret) {
            *ret = (struct fat_overdue){.what = call->what,
                    .offset = call->offset,
                    .length = call->length,
                    .seconds = limits[kind]};
        }
    }
    pthread_mutex_unlock(&watched->lock);
    return overdue;
}
