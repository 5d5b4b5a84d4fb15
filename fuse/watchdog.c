/* SPDX-License-Identifier: MIT */
#include "watchdog.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <time.h>

#include "moment.h"

/* Whoever can give up waiting by himself does so first, and has more to say. */
enum { LATER_SECONDS = 3 };

struct fat_watchdog {
    struct fat_watched *watched;
    fat_watchdog_fn *give_up;
    void *context;
    pthread_t thread;
    pthread_mutex_t lock; /* over everything below        */
    pthread_cond_t change;
    bool awake, stopping;
    struct timespec since; /* when it was woken */
};

/* False: time to stop. */
static bool sleep_till_woken(struct fat_watchdog *watchdog)
{
    bool awake;

    pthread_mutex_lock(&watchdog->lock);
    while (!watchdog->awake && !watchdog->stopping) {
        pthread_cond_wait(&watchdog->change, &watchdog->lock);
    }
    awake = watchdog->awake;
    pthread_mutex_unlock(&watchdog->lock);
    return awake;
}

/* False: time to stop. */
static bool wait_a_second(struct fat_watchdog *watchdog)
{
    const struct timespec end = fat_moment_after(fat_moment_now(), 1);
    bool go_on;
    int result = 0;

    pthread_mutex_lock(&watchdog->lock);
    while (!watchdog->stopping && result == 0) {
        result = pthread_cond_timedwait(&watchdog->change, &watchdog->lock, &end);
    }
    go_on = !watchdog->stopping;
    pthread_mutex_unlock(&watchdog->lock);
    return go_on;
}

static void *run(void *argument)
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
    return NULL;
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
    if (pthread_mutex_init(&watchdog->lock, NULL) == 0) {
        if (fat_moment_init_condition(&watchdog->change)) {
            if (pthread_create(&watchdog->thread, NULL, run, watchdog) == 0) {
                return watchdog;
            }
            pthread_cond_destroy(&watchdog->change);
        }
        pthread_mutex_destroy(&watchdog->lock);
    }
    free(watchdog);
    return NULL;
}

void fat_watchdog_wake(struct fat_watchdog *watchdog)
{
    if (!watchdog) {
        return;
    }
    pthread_mutex_lock(&watchdog->lock);
    if (!watchdog->awake) {
        watchdog->since = fat_moment_after(fat_moment_now(), LATER_SECONDS);
        watchdog->awake = true;
        pthread_cond_signal(&watchdog->change);
    }
    pthread_mutex_unlock(&watchdog->lock);
}

void fat_watchdog_free(struct fat_watchdog *watchdog)
{
    if (!watchdog) {
        return;
    }
    pthread_mutex_lock(&watchdog->lock);
    watchdog->stopping = true;
    pthread_cond_signal(&watchdog->change);
    pthread_mutex_unlock(&watchdog->lock);
    pthread_join(watchdog->thread, NULL);
    pthread_cond_destroy(&watchdog->change);
    pthread_mutex_destroy(&watchdog->lock);
    free(watchdog);
}
