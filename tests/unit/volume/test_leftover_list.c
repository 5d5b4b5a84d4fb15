/* SPDX-License-Identifier: MIT */
#include "volume/leftover_list.h"

#include <stdlib.h>

#include "support/cmocka.h"
#include "support/failalloc.h"

static void add(struct fat_leftover_list *list, uint32_t cluster, uint32_t first)
{
    assert_int_equal(fat_leftover_add(list, &(struct fat_leftover){.cluster = cluster,
                                                    .first = first}),
            FAT_OK);
}

static void what_was_added_is_found_by_its_cluster(void **state)
{
    static const uint32_t clusters[] = {9, 2, 0, 7, 2, 9, 2};
    struct fat_leftover_list list = {0};

    (void)state;
    assert_int_equal(fat_leftover_find(&list, 2), 0);
    for (uint32_t i = 0; i < sizeof(clusters) / sizeof(clusters[0]); i++) {
        add(&list, clusters[i], 10 - i);
    }
    fat_leftover_sort(&list);
    assert_int_equal(fat_leftover_find(&list, 0), 0);
    assert_int_equal(fat_leftover_find(&list, 2), 1);
    assert_int_equal(fat_leftover_find(&list, 7), 4);
    assert_int_equal(fat_leftover_find(&list, 9), 5);
    assert_int_equal(fat_leftover_find(&list, 1), list.count);
    assert_int_equal(fat_leftover_find(&list, 8), list.count);
    assert_int_equal(fat_leftover_find(&list, 10), list.count);
    for (size_t i = 1; i < 4; i++) {
        assert_int_equal(list.items[i].cluster, 2);
        assert_true(i == 1 || list.items[i - 1].first < list.items[i].first);
    }
    free(list.items);
}

static void memory_ends_one_beyond_the_limit(void **state)
{
    struct fat_leftover_list list = {0};

    (void)state;
    for (uint32_t i = 0; i < FAT_LEFTOVERS_MAX; i++) {
        add(&list, i, 0);
    }
    assert_false(fat_leftover_is_too_much(&list));
    for (uint32_t i = 0; i < FAT_LEFTOVERS_MAX; i++) {
        add(&list, i, 0);
    }
    assert_true(fat_leftover_is_too_much(&list));
    assert_int_equal(list.count, FAT_LEFTOVERS_MAX + 1);
    free(list.items);
}

static void without_memory_nothing_is_lost(void **state)
{
    struct fat_leftover_list list = {0};
    const struct fat_leftover one = {.cluster = 3};

    (void)state;
    failalloc_arm(1, FAILALLOC_ONCE);
    assert_int_equal(fat_leftover_add(&list, &one), FAT_E_NOMEM);
    assert_true(failalloc_disarm());
    assert_int_equal(list.count, 0);
    while (list.count < list.capacity || list.count == 0) {
        add(&list, 3, 0);
    }
    failalloc_arm(1, FAILALLOC_ONCE);
    assert_int_equal(fat_leftover_add(&list, &one), FAT_E_NOMEM);
    assert_true(failalloc_disarm());
    assert_int_equal(list.count, list.capacity);
    assert_int_equal(list.items[list.count - 1].cluster, 3);
    free(list.items);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(what_was_added_is_found_by_its_cluster),
            cmocka_unit_test(memory_ends_one_beyond_the_limit),
            cmocka_unit_test(without_memory_nothing_is_lost),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
