/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "support/cmocka.h"
#include "support/failalloc.h"
#include "support/steady.h"

/* Three allocations, one by each function; the number that succeeded. The
   pointers are volatile so that no compiler leaves a pair of malloc and free out. */
static unsigned try_all_three(void)
{
    void *volatile first = malloc(10);
    void *volatile second = calloc(2, 5);
    void *volatile third = realloc(NULL, 10);
    const unsigned succeeded =
            (first ? 1U : 0U) + (second ? 1U : 0U) + (third ? 1U : 0U);

    free(first);
    free(second);
    free(third);
    return succeeded;
}

static void the_nth_allocation_fails_whichever_function_makes_it(void **state)
{
    (void)state;
    for (unsigned nth = 1; nth <= 3; nth++) {
        failalloc_arm(nth, FAILALLOC_ONCE);
        assert_int_equal(try_all_three(), 2);
        assert_true(failalloc_disarm());
        assert_int_equal(failalloc_count(), 3);
    }
}

static void always_lets_all_later_ones_fail_too(void **state)
{
    (void)state;
    failalloc_arm(2, FAILALLOC_ALWAYS);
    assert_int_equal(try_all_three(), 1);
    assert_true(failalloc_disarm());
}

static void an_armed_allocation_that_was_not_reached_ends_a_sweep(void **state)
{
    (void)state;
    failalloc_arm(4, FAILALLOC_ONCE);
    assert_int_equal(try_all_three(), 3);
    assert_false(failalloc_disarm());
}

static void zero_counts_and_lets_nothing_fail(void **state)
{
    (void)state;
    failalloc_arm(0, FAILALLOC_ALWAYS);
    assert_int_equal(try_all_three(), 3);
    assert_false(failalloc_disarm());
    assert_int_equal(failalloc_count(), 3);
}

static void a_disarmed_allocator_neither_fails_nor_counts(void **state)
{
    (void)state;
    failalloc_arm(1, FAILALLOC_ALWAYS);
    (void)failalloc_disarm();
    assert_int_equal(try_all_three(), 3);
    assert_int_equal(failalloc_count(), 0);
}

static void a_failed_realloc_leaves_the_old_memory_alone(void **state)
{
    char *volatile old = malloc(4);
    void *volatile bigger;

    (void)state;
    assert_non_null(old);
    memcpy(old, "abc", 4);
    failalloc_arm(1, FAILALLOC_ONCE);
    bigger = realloc(old, 1000);
    assert_true(failalloc_disarm());
    assert_null(bigger);
    assert_string_equal(old, "abc");
    free(old);
}

static void steady_memory_never_fails_and_is_not_counted(void **state)
{
    uint8_t *memory;

    (void)state;
    failalloc_arm(1, FAILALLOC_ALWAYS);
    memory = steady_zalloc(1);
    assert_non_null(memory);
    memory[0] = 7;
    memory = steady_grow(memory, 1, 100000);
    assert_non_null(memory);
    assert_false(failalloc_disarm());
    assert_int_equal(failalloc_count(), 0);
    assert_int_equal(memory[0], 7);
    free(memory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(the_nth_allocation_fails_whichever_function_makes_it),
            cmocka_unit_test(always_lets_all_later_ones_fail_too),
            cmocka_unit_test(an_armed_allocation_that_was_not_reached_ends_a_sweep),
            cmocka_unit_test(zero_counts_and_lets_nothing_fail),
            cmocka_unit_test(a_disarmed_allocator_neither_fails_nor_counts),
            cmocka_unit_test(a_failed_realloc_leaves_the_old_memory_alone),
            cmocka_unit_test(steady_memory_never_fails_and_is_not_counted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
