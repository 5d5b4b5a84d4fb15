/* SPDX-License-Identifier: MIT */
/* RECLAIM: chains given up are walked and freed block by block (W11). */
#ifndef FAT_VOLUME_RECLAIM_H
#define FAT_VOLUME_RECLAIM_H

#include <fatward/error.h>

#include "alloc/interval.h"
#include "tree/tree.h"

/*
 * Free the chains of @pieces in the FAT; the last of it is written by the RECLAIM
 * stage itself. A chain that runs into something that is no chain is freed up to
 * there, and reported as damage.
 *
 * FAT_E_IO, FAT_E_NOMEM
 */
FAT_MUST_CHECK fat_err fat_reclaim_chains(
        struct fat_tree *tree, const struct fat_piece *pieces);

#endif
