/* SPDX-License-Identifier: MIT */
#include "within.h"

#include <stdlib.h>

static _Thread_local struct within *mine;    /* of the thread with the operation */
static _Thread_local struct within *commits; /* of the one with the commit      */

static void set_state(struct within *w, enum within_state state)
{
    pthread_mutex_lock(&w->lock);
    w->state = state;
    pthread_cond_broadcast(&w->changed);
    pthread_mutex_unlock(&w->lock);
}

static void wait_while(struct within *w, enum within_state state)
{
    pthread_mutex_lock(&w->lock);
    while (w->state == state) {
        pthread_cond_wait(&w->changed, &w->lock);
    }
    pthread_mutex_unlock(&w->lock);
}

static void *commit(void *context)
{
    struct within *w = context;

    commits = w;
    w->err = fat_volume_commit(w->world->volume);
    if (recdev_mark(w->world->rec, MARK_PROMISE, w->promises) != FAT_OK) {
        abort();
    }
    set_state(w, WITHIN_DONE);
    return NULL;
}

/* It promises what was there before the operation, and nothing of that. */
static void begin(struct within *w)
{
    w->begun = true;
    w->promises =
            book_promise_at(w->world->book, BOOK_NOTHING, w->world->book->step - 1);
    w->state = WITHIN_RUNS;
    if (pthread_create(&w->thread, NULL, commit, w) != 0) {
        abort();
    }
    wait_while(w, WITHIN_RUNS);
}

static void finish(struct within *w)
{
    if (!w->begun || w->state == WITHIN_IDLE) {
        return;
    }
    if (w->state == WITHIN_HALTS) {
        set_state(w, WITHIN_RUNS);
    }
    pthread_join(w->thread, NULL);
    w->state = WITHIN_IDLE;
}

static void point(struct within *w)
{
    if (w->locks > 0) {
        w->owed = true;
        return;
    }
    w->owed = false;
    if (w->point_to_come > 0 && --w->point_to_come == 0) {
        begin(w);
    }
}

static bool a_commit_wants(enum fat_lock_level level)
{
    return level != FAT_LOCK_NAMESPACE && level != FAT_LOCK_NODE;
}

static bool parts_sections(enum fat_lock_level level)
{
    return level == FAT_LOCK_COMMIT || level == FAT_LOCK_INTERVAL;
}

void within_wants(enum fat_lock_level level)
{
    if (!mine) {
        return;
    }
    if (parts_sections(level) && mine->locks == 0) {
        point(mine);
    }
    if (level == FAT_LOCK_COMMIT) {
        finish(mine);
    }
}

void within_has(enum fat_lock_level level)
{
    if (mine && a_commit_wants(level)) {
        mine->locks++;
    }
}

void within_left(enum fat_lock_level level)
{
    if (!mine || !a_commit_wants(level)) {
        return;
    }
    mine->locks--;
    if (mine->locks == 0 && (mine->owed || parts_sections(level))) {
        point(mine);
    }
}

static fat_err within_read(
        struct fat_blkdev *dev, uint64_t offset, void *buffer, size_t length)
{
    struct fat_blkdev *under = ((struct within *)(void *)dev)->under;

    if (mine) {
        mine->owed = true; /* a commit may want this very block */
    }
    return under->ops->read(under, offset, buffer, length);
}

static fat_err within_write(
        struct fat_blkdev *dev, uint64_t offset, const void *buffer, size_t length)
{
    struct fat_blkdev *under = ((struct within *)(void *)dev)->under;

    if (mine) {
        point(mine);
    }
    return under->ops->write(under, offset, buffer, length);
}

static fat_err within_flush(struct fat_blkdev *dev)
{
    struct within *w = (struct within *)(void *)dev;

    if (commits && commits->halts) {
        commits->halts = false;
        set_state(commits, WITHIN_HALTS);
        wait_while(commits, WITHIN_HALTS);
    }
    return w->under->ops->flush(w->under);
}

static const struct fat_blkdev_ops within_ops = {
        .read = within_read, .write = within_write, .flush = within_flush};

void within_init(struct within *w, struct fat_blkdev *under, struct world *world)
{
    *w = (struct within){.dev = {.ops = &within_ops,
                                 .size_bytes = under->size_bytes,
                                 .block_bytes = under->block_bytes},
            .under = under,
            .world = world,
            .lock = PTHREAD_MUTEX_INITIALIZER,
            .changed = PTHREAD_COND_INITIALIZER};
}

void within_watch(struct within *w, unsigned number, bool halts)
{
    w->point_to_come = number;
    w->halts = halts;
    mine = w;
}

void within_end(struct within *w)
{
    mine = NULL;
    finish(w);
}
