/* SPDX-License-Identifier: MIT */
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

struct timespec fat_moment_after_ms(struct timespec moment, unsigned milliseconds)
{
    enum { NS_PER_MS = 1000000, NS_PER_SECOND = 1000000000 };

    moment = fat_moment_after(moment, milliseconds / 1000);
    moment.tv_nsec += (long)(milliseconds % 1000) * NS_PER_MS;
    if (moment.tv_nsec >= NS_PER_SECOND) {
        moment.tv_sec++;
        moment.tv_nsec -= NS_PER_SECOND;
    }
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
