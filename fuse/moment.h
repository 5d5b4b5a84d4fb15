/* SPDX-License-Identifier: MIT */
/* Moments on the monotonic clock, and waiting that has an end. */
#ifndef FAT_FUSE_MOMENT_H
#define FAT_FUSE_MOMENT_H

#include <pthread.h>
#include <stdbool.h>
#include <time.h>

struct timespec fat_moment_now(void);
struct timespec fat_moment_after(struct timespec moment, unsigned seconds);
struct timespec fat_moment_after_ms(struct timespec moment, unsigned milliseconds);
bool fat_moment_is_before(const struct timespec *a, const struct timespec *b);

/* For pthread_cond_timedwait() until such a moment. False without memory. */
bool fat_moment_init_condition(pthread_cond_t *condition);

#endif
