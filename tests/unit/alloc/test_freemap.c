/* SPDX-License-Identifier: MIT */
#include "alloc/map.h"

static const struct fat_link end_of_chain = {.kind = FAT_LINK_END};
static const struct fat_link nothing = {.kind = FAT_LINK_FREE};

static void a_claim_follows_its_hint_and_goes_round_once(void **state)
{
    struct fixture f;

    (void)state;
    make(&f, FAT_TYPE_16, 100, 50, 60);
    open_map(&f, FAT_FSINFO_UNKNOWN, UNKNOWN_HINT);
    assert_claims(&f, 45, 10, 46, 4); /* up to what is taken */
    assert_claims(&f, 45, 10, 60, 10);
    assert_claims(&f, 95, 99, 96, 6); /* up to the end */
    assert_claims(&f, 101, 3, 2, 3);  /* the last cluster is followed by the first */
    assert_claims(&f, 90, 99, 91, 5);
    assert_claims(&f, 90, 99, 5, 41);
    assert_claims(&f, 90, 99, 70, 21);
    assert_no_room(&f, FAT_E_NOSPC);
    done(&f);
}

static void without_a_hint_the_search_goes_on_where_it_stopped(void **state)
{
    static const uint32_t odd[] = {0, 1, 102, UINT32_MAX};
    struct fixture f;

    (void)state;
    make(&f, FAT_TYPE_16, 100, 0, 0);
    open_map(&f, FAT_FSINFO_UNKNOWN, 30);
    assert_int_equal(fat_freemap_hint(f.map), 30);
    assert_claims(&f, 0, 5, 30, 5);
    assert_claims(&f, 0, 5, 35, 5);
    assert_int_equal(fat_freemap_hint(f.map), 40);
    assert_claims(&f, UINT32_MAX, 5, 40, 5);
    assert_claims(&f, 0, 999, 45, 57);
    assert_claims(&f, 0, 999, 2, 28);
    done(&f);
    for (size_t i = 0; i < 4; i++) {
        make(&f, FAT_TYPE_16, 100, 0, 0);
        open_map(&f, FAT_FSINFO_UNKNOWN, odd[i]);
        assert_int_equal(fat_freemap_hint(f.map), 2);
        done(&f);
    }
}

static void what_is_taken_bad_or_reserved_is_never_claimed(void **state)
{
    static const enum fat_type types[] = {FAT_TYPE_12, FAT_TYPE_16, FAT_TYPE_32};

    (void)state;
    for (size_t type = 0; type < 3; type++) {
        struct fixture f;

        make(&f, types[type], 3000, 2, 3002);
        table_put(&f.t, 10, VALUE_FREE);
        table_put(&f.t, 11, VALUE_BAD);
        table_put(&f.t, 12, VALUE_RESERVED);
        table_put(&f.t, 13, 5000); /* out of the volume: taken, by whoever */
        table_put(&f.t, 3001, VALUE_FREE);
        open_map(&f, FAT_FSINFO_UNKNOWN, 500);
        assert_int_equal(count(&f), 2);
        assert_claims(&f, 0, 9, 3001, 1);
        assert_claims(&f, 0, 9, 10, 1);
        assert_no_room(&f, FAT_E_NOSPC);
        done(&f);
    }
}

static void regions_are_learnt_as_they_are_needed(void **state)
{
    struct fixture f;

    (void)state;
    make(&f, FAT_TYPE_32, 3 * REGION + 100, 2, REGION + 2);
    open_map(&f, FAT_FSINFO_UNKNOWN, 2 * REGION + 2 + 8000);
    recdev_reset_counts(f.t.rec);
    assert_claims(&f, 0, 1000, 2 * REGION + 8002, 192); /* up to its border */
    /* Clusters 0 and 1 shift a region by two entries. */
    assert_int_equal(recdev_counts(f.t.rec).bytes_read, REGION * 4 + 512);
    assert_claims(&f, 0, 1000, 3 * REGION + 2, 100); /* the last, a short one */
    assert_claims(&f, 0, 1000, REGION + 2, 1000);    /* the first is full: passed */
    done(&f);
    make(&f, FAT_TYPE_32, 2 * REGION, 2, REGION + 2 - 1);
    open_map(&f, FAT_FSINFO_UNKNOWN, UNKNOWN_HINT);
    assert_claims(&f, 0, 9, REGION + 1, 1); /* the last of a region */
    assert_claims(&f, REGION + 1, 9, REGION + 2, 9);
    done(&f);
}

static void entries_in_two_sectors_are_claimed_last(void **state)
{
    struct fixture f;
    struct fat_extent extent;
    uint32_t straddlers = 0;

    (void)state;
    make(&f, FAT_TYPE_12, 1500, 0, 0);
    open_map(&f, FAT_FSINFO_UNKNOWN, UNKNOWN_HINT);
    assert_int_equal(count(&f), 1500);
    assert_claims(&f, 0, 9999, 2, 339); /* 341 lies in two sectors */
    assert_claims(&f, 340, 9999, 342, 340);
    for (uint32_t left = 1500 - 679; left > 0; left -= extent.count) {
        extent = claim(&f, 0, 9999);
        for (uint32_t c = extent.cluster; c < extent.cluster + extent.count; c++) {
            if (fat_fattab_straddles(&f.t.tab, c)) {
                straddlers++;
            } else {
                assert_int_equal(straddlers, 0);
            }
        }
    }
    assert_int_equal(straddlers, 3); /* 341, 682, 1365 */
    assert_no_room(&f, FAT_E_NOSPC);
    done(&f);
}

static void with_one_fat_they_are_never_claimed(void **state)
{
    struct fixture f;

    (void)state;
    make(&f, FAT_TYPE_12, 1500, 0, 0);
    f.t.geometry.fat_count = 1;
    open_map(&f, FAT_FSINFO_UNKNOWN, UNKNOWN_HINT);
    fat_freemap_set_count(f.map, 1500); /* as who has looked at the FAT only */
    assert_int_equal(count(&f), 1497);  /* 341, 682, 1365 */
    for (uint32_t left = 1497; left > 0;) {
        const struct fat_extent extent = claim(&f, 0, 9999);

        for (uint32_t c = extent.cluster; c < extent.cluster + extent.count; c++) {
            assert_false(fat_fattab_straddles(&f.t.tab, c));
        }
        left -= extent.count;
    }
    assert_int_equal(count(&f), 0);
    assert_no_room(&f, FAT_E_NOSPC);
    assert_int_equal(fat_freemap_quarantine(f.map, 341), FAT_OK); /* somebody else's */
    fat_freemap_settle(f.map);
    assert_int_equal(count(&f), 0);
    assert_no_room(&f, FAT_E_NOSPC);
    done(&f);
}

static void a_straddler_is_free_only_if_both_parts_are(void **state)
{
    static const struct {
        const char *name;
        uint32_t cluster, value;
        bool is_free;
    } rows[] = {
            {"odd, low part only", 341, 0x00f, false},
            {"odd, high part only", 341, 0xff0, false},
            {"odd, free, its neighbours not", 341, 0, true},
            {"even, low part only", 682, 0x0ff, false},
            {"even, high part only", 682, 0xf00, false},
            {"even, free, its neighbours not", 682, 0, true},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct fixture f;

        make(&f, FAT_TYPE_12, 1500, 2, 1502);
        table_put(&f.t, rows[i].cluster, rows[i].value);
        open_map(&f, FAT_FSINFO_UNKNOWN, UNKNOWN_HINT);
        if (count(&f) != rows[i].is_free) {
            fail_msg("%s", rows[i].name);
        }
        done(&f);
    }
}

/* Learnt late: an entry is taken if the disk, the commit or any open stage says so. */
static void an_entry_that_one_image_shows_taken_is_not_free(void **state)
{
    static const uint32_t clusters[] = {340, 341, 342, 682};
    static const struct {
        const char *name;
        enum { ON_DISK, IN_COMMIT, IN_OPEN } where;
    } rows[] = {{"on disk", ON_DISK}, {"in the commit", IN_COMMIT}, {"open", IN_OPEN}};

    (void)state;
    for (size_t i = 0; i < 12; i++) {
        const uint32_t cluster = clusters[i % 4];
        struct fixture f;

        make(&f, FAT_TYPE_12, 1500, 0, 0);
        if (rows[i / 4].where == ON_DISK) {
            table_put(&f.t, cluster, VALUE_END);
        }
        open_map(&f, 1500, UNKNOWN_HINT);
        if (rows[i / 4].where == IN_COMMIT) {
            table_edit(&f.t, FAT_STAGE_PUBLISH, cluster, end_of_chain);
            table_edit(&f.t, FAT_STAGE_RECLAIM, cluster, nothing);
            (void)fat_cache_snapshot(f.t.cache);
        } else if (rows[i / 4].where == IN_OPEN) {
            table_edit(&f.t, FAT_STAGE_FILL, cluster, end_of_chain);
            table_edit(&f.t, FAT_STAGE_CUT, cluster, nothing);
        } else {
            table_edit(&f.t, FAT_STAGE_FILL, cluster, nothing);
        }
        for (uint32_t left = 1499; left > 0;) {
            const struct fat_extent extent = claim(&f, 0, left);

            left -= extent.count;
            if (cluster >= extent.cluster && cluster < extent.cluster + extent.count) {
                fail_msg("%u, taken %s, was claimed", cluster, rows[i / 4].name);
            }
        }
        assert_no_room(&f, FAT_E_NOSPC);
        done(&f);
    }
}

static void released_clusters_may_be_claimed_at_once(void **state)
{
    struct fixture f;

    (void)state;
    make(&f, FAT_TYPE_16, 10, 0, 0);
    open_map(&f, FAT_FSINFO_UNKNOWN, UNKNOWN_HINT);
    assert_claims(&f, 0, 10, 2, 10);
    assert_int_equal(count(&f), 0);
    fat_freemap_release(f.map, (struct fat_extent){.cluster = 4, .count = 3});
    assert_int_equal(count(&f), 3);
    assert_claims(&f, 0, 10, 4, 3);
    assert_no_room(&f, FAT_E_NOSPC);
    done(&f);
}

static void what_is_in_quarantine_is_free_after_the_flush(void **state)
{
    struct fixture f;

    (void)state;
    make(&f, FAT_TYPE_16, 10, 2, 12);
    open_map(&f, FAT_FSINFO_UNKNOWN, UNKNOWN_HINT);
    assert_no_room(&f, FAT_E_NOSPC);
    for (uint32_t c = 5; c < 8; c++) {
        assert_int_equal(fat_freemap_quarantine(f.map, c), FAT_OK);
        assert_int_equal(fat_fattab_reclaim(&f.t.tab, c), FAT_OK);
    }
    assert_no_room(&f, FAT_E_AGAIN);
    assert_int_equal(count(&f), 3); /* the user sees them free already */
    fat_freemap_settle(f.map);
    assert_int_equal(count(&f), 3);
    assert_claims(&f, 0, 9, 5, 3);
    assert_no_room(&f, FAT_E_NOSPC);
    fat_freemap_settle(f.map);
    done(&f);
}

static void quarantine_learns_its_region_before_the_entry_is_zeroed(void **state)
{
    struct fixture f;

    (void)state;
    make(&f, FAT_TYPE_32, 2 * REGION, REGION + 2, REGION + 12);
    open_map(&f, 2 * REGION - 10, UNKNOWN_HINT);
    assert_int_equal(fat_freemap_quarantine(f.map, REGION + 4), FAT_OK);
    assert_int_equal(fat_fattab_reclaim(&f.t.tab, REGION + 4), FAT_OK);
    assert_claims(&f, REGION + 1, 99, REGION + 12, 99); /* not REGION + 4 */
    assert_int_equal(count(&f), 2 * REGION - 10 + 1 - 99);
    fat_freemap_settle(f.map);
    assert_claims(&f, REGION + 1, 99, REGION + 4, 1);
    done(&f);
}

static void what_is_promised_is_counted_until_the_commit_counts_it(void **state)
{
    struct fixture f;

    (void)state;
    make(&f, FAT_TYPE_16, 10, 2, 12);
    open_map(&f, FAT_FSINFO_UNKNOWN, UNKNOWN_HINT);
    fat_freemap_promise(f.map, 3);
    fat_freemap_promise(f.map, 1);
    assert_int_equal(count(&f), 4);
    assert_int_equal(fat_freemap_known_count(f.map), 0); /* not FSInfo's business */
    assert_no_room(&f, FAT_E_NOSPC);
    fat_freemap_break_promise(f.map, 3);
    assert_int_equal(count(&f), 1);
    fat_freemap_break_promise(f.map, 1);
    assert_int_equal(count(&f), 0);
    done(&f);
}

static void a_full_map_asks_again_while_chains_wait_for_a_commit(void **state)
{
    struct fixture f;

    (void)state;
    make(&f, FAT_TYPE_16, 10, 2, 12);
    open_map(&f, FAT_FSINFO_UNKNOWN, UNKNOWN_HINT);
    fat_freemap_set_waiting(f.map, true);
    assert_no_room(&f, FAT_E_AGAIN);
    fat_freemap_set_waiting(f.map, false);
    assert_no_room(&f, FAT_E_NOSPC);
    done(&f);
}

static void the_count_is_fsinfos_until_all_is_known(void **state)
{
    struct fixture f;

    (void)state;
    make(&f, FAT_TYPE_32, 2 * REGION, 2, 102);
    open_map(&f, 5000, UNKNOWN_HINT); /* FSInfo lies */
    recdev_reset_counts(f.t.rec);
    assert_int_equal(count(&f), 5000);
    assert_int_equal(recdev_counts(f.t.rec).reads, 0);
    (void)claim(&f, 0, 10);
    assert_int_equal(count(&f), 4990);
    assert_int_equal(fat_freemap_known_count(f.map), 4990);
    (void)claim(&f, REGION + 100, 10); /* the second region, and so all */
    assert_int_equal(count(&f), 2 * REGION - 120);
    assert_int_equal(fat_freemap_known_count(f.map), 2 * REGION - 120);
    done(&f);
}

static void without_a_count_all_is_counted_once(void **state)
{
    struct fixture f;
    unsigned reads;

    (void)state;
    make(&f, FAT_TYPE_32, 2 * REGION + 5, 2, 102);
    open_map(&f, FAT_FSINFO_UNKNOWN, UNKNOWN_HINT);
    (void)claim(&f, 0, 10);
    assert_int_equal(fat_freemap_known_count(f.map), FAT_FSINFO_UNKNOWN);
    assert_int_equal(count(&f), 2 * REGION + 5 - 110);
    reads = recdev_counts(f.t.rec).reads;
    assert_int_equal(count(&f), 2 * REGION + 5 - 110);
    assert_int_equal(recdev_counts(f.t.rec).reads, reads);
    done(&f);
}

static void somebodys_count_is_taken_over(void **state)
{
    struct fixture f;

    (void)state;
    make(&f, FAT_TYPE_32, 2 * REGION, 0, 0);
    open_map(&f, FAT_FSINFO_UNKNOWN, UNKNOWN_HINT);
    fat_freemap_set_count(f.map, 1234);
    assert_int_equal(count(&f), 1234);
    assert_int_equal(fat_freemap_known_count(f.map), 1234);
    done(&f);
}

static void a_count_that_was_too_small_never_goes_below_zero(void **state)
{
    struct fixture f;

    (void)state;
    make(&f, FAT_TYPE_32, 2 * REGION, 0, 0);
    open_map(&f, 3, UNKNOWN_HINT);
    (void)claim(&f, 0, 10);
    assert_int_equal(count(&f), 0);
    done(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(a_claim_follows_its_hint_and_goes_round_once),
            cmocka_unit_test(without_a_hint_the_search_goes_on_where_it_stopped),
            cmocka_unit_test(what_is_taken_bad_or_reserved_is_never_claimed),
            cmocka_unit_test(regions_are_learnt_as_they_are_needed),
            cmocka_unit_test(entries_in_two_sectors_are_claimed_last),
            cmocka_unit_test(with_one_fat_they_are_never_claimed),
            cmocka_unit_test(a_straddler_is_free_only_if_both_parts_are),
            cmocka_unit_test(an_entry_that_one_image_shows_taken_is_not_free),
            cmocka_unit_test(released_clusters_may_be_claimed_at_once),
            cmocka_unit_test(what_is_in_quarantine_is_free_after_the_flush),
            cmocka_unit_test(quarantine_learns_its_region_before_the_entry_is_zeroed),
            cmocka_unit_test(what_is_promised_is_counted_until_the_commit_counts_it),
            cmocka_unit_test(a_full_map_asks_again_while_chains_wait_for_a_commit),
            cmocka_unit_test(the_count_is_fsinfos_until_all_is_known),
            cmocka_unit_test(without_a_count_all_is_counted_once),
            cmocka_unit_test(somebodys_count_is_taken_over),
            cmocka_unit_test(a_count_that_was_too_small_never_goes_below_zero),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
