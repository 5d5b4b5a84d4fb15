/* SPDX-License-Identifier: MIT */
/*
 * The file allocation table: links of clusters, read and edited through the cache.
 * Stateless; who may edit which entry is the caller's matter (a chain belongs to its
 * node, a free cluster to who claimed it in the free map).
 */
#ifndef FAT_ALLOC_FATTAB_H
#define FAT_ALLOC_FATTAB_H

#include <stdbool.h>
#include <stdint.h>

#include <fatward/error.h>

#include "block/cache.h"
#include "block/stage.h"
#include "ondisk/fatent.h"
#include "ondisk/geometry.h"

struct fat_fattab {
    const struct fat_geometry *geometry;
    struct fat_cache *cache;
    uint64_t start; /* first sector of the active copy */
};

void fat_fattab_init(struct fat_fattab *tab, const struct fat_geometry *geometry,
        struct fat_cache *cache);

/* The sector that holds the (first byte of the) entry of @cluster. */
uint64_t fat_fattab_sector(const struct fat_fattab *tab, uint32_t cluster);

/*
 * How many sectors to read ahead of @sector, at most @want: never past the table.
 * What lies behind it is no metadata for sure, and a block of somebody's data must not
 * be in the cache when its cluster becomes a directory's.
 */
uint32_t fat_fattab_ahead(const struct fat_fattab *tab, uint64_t sector, uint32_t want);

/* FAT12: the entry lies in two sectors. */
bool fat_fattab_straddles(const struct fat_fattab *tab, uint32_t cluster);

/*
 * Must @cluster never be claimed? So where its entry lies in two sectors and there is one
 * FAT: torn, it is a third cluster number, and nowhere is it still whole.
 */
bool fat_fattab_bars(const struct fat_fattab *tab, uint32_t cluster);

/*
 * A copy of the FAT sector that was read last, for walks. The entries of a chain
 * only change under its node's lock, so a copy is as good as the cache while that
 * is held. Begin with {0}.
 */
struct fat_fat_cursor {
    uint64_t sector;
    bool valid;
    uint8_t bytes[4096];
};

/*
 * The link of @cluster, which the volume holds. A NEXT that the volume does not hold
 * is returned as it is.
 *
 * FAT_E_IO and the device's other errors, FAT_E_NOMEM
 */
FAT_MUST_CHECK fat_err fat_fattab_get(const struct fat_fattab *tab,
        struct fat_fat_cursor *cursor, uint32_t cluster, struct fat_link *ret);

/* The same without a cursor, for an entry here and there, as it is at this moment. */
FAT_MUST_CHECK fat_err fat_fattab_peek(
        const struct fat_fattab *tab, uint32_t cluster, struct fat_link *ret);

/* Prepare the one or two sectors of @cluster for edits in @stages stages. */
FAT_MUST_CHECK fat_err fat_fattab_prepare(const struct fat_fattab *tab,
        struct fat_edits *edits, uint32_t cluster, unsigned stages);

/* The same for @count neighbouring clusters. */
FAT_MUST_CHECK fat_err fat_fattab_prepare_run(const struct fat_fattab *tab,
        struct fat_edits *edits, uint32_t cluster, uint32_t count, unsigned stages);

/* Edit a prepared entry. */
void fat_fattab_set(const struct fat_fattab *tab, struct fat_edits *edits,
        enum fat_stage stage, uint32_t cluster, struct fat_link link);

/* The one or two blocks of an entry, kept in the cache. */
struct fat_fattab_pins {
    struct fat_block *blocks[2]; /* NULL: none */
};

/* Nothing that is done with the entry of @cluster before unpinning has to read. */
FAT_MUST_CHECK fat_err fat_fattab_pin(
        const struct fat_fattab *tab, uint32_t cluster, struct fat_fattab_pins *ret);
void fat_fattab_unpin(const struct fat_fattab *tab, struct fat_fattab_pins *pins);

/*
 * During RECLAIM: free @cluster in every image; reads its sectors if need be. Where that
 * fails nothing was changed. FAT_E_CHANGED: as fat_cache_reclaim() has it.
 */
FAT_MUST_CHECK fat_err fat_fattab_reclaim(
        const struct fat_fattab *tab, uint32_t cluster);

#endif
