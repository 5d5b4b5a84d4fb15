/* SPDX-License-Identifier: MIT */
/*
 * Which clusters may be claimed. The FAT is the authority; this map is learnt from
 * it region by region, as room is looked for, and never forgotten.
 *
 * A cluster is free here only if every image of its FAT entry shows it free (W2):
 * what a commit frees goes through fat_freemap_quarantine() and becomes free with
 * fat_freemap_settle(), when that commit's last flush has returned. What must never be
 * claimed (fat_fattab_bars()) is not free here, and no count promises it.
 *
 * Threads: every call may come from any thread (one mutex, level FAT).
 */
#ifndef FAT_ALLOC_FREEMAP_H
#define FAT_ALLOC_FREEMAP_H

#include <stdbool.h>
#include <stdint.h>

#include <fatward/error.h>

#include "alloc/fattab.h"
#include "base/scope.h"

struct fat_freemap;

/* Neighbouring clusters. */
struct fat_extent {
    uint32_t cluster, count;
};

/*
 * Clusters set aside for one file, nowhere but in memory. Zero it to begin with; the
 * map keeps the address, so it must not move while it holds anything.
 */
struct fat_reserve {
    struct fat_reserve *next, *previous; /* all the reserves that hold something     */
    struct fat_extent *extents;
    uint32_t extent_count, extent_capacity;
    uint32_t clusters;
    bool kept; /* the user asked for it: not taken back when room runs out           */
};

/*
 * @free_count   clusters free on disk, FAT_FSINFO_UNKNOWN if not known
 * @hint         where to look first; any value
 *
 * FAT_E_NOMEM
 */
FAT_MUST_CHECK fat_err fat_freemap_new(const struct fat_fattab *tab,
        uint32_t free_count, uint32_t hint, struct fat_freemap **ret);
void fat_freemap_free(struct fat_freemap *map);
FAT_DEFINE_CLEANUP(struct fat_freemap, fat_freemap_free);

/*
 * Claim up to @want neighbouring clusters, from @reserve if it holds any.
 *
 * @hint   the cluster to follow, 0 for none
 * @ret    1 .. @want clusters; nobody else gets them
 *
 * FAT_E_AGAIN   no room, but some will be free after a commit
 * FAT_E_NOSPC   no room
 * FAT_E_IO, FAT_E_NOMEM   learning the map failed
 */
FAT_MUST_CHECK fat_err fat_freemap_claim(struct fat_freemap *map,
        struct fat_reserve *reserve, uint32_t hint, uint32_t want,
        struct fat_extent *ret);

/*
 * Give back clusters that no image of any FAT entry shows taken: claimed but not
 * used, or withdrawn (W6). Never fails: their region has been learnt.
 */
void fat_freemap_release(struct fat_freemap *map, struct fat_extent extent);

/*
 * Set @clusters more aside in @reserve, near @hint, as far as room goes.
 *
 * @least   fewer than that and nothing is set aside: FAT_E_NOSPC, FAT_E_AGAIN
 */
FAT_MUST_CHECK fat_err fat_freemap_reserve(struct fat_freemap *map,
        struct fat_reserve *reserve, uint32_t hint, uint32_t clusters, uint32_t least);

/*
 * Whether what @reserve holds, and will hold, was asked for by the user. Becoming kept
 * gives back what was set aside on speculation; one that holds nothing is not kept.
 */
void fat_freemap_keep(struct fat_freemap *map, struct fat_reserve *reserve, bool kept);

/* Clusters that @reserve holds, @ret_kept whether they are kept. */
uint32_t fat_freemap_reserved(
        struct fat_freemap *map, const struct fat_reserve *reserve, bool *ret_kept);

/* Give back what @reserve holds on speculation; the next search begins there. */
void fat_freemap_unreserve_speculative(
        struct fat_freemap *map, struct fat_reserve *reserve);

/* Give back what @reserve holds. */
void fat_freemap_unreserve(struct fat_freemap *map, struct fat_reserve *reserve);

/*
 * RECLAIM has freed @cluster in the FAT; it can't be claimed before the flush.
 * Learns its region first if need be: call it before the entry is zeroed.
 */
FAT_MUST_CHECK fat_err fat_freemap_quarantine(
        struct fat_freemap *map, uint32_t cluster);

/* The flush has returned: what was in quarantine is free. */
void fat_freemap_settle(struct fat_freemap *map);

/*
 * @clusters have been given up and will be free after a commit: fat_freemap_count()
 * says so at once, as everybody expects who has removed a file. The promise ends when
 * the commit has counted them itself.
 */
void fat_freemap_promise(struct fat_freemap *map, uint32_t clusters);
void fat_freemap_break_promise(struct fat_freemap *map, uint32_t clusters);

/* Chains wait for a commit that will free them, or have stopped waiting. */
void fat_freemap_set_waiting(struct fat_freemap *map, bool waiting);

/*
 * Clusters that can be claimed, those in quarantine included. Counts them all, once,
 * if the number is not known.
 */
FAT_MUST_CHECK fat_err fat_freemap_count(struct fat_freemap *map, uint32_t *ret);

/* Somebody has counted: @count clusters are free on disk. */
void fat_freemap_set_count(struct fat_freemap *map, uint32_t count);

/* The number for FSInfo, or FAT_FSINFO_UNKNOWN if nobody has counted. */
uint32_t fat_freemap_known_count(struct fat_freemap *map);

/* Where the next search begins. */
uint32_t fat_freemap_hint(struct fat_freemap *map);

#endif
