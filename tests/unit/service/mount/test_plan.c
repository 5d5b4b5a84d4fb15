/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE /* S_IFDIR */
#include "service/mount/plan.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "support/cmocka.h"

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

static const char *const words[] = {
        "vfat", "/img", "/mnt", "-o", "rw,journal=/log,fsname=card"};

static const struct fat_plan_bounds roots = {.words = words,
        .word_count = 5,
        .directory = "/mnt",
        .mountpoint_type = S_IFDIR,
        .root = true,
        .may_open_to_others = true,
        .forced_flags = MS_NOSUID};

static const struct fat_plan_bounds users = {.words = words,
        .word_count = 5,
        .directory = "/mnt",
        .mountpoint_type = S_IFDIR,
        .forced_flags = MS_NOSUID | MS_NODEV};

/* Shorthand for messages. */
#define TYPE(n)                             \
    {                                       \
        .kind = FAT_WIRE_TYPE, .flags = (n) \
    }
#define NAME(s)                              \
    {                                        \
        .kind = FAT_WIRE_SOURCE, .text = (s) \
    }
#define PLACE(s)                                                    \
    {                                                               \
        .kind = FAT_WIRE_MOUNTPOINT, .format = S_IFDIR, .text = (s) \
    }
#define OPTS(s)                               \
    {                                         \
        .kind = FAT_WIRE_OPTIONS, .text = (s) \
    }
#define TABLE(s)                                    \
    {                                               \
        .kind = FAT_WIRE_TABLE_OPTIONS, .text = (s) \
    }
#define MOUNT(n)                             \
    {                                        \
        .kind = FAT_WIRE_MOUNT, .flags = (n) \
    }

enum { MOST_STEPS = 6 };

struct step {
    struct fat_wire_message message;
    int error;
};

struct row {
    const char *name;
    const struct fat_plan_bounds *bounds;
    unsigned count;
    struct step steps[MOST_STEPS];
};

static const struct row rows[] = {
        {"the usual order", &users, 6,
                {{TYPE(0), 0}, {NAME("/img"), 0}, {PLACE("/mnt"), 0},
                        {OPTS("default_permissions"), 0}, {TABLE("x-a"), 0},
                        {MOUNT(6), 0}}},
        {"another order", &users, 5,
                {{PLACE("/mnt"), 0}, {TABLE("x-a"), 0}, {NAME("/img"), 0},
                        {OPTS("default_permissions"), 0}, {MOUNT(6), 0}}},
        {"twice", &roots, 6,
                {{TYPE(0), 0}, {TYPE(0), EINVAL}, {NAME("card"), 0},
                        {NAME("card"), EINVAL}, {PLACE("/mnt"), 0},
                        {PLACE("/mnt"), EINVAL}}},
        {"lists twice", &roots, 4,
                {{OPTS("ro"), 0}, {OPTS("ro"), EINVAL}, {TABLE("x-a"), 0},
                        {TABLE("x-a"), EINVAL}}},
        {"refused ones may be mended", &roots, 4,
                {{OPTS("x"), EINVAL}, {OPTS("ro"), 0}, {TABLE("x"), EINVAL},
                        {TABLE("x-a"), 0}}},
        {"a type after a name", &roots, 2, {{NAME("card"), 0}, {TYPE(0), EINVAL}}},
        {"a type after a place", &roots, 2, {{PLACE("/mnt"), 0}, {TYPE(0), EINVAL}}},
        {"a type after options", &roots, 2, {{OPTS("ro"), 0}, {TYPE(0), EINVAL}}},
        {"a type after the table", &roots, 2, {{TABLE("x-a"), 0}, {TYPE(0), EINVAL}}},
        {"an unknown type", &roots, 2, {{TYPE(2), EINVAL}, {TYPE(3), EINVAL}}},
        {"fuseblk is root's", &users, 2, {{TYPE(1), EPERM}, {TYPE(0), 0}}},
        {"and its source is a file of the command line", &roots, 5,
                {{TYPE(1), 0}, {NAME("/dev/sda"), EPERM}, {NAME("card"), EPERM},
                        {NAME("vfat"), EPERM}, {NAME("/img"), 0}}},
        {"root's source is on the command line", &roots, 3,
                {{NAME("/dev/watchdog"), EPERM}, {NAME("rw"), EPERM},
                        {NAME("card"), 0}}},
        {"a user's source is, too", &users, 4,
                {{NAME("/dev/sda"), EPERM}, {NAME("card,fsname"), EPERM},
                        {NAME(""), EPERM}, {NAME("card"), 0}}},
        {"or the type", &users, 1, {{NAME("vfat"), 0}}},
        {"another place", &roots, 3,
                {{PLACE("/mnt/"), EINVAL}, {PLACE("/"), EINVAL},
                        {PLACE("/img"), EINVAL}}},
        {"too early", &roots, 4,
                {{MOUNT(0), EINVAL}, {NAME("card"), 0}, {MOUNT(0), EINVAL},
                        {PLACE("/mnt"), 0}}},
        {"flags that move what is there", &roots, 6,
                {{NAME("card"), 0}, {PLACE("/mnt"), 0}, {MOUNT(MS_REMOUNT), EINVAL},
                        {MOUNT(MS_BIND), EINVAL}, {MOUNT(MS_MOVE), EINVAL},
                        {MOUNT(MS_SHARED), EINVAL}}},
        {"more of them", &roots, 6,
                {{NAME("card"), 0}, {PLACE("/mnt"), 0}, {MOUNT(MS_MANDLOCK), EINVAL},
                        {MOUNT(MS_PRIVATE), EINVAL}, {MOUNT(MS_REC), EINVAL},
                        {MOUNT(1U << 31), EINVAL}}},
        {"what opens to others", &users, 2,
                {{OPTS("allow_other"), EPERM}, {OPTS("context=a"), EPERM}}},
        {"words that mount(8) obeys", &roots, 6,
                {{TABLE("loop=/dev/loop0"), EINVAL}, {TABLE("uhelper=x"), EINVAL},
                        {TABLE("X-mount.mkdir"), EINVAL},
                        {TABLE("x-mount.mkdir"), EINVAL}, {TABLE("x-a\\"), EINVAL},
                        {TABLE("x-"), EINVAL}}},
        {"messages of the helper", &roots, 2,
                {{{.kind = FAT_WIRE_REPLY}, EINVAL},
                        {{.kind = FAT_WIRE_HELLO}, EINVAL}}},
};

static void each_message_is_taken_or_refused_for_its_reason(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct fat_plan plan = {.bounds = *rows[i].bounds};

        print_message("%s\n", rows[i].name);
        for (unsigned s = 0; s < rows[i].count; s++) {
            assert_int_equal(rows[i].steps[s].error,
                    fat_plan_take(&plan, &rows[i].steps[s].message));
        }
        fat_plan_done(&plan);
    }
}

static void take(struct fat_plan *plan, struct fat_wire_message message, int error)
{
    assert_int_equal(error, fat_plan_take(plan, &message));
}

static void the_command_lines_flags_are_not_forgotten(void **state)
{
    struct fat_plan plan = {.bounds = users};

    (void)state;
    plan.bounds.forced_flags |= MS_RDONLY;
    take(&plan, (struct fat_wire_message)NAME("/img"), 0);
    take(&plan, (struct fat_wire_message)PLACE("/mnt"), 0);
    take(&plan, (struct fat_wire_message)MOUNT(MS_NOEXEC), 0);
    assert_int_equal(MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC, plan.flags);
    fat_plan_done(&plan);
}

static void after_the_mount_nothing_is_taken(void **state)
{
    struct fat_plan plan = {.bounds = roots};

    (void)state;
    take(&plan, (struct fat_wire_message)NAME("/img"), 0);
    take(&plan, (struct fat_wire_message)PLACE("/mnt"), 0);
    take(&plan, (struct fat_wire_message)MOUNT(0), 0);
    /* it failed: the server may try again */
    take(&plan, (struct fat_wire_message)MOUNT(MS_RDONLY), 0);
    plan.mounted = true;
    take(&plan, (struct fat_wire_message)MOUNT(0), EBUSY);
    take(&plan, (struct fat_wire_message)TYPE(0), EINVAL);
    take(&plan, (struct fat_wire_message)OPTS("ro"), EINVAL);
    take(&plan, (struct fat_wire_message)TABLE("x-a"), EINVAL);
    fat_plan_done(&plan);
}

static void a_place_is_of_the_wanted_kind(void **state)
{
    struct fat_wire_message message = PLACE("/mnt");
    struct fat_plan plan = {.bounds = roots};

    (void)state;
    message.format = S_IFREG;
    take(&plan, message, EISDIR);
    plan.bounds.mountpoint_type = S_IFREG;
    message.format = S_IFDIR;
    take(&plan, message, ENOTDIR);
    message.format = 1;
    take(&plan, message, EINVAL);
    message.format = 0;
    take(&plan, message, 0);
    fat_plan_done(&plan);
}

static void the_table_gets_others_words_and_no_more(void **state)
{
    static const struct {
        const char *list, *table;
    } lists[] = {{"x-a=1", "x-a=1"}, {"x-a,,user=me,x-b", "x-a,x-b"}, {"x-a,-n", NULL},
            {"user=me", NULL}, {"-n", NULL}};

    (void)state;
    for (size_t i = 0; i < COUNT(lists); i++) {
        struct fat_plan plan = {.bounds = roots};

        take(&plan, (struct fat_wire_message)TABLE(lists[i].list), 0);
        if (lists[i].table) {
            assert_string_equal(lists[i].table, plan.table);
        } else {
            assert_null(plan.table);
        }
        fat_plan_done(&plan);
    }
}

static int open_path(const struct fat_plan *plan, const char *path, unsigned flags)
{
    const struct fat_wire_message message = {
            .kind = FAT_WIRE_OPEN, .open_flags = flags, .text = path};

    return fat_plan_allows_open(plan, &message);
}

static void only_what_the_command_line_names_is_opened(void **state)
{
    static const char *const named[] = {"/img", "/log"};
    static const char *const others[] = {"/mnt", "card", "-o",
            "rw,journal=/log,fsname=card", "/im", "/img/", "/log,fsname=card", "vfat",
            "journal=/log", "/lo", "og", "rw", "/etc/passwd", "=/log"};
    const struct fat_plan plan = {.bounds = users};

    (void)state;
    for (size_t i = 0; i < COUNT(named); i++) {
        assert_int_equal(0, open_path(&plan, named[i], O_RDWR | O_EXCL));
    }
    for (size_t i = 0; i < COUNT(others); i++) {
        print_message("%s\n", others[i]);
        assert_int_equal(EPERM, open_path(&plan, others[i], O_RDWR));
    }
}

static void what_is_to_be_read_only_is_not_opened_for_writing(void **state)
{
    struct fat_plan plan = {.bounds = roots};

    (void)state;
    plan.bounds.forced_flags |= MS_RDONLY;
    assert_int_equal(EROFS, open_path(&plan, "/img", O_RDWR | O_EXCL));
    assert_int_equal(EROFS, open_path(&plan, "/img", O_WRONLY));
    assert_int_equal(EROFS, open_path(&plan, "/log", O_RDWR));
    assert_int_equal(0, open_path(&plan, "/img", O_RDONLY | O_EXCL));
    assert_int_equal(EPERM, open_path(&plan, "/mnt", O_RDWR));
}

static void without_options_only_the_source_is_opened(void **state)
{
    struct fat_plan plan = {.bounds = roots};

    (void)state;
    plan.bounds.word_count = 3;
    assert_int_equal(0, open_path(&plan, "/img", O_RDWR));
    assert_int_equal(EPERM, open_path(&plan, "/log", O_RDWR));
}

static void nothing_is_made_or_changed_by_opening(void **state)
{
    static const unsigned refused[] = {
            O_CREAT, O_TRUNC, O_APPEND, O_DIRECTORY, 010000000 /* O_PATH */, 1U << 31};
    struct fat_plan plan = {.bounds = users};
    struct fat_wire_message odd = {.kind = FAT_WIRE_OPEN, .flags = 2, .text = "/img"};

    (void)state;
    for (size_t i = 0; i < COUNT(refused); i++) {
        assert_int_equal(EPERM, open_path(&plan, "/img", O_RDWR | refused[i]));
    }
    assert_int_equal(EINVAL, open_path(&plan, "/img", O_ACCMODE));
    assert_int_equal(EINVAL, fat_plan_allows_open(&plan, &odd));
    odd.flags = FAT_WIRE_QUIET;
    assert_int_equal(0, fat_plan_allows_open(&plan, &odd));
    plan.placed = true;
    assert_int_equal(EINVAL, open_path(&plan, "/img", O_RDONLY));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(each_message_is_taken_or_refused_for_its_reason),
            cmocka_unit_test(the_command_lines_flags_are_not_forgotten),
            cmocka_unit_test(after_the_mount_nothing_is_taken),
            cmocka_unit_test(a_place_is_of_the_wanted_kind),
            cmocka_unit_test(the_table_gets_others_words_and_no_more),
            cmocka_unit_test(only_what_the_command_line_names_is_opened),
            cmocka_unit_test(what_is_to_be_read_only_is_not_opened_for_writing),
            cmocka_unit_test(without_options_only_the_source_is_opened),
            cmocka_unit_test(nothing_is_made_or_changed_by_opening),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
