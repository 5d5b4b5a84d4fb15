/* SPDX-License-Identifier: MIT */
/*
 * A directory in memory: hash of a name -> slot, which slots are taken, and which
 * names and slots still wait for a commit (W2, W9). Knows nothing of disks; whoever
 * looks a name up compares the entry itself.
 *
 * Locks: the directory's index lock, or the namespace exclusively.
 */
#ifndef FAT_TREE_DIRINDEX_H
#define FAT_TREE_DIRINDEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <fatward/error.h>

#include "base/scope.h"

struct fat_dirindex;

FAT_MUST_CHECK fat_err fat_dirindex_new(struct fat_dirindex **ret);
void fat_dirindex_free(struct fat_dirindex *index);
FAT_DEFINE_CLEANUP(struct fat_dirindex, fat_dirindex_free);

/* Memory it takes. */
size_t fat_dirindex_bytes(const struct fat_dirindex *index);

/* The hashes of an entry's names; equal where it has only one. */
struct fat_name_hashes {
    uint32_t shown, alias;
};

/* A run of slots. */
struct fat_slots {
    uint32_t first;
    uint32_t count;
};

/* Room for @names more names and for @slots slots in all. FAT_E_NOMEM */
FAT_MUST_CHECK fat_err fat_dirindex_reserve(
        struct fat_dirindex *index, size_t names, uint32_t slots);

/*
 * Whether there are more entries of one of these hashes than any directory has that is
 * not made to be slow: names that are all one, or chosen to collide.
 */
bool fat_dirindex_is_crowded(
        const struct fat_dirindex *index, struct fat_name_hashes hashes);

/* An entry with its short slot; room has been reserved. */
void fat_dirindex_add(struct fat_dirindex *index, struct fat_name_hashes hashes,
        uint16_t slot, bool is_directory);
void fat_dirindex_remove(struct fat_dirindex *index, struct fat_name_hashes hashes,
        uint16_t slot, bool is_directory);

/*
 * The next slot whose name may be @hash. Begin with *@cursor = 0.
 * False: no more.
 */
bool fat_dirindex_find(const struct fat_dirindex *index, uint32_t hash, size_t *cursor,
        uint16_t *ret_slot);

uint32_t fat_dirindex_entries(const struct fat_dirindex *index);
uint32_t fat_dirindex_directories(const struct fat_dirindex *index);

/* Mark slots as taken, or as free to be taken. */
void fat_dirindex_take(struct fat_dirindex *index, struct fat_slots slots);
void fat_dirindex_give(struct fat_dirindex *index, struct fat_slots slots);

/* The end-of-directory mark: the first slot that was never used. */
uint32_t fat_dirindex_end(const struct fat_dirindex *index);
void fat_dirindex_set_end(struct fat_dirindex *index, uint32_t end);

/* Something else than zeros was found behind the end mark, up to @slots (W10). */
void fat_dirindex_set_junk(struct fat_dirindex *index, bool junk);
bool fat_dirindex_has_junk(const struct fat_dirindex *index);

/*
 * Free slots for a set of @count, inside one sector if it fits in one (W5).
 *
 * @per_sector   slots of a sector; 1: any place will do, sector borders or not
 * @capacity     slots the directory has on disk
 * False: no room without growing.
 */
bool fat_dirindex_find_room(struct fat_dirindex *index, uint32_t count,
        uint32_t per_sector, uint32_t capacity, uint32_t *ret_first);

enum fat_removal { FAT_REMOVAL_DELETED, FAT_REMOVAL_MOVED };

/* A removed name whose removal is not on disk yet. */
struct fat_tomb {
    struct fat_name_hashes hashes;
    struct fat_slots slots;
    enum fat_removal kind;
    uint64_t interval; /* whose commit makes it final */
};

/* Room for one more tomb. FAT_E_NOMEM */
FAT_MUST_CHECK fat_err fat_dirindex_reserve_tomb(struct fat_dirindex *index);

/* Bury a removed name: it and its slots stay taken. Room has been reserved. */
void fat_dirindex_bury(struct fat_dirindex *index, const struct fat_tomb *tomb);

/* Names and slots whose commit is finished become free. */
void fat_dirindex_settle(struct fat_dirindex *index, uint64_t finished);

/* Is @hash the name of a tomb? Settle first. */
bool fat_dirindex_is_buried(
        const struct fat_dirindex *index, uint32_t hash, struct fat_tomb *ret);

/* The slots of @tomb are taken over by a new entry: forget it. */
void fat_dirindex_exhume(struct fat_dirindex *index, const struct fat_tomb *tomb);

#endif
