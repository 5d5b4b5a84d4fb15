/* SPDX-License-Identifier: MIT */
#include "mountinfo.h"

#include <stdio.h>
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

bool fat_mountinfo_has(dev_t device)
{
    FILE *mounts = fopen("/proc/self/mountinfo", "re");
    char *line = NULL;
    size_t size = 0;
    bool found = false;

    if (!mounts) {
        return false;
    }
    while (!found && getline(&line, &size, mounts) > 0) {
        const char *field = strchr(line, ' ');

        /* proc(5): id parent major:minor ... */
        field = field ? strchr(field + 1, ' ') : NULL;
        found = field && fat_mountinfo_device(field + 1) == device;
    }
    free(line);
    (void)fclose(mounts);
    return found;
}
