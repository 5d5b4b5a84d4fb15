/* SPDX-License-Identifier: MIT */
/*
 * Letting go of nodes. The last reference to a removed file gives up its clusters:
 * withdrawn if nothing on disk can name them (W6), else freed by RECLAIM. That is an
 * operation of its own, with no lock held; it can't fail: where nothing may be
 * written any more the chain stays behind as a lost one. fat_node_unref() is here.
 */
#ifndef FAT_TREE_RELEASE_H
#define FAT_TREE_RELEASE_H

#include "tree/tree.h"

/* Let go of the directories whose commit is finished; no lock held. */
void fat_tree_release_busy(struct fat_tree *tree);

/* Let go of the nodes that fat_tree_merge_renames() is done with; no lock held. */
void fat_tree_release_renamed(struct fat_tree *tree);

#endif
