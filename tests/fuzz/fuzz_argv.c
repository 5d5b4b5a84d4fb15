/* SPDX-License-Identifier: MIT */
/* Arguments that are read lie in the file, and are the same when written and read. */
#include <string.h>

#include "fuzz.h"
#include "service/argv.h"

static void check_same(
        const char *const *argv, unsigned count, const void *file, size_t length)
{
    const char **again = NULL;
    unsigned counted = 0;

    PROMISE(fat_argv_decode(file, length, &again, &counted) == FAT_ARGV_SOUND);
    PROMISE(counted == count);
    for (unsigned i = 0; i < count; i++) {
        PROMISE(strcmp(again[i], argv[i]) == 0);
    }
    free(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    const char *const end = (const char *)bytes + length;
    const char **argv = NULL;
    unsigned count = 0;
    size_t sum = 0;
    void *file = NULL;
    size_t file_length = 0;

    if (fat_argv_decode(bytes, length, &argv, &count) != FAT_ARGV_SOUND) {
        return 0;
    }
    PROMISE(count > 0 && !argv[count]);
    for (unsigned i = 0; i < count; i++) {
        PROMISE(argv[i] >= (const char *)bytes && argv[i] < end);
        sum += strlen(argv[i]) + 1;
        PROMISE(argv[i] + strlen(argv[i]) < end);
    }
    if (fat_argv_encode(argv, count, &file, &file_length) == FAT_ARGV_SOUND) {
        check_same(argv, count, file, file_length);
    } else {
        /* arguments that share their bytes may have been more than a file holds */
        PROMISE(sum > FAT_ARGV_LARGEST - 8 - 8 * (size_t)count);
    }
    free(file);
    free(argv);
    return 0;
}
