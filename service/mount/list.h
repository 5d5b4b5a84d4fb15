/* SPDX-License-Identifier: MIT */
/* A text of words with commas between them, which grows. */
#ifndef FAT_SERVICE_MOUNT_LIST_H
#define FAT_SERVICE_MOUNT_LIST_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Append @length bytes of @word to *@list, which is allocated and may be "". False
 * without memory: the list is as it was.
 */
bool fat_list_add(char **list, const char *word, size_t length);

#endif
