/* SPDX-License-Identifier: MIT */
/* Without a service: the program itself, outside of the service's jail. */
#ifndef FAT_SERVICE_MOUNT_FALLBACK_H
#define FAT_SERVICE_MOUNT_FALLBACK_H

#include <stdbool.h>

#include "arguments.h"
#include "rights.h"

/* Only who asks for this program by its name gets it without the jail. */
bool fat_fallback_is_for(const char *type);

/*
 * Become the program, as the caller and no more, with the options as they were given.
 * Returns only if that fails, and has said why.
 */
void fat_fallback_run(
        const struct fat_arguments *arguments, const struct fat_caller *caller);

#endif
