/* SPDX-License-Identifier: MIT */
/* What creating, removing and renaming share. The namespace is held exclusively. */
#ifndef FAT_VOLUME_NAMES_H
#define FAT_VOLUME_NAMES_H

#include <stdbool.h>

#include <fatward/error.h>

#include "tree/dir.h"
#include "volume/state.h"

/* FAT_E_NOTDIR, FAT_E_STALE unless @directory is one that is still there. */
FAT_MUST_CHECK fat_err fat_names_need_directory(const struct fat_node *directory);

/* @text as a name that may be written. FAT_E_NAME, FAT_E_NAMETOOLONG */
FAT_MUST_CHECK fat_err fat_names_parse_new(const char *text, struct fat_name *ret);

/* The entry called @name and its node. FAT_E_NOENT */
FAT_MUST_CHECK fat_err fat_names_find(struct fat_node *directory,
        const struct fat_name *name, struct fat_dir_item *ret_item,
        struct fat_node **ret_node);

/* A new set of slots, and where it will be. */
struct fat_names_target {
    struct fat_dir_set set;
    struct fat_place place; /* .born and .published are filled in under the interval */
    bool takes_over;        /* the slots of a deleted name (W9)                       */
    struct fat_tomb tomb;
};

/*
 * Choose slots for @name in @directory, where nobody is called so now.
 *
 * @entry   its short name and NT flags are set
 *
 * FAT_E_AGAIN   the name, or the room, is free only after a commit (W2, W9, W10)
 * FAT_E_NOSPC
 */
FAT_MUST_CHECK fat_err fat_names_choose(struct fat_node *directory,
        const struct fat_name *name, struct fat_dirent *entry,
        struct fat_names_target *ret);

/* Prepare its sectors. */
FAT_MUST_CHECK fat_err fat_names_prepare(
        struct fat_edits *edits, const struct fat_names_target *target);

/* Write it. Interval held; @number is its number. */
void fat_names_put(struct fat_edits *edits, struct fat_names_target *target,
        bool is_directory, uint64_t number);

#endif
