/* SPDX-License-Identifier: MIT */
#include "service/mount/fuse_conf.h"

#include <stdio.h>
#include <string.h>

#include "support/cmocka.h"

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

static FILE *open_text(const char *text)
{
    FILE *file = tmpfile();

    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    rewind(file);
    return file;
}

static const struct {
    const char *name, *text;
    bool others;
    long mounts;
} cases[] = {
        {"an empty one", "", false, 1000},
        {"both", "user_allow_other\nmount_max = 5\n", true, 5},
        {"in comments", "#user_allow_other\n # mount_max = 5\n", false, 1000},
        {"with comments", "user_allow_other # yes\nmount_max = 7 # some\n", true, 7},
        {"with blanks", "  user_allow_other \t\r\nmount_max=8\n", true, 8},
        {"without the last newline", "user_allow_other", true, 1000},
        {"words that go on", "user_allow_others\nmount_maximum = 3\n", false, 1000},
        {"no limit", "mount_max = -1\n", false, -1},
        {"none at all", "mount_max = 0\n", false, 0},
        {"below none", "mount_max = -2\n", false, 1000},
        {"no number", "mount_max = x\nmount_max =\nmount_max\nmount_max = 3x\n", false,
                1000},
        {"a huge number", "mount_max = 99999999999999999999\n", false, 1000},
};

static void the_administrators_words_are_heard(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        FILE *file = open_text(cases[i].text);
        struct fat_fuse_conf got;

        print_message("%s\n", cases[i].name);
        fat_fuse_conf_read(file, &got);
        (void)fclose(file);
        assert_int_equal(cases[i].others, got.user_allow_other);
        assert_int_equal(cases[i].mounts, got.mount_max);
    }
}

static void without_a_file_users_may_little(void **state)
{
    struct fat_fuse_conf got = {true, 1};

    (void)state;
    fat_fuse_conf_read(NULL, &got);
    assert_false(got.user_allow_other);
    assert_int_equal(1000, got.mount_max);
}

static void a_line_that_is_too_long_is_none(void **state)
{
    char text[600];
    FILE *file;
    struct fat_fuse_conf got;

    (void)state;
    memset(text, ' ', sizeof(text));
    strcpy(text + 300, "user_allow_other\nmount_max = 4\n");
    file = open_text(text);
    fat_fuse_conf_read(file, &got);
    (void)fclose(file);
    assert_false(got.user_allow_other);
    assert_int_equal(4, got.mount_max);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(the_administrators_words_are_heard),
            cmocka_unit_test(without_a_file_users_may_little),
            cmocka_unit_test(a_line_that_is_too_long_is_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
