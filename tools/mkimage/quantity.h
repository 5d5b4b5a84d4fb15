/* SPDX-License-Identifier: MIT */
/* Numbers as people write them. */
#ifndef FATWARD_MKIMAGE_QUANTITY_H
#define FATWARD_MKIMAGE_QUANTITY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Decimal, then nothing or one of K, M, G, T for powers of 1024; not 0. */
bool quantity_parse(const char *text, uint64_t *ret);

/* Up to eight hexadecimal digits; one dash in the middle is allowed. */
bool quantity_parse_serial(const char *text, uint32_t *ret);

enum { QUANTITY_TEXT = 32 };

/* The way back: with a suffix when nothing is lost by it. */
void quantity_format(uint64_t bytes, char ret[QUANTITY_TEXT]);

#endif
