/* SPDX-License-Identifier: MIT */
#ifndef FAT_NAMEI_H
#define FAT_NAMEI_H

#include <stdbool.h>
#include <stdint.h>

#include <fatward/error.h>
#include <fatward/node.h>

/*
 * Names and directories.
 *
 * A name is NUL-terminated UTF-8 of up to 255 UTF-16 units; case is kept and does
 * not matter, trailing dots are dropped, and a file answers to its 8.3 name too.
 * "." and ".." are no names here: FAT_E_NAME.
 *
 * Errors of every function: FAT_E_NOTDIR if a directory is a file, FAT_E_STALE if a
 * directory has been removed, FAT_E_NAME, FAT_E_NAMETOOLONG, FAT_E_IO,
 * FAT_E_CORRUPT, FAT_E_NOMEM; of every change also FAT_E_READONLY. After a failure
 * nothing has changed, unless it says otherwise.
 */

enum { FAT_NAME_BYTES = 766 }; /* room for any name in UTF-8, with its NUL */

struct fat_found {
    struct fat_node *node; /* release with fat_node_unref()                          */
    bool exact;            /* asked for in exactly the spelling that is stored       */
};

/* FAT_E_NOENT */
FAT_API FAT_MUST_CHECK fat_err fat_lookup(
        struct fat_node *directory, const char *name, struct fat_found *ret);

/*
 * @attributes   FAT_NODE_READ_ONLY, HIDDEN, SYSTEM; ARCHIVE is always set on files
 *
 * FAT_E_EXIST, FAT_E_NOSPC
 */
FAT_API FAT_MUST_CHECK fat_err fat_create(struct fat_node *directory, const char *name,
        uint8_t attributes, struct fat_found *ret);
FAT_API FAT_MUST_CHECK fat_err fat_mkdir(struct fat_node *directory, const char *name,
        uint8_t attributes, struct fat_found *ret);

/* FAT_E_NOENT, FAT_E_ISDIR */
FAT_API FAT_MUST_CHECK fat_err fat_unlink(struct fat_node *directory, const char *name);

/* FAT_E_NOENT, FAT_E_NOTDIR, FAT_E_NOTEMPTY; if not all could be read: FAT_E_IO */
FAT_API FAT_MUST_CHECK fat_err fat_rmdir(struct fat_node *directory, const char *name);

enum {
    FAT_RENAME_NOREPLACE = 1 << 0, /* FAT_E_EXIST if the new name is taken          */
    FAT_RENAME_EXCHANGE = 1 << 1,  /* both names must exist; they change places     */
};

/*
 * Rename; what had the new name is replaced, atomically for anybody who looks and
 * at a power cut. Only the case of a name may be changed too. EXCHANGE of entries
 * in different sectors is made of commits (see docs/crash-order.md).
 *
 * FAT_E_NOENT, FAT_E_EXIST, FAT_E_NOSPC, FAT_E_ISDIR, FAT_E_NOTDIR, FAT_E_NOTEMPTY
 * FAT_E_INVAL   a directory into itself or below itself, in whatever spelling;
 *               unknown flags; NOREPLACE with EXCHANGE
 */
FAT_API FAT_MUST_CHECK fat_err fat_rename(struct fat_node *old_directory,
        const char *old_name, struct fat_node *new_directory, const char *new_name,
        unsigned flags);

struct fat_dir_entry {
    char name[FAT_NAME_BYTES];
    uint64_t ino;
    bool is_directory;
    uint16_t slot; /* of the short entry, for fat_dir_node() */
};

/*
 * The next entry of a directory; "." and ".." are not among them.
 *
 * @cookie   0 to begin; afterwards where to go on. It stays good while the
 *           directory changes: what was there all the time is seen exactly once.
 *
 * FAT_END   no more entries; a read error is never that
 */
FAT_API FAT_MUST_CHECK fat_err fat_dir_next(
        struct fat_node *directory, uint32_t *cookie, struct fat_dir_entry *ret);

/* The node of an entry just read. FAT_E_NOENT: it has been removed since. */
FAT_API FAT_MUST_CHECK fat_err fat_dir_node(struct fat_node *directory,
        const struct fat_dir_entry *entry, struct fat_node **ret);

/* The directory that @node is in, as a new reference; the root's is the root. */
FAT_API struct fat_node *fat_node_parent(struct fat_node *node);

#endif
