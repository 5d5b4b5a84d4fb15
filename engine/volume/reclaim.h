/* SPDX-License-Identifier: MIT */
/* RECLAIM: chains given up are walked and freed block by block (W11). */
#ifndef FAT_VOLUME_RECLAIM_H
#define FAT_VOLUME_RECLAIM_H

#include <fatward/error.h>

#include "alloc/interval.h"
#include "tree/tree.h"

/*
 * Free the chains of *@pieces in the FAT, taking over those that are done with; the
 * last of it is written by the RECLAIM stage itself. A chain that runs into something
 * that is no chain is freed up to there, and reported as damage; one that can't be
 * read is left for the next commit.
 *
 * On a volume that continues after damage nothing is freed, and the pieces are dropped.
 *
 * FAT_E_IO and the device's other errors: a write or a flush failed
 * FAT_E_CHANGED   another program has written to the FAT
 */
FAT_MUST_CHECK fat_err fat_reclaim_chains(
        struct fat_tree *tree, struct fat_piece **pieces);

#endif
