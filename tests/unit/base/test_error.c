/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <limits.h>
#include <string.h>

#include <fatward/error.h>

#include "support/cmocka.h"

/* The errno of every code, as a user of a kernel vfat mount would see it. */
static const struct {
    const char *name;
    fat_err err;
    int posix;
} codes[] = {
        {"success is no error", FAT_OK, 0},
        {"the end of an iteration is no error", FAT_END, 0},
        {"a failing device is EIO", FAT_E_IO, EIO},
        {"no host memory is ENOMEM", FAT_E_NOMEM, ENOMEM},
        {"damage is EIO, not EUCLEAN", FAT_E_CORRUPT, EIO},
        {"no FAT volume is EINVAL", FAT_E_NOTFAT, EINVAL},
        {"a full volume is ENOSPC", FAT_E_NOSPC, ENOSPC},
        {"an address outside is EIO", FAT_E_RANGE, EIO},
        {"a read-only volume is EROFS", FAT_E_READONLY, EROFS},
        {"a missing name is ENOENT", FAT_E_NOENT, ENOENT},
        {"a taken name is EEXIST", FAT_E_EXIST, EEXIST},
        {"a file for a directory is ENOTDIR", FAT_E_NOTDIR, ENOTDIR},
        {"a directory for a file is EISDIR", FAT_E_ISDIR, EISDIR},
        {"a full directory is ENOTEMPTY", FAT_E_NOTEMPTY, ENOTEMPTY},
        {"a long name is ENAMETOOLONG", FAT_E_NAMETOOLONG, ENAMETOOLONG},
        {"an illegal name is EINVAL", FAT_E_NAME, EINVAL},
        {"a senseless request is EINVAL", FAT_E_INVAL, EINVAL},
        {"past 4 GiB is EFBIG", FAT_E_FBIG, EFBIG},
        {"a locked image is EBUSY", FAT_E_BUSY, EBUSY},
        {"a removed file is ESTALE", FAT_E_STALE, ESTALE},
        {"what FAT can't do is EOPNOTSUPP", FAT_E_UNSUPPORTED, EOPNOTSUPP},
        {"a forbidden operation is EPERM", FAT_E_PERM, EPERM},
        {"a vanished device is ENODEV", FAT_E_NODEV, ENODEV},
        {"wait for a commit is EAGAIN", FAT_E_AGAIN, EAGAIN},
        {"another program's write is EIO", FAT_E_CHANGED, EIO},
        {"what was given up is EIO", FAT_E_STOPPED, EIO},
};

enum { COUNT = sizeof(codes) / sizeof(*codes) };

static const char unknown[] = "unknown error";

static void every_code_has_its_errno(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT; i++) {
        const int got = fat_err_errno(codes[i].err);

        if (got != codes[i].posix) {
            fail_msg("%s: got %d (%s)", codes[i].name, got, strerror(got));
        }
    }
}

static void every_code_has_a_text_of_its_own(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT; i++) {
        const char *text = fat_err_text(codes[i].err);

        assert_non_null(text);
        assert_string_not_equal(text, "");
        assert_string_not_equal(text, unknown);
        for (size_t j = 0; j < i; j++) {
            assert_string_not_equal(text, fat_err_text(codes[j].err));
        }
    }
}

/* A code added to the header and forgotten in the table above shows here. */
static void the_codes_above_are_all_there_are(void **state)
{
    (void)state;
    for (int err = -1000; err <= 1000; err++) {
        size_t known = 0;

        for (size_t i = 0; i < COUNT; i++) {
            known += (int)codes[i].err == err;
        }
        assert_int_equal(known, strcmp(fat_err_text((fat_err)err), unknown) != 0);
    }
}

static void codes_nobody_defined_are_an_unknown_eio(void **state)
{
    static const int odd[] = {2, 3, 1000, INT_MAX, -25, -1000, -INT_MAX, INT_MIN};

    (void)state;
    for (size_t i = 0; i < sizeof(odd) / sizeof(*odd); i++) {
        assert_string_equal(fat_err_text((fat_err)odd[i]), unknown);
        assert_int_equal(fat_err_errno((fat_err)odd[i]), EIO);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(every_code_has_its_errno),
            cmocka_unit_test(every_code_has_a_text_of_its_own),
            cmocka_unit_test(the_codes_above_are_all_there_are),
            cmocka_unit_test(codes_nobody_defined_are_an_unknown_eio),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
