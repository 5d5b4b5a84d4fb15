/* SPDX-License-Identifier: MIT */
#include "committer.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

#include "moment.h"
#include "thread.h"

enum { QUIET_SECONDS = 1 };

struct fat_committer {
    struct fat_volume *volume;
    unsigned seconds;
    struct fat_thread thread;
    atomic_bool kicked;
};

/* False: time to stop. */
static bool wait_for_kick(struct fat_committer *committer)
{
    struct fat_thread *thread = &committer->thread;
    bool go_on;

    pthread_mutex_lock(&thread->lock);
    while (!thread->stopping && !atomic_load(&committer->kicked)) {
        (void)fat_thread_sleep(thread, NULL);
    }
    go_on = !thread->stopping;
    pthread_mutex_unlock(&thread->lock);
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
        if (!fat_thread_rest(&committer->thread, &end)) {
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

static void run(void *argument)
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
}

struct fat_committer *fat_committer_new(struct fat_volume *volume, unsigned seconds)
{
    struct fat_committer *committer = calloc(1, sizeof(*committer));

    if (!committer) {
        return NULL;
    }
    committer->volume = volume;
    committer->seconds = seconds;
    if (!fat_thread_start(&committer->thread, run, committer)) {
        free(committer);
        return NULL;
    }
    return committer;
}

bool fat_committer_stop(struct fat_committer *committer, unsigned seconds)
{
    fat_volume_stop_recovery(committer->volume);
    fat_thread_stop(&committer->thread);
    return fat_thread_join(&committer->thread, seconds * 1000);
}

void fat_committer_free(struct fat_committer *committer)
{
    if (committer) {
        assert(committer->thread.joined);
        fat_thread_end(&committer->thread);
        free(committer);
    }
}

void fat_committer_kick(struct fat_committer *committer)
{
    struct fat_thread *thread = &committer->thread;

    if (!atomic_exchange(&committer->kicked, true)) {
        pthread_mutex_lock(&thread->lock);
        fat_thread_wake(thread);
        pthread_mutex_unlock(&thread->lock);
    }
}
