/* SPDX-License-Identifier: MIT */
/*
 * The wrappers themselves. Their names are the linker's, not ours: what was
 * malloc() becomes __wrap_malloc(), and __real_malloc() is the one of the C
 * library, or of AddressSanitizer.
 */
#include "support/failalloc.h"

#include <errno.h>
#include <stdatomic.h>
#include <stddef.h>

#include "support/count.h"

static atomic_bool armed;
static atomic_uint count;
static atomic_size_t bytes;
static atomic_uint failures;
static atomic_uint first_to_fail;
static atomic_bool fails_always;

/* NOLINTBEGIN(bugprone-reserved-identifier,readability-identifier-naming) */
void *__real_malloc(size_t size);
void *__real_calloc(size_t number, size_t size);
void *__real_realloc(void *memory, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t number, size_t size);
void *__wrap_realloc(void *memory, size_t size);
/* NOLINTEND(bugprone-reserved-identifier,readability-identifier-naming) */

void failalloc_arm(unsigned nth, enum failalloc_lasting lasting)
{
    atomic_store(&armed, false);
    atomic_store(&count, 0);
    atomic_store(&bytes, 0);
    atomic_store(&failures, 0);
    atomic_store(&first_to_fail, nth);
    atomic_store(&fails_always, lasting == FAILALLOC_ALWAYS);
    atomic_store(&armed, true);
}

bool failalloc_disarm(void)
{
    const bool failed = atomic_load(&failures) > 0;

    if (atomic_exchange(&armed, false) && failed) {
        count_add(COUNT_FAULTS, 1);
    }
    return failed;
}

unsigned failalloc_count(void)
{
    return atomic_load(&count);
}

size_t failalloc_bytes(void)
{
    return atomic_load(&bytes);
}

static bool has_to_fail(size_t size)
{
    unsigned this_one;
    unsigned first;

    if (!atomic_load(&armed)) {
        return false;
    }
    this_one = atomic_fetch_add(&count, 1) + 1;
    atomic_fetch_add(&bytes, size);
    first = atomic_load(&first_to_fail);
    if (first == 0 || this_one < first ||
            (this_one > first && !atomic_load(&fails_always))) {
        return false;
    }
    atomic_fetch_add(&failures, 1);
    errno = ENOMEM;
    return true;
}

void *__wrap_malloc(size_t size)
{
    return has_to_fail(size) ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t number, size_t size)
{
    return has_to_fail(number * size) ? NULL : __real_calloc(number, size);
}

void *__wrap_realloc(void *memory, size_t size)
{
    return has_to_fail(size) ? NULL : __real_realloc(memory, size);
}
