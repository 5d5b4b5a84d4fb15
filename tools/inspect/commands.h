/* SPDX-License-Identifier: MIT */
/* What fatward-inspect can be asked, and how it answers the shell. */
#ifndef FATWARD_INSPECT_COMMANDS_H
#define FATWARD_INSPECT_COMMANDS_H

#include <stdbool.h>

#include <fatward/blkdev.h>
#include <fatward/check.h>

/* The exit statuses of fsck(8). */
enum inspect_exit {
    INSPECT_CLEAN = 0,
    INSPECT_MENDED = 1,
    INSPECT_ERRORS_LEFT = 4,
    INSPECT_FAILED = 8,
    INSPECT_USAGE = 16,
};

enum check_verbosity { CHECK_QUIET, CHECK_FINDINGS, CHECK_VERBOSE };

struct repair_wishes {
    bool save_lost, cut_sizes;
};

/* @image is what to call @dev in messages; the result is for exit(). */
int inspect_info(const char *image, struct fat_blkdev *dev);
int inspect_check(
        const char *image, struct fat_blkdev *dev, enum check_verbosity verbosity);

int inspect_repair(const char *image, struct fat_blkdev *dev,
        enum check_verbosity verbosity, const struct repair_wishes *wishes);

/* check.c: on stdout, what both check and repair say. */
void inspect_print_finding(const struct fat_finding *finding);
void inspect_print_counts(const struct fat_check_summary *summary);
void inspect_print_summary(const char *image, const struct fat_check_summary *summary);

/* "fatward-inspect: IMAGE: what: detail" to stderr; @detail may be NULL. */
void inspect_complain(const char *image, const char *what, const char *detail);

#endif
