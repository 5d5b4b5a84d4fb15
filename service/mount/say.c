/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE /* strerrordesc_np */
#include "say.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { LONGEST = 1024, ESCAPED = 4 };

static const char digits[] = "0123456789abcdef";

void fat_say_escape(const char *text, char *ret, size_t size)
{
    size_t used = 0;

    for (; *text && used + ESCAPED < size; text++) {
        const unsigned char byte = (unsigned char)*text;

        if (byte >= 0x20 && byte < 0x7F) {
            ret[used++] = *text;
        } else {
            ret[used++] = '\\';
            ret[used++] = 'x';
            ret[used++] = digits[byte >> 4];
            ret[used++] = digits[byte & 15];
        }
    }
    ret[used] = '\0';
}

void fat_say(const char *format, ...)
{
    char text[LONGEST];
    char escaped[ESCAPED * LONGEST + 1];
    va_list list;

    va_start(list, format);
    /* NOLINTNEXTLINE(clang-analyzer-valist.Uninitialized): va_start() is above */
    (void)vsnprintf(text, sizeof(text), format, list);
    va_end(list);
    fat_say_escape(text, escaped, sizeof(escaped));
    (void)fprintf(stderr, "fatward-mount: %s\n", escaped);
}

const char *fat_error_text(int error)
{
    const char *text = strerrordesc_np(error);

    return text ? text : "unknown error";
}
