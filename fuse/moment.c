/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE /* pthread_timedjoin_np */
#include "moment.h"

struct timespec fat_moment_now(void)
{
    struct timespec moment = {0};

    (void)clock_gettime(CLOCK_MONOTONIC, &moment); /* cannot fail with this clock */
    return moment;
}

struct timespec fat_moment_after(struct timespec moment, unsigned seconds)
{
    moment.tv_sec += (time_t)seconds;
    return moment;
}

bool fat_moment_is_before(const struct timespec *a, const struct timespec *b)
{
    return a->tv_sec != b->tv_sec ? a->tv_sec < b->tv_sec : a->tv_nsec < b->tv_nsec;
}

bool fat_moment_init_condition(pthread_cond_t *condition)
{
    pthread_condattr_t attributes;
    bool ok;

    if (pthread_condattr_init(&attributes) != 0) {
        return false;
    }
    ok = pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC) == 0 &&
         pthread_cond_init(condition, &attributes) == 0;
    pthread_condattr_destroy(&attributes);
    return ok;
}

bool fat_moment_join(pthread_t thread, unsigned milliseconds)
{
    struct timespec end = {0};

    (void)clock_gettime(CLOCK_REALTIME, &end); /* this join knows no other clock */
    end = fat_moment_after(end, milliseconds / 1000);
    end.tv_nsec += (long)(milliseconds % 1000) * 1000000;
    if (end.tv_nsec >= 1000000000) {
        end.tv_sec++;
        end.tv_nsec -= 1000000000;
    }
    return pthread_timedjoin_np(thread, NULL, &end) == 0;
}
