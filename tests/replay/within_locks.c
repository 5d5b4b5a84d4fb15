/* SPDX-License-Identifier: MIT */
/*
 * Wrappers that tell within.c which locks the operation takes and lets go. Their names are
 * the linker's, not ours: what was fat_mutex_lock() becomes __wrap_fat_mutex_lock(), and
 * __real_fat_mutex_lock() is the engine's.
 */
#include "within.h"

/* NOLINTBEGIN(bugprone-reserved-identifier,readability-identifier-naming) */
#define WRAPPED(result, name, type)   \
    result __real_##name(type *lock); \
    result __wrap_##name(type *lock); \
    FAT_UNCHECKED result __wrap_##name(type *lock)

WRAPPED(void, fat_mutex_lock, struct fat_mutex)
{
    within_wants(lock->level);
    __real_fat_mutex_lock(lock);
    within_has(lock->level);
}

WRAPPED(bool, fat_mutex_try_lock, struct fat_mutex)
{
    const bool taken = __real_fat_mutex_try_lock(lock);

    if (taken) {
        within_has(lock->level);
    }
    return taken;
}

WRAPPED(void, fat_mutex_unlock, struct fat_mutex)
{
    const enum fat_lock_level level = lock->level; /* it may go with its node */

    __real_fat_mutex_unlock(lock);
    within_left(level);
}

WRAPPED(void, fat_rwlock_read, struct fat_rwlock)
{
    within_wants(lock->level);
    __real_fat_rwlock_read(lock);
    within_has(lock->level);
}

WRAPPED(void, fat_rwlock_read_end, struct fat_rwlock)
{
    const enum fat_lock_level level = lock->level;

    __real_fat_rwlock_read_end(lock);
    within_left(level);
}

WRAPPED(void, fat_rwlock_write, struct fat_rwlock)
{
    within_wants(lock->level);
    __real_fat_rwlock_write(lock);
    within_has(lock->level);
}

WRAPPED(void, fat_rwlock_write_end, struct fat_rwlock)
{
    const enum fat_lock_level level = lock->level;

    __real_fat_rwlock_write_end(lock);
    within_left(level);
}
/* NOLINTEND(bugprone-reserved-identifier,readability-identifier-naming) */
