/* SPDX-License-Identifier: MIT */
#include "fuse_conf.h"

#include <stdlib.h>
#include <string.h>

enum { LONGEST_LINE = 256, DEFAULT_MOUNT_MAX = 1000, LARGEST_MOUNT_MAX = 1000000 };

#define BLANKS " \t\r\n"

/* The text without blanks around it and without a comment. */
static char *trim(char *text)
{
    size_t length;

    text[strcspn(text, "#")] = '\0';
    text += strspn(text, BLANKS);
    length = strlen(text);
    while (length > 0 && strchr(BLANKS, text[length - 1])) {
        length--;
    }
    text[length] = '\0';
    return text;
}

static void take_mount_max(char *text, struct fat_fuse_conf *conf)
{
    char *end;
    long number;

    text += strspn(text, BLANKS);
    if (*text != '=') {
        return;
    }
    text = trim(text + 1);
    number = strtol(text, &end, 10);
    if (end != text && *end == '\0' && number >= -1 && number <= LARGEST_MOUNT_MAX) {
        conf->mount_max = number;
    }
}

static void take_line(char *line, struct fat_fuse_conf *conf)
{
    const char *text = trim(line);

    if (strcmp(text, "user_allow_other") == 0) {
        conf->user_allow_other = true;
    } else if (strncmp(text, "mount_max", strlen("mount_max")) == 0) {
        take_mount_max(line + (text - line) + strlen("mount_max"), conf);
    }
}

void fat_fuse_conf_read(FILE *file, struct fat_fuse_conf *ret)
{
    char *line = NULL;
    size_t size = 0;
    ssize_t length;

    *ret = (struct fat_fuse_conf){.mount_max = DEFAULT_MOUNT_MAX};
    if (!file) {
        return;
    }
    while ((length = getline(&line, &size, file)) > 0) {
        if (length < LONGEST_LINE) {
            take_line(line, ret);
        }
    }
    free(line);
}
