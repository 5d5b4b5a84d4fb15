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

/* proc(5): id parent major:minor root directory options [optional...] - type source */
bool fat_mount_is_line(char *line, const struct fat_mount_marks *marks)
{
    char *rest;
    char *type;
    const long id = strtol(line, &rest, 10);
    const long parent = strtol(rest, &rest, 10);

    if (id != marks->id ||
            (marks->parent != FAT_MOUNT_UNKNOWN && parent != marks->parent)) {
        return false;
    }
    type = strstr(rest, " - ");
    if (!type) {
        return false;
    }
    type += strlen(" - ");
    type[strcspn(type, " ")] = '\0';
    return !marks->type || strcmp(type, marks->type) == 0;
}

bool fat_mount_is_listed(const struct fat_mount_marks *marks)
{
    FILE *mounts = fopen("/proc/self/mountinfo", "re");
    char *line = NULL;
    size_t size = 0;
    bool found = false;

    if (!mounts) {
        return false;
    }
    while (!found && getline(&line, &size, mounts) > 0) {
        found = fat_mount_is_line(line, marks);
    }
    free(line);
    (void)fclose(mounts);
    return found;
}
