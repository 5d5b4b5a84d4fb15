/* SPDX-License-Identifier: MIT */
#include "committer.h"

#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

#include "moment.h"

enum { QUIET_SECONDS = 1 };

struct fat_committer {
    struct fat_volume *volume;
    unsigned seconds;
    pthread_t thread;
    atomic_bool kicked;
    pthread_mutex_t lock; /* over @stopping and the sleep */
    pthread_cond_t wake;
    bool stopping;
    bool joined; /* the owner's */
};

/* False: time to stop. */
static bool wait_for_kick(struct fat_committer *committer)
{
    bool go_on;

    pthread_mutex_lock(&committer->lock);
    while (!committer->stopping && !atomic_load(&committer->kicked)) {
        pthread_cond_wait(&committer->wake, &committer->lock);
    }
    go_on = !committer->stopping;
    pthread_mutex_unlock(&committer->lock);
    return go_on;
}

/* False: time to stop. */
static bool sleep_until(struct fat_committer *committer, const struct timespec *end)
{
    int result = 0;
    bool go_on;

    pthread_mutex_lock(&committer->lock);
    while (!committer->stopping && result == 0) {
        result = pthread_cond_timedwait(&committer->wake, &committer->lock, end);
    }
    go_on = !committer->stopping;
    pthread_mutex_unlock(&committer->lock);
    return go_on;
}

/* From the first change to its commit, or somebody else's. False: time to stop. */
static bool settle(struct fat_committer *committer)
{
    const struct timespec last = fat_moment_after(fat_moment_now(), committer->seconds);
    struct fat_volume_pending seen = fat_volume_pending(committer->volume);

    while (seen.any) {
        struct timespec end = fat_moment_after(fat_moment_now(), QUIET_SECONDS);
        const uint64_t changes = seen.changes;

        if (fat_moment_is_before(&last, &end)) {
            end = last;
        }
        if (!sleep_until(committer, &end)) {
            return false;
        }
        seen = fat_volume_pending(committer->volume);
        if (seen.any &&
                (seen.changes == changes || !fat_moment_is_before(&end, &last))) {
            /* the engine has reported a failure, and every fsync will say so */
            (void)!fat_volume_commit(committer->volume);
            return true;
        }
    }
    return true;
}

static void *run(void *argument)
{
    struct fat_committer *committer = argument;

    /* the engine reports what it finds; a change would have to wait for this anyway */
    (void)!fat_volume_recover(committer->volume);
    while (wait_for_kick(committer)) {
        /* a change made from here on kicks again */
        atomic_store(&committer->kicked, false);
        if (!settle(committer)) {
            break;
        }
    }
    return NULL;
}

struct fat_committer *fat_committer_new(struct fat_volume *volume, unsigned seconds)
{
    struct fat_committer *committer = calloc(1, sizeof(*committer));

    if (!committer) {
        return NULL;
    }
    committer->volume = volume;
    committer->seconds = seconds;
    if (pthread_mutex_init(&committer->lock, NULL) == 0) {
        if (fat_moment_init_condition(&committer->wake)) {
            if (pthread_create(&committer->thread, NULL, run, committer) == 0) {
                return committer;
            }
            pthread_cond_destroy(&committer->wake);
        }
        pthread_mutex_destroy(&committer->lock);
    }
    free(committer);
    return NULL;
}

bool fat_committer_stop(struct fat_committer *committer, unsigned seconds)
{
    fat_volume_stop_recovery(committer->volume);
    pthread_mutex_lock(&committer->lock);
    committer->stopping = true;
    pthread_cond_signal(&committer->wake);
    pthread_mutex_unlock(&committer->lock);
    committer->joined =
            committer->joined || fat_moment_join(committer->thread, seconds * 1000);
    return committer->joined;
}

void fat_committer_free(struct fat_committer *committer)
{
    if (!committer) {
        return;
    }
    assert(committer->joined);
    pthread_cond_destroy(&committer->wake);
    pthread_mutex_destroy(&committer->lock);
    free(committer);
}

void fat_committer_kick(struct fat_committer *committer)
{
    if (atomic_exchange(&committer->kicked, true)) {
        return;
    }
    pthread_mutex_lock(&committer->lock);
    pthread_cond_signal(&committer->wake);
    pthread_mutex_unlock(&committer->lock);
}
