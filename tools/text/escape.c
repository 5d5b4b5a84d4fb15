/* SPDX-License-Identifier: MIT */
#include "text/escape.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* How many bytes a UTF-8 sequence has that begins with @lead; 0: none does. */
static size_t sequence_length(unsigned char lead)
{
    if (lead < 0x80) {
        return 1;
    }
    if (lead >= 0xC2 && lead <= 0xDF) {
        return 2;
    }
    if (lead >= 0xE0 && lead <= 0xEF) {
        return 3;
    }
    return lead >= 0xF0 && lead <= 0xF4 ? 4 : 0;
}

/* Overlong forms, surrogates and what lies past U+10FFFF are no UTF-8. */
static bool is_scalar(uint32_t point, size_t length)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};

    return point >= least[length] && point <= 0x10FFFF &&
           !(point >= 0xD800 && point <= 0xDFFF);
}

/* C0, DEL and C1, and the marks that turn the direction of the line. */
static bool steers_a_terminal(uint32_t point)
{
    return point < 0x20 || (point >= 0x7F && point <= 0x9F) || point == 0x2028 ||
           point == 0x2029 || (point >= 0x202A && point <= 0x202E) ||
           (point >= 0x2066 && point <= 0x2069);
}

/* The bytes of the printable character at @text; 0 if there is none. */
static size_t printable_length(const unsigned char *text)
{
    static const unsigned char lead_bits[] = {0, 0x7F, 0x1F, 0x0F, 0x07};
    const size_t length = sequence_length(text[0]);
    uint32_t point;

    if (length == 0) {
        return 0;
    }
    point = text[0] & lead_bits[length];
    for (size_t i = 1; i < length; i++) {
        if ((text[i] & 0xC0) != 0x80) { /* stops at the NUL too */
            return 0;
        }
        point = point << 6 | (text[i] & 0x3FU);
    }
    return is_scalar(point, length) && !steers_a_terminal(point) ? length : 0;
}

void escape_print(FILE *out, const char *text)
{
    const unsigned char *at = (const unsigned char *)text;

    while (*at != '\0') {
        const size_t length = printable_length(at);

        if (*at == '\\') {
            fputs("\\\\", out);
            at++;
        } else if (length > 0) {
            fwrite(at, 1, length, out);
            at += length;
        } else {
            fprintf(out, "\\x%02X", (unsigned)*at);
            at++;
        }
    }
}
