/* SPDX-License-Identifier: MIT */
/*
 * All the run maps of a volume: bounded in memory, those that were not used lately go
 * first. Any of them may go, whoever has the file open and whatever waits for a commit:
 * a map says nothing that the FAT's newest images don't (alloc/runmap.h). So what is in
 * memory is the budget, and one map more for each operation that is under way.
 */
#ifndef FAT_TREE_MAPS_H
#define FAT_TREE_MAPS_H

#include "tree/node.h"
#include "tree/tree.h"

/* Before the first node is made. */
void fat_maps_set_budget(struct fat_tree *tree, size_t bytes);

/*
 * Forget maps if there are too many, of files that nobody is just at work on. Takes the
 * locks of these, one after the other, so it is called with none held.
 */
void fat_maps_trim(struct fat_tree *tree);

#endif
