/* SPDX-License-Identifier: MIT */
#include "alloc/map.h"
#include "support/failalloc.h"

static void a_reserve_is_nobody_elses_and_comes_back(void **state)
{
    struct fat_reserve reserve = {0};
    struct fixture f;
    struct fat_extent extent;

    (void)state;
    make(&f, FAT_TYPE_16, 100, 20, 30);
    open_map(&f, FAT_FSINFO_UNKNOWN, UNKNOWN_HINT);
    assert_int_equal(fat_freemap_reserve(f.map, &reserve, 10, 20, 20), FAT_OK);
    assert_int_equal(reserve.clusters, 20); /* 11 .. 19 and 30 .. 40 */
    assert_int_equal(count(&f), 90);        /* on speculation: still free */
    assert_claims(&f, 10, 5, 41, 5);
    assert_int_equal(fat_freemap_claim(f.map, &reserve, 0, 15, &extent), FAT_OK);
    assert_int_equal(extent.cluster, 11);
    assert_int_equal(extent.count, 9);
    assert_int_equal(fat_freemap_claim(f.map, &reserve, 0, 5, &extent), FAT_OK);
    assert_int_equal(extent.cluster, 30);
    assert_int_equal(extent.count, 5);
    assert_int_equal(count(&f), 90 - 5 - 14);
    fat_freemap_unreserve(f.map, &reserve);
    assert_int_equal(reserve.clusters, 0);
    assert_claims(&f, 34, 9, 35, 6);
    done(&f);
}

static void a_reserve_that_is_used_up_is_as_new(void **state)
{
    struct fat_reserve reserve = {0};
    struct fixture f;
    struct fat_extent extent;

    (void)state;
    make(&f, FAT_TYPE_16, 100, 0, 0);
    open_map(&f, FAT_FSINFO_UNKNOWN, UNKNOWN_HINT);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(fat_freemap_reserve(f.map, &reserve, 0, 7, 7), FAT_OK);
        assert_int_equal(fat_freemap_claim(f.map, &reserve, 0, 7, &extent), FAT_OK);
        assert_int_equal(extent.count, 7);
        assert_int_equal(reserve.clusters, 0);
        assert_null(reserve.extents);
    }
    assert_int_equal(count(&f), 79);
    done(&f);
}

static void what_was_set_aside_on_speculation_is_taken_back_for_others(void **state)
{
    struct fat_reserve a = {0};
    struct fat_reserve b = {0};
    struct fat_reserve c = {0};
    struct fixture f;

    (void)state;
    make(&f, FAT_TYPE_16, 30, 0, 0);
    open_map(&f, FAT_FSINFO_UNKNOWN, UNKNOWN_HINT);
    assert_int_equal(fat_freemap_reserve(f.map, &a, 0, 10, 10), FAT_OK);
    b.kept = true;
    assert_int_equal(fat_freemap_reserve(f.map, &b, 0, 10, 10), FAT_OK);
    assert_int_equal(fat_freemap_reserve(f.map, &c, 0, 10, 10), FAT_OK);
    assert_int_equal(count(&f), 20);
    assert_claims(&f, 0, 99, 2, 10);
    assert_int_equal(a.clusters, 0);
    assert_int_equal(b.clusters, 10);
    assert_int_equal(c.clusters, 0);
    assert_claims(&f, 0, 99, 22, 10);
    assert_no_room(&f, FAT_E_NOSPC);
    assert_int_equal(count(&f), 0);
    fat_freemap_unreserve(f.map, &b);
    assert_int_equal(count(&f), 10);
    fat_freemap_unreserve(f.map, &b);
    assert_int_equal(count(&f), 10);
    done(&f);
}

static void a_kept_reserve_pushes_speculation_aside_too(void **state)
{
    struct fat_reserve a = {0};
    struct fat_reserve b = {.kept = true};
    struct fixture f;

    (void)state;
    make(&f, FAT_TYPE_16, 30, 0, 0);
    open_map(&f, FAT_FSINFO_UNKNOWN, UNKNOWN_HINT);
    assert_int_equal(fat_freemap_reserve(f.map, &a, 0, 20, 20), FAT_OK);
    assert_int_equal(fat_freemap_reserve(f.map, &b, 0, 25, 25), FAT_OK);
    assert_int_equal(a.clusters, 0);
    assert_int_equal(b.clusters, 25);
    assert_int_equal(count(&f), 5);
    fat_freemap_unreserve(f.map, &b);
    done(&f);
}

static void less_than_the_least_sets_nothing_aside(void **state)
{
    struct fat_reserve reserve = {0};
    struct fixture f;

    (void)state;
    make(&f, FAT_TYPE_16, 30, 0, 0);
    open_map(&f, FAT_FSINFO_UNKNOWN, UNKNOWN_HINT);
    assert_int_equal(fat_freemap_reserve(f.map, &reserve, 0, 12, 12), FAT_OK);
    assert_int_equal(fat_freemap_reserve(f.map, &reserve, 0, 99, 19), FAT_E_NOSPC);
    assert_int_equal(reserve.clusters, 12);
    fat_freemap_set_waiting(f.map, true);
    assert_int_equal(fat_freemap_reserve(f.map, &reserve, 0, 99, 19), FAT_E_AGAIN);
    assert_int_equal(reserve.clusters, 12);
    assert_int_equal(fat_freemap_reserve(f.map, &reserve, 0, 99, 18), FAT_OK);
    assert_int_equal(reserve.clusters, 30);
    assert_int_equal(fat_freemap_reserve(f.map, &reserve, 0, 99, 0), FAT_OK);
    assert_int_equal(reserve.clusters, 30);
    fat_freemap_unreserve(f.map, &reserve);
    assert_int_equal(count(&f), 30);
    done(&f);
}

static void nothing_set_aside_where_nothing_is_free_leaks_nothing(void **state)
{
    struct fat_reserve reserve = {0};
    struct fixture f;

    (void)state;
    make(&f, FAT_TYPE_16, 30, 2, 32);
    open_map(&f, FAT_FSINFO_UNKNOWN, UNKNOWN_HINT);
    assert_int_equal(fat_freemap_reserve(f.map, &reserve, 0, 99, 0), FAT_OK);
    assert_int_equal(fat_freemap_reserve(f.map, &reserve, 0, 99, 1), FAT_E_NOSPC);
    fat_freemap_unreserve(f.map, &reserve);
    done(&f);
}

static void a_read_error_while_learning_is_told_and_may_be_tried_again(void **state)
{
    struct fat_reserve reserve = {0};
    struct fixture f;
    uint32_t clusters = 7;

    (void)state;
    make(&f, FAT_TYPE_12, 3000, 0, 0);
    open_map(&f, FAT_FSINFO_UNKNOWN, UNKNOWN_HINT);
    recdev_fail(f.t.rec, RECDEV_READ, 1, FAT_E_IO, RECDEV_ALWAYS);
    assert_no_room(&f, FAT_E_IO);
    assert_int_equal(fat_freemap_count(f.map, &clusters), FAT_E_IO);
    assert_int_equal(clusters, 7);
    assert_int_equal(fat_freemap_quarantine(f.map, 9), FAT_E_IO);
    assert_int_equal(fat_freemap_reserve(f.map, &reserve, 0, 5, 1), FAT_E_IO);
    assert_int_equal(reserve.clusters, 0);
    recdev_fail(f.t.rec, RECDEV_READ, 0, FAT_OK, RECDEV_ONCE);
    fat_freemap_settle(f.map);
    assert_int_equal(count(&f), 3000);
    fat_freemap_unreserve(f.map, &reserve);
    done(&f);
}

static fat_err try_all(struct fixture *f, struct fat_reserve *reserve)
{
    struct fat_extent extent;
    uint32_t clusters;
    fat_err err = fat_freemap_claim(f->map, NULL, 0, 4, &extent);

    if (err == FAT_OK) {
        fat_freemap_release(f->map, extent);
        err = fat_freemap_reserve(f->map, reserve, 0, 300, 300);
    }
    if (err == FAT_OK) {
        fat_freemap_unreserve(f->map, reserve);
        err = fat_freemap_quarantine(f->map, 2);
    }
    return err == FAT_OK ? fat_freemap_count(f->map, &clusters) : err;
}

static void any_allocation_may_fail_and_loses_no_cluster(void **state)
{
    struct fat_reserve reserve = {0};
    struct fixture f = {.map = NULL};
    bool failed = true;

    (void)state;
    make(&f, FAT_TYPE_32, 2000, 2, 3);
    for (uint32_t c = 3; c < 2002; c += 10) {
        table_put(&f.t, c, VALUE_END);
    }
    table_open(&f.t);
    for (unsigned nth = 1; failed; nth++) {
        fat_err err;

        failalloc_arm(nth, FAILALLOC_ONCE);
        err = fat_freemap_new(&f.t.tab, FAT_FSINFO_UNKNOWN, 0, &f.map);
        if (err == FAT_OK) {
            err = try_all(&f, &reserve);
        }
        failed = failalloc_disarm();
        if (!failed) {
            assert_int_equal(err, FAT_OK);
        } else if (err != FAT_OK) { /* reading ahead does without memory */
            assert_int_equal(err, FAT_E_NOMEM);
        }
        if (f.map) {
            fat_freemap_unreserve(f.map, &reserve);
            assert_in_range(count(&f), 1799, 1800);
            fat_freemap_free(f.map);
            f.map = NULL;
        }
        fat_cache_forget(f.t.cache, 0, 40);
    }
    done(&f);
}

/* Who has a cluster, in the random test. */
enum owner { FREE, TAKEN, QUARANTINED, ASIDE };
enum { RANDOM_CLUSTERS = 2 * REGION + 700, FILES = 4 };

struct model {
    struct fixture f;
    uint8_t owner[RANDOM_CLUSTERS + 2];
    uint32_t is[4]; /* how many of each */
    struct fat_reserve reserves[FILES];
};

static void give(
        struct model *m, struct fat_extent extent, enum owner from, enum owner to)
{
    for (uint32_t c = extent.cluster; c < extent.cluster + extent.count; c++) {
        assert_in_range(c, 2, RANDOM_CLUSTERS + 1);
        assert_int_equal(m->owner[c], from);
        m->owner[c] = (uint8_t)to;
        m->is[from]--;
        m->is[to]++;
    }
}

/* What the reserves hold now, whoever has taken what from whom. */
static void look_at_reserves(struct model *m)
{
    for (uint32_t c = 2; c < RANDOM_CLUSTERS + 2; c++) {
        if (m->owner[c] == ASIDE) {
            give(m, (struct fat_extent){.cluster = c, .count = 1}, ASIDE, FREE);
        }
    }
    for (int i = 0; i < FILES; i++) {
        uint32_t clusters = 0;

        for (uint32_t e = 0; e < m->reserves[i].extent_count; e++) {
            give(m, m->reserves[i].extents[e], FREE, ASIDE);
            clusters += m->reserves[i].extents[e].count;
        }
        assert_int_equal(clusters, m->reserves[i].clusters);
    }
}

static void random_claim(struct model *m)
{
    struct fat_reserve *reserve = rand() % 3 ? &m->reserves[rand() % FILES] : NULL;
    const bool from_reserve = reserve && reserve->clusters > 0;
    const uint32_t want = 1 + (uint32_t)rand() % 400;
    struct fat_extent extent;
    fat_err err = fat_freemap_claim(m->f.map, reserve,
            (uint32_t)rand() % (RANDOM_CLUSTERS + 10), want, &extent);

    if (err == FAT_OK) {
        assert_in_range(extent.count, 1, want);
        look_at_reserves(m);
        give(m, extent, FREE, TAKEN);
    } else {
        assert_false(from_reserve);
        assert_int_equal(err, m->is[QUARANTINED] > 0 ? FAT_E_AGAIN : FAT_E_NOSPC);
        look_at_reserves(m);
        assert_int_equal(m->is[FREE], 0);
    }
}

static void random_reserve(struct model *m)
{
    struct fat_reserve *reserve = &m->reserves[rand() % FILES];
    const uint32_t before = reserve->clusters;
    const uint32_t want = 1 + (uint32_t)rand() % 500;
    const uint32_t least = (uint32_t)rand() % (want + 1);
    fat_err err;

    if (reserve->clusters == 0) {
        reserve->kept = rand() % 4 == 0;
    }
    err = fat_freemap_reserve(
            m->f.map, reserve, (uint32_t)rand() % RANDOM_CLUSTERS, want, least);
    if (err == FAT_OK) {
        assert_in_range(reserve->clusters, before + least, before + want);
    } else {
        assert_int_equal(reserve->clusters, before);
    }
    look_at_reserves(m);
}

/* A file goes: its entries are freed, or it is withdrawn. */
static void random_give_back(struct model *m)
{
    const uint32_t first = 2 + (uint32_t)rand() % RANDOM_CLUSTERS;
    const bool withdrawn = rand() % 2;

    for (uint32_t c = first; c < first + 600 && c < RANDOM_CLUSTERS + 2; c++) {
        const struct fat_extent one = {.cluster = c, .count = 1};

        if (m->owner[c] != TAKEN) {
            continue;
        }
        if (withdrawn) {
            fat_freemap_release(m->f.map, one);
            give(m, one, TAKEN, FREE);
        } else {
            assert_int_equal(fat_freemap_quarantine(m->f.map, c), FAT_OK);
            give(m, one, TAKEN, QUARANTINED);
        }
    }
}

static void random_settle(struct model *m)
{
    fat_freemap_settle(m->f.map);
    for (uint32_t c = 2; c < RANDOM_CLUSTERS + 2; c++) {
        if (m->owner[c] == QUARANTINED) {
            give(m, (struct fat_extent){.cluster = c, .count = 1}, QUARANTINED, FREE);
        }
    }
}

static void compare_count(struct model *m)
{
    uint32_t kept = 0;

    for (int i = 0; i < FILES; i++) {
        kept += m->reserves[i].kept ? m->reserves[i].clusters : 0;
    }
    assert_int_equal(
            count(&m->f), m->is[FREE] + m->is[QUARANTINED] + m->is[ASIDE] - kept);
}

static void a_random_walk_agrees_with_a_list_of_owners(void **state)
{
    struct model *m = calloc(1, sizeof(*m));

    (void)state;
    assert_non_null(m);
    m->is[FREE] = RANDOM_CLUSTERS;
    make(&m->f, FAT_TYPE_32, RANDOM_CLUSTERS, 0, 0);
    for (uint32_t c = 2; c < RANDOM_CLUSTERS; c += 3 + c % 97) {
        table_put(&m->f.t, c, VALUE_END);
        give(m, (struct fat_extent){.cluster = c, .count = 1}, FREE, TAKEN);
    }
    open_map(&m->f, m->is[FREE], UNKNOWN_HINT);
    /* What is taken on disk is given back below: all of it has to be learnt. */
    for (uint32_t c = 2; c < RANDOM_CLUSTERS; c += REGION) {
        fat_freemap_release(m->f.map, claim(&m->f, c, 1));
    }
    fat_freemap_release(m->f.map, claim(&m->f, RANDOM_CLUSTERS, 1));
    srand(5);
    for (int step = 0; step < 4000; step++) {
        switch (rand() % 8) {
        case 0:
            random_give_back(m);
            break;
        case 1:
            random_reserve(m);
            break;
        case 2:
            random_settle(m);
            break;
        case 3:
            fat_freemap_unreserve(m->f.map, &m->reserves[rand() % FILES]);
            look_at_reserves(m);
            break;
        default:
            random_claim(m);
        }
        compare_count(m);
    }
    for (int i = 0; i < FILES; i++) {
        fat_freemap_unreserve(m->f.map, &m->reserves[i]);
    }
    done(&m->f);
    free(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(a_reserve_is_nobody_elses_and_comes_back),
            cmocka_unit_test(a_reserve_that_is_used_up_is_as_new),
            cmocka_unit_test(
                    what_was_set_aside_on_speculation_is_taken_back_for_others),
            cmocka_unit_test(a_kept_reserve_pushes_speculation_aside_too),
            cmocka_unit_test(less_than_the_least_sets_nothing_aside),
            cmocka_unit_test(nothing_set_aside_where_nothing_is_free_leaks_nothing),
            cmocka_unit_test(
                    a_read_error_while_learning_is_told_and_may_be_tried_again),
            cmocka_unit_test(any_allocation_may_fail_and_loses_no_cluster),
            cmocka_unit_test(a_random_walk_agrees_with_a_list_of_owners),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
