/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE /* S_IFDIR */
#include "service/mount/mountpoint.h"

#include <linux/magic.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/cmocka.h"

static void users_mount_over_file_systems_for_files_only(void **state)
{
    (void)state;
    assert_true(fat_mountpoint_lies_well(EXT4_SUPER_MAGIC));
    assert_true(fat_mountpoint_lies_well(MSDOS_SUPER_MAGIC));
    assert_true(fat_mountpoint_lies_well(TMPFS_MAGIC));
    assert_true(fat_mountpoint_lies_well(FUSE_SUPER_MAGIC));
    /* a signed f_type that was widened */
    assert_true(fat_mountpoint_lies_well(0xFFFFFFFF9123683E));
    assert_false(fat_mountpoint_lies_well(PROC_SUPER_MAGIC));
    assert_false(fat_mountpoint_lies_well(SYSFS_MAGIC));
    assert_false(fat_mountpoint_lies_well(DEVPTS_SUPER_MAGIC));
    assert_false(fat_mountpoint_lies_well(CGROUP2_SUPER_MAGIC));
    assert_false(fat_mountpoint_lies_well(0));
}

static void a_directory_is_pinned_with_its_path(void **state)
{
    struct fat_mountpoint got = {.fd = -1};

    (void)state;
    assert_null(fat_mountpoint_pin("/proc/../", 0, &got));
    assert_true(got.fd >= 0);
    assert_int_equal(S_IFDIR, got.type);
    assert_string_equal("/", got.path);
    fat_mountpoint_done(&got);
    assert_int_equal(-1, got.fd);
}

static void what_is_no_place_leaves_ret_alone(void **state)
{
    struct fat_mountpoint got = {.fd = -7};

    (void)state;
    assert_non_null(fat_mountpoint_pin("/nowhere/at/all", 0, &got));
    assert_non_null(fat_mountpoint_pin("/dev/null", 0, &got));
    assert_non_null(fat_mountpoint_pin("/proc/self", 0, &got));
    assert_non_null(fat_mountpoint_pin("/proc", 1, &got));
    assert_int_equal(-7, got.fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(users_mount_over_file_systems_for_files_only),
            cmocka_unit_test(a_directory_is_pinned_with_its_path),
            cmocka_unit_test(what_is_no_place_leaves_ret_alone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
