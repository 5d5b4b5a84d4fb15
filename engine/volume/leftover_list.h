/* SPDX-License-Identifier: MIT */
/* What the checker found of the leftovers that lie in directories, by cluster. */
#ifndef FAT_VOLUME_LEFTOVER_LIST_H
#define FAT_VOLUME_LEFTOVER_LIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <fatward/error.h>

/*
 * More of one kind than a power cut leaves, and so somebody else's doing: a commit comes
 * when the images of changed sectors fill half of the cache, 8192 of 8 MiB, and a sector
 * has 16 short names at most.
 */
enum { FAT_LEFTOVERS_MAX = 1 << 18 };

struct fat_leftover {
    uint32_t cluster;      /* the first of a file or directory, 0: it has none */
    uint32_t first, count; /* as the kind has it                               */
};

struct fat_leftover_list {
    struct fat_leftover *items;
    size_t count, capacity;
};

/* One more; of those beyond FAT_LEFTOVERS_MAX only the first is kept. FAT_E_NOMEM */
FAT_MUST_CHECK fat_err fat_leftover_add(
        struct fat_leftover_list *list, const struct fat_leftover *leftover);

/* By cluster, then by first; fat_leftover_find() wants that. */
void fat_leftover_sort(struct fat_leftover_list *list);

/* The place of the first of @cluster, list->count if there is none. */
size_t fat_leftover_find(const struct fat_leftover_list *list, uint32_t cluster);

static inline bool fat_leftover_is_too_much(const struct fat_leftover_list *list)
{
    return list->count > FAT_LEFTOVERS_MAX;
}

#endif
