/* SPDX-License-Identifier: MIT */
/*
 * A thread that serves its owner: it sleeps until there is something to do, and ends
 * when it is told to. The owner waits for that, but for no longer than he wants.
 */
#ifndef FAT_FUSE_THREAD_H
#define FAT_FUSE_THREAD_H

#include <pthread.h>
#include <stdbool.h>
#include <time.h>

struct fat_thread {
    pthread_t id;
    void (*run)(void *context);
    void *context;
    bool joined;          /* the owner's */
    pthread_mutex_t lock; /* over everything below, and what the owner shares */
    pthread_cond_t change, end;
    bool stopping; /* it is to end: set by fat_thread_stop() */
    bool ended;
};

/* False without memory or threads; then there is nothing to undo. */
bool fat_thread_start(
        struct fat_thread *thread, void (*run)(void *context), void *context);

/*
 * The thread itself, with the lock, which it gives up meanwhile: sleep until somebody
 * wakes it or tells it to stop, or until @end (NULL: for as long as it takes). For no
 * reason at all, too: what it waits for is asked in a loop.
 *
 * Returns false when @end has come.
 */
bool fat_thread_sleep(struct fat_thread *thread, const struct timespec *end);

/* The thread itself, without the lock: at @end; false, and earlier: it is to stop. */
bool fat_thread_rest(struct fat_thread *thread, const struct timespec *end);

/* The owner, with the lock: what he shares has changed. */
void fat_thread_wake(struct fat_thread *thread);

/* The owner, without it: the thread is to end. */
void fat_thread_stop(struct fat_thread *thread);

/* From any thread, without the lock. */
bool fat_thread_has_ended(struct fat_thread *thread);

/* The owner, without the lock: wait for the end; false: not within @milliseconds. */
bool fat_thread_join(struct fat_thread *thread, unsigned milliseconds);

/* Stop it, wait for as long as that takes, and forget it. */
void fat_thread_end(struct fat_thread *thread);

#endif
