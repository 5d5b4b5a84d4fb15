/* SPDX-License-Identifier: MIT */
#ifndef FAT_TIME_H
#define FAT_TIME_H

#include <stdint.h>

/* A moment in UTC, as struct timespec but of one width everywhere. */
struct fat_time {
    int64_t seconds; /* since 1970-01-01 00:00:00 UTC */
    uint32_t nanoseconds;
};

/* A clock: the present moment. */
typedef struct fat_time fat_clock_fn(void *context);

#endif
