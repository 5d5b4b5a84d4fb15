/* SPDX-License-Identifier: MIT */
/*
 * What a test program has tried, for the totals of a run. When it ends it prints a line
 * for each kind that was counted, which tests/tally.py adds up:
 *
 *     count: 1234 states judged
 *
 * Threads: from any.
 */
#ifndef TEST_SUPPORT_COUNT_H
#define TEST_SUPPORT_COUNT_H

#include <stdint.h>

enum count_kind {
    COUNT_STATES, /* that a power cut may leave, each with a verdict          */
    COUNT_FAULTS, /* calls or allocations made to fail, a lasting fault is one */
    COUNT_IMAGES, /* volumes, sound or not, each opened or mounted and used   */
    COUNT_KINDS
};

void count_add(enum count_kind kind, uint64_t number);

#endif
