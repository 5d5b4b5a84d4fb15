/* SPDX-License-Identifier: MIT */
/*
 * A command line as the bytes of a file: how the mount helper tells the server what it
 * was called with. "ARGS", the count, a table of (position, length with the NUL), and
 * the strings wherever the table says. Numbers are big-endian.
 *
 * Pure: no I/O. Another helper may leave unused table slots before the strings.
 */
#ifndef FAT_SERVICE_ARGV_H
#define FAT_SERVICE_ARGV_H

#include <stddef.h>

enum {
    FAT_ARGV_MOST = 256,        /* arguments                       */
    FAT_ARGV_LARGEST = 1 << 18, /* of such a file          [bytes] */
};

enum fat_argv_fault {
    FAT_ARGV_SOUND = 0,
    FAT_ARGV_LENGTH,  /* shorter than its table, or larger than FAT_ARGV_LARGEST */
    FAT_ARGV_MAGIC,   /* doesn't begin with ARGS                                 */
    FAT_ARGV_COUNT,   /* none, or more than FAT_ARGV_MOST                        */
    FAT_ARGV_OUTSIDE, /* an argument that lies outside the file                  */
    FAT_ARGV_NO_END,  /* an argument without its NUL, or with one inside         */
    FAT_ARGV_NO_MEMORY,
};

/*
 * Read a command line.
 *
 * @ret_argv    the arguments and a NULL behind them; the texts point into @bytes;
 *              the array is the caller's, for free()
 * @ret_count   1 to FAT_ARGV_MOST
 */
enum fat_argv_fault fat_argv_decode(
        const void *bytes, size_t length, const char ***ret_argv, unsigned *ret_count);

/*
 * Write a command line of @count arguments.
 *
 * @ret_bytes    for free()
 * @ret_length                                                             [bytes]
 */
enum fat_argv_fault fat_argv_encode(
        const char *const *argv, unsigned count, void **ret_bytes, size_t *ret_length);

/* "an argument lies outside the file" */
const char *fat_argv_fault_text(enum fat_argv_fault fault);

#endif
