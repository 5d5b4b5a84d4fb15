/* SPDX-License-Identifier: MIT */
#include "service/mount/options.h"

#include <string.h>
#include <sys/mount.h>

#include "support/cmocka.h"

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

static const gid_t groups[] = {100, 200};

static const struct fat_asker root = {.may_open_to_others = true};
static const struct fat_asker sloppy = {.may_open_to_others = true, .sloppy = true};
static const struct fat_asker user = {
        .uid = 1000, .gid = 1001, .groups = groups, .group_count = 2};
static const struct fat_asker trusted = {
        .uid = 1000, .gid = 1001, .may_open_to_others = true};

enum { USUAL = MS_NOSUID | MS_NODEV };

static const struct {
    const char *name;
    const struct fat_asker *asker;
    const char *list, *wanted;
    unsigned flags;
    bool service, weakened;
} sound_cases[] = {
        {"nothing", &root, "", "", USUAL, false, false},
        {"commas alone", &root, ",,", "", USUAL, false, false},
        {"of all kinds", &root, "rw,uid=5,umask=022,unknown=x",
                "rw,uid=5,umask=022,unknown=x", USUAL, false, false},
        {"mount(8)'s words go", &root,
                "rw,defaults,auto,noauto,user,user=me,users,nouser,owner,group,nofail,"
                "_netdev,comment=c,x-,x-y,x-systemd.z=1,X-a,uhelper=u,helper=h",
                "rw", USUAL, false, false},
        {"what only looks like them stays", &root, "x,autos,user1,nofailing,remounted",
                "x,autos,user1,nofailing,remounted", USUAL, false, false},
        {"service is heard here", &root, "service,ro", "ro", USUAL | MS_RDONLY, true,
                false},
        {"the last of a pair counts", &root, "ro,rw,noexec", "ro,rw,noexec",
                USUAL | MS_NOEXEC, false, false},
        {"root may have set-user-id", &root, "suid", "suid", MS_NODEV, false, false},
        {"and devices", &root, "dev,suid", "dev,suid", 0, false, false},
        {"and take it back", &root, "dev,nodev", "dev,nodev", USUAL, false, false},
        {"and has all options", &root, "allow_other,fsname=a,subtype=b,context=\"a,b\"",
                "allow_other,fsname=a,subtype=b,context=\"a,b\"", USUAL, false, false},
        {"sloppily, only what is known", &sloppy, "rw,unknown,uid=7,un=known",
                "rw,uid=7", USUAL, false, false},
        {"a backslash holds a word together", &root, "a\\,auto,b", "a\\,auto,b", USUAL,
                false, false},
        {"a last backslash", &root, "a\\", "a\\", USUAL, false, false},
        {"a user's files are his", &user, "", "uid=1000,gid=1001", USUAL, false, false},
        {"and his group's", &user, "rw,gid=200", "rw,gid=200,uid=1000", USUAL, false,
                false},
        {"as he says himself", &user, "uid=1000,gid=1001", "uid=1000,gid=1001", USUAL,
                false, false},
        {"a user has neither suid nor dev", &user, "suid,dev,uid=1000,gid=100",
                "uid=1000,gid=100", USUAL, false, true},
        {"the words of the kernel's vfat", &user,
                "utf8,iocharset=utf8,quiet,relatime,uid=1000,gid=1001",
                "utf8,iocharset=utf8,quiet,relatime,uid=1000,gid=1001", USUAL, false,
                false},
        {"others, where users may", &trusted, "allow_other,uid=1000,gid=1001",
                "allow_other,uid=1000,gid=1001", USUAL, false, false},
};

static void words_are_sorted(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(sound_cases); i++) {
        struct fat_options got;
        struct fat_refusal refusal;

        print_message("%s\n", sound_cases[i].name);
        assert_true(fat_options_read(
                sound_cases[i].list, sound_cases[i].asker, &got, &refusal));
        assert_string_equal(sound_cases[i].wanted, got.list);
        assert_int_equal(sound_cases[i].flags, got.forced_flags);
        assert_int_equal(sound_cases[i].service, got.service_only);
        assert_int_equal(sound_cases[i].weakened, got.weakened);
        fat_options_done(&got);
    }
}

static const struct {
    const struct fat_asker *asker;
    const char *list, *word;
} refused_cases[] = {
        {&user, "uid=0", "uid=0"},
        {&user, "rw,uid=1000,uid=1001", "uid=1001"},
        {&user, "uid=", "uid="},
        {&user, "uid=01000x", "uid=01000x"},
        {&user, "uid=-1", "uid=-1"},
        {&user, "uid=4294967295", "uid=4294967295"},
        {&user, "uid=4294968296", "uid=4294968296"}, /* 1000 in 32 bits */
        {&user, "gid=0", "gid=0"},
        {&user, "gid=300", "gid=300"},
        {&trusted, "gid=100", "gid=100"},
        {&user, "allow_other", "allow_other"},
        {&user, "unknown", "unknown"},
        {&user, "rw,debug", "debug"},
        {&user, "fsname=x", "fsname=x"},
        {&user, "subtype=x", "subtype=x"},
        {&user, "allow_root", "allow_root"},
        {&user, "auto_unmount", "auto_unmount"},
        {&user, "context=x", "context=x"},
        {&user, "fscontext=x", "fscontext=x"},
        {&user, "defcontext=x", "defcontext=x"},
        {&user, "rootcontext=x", "rootcontext=x"},
        {&user, "a\\,uid=0", "a\\,uid=0"},
        {&user, "a=\"b", "a=\"b"},
        {&user, "x-\"", "x-\""},
        {&root, "fd=3", "fd=3"},
        {&root, "user_id=0", "user_id=0"},
        {&root, "group_id=0", "group_id=0"},
        {&root, "rootmode=0", "rootmode=0"},
        {&root, "setuid=root", "setuid=root"},
        {&root, "uid=root", "uid=root"},
        {&root, "remount,ro", "remount"},
        {&root, "rw,user_id=0,remount", "remount"},
        {&user, "fd=3,remount,uid=0", "remount"},
        {&sloppy, "remount", "remount"},
        {&root, "gid=4294967295", "gid=4294967295"},
};

static void the_last_word_about_others_counts(void **state)
{
    static const struct {
        const char *list;
        bool closed;
    } lists[] = {{"rw", false}, {"noallow_other", true}, {"allow_other", false},
            {"noallow_other,allow_other", false}, {"allow_other,noallow_other", true}};

    (void)state;
    for (size_t i = 0; i < COUNT(lists); i++) {
        struct fat_options got;
        struct fat_refusal refusal;

        print_message("%s\n", lists[i].list);
        assert_true(fat_options_read(lists[i].list, &root, &got, &refusal));
        assert_int_equal(lists[i].closed, got.closed);
        assert_string_equal(lists[i].list, got.list);
        fat_options_done(&got);
    }
}

static void what_is_not_to_be_had_is_named(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(refused_cases); i++) {
        struct fat_options got = {.list = NULL};
        struct fat_refusal refusal;

        print_message("%s\n", refused_cases[i].list);
        assert_false(fat_options_read(
                refused_cases[i].list, refused_cases[i].asker, &got, &refusal));
        assert_non_null(refusal.reason);
        assert_string_equal(refused_cases[i].word, refusal.word);
        assert_null(got.list);
    }
}

static void a_long_word_is_named_by_its_beginning(void **state)
{
    char list[500] = "fd=";
    struct fat_options got;
    struct fat_refusal refusal;

    (void)state;
    memset(list + 3, 'x', sizeof(list) - 4);
    assert_false(fat_options_read(list, &root, &got, &refusal));
    assert_int_equal(sizeof(refusal.word) - 1, strlen(refusal.word));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(words_are_sorted),
            cmocka_unit_test(the_last_word_about_others_counts),
            cmocka_unit_test(what_is_not_to_be_had_is_named),
            cmocka_unit_test(a_long_word_is_named_by_its_beginning),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
