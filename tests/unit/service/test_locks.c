/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE /* memfd_create */
#include "service/locks.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/cmocka.h"

/* Two files of a file system whose numbers are the same everywhere. */
struct files {
    int locked, other;
    struct stat status;
};

static int open_files(void **state)
{
    static struct files files;

    files.locked = memfd_create("locked", MFD_CLOEXEC);
    files.other = memfd_create("other", MFD_CLOEXEC);
    assert_true(files.locked >= 0 && files.other >= 0);
    assert_int_equal(0, fstat(files.locked, &files.status));
    assert_int_equal(0, flock(files.locked, LOCK_SH));
    *state = &files;
    return 0;
}

static int close_files(void **state)
{
    const struct files *files = *state;

    close(files->locked);
    close(files->other);
    return 0;
}

static bool has(const struct files *files, bool writing)
{
    return fat_locks_has(files->status.st_dev, files->status.st_ino, writing);
}

static void a_shared_lock_is_in_a_writers_way_only(void **state)
{
    assert_true(has(*state, true));
    assert_false(has(*state, false));
}

static void an_exclusive_lock_is_in_everybodys_way(void **state)
{
    const struct files *files = *state;

    assert_int_equal(0, flock(files->locked, LOCK_EX));
    assert_true(has(files, true));
    assert_true(has(files, false));
}

static void a_lock_that_is_gone_is_in_nobodys_way(void **state)
{
    const struct files *files = *state;

    assert_int_equal(0, flock(files->locked, LOCK_UN));
    assert_false(has(files, true));
    assert_false(has(files, false));
}

static void locks_of_other_files_do_not_matter(void **state)
{
    const struct files *files = *state;
    struct stat other;

    assert_int_equal(0, fstat(files->other, &other));
    assert_false(fat_locks_has(other.st_dev, other.st_ino, true));
    assert_false(fat_locks_has(other.st_dev + 1, files->status.st_ino, true));
}

/* flock(2) doesn't know these either */
static void locks_of_another_kind_do_not_matter(void **state)
{
    const struct files *files = *state;
    const struct flock range = {.l_type = F_WRLCK, .l_whence = SEEK_SET};

    assert_int_equal(0, flock(files->locked, LOCK_UN));
    assert_int_equal(0, fcntl(files->locked, F_SETLK, &range));
    assert_false(has(files, true));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test_setup_teardown(
                    a_shared_lock_is_in_a_writers_way_only, open_files, close_files),
            cmocka_unit_test_setup_teardown(
                    an_exclusive_lock_is_in_everybodys_way, open_files, close_files),
            cmocka_unit_test_setup_teardown(
                    a_lock_that_is_gone_is_in_nobodys_way, open_files, close_files),
            cmocka_unit_test_setup_teardown(
                    locks_of_other_files_do_not_matter, open_files, close_files),
            cmocka_unit_test_setup_teardown(
                    locks_of_another_kind_do_not_matter, open_files, close_files),
    };

    if (access("/proc/locks", R_OK) != 0) {
        printf("SKIP: there is no /proc/locks\n");
        return 77;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
