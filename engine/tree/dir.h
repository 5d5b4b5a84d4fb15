/* SPDX-License-Identifier: MIT */
/*
 * A directory's contents: slots on disk, entries read from them, the index over
 * them, and its growth. Caller holds the namespace, for changes exclusively.
 */
#ifndef FAT_TREE_DIR_H
#define FAT_TREE_DIR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <fatward/error.h>

#include "block/stage.h"
#include "ondisk/dirent.h"
#include "ondisk/lfn.h"
#include "ondisk/shortname.h"
#include "tree/dirindex.h"
#include "tree/node.h"

/*
 * Where slot @slot is on disk.
 *
 * FAT_END   behind the directory's last cluster, or the fixed root's end
 * FAT_E_IO, FAT_E_CORRUPT, FAT_E_NOMEM
 */
FAT_MUST_CHECK fat_err fat_dir_locate(struct fat_node *directory, uint32_t slot,
        uint64_t *ret_sector, uint32_t *ret_offset);

/* Copy slot @slot to @raw, FAT_SLOT_BYTES. Errors as fat_dir_locate(). */
FAT_MUST_CHECK fat_err fat_dir_read_slot(
        struct fat_node *directory, uint32_t slot, uint8_t *raw);

/* One entry as it was read. */
struct fat_dir_item {
    struct fat_place place;      /* .parent is the directory, unreferenced         */
    uint32_t first;              /* the first slot of its set                      */
    uint8_t raw[FAT_SLOT_BYTES]; /* the short entry                                */
    uint16_t name[FAT_NAME_UNITS_MAX + 5]; /* as shown                               */
    size_t length; /* of @name                               [units] */
    uint16_t alias[FAT_SHORT_UNITS_MAX]; /* the short name, as shown               */
    size_t alias_length;
    struct fat_name_hashes hashes;
};

/*
 * The short name as it is shown: "_" for what no adapter could show. Returns its
 * length.
 *
 * @units   room for FAT_SHORT_UNITS_MAX
 */
size_t fat_dir_alias(const uint8_t *name, uint8_t nt_flags, uint16_t *units);

/* A walk over a directory from slot to slot. Begin with .slot set, the rest zero. */
struct fat_dir_walk {
    uint32_t slot; /* the next to be read                                            */
    struct fat_lfn lfn;
    bool at_end; /* the end mark was met, at .slot                                   */
};

/*
 * Begin a walk in the middle of a directory, behind an entry that was met before. Since
 * then its slots may have gone to a longer set, which goes on behind it: such a set is met
 * whole, else its file would show by its short name. FAT_END, and others as fat_dir_locate()
 */
FAT_MUST_CHECK fat_err fat_dir_walk_from(
        struct fat_node *directory, uint32_t slot, struct fat_dir_walk *ret);

/*
 * The next file or directory; "." and "..", labels and broken long names are passed.
 *
 * FAT_END   the end mark, the end of the chain, or the 65,536th slot
 */
FAT_MUST_CHECK fat_err fat_dir_walk_next(struct fat_node *directory,
        struct fat_dir_walk *walk, struct fat_dir_item *ret);

/* The entry whose short slot is @slot, with its long name. FAT_E_NOENT: none there. */
FAT_MUST_CHECK fat_err fat_dir_item_at(
        struct fat_node *directory, uint16_t slot, struct fat_dir_item *ret);

/* A name asked for. */
struct fat_name {
    uint16_t units[FAT_NAME_UNITS_MAX];
    size_t length;
    uint32_t hash;
    bool trimmed; /* trailing dots were dropped: not the spelling that is stored     */
};

FAT_MUST_CHECK fat_err fat_name_from(const char *text, struct fat_name *ret);

/* Asked for in exactly the spelling that @item shows. */
bool fat_name_is_exact(const struct fat_name *name, const struct fat_dir_item *item);

/* The root of FAT12 and FAT16: it has no chain and can't grow. */
bool fat_dir_is_fixed_root(const struct fat_node *directory);

/*
 * The entry that has @name as its long or its short name.
 *
 * FAT_E_NOENT   none
 */
FAT_MUST_CHECK fat_err fat_dir_find(struct fat_node *directory,
        const struct fat_name *name, struct fat_dir_item *ret);

/* Zeros into a claimed cluster, at once: they are FILL like any file data. */
FAT_MUST_CHECK fat_err fat_dir_zero_cluster(struct fat_tree *tree, uint32_t cluster);

/* Build the index if it is not there. FAT_E_IO, FAT_E_CORRUPT, FAT_E_NOMEM */
FAT_MUST_CHECK fat_err fat_dir_need_index(struct fat_node *directory);

/* A set of slots that is to be written: the name, encoded. */
struct fat_dir_set {
    uint8_t slots[FAT_LFN_SLOTS_MAX + 1][FAT_SLOT_BYTES]; /* the short entry last     */
    uint32_t count;
    struct fat_name_hashes hashes;
};

/*
 * Choose a short name for @name and encode its slots; @entry's name and NT flags are
 * set, the rest of it is the caller's.
 *
 * @taken_over   the tomb whose slots will be used, NULL for none: its names are free,
 *               and its short name is kept if it fits
 *
 * FAT_E_NOSPC   every numeric tail is taken
 */
FAT_MUST_CHECK fat_err fat_dir_encode(struct fat_node *directory,
        const struct fat_name *name, const struct fat_tomb *taken_over,
        struct fat_dirent *entry, struct fat_dir_set *ret);

/* The same with the short name that @entry has; it takes no look at the directory. */
void fat_dir_encode_as(const struct fat_tree *tree, const struct fat_name *name,
        const struct fat_dirent *entry, bool long_slots, struct fat_dir_set *ret);

/*
 * Free slots for @count, growing the directory if need be. The place is complete but
 * for .born.
 *
 * FAT_E_NOSPC   the fixed root, or 65,536 slots, or the volume is full
 * FAT_E_AGAIN   a commit has to come first (room, or junk behind the end mark: W10)
 */
FAT_MUST_CHECK fat_err fat_dir_make_room(
        struct fat_node *directory, uint32_t count, struct fat_place *ret);

/* The place of a set that takes over the slots of @tomb. */
FAT_MUST_CHECK fat_err fat_dir_place_of(
        struct fat_node *directory, struct fat_slots slots, struct fat_place *ret);

/* Prepare the slots of @place, and those the end mark would pass, for edits. */
FAT_MUST_CHECK fat_err fat_dir_prepare(
        struct fat_edits *edits, const struct fat_place *place, unsigned stages);

/*
 * Write a set into @place: the short entry, and what shares its sector, with PUBLISH;
 * the rest with FILL (W5). Slots that the end mark passes become 0xE5 in FILL (W10).
 * The index learns it. Interval held.
 */
void fat_dir_put(struct fat_edits *edits, const struct fat_place *place,
        const struct fat_dir_set *set, bool is_directory);

/* How a name goes. */
struct fat_dir_removal {
    struct fat_place place;
    struct fat_name_hashes hashes;
    enum fat_removal kind;
    bool is_directory;
};

/*
 * Remove a set: withdrawn if it was born in the open interval (W6), else RETIRE and
 * RECLAIM. Room for the tomb has been reserved. Interval held; @number is its number.
 */
void fat_dir_remove(struct fat_edits *edits, const struct fat_dir_removal *removal,
        uint64_t number);

/* FAT_OK: empty. FAT_E_NOTEMPTY, or why not all of it could be read. */
FAT_MUST_CHECK fat_err fat_dir_is_empty(struct fat_node *directory);

#endif
