/* SPDX-License-Identifier: MIT */
/* Every way to rename, and every way that is refused. */
#include <stdio.h>
#include <string.h>

#include "support/cmocka.h"
#include "support/surgery.h"

static const struct image_spec SPECS[] = {
        {.type = 12}, {.type = 16, .fat_count = 1}, {.type = 32}};

enum { SPEC_COUNT = sizeof(SPECS) / sizeof(SPECS[0]) };

#define FOR_EACH_TYPE(img, i)                                                   \
    for (size_t i = 0; i < SPEC_COUNT && (image_make(&(img), &SPECS[i]), true); \
            image_done(&(img)), i++)

static fat_err rename_in(
        struct fat_node *directory, const char *from, const char *to, unsigned flags)
{
    return fat_rename(directory, from, directory, to, flags);
}

static bool is_listed(struct fat_node *directory, const char *name)
{
    struct fat_dir_entry entry;
    uint32_t cookie = 0;
    unsigned seen = 0;

    while (fat_dir_next(directory, &cookie, &entry) == FAT_OK) {
        seen += strcmp(entry.name, name) == 0;
    }
    assert_true(seen <= 1);
    return seen == 1;
}

static void a_file_gets_its_new_name(void **state)
{
    static const struct {
        const char *name, *from, *to, *shown;
    } rows[] = {
            {"short to short", "A.TXT", "B.TXT", "B.TXT"},
            {"short to long", "A.TXT", "a much longer name", "a much longer name"},
            {"long to short", "a much longer name than before.text", "B", "B"},
            {"long to long", "one long name here", "another long", "another long"},
            {"a dot behind is dropped", "A", "B...", "B"},
    };
    struct image img;

    (void)state;
    FOR_EACH_TYPE(img, i)
    {
        for (size_t r = 0; r < sizeof(rows) / sizeof(rows[0]); r++) {
            image_put(img.root, rows[r].from, 1, 1000);
            assert_int_equal(rename_in(img.root, rows[r].from, rows[r].to, 0), FAT_OK);
            assert_int_equal(image_try_lookup(img.root, rows[r].from), FAT_E_NOENT);
            if (!is_listed(img.root, rows[r].shown)) {
                fail_msg("%s: the new name doesn't show", rows[r].name);
            }
            image_reopen(&img);
            image_expect(img.root, rows[r].to, 1, 1000);
            assert_int_equal(image_count(img.root), 1);
            assert_int_equal(fat_unlink(img.root, rows[r].to), FAT_OK);
        }
    }
}

static void a_file_replaces_a_file(void **state)
{
    struct image img;

    (void)state;
    FOR_EACH_TYPE(img, i)
    {
        const uint32_t before = image_free(&img);

        image_put(img.root, "old version", 1, 5000);
        image_put(img.root, "new version", 2, 700);
        assert_int_equal(rename_in(img.root, "new version", "old version", 0), FAT_OK);
        image_expect(img.root, "OLD VERSION", 2, 700);
        assert_int_equal(image_count(img.root), 1);
        image_reopen(&img);
        image_expect(img.root, "old version", 2, 700);
        assert_int_equal(fat_unlink(img.root, "old version"), FAT_OK);
        assert_int_equal(fat_volume_commit(img.volume), FAT_OK);
        assert_int_equal(image_free(&img), before);
    }
}

static void what_is_replaced_lives_while_it_is_open(void **state)
{
    struct image img;

    (void)state;
    FOR_EACH_TYPE(img, i)
    {
        uint8_t wanted[3000], read[3000];
        struct fat_node *old;
        size_t done;

        image_fill(1, wanted, sizeof(wanted));
        image_put(img.root, "old", 1, sizeof(wanted));
        image_put(img.root, "new", 2, 700);
        old = image_lookup(img.root, "old");
        assert_int_equal(rename_in(img.root, "new", "old", 0), FAT_OK);
        assert_int_equal(fat_volume_commit(img.volume), FAT_OK);
        image_put(img.root, "another", 3, 4000);
        assert_int_equal(fat_file_read(old, 0, read, sizeof(read), &done), FAT_OK);
        assert_memory_equal(read, wanted, sizeof(wanted));
        image_write(old, 3000, wanted, sizeof(wanted));
        fat_node_unref(old);
        image_expect(img.root, "old", 2, 700);
        image_expect(img.root, "another", 3, 4000);
    }
}

static void who_may_replace_whom(void **state)
{
    static const struct {
        const char *name, *from, *to;
        unsigned flags;
        fat_err wanted;
    } rows[] = {
            {"a directory over an empty one", "empty 1", "empty 2", 0, FAT_OK},
            {"a full directory over an empty one", "full", "empty 3", 0, FAT_OK},
            {"a directory over a full one", "empty 4", "full 2", 0, FAT_E_NOTEMPTY},
            {"a directory over a file", "empty 4", "file", 0, FAT_E_NOTDIR},
            {"a file over a directory", "file", "empty 4", 0, FAT_E_ISDIR},
            {"over a file with NOREPLACE", "file", "file 2", FAT_RENAME_NOREPLACE,
                    FAT_E_EXIST},
            {"over a directory with NOREPLACE", "empty 4", "full 2",
                    FAT_RENAME_NOREPLACE, FAT_E_EXIST},
            {"over nothing with NOREPLACE", "file 3", "file 4", FAT_RENAME_NOREPLACE,
                    FAT_OK},
            {"what is not there", "nothing", "file", 0, FAT_E_NOENT},
            {"what is not there, to nowhere", "nothing", "nowhere", 0, FAT_E_NOENT},
            {"exchange with nothing", "file", "nothing", FAT_RENAME_EXCHANGE,
                    FAT_E_NOENT},
            {"both flags", "file", "file 2", 3, FAT_E_INVAL},
            {"WHITEOUT", "file", "file 2", 4, FAT_E_INVAL},
            {"a flag of no meaning", "file", "file 2", 0x80000000, FAT_E_INVAL},
            {"to an illegal name", "file", "a*b", 0, FAT_E_NAME},
            {"to no name", "file", "", 0, FAT_E_NAME},
            {"to dot", "file", ".", 0, FAT_E_NAME},
            {"from dot dot", "..", "file", 0, FAT_E_NAME},
    };
    struct image img;

    (void)state;
    FOR_EACH_TYPE(img, i)
    {
        struct fat_node *full = image_mkdir(img.root, "full");
        struct fat_node *full2 = image_mkdir(img.root, "full 2");

        image_put(full, "inner", 1, 100);
        image_put(full2, "inner", 2, 100);
        for (const char *const *d = (const char *const[]){"empty 1", "empty 2",
                     "empty 3", "empty 4", NULL};
                *d; d++) {
            fat_node_unref(image_mkdir(img.root, *d));
        }
        image_put(img.root, "file", 3, 300);
        image_put(img.root, "file 2", 4, 400);
        image_put(img.root, "file 3", 5, 500);
        for (size_t r = 0; r < sizeof(rows) / sizeof(rows[0]); r++) {
            const fat_err got =
                    rename_in(img.root, rows[r].from, rows[r].to, rows[r].flags);

            if (got != rows[r].wanted) {
                fail_msg("%s: %s", rows[r].name, fat_err_text(got));
            }
        }
        fat_node_unref(full);
        fat_node_unref(full2);
        full = image_lookup(img.root, "empty 3");
        image_expect(full, "inner", 1, 100);
        fat_node_unref(full);
        image_expect(img.root, "file", 3, 300);
        image_expect(img.root, "file 4", 5, 500);
        assert_int_equal(image_count(img.root), 7);
    }
}

static void a_directory_never_moves_into_itself(void **state)
{
    struct image img;

    (void)state;
    FOR_EACH_TYPE(img, i)
    {
        struct fat_node *a = image_mkdir(img.root, "Some Directory");
        struct fat_node *b = image_mkdir(a, "b");
        struct fat_node *c = image_mkdir(b, "c");
        static const char *const spellings[] = {"Some Directory", "SOME DIRECTORY",
                "some directory..", "SOMEDI~1", "somedi~1"};

        for (size_t s = 0; s < 5; s++) {
            for (unsigned flags = 0; flags < 2; flags++) {
                assert_int_equal(
                        fat_rename(img.root, spellings[s], a, "x", flags), FAT_E_INVAL);
                assert_int_equal(
                        fat_rename(img.root, spellings[s], b, "x", flags), FAT_E_INVAL);
                assert_int_equal(
                        fat_rename(img.root, spellings[s], c, "x", flags), FAT_E_INVAL);
            }
            assert_int_equal(
                    fat_rename(img.root, spellings[s], b, "c", FAT_RENAME_EXCHANGE),
                    FAT_E_INVAL);
            assert_int_equal(
                    fat_rename(b, "C", img.root, spellings[s], FAT_RENAME_EXCHANGE),
                    FAT_E_INVAL);
            assert_int_equal(
                    fat_rename(b, "c", img.root, spellings[s], 0), FAT_E_NOTEMPTY);
        }
        fat_node_unref(c);
        fat_node_unref(b);
        fat_node_unref(a);
    }
}

/* First cluster in the ".." of a directory, as it is on disk. */
static uint32_t dotdot_of(struct image *img, struct fat_node *directory)
{
    uint8_t raw[32];

    surgery_read(img, surgery_cluster(img, surgery_first(directory)) + 32, raw, 32);
    assert_memory_equal(raw, "..         ", 11);
    return (uint32_t)(raw[26] | raw[27] << 8 | raw[20] << 16);
}

static void dot_dot_follows_to_another_directory(void **state)
{
    struct image img;

    (void)state;
    FOR_EACH_TYPE(img, i)
    {
        struct fat_node *a = image_mkdir(img.root, "a");
        struct fat_node *b = image_mkdir(img.root, "b");
        struct fat_node *sub = image_mkdir(a, "sub");
        struct fat_node *parent;

        image_put(sub, "inner", 1, 100);
        assert_int_equal(fat_rename(a, "sub", b, "moved", 0), FAT_OK);
        assert_int_equal(fat_volume_commit(img.volume), FAT_OK);
        assert_int_equal(dotdot_of(&img, sub), surgery_first(b));
        parent = fat_node_parent(sub);
        assert_ptr_equal(parent, b);
        fat_node_unref(parent);
        assert_int_equal(fat_rename(b, "moved", img.root, "up", 0), FAT_OK);
        assert_int_equal(fat_volume_commit(img.volume), FAT_OK);
        assert_int_equal(dotdot_of(&img, sub), 0);
        fat_node_unref(image_mkdir(a, "target"));
        assert_int_equal(fat_rename(img.root, "up", a, "target", 0), FAT_OK);
        assert_int_equal(fat_volume_commit(img.volume), FAT_OK);
        assert_int_equal(dotdot_of(&img, sub), surgery_first(a));
        image_expect(sub, "inner", 1, 100);
        fat_node_unref(sub);
        fat_node_unref(a);
        fat_node_unref(b);
    }
}

static void only_the_case_changes(void **state)
{
    static const struct {
        const char *name, *from, *to;
    } rows[] = {
            {"upper to lower", "FILE.TXT", "file.txt"},
            {"lower to mixed: a slot more", "file.txt", "File.Txt"},
            {"mixed to upper: a slot fewer", "File.Txt", "FILE.TXT"},
            {"a long one", "some long name.text", "Some Long Name.TEXT"},
            {"beyond ASCII", "\xc3\xa4pfel.txt", "\xc3\x84PFEL.txt"},
    };
    struct image img;

    (void)state;
    for (unsigned flags = 0; flags < 2; flags++) {
        for (unsigned is_directory = 0; is_directory < 2; is_directory++) {
            FOR_EACH_TYPE(img, i)
            {
                for (size_t r = 0; r < sizeof(rows) / sizeof(rows[0]); r++) {
                    struct fat_node *node = (is_directory ? image_mkdir : image_create)(
                            img.root, rows[r].from);

                    if (!is_directory) {
                        image_write(node, 0, "content", 7);
                    }
                    image_touch(img.root, "neighbour");
                    assert_int_equal(
                            rename_in(img.root, rows[r].from, rows[r].to, flags),
                            FAT_OK);
                    if (!is_listed(img.root, rows[r].to)) {
                        fail_msg("%s: the new spelling doesn't show", rows[r].name);
                    }
                    assert_int_equal(image_count(img.root), 2);
                    assert_ptr_equal(image_lookup(img.root, rows[r].from), node);
                    fat_node_unref(node);
                    fat_node_unref(node);
                    image_reopen(&img);
                    assert_true(is_listed(img.root, rows[r].to));
                    assert_int_equal(fat_unlink(img.root, "neighbour"), FAT_OK);
                    assert_int_equal((is_directory ? fat_rmdir : fat_unlink)(
                                             img.root, rows[r].to),
                            FAT_OK);
                }
            }
        }
    }
}

static void to_the_same_spelling_is_nothing(void **state)
{
    struct image img;

    (void)state;
    FOR_EACH_TYPE(img, i)
    {
        image_put(img.root, "Some Name", 1, 100);
        assert_int_equal(rename_in(img.root, "some name", "Some Name", 0), FAT_OK);
        assert_int_equal(rename_in(img.root, "Some Name", "SOME NAME.", 0), FAT_OK);
        assert_true(is_listed(img.root, "SOME NAME"));
        assert_int_equal(
                rename_in(img.root, "Some Name", "some name", FAT_RENAME_EXCHANGE),
                FAT_OK);
        assert_true(is_listed(img.root, "SOME NAME"));
        image_expect(img.root, "Some Name", 1, 100);
    }
}

/* Two entries far apart: more than a sector of others lies between them. */
static void put_apart(struct image *img, bool apart)
{
    char name[32];

    for (unsigned i = 0; i < (apart ? 40U : 0U); i++) {
        (void)snprintf(name, sizeof(name), "between them %u", i);
        image_touch(img->root, name);
    }
}

static void an_exchange_keeps_both_spellings(void **state)
{
    struct image img;

    (void)state;
    for (unsigned apart = 0; apart < 2; apart++) {
        FOR_EACH_TYPE(img, i)
        {
            struct fat_node *a, *b;

            image_put(img.root, "First File.text", 1, 3000);
            put_apart(&img, apart);
            image_put(img.root, "SECOND.TXT", 2, 500);
            a = image_lookup(img.root, "First File.text");
            b = image_lookup(img.root, "SECOND.TXT");
            assert_int_equal(rename_in(img.root, "FIRSTF~1.TEX", "second.txt",
                                     FAT_RENAME_EXCHANGE),
                    FAT_OK);
            assert_true(is_listed(img.root, "First File.text"));
            assert_true(is_listed(img.root, "SECOND.TXT"));
            assert_int_equal(image_size(a), 3000);
            assert_int_equal(image_size(b), 500);
            image_write(a, 3000, "x", 1);
            fat_node_unref(a);
            fat_node_unref(b);
            image_expect(img.root, "First File.text", 2, 500);
            image_reopen(&img);
            image_expect(img.root, "First File.text", 2, 500);
            assert_int_equal(fat_unlink(img.root, "First File.text"), FAT_OK);
            a = image_lookup(img.root, "second.txt");
            assert_int_equal(image_size(a), 3001);
            assert_int_equal(fat_file_truncate(a, 3000), FAT_OK);
            fat_node_unref(a);
            image_expect(img.root, "second.txt", 1, 3000);
        }
    }
}

static void files_and_directories_change_places(void **state)
{
    struct image img;

    (void)state;
    for (unsigned apart = 0; apart < 2; apart++) {
        FOR_EACH_TYPE(img, i)
        {
            struct fat_node *dir = image_mkdir(img.root, "dir");
            struct fat_node *other = image_mkdir(img.root, "other");
            struct fat_node *sub = image_mkdir(other, "sub");

            image_put(dir, "inner", 1, 100);
            image_put(sub, "deep", 2, 100);
            put_apart(&img, apart);
            image_put(img.root, "file", 3, 300);
            assert_int_equal(
                    rename_in(img.root, "dir", "file", FAT_RENAME_EXCHANGE), FAT_OK);
            assert_int_equal(
                    fat_rename(img.root, "dir", other, "sub", FAT_RENAME_EXCHANGE),
                    FAT_OK);
            assert_int_equal(
                    fat_rename(img.root, "dir", img.root, "file", FAT_RENAME_EXCHANGE),
                    FAT_OK);
            image_expect(other, "sub", 3, 300);
            image_expect(sub, "deep", 2, 100);
            image_expect(dir, "inner", 1, 100);
            assert_int_equal(fat_volume_commit(img.volume), FAT_OK);
            assert_int_equal(dotdot_of(&img, sub), 0);
            fat_node_unref(sub);
            fat_node_unref(dir);
            fat_node_unref(other);
            image_reopen(&img);
            dir = image_lookup(img.root, "dir");
            image_expect(dir, "inner", 1, 100);
            fat_node_unref(dir);
        }
    }
}

static void removed_directories_take_no_part(void **state)
{
    struct image img;

    (void)state;
    FOR_EACH_TYPE(img, i)
    {
        struct fat_node *gone = image_mkdir(img.root, "gone");

        image_put(img.root, "file", 1, 100);
        assert_int_equal(fat_rmdir(img.root, "gone"), FAT_OK);
        assert_int_equal(fat_rename(img.root, "file", gone, "x", 0), FAT_E_STALE);
        assert_int_equal(fat_rename(gone, "x", img.root, "y", 0), FAT_E_STALE);
        fat_node_unref(gone);
        gone = image_lookup(img.root, "file");
        assert_int_equal(fat_rename(img.root, "file", gone, "x", 0), FAT_E_NOTDIR);
        assert_int_equal(fat_rename(gone, "file", img.root, "x", 0), FAT_E_NOTDIR);
        assert_int_equal(rename_in(img.root, "file", "renamed", 0), FAT_OK);
        assert_int_equal(fat_unlink(img.root, "renamed"), FAT_OK);
        image_write(gone, 100, "more", 4);
        assert_int_equal(image_size(gone), 104);
        fat_node_unref(gone);
    }
}

static uint32_t hundredths_of(struct image *img, const char *name)
{
    struct fat_node *node = image_lookup(img->root, name);
    struct fat_stat st;

    assert_int_equal(fat_node_stat(node, &st), FAT_OK);
    fat_node_unref(node);
    return st.created.nanoseconds / 10000000;
}

/* Recovery reads from it which of two names is the newer one. */
static void only_a_rename_that_takes_two_writes_counts_in_the_time_of_creation(
        void **state)
{
    struct image img;

    (void)state;
    FOR_EACH_TYPE(img, i)
    {
        struct fat_node *dir;

        fat_node_unref(image_mkdir(img.root, "DIR"));
        img.now.nanoseconds = 500000000;
        image_touch(img.root, "A");
        image_touch(img.root, "X");
        image_touch(img.root, "Y");
        image_reopen(&img);
        dir = image_lookup(img.root, "DIR");
        assert_int_equal(rename_in(img.root, "A", "B", 0), FAT_OK);
        assert_int_equal(hundredths_of(&img, "B"), 50);
        assert_int_equal(fat_rename(img.root, "B", dir, "C", 0), FAT_OK);
        assert_int_equal(fat_rename(dir, "C", img.root, "A", 0), FAT_OK);
        assert_int_equal(hundredths_of(&img, "A"), 52);
        assert_int_equal(fat_volume_commit(img.volume), FAT_OK);
        assert_int_equal(fat_volume_commit(img.volume), FAT_OK);
        assert_int_equal(rename_in(img.root, "A", "X", 0), FAT_OK);
        assert_int_equal(hundredths_of(&img, "X"), 52);
        assert_int_equal(rename_in(img.root, "X", "Y", 0), FAT_OK);
        assert_int_equal(hundredths_of(&img, "Y"), 53); /* A's slots go with RETIRE */
        fat_node_unref(dir);
    }
}

/* The newest name may count as one second, a hundred renames, younger than the oldest. */
static void a_hundredth_rename_waits_until_no_older_name_is_on_disk(void **state)
{
    struct image img;

    (void)state;
    FOR_EACH_TYPE(img, i)
    {
        struct fat_node *dir = image_mkdir(img.root, "dir");
        uint64_t entry;
        uint8_t first = 0;

        image_put(img.root, "A", 1, 700);
        image_put(img.root, "B", 2, 700);
        assert_int_equal(fat_volume_commit(img.volume), FAT_OK);
        entry = surgery_entry_of(img.root, "A");
        assert_int_equal(fat_rename(img.root, "A", dir, "N", 0), FAT_OK);
        for (unsigned n = 1; n < 99; n++) {
            assert_int_equal(fat_rename(n % 2 ? dir : img.root, "N",
                                     n % 2 ? img.root : dir, "N", 0),
                    FAT_OK);
        }
        surgery_read(&img, entry, &first, 1);
        assert_int_equal(first, 'A');
        assert_int_equal(fat_rename(dir, "N", img.root, "B", 0), FAT_OK);
        surgery_read(&img, entry, &first, 1);
        assert_int_equal(first, 0xe5);
        image_expect(img.root, "B", 1, 700);
        fat_node_unref(dir);
    }
}

static void a_chain_of_renames_in_one_go(void **state)
{
    struct image img;

    (void)state;
    FOR_EACH_TYPE(img, i)
    {
        struct fat_node *dir = image_mkdir(img.root, "dir");
        char from[40], to[40];

        image_put(img.root, "name 0", 1, 2000);
        for (unsigned n = 0; n < 60; n++) {
            (void)snprintf(from, sizeof(from), "name %u", n);
            (void)snprintf(to, sizeof(to), "name %u", n + 1);
            assert_int_equal(fat_rename(n % 2 ? dir : img.root, from,
                                     n % 2 ? img.root : dir, to, 0),
                    FAT_OK);
        }
        image_expect(img.root, "name 60", 1, 2000);
        for (unsigned n = 0; n < 30; n++) {
            assert_int_equal(rename_in(img.root, "name 60", "other", 0), FAT_OK);
            assert_int_equal(rename_in(img.root, "other", "name 60", 0), FAT_OK);
        }
        assert_int_equal(image_count(img.root), 2);
        assert_int_equal(image_count(dir), 0);
        fat_node_unref(dir);
        image_reopen(&img);
        image_expect(img.root, "name 60", 1, 2000);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(a_file_gets_its_new_name),
            cmocka_unit_test(a_file_replaces_a_file),
            cmocka_unit_test(what_is_replaced_lives_while_it_is_open),
            cmocka_unit_test(who_may_replace_whom),
            cmocka_unit_test(a_directory_never_moves_into_itself),
            cmocka_unit_test(dot_dot_follows_to_another_directory),
            cmocka_unit_test(only_the_case_changes),
            cmocka_unit_test(to_the_same_spelling_is_nothing),
            cmocka_unit_test(an_exchange_keeps_both_spellings),
            cmocka_unit_test(files_and_directories_change_places),
            cmocka_unit_test(removed_directories_take_no_part),
            cmocka_unit_test(
                    only_a_rename_that_takes_two_writes_counts_in_the_time_of_creation),
            cmocka_unit_test(a_hundredth_rename_waits_until_no_older_name_is_on_disk),
            cmocka_unit_test(a_chain_of_renames_in_one_go),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
