/* SPDX-License-Identifier: MIT */
/* Sets of slots: choosing a short name, encoding, writing and removing them. */
#include <assert.h>
#include <string.h>

#include "base/casefold.h"
#include "tree/dir.h"

static bool is_buried(
        struct fat_node *directory, uint32_t hash, const struct fat_tomb *taken_over)
{
    struct fat_tomb tomb;

    return fat_dirindex_is_buried(directory->index, hash, &tomb) &&
           !(taken_over && tomb.slots.first == taken_over->slots.first);
}

/* FAT_E_EXIST: somebody has that short name, or had it until the next commit (W9). */
static fat_err short_is_free(struct fat_node *directory, const uint8_t *name,
        const struct fat_tomb *taken_over)
{
    struct fat_dir_item item;
    struct fat_name wanted = {.trimmed = false};
    uint16_t units[FAT_SHORT_UNITS_MAX];
    fat_err err;

    wanted.length = fat_short_units(name, 0, units);
    memcpy(wanted.units, units, wanted.length * sizeof(units[0]));
    wanted.hash = fat_casefold_hash(wanted.units, wanted.length);
    if (is_buried(directory, wanted.hash, taken_over)) {
        return FAT_E_EXIST;
    }
    err = fat_dir_find(directory, &wanted, &item);
    if (err == FAT_OK) {
        return FAT_E_EXIST;
    }
    return err == FAT_E_NOENT ? FAT_OK : err;
}

static uint32_t short_hash(const uint8_t *name)
{
    uint16_t units[FAT_SHORT_UNITS_MAX];
    const size_t length = fat_short_units(name, 0, units);

    return fat_casefold_hash(units, length);
}

/* Beyond these nobody gets by being the first that is free. */
enum { TAILS_OF_OTHERS = 64 };

/*
 * The tail that the deleted entry had, if it is one of ours: the name that is given up
 * with it would else be anybody's before the entry is rewritten on disk (W9).
 */
static bool keep_tail(const struct fat_short_basis *basis,
        const struct fat_tomb *taken_over, uint8_t *ret_name)
{
    for (uint32_t n = 0; n < TAILS_OF_OTHERS; n++) {
        fat_short_with_tail(basis, n, ret_name);
        if (short_hash(ret_name) == taken_over->hashes.alias) {
            return true;
        }
    }
    return false;
}

/* The first numeric tail that is free. */
static fat_err choose_tail(struct fat_node *directory,
        const struct fat_short_basis *basis, const struct fat_tomb *taken_over,
        uint8_t *ret_name)
{
    for (uint32_t n = 0; n < FAT_SHORT_TAILS; n++) {
        fat_err err;

        fat_short_with_tail(basis, n, ret_name);
        err = short_is_free(directory, ret_name, taken_over);
        if (err != FAT_E_EXIST) {
            return err;
        }
    }
    return FAT_E_NOSPC;
}

static fat_err choose_short(struct fat_node *directory,
        const struct fat_short_basis *basis, const struct fat_tomb *taken_over,
        uint8_t *ret_name)
{
    fat_err err = FAT_E_EXIST;

    if (taken_over && keep_tail(basis, taken_over, ret_name) &&
            short_is_free(directory, ret_name, taken_over) == FAT_OK) {
        return FAT_OK;
    }
    if (basis->fit == FAT_SHORT_CASE) {
        memcpy(ret_name, basis->name, FAT_SHORT_BYTES);
        err = short_is_free(directory, ret_name, taken_over);
    }
    return err == FAT_E_EXIST ? choose_tail(directory, basis, taken_over, ret_name)
                              : err;
}

static void encode_slots(const struct fat_name *name, const struct fat_dirent *entry,
        struct fat_dir_set *set)
{
    const unsigned longs = set->count - 1;
    const uint8_t checksum = fat_lfn_checksum(entry->name);

    for (unsigned i = 0; i < longs; i++) {
        fat_lfn_encode(name->units, name->length, longs - i, checksum, set->slots[i]);
    }
}

static uint32_t alias_hash(const struct fat_dirent *entry)
{
    uint16_t units[FAT_SHORT_UNITS_MAX];
    const size_t length = fat_dir_alias(entry->name, entry->nt_flags, units);

    return fat_casefold_hash(units, length);
}

void fat_dir_encode_as(const struct fat_tree *tree, const struct fat_name *name,
        const struct fat_dirent *entry, bool long_slots, struct fat_dir_set *ret)
{
    ret->count = (long_slots ? fat_lfn_slots(name->length) : 0) + 1;
    encode_slots(name, entry, ret);
    memset(ret->slots[ret->count - 1], 0, FAT_SLOT_BYTES);
    fat_dirent_encode(tree->geometry.type, entry, ret->slots[ret->count - 1]);
    ret->hashes.shown = name->hash;
    ret->hashes.alias = alias_hash(entry);
}

fat_err fat_dir_encode(struct fat_node *directory, const struct fat_name *name,
        const struct fat_tomb *taken_over, struct fat_dirent *entry,
        struct fat_dir_set *ret)
{
    const struct fat_short_basis basis = fat_short_basis(name->units, name->length);
    bool fits = basis.fit == FAT_SHORT_FITS;
    fat_err err = FAT_OK;

    if (fits) {
        /* Taken by the very file that is renamed, if by anybody: two sets must differ. */
        memcpy(entry->name, basis.name, FAT_SHORT_BYTES);
        err = short_is_free(directory, entry->name, taken_over);
        fits = err != FAT_E_EXIST;
    }
    if (!fits) {
        err = choose_short(directory, &basis, taken_over, entry->name);
    }
    fat_dirent_set_case(entry, fits ? basis.nt_flags : 0);
    if (err == FAT_OK) {
        fat_dir_encode_as(directory->tree, name, entry, !fits, ret);
    }
    return err;
}

/* First slot that the end mark passes, or the set's own first. */
static uint32_t first_touched(const struct fat_place *place)
{
    const uint32_t first = place->slot + 1U - place->slots;
    const uint32_t end = fat_dirindex_end(place->parent->index);

    return end < first ? end : first;
}

fat_err fat_dir_prepare(
        struct fat_edits *edits, const struct fat_place *place, unsigned stages)
{
    uint64_t last = UINT64_MAX;
    fat_err err = FAT_OK;

    for (uint32_t s = first_touched(place); s <= place->slot && err == FAT_OK; s++) {
        uint64_t sector;
        uint32_t offset;

        err = fat_dir_locate(place->parent, s, &sector, &offset);
        if (err == FAT_OK && sector != last) {
            err = fat_edits_prepare(edits, sector, stages);
            last = sector;
        }
    }
    return err;
}

/* Edit a slot whose place is known and whose sector is prepared. */
static void set_slot(struct fat_edits *edits, const struct fat_place *place,
        uint32_t slot, enum fat_stage stage, const uint8_t *bytes, size_t length)
{
    uint64_t sector;
    uint32_t offset;
    const fat_err err = fat_dir_locate(place->parent, slot, &sector, &offset);

    assert(err == FAT_OK);
    if (err == FAT_OK) {
        fat_edits_set(edits, sector, stage, offset, bytes, length);
    }
}

static bool shares_sector(const struct fat_place *place, uint32_t slot)
{
    /* Slots of a set are neighbours: the distance in bytes tells. */
    return (place->slot - slot) * FAT_SLOT_BYTES <= place->offset;
}

static const uint8_t free_byte = FAT_SLOT_FREE_BYTE;

/* W10: the end mark moves in FILL; what it passes is free until it is published. */
static void move_end(struct fat_edits *edits, const struct fat_place *place)
{
    struct fat_dirindex *index = place->parent->index;
    const uint32_t end = fat_dirindex_end(index);

    for (uint32_t s = end; s <= place->slot; s++) {
        set_slot(edits, place, s, FAT_STAGE_FILL, &free_byte, 1);
    }
    if (end <= place->slot) {
        fat_dirindex_set_end(index, place->slot + 1U);
    }
}

void fat_dir_put(struct fat_edits *edits, const struct fat_place *place,
        const struct fat_dir_set *set, bool is_directory)
{
    const uint32_t first = place->slot + 1U - place->slots;
    struct fat_dirindex *index = place->parent->index;

    move_end(edits, place);
    for (uint32_t i = 0; i < set->count; i++) {
        const enum fat_stage stage =
                shares_sector(place, first + i) ? FAT_STAGE_PUBLISH : FAT_STAGE_FILL;

        set_slot(edits, place, first + i, stage, set->slots[i], FAT_SLOT_BYTES);
    }
    fat_dirindex_take(index, (struct fat_slots){.first = first, .count = set->count});
    fat_dirindex_add(index, set->hashes, place->slot, is_directory);
}

void fat_dir_remove(
        struct fat_edits *edits, const struct fat_dir_removal *removal, uint64_t number)
{
    const struct fat_place *place = &removal->place;
    struct fat_dirindex *index = place->parent->index;
    const uint32_t first = place->slot + 1U - place->slots;
    const bool withdrawn = place->born == number;
    const struct fat_tomb tomb = {.hashes = removal->hashes,
            .slots = {.first = first, .count = place->slots},
            .kind = removal->kind,
            .interval = number};

    for (uint32_t s = first; s <= place->slot; s++) {
        const enum fat_stage stage = withdrawn                 ? FAT_STAGE_FILL
                                     : shares_sector(place, s) ? FAT_STAGE_RETIRE
                                                               : FAT_STAGE_RECLAIM;

        set_slot(edits, place, s, stage, &free_byte, 1);
    }
    fat_dirindex_remove(index, removal->hashes, place->slot, removal->is_directory);
    if (withdrawn) {
        fat_dirindex_give(index, tomb.slots);
    } else {
        fat_dirindex_bury(index, &tomb);
        fat_node_set_busy(place->parent, number);
    }
}
