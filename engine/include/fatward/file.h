/* SPDX-License-Identifier: MIT */
#ifndef FAT_FILE_H
#define FAT_FILE_H

#include <stddef.h>
#include <stdint.h>

#include <fatward/error.h>
#include <fatward/node.h>

/*
 * The contents of a file: up to 2^32 - 1 bytes.
 *
 * Data go straight between the caller's buffer and the device. Errors of every
 * function: FAT_E_ISDIR, FAT_E_IO, FAT_E_CORRUPT, FAT_E_NOMEM; of every change also
 * FAT_E_READONLY, FAT_E_NOSPC.
 */

#define FAT_FILE_SIZE_MAX UINT32_C(0xffffffff)

/*
 * @ret_length   bytes read; less than @length only at the end of the file
 */
FAT_API FAT_MUST_CHECK fat_err fat_file_read(struct fat_node *file, uint64_t offset,
        void *buffer, size_t length, size_t *ret_length);

/*
 * Write; a gap behind the old end is filled with zeros on disk.
 *
 * @ret_length   bytes written; less than @length if the file would pass 2^32 - 1
 *               bytes, or if room ran out on the way
 *
 * FAT_E_FBIG    @offset is 2^32 - 1 or more; nothing was changed
 * FAT_E_NOSPC   not one byte could be written; nothing was changed
 */
FAT_API FAT_MUST_CHECK fat_err fat_file_write(struct fat_node *file, uint64_t offset,
        const void *buffer, size_t length, size_t *ret_length);

/*
 * Write at the end, wherever that is when the write gets its turn.
 * Otherwise as fat_file_write().
 */
FAT_API FAT_MUST_CHECK fat_err fat_file_append(
        struct fat_node *file, const void *buffer, size_t length, size_t *ret_length);

/*
 * Set the size; what is gained is zeros on disk. The file has been modified then, whatever
 * its size was.
 *
 * FAT_E_FBIG    beyond 2^32 - 1
 * FAT_E_NOSPC   the size may have grown part of the way, all of it zeros
 */
FAT_API FAT_MUST_CHECK fat_err fat_file_truncate(
        struct fat_node *file, uint64_t size_bytes);

enum {
    FAT_ALLOCATE_KEEP_SIZE = 1 << 0, /* clusters set aside until nobody uses the file
                                        and its changes are on disk; nothing of the
                                        reservation itself is on disk               */
};

/*
 * Make sure that bytes up to @offset + @length can be written without FAT_E_NOSPC;
 * without KEEP_SIZE the size grows to there, filled with zeros.
 *
 * FAT_E_FBIG, FAT_E_NOSPC   nothing was changed
 * FAT_E_INVAL               @length is 0
 */
FAT_API FAT_MUST_CHECK fat_err fat_file_allocate(
        struct fat_node *file, uint64_t offset, uint64_t length, unsigned flags);

/*
 * A program that wrote has closed the file: room that was set aside on speculation,
 * because the file was growing, goes back. KEEP_SIZE's stays.
 */
FAT_API void fat_file_closed(struct fat_node *file);

/*
 * Make the file durable: content, size, times and the name it has now.
 * Works for directories too. FAT_E_IO as fat_volume_commit().
 */
FAT_API FAT_MUST_CHECK fat_err fat_node_sync(struct fat_node *node);

#endif
