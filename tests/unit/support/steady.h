/* SPDX-License-Identifier: MIT */
/*
 * Memory for the tests' own tools, which must not fail when "support/failalloc.h"
 * makes the engine's allocations fail: aligned_alloc is not one of the wrapped
 * functions. Release with free().
 */
#ifndef TEST_SUPPORT_STEADY_H
#define TEST_SUPPORT_STEADY_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* NULL only if the host has no memory; never for @size 0. */
static inline void *steady_alloc(size_t size)
{
    const size_t unit = 16;

    if (size > SIZE_MAX - unit) {
        return NULL;
    }
    return aligned_alloc(unit, (size / unit + 1) * unit);
}

static inline void *steady_zalloc(size_t size)
{
    void *memory = steady_alloc(size);

    return memory ? memset(memory, 0, size) : NULL;
}

/* Room for more: the first @old_size bytes move, @memory is gone on success. */
static inline void *steady_grow(void *memory, size_t old_size, size_t new_size)
{
    void *bigger = steady_alloc(new_size);

    if (bigger && old_size > 0) {
        memcpy(bigger, memory, old_size);
    }
    if (bigger) {
        free(memory);
    }
    return bigger;
}

#endif
