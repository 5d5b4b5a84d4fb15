/* SPDX-License-Identifier: MIT */
/*
 * A file's chain made longer or shorter. The size on disk decides what of it counts;
 * so clusters are linked before the size grows, and the size shrinks before they go.
 *
 * Caller holds the node exclusively.
 */
#ifndef FAT_TREE_CHAIN_H
#define FAT_TREE_CHAIN_H

#include <stdint.h>

#include <fatward/error.h>

#include "block/stage.h"
#include "tree/node.h"

/*
 * Link clusters until the chain has @clusters. The entry is not published.
 *
 * FAT_E_NOSPC   room ran out on the way; what was linked stays
 * FAT_E_AGAIN   W2, W3 or W11 want a commit first; likewise
 */
FAT_MUST_CHECK fat_err fat_chain_grow(struct fat_node *node, uint32_t clusters);

/*
 * Give up all but the first @clusters and publish the entry with @size, in one
 * operation; the caller has made @size fit.
 */
FAT_MUST_CHECK fat_err fat_chain_cut(
        struct fat_node *node, uint32_t clusters, uint32_t size);

/*
 * The same for a caller who wants that size, the old one or less: the file was changed
 * now even if it had that size before.
 */
FAT_MUST_CHECK fat_err fat_chain_truncate(struct fat_node *node, uint32_t size);

#endif
