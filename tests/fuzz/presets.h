/* SPDX-License-Identifier: MIT */
/* The volumes that a fuzzer's input may begin with. */
#ifndef TEST_FUZZ_PRESETS_H
#define TEST_FUZZ_PRESETS_H

#include <fatward/blkdev.h>

/* Made once and kept; nobody may write to it. @number is below FUZZ_PRESETS. */
struct fat_blkdev *fuzz_preset(unsigned number);

/* Names that are on each of them, and some that could be. */
enum { FUZZ_NAMES = 24 };
extern const char *const fuzz_names[FUZZ_NAMES];

#endif
