/* SPDX-License-Identifier: MIT */
#include "service/mount/mount_table.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "support/cmocka.h"

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

static const struct {
    const char *name, *line;
    bool ours;
} cases[] = {
        {"the mount", "64 43 0:40 / /m rw,nosuid - fuse.vfat /img rw\n", true},
        {"with a peer group", "64 43 0:40 / /m rw shared:7 - fuse.vfat /img rw\n",
                true},
        {"another number", "65 43 0:40 / /m rw - fuse.vfat /img rw\n", false},
        {"upon another mount", "64 44 0:40 / /m rw - fuse.vfat /img rw\n", false},
        {"another type", "64 43 0:40 / /m rw - ext4 /img rw\n", false},
        {"a longer type", "64 43 0:40 / /m rw - fuse.vfat2 /img rw\n", false},
        {"a type elsewhere", "64 43 0:40 / /m rw fuse.vfat /img rw\n", false},
        {"nothing", "", false},
};

static bool is_about(const char *text, const struct fat_mount_marks *marks)
{
    struct fat_mountinfo mount;
    char line[128];

    strcpy(line, text);
    return fat_mountinfo_parse(line, &mount) && fat_mount_has_marks(&mount, marks);
}

static void a_mount_is_known_by_number_place_and_type(void **state)
{
    const struct fat_mount_marks marks = {64, 43, "fuse.vfat"};

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        print_message("%s\n", cases[i].name);
        assert_int_equal(cases[i].ours, is_about(cases[i].line, &marks));
    }
}

static void what_is_not_known_does_not_matter(void **state)
{
    const struct fat_mount_marks marks = {64, FAT_MOUNT_UNKNOWN, NULL};

    (void)state;
    assert_true(is_about("64 44 0:40 / /m rw - ext4 /img rw\n", &marks));
}

static void a_descriptor_leads_to_its_mount(void **state)
{
    const int fd = open("/proc/self", O_RDONLY | O_CLOEXEC);
    struct fat_mount_marks marks = {.parent = FAT_MOUNT_UNKNOWN, .type = "proc"};

    (void)state;
    assert_true(fd >= 0);
    marks.id = fat_mount_find_id(fd);
    close(fd);
    assert_true(fat_mount_is_listed(&marks));
    marks.type = "sysfs";
    assert_false(fat_mount_is_listed(&marks));
    assert_int_equal(FAT_MOUNT_UNKNOWN, fat_mount_find_id(fd));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(a_mount_is_known_by_number_place_and_type),
            cmocka_unit_test(what_is_not_known_does_not_matter),
            cmocka_unit_test(a_descriptor_leads_to_its_mount),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
