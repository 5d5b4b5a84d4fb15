/* SPDX-License-Identifier: MIT */
#include "mountinfo.h"

#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>

/* "major:minor"; what the kernel prints is never anything else. */
dev_t fat_mountinfo_device(const char *text)
{
    char *colon;
    const unsigned long major_number = strtoul(text, &colon, 10);

    return makedev((unsigned)major_number,
            *colon == ':' ? (unsigned)strtoul(colon + 1, NULL, 10) : 0);
}

static bool is_octal(const char *text)
{
    return text[0] >= '0' && text[0] <= '3' && text[1] >= '0' && text[1] <= '7' &&
           text[2] >= '0' && text[2] <= '7';
}

/* The kernel writes blanks and backslashes as three octal digits. */
static char *unescape(char *text)
{
    const char *from = text;
    char *to = text;

    while (*from) {
        if (*from == '\\' && is_octal(from + 1)) {
            *to = (char)((from[1] - '0') * 64 + (from[2] - '0') * 8 + (from[3] - '0'));
            from += 4;
        } else {
            *to = *from;
            from++;
        }
        to++;
    }
    *to = '\0';
    return text;
}

/* The field that *@rest begins with, cut off. NULL: there are no more. */
static char *cut(char **rest)
{
    char *field = *rest;
    char *end;

    if (!field) {
        return NULL;
    }
    end = field + strcspn(field, " \n");
    *rest = *end == ' ' ? end + 1 : NULL;
    *end = '\0';
    return field;
}

enum { FIELD_DEVICE = 2, FIELD_DIRECTORY = 4, FIRST_OPTIONAL = 6 };

/* proc(5): id parent major:minor root directory options [optional...] - type source
   options-of-the-file-system */
bool fat_mountinfo_parse(char *line, struct fat_mountinfo *ret)
{
    char *fields[FIRST_OPTIONAL];
    char *rest = line;
    char *field;
    char *source;

    for (unsigned i = 0; i < FIRST_OPTIONAL; i++) {
        fields[i] = cut(&rest);
    }
    do {
        field = cut(&rest);
    } while (field && strcmp(field, "-") != 0);
    field = cut(&rest);
    source = cut(&rest);
    if (!rest) {
        return false;
    }
    *ret = (struct fat_mountinfo){.id = strtol(fields[0], NULL, 10),
            .parent = strtol(fields[1], NULL, 10),
            .device = fat_mountinfo_device(fields[FIELD_DEVICE]),
            .directory = unescape(fields[FIELD_DIRECTORY]),
            .type = field,
            .source = unescape(source),
            .options = cut(&rest)};
    return true;
}

bool fat_mountinfo_open(struct fat_mountinfo_walk *walk)
{
    *walk = (struct fat_mountinfo_walk){.file = fopen("/proc/self/mountinfo", "re")};
    return walk->file != NULL;
}

bool fat_mountinfo_next(struct fat_mountinfo_walk *walk)
{
    while (walk->file && getline(&walk->line, &walk->size, walk->file) > 0) {
        if (fat_mountinfo_parse(walk->line, &walk->mount)) {
            return true;
        }
    }
    return false;
}

void fat_mountinfo_close(struct fat_mountinfo_walk *walk)
{
    if (walk->file) {
        (void)fclose(walk->file);
    }
    free(walk->line);
}

bool fat_mountinfo_has(dev_t device)
{
    struct fat_mountinfo_walk walk;
    bool found = false;

    (void)fat_mountinfo_open(&walk);
    while (!found && fat_mountinfo_next(&walk)) {
        found = walk.mount.device == device;
    }
    fat_mountinfo_close(&walk);
    return found;
}

bool fat_mountinfo_is_fuse(const char *type)
{
    return strcmp(type, "fuse") == 0 || strcmp(type, "fuseblk") == 0 ||
           strncmp(type, "fuse.", 5) == 0 || strncmp(type, "fuseblk.", 8) == 0;
}
