/* SPDX-License-Identifier: MIT */
/*
 * All the directory indexes of a volume: bounded in memory, least recently used ones
 * go first. An index whose slots or names wait for a commit is never dropped (W2).
 */
#ifndef FAT_TREE_INDEXES_H
#define FAT_TREE_INDEXES_H

#include "tree/node.h"
#include "tree/tree.h"

/* @directory has got its index. Index lock held. */
void fat_indexes_add(struct fat_node *directory) FAT_REQUIRES(directory->index_lock);

/* @directory's index is used. */
void fat_indexes_touch(struct fat_node *directory);

/* Drop indexes if there are too many; takes the namespace, called with no lock held. */
void fat_indexes_trim(struct fat_tree *tree);

#endif
