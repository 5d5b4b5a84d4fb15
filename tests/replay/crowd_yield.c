/* SPDX-License-Identifier: MIT */
/*
 * Wrappers that let others go first where another system, or another hour, might. Their
 * names are the linker's, not ours: what was calloc() becomes __wrap_calloc(), and
 * __real_calloc() is the one of the C library, or of a sanitizer.
 */
#include <pthread.h>
#include <stddef.h>

#include "crowd_pace.h"

/* NOLINTBEGIN(bugprone-reserved-identifier,readability-identifier-naming) */
void *__real_calloc(size_t number, size_t size);
void *__wrap_calloc(size_t number, size_t size);
int __real_pthread_mutex_lock(pthread_mutex_t *mutex);
int __wrap_pthread_mutex_lock(pthread_mutex_t *mutex);
int __real_pthread_rwlock_rdlock(pthread_rwlock_t *lock);
int __wrap_pthread_rwlock_rdlock(pthread_rwlock_t *lock);
int __real_pthread_rwlock_wrlock(pthread_rwlock_t *lock);
int __wrap_pthread_rwlock_wrlock(pthread_rwlock_t *lock);
/* NOLINTEND(bugprone-reserved-identifier,readability-identifier-naming) */

enum { AT_A_LOCK = 24, AT_MEMORY = 3 };

void *__wrap_calloc(size_t number, size_t size)
{
    pace_give_way(AT_MEMORY);
    pace_give_way(AT_MEMORY);
    return __real_calloc(number, size);
}

int __wrap_pthread_mutex_lock(pthread_mutex_t *mutex)
{
    pace_give_way(AT_A_LOCK);
    return __real_pthread_mutex_lock(mutex);
}

int __wrap_pthread_rwlock_rdlock(pthread_rwlock_t *lock)
{
    pace_give_way(AT_A_LOCK);
    return __real_pthread_rwlock_rdlock(lock);
}

int __wrap_pthread_rwlock_wrlock(pthread_rwlock_t *lock)
{
    pace_give_way(AT_A_LOCK);
    return __real_pthread_rwlock_wrlock(lock);
}
