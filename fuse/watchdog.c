/* SPDX-License-Identifier: MIT */
#include "watchdog.h"

#include <stdbool.h>
#include <stdlib.h>
#include <time.h>

#include "moment.h"
#include "thread.h"

/* Whoever can give up waiting by himself does so first, and has more to say. */
enum { LATER_SECONDS = 3 };

struct fat_watchdog {
    struct fat_watched *watched;
    fat_watchdog_fn *give_up;
    void *context;
    struct fat_thread thread;
    bool awake;            /* under the thread's lock, as what follows */
    struct timespec since; /* when it was woken */
};

/* False: time to stop. */
static bool sleep_till_woken(struct fat_watchdog *watchdog)
{
    struct fat_thread *thread = &watchdog->thread;
    bool go_on;

    pthread_mutex_lock(&thread->lock);
    while (!watchdog->awake && !thread->stopping) {
        (void)fat_thread_sleep(thread, NULL);
    }
    go_on = !thread->stopping;
    pthread_mutex_unlock(&thread->lock);
    return go_on;
}

/* False: time to stop. */
static bool wait_a_second(struct fat_watchdog *watchdog)
{
    const struct timespec end = fat_moment_after(fat_moment_now(), 1);

    return fat_thread_rest(&watchdog->thread, &end);
}

static void run(void *argument)
{
    struct fat_watchdog *watchdog = argument;
    struct fat_overdue overdue;
    bool go_on = sleep_till_woken(watchdog);

    while (go_on) {
        if (fat_watched_is_overdue(watchdog->watched, &watchdog->since, &overdue)) {
            watchdog->give_up(watchdog->context, &overdue);
        }
        go_on = wait_a_second(watchdog);
    }
}

struct fat_watchdog *fat_watchdog_new(
        struct fat_watched *watched, fat_watchdog_fn *give_up, void *context)
{
    struct fat_watchdog *watchdog = calloc(1, sizeof(*watchdog));

    if (!watchdog) {
        return NULL;
    }
    watchdog->watched = watched;
    watchdog->give_up = give_up;
    watchdog->context = context;
    if (!fat_thread_start(&watchdog->thread, run, watchdog)) {
        free(watchdog);
        return NULL;
    }
    return watchdog;
}

void fat_watchdog_wake(struct fat_watchdog *watchdog)
{
    struct fat_thread *thread;

    if (!watchdog) {
        return;
    }
    thread = &watchdog->thread;
    pthread_mutex_lock(&thread->lock);
    if (!watchdog->awake) {
        watchdog->since = fat_moment_after(fat_moment_now(), LATER_SECONDS);
        watchdog->awake = true;
        fat_thread_wake(thread);
    }
    pthread_mutex_unlock(&thread->lock);
}

void fat_watchdog_free(struct fat_watchdog *watchdog)
{
    if (watchdog) {
        fat_thread_end(&watchdog->thread);
        free(watchdog);
    }
}
