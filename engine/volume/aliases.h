/* SPDX-License-Identifier: MIT */
/* Renames and moves that a power cut left unfinished: two names, or an old "..". */
#ifndef FAT_VOLUME_ALIASES_H
#define FAT_VOLUME_ALIASES_H

#include <stddef.h>
#include <stdint.h>

#include <fatward/error.h>

#include "tree/tree.h"

/*
 * Keep one name of each chain that begins at one of @clusters and remove the others,
 * never the chain (W4): of a directory the name whose parent its ".." tells, of a
 * file the one met first. A ".." that names another parent is rewritten. Walks the
 * whole tree; takes the namespace; the edits wait for the next commit.
 *
 * FAT_E_IO, FAT_E_CORRUPT, FAT_E_NOMEM
 */
FAT_MUST_CHECK fat_err fat_aliases_resolve(
        struct fat_tree *tree, const uint32_t *clusters, size_t count);

#endif
