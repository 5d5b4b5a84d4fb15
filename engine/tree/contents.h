/* SPDX-License-Identifier: MIT */
/*
 * The contents of files: reading, writing, growing, cutting. Data go straight between
 * the caller's buffer and the device; the order of the metadata is docs/crash-order.md's.
 *
 * Each call takes the node's lock. FAT_E_AGAIN means that a commit has to come first
 * and the call be made again; what it did until then is no harm and is not repeated.
 */
#ifndef FAT_TREE_CONTENTS_H
#define FAT_TREE_CONTENTS_H

#include <stddef.h>
#include <stdint.h>

#include <fatward/error.h>

#include "tree/node.h"

/* As fat_file_read(). */
FAT_MUST_CHECK fat_err fat_contents_read(struct fat_node *node, uint64_t offset,
        void *buffer, size_t length, size_t *ret_length);

/* An offset that means the end of the file. */
#define FAT_CONTENTS_APPEND UINT64_MAX

/* As fat_file_write(), FAT_CONTENTS_APPEND included. */
FAT_MUST_CHECK fat_err fat_contents_write(struct fat_node *node, uint64_t offset,
        const void *buffer, size_t length, size_t *ret_length);

/* As fat_file_truncate(), but only ever longer: a file that is long enough stays. */
FAT_MUST_CHECK fat_err fat_contents_extend(struct fat_node *node, uint32_t size);

/* As fat_file_truncate(). */
FAT_MUST_CHECK fat_err fat_contents_truncate(struct fat_node *node, uint32_t size);

/*
 * A growth that asked for a commit (FAT_E_AGAIN) will not be tried again: the clusters
 * it had linked are given up.
 */
void fat_contents_give_up(struct fat_node *node);

/* Set clusters aside for a size of @end bytes; as fat_file_allocate() with KEEP_SIZE. */
FAT_MUST_CHECK fat_err fat_contents_set_aside(struct fat_node *node, uint32_t end);

#endif
