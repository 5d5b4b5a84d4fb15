/* SPDX-License-Identifier: MIT */
/* mount(8)'s own table, which remembers the words that the kernel doesn't. */
#ifndef FAT_SERVICE_MOUNT_TABLE_H
#define FAT_SERVICE_MOUNT_TABLE_H

#include <stdbool.h>

struct fat_table_entry {
    const char *type; /* "fuse.vfat" */
    const char *source;
    const char *directory; /* absolute    */
    const char *words;
};

/*
 * Have mount(8) note a mount that exists. Without such a table it is a no-op; a
 * failure costs no more than the words.
 */
void fat_table_note(const struct fat_table_entry *entry);

#endif
