/* SPDX-License-Identifier: MIT */
#include "service/mountinfo.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "support/cmocka.h"

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

static const struct {
    const char *name, *line;
    const char *directory, *type, *source, *options; /* @directory NULL: it is none */
} cases[] = {
        {"a mount", "64 43 8:17 / /m rw,nosuid - fuse.vfat /img rw,user_id=0\n", "/m",
                "fuse.vfat", "/img", "rw,user_id=0"},
        {"without its end", "64 43 8:17 / /m rw - vfat /img rw", "/m", "vfat", "/img",
                "rw"},
        {"with optional fields",
                "64 43 8:17 / /m rw shared:7 master:1 a b c d e f - x y z\n", "/m", "x",
                "y", "z"},
        {"blanks and backslashes",
                "64 43 8:17 / /a\\040-\\040b\\134 rw - x \\011y\\012 z\n", "/a - b\\",
                "x", "\ty\n", "z"},
        {"no escapes", "64 43 8:17 / /\\400\\08\\04 rw - x \\ z\n", "/\\400\\08\\04",
                "x", "\\", "z"},
        {"an empty source", "64 43 8:17 / /m rw - x  z\n", "/m", "x", "", "z"},
        {"no dash", "64 43 8:17 / /m rw x y z\n", NULL, NULL, NULL, NULL},
        {"a dash too early", "64 43 8:17 / /m - x y z\n", NULL, NULL, NULL, NULL},
        {"an end behind the dash", "64 43 8:17 / /m rw -\n", NULL, NULL, NULL, NULL},
        {"an end behind the type", "64 43 8:17 / /m rw - x\n", NULL, NULL, NULL, NULL},
        {"an end behind the source", "64 43 8:17 / /m rw - x y\n", NULL, NULL, NULL,
                NULL},
        {"two words", "64 43", NULL, NULL, NULL, NULL},
        {"an empty line", "\n", NULL, NULL, NULL, NULL},
        {"nothing", "", NULL, NULL, NULL, NULL},
};

static void a_line_is_cut_into_its_fields(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct fat_mountinfo got;
        char *line = strdup(cases[i].line); /* its bounds are watched */

        print_message("%s\n", cases[i].name);
        assert_non_null(line);
        assert_int_equal(cases[i].directory != NULL, fat_mountinfo_parse(line, &got));
        if (cases[i].directory) {
            assert_int_equal(64, got.id);
            assert_int_equal(43, got.parent);
            assert_int_equal(makedev(8, 17), got.device);
            assert_string_equal(cases[i].directory, got.directory);
            assert_string_equal(cases[i].type, got.type);
            assert_string_equal(cases[i].source, got.source);
            assert_string_equal(cases[i].options, got.options);
        }
        free(line);
    }
}

static const struct {
    const char *type;
    bool fuse;
} types[] = {{"fuse", true}, {"fuse.vfat", true}, {"fuseblk", true},
        {"fuseblk.ntfs", true}, {"fusectl", false}, {"ext4", false}, {"", false}};

static void fuse_mounts_of_all_kinds_are_known(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(types); i++) {
        print_message("%s\n", types[i].type);
        assert_int_equal(types[i].fuse, fat_mountinfo_is_fuse(types[i].type));
    }
}

static void a_walk_comes_by_every_mount(void **state)
{
    struct fat_mountinfo_walk walk;
    struct stat status;
    unsigned count = 0;

    (void)state;
    assert_int_equal(0, stat("/proc", &status));
    assert_true(fat_mountinfo_open(&walk));
    while (fat_mountinfo_next(&walk)) {
        count += strcmp(walk.mount.directory, "/proc") == 0 &&
                 strcmp(walk.mount.type, "proc") == 0 &&
                 walk.mount.device == status.st_dev;
    }
    assert_false(fat_mountinfo_next(&walk));
    fat_mountinfo_close(&walk);
    assert_true(count > 0);
    assert_true(fat_mountinfo_has(status.st_dev));
    assert_false(fat_mountinfo_has(makedev(4095, 4095)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(a_line_is_cut_into_its_fields),
            cmocka_unit_test(fuse_mounts_of_all_kinds_are_known),
            cmocka_unit_test(a_walk_comes_by_every_mount),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
