/* SPDX-License-Identifier: MIT */
#include "locks.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/sysmacros.h>

enum {
    LONGEST_LINE = 256, /* nobody but the kernel writes them: numbers and fixed words */
    /* the kernel counts from the first one for every page of them: 0.2 seconds */
    MOST_LINES = 16384,
};

/* proc(5): "1: FLOCK  ADVISORY  WRITE pid major:minor:inode start end"; where FLOCK
   comes behind "1: -> ", somebody waits. */
static bool is_in_the_way(const char *line, const char *file, bool writing)
{
    const char *kind = strchr(line, ':');

    return kind && strncmp(kind, ": FLOCK ", strlen(": FLOCK ")) == 0 &&
           (writing || strstr(kind, " WRITE ")) && strstr(kind, file);
}

bool fat_locks_has(dev_t device, ino_t inode, bool writing)
{
    FILE *list = fopen("/proc/locks", "re");
    char line[LONGEST_LINE];
    char file[64];
    bool found = false;

    if (!list) {
        return false;
    }
    (void)snprintf(file, sizeof(file), " %02x:%02x:%ju ", major(device), minor(device),
            (uintmax_t)inode);
    for (unsigned i = 0; !found && i < MOST_LINES && fgets(line, sizeof(line), list);
            i++) {
        found = is_in_the_way(line, file, writing);
    }
    (void)fclose(list);
    return found;
}
