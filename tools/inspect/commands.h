/* SPDX-License-Identifier: MIT */
/* What fatward-inspect can be asked, and how it answers the shell. */
#ifndef FATWARD_INSPECT_COMMANDS_H
#define FATWARD_INSPECT_COMMANDS_H

#include <stdbool.h>

#include <fatward/blkdev.h>

/* The exit statuses of fsck(8). */
enum inspect_exit {
    INSPECT_CLEAN = 0,
    INSPECT_ERRORS_LEFT = 4,
    INSPECT_FAILED = 8,
    INSPECT_USAGE = 16,
};

enum check_verbosity { CHECK_QUIET, CHECK_FINDINGS, CHECK_VERBOSE };

/* @image is what to call @dev in messages; the result is for exit(). */
int inspect_info(const char *image, struct fat_blkdev *dev);
int inspect_check(
        const char *image, struct fat_blkdev *dev, enum check_verbosity verbosity);

/* "fatward-inspect: IMAGE: what: detail" to stderr; @detail may be NULL. */
void inspect_complain(const char *image, const char *what, const char *detail);

#endif
