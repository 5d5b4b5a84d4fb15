/* SPDX-License-Identifier: MIT */
/*
 * Renaming, one way each (W4). The namespace is held exclusively; the new name is
 * published before the old one is retired, so that no cut loses the file.
 */
#ifndef FAT_VOLUME_RENAME_H
#define FAT_VOLUME_RENAME_H

#include <fatward/error.h>

#include "volume/names.h"

/* A rename that has been looked up. */
struct fat_renaming {
    struct fat_node *old_directory, *new_directory;
    struct fat_name name;    /* the new one                                        */
    struct fat_node *node;   /* what is renamed                                    */
    struct fat_dir_item old; /* its entry                                          */
    struct fat_node *target; /* who has the new name, NULL: nobody                 */
    struct fat_dir_item new; /* its entry                                          */
};

/* Nobody has the new name. FAT_E_AGAIN, FAT_E_NOSPC */
FAT_MUST_CHECK fat_err fat_rename_move(struct fat_renaming *r);

/* Somebody else has it, and may be replaced. */
FAT_MUST_CHECK fat_err fat_rename_replace(struct fat_renaming *r);

/*
 * The renamed file has it itself, in another spelling. Done in place if the new set
 * fits; else FAT_E_NOENT: then fat_rename_move() does it.
 */
FAT_MUST_CHECK fat_err fat_rename_respell(struct fat_renaming *r);

/* Both change places. FAT_E_NOENT: they are not in one sector, nothing was done. */
FAT_MUST_CHECK fat_err fat_rename_swap(struct fat_renaming *r);

#endif
