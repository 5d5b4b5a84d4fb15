/* SPDX-License-Identifier: MIT */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP */
#endif
#include "base/lock.h"

#include <assert.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>

/* How many locks of each level this thread holds. */
static _Thread_local uint8_t held[FAT_LOCK_LEVELS];

/* A lock that can't be made or taken is a broken program, not a runtime error. */
static void insist(int result)
{
    if (result != 0) {
        abort();
    }
}

static inline bool nothing_above(enum fat_lock_level level)
{
    for (unsigned i = (unsigned)level + 1; i < FAT_LOCK_LEVELS; i++) {
        if (held[i] > 0) {
            return false;
        }
    }
    return true;
}

static void enter(enum fat_lock_level level)
{
    assert(nothing_above(level) && held[level] == 0);
    held[level]++;
}

static void leave(enum fat_lock_level level)
{
    assert(held[level] > 0);
    held[level]--;
}

void fat_mutex_init(struct fat_mutex *l, enum fat_lock_level level)
{
    l->level = level;
    insist(pthread_mutex_init(&l->mutex, NULL));
}

void fat_mutex_done(struct fat_mutex *l)
{
    insist(pthread_mutex_destroy(&l->mutex));
}

FAT_UNCHECKED void fat_mutex_lock(struct fat_mutex *l)
{
    enter(l->level);
    insist(pthread_mutex_lock(&l->mutex));
}

FAT_UNCHECKED void fat_mutex_unlock(struct fat_mutex *l)
{
    leave(l->level);
    insist(pthread_mutex_unlock(&l->mutex));
}

FAT_UNCHECKED void fat_mutex_wait(struct fat_mutex *l, pthread_cond_t *condition)
{
    insist(pthread_cond_wait(condition, &l->mutex));
}

static bool enter_if(int result, enum fat_lock_level level)
{
    if (result == EBUSY) {
        return false;
    }
    insist(result);
    enter(level);
    return true;
}

FAT_UNCHECKED bool fat_mutex_try_lock(struct fat_mutex *l)
{
    return enter_if(pthread_mutex_trylock(&l->mutex), l->level);
}

void fat_rwlock_init(struct fat_rwlock *l, enum fat_lock_level level)
{
    pthread_rwlockattr_t attributes;

    l->level = level;
    insist(pthread_rwlockattr_init(&attributes));
    insist(pthread_rwlockattr_setkind_np(
            &attributes, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP));
    insist(pthread_rwlock_init(&l->lock, &attributes));
    insist(pthread_rwlockattr_destroy(&attributes));
}

void fat_rwlock_done(struct fat_rwlock *l)
{
    insist(pthread_rwlock_destroy(&l->lock));
}

FAT_UNCHECKED void fat_rwlock_read(struct fat_rwlock *l)
{
    enter(l->level);
    insist(pthread_rwlock_rdlock(&l->lock));
}

FAT_UNCHECKED void fat_rwlock_read_end(struct fat_rwlock *l)
{
    leave(l->level);
    insist(pthread_rwlock_unlock(&l->lock));
}

FAT_UNCHECKED void fat_rwlock_write(struct fat_rwlock *l)
{
    enter(l->level);
    insist(pthread_rwlock_wrlock(&l->lock));
}

FAT_UNCHECKED bool fat_rwlock_try_read(struct fat_rwlock *l)
{
    return enter_if(pthread_rwlock_tryrdlock(&l->lock), l->level);
}

FAT_UNCHECKED bool fat_rwlock_try_write(struct fat_rwlock *l)
{
    return enter_if(pthread_rwlock_trywrlock(&l->lock), l->level);
}

FAT_UNCHECKED void fat_rwlock_write_second(struct fat_rwlock *l)
{
    assert(l->level == FAT_LOCK_NODE && held[FAT_LOCK_NAMESPACE] > 0);
    assert(nothing_above(l->level) && held[l->level] == 1);
    held[l->level]++;
    insist(pthread_rwlock_wrlock(&l->lock));
}

FAT_UNCHECKED void fat_rwlock_write_end(struct fat_rwlock *l)
{
    leave(l->level);
    insist(pthread_rwlock_unlock(&l->lock));
}
