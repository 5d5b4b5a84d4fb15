/* SPDX-License-Identifier: MIT */
#include "service/mount/arguments.h"

#include <stdbool.h>
#include <string.h>

#include "support/cmocka.h"

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

enum { MOST_WORDS = 16 };

/* Words between blanks; execve(2) takes no constant ones. */
struct command_line {
    char text[256];
    char *words[MOST_WORDS + 1];
    int count;
};

static void split(struct command_line *line, const char *text)
{
    char *rest = line->text;

    assert_true(strlen(text) < sizeof(line->text));
    strcpy(line->text, text);
    line->count = 0;
    while (*rest) {
        assert_true(line->count < MOST_WORDS);
        line->words[line->count++] = rest;
        rest += strcspn(rest, " ");
        if (*rest) {
            *rest++ = '\0';
        }
    }
    line->words[line->count] = NULL;
}

struct sound_case {
    const char *name;
    const char *line;
    const char *type, *source, *directory, *options;
    enum fat_task task;
    unsigned timeout;
    const char *letters; /* of s f n v, those that are on */
};

static const struct sound_case sound_cases[] = {
        {"as mount(8) calls it", "/sbin/mount.fuse.vfat /dev/sdb1 /mnt -o rw,ro",
                "vfat", "/dev/sdb1", "/mnt", "rw,ro", FAT_TASK_MOUNT, 30, ""},
        {"with every letter", "mount.fuse.vfat a b -sfnv -o rw", "vfat", "a", "b", "rw",
                FAT_TASK_MOUNT, 30, "sfnv"},
        {"the fallback with -t", "/sbin/mount.fuse a b -o rw -t fuse.msdos", "msdos",
                "a", "b", "rw", FAT_TASK_MOUNT, 30, ""},
        {"by hand", "fatward-mount -t fat a b", "fat", "a", "b", "", FAT_TASK_MOUNT, 30,
                ""},
        {"fuseblk", "fatward-mount -tfuseblk.fat a b", "fat", "a", "b", "",
                FAT_TASK_MOUNT, 30, ""},
        {"one prefix goes", "fatward-mount -tfuse.fuse.fat a b", "fuse.fat", "a", "b",
                "", FAT_TASK_MOUNT, 30, ""},
        {"another type", "mount.fatward a b", "fatward", "a", "b", "", FAT_TASK_MOUNT,
                30, ""},
        {"the type before the name", "mount.vfat a b -t fuse.x", "x", "a", "b", "",
                FAT_TASK_MOUNT, 30, ""},
        {"the first type", "fatward-mount -t x -t y a b", "x", "a", "b", "",
                FAT_TASK_MOUNT, 30, ""},
        {"lists add up", "mount.x a b -o ro -ouid=1 -o ,a", "x", "a", "b",
                "ro,uid=1,,a", FAT_TASK_MOUNT, 30, ""},
        {"a cluster ends with its value", "mount.x a b -vno ro", "x", "a", "b", "ro",
                FAT_TASK_MOUNT, 30, "nv"},
        {"options first", "mount.x -v --timeout=600 a b", "x", "a", "b", "",
                FAT_TASK_MOUNT, 600, "v"},
        {"the end of options", "mount.x -v -- a b", "x", "a", "b", "", FAT_TASK_MOUNT,
                30, "v"},
        {"check", "fatward-mount -t fuse.x --check", "x", NULL, NULL, "",
                FAT_TASK_CHECK, 30, ""},
        {"help", "fatward-mount --help", "", NULL, NULL, "", FAT_TASK_HELP, 30, ""},
        {"version", "fatward-mount -V", "", NULL, NULL, "", FAT_TASK_VERSION, 30, ""},
};

static void is_text(const char *wanted, const char *got)
{
    if (wanted) {
        assert_non_null(got);
        assert_string_equal(wanted, got);
    } else {
        assert_null(got);
    }
}

static void what_makes_sense_is_understood(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(sound_cases); i++) {
        const struct sound_case *c = &sound_cases[i];
        struct command_line line;
        struct fat_arguments got;

        print_message("%s\n", c->name);
        split(&line, c->line);
        assert_null(fat_arguments_parse(line.count, line.words, &got));
        is_text(c->type, got.type);
        is_text(c->source, got.source);
        is_text(c->directory, got.directory);
        is_text(c->options, got.options);
        assert_int_equal(c->task, got.task);
        assert_int_equal(c->timeout, got.timeout_seconds);
        assert_int_equal(strchr(c->letters, 's') != NULL, got.sloppy);
        assert_int_equal(strchr(c->letters, 'f') != NULL, got.fake);
        assert_int_equal(strchr(c->letters, 'n') != NULL, got.no_table);
        assert_int_equal(strchr(c->letters, 'v') != NULL, got.verbose);
        fat_arguments_done(&got);
    }
}

static const struct {
    const char *line, *reason;
} odd_cases[] = {
        {"fatward-mount a b", "the type is missing"},
        {"/sbin/mount.fuse a b", "the type is missing"},
        {"mount.fuse. a b", "not the name"},
        {"mount. a b", "not the name"},
        {"fatward-mount -t ../x a b", "not the name"},
        {"fatward-mount -t a/b a b", "not the name"},
        {"fatward-mount -t fuse... a b", "not the name"},
        {"fatward-mount -t . a b", "not the name"},
        {"fatward-mount -t -x a b", "not the name"},
        {"fatward-mount -t a,b a b", "not the name"},
        {"fatward-mount -t a\n a b", "not the name"},
        {"fatward-mount -t "
         "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa a b",
                "too long"},
        {"mount.x a", "are needed"},
        {"mount.x", "are needed"},
        {"mount.x a b c", "more than"},
        {"mount.x a  b", "empty word"},
        {"mount.x a -", "begins with a dash"},
        {"mount.x -- -a b", "begins with a dash"},
        {"mount.x a b -o", "-o without"},
        {"mount.x a b -t", "-t without"},
        {"mount.x a b -x", "that there is not"},
        {"mount.x a b --x", "that there is not"},
        {"mount.x a b -N 1", "nsenter"},
        {"mount.x a b --timeout=", "1 to 600"},
        {"mount.x a b --timeout=0", "1 to 600"},
        {"mount.x a b --timeout=601", "1 to 600"},
        {"mount.x a b --timeout=4294967297", "1 to 600"},
        {"mount.x a b --timeout=1s", "1 to 600"},
        {"", "no arguments"},
};

static void what_makes_no_sense_is_refused_with_a_reason(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(odd_cases); i++) {
        struct command_line line;
        struct fat_arguments got;
        const char *reason;

        print_message("%s\n", odd_cases[i].line);
        split(&line, odd_cases[i].line);
        reason = fat_arguments_parse(line.count, line.words, &got);
        assert_non_null(reason);
        assert_non_null(strstr(reason, odd_cases[i].reason));
        fat_arguments_done(&got);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(what_makes_sense_is_understood),
            cmocka_unit_test(what_makes_no_sense_is_refused_with_a_reason),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
