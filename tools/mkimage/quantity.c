/* SPDX-License-Identifier: MIT */
#include "mkimage/quantity.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const char suffixes[] = "KMGT";

/* How many bits the suffix @letter shifts by; -1 if it is none. */
static int suffix_bits(char letter)
{
    const char *at = strchr(suffixes, toupper((unsigned char)letter));

    if (letter == '\0') {
        return 0;
    }
    return at ? 10 * (int)(at - suffixes + 1) : -1;
}

bool quantity_parse(const char *text, uint64_t *ret)
{
    uint64_t number = 0;
    int bits;

    if (!isdigit((unsigned char)*text)) {
        return false;
    }
    for (; isdigit((unsigned char)*text); text++) {
        const unsigned digit = (unsigned)(*text - '0');

        if (number > ((uint64_t)INT64_MAX - digit) / 10) {
            return false;
        }
        number = number * 10 + digit;
    }
    bits = suffix_bits(*text);
    if (bits < 0 || (*text != '\0' && text[1] != '\0')) {
        return false;
    }
    if (number == 0 || number > (uint64_t)INT64_MAX >> bits) {
        return false;
    }
    *ret = number << bits;
    return true;
}

static int hex_digit(char letter)
{
    static const char digits[] = "0123456789ABCDEF";
    const char *at = strchr(digits, toupper((unsigned char)letter));

    return letter != '\0' && at ? (int)(at - digits) : -1;
}

bool quantity_parse_serial(const char *text, uint32_t *ret)
{
    uint32_t number = 0;
    unsigned count = 0;

    for (size_t i = 0; text[i] != '\0'; i++) {
        const int digit = hex_digit(text[i]);

        if (text[i] == '-' && i == 4 && strlen(text) == 9) {
            continue;
        }
        if (digit < 0 || ++count > 8) {
            return false;
        }
        number = number << 4 | (uint32_t)digit;
    }
    if (count == 0) {
        return false;
    }
    *ret = number;
    return true;
}

void quantity_format(uint64_t bytes, char ret[QUANTITY_TEXT])
{
    size_t power = 0;

    while (power < strlen(suffixes) && bytes > 0 && bytes % 1024 == 0) {
        bytes /= 1024;
        power++;
    }
    if (power == 0) {
        snprintf(ret, QUANTITY_TEXT, "%" PRIu64, bytes);
    } else {
        snprintf(ret, QUANTITY_TEXT, "%" PRIu64 "%c", bytes, suffixes[power - 1]);
    }
}
