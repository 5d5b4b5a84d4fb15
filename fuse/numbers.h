/* SPDX-License-Identifier: MIT */
/*
 * The table of inode numbers: by number, by node, and by age. What a number means, and
 * who may use it, is inodes.h's; so is the lock, which is held for all of this.
 */
#ifndef FAT_FUSE_NUMBERS_H
#define FAT_FUSE_NUMBERS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <fatward/node.h>

#include "fuse_api.h"

struct fat_numbered {
    fuse_ino_t id;
    fuse_ino_t parent; /* directory it is in, as far as the kernel was told */
    struct fat_node *node;
    char *name;       /* and its name there; NULL: the root's, or removed */
    uint64_t lookups; /* 0: it is in no table any more              */
    uint64_t users;   /* requests that hold it                      */
    bool alias;
    bool remembered; /* the kernel may have cached that name */
    struct fat_numbered *next_by_id;
    struct fat_numbered *next_by_node;
    struct fat_numbered *older, *newer; /* by when it was last named; not the root */
};

struct fat_numbers {
    struct fat_numbered **by_id;
    struct fat_numbered **by_node;
    size_t buckets; /* of each table; a power of two */
    size_t count;
    atomic_size_t aliases; /* of them, also read without the lock */
    fuse_ino_t last_id;
    struct fat_numbered *oldest, *newest;
};

/* False without memory. */
bool fat_numbers_init(struct fat_numbers *numbers);

/* Entries that are still there go with it, and their references. */
void fat_numbers_done(struct fat_numbers *numbers);

/* An entry called @name, NULL: it has none. NULL without memory. */
struct fat_numbered *fat_numbered_new(const char *name);

/* One that no table knows. Drops its reference to the node. */
void fat_numbered_free(struct fat_numbered *entry);

bool fat_numbered_is_called(
        const struct fat_numbered *entry, fuse_ino_t parent, const char *name);

/* Give @entry, @entry->node its own from now on, the next number. */
void fat_numbers_add(struct fat_numbers *numbers, struct fat_numbered *entry);
void fat_numbers_remove(struct fat_numbers *numbers, struct fat_numbered *entry);

/* It was named just now. Not the root. */
void fat_numbers_renew(struct fat_numbers *numbers, struct fat_numbered *entry);

/* It becomes an alias without a name, which is found by its number only. */
void fat_numbers_retire(struct fat_numbers *numbers, struct fat_numbered *entry);

/* NULL: there is none. */
struct fat_numbered *fat_numbers_find(const struct fat_numbers *numbers, fuse_ino_t id);

/* All entries of a node, aliases too, in no order. */
struct fat_numbered *fat_numbers_first(
        const struct fat_numbers *numbers, const struct fat_node *node);
struct fat_numbered *fat_numbers_next(const struct fat_numbered *entry);

/* Its main number, NULL: it has none. */
struct fat_numbered *fat_numbers_main(
        const struct fat_numbers *numbers, const struct fat_node *node);

/* Whether it has any alias. */
bool fat_numbers_is_shared(
        const struct fat_numbers *numbers, const struct fat_node *node);

#endif
