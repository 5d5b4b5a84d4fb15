/* SPDX-License-Identifier: MIT */
#include "thread.h"

#include "moment.h"

static void *live(void *argument)
{
    struct fat_thread *thread = argument;

    thread->run(thread->context);
    pthread_mutex_lock(&thread->lock);
    thread->ended = true;
    pthread_cond_broadcast(&thread->end);
    pthread_mutex_unlock(&thread->lock);
    return NULL;
}

static bool init_conditions(struct fat_thread *thread)
{
    if (!fat_moment_init_condition(&thread->change)) {
        return false;
    }
    if (!fat_moment_init_condition(&thread->end)) {
        pthread_cond_destroy(&thread->change);
        return false;
    }
    return true;
}

static bool init_lock(struct fat_thread *thread)
{
    if (pthread_mutex_init(&thread->lock, NULL) != 0) {
        return false;
    }
    if (!init_conditions(thread)) {
        pthread_mutex_destroy(&thread->lock);
        return false;
    }
    return true;
}

static void destroy_lock(struct fat_thread *thread)
{
    pthread_cond_destroy(&thread->end);
    pthread_cond_destroy(&thread->change);
    pthread_mutex_destroy(&thread->lock);
}

bool fat_thread_start(
        struct fat_thread *thread, void (*run)(void *context), void *context)
{
    *thread = (struct fat_thread){.run = run, .context = context};
    if (!init_lock(thread)) {
        return false;
    }
    if (pthread_create(&thread->id, NULL, live, thread) != 0) {
        destroy_lock(thread);
        return false;
    }
    return true;
}

bool fat_thread_sleep(struct fat_thread *thread, const struct timespec *end)
{
    if (!end) {
        pthread_cond_wait(&thread->change, &thread->lock);
        return true;
    }
    return pthread_cond_timedwait(&thread->change, &thread->lock, end) == 0;
}

bool fat_thread_rest(struct fat_thread *thread, const struct timespec *end)
{
    bool go_on;

    pthread_mutex_lock(&thread->lock);
    while (!thread->stopping && fat_thread_sleep(thread, end)) {
    }
    go_on = !thread->stopping;
    pthread_mutex_unlock(&thread->lock);
    return go_on;
}

void fat_thread_wake(struct fat_thread *thread)
{
    pthread_cond_signal(&thread->change);
}

void fat_thread_stop(struct fat_thread *thread)
{
    pthread_mutex_lock(&thread->lock);
    thread->stopping = true;
    fat_thread_wake(thread);
    pthread_mutex_unlock(&thread->lock);
}

bool fat_thread_has_ended(struct fat_thread *thread)
{
    bool ended;

    pthread_mutex_lock(&thread->lock);
    ended = thread->ended;
    pthread_mutex_unlock(&thread->lock);
    return ended;
}

static bool wait_for_end(struct fat_thread *thread, const struct timespec *end)
{
    bool ended;
    int result = 0;

    pthread_mutex_lock(&thread->lock);
    while (!thread->ended && result == 0) {
        result = pthread_cond_timedwait(&thread->end, &thread->lock, end);
    }
    ended = thread->ended;
    pthread_mutex_unlock(&thread->lock);
    return ended;
}

bool fat_thread_join(struct fat_thread *thread, unsigned milliseconds)
{
    const struct timespec end = fat_moment_after_ms(fat_moment_now(), milliseconds);

    if (!thread->joined && wait_for_end(thread, &end)) {
        pthread_join(thread->id, NULL); /* it has nothing left to do */
        thread->joined = true;
    }
    return thread->joined;
}

void fat_thread_end(struct fat_thread *thread)
{
    fat_thread_stop(thread);
    if (!thread->joined) {
        pthread_join(thread->id, NULL);
    }
    destroy_lock(thread);
}
