/* SPDX-License-Identifier: MIT */
#include "mounts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "service/mountinfo.h"

static bool is_octal(const char *text)
{
    return text[0] >= '0' && text[0] <= '3' && text[1] >= '0' && text[1] <= '7' &&
           text[2] >= '0' && text[2] <= '7';
}

/* The kernel writes blanks and backslashes as three octal digits. */
static void unescape(char *text)
{
    char *to = text;

    while (*text) {
        if (*text == '\\' && is_octal(text + 1)) {
            *to = (char)((text[1] - '0') * 64 + (text[2] - '0') * 8 + (text[3] - '0'));
            text += 4;
        } else {
            *to = *text;
            text++;
        }
        to++;
    }
    *to = '\0';
}

/* "rw,user_id=1000,group_id=100": nobody but the kernel writes these words. */
static bool parse_user(const char *options, uid_t *ret)
{
    static const char word[] = "user_id=";

    while (options && strncmp(options, word, strlen(word)) != 0) {
        options = strchr(options, ',');
        options = options ? options + 1 : NULL;
    }
    if (!options) {
        return false;
    }
    *ret = (uid_t)strtoul(options + strlen(word), NULL, 10);
    return true;
}

enum { FIELD_DEVICE = 2, FIELD_DIRECTORY = 4, FIRST_OPTIONAL = 6, MOST_FIELDS = 32 };

/* proc(5): id parent major:minor root directory options [optional...] - type source
   options-of-the-file-system */
static bool parse(char *line, const char *directory, struct fat_mounted *ret)
{
    char *fields[MOST_FIELDS];
    char *rest = NULL;
    unsigned count = 0;
    unsigned type = FIRST_OPTIONAL;

    for (char *field = strtok_r(line, " \n", &rest); field && count < MOST_FIELDS;
            field = strtok_r(NULL, " \n", &rest)) {
        fields[count++] = field;
    }
    while (type < count && strcmp(fields[type], "-") != 0) {
        type++;
    }
    if (type + 2 >= count) {
        return false;
    }
    unescape(fields[FIELD_DIRECTORY]);
    if (strcmp(fields[FIELD_DIRECTORY], directory) != 0) {
        return false;
    }
    unescape(fields[type + 2]);
    fat_mounted_done(ret);
    ret->device = fat_mountinfo_device(fields[FIELD_DEVICE]);
    ret->type = strdup(fields[type + 1]);
    ret->source = strdup(fields[type + 2]);
    ret->has_user = type + 3 < count && parse_user(fields[type + 3], &ret->user);
    return ret->type && ret->source;
}

bool fat_mounts_find(const char *directory, struct fat_mounted *ret)
{
    FILE *table = fopen("/proc/self/mountinfo", "re");
    char *line = NULL;
    size_t size = 0;
    bool found = false;

    *ret = (struct fat_mounted){.type = NULL};
    if (!table) {
        return false;
    }
    /* the last line about a directory is the uppermost mount */
    while (getline(&line, &size, table) > 0) {
        found = parse(line, directory, ret) || found;
    }
    free(line);
    (void)fclose(table);
    if (!found) {
        fat_mounted_done(ret);
    }
    return found;
}

void fat_mounted_done(struct fat_mounted *mounted)
{
    free(mounted->type);
    free(mounted->source);
    *mounted = (struct fat_mounted){.type = NULL};
}
