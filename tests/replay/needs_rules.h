/* SPDX-License-Identifier: MIT */
/* Between the files of "needs.h": each rule, and what they share. */
#ifndef REPLAY_NEEDS_RULES_H
#define REPLAY_NEEDS_RULES_H

#include <stdio.h>

#include "needs.h"

bool needs_find_chain(struct needs *needs);
bool needs_find_link(struct needs *needs);
bool needs_find_long_name(struct needs *needs);
bool needs_find_free(struct needs *needs);
bool needs_find_twice(struct needs *needs);
bool needs_find_last(struct needs *needs);
bool needs_find_promise(struct needs *needs);

/* May the first @length bytes of cell @index of that file be these? */
bool needs_cell_is_good(const struct needs *needs, uint32_t born, uint32_t index,
        const uint8_t *bytes, size_t length);

static inline bool was_first(const struct needs *needs, uint64_t sector)
{
    return sector < needs->sectors && needs->first_wrote[sector];
}

/* The same for one that may be missing while the whole second epoch is there. */
static inline bool may_lack(const struct needs *needs, uint64_t sector)
{
    return was_first(needs, sector) &&
           (needs->lie == NEEDS_LEFT_OUT || !needs->then_wrote[sector]);
}

static inline uint64_t sector_of(uint64_t at)
{
    return at / VIEW_SECTOR;
}

/* Is @sector one that the first epoch changed, and another than @then? */
static inline bool is_apart(const struct needs *needs, uint64_t sector, uint64_t then)
{
    return sector != then && was_first(needs, sector);
}

/* Does one of the sectors that a cluster's FAT entry lies in count? */
static inline bool entry_is_apart(
        const struct needs *needs, uint32_t cluster, uint64_t then)
{
    uint64_t sectors[VIEW_FAT_SECTORS];
    const size_t count = view_fat_sectors(&needs->before, cluster, sectors);

    return is_apart(needs, sectors[0], then) ||
           (count > 1 && is_apart(needs, sectors[1], then));
}

static inline uint32_t next_in(const struct view *view, uint32_t cluster)
{
    return reader_next(&view->reader, cluster);
}

static inline bool found(struct needs *needs, const char *rule, const struct view *view,
        size_t entry, uint64_t number)
{
    snprintf(needs->found, sizeof(needs->found), "%s: \"%.60s\", %llu", rule,
            entry == READER_NONE ? "-" : view->reader.entries[entry].name,
            (unsigned long long)number);
    return true;
}

static inline const struct reader_entry *entry_of(const struct view *view, size_t index)
{
    return &view->reader.entries[index];
}

#endif
