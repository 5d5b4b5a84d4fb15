/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE /* MS_NOSYMFOLLOW */
#include "service/words.h"

#include <string.h>
#include <sys/mount.h>

#include "support/cmocka.h"
#include "support/failalloc.h"

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

enum { BEGINNING = MS_NOSUID | MS_NODEV };

static bool is(const char *text, const char *expected)
{
    return !text == !expected && (!text || strcmp(text, expected) == 0);
}

struct flag_case {
    const char *list;
    unsigned long flags;
};

static const struct flag_case flag_cases[] = {
        {"", BEGINNING},
        {",", BEGINNING},
        {"ro", BEGINNING | MS_RDONLY},
        {"rw", BEGINNING},
        {"ro,rw", BEGINNING},
        {"rw,ro", BEGINNING | MS_RDONLY},
        {"ro,,rw,", BEGINNING},
        {"suid", MS_NODEV},
        {"dev", MS_NOSUID},
        {"suid,dev", 0},
        {"suid,nosuid", BEGINNING},
        {"dev,nodev", BEGINNING},
        {"noexec", BEGINNING | MS_NOEXEC},
        {"noexec,exec", BEGINNING},
        {"sync", BEGINNING | MS_SYNCHRONOUS},
        {"sync,async", BEGINNING},
        {"dirsync", BEGINNING | MS_DIRSYNC},
        {"dirsync,rw", BEGINNING | MS_DIRSYNC},
        {"noatime", BEGINNING | MS_NOATIME},
        {"noatime,atime", BEGINNING},
        {"nodiratime", BEGINNING | MS_NODIRATIME},
        {"nodiratime,diratime", BEGINNING},
        {"nosymfollow", BEGINNING | MS_NOSYMFOLLOW},
        {"nosymfollow,symfollow", BEGINNING},
};

static void flags_are_collected_and_the_last_of_a_pair_counts(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(flag_cases); i++) {
        const struct flag_case *c = &flag_cases[i];
        struct fat_words words;

        fat_words_init(&words);
        assert_true(fat_words_sort(&words, c->list));
        if (words.flags != c->flags || words.kernel || words.table || words.rest) {
            fail_msg("%s: flags %x", c->list, words.flags);
        }
        fat_words_done(&words);
    }
}

struct list_case {
    const char *name;
    const char *list;
    const char *kernel;
    const char *table;
    const char *rest;
};

static const struct list_case list_cases[] = {
        {"the kernel's", "allow_other,default_permissions,max_read=65536,blksize=512",
                "allow_other,default_permissions,max_read=65536,blksize=512", NULL,
                NULL},
        {"contexts", "context=a:b,fscontext=c,defcontext=d,rootcontext=e",
                "context=a:b,fscontext=c,defcontext=d,rootcontext=e", NULL, NULL},
        {"the table's", "x-gvfs-show,X-mount.mkdir=0755,user=joe", NULL,
                "x-gvfs-show,X-mount.mkdir=0755,user=joe", NULL},
        {"nobody's", "uid=5,umask=022,x,user,fsname=a", NULL, NULL,
                "uid=5,umask=022,x,user,fsname=a"},
        {"what the helper sets itself", "fd=3,rootmode=40000,user_id=0,group_id=0",
                NULL, NULL, "fd=3,rootmode=40000,user_id=0,group_id=0"},
        {"all mixed, and each keeps its order",
                "a,max_read=1,ro,x-1,b,allow_other,x-2,c", "max_read=1,allow_other",
                "x-1,x-2", "a,b,c"},
        {"more than the word", "allow_others,default_permissions=1,roo", NULL, NULL,
                "allow_others,default_permissions=1,roo"},
        {"less than the word", "allow_othe,max_read,context,r", NULL, NULL,
                "allow_othe,max_read,context,r"},
        {"large letters", "RO,Allow_Other,X-a", NULL, "X-a", "RO,Allow_Other"},
        {"a comma without its meaning", "fsname=a\\,b,c", NULL, NULL, "fsname=a\\,b,c"},
        {"a backslash without its meaning", "fsname=a\\\\,b", NULL, NULL,
                "fsname=a\\\\,b"},
        {"three backslashes", "fsname=a\\\\\\,allow_other,b", NULL, NULL,
                "fsname=a\\\\\\,allow_other,b"},
        {"a backslash before a letter", "fsname=a\\b,allow_other", "allow_other", NULL,
                "fsname=a\\b"},
        {"a backslash at the end", "a\\", NULL, NULL, "a\\"},
        {"a comma in the table", "x-a=1\\,allow_other", NULL, "x-a=1\\,allow_other",
                NULL},
        {"a word that only looks like a flag", "\\,ro", NULL, NULL, "\\,ro"},
        {"a label in quotes", "context=\"a:c1,c2\",ro", "context=\"a:c1,c2\"", NULL,
                NULL},
        {"a label in quotes, with a backslash", "context=\"a:c1\\,c2\",b",
                "context=\"a:c1,c2\"", NULL, "b"},
        {"labels behind each other", "context=\"a,b\",fscontext=\"c,d\",e",
                "context=\"a,b\",fscontext=\"c,d\"", NULL, "e"},
        {"every kind of label in quotes", "defcontext=\"a,b\",rootcontext=\"c,d\"",
                "defcontext=\"a,b\",rootcontext=\"c,d\"", NULL, NULL},
        {"a label with a backslash", "context=a\\\\b", "context=a\\b", NULL, NULL},
        {"a quote that nobody closes", "context=\"a,allow_other", "allow_other", NULL,
                "context=\"a"},
        {"a comma for the kernel outside quotes", "context=a\\,allow_other", NULL, NULL,
                "context=a\\,allow_other"},
        {"a comma behind quotes", "context=\"a\"\\,allow_other", NULL, NULL,
                "context=\"a\"\\,allow_other"},
        {"a comma smuggled into a number", "max_read=1\\,allow_other", NULL, NULL,
                "max_read=1\\,allow_other"},
        {"quotes around a number's comma", "max_read=\"1\\,allow_other\"", NULL, NULL,
                "max_read=\"1\\,allow_other\""},
        {"quotes of others are letters", "fsname=5\",ro,x\"", NULL, NULL,
                "fsname=5\",x\""},
        {"a quote that would swallow the next", "blksize=\",max_read=1", "max_read=1",
                NULL, "blksize=\""},
};

static void words_are_sorted_by_who_they_are_for(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(list_cases); i++) {
        const struct list_case *c = &list_cases[i];
        struct fat_words words;

        fat_words_init(&words);
        assert_true(fat_words_sort(&words, c->list));
        if (!is(words.kernel, c->kernel) || !is(words.table, c->table) ||
                !is(words.rest, c->rest)) {
            fail_msg("%s: kernel %s, table %s, rest %s", c->name,
                    words.kernel ? words.kernel : "-", words.table ? words.table : "-",
                    words.rest ? words.rest : "-");
        }
        fat_words_done(&words);
    }
}

static void what_is_for_the_kernel_sorts_as_the_same_again(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(list_cases); i++) {
        const char *const kernel = list_cases[i].kernel;
        struct fat_words words;

        fat_words_init(&words);
        assert_true(fat_words_sort(&words, kernel ? kernel : ""));
        assert_true(is(words.kernel, kernel));
        assert_null(words.table);
        assert_null(words.rest);
        fat_words_done(&words);
    }
}

static void a_second_list_adds_to_the_first(void **state)
{
    struct fat_words words;

    (void)state;
    fat_words_init(&words);
    assert_true(fat_words_sort(&words, "ro,allow_other,x-a,b,suid"));
    assert_true(fat_words_sort(&words, "rw,noexec,max_read=1,x-c,d"));
    assert_int_equal(words.flags, MS_NODEV | MS_NOEXEC);
    assert_string_equal(words.kernel, "allow_other,max_read=1");
    assert_string_equal(words.table, "x-a,x-c");
    assert_string_equal(words.rest, "b,d");
    fat_words_done(&words);
    assert_int_equal(words.flags, BEGINNING);
    assert_null(words.kernel);
    assert_null(words.table);
    assert_null(words.rest);
}

static void without_memory_it_says_so_and_can_be_done_with(void **state)
{
    static const char list[] = "ro,allow_other,x-a,b,max_read=1,x-c,d";
    bool failed = true;

    (void)state;
    for (unsigned nth = 1; failed; nth++) {
        struct fat_words words;
        bool ok;

        fat_words_init(&words);
        failalloc_arm(nth, FAILALLOC_ONCE);
        ok = fat_words_sort(&words, list);
        failed = failalloc_disarm();
        assert_true(ok != failed);
        assert_true(nth > 6 || failed);
        fat_words_done(&words);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(flags_are_collected_and_the_last_of_a_pair_counts),
            cmocka_unit_test(words_are_sorted_by_who_they_are_for),
            cmocka_unit_test(what_is_for_the_kernel_sorts_as_the_same_again),
            cmocka_unit_test(a_second_list_adds_to_the_first),
            cmocka_unit_test(without_memory_it_says_so_and_can_be_done_with),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
