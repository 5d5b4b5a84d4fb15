/* SPDX-License-Identifier: MIT */
/*
 * Breaking an image by hand. Ask where things are while the volume is open, cut while
 * it is closed.
 */
#ifndef TEST_SUPPORT_SURGERY_H
#define TEST_SUPPORT_SURGERY_H

#include "support/image.h"

/* Values of FAT entries, as on FAT32; the lower bits serve on the others. */
#define SURGERY_END UINT32_C(0x0fffffff)
#define SURGERY_BAD UINT32_C(0x0ffffff7)

enum { SURGERY_ALL = -1 };

/* Where the short entry of @node is, and its first cluster. */
uint64_t surgery_entry(struct fat_node *node);
uint32_t surgery_first(struct fat_node *node);
uint64_t surgery_entry_of(struct fat_node *directory, const char *name);
uint32_t surgery_first_of(struct fat_node *directory, const char *name);
/* Byte offset of a cluster. */
uint64_t surgery_cluster(struct image *img, uint32_t cluster);

/* A FAT entry, in copy @copy or in all of them. */
void surgery_link(struct image *img, int copy, uint32_t cluster, uint32_t value);
uint32_t surgery_get_link(struct image *img, int copy, uint32_t cluster);

void surgery_write(
        struct image *img, uint64_t offset, const void *bytes, size_t length);
void surgery_read(struct image *img, uint64_t offset, void *bytes, size_t length);
/* First cluster and size in the short entry at @entry. */
void surgery_point(struct image *img, uint64_t entry, uint32_t first, uint32_t size);

/* As if it had not been unmounted. */
void surgery_make_dirty(struct image *img);
bool surgery_is_dirty(struct image *img);

#endif
