/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/lock.h"
#include "support/cmocka.h"

static void pause_ms(long ms)
{
    const struct timespec time = {.tv_nsec = ms * 1000000};

    nanosleep(&time, NULL);
}

/* What a case does with one lock of each level. */
struct locks {
    struct fat_mutex commit, cache, fat, index, index2;
    struct fat_rwlock names, node, node2, interval;
};

static void locks_init(struct locks *l)
{
    fat_mutex_init(&l->commit, FAT_LOCK_COMMIT);
    fat_mutex_init(&l->cache, FAT_LOCK_CACHE);
    fat_mutex_init(&l->fat, FAT_LOCK_FAT);
    fat_mutex_init(&l->index, FAT_LOCK_INDEX);
    fat_mutex_init(&l->index2, FAT_LOCK_INDEX);
    fat_rwlock_init(&l->names, FAT_LOCK_NAMESPACE);
    fat_rwlock_init(&l->node, FAT_LOCK_NODE);
    fat_rwlock_init(&l->node2, FAT_LOCK_NODE);
    fat_rwlock_init(&l->interval, FAT_LOCK_INTERVAL);
}

static void locks_done(struct locks *l)
{
    fat_mutex_done(&l->commit);
    fat_mutex_done(&l->cache);
    fat_mutex_done(&l->fat);
    fat_mutex_done(&l->index);
    fat_mutex_done(&l->index2);
    fat_rwlock_done(&l->names);
    fat_rwlock_done(&l->node);
    fat_rwlock_done(&l->node2);
    fat_rwlock_done(&l->interval);
}

/* The process that does it is killed by an assertion. */
static bool dies(void (*wrong)(struct locks *l))
{
    int status = 0;
    const pid_t child = fork();

    if (child == 0) {
        struct locks l;
        const int nowhere = open("/dev/null", O_WRONLY);

        dup2(nowhere, STDERR_FILENO);
        locks_init(&l);
        wrong(&l);
        _exit(0);
    }
    assert_true(child > 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT;
}

FAT_UNCHECKED static void mutex_below(struct locks *l)
{
    fat_mutex_lock(&l->cache);
    fat_mutex_lock(&l->fat);
}

FAT_UNCHECKED static void same_mutex_level(struct locks *l)
{
    fat_mutex_lock(&l->index);
    fat_mutex_lock(&l->index2);
}

FAT_UNCHECKED static void read_below_mutex(struct locks *l)
{
    fat_mutex_lock(&l->index);
    fat_rwlock_read(&l->interval);
}

FAT_UNCHECKED static void write_below_read(struct locks *l)
{
    fat_rwlock_read(&l->node);
    fat_rwlock_write(&l->names);
}

FAT_UNCHECKED static void read_twice(struct locks *l)
{
    fat_rwlock_read(&l->interval);
    fat_rwlock_read(&l->interval);
}

FAT_UNCHECKED static void commit_with_something_held(struct locks *l)
{
    fat_rwlock_read(&l->names);
    fat_mutex_lock(&l->commit);
}

FAT_UNCHECKED static void second_node_without_names(struct locks *l)
{
    fat_rwlock_write(&l->node);
    fat_rwlock_write_second(&l->node2);
}

FAT_UNCHECKED static void second_without_a_first(struct locks *l)
{
    fat_rwlock_write(&l->names);
    fat_rwlock_write_second(&l->node2);
}

FAT_UNCHECKED static void unlock_what_is_not_held(struct locks *l)
{
    fat_mutex_unlock(&l->fat);
}

FAT_UNCHECKED static void rising(struct locks *l)
{
    fat_mutex_lock(&l->commit);
    fat_rwlock_write(&l->names);
    fat_rwlock_write(&l->node);
    fat_rwlock_write_second(&l->node2);
    fat_rwlock_read(&l->interval);
    fat_mutex_lock(&l->index);
    fat_mutex_lock(&l->fat);
    fat_mutex_lock(&l->cache);
    fat_mutex_unlock(&l->cache);
    fat_mutex_unlock(&l->fat);
    fat_mutex_unlock(&l->index);
    fat_rwlock_read_end(&l->interval);
    fat_rwlock_write_end(&l->node2);
    fat_rwlock_write_end(&l->node);
    fat_rwlock_write_end(&l->names);
    fat_mutex_unlock(&l->commit);
}

static void an_order_that_does_not_rise_ends_a_debug_build(void **state)
{
    static const struct {
        const char *name;
        void (*wrong)(struct locks *l);
    } rows[] = {
            {"a mutex below a mutex", mutex_below},
            {"two mutexes of a level", same_mutex_level},
            {"a shared lock below a mutex", read_below_mutex},
            {"an exclusive lock below a shared one", write_below_read},
            {"the same lock shared twice", read_twice},
            {"the commit with something held", commit_with_something_held},
            {"a second node without the namespace", second_node_without_names},
            {"a second node without a first", second_without_a_first},
            {"giving back what is not held", unlock_what_is_not_held},
    };

    (void)state;
#ifdef NDEBUG
    skip();
#endif
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (!dies(rows[i].wrong)) {
            fail_msg("%s: nothing happened", rows[i].name);
        }
    }
    assert_false(dies(rising));
}

static void a_rising_order_may_be_taken_again_and_again(void **state)
{
    struct locks l;

    (void)state;
    locks_init(&l);
    rising(&l);
    rising(&l);
    locks_done(&l);
}

/* Who came in, in which order. */
struct queue {
    struct fat_rwlock lock;
    atomic_int next;
    int writer, reader;
};

static void *write_once(void *context)
{
    struct queue *q = context;

    fat_rwlock_write(&q->lock);
    q->writer = ++q->next;
    fat_rwlock_write_end(&q->lock);
    return NULL;
}

static void *read_once(void *context)
{
    struct queue *q = context;

    fat_rwlock_read(&q->lock);
    q->reader = ++q->next;
    fat_rwlock_read_end(&q->lock);
    return NULL;
}

static void a_waiting_writer_goes_before_a_reader_that_comes_later(void **state)
{
    struct queue q = {.writer = 0};
    pthread_t writer, reader;

    (void)state;
    fat_rwlock_init(&q.lock, FAT_LOCK_NAMESPACE);
    fat_rwlock_read(&q.lock);
    assert_int_equal(pthread_create(&writer, NULL, write_once, &q), 0);
    pause_ms(100);
    assert_int_equal(pthread_create(&reader, NULL, read_once, &q), 0);
    pause_ms(100);
    assert_int_equal(q.next, 0);
    fat_rwlock_read_end(&q.lock);
    pthread_join(writer, NULL);
    pthread_join(reader, NULL);
    assert_int_equal(q.writer, 1);
    assert_int_equal(q.reader, 2);
    fat_rwlock_done(&q.lock);
}

static void readers_share(void **state)
{
    struct queue q = {.writer = 0};
    pthread_t reader;

    (void)state;
    fat_rwlock_init(&q.lock, FAT_LOCK_NAMESPACE);
    fat_rwlock_read(&q.lock);
    assert_int_equal(pthread_create(&reader, NULL, read_once, &q), 0);
    pthread_join(reader, NULL); /* it did not wait for us */
    assert_int_equal(q.reader, 1);
    fat_rwlock_read_end(&q.lock);
    fat_rwlock_done(&q.lock);
}

struct signal_box {
    struct fat_mutex lock;
    pthread_cond_t rung;
    bool ring;
};

static void *ring(void *context)
{
    struct signal_box *box = context;

    fat_mutex_lock(&box->lock); /* only to be had while the other waits */
    box->ring = true;
    pthread_cond_signal(&box->rung);
    fat_mutex_unlock(&box->lock);
    return NULL;
}

static void waiting_gives_the_mutex_up_and_takes_it_back(void **state)
{
    struct signal_box box = {.ring = false};
    pthread_t other;

    (void)state;
    fat_mutex_init(&box.lock, FAT_LOCK_CACHE);
    pthread_cond_init(&box.rung, NULL);
    fat_mutex_lock(&box.lock);
    assert_int_equal(pthread_create(&other, NULL, ring, &box), 0);
    while (!box.ring) {
        fat_mutex_wait(&box.lock, &box.rung);
    }
    fat_mutex_unlock(&box.lock);
    pthread_join(other, NULL);
    pthread_cond_destroy(&box.rung);
    fat_mutex_done(&box.lock);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(an_order_that_does_not_rise_ends_a_debug_build),
            cmocka_unit_test(a_rising_order_may_be_taken_again_and_again),
            cmocka_unit_test(a_waiting_writer_goes_before_a_reader_that_comes_later),
            cmocka_unit_test(readers_share),
            cmocka_unit_test(waiting_gives_the_mutex_up_and_takes_it_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
