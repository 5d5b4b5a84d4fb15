/* SPDX-License-Identifier: MIT */
#include "fuse/moment.h"
#include "fuse/thread.h"
#include "support/cmocka.h"

enum { AN_HOUR = 3600, LONG_MS = 3600 * 1000 };

/* Does a piece of work each time it is woken for one. */
struct servant {
    struct fat_thread thread;
    unsigned wanted, done; /* under the thread's lock */
};

static void serve(void *context)
{
    struct servant *s = context;

    pthread_mutex_lock(&s->thread.lock);
    while (!s->thread.stopping) {
        if (s->done < s->wanted) {
            s->done++;
        } else {
            (void)fat_thread_sleep(&s->thread, NULL);
        }
    }
    pthread_mutex_unlock(&s->thread.lock);
}

static void it_works_when_it_is_woken_and_ends_when_it_is_stopped(void **state)
{
    struct servant s = {.wanted = 0};
    unsigned done = 0;

    (void)state;
    assert_true(fat_thread_start(&s.thread, serve, &s));
    for (unsigned i = 1; i <= 1000; i++) {
        pthread_mutex_lock(&s.thread.lock);
        s.wanted = i;
        fat_thread_wake(&s.thread);
        pthread_mutex_unlock(&s.thread.lock);
    }
    while (done < 1000) { /* a lost wake-up hangs here */
        pthread_mutex_lock(&s.thread.lock);
        done = s.done;
        pthread_mutex_unlock(&s.thread.lock);
    }
    assert_false(fat_thread_has_ended(&s.thread));
    fat_thread_stop(&s.thread);
    assert_true(fat_thread_join(&s.thread, LONG_MS));
    assert_true(fat_thread_join(&s.thread, 0)); /* and it stays so */
    assert_true(fat_thread_has_ended(&s.thread));
    fat_thread_end(&s.thread);
}

/* Rests until @end, and says whether it was stopped before. */
struct sleeper {
    struct fat_thread thread;
    struct timespec end;
    bool was_stopped;
};

static void rest(void *context)
{
    struct sleeper *s = context;

    s->was_stopped = !fat_thread_rest(&s->thread, &s->end);
}

static void a_rest_ends_at_its_end_whoever_wakes_it(void **state)
{
    struct sleeper s = {.end = fat_moment_after_ms(fat_moment_now(), 20)};
    struct timespec now;

    (void)state;
    assert_true(fat_thread_start(&s.thread, rest, &s));
    while (!fat_thread_join(&s.thread, 1)) {
        pthread_mutex_lock(&s.thread.lock);
        fat_thread_wake(&s.thread);
        pthread_mutex_unlock(&s.thread.lock);
    }
    now = fat_moment_now();
    assert_false(fat_moment_is_before(&now, &s.end));
    assert_false(s.was_stopped);
    fat_thread_end(&s.thread);
}

static void a_rest_ends_at_once_when_it_is_to_stop(void **state)
{
    struct sleeper s = {.end = fat_moment_after(fat_moment_now(), AN_HOUR)};

    (void)state;
    assert_true(fat_thread_start(&s.thread, rest, &s));
    fat_thread_end(&s.thread);
    assert_true(s.was_stopped);
}

static void who_waits_for_its_end_waits_no_longer_than_he_wants(void **state)
{
    struct sleeper s = {.end = fat_moment_after(fat_moment_now(), AN_HOUR)};

    (void)state;
    assert_true(fat_thread_start(&s.thread, rest, &s));
    assert_false(fat_thread_join(&s.thread, 0));
    assert_false(fat_thread_join(&s.thread, 5));
    fat_thread_stop(&s.thread);
    assert_true(fat_thread_join(&s.thread, LONG_MS));
    fat_thread_end(&s.thread);
}

static void milliseconds_carry_into_seconds(void **state)
{
    const struct timespec late = {.tv_sec = 7, .tv_nsec = 999000000};
    const struct timespec sum = fat_moment_after_ms(late, 2001);

    (void)state;
    assert_int_equal(sum.tv_sec, 10);
    assert_int_equal(sum.tv_nsec, 0);
    assert_true(fat_moment_is_before(&late, &sum));
    assert_false(fat_moment_is_before(&sum, &sum));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(it_works_when_it_is_woken_and_ends_when_it_is_stopped),
            cmocka_unit_test(a_rest_ends_at_its_end_whoever_wakes_it),
            cmocka_unit_test(a_rest_ends_at_once_when_it_is_to_stop),
            cmocka_unit_test(who_waits_for_its_end_waits_no_longer_than_he_wants),
            cmocka_unit_test(milliseconds_carry_into_seconds),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
