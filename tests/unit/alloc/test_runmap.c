/* SPDX-License-Identifier: MIT */
#include "alloc/runmap.h"
#include "alloc/table.h"
#include "support/failalloc.h"

enum { CLUSTERS = 3000 };

static const enum fat_type types[] = {FAT_TYPE_12, FAT_TYPE_16, FAT_TYPE_32};

/* The clusters of a chain, and last what ends it. */
static void put_chain(struct table *t, const int64_t *chain, size_t length)
{
    for (size_t i = 0; i + 1 < length; i++) {
        table_put(t, (uint32_t)chain[i], chain[i + 1]);
    }
}

static void a_fragmented_chain_becomes_runs(void **state)
{
    static const int64_t chain[] = {5, 6, 7, 341, 342, 9, 8, 2001, VALUE_END};
    static const struct fat_run runs[] = {
            {0, 5, 3}, {3, 341, 2}, {5, 9, 1}, {6, 8, 1}, {7, 2001, 1}};

    (void)state;
    for (size_t type = 0; type < 3; type++) {
        struct fat_chain_fault fault = {0};
        struct fat_runmap map;
        struct table t;

        table_make(&t, types[type], CLUSTERS);
        put_chain(&t, chain, 9);
        table_open(&t);
        fat_runmap_init(&map, 5);
        assert_false(fat_runmap_is_complete(&map));
        assert_int_equal(fat_runmap_learn(&map, &t.tab, UINT32_MAX, &fault), FAT_OK);
        assert_true(fat_runmap_is_complete(&map));
        assert_int_equal(map.clusters, 8);
        assert_int_equal(map.count, 5);
        assert_memory_equal(map.runs, runs, sizeof(runs));
        assert_int_equal(fat_runmap_last(&map), 2001);
        assert_null(fault.text);
        fat_runmap_done(&map);
        table_done(&t);
    }
}

static void an_empty_chain_is_complete_from_the_start(void **state)
{
    struct fat_runmap map;
    struct fat_run run;

    (void)state;
    fat_runmap_init(&map, 0);
    assert_true(fat_runmap_is_complete(&map));
    assert_false(fat_runmap_find(&map, 0, &run));
    fat_runmap_cut(&map, 0, 0);
    assert_int_equal(map.clusters, 0);
    fat_runmap_done(&map);
}

static void learning_goes_on_where_it_stopped(void **state)
{
    static const int64_t chain[] = {5, 6, 7, 20, 21, 40, VALUE_END};
    struct fat_chain_fault fault;
    struct fat_runmap map;
    struct fat_run run;
    struct table t;

    (void)state;
    table_make(&t, FAT_TYPE_16, CLUSTERS);
    put_chain(&t, chain, 7);
    table_open(&t);
    fat_runmap_init(&map, 5);
    assert_int_equal(fat_runmap_learn(&map, &t.tab, 0, &fault), FAT_OK);
    assert_int_equal(map.clusters, 0);
    for (uint32_t n = 1; n <= 6; n++) {
        assert_int_equal(fat_runmap_learn(&map, &t.tab, n, &fault), FAT_OK);
        assert_int_equal(map.clusters, n);
        assert_int_equal(fat_runmap_is_complete(&map), n == 6);
        assert_false(fat_runmap_find(&map, n, &run));
    }
    assert_int_equal(fat_runmap_learn(&map, &t.tab, 7, &fault), FAT_OK);
    assert_int_equal(map.clusters, 6);
    assert_int_equal(map.count, 3);
    fat_runmap_done(&map);
    table_done(&t);
}

static void every_place_is_found_with_what_is_left_of_its_run(void **state)
{
    struct fat_runmap map;
    struct fat_run run;

    (void)state;
    fat_runmap_init(&map, 0);
    assert_int_equal(fat_runmap_reserve(&map, 100), FAT_OK);
    for (uint32_t i = 0; i < 100; i++) {
        fat_runmap_append(&map, 10 + 10 * i, 1 + i % 5); /* 300 clusters */
    }
    assert_int_equal(map.clusters, 300);
    for (uint32_t i = 0, index = 0; i < 100; i++) {
        for (uint32_t k = 0; k < 1 + i % 5; k++, index++) {
            assert_true(fat_runmap_find(&map, index, &run));
            assert_int_equal(run.index, index);
            assert_int_equal(run.cluster, 10 + 10 * i + k);
            assert_int_equal(run.count, 1 + i % 5 - k);
        }
    }
    assert_false(fat_runmap_find(&map, 300, &run));
    assert_false(fat_runmap_find(&map, UINT32_MAX, &run));
    fat_runmap_done(&map);
}

static void a_cut_keeps_the_first_clusters_and_ends_there(void **state)
{
    static const struct {
        uint32_t clusters, known, last;
    } rows[] = {{9, 8, 31}, {8, 8, 31}, {7, 7, 30}, {6, 6, 21}, {4, 4, 19}, {3, 3, 12},
            {1, 1, 10}, {0, 0, 0}};

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct fat_runmap map;

        fat_runmap_init(&map, 0);
        assert_int_equal(fat_runmap_reserve(&map, 3), FAT_OK);
        fat_runmap_append(&map, 10, 3);
        fat_runmap_append(&map, 19, 3);
        fat_runmap_append(&map, 30, 2);
        map.next = 77; /* more was known to come */
        fat_runmap_cut(&map, rows[i].clusters, 0);
        assert_int_equal(map.clusters, rows[i].known);
        assert_true(fat_runmap_is_complete(&map));
        if (rows[i].known > 0) {
            assert_int_equal(fat_runmap_last(&map), rows[i].last);
        }
        fat_runmap_done(&map);
    }
}

static void a_neighbour_lengthens_the_last_run(void **state)
{
    struct fat_runmap map;

    (void)state;
    fat_runmap_init(&map, 0);
    assert_int_equal(fat_runmap_reserve(&map, 1), FAT_OK);
    fat_runmap_append(&map, 10, 3);
    fat_runmap_append(&map, 13, 2);
    assert_int_equal(map.count, 1);
    assert_int_equal(map.clusters, 5);
    assert_int_equal(fat_runmap_last(&map), 14);
    fat_runmap_done(&map);
}

static void reserved_room_is_enough_and_its_failure_changes_nothing(void **state)
{
    struct fat_runmap map;

    (void)state;
    fat_runmap_init(&map, 0);
    failalloc_arm(1, FAILALLOC_ALWAYS);
    assert_int_equal(fat_runmap_reserve(&map, 0), FAT_OK);
    assert_int_equal(fat_runmap_reserve(&map, 1), FAT_E_NOMEM);
    (void)failalloc_disarm();
    assert_int_equal(fat_runmap_reserve(&map, 1000), FAT_OK);
    failalloc_arm(1, FAILALLOC_ALWAYS);
    for (uint32_t i = 0; i < 1000; i++) {
        fat_runmap_append(&map, 2 + 2 * i, 1);
    }
    assert_int_equal(fat_runmap_reserve(&map, 1000), FAT_E_NOMEM);
    (void)failalloc_disarm();
    assert_int_equal(map.clusters, 1000);
    fat_runmap_done(&map);
}

static void a_chain_that_ends_wrongly_is_damage_and_what_is_good_stays(void **state)
{
    static const struct {
        const char *name, *text;
        int64_t chain[4];
        uint32_t cluster, known;
    } rows[] = {
            {"free", "free cluster", {5, 6, VALUE_FREE}, 6, 1},
            {"bad", "bad cluster", {5, 6, VALUE_BAD}, 6, 1},
            {"reserved", "reserved", {5, 6, VALUE_RESERVED}, 6, 1},
            {"behind the last cluster", "leaves", {5, 6, CLUSTERS + 2}, CLUSTERS + 2,
                    2},
            {"far out", "leaves", {5, 6, 0xfef}, 0xfef, 2},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        for (size_t type = 0; type < 3; type++) {
            struct fat_chain_fault fault = {0};
            struct fat_runmap map;
            struct table t;

            table_make(&t, types[type], CLUSTERS);
            put_chain(&t, rows[i].chain, 3);
            table_open(&t);
            fat_runmap_init(&map, 5);
            assert_int_equal(fat_runmap_learn(&map, &t.tab, 9, &fault), FAT_E_CORRUPT);
            if (fault.cluster != rows[i].cluster || !strstr(fault.text, rows[i].text)) {
                fail_msg("%s: %u, %s", rows[i].name, fault.cluster, fault.text);
            }
            assert_int_equal(map.clusters, rows[i].known);
            assert_false(fat_runmap_is_complete(&map));
            fat_runmap_done(&map);
            table_done(&t);
        }
    }
}

static void a_first_cluster_outside_the_volume_is_damage(void **state)
{
    static const uint32_t firsts[] = {1, CLUSTERS + 2, 0x0fffffff, UINT32_MAX};
    struct table t;

    (void)state;
    table_make(&t, FAT_TYPE_32, CLUSTERS);
    table_open(&t);
    for (size_t i = 0; i < 4; i++) {
        struct fat_chain_fault fault;
        struct fat_runmap map;

        fat_runmap_init(&map, firsts[i]);
        assert_int_equal(fat_runmap_learn(&map, &t.tab, 1, &fault), FAT_E_CORRUPT);
        assert_int_equal(fault.cluster, firsts[i]);
        assert_int_equal(map.clusters, 0);
        fat_runmap_done(&map);
    }
    table_done(&t);
}

/* @tail clusters, then a circle of @loop. */
static void learn_loop(uint32_t tail, uint32_t loop, uint32_t step)
{
    struct fat_chain_fault fault = {0};
    struct fat_runmap map;
    struct table t;
    fat_err err = FAT_OK;

    table_make(&t, FAT_TYPE_16, CLUSTERS);
    for (uint32_t i = 0; i + 1 < tail + loop; i++) {
        table_put(&t, 2 + i, 3 + i);
    }
    table_put(&t, 2 + tail + loop - 1, 2 + tail);
    table_open(&t);
    fat_runmap_init(&map, 2);
    for (uint32_t n = step; err == FAT_OK && n < 4 * CLUSTERS; n += step) {
        err = fat_runmap_learn(&map, &t.tab, n, &fault);
    }
    assert_int_equal(err, FAT_E_CORRUPT);
    assert_non_null(strstr(fault.text, "itself"));
    assert_true(map.clusters <= CLUSTERS);
    fat_runmap_done(&map);
    table_done(&t);
}

static void a_loop_of_any_length_is_found(void **state)
{
    static const uint32_t lengths[] = {1, 2, 3, 7, 64, 341, 1000, CLUSTERS - 500};

    (void)state;
    for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
        learn_loop(0, lengths[i], 2 * CLUSTERS);
        learn_loop(1, lengths[i], 2 * CLUSTERS);
        learn_loop(500, lengths[i], 2 * CLUSTERS);
        learn_loop(3, lengths[i], 17); /* bit by bit */
    }
    learn_loop(0, CLUSTERS, 2 * CLUSTERS);
    learn_loop(CLUSTERS - 1, 1, 2 * CLUSTERS);
    learn_loop(0, 1, 1);
}

static void a_short_loop_on_a_large_volume_is_found_soon(void **state)
{
    struct fat_chain_fault fault;
    struct fat_runmap map;
    struct table t;

    (void)state;
    table_make(&t, FAT_TYPE_32, 500000);
    table_put(&t, 100, 200000);
    table_put(&t, 200000, 100);
    table_open(&t);
    fat_runmap_init(&map, 100);
    assert_int_equal(fat_runmap_learn(&map, &t.tab, UINT32_MAX, &fault), FAT_E_CORRUPT);
    assert_true(map.clusters < 16);
    fat_runmap_done(&map);
    table_done(&t);
}

static void a_chain_over_the_whole_volume_is_no_loop(void **state)
{
    (void)state;
    for (size_t type = 0; type < 3; type++) {
        struct fat_chain_fault fault = {0};
        struct fat_runmap map;
        struct table t;

        table_make(&t, types[type], CLUSTERS);
        for (uint32_t i = 0; i < CLUSTERS; i++) { /* backwards: 3000 runs */
            table_put(&t, CLUSTERS + 1 - i,
                    i + 1 < CLUSTERS ? (int64_t)(CLUSTERS - i) : VALUE_END);
        }
        table_open(&t);
        fat_runmap_init(&map, CLUSTERS + 1);
        assert_int_equal(fat_runmap_learn(&map, &t.tab, UINT32_MAX, &fault), FAT_OK);
        assert_int_equal(map.clusters, CLUSTERS);
        assert_int_equal(map.count, CLUSTERS);
        assert_int_equal(fat_runmap_last(&map), 2);
        fat_runmap_done(&map);
        table_done(&t);
    }
}

static void a_read_or_an_allocation_that_fails_may_be_tried_again(void **state)
{
    struct fat_chain_fault fault = {0};
    struct fat_runmap map;
    struct table t;
    fat_err err = FAT_E_NOMEM;

    (void)state;
    table_make(&t, FAT_TYPE_32, CLUSTERS);
    for (uint32_t i = 0; i < 20; i++) {
        table_put(&t, 2 + 140 * i, i < 19 ? (int64_t)(2 + 140 * (i + 1)) : VALUE_END);
    }
    table_open(&t);
    fat_runmap_init(&map, 2);
    recdev_fail(t.rec, RECDEV_READ, 1, FAT_E_IO, RECDEV_ALWAYS);
    assert_int_equal(fat_runmap_learn(&map, &t.tab, 99, &fault), FAT_E_IO);
    recdev_fail(t.rec, RECDEV_READ, 0, FAT_OK, RECDEV_ONCE);
    for (unsigned nth = 1; err != FAT_OK; nth++) {
        failalloc_arm(nth, FAILALLOC_ONCE);
        err = fat_runmap_learn(&map, &t.tab, 99, &fault);
        if (!failalloc_disarm()) {
            assert_int_equal(err, FAT_OK);
        } else if (err != FAT_OK) {
            assert_int_equal(err, FAT_E_NOMEM);
        }
    }
    assert_null(fault.text);
    assert_int_equal(map.clusters, 20);
    assert_true(fat_runmap_is_complete(&map));
    fat_runmap_done(&map);
    table_done(&t);
}

/* A chain without two neighbours but for every tenth piece, which is of ten. */
static uint32_t put_shuffled(struct table *t, uint32_t *chain)
{
    uint32_t length = 0;
    uint32_t low = 2;
    uint32_t high = CLUSTERS / 2 + 2;

    while (high + 10 < CLUSTERS + 2) {
        const uint32_t piece = length % 100 == 50 ? 10 : 1;

        chain[length++] = low++;
        for (uint32_t i = 0; i < piece; i++) {
            chain[length++] = high++;
        }
    }
    for (uint32_t i = 0; i < length; i++) {
        table_put(t, chain[i], i + 1 < length ? (int64_t)chain[i + 1] : VALUE_END);
    }
    return length;
}

static void expect_place(struct fat_runmap *map, const struct table *t,
        const uint32_t *chain, uint32_t index)
{
    struct fat_chain_fault fault = {0};
    struct fat_run run = {0};

    assert_int_equal(fat_runmap_seek(map, &t->tab, index, &run, &fault), FAT_OK);
    assert_int_equal(run.index, index);
    assert_true(run.count > 0 && run.index + run.count <= map->clusters);
    for (uint32_t i = 0; i < run.count; i++) {
        assert_int_equal(run.cluster + i, chain[index + i]);
    }
}

static uint32_t longest_gap(const struct fat_runmap *map)
{
    uint32_t longest = 0;

    for (size_t i = 1; i < map->count; i++) {
        const struct fat_run *before = &map->runs[i - 1];
        const uint32_t gap = map->runs[i].index - before->index - before->count;

        longest = gap > longest ? gap : longest;
    }
    return longest;
}

static void a_map_keeps_to_its_limit_and_finds_every_place(void **state)
{
    static const struct {
        size_t limit;
        uint32_t whole;
    } rows[] = {{4, 0}, {5, 0}, {16, 0}, {100, 0}, {1000, 0}, {1999, 0}, {200, 50}};
    static uint32_t chain[CLUSTERS];

    (void)state;
    for (size_t r = 0; r < sizeof(rows) / sizeof(rows[0]); r++) {
        struct fat_runmap_pool pool = {.runs_max = rows[r].limit};
        struct fat_chain_fault fault = {0};
        struct fat_runmap map;
        struct fat_run run;
        struct table t;
        uint32_t length;

        table_make(&t, types[r % 3], CLUSTERS);
        length = put_shuffled(&t, chain);
        table_open(&t);
        fat_runmap_init(&map, chain[0]);
        fat_runmap_join(&map, &pool, rows[r].whole);
        for (uint32_t n = 1; n < length + 50; n += 37) { /* as it is learnt */
            assert_int_equal(fat_runmap_learn(&map, &t.tab, n, &fault), FAT_OK);
            assert_true(pool.bytes <= rows[r].limit * sizeof(struct fat_run));
            assert_true(longest_gap(&map) <= map.clusters * 8 / rows[r].limit);
            assert_int_equal(fat_runmap_last(&map), chain[map.clusters - 1]);
            expect_place(&map, &t, chain, n * 7919 % map.clusters);
        }
        assert_true(fat_runmap_is_complete(&map));
        assert_int_equal(map.clusters, length);
        assert_int_equal(fat_runmap_is_whole(&map, 0), longest_gap(&map) == 0);
        for (uint32_t i = 0; i < length; i++) {
            expect_place(&map, &t, chain, i);
        }
        for (uint32_t i = 0; i < length; i++) {
            expect_place(&map, &t, chain, i * 7919 % length);
        }
        for (uint32_t i = 0; i < rows[r].whole; i++) {
            assert_true(fat_runmap_find(&map, i, &run));
        }
        for (uint32_t i = map.gaps_end; i < length; i++) {
            assert_true(fat_runmap_find(&map, i, &run));
        }
        assert_int_equal(fat_runmap_seek(&map, &t.tab, length, &run, &fault), FAT_END);
        fat_runmap_done(&map);
        assert_int_equal(pool.bytes, 0);
        table_done(&t);
    }
}

/* Cut to @clusters, @more clusters linked behind that, and all of it found. */
static void cut_and_grow(struct fat_runmap *map, struct table *t, uint32_t *chain,
        uint32_t clusters, uint32_t more)
{
    const uint32_t tail = clusters > 0 ? chain[clusters - 1] : 0;

    fat_runmap_cut(map, clusters, tail);
    assert_int_equal(map->clusters, clusters);
    assert_true(fat_runmap_is_complete(map));
    for (uint32_t i = clusters; i < clusters + more; i++) {
        chain[i] = CLUSTERS + 1 - (i - clusters) * 2;
        if (i > 0) {
            table_edit(t, FAT_STAGE_FILL, chain[i - 1],
                    (struct fat_link){.kind = FAT_LINK_NEXT, .cluster = chain[i]});
        }
        assert_int_equal(fat_runmap_reserve(map, 1), FAT_OK);
        fat_runmap_append(map, chain[i], 1);
    }
    for (uint32_t i = 0; i < clusters + more; i++) {
        expect_place(map, t, chain, i);
    }
    if (clusters + more > 0) {
        assert_int_equal(fat_runmap_last(map), chain[clusters + more - 1]);
    }
}

static void a_map_with_gaps_is_cut_anywhere_and_grows_on(void **state)
{
    static uint32_t chain[CLUSTERS];

    (void)state;
    for (uint32_t at = 0; at < 2000; at += at < 20 ? 1 : 97) {
        struct fat_runmap_pool pool = {.runs_max = 16};
        struct fat_chain_fault fault;
        struct fat_runmap map;
        struct table t;

        table_make(&t, FAT_TYPE_32, CLUSTERS);
        (void)put_shuffled(&t, chain);
        table_open(&t);
        fat_runmap_init(&map, chain[0]);
        fat_runmap_join(&map, &pool, 0);
        assert_int_equal(fat_runmap_learn(&map, &t.tab, UINT32_MAX, &fault), FAT_OK);
        expect_place(&map, &t, chain, at); /* what was found there is forgotten */
        cut_and_grow(&map, &t, chain, at, 40);
        cut_and_grow(&map, &t, chain, at / 2, 0);
        assert_true(pool.bytes <= 16 * sizeof(struct fat_run));
        fat_runmap_done(&map);
        table_done(&t);
    }
}

static void what_has_been_forgotten_is_learnt_again(void **state)
{
    static uint32_t chain[CLUSTERS];
    struct fat_runmap_pool pool = {.runs_max = 64};
    struct fat_chain_fault fault;
    struct fat_runmap map;
    struct table t;
    uint32_t length;

    (void)state;
    table_make(&t, FAT_TYPE_16, CLUSTERS);
    length = put_shuffled(&t, chain);
    table_open(&t);
    fat_runmap_init(&map, chain[0]);
    fat_runmap_join(&map, &pool, 0);
    for (unsigned again = 0; again < 3; again++) {
        assert_int_equal(fat_runmap_learn(&map, &t.tab, UINT32_MAX, &fault), FAT_OK);
        expect_place(&map, &t, chain, length - 100);
        /* the newest image counts, written or not */
        length -= 200;
        table_edit(&t, FAT_STAGE_CUT, chain[length - 1],
                (struct fat_link){.kind = FAT_LINK_END});
        fat_runmap_restart(&map, chain[0]);
        assert_int_equal(pool.bytes, 0);
        assert_int_equal(fat_runmap_learn(&map, &t.tab, UINT32_MAX, &fault), FAT_OK);
        assert_int_equal(map.clusters, length);
        assert_int_equal(fat_runmap_last(&map), chain[length - 1]);
    }
    fat_runmap_done(&map);
    table_done(&t);
}

/* What somebody else wrote over the FAT meanwhile. */
static void a_gap_that_has_changed_is_damage(void **state)
{
    static const struct {
        struct fat_link link;
        bool is_free;
    } rows[] = {{{.kind = FAT_LINK_END}, false}, {{.kind = FAT_LINK_FREE}, true},
            {{.kind = FAT_LINK_BAD}, false},
            {{.kind = FAT_LINK_NEXT, .cluster = CLUSTERS + 2}, false}};
    static uint32_t chain[CLUSTERS];

    (void)state;
    for (size_t r = 0; r < sizeof(rows) / sizeof(rows[0]); r++) {
        struct fat_runmap_pool pool = {.runs_max = 8};
        struct fat_chain_fault fault = {0};
        struct fat_run run = {.count = 77};
        struct fat_runmap map;
        struct table t;
        uint32_t at;

        table_make(&t, FAT_TYPE_32, CLUSTERS);
        (void)put_shuffled(&t, chain);
        table_open(&t);
        fat_runmap_init(&map, chain[0]);
        fat_runmap_join(&map, &pool, 0);
        assert_int_equal(fat_runmap_learn(&map, &t.tab, UINT32_MAX, &fault), FAT_OK);
        at = map.runs[0].count + 3;
        assert_false(fat_runmap_find(&map, at, &run));
        table_edit(&t, FAT_STAGE_FILL, chain[at], rows[r].link);
        assert_int_equal(
                fat_runmap_seek(&map, &t.tab, at + 1, &run, &fault), FAT_E_CORRUPT);
        assert_int_equal(fault.cluster, chain[at]);
        assert_int_equal(fault.is_free, rows[r].is_free);
        assert_int_equal(run.count, 77);
        expect_place(&map, &t, chain, at); /* what lies before it is good */
        fat_runmap_done(&map);
        table_done(&t);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(a_fragmented_chain_becomes_runs),
            cmocka_unit_test(an_empty_chain_is_complete_from_the_start),
            cmocka_unit_test(learning_goes_on_where_it_stopped),
            cmocka_unit_test(every_place_is_found_with_what_is_left_of_its_run),
            cmocka_unit_test(a_cut_keeps_the_first_clusters_and_ends_there),
            cmocka_unit_test(a_neighbour_lengthens_the_last_run),
            cmocka_unit_test(reserved_room_is_enough_and_its_failure_changes_nothing),
            cmocka_unit_test(
                    a_chain_that_ends_wrongly_is_damage_and_what_is_good_stays),
            cmocka_unit_test(a_first_cluster_outside_the_volume_is_damage),
            cmocka_unit_test(a_loop_of_any_length_is_found),
            cmocka_unit_test(a_short_loop_on_a_large_volume_is_found_soon),
            cmocka_unit_test(a_chain_over_the_whole_volume_is_no_loop),
            cmocka_unit_test(a_read_or_an_allocation_that_fails_may_be_tried_again),
            cmocka_unit_test(a_map_keeps_to_its_limit_and_finds_every_place),
            cmocka_unit_test(a_map_with_gaps_is_cut_anywhere_and_grows_on),
            cmocka_unit_test(what_has_been_forgotten_is_learnt_again),
            cmocka_unit_test(a_gap_that_has_changed_is_damage),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
