/* SPDX-License-Identifier: MIT */
#include "patience.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>

enum { MOST_SECONDS = 1000000 };

/* One number and what follows it. */
static bool take_seconds(const char **text, char end, unsigned *ret)
{
    char *rest;
    unsigned long seconds;

    if (!isdigit((unsigned char)**text)) {
        return false;
    }
    errno = 0;
    seconds = strtoul(*text, &rest, 10);
    if (errno != 0 || seconds == 0 || seconds > MOST_SECONDS || *rest != end) {
        return false;
    }
    *text = rest + 1;
    *ret = (unsigned)seconds;
    return true;
}

bool fat_patience_read(struct fat_patience *ret)
{
    /* NOLINTNEXTLINE(concurrency-mt-unsafe): nobody changes the environment */
    const char *text = getenv("FATWARD_PATIENCE");

    *ret = (struct fat_patience){.requests = 10, .reads = 120, .writes = 3600};
    return !text || (take_seconds(&text, ',', &ret->requests) &&
                            take_seconds(&text, ',', &ret->reads) &&
                            take_seconds(&text, '\0', &ret->writes));
}
