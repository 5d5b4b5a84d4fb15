/* SPDX-License-Identifier: MIT */
/*
 * Whether a request is as long as it says. libfuse believes the kernel: it reads
 * behind the end of one that is not.
 */
#ifndef FAT_FUSE_REQUEST_H
#define FAT_FUSE_REQUEST_H

#include <stdbool.h>
#include <stddef.h>

/*
 * @request  @size bytes, a header at least
 *
 * True too for operations that nobody here knows: libfuse refuses those unread.
 */
bool fat_request_is_whole(const void *request, size_t size);

#endif
