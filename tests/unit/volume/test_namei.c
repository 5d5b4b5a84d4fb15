/* SPDX-License-Identifier: MIT */
/* Names: how they are looked up, kept, refused, listed, and how many there may be. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/cmocka.h"
#include "support/surgery.h"

static const struct image_spec SPECS[] = {
        {.type = 12}, {.type = 16}, {.type = 32}, {.type = 12, .sector_bytes = 4096}};

enum { SPEC_COUNT = sizeof(SPECS) / sizeof(SPECS[0]) };

#define FOR_EACH_TYPE(img, i)                                                   \
    for (size_t i = 0; i < SPEC_COUNT && (image_make(&(img), &SPECS[i]), true); \
            image_done(&(img)), i++)

#define GRIN  "\xf0\x9f\x98\x80"
#define KANJI "\xe6\xbc\xa2"

/* @text repeated until the name has @units UTF-16 units; the caller frees it. */
static char *name_of(const char *text, unsigned units_of_text, unsigned units)
{
    const size_t length = strlen(text);
    char *name = calloc(1, units * 3 + 8);

    assert_non_null(name);
    while (units >= units_of_text) {
        memcpy(name + strlen(name), text, length + 1);
        units -= units_of_text;
    }
    while (units-- > 0) {
        strcat(name, "x");
    }
    return name;
}

static void a_name_is_found_in_any_case_and_by_its_short_name(void **state)
{
    static const struct {
        const char *name, *asked;
        bool exact;
    } rows[] = {
            {"A Long Name.text", "A Long Name.text", true},
            {"A Long Name.text", "a long name.TEXT", false},
            {"A Long Name.text", "A Long Name.text.", false},
            {"A Long Name.text", "ALONGN~1.TEX", false},
            {"A Long Name.text", "alongn~1.tex", false},
            {"SHORT.TXT", "SHORT.TXT", true},
            {"SHORT.TXT", "short.txt", false},
            {"SHORT.TXT", "SHORT.TXT...", false},
            {"lower.txt", "lower.txt", true},
            {"lower.txt", "LOWER.TXT", false},
            {"\xc3\x84pfel", "\xc3\xa4PFEL", false},
            {"\xd0\xbf\xd1\x80\xd0\xb8", "\xd0\x9f\xd0\xa0\xd0\x98", false},
            {"smile " GRIN, "SMILE " GRIN, false},
    };
    struct image img;

    (void)state;
    FOR_EACH_TYPE(img, i)
    {
        for (size_t r = 0; r < sizeof(rows) / sizeof(rows[0]); r++) {
            struct fat_node *node = image_create(img.root, rows[r].name);
            struct fat_found found;

            for (unsigned again = 0; again < 2; again++) {
                if (fat_lookup(img.root, rows[r].asked, &found) != FAT_OK ||
                        found.exact != rows[r].exact) {
                    fail_msg("%s asked for as %s", rows[r].name, rows[r].asked);
                }
                assert_ptr_equal(found.node, node);
                fat_node_unref(found.node);
                fat_node_unref(node);
                image_reopen(&img);
                node = image_lookup(img.root, rows[r].name);
            }
            fat_node_unref(node);
            assert_int_equal(
                    fat_create(img.root, rows[r].asked, 0, &found), FAT_E_EXIST);
            assert_int_equal(
                    fat_mkdir(img.root, rows[r].asked, 0, &found), FAT_E_EXIST);
            assert_int_equal(fat_unlink(img.root, rows[r].asked), FAT_OK);
            assert_int_equal(image_try_lookup(img.root, rows[r].name), FAT_E_NOENT);
        }
    }
}

static void names_of_every_length_are_kept(void **state)
{
    static const struct {
        const char *text;
        unsigned units;
    } alphabets[] = {{"q", 1}, {"Ab", 2}, {KANJI, 1}, {GRIN, 2}};
    struct image img;

    (void)state;
    for (size_t a = 0; a < 4; a++) {
        struct fat_node *dir;
        struct fat_dir_entry entry;
        uint32_t cookie = 0;
        bool seen[256] = {false};

        image_make(&img, &(struct image_spec){.type = a % 2 ? 32 : 12});
        dir = image_mkdir(img.root, "dir");
        for (unsigned n = 1; n <= 255; n++) {
            char *name = name_of(alphabets[a].text, alphabets[a].units, n);

            image_touch(dir, name);
            free(name);
        }
        fat_node_unref(dir);
        image_reopen(&img);
        dir = image_lookup(img.root, "dir");
        while (fat_dir_next(dir, &cookie, &entry) == FAT_OK) {
            unsigned n = 1;
            char *name = name_of(alphabets[a].text, alphabets[a].units, n);

            while (n < 255 && strcmp(name, entry.name) != 0) {
                free(name);
                name = name_of(alphabets[a].text, alphabets[a].units, ++n);
            }
            assert_string_equal(name, entry.name);
            assert_false(seen[n]);
            seen[n] = true;
            assert_int_equal(image_try_lookup(dir, name), FAT_OK);
            free(name);
        }
        for (unsigned n = 1; n <= 255; n++) {
            assert_true(seen[n]);
        }
        fat_node_unref(dir);
        image_done(&img);
    }
}

static void more_than_255_units_are_too_long(void **state)
{
    static const struct {
        const char *text;
        unsigned text_units, units;
        fat_err wanted;
    } rows[] = {
            {"a", 1, 255, FAT_OK},
            {"a", 1, 256, FAT_E_NAMETOOLONG},
            {KANJI, 1, 255, FAT_OK},
            {KANJI, 1, 256, FAT_E_NAMETOOLONG},
            {GRIN, 2, 255, FAT_OK},
            {GRIN, 2, 256, FAT_E_NAMETOOLONG},
            {"a", 1, 1000, FAT_E_NAMETOOLONG},
    };
    struct image img;

    (void)state;
    assert_int_equal(fat_err_errno(FAT_E_NAMETOOLONG), ENAMETOOLONG);
    FOR_EACH_TYPE(img, i)
    {
        for (size_t r = 0; r < sizeof(rows) / sizeof(rows[0]); r++) {
            char *name = name_of(rows[r].text, rows[r].text_units, rows[r].units);
            struct fat_found found;
            const fat_err err = fat_create(img.root, name, 0, &found);

            assert_int_equal(err, rows[r].wanted);
            if (err == FAT_OK) {
                fat_node_unref(found.node);
            } else {
                assert_int_equal(fat_mkdir(img.root, name, 0, &found), err);
                assert_int_equal(fat_rename(img.root, "a", img.root, name, 0), err);
            }
            free(name);
        }
    }
}

static void illegal_names_are_refused(void **state)
{
    static const char *const names[] = {"", ".", "..", "...", " ", "  ", "a/b", "/",
            "a\\b", "a*b", "a?b", "a:b", "a<b", "a>b", "a|b", "a\"b", "a\001b", "a\nb",
            "trailing ", "\xff", "a\xc0\xaf", "\xed\xa0\x80", "\xf8\x88",
            "cut \xe6\xbc"};
    struct image img;

    (void)state;
    assert_int_equal(fat_err_errno(FAT_E_NAME), EINVAL);
    FOR_EACH_TYPE(img, i)
    {
        image_touch(img.root, "file");
        for (size_t n = 0; n < sizeof(names) / sizeof(names[0]); n++) {
            struct fat_found found = {0};

            if (fat_create(img.root, names[n], 0, &found) != FAT_E_NAME ||
                    fat_mkdir(img.root, names[n], 0, &found) != FAT_E_NAME ||
                    fat_rename(img.root, "file", img.root, names[n], 0) != FAT_E_NAME) {
                fail_msg("name %zu (%s) was not refused", n, names[n]);
            }
            assert_int_not_equal(image_try_lookup(img.root, names[n]), FAT_OK);
            assert_int_not_equal(fat_unlink(img.root, names[n]), FAT_OK);
            assert_null(found.node);
        }
        assert_int_equal(image_count(img.root), 1);
    }
}

static unsigned slot_of(struct fat_node *directory, const char *name)
{
    struct fat_dir_entry entry;
    uint32_t cookie = 0;

    while (fat_dir_next(directory, &cookie, &entry) == FAT_OK) {
        if (strcmp(entry.name, name) == 0) {
            return entry.slot;
        }
    }
    fail_msg("%s is not listed", name);
    return 0;
}

static void names_in_one_case_take_one_slot(void **state)
{
    struct image img;

    (void)state;
    FOR_EACH_TYPE(img, i)
    {
        image_touch(img.root, "UPPER.TXT");
        image_touch(img.root, "lower.txt");
        image_touch(img.root, "lower2.TXT");
        image_touch(img.root, "UPPER2.txt");
        image_touch(img.root, "Mixed.txt");
        assert_int_equal(slot_of(img.root, "UPPER.TXT"), 0);
        assert_int_equal(slot_of(img.root, "lower.txt"), 1);
        assert_int_equal(slot_of(img.root, "lower2.TXT"), 2);
        assert_int_equal(slot_of(img.root, "UPPER2.txt"), 3);
        assert_int_equal(slot_of(img.root, "Mixed.txt"), 5);
    }
}

static void fill_with_collisions(struct image *img)
{
    char name[40];

    image_make(img, &(struct image_spec){.type = 16});
    for (unsigned i = 0; i < 120; i++) {
        (void)snprintf(name, sizeof(name), "collision number %u.text", i);
        image_touch(img->root, name);
        if (i % 3 == 0) {
            assert_int_equal(fat_unlink(img->root, name), FAT_OK);
        }
        if (i % 16 == 0) {
            assert_int_equal(fat_volume_commit(img->volume), FAT_OK);
        }
    }
    image_close(img);
}

static void the_same_steps_make_the_same_bytes(void **state)
{
    struct image a, b;
    uint8_t *bytes_a;
    uint8_t *bytes_b;

    (void)state;
    fill_with_collisions(&a);
    fill_with_collisions(&b);
    bytes_a = image_bytes(a.dev);
    bytes_b = image_bytes(b.dev);
    assert_memory_equal(bytes_a + 512, bytes_b + 512, (size_t)a.dev->size_bytes - 512);
    free(bytes_a);
    free(bytes_b);
    image_open(&a);
    image_done(&a);
    image_open(&b);
    image_done(&b);
}

static void a_short_name_made_up_is_taken(void **state)
{
    struct image img;

    (void)state;
    FOR_EACH_TYPE(img, i)
    {
        struct fat_found found;

        image_put(img.root, "Long name.text", 1, 100);
        assert_int_equal(fat_create(img.root, "LONGNA~1.TEX", 0, &found), FAT_E_EXIST);
        assert_int_equal(fat_create(img.root, "longna~1.tex", 0, &found), FAT_E_EXIST);
        image_expect(img.root, "LONGNA~1.TEX", 1, 100);
        image_put(img.root, "OTHERN~1.TEX", 2, 200);
        image_put(img.root, "Other name.text", 3, 300);
        image_expect(img.root, "OTHERN~1.TEX", 2, 200);
        image_expect(img.root, "OTHERN~2.TEX", 3, 300);
        assert_int_equal(fat_unlink(img.root, "LONGNA~1.TEX"), FAT_OK);
        image_put(img.root, "LONGNA~1.TEX", 4, 400);
        image_put(img.root, "Long name.text", 5, 500);
        image_expect(img.root, "LONGNA~1.TEX", 4, 400);
        image_reopen(&img);
        image_expect(img.root, "LONGNA~1.TEX", 4, 400);
        image_expect(img.root, "longna~2.tex", 5, 500);
    }
}

static void a_fixed_root_has_an_end(void **state)
{
    static const struct image_spec specs[] = {
            {.type = 12, .root_entries = 32}, {.type = 16, .root_entries = 32}};
    struct image img;

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct fat_found found;
        char name[20];
        unsigned n = 0;

        image_make(&img, &specs[i]);
        do {
            (void)snprintf(name, sizeof(name), "N%u", n);
        } while (fat_create(img.root, name, 0, &found) == FAT_OK &&
                 (fat_node_unref(found.node), ++n) < 100);
        assert_int_equal(n, 32);
        assert_int_equal(fat_create(img.root, "MORE", 0, &found), FAT_E_NOSPC);
        assert_int_equal(fat_mkdir(img.root, "MORE", 0, &found), FAT_E_NOSPC);
        assert_int_equal(
                fat_rename(img.root, "N1", img.root, "long name", 0), FAT_E_NOSPC);
        assert_int_equal(fat_rename(img.root, "N1", img.root, "MORE", 0), FAT_E_NOSPC);
        assert_int_equal(fat_unlink(img.root, "N5"), FAT_OK);
        image_touch(img.root, "AGAIN"); /* W2: a commit makes the room */
        assert_int_equal(image_count(img.root), 32);
        image_done(&img);
    }
}

static void a_directory_ends_at_65536_slots(void **state)
{
    struct image img;
    struct fat_node *dir;
    struct fat_found found;
    char *tail = name_of("z", 1, 240);
    char name[300];
    unsigned n = 0;
    unsigned more = 0;
    struct fat_stat st;

    (void)state;
    image_make(&img,
            &(struct image_spec){.type = 32, .cluster_sectors = 8, .clusters = 700});
    dir = image_mkdir(img.root, "dir");
    do {
        (void)snprintf(name, sizeof(name), "%08u-%s", n * 7919, tail);
    } while (fat_create(dir, name, 0, &found) == FAT_OK &&
             (fat_node_unref(found.node), ++n) < 4000);
    assert_in_range(n, 2900, 65536 / 21);
    assert_int_equal(fat_create(dir, name, 0, &found), FAT_E_NOSPC);
    do {
        (void)snprintf(name, sizeof(name), "S%u", more);
    } while (fat_create(dir, name, 0, &found) == FAT_OK &&
             (fat_node_unref(found.node), ++more) < 30000);
    assert_int_equal(fat_mkdir(dir, "MORE", 0, &found), FAT_E_NOSPC);
    assert_int_equal(n * 21 + more + 2, 65536);
    assert_int_equal(fat_node_stat(dir, &st), FAT_OK);
    assert_int_equal(st.size_bytes, 65536 * 32);
    assert_int_equal(fat_unlink(dir, "S3"), FAT_OK);
    image_touch(dir, "S3");
    assert_int_equal(image_count(dir), n + more);
    fat_node_unref(dir);
    free(tail);
    image_done(&img);
}

static void removed_and_made_again_in_one_go(void **state)
{
    static const struct {
        const char *name, *old_name, *new_name;
    } rows[] = {
            {"short", "FILE.TXT", "FILE.TXT"},
            {"long", "some long file name.text", "some long file name.text"},
            {"long, in another case", "some long file name.text",
                    "SOME Long FILE name.TEXT"},
            {"short, with a slot more", "FILE.TXT", "File.Txt"},
            {"long, with fewer slots", "File.Txt", "FILE.TXT"},
            {"by the old one's short name", "some long file name.text", "SOMELO~1.TEX"},
            {"more than a sector of slots",
                    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
                    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
                    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
                    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
                    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
                    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"},
    };
    struct image img;

    (void)state;
    FOR_EACH_TYPE(img, i)
    {
        for (size_t r = 0; r < sizeof(rows) / sizeof(rows[0]); r++) {
            for (unsigned how = 0; how < 4; how++) {
                image_put(img.root, rows[r].old_name, 1, 1500);
                if (how & 1) {
                    assert_int_equal(fat_volume_commit(img.volume), FAT_OK);
                }
                if (how & 2) {
                    assert_int_equal(fat_rename(img.root, rows[r].old_name, img.root,
                                             "somewhere else", 0),
                            FAT_OK);
                } else {
                    assert_int_equal(fat_unlink(img.root, rows[r].old_name), FAT_OK);
                }
                image_put(img.root, rows[r].new_name, 2, 700);
                image_expect(img.root, rows[r].new_name, 2, 700);
                (void)slot_of(img.root, rows[r].new_name);
                image_reopen(&img);
                image_expect(img.root, rows[r].new_name, 2, 700);
                if (how & 2) {
                    image_expect(img.root, "somewhere else", 1, 1500);
                    assert_int_equal(fat_unlink(img.root, "somewhere else"), FAT_OK);
                }
                assert_int_equal(fat_unlink(img.root, rows[r].new_name), FAT_OK);
                assert_int_equal(image_count(img.root), 0);
            }
        }
    }
}

static void a_cookie_outlives_removals(void **state)
{
    struct image img;

    (void)state;
    FOR_EACH_TYPE(img, i)
    {
        struct fat_node *dir = image_mkdir(img.root, "dir");
        struct fat_dir_entry entry;
        uint32_t cookie = 0;
        unsigned seen[200] = {0};
        char name[40];
        fat_err err;

        for (unsigned n = 0; n < 200; n++) {
            (void)snprintf(name, sizeof(name), "%u is a number", n);
            image_touch(dir, name);
        }
        while ((err = fat_dir_next(dir, &cookie, &entry)) == FAT_OK) {
            const unsigned n = (unsigned)strtoul(entry.name, NULL, 10);

            if (entry.name[0] == 'n') {
                continue;
            }
            seen[n]++;
            if (n % 3 == 0) {
                assert_int_equal(fat_unlink(dir, entry.name), FAT_OK);
            }
            if (n % 3 == 1 && n >= 2) { /* one that was seen, and one to come */
                (void)snprintf(name, sizeof(name), "%u is a number", n - 2);
                (void)!fat_unlink(dir, name);
                (void)snprintf(name, sizeof(name), "new %u", n);
                image_touch(dir, name);
            }
            if (n % 16 == 0) {
                assert_int_equal(fat_volume_commit(img.volume), FAT_OK);
            }
        }
        assert_int_equal(err, FAT_END);
        assert_int_equal(fat_dir_next(dir, &cookie, &entry), FAT_END);
        for (unsigned n = 0; n < 200; n++) {
            assert_int_equal(seen[n], 1);
        }
        cookie = 0xffffffff;
        assert_int_equal(fat_dir_next(dir, &cookie, &entry), FAT_END);
        fat_node_unref(dir);
    }
}

/* A set that has been written over the slots of those that were listed. */
static void what_is_made_while_it_is_listed_shows_by_its_name(void **state)
{
    static const char name[] = "made while somebody lists";
    struct image img;

    (void)state;
    FOR_EACH_TYPE(img, i)
    {
        for (uint32_t listed = 1; listed <= 3; listed++) {
            struct fat_node *dir = image_mkdir(img.root, "dir");
            struct fat_dir_entry entry;
            uint32_t cookie = 0;

            image_touch(dir, "A");
            image_touch(dir, "B");
            image_touch(dir, "C");
            for (uint32_t n = 0; n < listed; n++) {
                assert_int_equal(fat_dir_next(dir, &cookie, &entry), FAT_OK);
            }
            assert_int_equal(fat_unlink(dir, "A"), FAT_OK);
            assert_int_equal(fat_unlink(dir, "B"), FAT_OK);
            assert_int_equal(fat_unlink(dir, "C"), FAT_OK);
            assert_int_equal(fat_volume_commit(img.volume), FAT_OK);
            image_touch(dir, name); /* in three slots */
            if (listed < 3) {
                assert_int_equal(fat_dir_next(dir, &cookie, &entry), FAT_OK);
                assert_string_equal(entry.name, name);
            }
            assert_int_equal(fat_dir_next(dir, &cookie, &entry), FAT_END);
            assert_int_equal(fat_unlink(dir, name), FAT_OK);
            fat_node_unref(dir);
            assert_int_equal(fat_rmdir(img.root, "dir"), FAT_OK);
        }
    }
}

static void what_was_listed_and_removed_is_not_there(void **state)
{
    struct image img;

    (void)state;
    FOR_EACH_TYPE(img, i)
    {
        struct fat_dir_entry entry;
        struct fat_node *node = NULL;
        uint32_t cookie = 0;

        image_touch(img.root, "file");
        assert_int_equal(fat_dir_next(img.root, &cookie, &entry), FAT_OK);
        assert_int_equal(fat_unlink(img.root, "file"), FAT_OK);
        assert_int_equal(fat_dir_node(img.root, &entry, &node), FAT_E_NOENT);
        image_touch(img.root, "other");
        assert_int_equal(fat_dir_node(img.root, &entry, &node), FAT_E_NOENT);
        assert_null(node);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(a_name_is_found_in_any_case_and_by_its_short_name),
            cmocka_unit_test(names_of_every_length_are_kept),
            cmocka_unit_test(more_than_255_units_are_too_long),
            cmocka_unit_test(illegal_names_are_refused),
            cmocka_unit_test(names_in_one_case_take_one_slot),
            cmocka_unit_test(the_same_steps_make_the_same_bytes),
            cmocka_unit_test(a_short_name_made_up_is_taken),
            cmocka_unit_test(a_fixed_root_has_an_end),
            cmocka_unit_test(a_directory_ends_at_65536_slots),
            cmocka_unit_test(removed_and_made_again_in_one_go),
            cmocka_unit_test(a_cookie_outlives_removals),
            cmocka_unit_test(what_is_made_while_it_is_listed_shows_by_its_name),
            cmocka_unit_test(what_was_listed_and_removed_is_not_there),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
