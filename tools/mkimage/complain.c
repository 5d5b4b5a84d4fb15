/* SPDX-License-Identifier: MIT */
#include "mkimage/complain.h"

#include <stdarg.h>
#include <stdio.h>

#include "text/escape.h"

void complain(const char *subject, const char *format, ...)
{
    va_list arguments;
    char text[1024]; /* cut off rather than fail: there is no memory to ask for here */

    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    fputs("fatward-mkimage: ", stderr);
    if (subject) {
        escape_print(stderr, subject);
        fputs(": ", stderr);
    }
    escape_print(stderr, text);
    fputc('\n', stderr);
}
