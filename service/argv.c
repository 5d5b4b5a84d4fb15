/* SPDX-License-Identifier: MIT */
#include "service/argv.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/*
 *   0  "ARGS"
 *   4  u32  count
 *   8  count times: u32 position, u32 length with the NUL
 */
enum { HEADER_BYTES = 8, SLOT_BYTES = 8 };

static const unsigned char magic[4] = {'A', 'R', 'G', 'S'};

static const char *const fault_texts[] = {
        [FAT_ARGV_SOUND] = "the arguments are sound",
        [FAT_ARGV_LENGTH] = "the arguments are cut short or too long",
        [FAT_ARGV_MAGIC] = "these are no arguments",
        [FAT_ARGV_COUNT] = "there are no arguments or too many",
        [FAT_ARGV_OUTSIDE] = "an argument lies outside the file",
        [FAT_ARGV_NO_END] = "an argument doesn't end where it should",
        [FAT_ARGV_NO_MEMORY] = "no memory for the arguments",
};

static uint32_t get_u32(const unsigned char *from)
{
    return (uint32_t)from[0] << 24 | (uint32_t)from[1] << 16 | (uint32_t)from[2] << 8 |
           (uint32_t)from[3];
}

static void put_u32(unsigned char *to, size_t number)
{
    to[0] = (unsigned char)(number >> 24);
    to[1] = (unsigned char)(number >> 16);
    to[2] = (unsigned char)(number >> 8);
    to[3] = (unsigned char)number;
}

static size_t table_end(size_t count)
{
    return HEADER_BYTES + SLOT_BYTES * count;
}

static enum fat_argv_fault judge_head(
        const unsigned char *file, size_t length, uint32_t *ret_count)
{
    uint32_t count;

    if (length < HEADER_BYTES || length > FAT_ARGV_LARGEST) {
        return FAT_ARGV_LENGTH;
    }
    if (memcmp(file, magic, sizeof(magic)) != 0) {
        return FAT_ARGV_MAGIC;
    }
    count = get_u32(file + sizeof(magic));
    if (count == 0 || count > FAT_ARGV_MOST) {
        return FAT_ARGV_COUNT;
    }
    if (length < table_end(count)) {
        return FAT_ARGV_LENGTH;
    }
    *ret_count = count;
    return FAT_ARGV_SOUND;
}

static enum fat_argv_fault find_argument(
        const unsigned char *file, size_t length, size_t index, const char **ret)
{
    const unsigned char *const slot = file + table_end(index);
    const uint64_t position = get_u32(slot);
    const uint64_t bytes = get_u32(slot + 4);
    const unsigned char *end;

    if (position + bytes > length) {
        return FAT_ARGV_OUTSIDE;
    }
    end = memchr(file + position, '\0', bytes);
    if (!end || end != file + position + bytes - 1) {
        return FAT_ARGV_NO_END;
    }
    *ret = (const char *)file + position;
    return FAT_ARGV_SOUND;
}

enum fat_argv_fault fat_argv_decode(
        const void *bytes, size_t length, const char ***ret_argv, unsigned *ret_count)
{
    uint32_t count = 0;
    enum fat_argv_fault fault = judge_head(bytes, length, &count);
    const char **argv;

    if (fault != FAT_ARGV_SOUND) {
        return fault;
    }
    argv = calloc((size_t)count + 1, sizeof(*argv));
    if (!argv) {
        return FAT_ARGV_NO_MEMORY;
    }
    for (size_t i = 0; i < count && fault == FAT_ARGV_SOUND; i++) {
        fault = find_argument(bytes, length, i, &argv[i]);
    }
    if (fault != FAT_ARGV_SOUND) {
        free(argv);
        return fault;
    }
    *ret_argv = argv;
    *ret_count = count;
    return FAT_ARGV_SOUND;
}

/* More than FAT_ARGV_LARGEST: too long, however much. */
static size_t file_bytes(const char *const *argv, unsigned count)
{
    size_t length = table_end(count);

    for (unsigned i = 0; i < count && length <= FAT_ARGV_LARGEST; i++) {
        length += strlen(argv[i]) + 1;
    }
    return length;
}

enum fat_argv_fault fat_argv_encode(
        const char *const *argv, unsigned count, void **ret_bytes, size_t *ret_length)
{
    size_t position = table_end(count);
    unsigned char *file;
    size_t length;

    if (count == 0 || count > FAT_ARGV_MOST) {
        return FAT_ARGV_COUNT;
    }
    length = file_bytes(argv, count);
    if (length > FAT_ARGV_LARGEST) {
        return FAT_ARGV_LENGTH;
    }
    file = malloc(length);
    if (!file) {
        return FAT_ARGV_NO_MEMORY;
    }
    memcpy(file, magic, sizeof(magic));
    put_u32(file + sizeof(magic), count);
    for (unsigned i = 0; i < count; i++) {
        const size_t bytes = strlen(argv[i]) + 1;

        put_u32(file + table_end(i), position);
        put_u32(file + table_end(i) + 4, bytes);
        memcpy(file + position, argv[i], bytes);
        position += bytes;
    }
    *ret_bytes = file;
    *ret_length = length;
    return FAT_ARGV_SOUND;
}

const char *fat_argv_fault_text(enum fat_argv_fault fault)
{
    const unsigned count = sizeof(fault_texts) / sizeof(*fault_texts);

    return (unsigned)fault < count ? fault_texts[fault] : "?";
}
