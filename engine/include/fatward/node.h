/* SPDX-License-Identifier: MIT */
#ifndef FAT_NODE_H
#define FAT_NODE_H

#include <stdbool.h>
#include <stdint.h>

#include <fatward/error.h>
#include <fatward/time.h>
#include <fatward/volume.h>

/*
 * A file or directory in use: one object per file, whatever it is called now.
 *
 * Reference-counted. It survives rename, and unlink: an unlinked file can be read
 * and written until its last reference is gone; only then are its clusters given up.
 */
struct fat_node;

/* The attribute bits of a FAT entry that a program may see; the first four it may set. */
enum {
    FAT_NODE_READ_ONLY = 0x01,
    FAT_NODE_HIDDEN = 0x02,
    FAT_NODE_SYSTEM = 0x04,
    FAT_NODE_ARCHIVE = 0x20,
    FAT_NODE_DIRECTORY = 0x10,
};

struct fat_stat {
    uint64_t ino; /* unique among living nodes; the root's is 1. Taken from the place
                     on disk, so it is the same after a remount unless renamed      */
    bool is_directory;
    uint8_t attributes;
    uint32_t links;           /* directories: 2 + subdirectories; else 1; removed: 0 */
    uint64_t size_bytes;      /* directories: of their chain                         */
    uint64_t allocated_bytes; /* whole clusters                                      */
    struct fat_time modified; /* resolution 2 s                                      */
    struct fat_time accessed; /* resolution 1 day                                    */
    struct fat_time created;  /* resolution 10 ms                                    */
};

/* The root directory; release with fat_node_unref(). */
FAT_API struct fat_node *fat_volume_root(struct fat_volume *volume);

FAT_API struct fat_node *fat_node_ref(struct fat_node *node);

/* NULL is a no-op. The last reference to a removed file gives up its clusters. */
FAT_API void fat_node_unref(struct fat_node *node);

FAT_API bool fat_node_is_directory(const struct fat_node *node);

/*
 * FAT_E_IO, FAT_E_CORRUPT   the directory could not be read
 * FAT_E_STALE               recovery has dropped this name of it: look it up again
 * Cost: a directory is read once (for @links); a file's chain is not walked.
 */
FAT_API FAT_MUST_CHECK fat_err fat_node_stat(
        struct fat_node *node, struct fat_stat *ret);

enum {
    FAT_SET_ATTRIBUTES = 1 << 0, /* READ_ONLY, HIDDEN, SYSTEM, ARCHIVE              */
    FAT_SET_MODIFIED = 1 << 1,
    FAT_SET_ACCESSED = 1 << 2,
    FAT_SET_CREATED = 1 << 3,
};

struct fat_node_changes {
    uint32_t which;
    uint8_t attributes;
    struct fat_time modified, accessed, created; /* clamped to 1980..2107 */
};

/*
 * Change what @changes->which names. The root has nothing that could keep it:
 * times and attributes set on it are accepted and forgotten, as the kernel does.
 *
 * FAT_E_READONLY, FAT_E_IO, FAT_E_NOMEM; nothing was changed
 */
FAT_API FAT_MUST_CHECK fat_err fat_node_change(
        struct fat_node *node, const struct fat_node_changes *changes);

#endif
