/* SPDX-License-Identifier: MIT */
#include "service/mount/kernel_options.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "support/cmocka.h"

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

static const struct fat_kernel_rights root = {.root = true,
        .may_open_to_others = true,
        .list = "rw,context=\"u:r:t:c1,c2\",defcontext=\"a,b\",context=u,rootcontext=v,"
                "fscontext=a\\,b"};
static const struct fat_kernel_rights device = {.root = true, .fuseblk = true};
static const struct fat_kernel_rights closed = {.root = true};
static const struct fat_kernel_rights user = {.list = "fscontext=x"};
static const struct fat_kernel_rights trusted = {.may_open_to_others = true};

static const struct {
    const char *name;
    const struct fat_kernel_rights *rights;
    const char *list;
    int error;
    const char *joined;
} cases[] = {
        {"the usual", &user, "default_permissions,max_read=131072", 0,
                ",default_permissions,max_read=131072"},
        {"nothing", &user, ",,", 0, ""},
        {"flags of mounts", &user, "ro,nosuid,default_permissions,noatime", 0,
                ",default_permissions"},
        {"others, by root", &root, "allow_other", 0,
                ",allow_other,default_permissions"},
        {"others, with consent", &trusted, "allow_other,default_permissions", 0,
                ",allow_other,default_permissions"},
        {"others, whom root does not want", &closed, "allow_other", EPERM, NULL},
        {"others, without", &user, "allow_other", EPERM, NULL},
        {"a context, by root", &root, "context=\"u:r:t:c1,c2\",allow_other", 0,
                ",context=\"u:r:t:c1,c2\",allow_other,default_permissions"},
        {"a context without commas", &root, "context=\"u\",rootcontext=v", 0,
                ",context=u,rootcontext=v"},
        {"a context with a backslash", &root, "fscontext=\"a,b\"", 0,
                ",fscontext=\"a,b\""},
        {"another context than root's", &root, "context=w", EPERM, NULL},
        {"the beginning of root's", &root, "rootcontext=\"u:r:t\"", EPERM, NULL},
        {"more than root's", &root, "context=uu", EPERM, NULL},
        {"root's for something else", &root, "fscontext=u", EPERM, NULL},
        {"a context that root did not want", &closed, "context=u", EPERM, NULL},
        {"a context, by a user", &user, "fscontext=x", EPERM, NULL},
        {"a block size for fuseblk", &device, "blksize=512", 0, ",blksize=512"},
        {"a block size without", &root, "blksize=512", EINVAL, NULL},
        {"the helper's own, fd", &root, "fd=3", EINVAL, NULL},
        {"user_id", &root, "user_id=0", EINVAL, NULL},
        {"group_id", &root, "group_id=0", EINVAL, NULL},
        {"rootmode", &root, "rootmode=40000", EINVAL, NULL},
        {"source", &root, "source=x", EINVAL, NULL},
        {"subtype", &root, "subtype=x", EINVAL, NULL},
        {"unknown", &root, "nonsense", EINVAL, NULL},
        {"behind a good one", &root, "default_permissions,nonsense", EINVAL, NULL},
        {"a flag with a value", &root, "default_permissions=1", EINVAL, NULL},
        {"a number without one", &root, "max_read", EINVAL, NULL},
        {"an empty number", &root, "max_read=", EINVAL, NULL},
        {"a negative number", &root, "max_read=-1", EINVAL, NULL},
        {"a long number", &root, "max_read=11111111111", EINVAL, NULL},
        {"another within a number", &root, "max_read=\"1,fd=3\"", EINVAL, NULL},
        {"a quote within a context", &root, "context=a\"b", EINVAL, NULL},
        {"quotes that don't end", &root, "context=\"a,fd=3", EINVAL, NULL},
        {"an empty context", &root, "context=\"\"", EINVAL, NULL},
        {"too many with what is added", &root,
                "max_read=1,max_read=1,max_read=1,max_read=1,max_read=1,max_read=1,"
                "max_read=1,max_read=1,max_read=1,max_read=1,max_read=1,max_read=1,"
                "max_read=1,max_read=1,max_read=1,allow_other",
                EINVAL, NULL},
        {"too many", &root,
                "max_read=1,max_read=1,max_read=1,max_read=1,max_read=1,max_read=1,"
                "max_read=1,max_read=1,max_read=1,max_read=1,max_read=1,max_read=1,"
                "max_read=1,max_read=1,max_read=1,max_read=1,max_read=1",
                EINVAL, NULL},
};

static void only_what_a_sound_server_wants_passes(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct fat_kernel_options got = {.text = NULL};
        char *joined;

        print_message("%s\n", cases[i].name);
        assert_int_equal(cases[i].error,
                fat_kernel_options_read(cases[i].list, cases[i].rights, &got));
        if (cases[i].error) {
            assert_null(got.text);
            continue;
        }
        joined = fat_kernel_options_join(&got);
        assert_non_null(joined);
        assert_string_equal(cases[i].joined, joined);
        free(joined);
        fat_kernel_options_done(&got);
    }
}

static void quotes_are_not_part_of_the_value(void **state)
{
    struct fat_kernel_options got;

    (void)state;
    assert_int_equal(0, fat_kernel_options_read("defcontext=\"a,b\"", &root, &got));
    assert_int_equal(1, got.count);
    assert_string_equal("defcontext", got.options[0].name);
    assert_string_equal("a,b", got.options[0].value);
    fat_kernel_options_done(&got);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(only_what_a_sound_server_wants_passes),
            cmocka_unit_test(quotes_are_not_part_of_the_value),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
