/* SPDX-License-Identifier: MIT */
/*
 * What the helper tells whoever called it, on standard error. Part of it comes from
 * the server or from the command line, neither of which may write to a terminal what
 * it likes: every byte that is not printable ASCII appears as \xNN.
 */
#ifndef FAT_SERVICE_MOUNT_SAY_H
#define FAT_SERVICE_MOUNT_SAY_H

#include <stddef.h>

/* One line: "fatward-mount: " and the text, cut off after a few hundred bytes. */
void fat_say(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* As much of @text as fits, escaped, and a NUL. @size is at least 1. */
void fat_say_escape(const char *text, char *ret, size_t size);

/* "No such file or directory"; never NULL */
const char *fat_error_text(int error);

#endif
