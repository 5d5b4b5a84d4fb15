/* SPDX-License-Identifier: MIT */
#include "tree/wood.h"

enum { SECTOR = 512, PER_SECTOR = 16 };

static size_t ascii(const char *text, uint16_t *units)
{
    size_t i = 0;

    for (; text[i]; i++) {
        units[i] = (uint8_t)text[i];
    }
    return i;
}

static void a_walk_shows_files_and_passes_the_rest(void **state)
{
    static const unsigned types[] = {12, 16, 32};
    uint16_t units[64];
    const size_t length = ascii("A rather long name.txt", units);

    (void)state;
    for (int i = 0; i < 3; i++) {
        struct wood w;

        wood_make(&w, types[i], SECTOR);
        wood_put_short(&w, 0, 0, "MY LABEL   ", FAT_ATTR_VOLUME_ID, 0);
        wood_put_short(&w, 0, 1, "HELLO   TXT", FAT_ATTR_ARCHIVE, 0);
        wood_put_short(&w, 0, 2, "\xe5GONE   TXT", FAT_ATTR_ARCHIVE, 0);
        wood_put_long(&w, 3, units, length, 2, "ARATHE~1TXT");
        wood_put_long(&w, 4, units, length, 1, "ARATHE~1TXT");
        wood_put_short(&w, 0, 5, "ARATHE~1TXT", 0, 0);
        wood_put_short(&w, 0, 6, ".          ", FAT_ATTR_DIRECTORY, 0);
        wood_put_short(&w, 0, 7, "..         ", FAT_ATTR_DIRECTORY, 0);
        wood_put_short(&w, 0, 8, "SUB        ", FAT_ATTR_DIRECTORY, 5);
        wood_put_short(&w, 0, 10, "BEHIND     ", 0, 0); /* the end mark */
        wood_open(&w);
        wood_assert_walk(&w, "1-1 HELLO.TXT|3-5 A rather long name.txt|8-8 SUB|");
        assert_int_equal(fat_dir_is_fixed_root(w.root), i < 2);
        wood_done(&w);
    }
}

static void a_walk_stops_at_the_end_mark_and_stays_there(void **state)
{
    struct fat_dir_walk walk = {.slot = 0};
    struct fat_dir_item item;
    struct wood w;

    (void)state;
    wood_make(&w, 16, SECTOR);
    wood_put_short(&w, 0, 0, "A          ", 0, 0);
    wood_put_short(&w, 0, 2, "JUNK       ", 0, 0);
    wood_open(&w);
    fat_lfn_reset(&walk.lfn);
    assert_int_equal(fat_dir_walk_next(w.root, &walk, &item), FAT_OK);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(fat_dir_walk_next(w.root, &walk, &item), FAT_END);
        assert_true(walk.at_end);
        assert_int_equal(walk.slot, 1);
    }
    assert_int_equal(fat_dir_item_at(w.root, 1, &item), FAT_E_NOENT);
    wood_done(&w);
}

static void a_directory_without_an_end_mark_ends_with_its_clusters(void **state)
{
    struct fat_dir_walk walk = {.slot = 0};
    struct fat_dir_item item;
    struct wood w;
    uint32_t n = 0;

    (void)state;
    wood_make(&w, 16, SECTOR);
    for (uint32_t i = 0; i < w.g.root_entries; i++) {
        char name[12];

        snprintf(name, sizeof(name), "F%-10u", i);
        wood_put_short(&w, 0, i, name, 0, 0);
    }
    wood_open(&w);
    fat_lfn_reset(&walk.lfn);
    while (fat_dir_walk_next(w.root, &walk, &item) == FAT_OK) {
        n++;
    }
    assert_int_equal(n, w.g.root_entries);
    assert_false(walk.at_end);
    assert_int_equal(fat_dir_need_index(w.root), FAT_OK);
    assert_int_equal(fat_dirindex_entries(w.root->index), w.g.root_entries);
    assert_int_equal(fat_dirindex_end(w.root->index), w.g.root_entries);
    assert_false(fat_dirindex_has_junk(w.root->index));
    wood_done(&w);
}

/* What stands before "OTHER~1.TXT" at slot 4, whose long name would be "Other name". */
static const struct broken {
    const char *name;
    struct {
        char what; /* L: long slot, f: free, s: a short entry, v: a label, ' ': nothing */
        unsigned ordinal;
        size_t length; /* of the name it is taken from */
        const char *alias;
    } slots[4];
    const char *shown;
} broken[] = {
        {"all is well",
                {{'s', 0, 0, "A          "}, {'f', 0, 0, "A          "},
                        {'L', 2, 14, "OTHER~1 TXT"}, {'L', 1, 14, "OTHER~1 TXT"}},
                "0-0 A|2-4 Other name 1234"},
        {"the checksum is another name's",
                {{'f', 0, 0, "A          "}, {'f', 0, 0, "A          "},
                        {'L', 2, 14, "OTHER~2 TXT"}, {'L', 1, 14, "OTHER~2 TXT"}},
                "4-4 OTHER~1.TXT"},
        {"the first slot is missing",
                {{'f', 0, 0, "A          "}, {'f', 0, 0, "A          "},
                        {'f', 0, 0, "A          "}, {'L', 1, 14, "OTHER~1 TXT"}},
                "4-4 OTHER~1.TXT"},
        {"the last slot is missing",
                {{'f', 0, 0, "A          "}, {'f', 0, 0, "A          "},
                        {'L', 2, 14, "OTHER~1 TXT"}, {'f', 0, 0, "A          "}},
                "4-4 OTHER~1.TXT"},
        {"a free slot comes between",
                {{'f', 0, 0, "A          "}, {'L', 2, 14, "OTHER~1 TXT"},
                        {'f', 0, 0, "A          "}, {'L', 1, 14, "OTHER~1 TXT"}},
                "4-4 OTHER~1.TXT"},
        {"a label comes between",
                {{'L', 2, 14, "OTHER~1 TXT"}, {'L', 1, 14, "OTHER~1 TXT"},
                        {'f', 0, 0, "A          "}, {'v', 0, 0, "LABEL      "}},
                "4-4 OTHER~1.TXT"},
        {"the order is wrong",
                {{'f', 0, 0, "A          "}, {'f', 0, 0, "A          "},
                        {'L', 1, 14, "OTHER~1 TXT"}, {'L', 2, 14, "OTHER~1 TXT"}},
                "4-4 OTHER~1.TXT"},
        {"an orphan stands before a good set",
                {{'L', 2, 14, "GONE    TXT"}, {'f', 0, 0, "A          "},
                        {'L', 2, 14, "OTHER~1 TXT"}, {'L', 1, 14, "OTHER~1 TXT"}},
                "2-4 Other name 1234"},
        {"a set without its entry stands before a good one",
                {{'L', 2, 14, "GONE    TXT"}, {'L', 1, 14, "GONE    TXT"},
                        {'L', 2, 14, "OTHER~1 TXT"}, {'L', 1, 14, "OTHER~1 TXT"}},
                "2-4 Other name 1234"},
        {"a slot too many",
                {{'f', 0, 0, "A          "}, {'L', 2, 14, "OTHER~1 TXT"},
                        {'L', 1, 14, "OTHER~1 TXT"}, {'L', 1, 14, "OTHER~1 TXT"}},
                "4-4 OTHER~1.TXT"},
};

static void a_broken_long_name_gives_way_to_the_short_one(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++) {
        uint16_t units[64];
        char text[256];
        struct wood w;

        (void)ascii("Other name 1234", units);
        wood_make(&w, 16, SECTOR);
        for (uint32_t s = 0; s < 4; s++) {
            const char what = broken[i].slots[s].what;

            if (what == 'L') {
                wood_put_long(&w, s, units, 15, broken[i].slots[s].ordinal,
                        broken[i].slots[s].alias);
                continue;
            }
            wood_put_short(&w, 0, s, broken[i].slots[s].alias,
                    what == 'v' ? FAT_ATTR_VOLUME_ID : 0, 0);
            if (what == 'f') {
                wood_put(&w, 0, s, "\xe5", 1);
            }
        }
        wood_put_short(&w, 0, 4, "OTHER~1 TXT", 0, 0);
        wood_open(&w);
        wood_walk(&w, w.root, text, sizeof(text));
        if (strncmp(text, broken[i].shown, strlen(broken[i].shown)) != 0) {
            fail_msg("%s: %s", broken[i].name, text);
        }
        wood_done(&w);
    }
}

static void a_name_that_cannot_be_shown_gives_way(void **state)
{
    static const struct {
        const char *name;
        uint16_t units[3];
        size_t length;
    } longs[] = {
            {"a slash", {'a', '/', 'b'}, 3},
            {"a control character", {'a', 0x1f, 'b'}, 3},
            {"a high surrogate alone", {'a', 0xd800, 'b'}, 3},
            {"a low surrogate alone", {'a', 0xdc00, 'b'}, 3},
            {"a dot", {'.'}, 1},
            {"two dots", {'.', '.'}, 2},
    };
    static const char *const shorts[][2] = {
            {"A/B     T/T", "1-1 A_B.T_T|"},
            {"A\x01"
             "B     TXT",
                    "1-1 A_B.TXT|"},
            {"/       TXT", "1-1 _.TXT|"},
            {"\x05"
             "BC     TXT",
                    "1-1 ?BC.TXT|"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(longs) / sizeof(longs[0]); i++) {
        struct wood w;
        char text[64];

        wood_make(&w, 16, SECTOR);
        wood_put_long(&w, 0, longs[i].units, longs[i].length, 1, "ODD~1      ");
        wood_put_short(&w, 0, 1, "ODD~1      ", 0, 0);
        wood_open(&w);
        wood_walk(&w, w.root, text, sizeof(text));
        if (strcmp(text, "0-1 ODD~1|") != 0) { /* the set is its all the same */
            fail_msg("%s: %s", longs[i].name, text);
        }
        wood_done(&w);
    }
    for (size_t i = 0; i < sizeof(shorts) / sizeof(shorts[0]); i++) {
        struct wood w;

        wood_make(&w, 16, SECTOR);
        wood_put_short(&w, 0, 0, "\xe5          ", 0, 0);
        wood_put_short(&w, 0, 1, shorts[i][0], 0, 0);
        wood_open(&w);
        wood_assert_walk(&w, shorts[i][1]);
        wood_done(&w);
    }
}

static void a_walk_and_a_single_look_agree_on_any_slots(void **state)
{
    (void)state;
    srand(11);
    for (int round = 0; round < 60; round++) {
        uint16_t units[300];
        char text[16384];
        struct wood w;

        for (size_t i = 0; i < 300; i++) {
            units[i] = (uint16_t)('a' + i % 26);
        }
        wood_make(&w, 16, SECTOR);
        for (uint32_t slot = 0; slot < 200; slot++) {
            const size_t length = 1 + (size_t)rand() % 255;
            const unsigned count = fat_lfn_slots(length);

            for (unsigned o = count; o > 0 && slot < 190 && rand() % 3; o--) {
                if (rand() % 40) {
                    wood_put_long(&w, slot++, units, length, o, "SAME       ");
                }
            }
            wood_put_short(&w, 0, slot, rand() % 5 ? "SAME       " : "OTHER      ",
                    rand() % 6 ? 0 : FAT_ATTR_VOLUME_ID, 0);
        }
        wood_open(&w);
        wood_walk(&w, w.root, text, sizeof(text));
        assert_true(strlen(text) > 500);
        wood_done(&w);
    }
}

static void a_read_error_is_no_end_of_a_directory(void **state)
{
    struct fat_dir_walk walk = {.slot = 0};
    struct fat_dir_item item;
    struct fat_name name;
    struct wood w;

    (void)state;
    wood_make(&w, 16, SECTOR);
    wood_put_short(&w, 0, 0, "A          ", 0, 0);
    wood_open(&w);
    assert_int_equal(fat_name_from("B", &name), FAT_OK);
    recdev_fail(w.rec, RECDEV_READ, 1, FAT_E_IO, RECDEV_ALWAYS);
    fat_lfn_reset(&walk.lfn);
    assert_int_equal(fat_dir_walk_next(w.root, &walk, &item), FAT_E_IO);
    assert_int_equal(fat_dir_need_index(w.root), FAT_E_IO);
    assert_null(w.root->index);
    assert_int_equal(fat_dir_find(w.root, &name, &item), FAT_E_IO);
    assert_int_equal(fat_dir_is_empty(w.root), FAT_E_IO);
    recdev_fail(w.rec, RECDEV_READ, 0, FAT_OK, RECDEV_ONCE);
    assert_int_equal(fat_dir_find(w.root, &name, &item), FAT_E_NOENT);
    assert_int_equal(fat_dir_is_empty(w.root), FAT_E_NOTEMPTY);
    wood_done(&w);
}

static void a_chain_that_breaks_off_is_damage_told_once(void **state)
{
    struct fat_dir_walk walk = {.slot = 0};
    struct fat_dir_item item;
    struct fat_node *sub;
    struct wood w;

    (void)state;
    wood_make(&w, 16, SECTOR);
    wood_put_fat(&w, 10, 20);
    for (uint32_t i = 0; i < PER_SECTOR; i++) {
        wood_put_short(&w, 10, i, "\xe5          ", 0, 0);
    }
    wood_open(&w);
    sub = wood_open_sub(&w, 10);
    fat_lfn_reset(&walk.lfn);
    assert_int_equal(fat_dir_walk_next(sub, &walk, &item), FAT_E_CORRUPT);
    assert_int_equal(fat_dir_walk_next(sub, &walk, &item), FAT_E_CORRUPT);
    assert_int_equal(w.reports, 1);
    assert_int_equal(fat_tree_writable(w.tree), FAT_E_READONLY);
    fat_node_unref(sub);
    wood_done(&w);
}

static void a_directory_has_65536_slots_and_no_more(void **state)
{
    struct fat_dir_walk walk = {.slot = 0};
    struct fat_dir_item item;
    struct fat_place place;
    struct fat_node *sub;
    uint8_t free_slots[SECTOR];
    struct wood w;

    (void)state;
    memset(free_slots, 0xe5, sizeof(free_slots));
    wood_make(&w, 16, SECTOR);
    for (uint32_t c = 10; c < 10 + 4100; c++) {
        wood_put_fat(&w, c, c + 1 < 10 + 4100 ? c + 1 : 0xffff);
        wood_put(&w, c, 0, free_slots, sizeof(free_slots));
    }
    wood_put_short(&w, 10 + 4095, 15, "LAST       ", 0, 0);
    wood_put_short(&w, 10 + 4096, 0, "BEYOND     ", 0, 0);
    wood_open(&w);
    sub = wood_open_sub(&w, 10);
    fat_lfn_reset(&walk.lfn);
    assert_int_equal(fat_dir_walk_next(sub, &walk, &item), FAT_OK);
    assert_int_equal(item.place.slot, 65535);
    assert_int_equal(fat_dir_walk_next(sub, &walk, &item), FAT_END);
    assert_int_equal(fat_dir_make_room(sub, 21, &place), FAT_OK);
    fat_dirindex_take(sub->index, (struct fat_slots){.first = 0, .count = 65535});
    assert_int_equal(fat_dir_make_room(sub, 1, &place), FAT_E_NOSPC);
    fat_node_unref(sub);
    wood_done(&w);
}

static void names_are_found_in_any_case_by_long_and_by_short_name(void **state)
{
    static const struct {
        const char *asked;
        bool found, exact;
    } rows[] = {
            {"A rather long name.txt", true, true},
            {"a RATHER long NAME.txt", true, false},
            {"A rather long name.txt..", true, false},
            {"ARATHE~1.TXT", true, false},
            {"arathe~1.txt", true, false},
            {"A rather long name.tx", false, false},
            {"ARATHE~1", false, false},
    };
    uint16_t units[64];
    const size_t length = ascii(rows[0].asked, units);
    struct wood w;

    (void)state;
    wood_make(&w, 12, SECTOR);
    wood_put_long(&w, 0, units, length, 2, "ARATHE~1TXT");
    wood_put_long(&w, 1, units, length, 1, "ARATHE~1TXT");
    wood_put_short(&w, 0, 2, "ARATHE~1TXT", 0, 0);
    wood_open(&w);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct fat_dir_item item;
        struct fat_name name;

        assert_int_equal(fat_name_from(rows[i].asked, &name), FAT_OK);
        if (fat_dir_find(w.root, &name, &item) !=
                (rows[i].found ? FAT_OK : FAT_E_NOENT)) {
            fail_msg("%s", rows[i].asked);
        }
        if (rows[i].found) {
            assert_int_equal(fat_name_is_exact(&name, &item), rows[i].exact);
        }
    }
    wood_done(&w);
}

static void a_name_of_dots_or_bad_utf8_is_no_name(void **state)
{
    struct fat_name name;

    (void)state;
    assert_int_equal(fat_name_from("...", &name), FAT_E_NAME);
    assert_int_equal(fat_name_from("", &name), FAT_E_NAME);
    assert_int_equal(fat_name_from("\xff", &name), FAT_E_NAME);
    assert_int_equal(fat_name_from(".a", &name), FAT_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(a_walk_shows_files_and_passes_the_rest),
            cmocka_unit_test(a_walk_stops_at_the_end_mark_and_stays_there),
            cmocka_unit_test(a_directory_without_an_end_mark_ends_with_its_clusters),
            cmocka_unit_test(a_broken_long_name_gives_way_to_the_short_one),
            cmocka_unit_test(a_name_that_cannot_be_shown_gives_way),
            cmocka_unit_test(a_walk_and_a_single_look_agree_on_any_slots),
            cmocka_unit_test(a_read_error_is_no_end_of_a_directory),
            cmocka_unit_test(a_chain_that_breaks_off_is_damage_told_once),
            cmocka_unit_test(a_directory_has_65536_slots_and_no_more),
            cmocka_unit_test(names_are_found_in_any_case_by_long_and_by_short_name),
            cmocka_unit_test(a_name_of_dots_or_bad_utf8_is_no_name),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
