/* SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "support/cmocka.h"
#include "support/failalloc.h"
#include "tree/dirindex.h"

static int setup(void **state)
{
    struct fat_dirindex *index = NULL;

    assert_int_equal(fat_dirindex_new(&index), FAT_OK);
    *state = index;
    return 0;
}

static int teardown(void **state)
{
    fat_dirindex_free(*state);
    return 0;
}

static struct fat_name_hashes hashes(uint32_t shown, uint32_t alias)
{
    return (struct fat_name_hashes){.shown = shown, .alias = alias};
}

static void add(
        struct fat_dirindex *index, uint32_t shown, uint32_t alias, uint16_t slot)
{
    assert_int_equal(fat_dirindex_reserve(index, 1, slot + 1U), FAT_OK);
    fat_dirindex_add(index, hashes(shown, alias), slot, false);
}

/* The slots whose name may be @hash: how many, and their sum. */
static unsigned found(
        const struct fat_dirindex *index, uint32_t hash, unsigned *ret_sum)
{
    unsigned n = 0;
    size_t cursor = 0;
    uint16_t slot;

    *ret_sum = 0;
    while (fat_dirindex_find(index, hash, &cursor, &slot)) {
        n++;
        *ret_sum += slot;
    }
    return n;
}

static void assert_found(
        const struct fat_dirindex *index, uint32_t hash, unsigned n, unsigned sum)
{
    unsigned got_sum;

    assert_int_equal(found(index, hash, &got_sum), n);
    assert_int_equal(got_sum, sum);
}

static void nothing_is_found_in_an_empty_index(void **state)
{
    struct fat_tomb tomb;
    uint32_t first;

    assert_found(*state, 7, 0, 0);
    assert_false(fat_dirindex_is_buried(*state, 7, &tomb));
    assert_int_equal(fat_dirindex_entries(*state), 0);
    assert_int_equal(fat_dirindex_end(*state), 0);
    assert_false(fat_dirindex_has_junk(*state));
    assert_false(fat_dirindex_find_room(*state, 1, 16, 0, &first));
    fat_dirindex_settle(*state, 99);
    fat_dirindex_free(NULL);
}

static void an_entry_is_found_by_both_of_its_names(void **state)
{
    add(*state, 100, 200, 5);
    add(*state, 300, 300, 6);
    assert_found(*state, 100, 1, 5);
    assert_found(*state, 200, 1, 5);
    assert_found(*state, 300, 1, 6);
    assert_found(*state, 400, 0, 0);
    fat_dirindex_remove(*state, hashes(100, 200), 5, false);
    assert_found(*state, 100, 0, 0);
    assert_found(*state, 200, 0, 0);
    assert_found(*state, 300, 1, 6);
}

/* All begin at the same cell, whatever the table's size. */
static void names_of_one_hash_are_all_found_and_removed_one_by_one(void **state)
{
    for (uint16_t slot = 1; slot <= 100; slot++) {
        add(*state, 77, 77U + ((uint32_t)slot << 20), slot);
    }
    assert_found(*state, 77, 100, 5050);
    for (uint16_t slot = 2; slot <= 100; slot += 2) {
        fat_dirindex_remove(
                *state, hashes(77, 77U + ((uint32_t)slot << 20)), slot, false);
    }
    assert_found(*state, 77, 50, 2500);
    assert_found(*state, 77U + (99U << 20), 1, 99);
    assert_found(*state, 77U + (98U << 20), 0, 0);
}

static void a_thousand_entries_of_one_hash_are_a_crowd(void **state)
{
    struct fat_dirindex *index = *state;

    assert_false(fat_dirindex_is_crowded(index, hashes(7, 8)));
    for (uint16_t i = 0; i < 1000; i++) {
        assert_false(fat_dirindex_is_crowded(index, hashes(7, 8)));
        add(index, 7, 7, i);
    }
    assert_true(fat_dirindex_is_crowded(index, hashes(7, 8)));
    assert_true(fat_dirindex_is_crowded(index, hashes(8, 7)));
    assert_false(fat_dirindex_is_crowded(index, hashes(8, 9)));
    fat_dirindex_remove(index, hashes(7, 7), 500, false);
    assert_false(fat_dirindex_is_crowded(index, hashes(7, 8)));
}

static void what_has_been_reserved_can_be_added_without_memory(void **state)
{
    for (uint32_t round = 0; round < 200; round++) {
        const uint16_t first = (uint16_t)(round * 10);

        assert_int_equal(fat_dirindex_reserve(*state, 10, first + 10U), FAT_OK);
        failalloc_arm(1, FAILALLOC_ALWAYS);
        for (uint16_t i = 0; i < 10; i++) {
            const uint16_t slot = (uint16_t)(first + i);

            fat_dirindex_add(
                    *state, hashes(slot * 7919U, slot * 104729U + 1), slot, false);
            fat_dirindex_take(*state, (struct fat_slots){.first = slot, .count = 1});
        }
        (void)failalloc_disarm();
    }
    assert_found(*state, 1999 * 7919U, 1, 1999);
}

static void a_table_full_of_removed_names_is_swept(void **state)
{
    for (uint32_t i = 0; i < 100000; i++) {
        add(*state, i * 2654435761U, i, 3);
        if (i % 1000 == 0) {
            assert_found(*state, i * 2654435761U, 1, 3);
            assert_found(*state, (i + 1) * 2654435761U, 0, 0);
        }
        fat_dirindex_remove(*state, hashes(i * 2654435761U, i), 3, false);
    }
    assert_int_equal(fat_dirindex_entries(*state), 0);
}

static void bury(struct fat_dirindex *index, uint32_t shown, uint32_t alias,
        struct fat_slots slots, uint64_t interval)
{
    const struct fat_tomb tomb = {.hashes = hashes(shown, alias),
            .slots = slots,
            .kind = FAT_REMOVAL_MOVED,
            .interval = interval};

    assert_int_equal(fat_dirindex_reserve_tomb(index), FAT_OK);
    failalloc_arm(1, FAILALLOC_ALWAYS);
    fat_dirindex_bury(index, &tomb);
    (void)failalloc_disarm();
}

static void take(struct fat_dirindex *index, uint32_t first, uint32_t n)
{
    assert_int_equal(fat_dirindex_reserve(index, 0, first + n), FAT_OK);
    fat_dirindex_take(index, (struct fat_slots){.first = first, .count = n});
    if (fat_dirindex_end(index) < first + n) {
        fat_dirindex_set_end(index, first + n);
    }
}

static void assert_room(struct fat_dirindex *index, uint32_t n, uint32_t per_sector,
        uint32_t capacity, uint32_t expected)
{
    uint32_t first = 0;

    assert_true(fat_dirindex_find_room(index, n, per_sector, capacity, &first));
    assert_int_equal(first, expected);
}

static void a_buried_name_and_its_slots_stay_taken_until_it_settles(void **state)
{
    struct fat_tomb tomb;

    take(*state, 0, 10);
    bury(*state, 1, 2, (struct fat_slots){.first = 0, .count = 3}, 5);
    bury(*state, 3, 3, (struct fat_slots){.first = 4, .count = 2}, 6);
    assert_room(*state, 2, 16, 64, 10);
    assert_true(fat_dirindex_is_buried(*state, 2, &tomb));
    assert_int_equal(tomb.slots.first, 0);
    assert_int_equal(tomb.slots.count, 3);
    assert_int_equal(tomb.kind, FAT_REMOVAL_MOVED);
    assert_int_equal(tomb.interval, 5);
    assert_found(*state, 2, 0, 0); /* it is no entry any more */
    fat_dirindex_settle(*state, 4);
    assert_true(fat_dirindex_is_buried(*state, 1, &tomb));
    fat_dirindex_settle(*state, 5);
    assert_false(fat_dirindex_is_buried(*state, 1, &tomb));
    assert_false(fat_dirindex_is_buried(*state, 2, &tomb));
    assert_true(fat_dirindex_is_buried(*state, 3, &tomb));
    assert_room(*state, 2, 16, 64, 0);
    assert_room(*state, 4, 16, 64, 10);
    fat_dirindex_settle(*state, 100);
    assert_false(fat_dirindex_is_buried(*state, 3, &tomb));
    assert_room(*state, 2, 16, 64, 0);
}

static void an_exhumed_tomb_is_forgotten_but_its_slots_stay_taken(void **state)
{
    struct fat_tomb tomb;

    take(*state, 0, 6);
    for (uint32_t i = 0; i < 3; i++) {
        bury(*state, 10 + i, 20 + i, (struct fat_slots){.first = 2 * i, .count = 2}, 5);
    }
    assert_true(fat_dirindex_is_buried(*state, 11, &tomb));
    fat_dirindex_exhume(*state, &tomb);
    assert_false(fat_dirindex_is_buried(*state, 11, &tomb));
    assert_false(fat_dirindex_is_buried(*state, 21, &tomb));
    assert_true(fat_dirindex_is_buried(*state, 22, &tomb));
    assert_int_equal(tomb.slots.first, 4);
    fat_dirindex_settle(*state, 5);
    assert_room(*state, 2, 16, 64, 0);
    assert_room(*state, 4, 16, 64, 4); /* 2 and 3 are somebody's */
}

static void a_tomb_and_an_entry_may_have_one_name(void **state)
{
    struct fat_tomb tomb;

    take(*state, 0, 4);
    bury(*state, 9, 9, (struct fat_slots){.first = 0, .count = 2}, 5);
    add(*state, 9, 9, 3);
    assert_found(*state, 9, 1, 3);
    assert_true(fat_dirindex_is_buried(*state, 9, &tomb));
    fat_dirindex_settle(*state, 5);
    assert_found(*state, 9, 1, 3);
    assert_false(fat_dirindex_is_buried(*state, 9, &tomb));
}

static void a_set_that_fits_in_a_sector_is_not_cut_by_its_border(void **state)
{
    static const struct {
        uint32_t per_sector, used, count, first;
    } rows[] = {
            {16, 0, 16, 0},
            {16, 1, 15, 1},
            {16, 1, 16, 16},
            {16, 15, 1, 15},
            {16, 15, 2, 16},
            {16, 3, 17, 3}, /* it never fits: anywhere */
            {16, 15, 21, 15},
            {128, 107, 21, 107},
            {128, 108, 21, 128},
            {128, 127, 1, 127},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct fat_dirindex *index;

        assert_int_equal(fat_dirindex_new(&index), FAT_OK);
        take(index, 0, rows[i].used);
        assert_room(index, rows[i].count, rows[i].per_sector, 1024, rows[i].first);
        fat_dirindex_free(index);
    }
}

static void room_ends_with_the_capacity(void **state)
{
    uint32_t first = 77;

    take(*state, 0, 30);
    assert_false(fat_dirindex_find_room(*state, 3, 16, 32, &first));
    assert_int_equal(first, 77);
    assert_room(*state, 2, 16, 32, 30);
    assert_room(*state, 3, 16, 48, 32);
    assert_room(*state, 1, 16, 32, 30);
}

static void a_gap_that_opens_before_the_last_search_is_found(void **state)
{
    take(*state, 0, 64);
    for (uint32_t k = 1; k <= 16; k++) {
        assert_room(*state, k, 16, 128, 64);
    }
    fat_dirindex_give(*state, (struct fat_slots){.first = 20, .count = 2});
    fat_dirindex_give(*state, (struct fat_slots){.first = 23, .count = 1});
    assert_room(*state, 3, 16, 128, 64);
    fat_dirindex_give(*state, (struct fat_slots){.first = 22, .count = 1});
    assert_room(*state, 3, 16, 128, 20);
    assert_room(*state, 4, 16, 128, 20);
    assert_room(*state, 5, 16, 128, 64);
}

/* The fixed root is full but for a place that crosses a border: better than nothing. */
static void a_search_that_may_cross_borders_finds_what_the_other_passed(void **state)
{
    uint32_t first = 0;

    take(*state, 0, 8);
    take(*state, 22, 1);
    assert_room(*state, 12, 16, 64, 32); /* 8 .. 19 would cross */
    take(*state, 32, 12);
    assert_room(*state, 12, 16, 64, 48);
    take(*state, 48, 12);
    assert_false(fat_dirindex_find_room(*state, 12, 16, 64, &first));
    assert_room(*state, 12, 1, 64, 8);
}

static void memory_that_fails_leaves_the_index_as_it_was(void **state)
{
    struct fat_dirindex *index = NULL;
    struct fat_tomb tomb;
    bool failed = true;

    failalloc_arm(1, FAILALLOC_ONCE);
    assert_int_equal(fat_dirindex_new(&index), FAT_E_NOMEM);
    (void)failalloc_disarm();
    assert_null(index);
    for (uint16_t i = 0; i < 40; i++) {
        add(*state, i, i + 1000U, i);
        take(*state, i, 1);
    }
    bury(*state, 5000, 5001, (struct fat_slots){.first = 3, .count = 1}, 1);
    for (unsigned nth = 1; failed; nth++) {
        fat_err err;

        failalloc_arm(nth, FAILALLOC_ONCE);
        err = fat_dirindex_reserve(*state, 1000, 10000);
        for (int i = 0; err == FAT_OK && i < 4; i++) { /* the fifth needs more room */
            err = fat_dirindex_reserve_tomb(*state);
        }
        failed = failalloc_disarm();
        assert_int_equal(err, failed ? FAT_E_NOMEM : FAT_OK);
        assert_found(*state, 39, 1, 39);
        assert_found(*state, 1039, 1, 39);
        assert_true(fat_dirindex_is_buried(*state, 5001, &tomb));
        assert_int_equal(fat_dirindex_entries(*state), 40);
        assert_room(*state, 1, 16, 99, 40);
    }
}

/* The random test: a plain list of names and an array of slots. */
enum { SLOTS = 1500, NAMES = 700, STEPS = 250000, HASHES = 400 };

struct name {
    struct fat_name_hashes hashes;
    struct fat_slots slots;
    enum { NOBODY, ENTRY, TOMB } is;
    bool is_directory;
    uint64_t interval;
};

struct model {
    struct fat_dirindex *index;
    struct name names[NAMES];
    bool taken[SLOTS];
    uint32_t end, per_sector, capacity;
    uint64_t interval, finished;
};

static uint32_t any_hash(void)
{
    /* Few buckets and few values: collisions of both kinds. */
    return (uint32_t)(rand() % HASHES % 20) << (rand() % 2 ? 24 : 3) | 5;
}

static void model_mark(struct model *m, struct fat_slots slots, bool taken)
{
    for (uint32_t i = slots.first; i < slots.first + slots.count; i++) {
        assert_int_equal(m->taken[i], !taken);
        m->taken[i] = taken;
    }
}

static struct name *any_name(struct model *m, int is)
{
    for (int tries = 0; tries < 50; tries++) {
        struct name *name = &m->names[rand() % NAMES];

        if ((int)name->is == is) {
            return name;
        }
    }
    return NULL;
}

static bool model_room(const struct model *m, uint32_t n, uint32_t *ret)
{
    for (uint32_t first = 0, run = 0; first + n <= m->capacity; first++) {
        if (n <= m->per_sector && first % m->per_sector + n > m->per_sector) {
            run = 0;
            continue;
        }
        for (run = 0; run < n && !m->taken[first + run]; run++) {
        }
        if (run == n) {
            *ret = first;
            return true;
        }
        first += run; /* to the blocker */
    }
    return false;
}

static void step_add(struct model *m)
{
    const uint32_t n = 1 + (uint32_t)rand() % 21;
    struct name *name = any_name(m, NOBODY);
    uint32_t first = 0;
    uint32_t expected = 0;
    const bool is_room =
            fat_dirindex_find_room(m->index, n, m->per_sector, m->capacity, &first);

    assert_int_equal(model_room(m, n, &expected), is_room);
    assert_int_equal(first, expected);
    if (!is_room || !name || rand() % 4 == 0) {
        m->capacity += m->capacity + 16 <= SLOTS && rand() % 4 == 0 ? 16 : 0;
        return;
    }
    *name = (struct name){.hashes = hashes(any_hash(), any_hash()),
            .slots = {.first = first, .count = n},
            .is = ENTRY,
            .is_directory = rand() % 2};
    assert_int_equal(fat_dirindex_reserve(m->index, 1, first + n), FAT_OK);
    if (first + n > m->end) {
        m->end = first + n;
        fat_dirindex_set_end(m->index, m->end);
    }
    model_mark(m, name->slots, true);
    fat_dirindex_take(m->index, name->slots);
    fat_dirindex_add(
            m->index, name->hashes, (uint16_t)(first + n - 1), name->is_directory);
}

static struct fat_tomb tomb_of(const struct name *name)
{
    return (struct fat_tomb){.hashes = name->hashes,
            .slots = name->slots,
            .kind = name->is_directory ? FAT_REMOVAL_DELETED : FAT_REMOVAL_MOVED,
            .interval = name->interval};
}

static void step_remove(struct model *m)
{
    struct name *name = any_name(m, ENTRY);
    struct fat_tomb tomb;

    if (!name) {
        return;
    }
    assert_int_equal(fat_dirindex_reserve_tomb(m->index), FAT_OK);
    fat_dirindex_remove(m->index, name->hashes,
            (uint16_t)(name->slots.first + name->slots.count - 1), name->is_directory);
    if (rand() % 2) {
        name->is = TOMB;
        name->interval = m->interval;
        tomb = tomb_of(name);
        fat_dirindex_bury(m->index, &tomb);
    } else {
        name->is = NOBODY;
        model_mark(m, name->slots, false);
        fat_dirindex_give(m->index, name->slots);
    }
}

/* A new entry takes over the slots of a tomb. */
static void step_exhume(struct model *m)
{
    struct name *name = any_name(m, TOMB);
    struct fat_tomb tomb;

    if (!name) {
        return;
    }
    tomb = tomb_of(name);
    assert_int_equal(fat_dirindex_reserve(m->index, 1, m->end), FAT_OK);
    fat_dirindex_exhume(m->index, &tomb);
    name->is = ENTRY;
    name->hashes.shown = any_hash();
    fat_dirindex_add(m->index, name->hashes,
            (uint16_t)(name->slots.first + name->slots.count - 1), name->is_directory);
}

static void step_settle(struct model *m)
{
    m->finished = m->interval - (uint64_t)rand() % 3;
    fat_dirindex_settle(m->index, m->finished);
    for (int i = 0; i < NAMES; i++) {
        struct name *name = &m->names[i];

        if (name->is == TOMB && name->interval <= m->finished) {
            name->is = NOBODY;
            model_mark(m, name->slots, false);
        }
    }
}

static void step_look(struct model *m)
{
    const uint32_t hash = any_hash();
    unsigned n = 0;
    unsigned sum = 0;
    unsigned tombs = 0;
    struct fat_tomb tomb;

    for (int i = 0; i < NAMES; i++) {
        const struct name *name = &m->names[i];

        if (name->hashes.shown == hash || name->hashes.alias == hash) {
            n += name->is == ENTRY;
            sum += name->is == ENTRY ? name->slots.first + name->slots.count - 1 : 0;
            tombs += name->is == TOMB;
        }
    }
    assert_found(m->index, hash, n, sum);
    assert_int_equal(fat_dirindex_is_buried(m->index, hash, &tomb), tombs > 0);
    if (tombs > 0) {
        assert_true(tomb.hashes.shown == hash || tomb.hashes.alias == hash);
    }
}

static void compare_totals(const struct model *m)
{
    uint32_t entries = 0;
    uint32_t directories = 0;

    for (int i = 0; i < NAMES; i++) {
        entries += m->names[i].is == ENTRY;
        directories += m->names[i].is == ENTRY && m->names[i].is_directory;
    }
    assert_int_equal(fat_dirindex_entries(m->index), entries);
    assert_int_equal(fat_dirindex_directories(m->index), directories);
    assert_int_equal(fat_dirindex_end(m->index), m->end);
}

static void walk_at_random(uint32_t per_sector, unsigned steps)
{
    struct model *m = calloc(1, sizeof(*m));

    assert_non_null(m);
    assert_int_equal(fat_dirindex_new(&m->index), FAT_OK);
    m->per_sector = per_sector;
    m->capacity = 16;
    m->interval = 5;
    srand(per_sector);
    for (unsigned step = 0; step < steps; step++) {
        const int dice = rand() % 100;

        /* Phases that fill and phases that empty. */
        if (dice < (step / 5000 % 2 ? 55 : 25)) {
            step_add(m);
        } else if (dice < 80) {
            step_remove(m);
        } else if (dice < 85) {
            step_exhume(m);
        } else if (dice < 87) {
            step_settle(m);
            m->interval++;
        } else {
            step_look(m);
        }
        if (step % 100 == 0) {
            compare_totals(m);
        }
    }
    fat_dirindex_free(m->index);
    free(m);
}

static void a_random_walk_agrees_with_a_list_in_sectors_of_any_size(void **state)
{
    (void)state;
    walk_at_random(16, STEPS);
    walk_at_random(128, STEPS);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
            CASE(nothing_is_found_in_an_empty_index),
            CASE(an_entry_is_found_by_both_of_its_names),
            CASE(names_of_one_hash_are_all_found_and_removed_one_by_one),
            CASE(a_thousand_entries_of_one_hash_are_a_crowd),
            CASE(what_has_been_reserved_can_be_added_without_memory),
            CASE(a_table_full_of_removed_names_is_swept),
            CASE(a_buried_name_and_its_slots_stay_taken_until_it_settles),
            CASE(an_exhumed_tomb_is_forgotten_but_its_slots_stay_taken),
            CASE(a_tomb_and_an_entry_may_have_one_name),
            CASE(a_set_that_fits_in_a_sector_is_not_cut_by_its_border),
            CASE(room_ends_with_the_capacity),
            CASE(a_gap_that_opens_before_the_last_search_is_found),
            CASE(a_search_that_may_cross_borders_finds_what_the_other_passed),
            CASE(memory_that_fails_leaves_the_index_as_it_was),
            cmocka_unit_test(a_random_walk_agrees_with_a_list_in_sectors_of_any_size),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
