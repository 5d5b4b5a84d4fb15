/* SPDX-License-Identifier: MIT */
#include "support/count.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

static _Atomic uint64_t counts[COUNT_KINDS];

static void print(void)
{
    static const char *const names[COUNT_KINDS] = {[COUNT_STATES] = "states judged",
            [COUNT_FAULTS] = "faults injected",
            [COUNT_IMAGES] = "images tried"};

    for (int kind = 0; kind < COUNT_KINDS; kind++) {
        const uint64_t count = atomic_load(&counts[kind]);

        if (count > 0) {
            printf("count: %" PRIu64 " %s\n", count, names[kind]);
        }
    }
}

static void print_at_exit(void)
{
    if (atexit(print) != 0) {
        abort();
    }
}

void count_add(enum count_kind kind, uint64_t number)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    (void)pthread_once(&once, print_at_exit); /* fails only for bad arguments */
    atomic_fetch_add(&counts[kind], number);
}
