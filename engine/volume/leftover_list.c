/* SPDX-License-Identifier: MIT */
#include "volume/leftover_list.h"

#include <stdlib.h>

enum { FIRST_ROOM = 16 };

fat_err fat_leftover_add(
        struct fat_leftover_list *list, const struct fat_leftover *leftover)
{
    if (fat_leftover_is_too_much(list)) {
        return FAT_OK;
    }
    if (list->count == list->capacity) {
        const size_t more = list->capacity ? list->capacity * 2 : FIRST_ROOM;
        struct fat_leftover *items = realloc(list->items, more * sizeof(*items));

        if (!items) {
            return FAT_E_NOMEM;
        }
        list->items = items;
        list->capacity = more;
    }
    list->items[list->count++] = *leftover;
    return FAT_OK;
}

static int compare(const void *a, const void *b)
{
    const struct fat_leftover *one = a;
    const struct fat_leftover *other = b;

    if (one->cluster != other->cluster) {
        return one->cluster < other->cluster ? -1 : 1;
    }
    return one->first < other->first ? -1 : one->first > other->first;
}

void fat_leftover_sort(struct fat_leftover_list *list)
{
    if (list->count > 1) {
        qsort(list->items, list->count, sizeof(*list->items), compare);
    }
}

size_t fat_leftover_find(const struct fat_leftover_list *list, uint32_t cluster)
{
    size_t low = 0;
    size_t high = list->count;

    while (low < high) {
        const size_t middle = low + (high - low) / 2;

        if (list->items[middle].cluster < cluster) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low < list->count && list->items[low].cluster == cluster ? low : list->count;
}
