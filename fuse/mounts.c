/* SPDX-License-Identifier: MIT */
#include "mounts.h"

#include <stdlib.h>
#include <string.h>

#include "service/mountinfo.h"

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

static bool copy(const struct fat_mountinfo *mount, struct fat_mounted *ret)
{
    fat_mounted_done(ret);
    ret->device = mount->device;
    ret->type = strdup(mount->type);
    ret->source = strdup(mount->source);
    ret->has_user = parse_user(mount->options, &ret->user);
    return ret->type && ret->source;
}

bool fat_mounts_find(const char *directory, struct fat_mounted *ret)
{
    struct fat_mountinfo_walk walk;
    bool found = false;

    *ret = (struct fat_mounted){.type = NULL};
    (void)fat_mountinfo_open(&walk);
    /* the last line about a directory is the uppermost mount */
    while (fat_mountinfo_next(&walk)) {
        if (strcmp(walk.mount.directory, directory) == 0) {
            found = copy(&walk.mount, ret);
        }
    }
    fat_mountinfo_close(&walk);
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
