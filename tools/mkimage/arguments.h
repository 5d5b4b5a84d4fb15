/* SPDX-License-Identifier: MIT */
/* The command line and the environment, checked. */
#ifndef FATWARD_MKIMAGE_ARGUMENTS_H
#define FATWARD_MKIMAGE_ARGUMENTS_H

#include <stdbool.h>
#include <stdint.h>

#include <fatward/format.h>
#include <fatward/time.h>

enum mkimage_exit { MKIMAGE_DONE = 0, MKIMAGE_FAILED = 1, MKIMAGE_USAGE = 64 };

struct arguments {
    const char *out;
    const char *folder;  /* NULL: the volume stays empty                  */
    uint64_t size_bytes; /* 0: what @out has                              */
    struct fat_format_options format;
    bool force, follow, verbose;
    bool has_epoch; /* SOURCE_DATE_EPOCH was given: @format.now is it */
};

/*
 * @ret_status   when there is nothing to do: what to exit with
 *
 * Returns whether there is something to do.
 */
bool arguments_parse(int argc, char **argv, struct arguments *ret, int *ret_status);

#endif
