/* SPDX-License-Identifier: MIT */
/*
 * Locks that know their floor.
 *
 * Locks are taken in rising level only. Three things watch over that: the comment
 * on every guarded field, Clang's thread-safety attributes at compile time, and an
 * assertion on every lock call in debug builds. docs/locking.md has the table.
 */
#ifndef FAT_BASE_LOCK_H
#define FAT_BASE_LOCK_H

#include <pthread.h>
#include <stdbool.h>

#if defined(__clang__)
#define FAT_CAPABILITY(name) __attribute__((capability(name)))
#define FAT_REQUIRES(...)    __attribute__((requires_capability(__VA_ARGS__)))
#define FAT_REQUIRES_SHARED(...) \
    __attribute__((requires_shared_capability(__VA_ARGS__)))
#define FAT_ACQUIRES(...)        __attribute__((acquire_capability(__VA_ARGS__)))
#define FAT_ACQUIRES_SHARED(...) __attribute__((acquire_shared_capability(__VA_ARGS__)))
#define FAT_TRY_ACQUIRES(...)    __attribute__((try_acquire_capability(__VA_ARGS__)))
#define FAT_TRY_ACQUIRES_SHARED(...) \
    __attribute__((try_acquire_shared_capability(__VA_ARGS__)))
#define FAT_RELEASES(...)        __attribute__((release_capability(__VA_ARGS__)))
#define FAT_RELEASES_SHARED(...) __attribute__((release_shared_capability(__VA_ARGS__)))
#define FAT_GUARDED_BY(lock)     __attribute__((guarded_by(lock)))
#define FAT_UNCHECKED            __attribute__((no_thread_safety_analysis))
#else
#define FAT_CAPABILITY(name)
#define FAT_REQUIRES(...)
#define FAT_REQUIRES_SHARED(...)
#define FAT_ACQUIRES(...)
#define FAT_ACQUIRES_SHARED(...)
#define FAT_TRY_ACQUIRES(...)
#define FAT_TRY_ACQUIRES_SHARED(...)
#define FAT_RELEASES(...)
#define FAT_RELEASES_SHARED(...)
#define FAT_GUARDED_BY(lock)
#define FAT_UNCHECKED
#endif

/* From the outermost to the innermost; a thread holds at most one lock of a level. */
enum fat_lock_level {
    FAT_LOCK_COMMIT,     /* one commit at a time, taken with nothing held         */
    FAT_LOCK_NAMESPACE,  /* rw: names and the contents of directories             */
    FAT_LOCK_NODE,       /* rw: data shared, growth and truncation exclusive      */
    FAT_LOCK_INTERVAL,   /* rw: edits shared, the snapshot of a commit exclusive  */
    FAT_LOCK_NODE_TABLE, /* which nodes are alive                                 */
    FAT_LOCK_INDEX,      /* index, run map and times of one node                  */
    FAT_LOCK_FAT,        /* free map and reservations                             */
    FAT_LOCK_CACHE,      /* blocks and their images; no device call under it      */
    FAT_LOCK_LEVELS
};

struct FAT_CAPABILITY("mutex") fat_mutex {
    pthread_mutex_t mutex;
    enum fat_lock_level level;
};

struct FAT_CAPABILITY("rwlock") fat_rwlock {
    pthread_rwlock_t lock;
    enum fat_lock_level level;
};

void fat_mutex_init(struct fat_mutex *l, enum fat_lock_level level);
void fat_mutex_done(struct fat_mutex *l);
void fat_mutex_lock(struct fat_mutex *l) FAT_ACQUIRES(*l);
void fat_mutex_unlock(struct fat_mutex *l) FAT_RELEASES(*l);

/* Gives up @l while waiting, as pthread_cond_wait(). */
void fat_mutex_wait(struct fat_mutex *l, pthread_cond_t *condition) FAT_REQUIRES(*l);

/* Writers go first: a stream of readers can't keep one waiting for ever. */
void fat_rwlock_init(struct fat_rwlock *l, enum fat_lock_level level);
void fat_rwlock_done(struct fat_rwlock *l);
void fat_rwlock_read(struct fat_rwlock *l) FAT_ACQUIRES_SHARED(*l);
void fat_rwlock_read_end(struct fat_rwlock *l) FAT_RELEASES_SHARED(*l);
void fat_rwlock_write(struct fat_rwlock *l) FAT_ACQUIRES(*l);

/* False, and not taken: somebody has it in the way of that. */
bool fat_mutex_try_lock(struct fat_mutex *l) FAT_TRY_ACQUIRES(true, *l);
bool fat_rwlock_try_read(struct fat_rwlock *l) FAT_TRY_ACQUIRES_SHARED(true, *l);
bool fat_rwlock_try_write(struct fat_rwlock *l) FAT_TRY_ACQUIRES(true, *l);
void fat_rwlock_write_end(struct fat_rwlock *l) FAT_RELEASES(*l);

/*
 * A second lock of a level that is held already: only for two nodes, in address
 * order, with the namespace held exclusively.
 */
void fat_rwlock_write_second(struct fat_rwlock *l) FAT_ACQUIRES(*l);

#endif
