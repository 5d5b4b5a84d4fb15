/* SPDX-License-Identifier: MIT */
#include "mount_table.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

long fat_mount_find_id(int fd)
{
    char name[40];
    char *line = NULL;
    size_t size = 0;
    long id = FAT_MOUNT_UNKNOWN;
    FILE *info;

    (void)snprintf(name, sizeof(name), "/proc/self/fdinfo/%d", fd);
    info = fopen(name, "re");
    if (!info) {
        return FAT_MOUNT_UNKNOWN;
    }
    while (id == FAT_MOUNT_UNKNOWN && getline(&line, &size, info) > 0) {
        if (strncmp(line, "mnt_id:", strlen("mnt_id:")) == 0) {
            id = strtol(line + strlen("mnt_id:"), NULL, 10);
        }
    }
    free(line);
    (void)fclose(info);
    return id;
}

bool fat_mount_has_marks(
        const struct fat_mountinfo *mount, const struct fat_mount_marks *marks)
{
    return mount->id == marks->id &&
           (marks->parent == FAT_MOUNT_UNKNOWN || mount->parent == marks->parent) &&
           (!marks->type || strcmp(mount->type, marks->type) == 0);
}

bool fat_mount_is_listed(const struct fat_mount_marks *marks)
{
    struct fat_mountinfo_walk walk;
    bool found = false;

    (void)fat_mountinfo_open(&walk);
    while (!found && fat_mountinfo_next(&walk)) {
        found = fat_mount_has_marks(&walk.mount, marks);
    }
    fat_mountinfo_close(&walk);
    return found;
}

long fat_mount_count_fuse(void)
{
    struct fat_mountinfo_walk walk;
    long count = fat_mountinfo_open(&walk) ? 0 : -1;

    while (fat_mountinfo_next(&walk)) {
        count += fat_mountinfo_is_fuse(walk.mount.type) ? 1 : 0;
    }
    fat_mountinfo_close(&walk);
    return count;
}
