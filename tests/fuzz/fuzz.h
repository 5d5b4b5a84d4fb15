/* SPDX-License-Identifier: MIT */
/* What libFuzzer calls with bytes of its own, and replay.c with those of a file. */
#ifndef TEST_FUZZ_FUZZ_H
#define TEST_FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

/* The name is libFuzzer's. Always 0; it ends the program if a promise is broken. */
/* NOLINTNEXTLINE(readability-identifier-naming) */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

/* As assert(), in every build. */
#define PROMISE(holds)                                                           \
    do {                                                                         \
        if (!(holds)) {                                                          \
            (void)dprintf(2, "%s:%d: broken: %s\n", __FILE__, __LINE__, #holds); \
            abort();                                                             \
        }                                                                        \
    } while (0)

#endif
