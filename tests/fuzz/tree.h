/* SPDX-License-Identifier: MIT */
/* A volume and a plain tree that ought to look like it. */
#ifndef TEST_FUZZ_TREE_H
#define TEST_FUZZ_TREE_H

#include <fatward/node.h>

#include "support/reference.h"

enum {
    TREE_SIZE_MAX = 200000,  /* of a file that is worth comparing             */
    TREE_MORE_FOLDERS = 200, /* how many may be made after tree_learn()       */
};

/* What lies below @root, to be freed with ref_free_tree(); NULL: too much. */
struct ref_node *tree_learn(struct fat_node *root);

/* Index of the entry with exactly this name, or -1. */
int tree_find(const struct ref_node *folder, const char *name);

/* Each ends the program if there is a difference. */
void tree_compare_file(const struct ref_node *ref, struct fat_node *node);
void tree_compare(struct fat_node *root, struct ref_node *ref);

#endif
