/* SPDX-License-Identifier: MIT */
#include "volume/rename.h"

#include <string.h>

#include "base/casefold.h"

/* ".." is slot 1 of a directory's first cluster. */
static fat_err prepare_dotdot(const struct fat_renaming *r, struct fat_edits *edits)
{
    uint64_t sector;
    uint32_t offset;
    fat_err err;

    if (!r->node->is_directory || r->old_directory == r->new_directory) {
        return FAT_OK;
    }
    err = fat_dir_locate(r->node, 1, &sector, &offset);
    if (err == FAT_OK) {
        err = fat_edits_prepare(edits, sector, 1);
    }
    return err == FAT_END ? FAT_E_CORRUPT : err;
}

static void put_dotdot(
        const struct fat_renaming *r, struct fat_edits *edits, uint64_t number)
{
    struct fat_tree *tree = r->node->tree;
    struct fat_dirent dotdot;
    uint8_t raw[FAT_SLOT_BYTES];
    uint64_t sector;
    uint32_t offset;

    if (!r->node->is_directory || r->old_directory == r->new_directory ||
            fat_dir_locate(r->node, 1, &sector, &offset) != FAT_OK) {
        return;
    }
    tree->directory_moved = number;
    fat_edits_get(edits, sector, offset, raw, sizeof(raw));
    if (!fat_short_is_dotdot(raw)) {
        return; /* the checker's matter; ".." is served from memory */
    }
    fat_dirent_decode(tree->geometry.type, raw, &dotdot);
    dotdot.first_cluster = fat_node_dotdot(r->new_directory);
    fat_dirent_encode(tree->geometry.type, &dotdot, raw);
    fat_edits_set(edits, sector, FAT_STAGE_PUBLISH, offset, raw, sizeof(raw));
}

static fat_err prepare_old(const struct fat_renaming *r, struct fat_edits *edits)
{
    fat_err err = fat_dirindex_reserve_tomb(r->old_directory->index);

    if (err == FAT_OK) {
        err = fat_node_prepare(r->old_directory, edits, 1);
    }
    if (err == FAT_OK) {
        err = fat_node_prepare(r->new_directory, edits, 1);
    }
    return err == FAT_OK ? fat_dir_prepare(edits, &r->node->place, 1) : err;
}

static void touch_directories(
        const struct fat_renaming *r, struct fat_edits *edits, uint64_t number)
{
    fat_node_touch(r->old_directory);
    fat_node_touch(r->new_directory);
    fat_node_put_times(r->old_directory, edits, FAT_STAGE_PUBLISH, number);
    fat_node_put_times(r->new_directory, edits, FAT_STAGE_PUBLISH, number);
}

/* RETIRE the old name; where both are in one sector, PUBLISH may take it along. */
static void retire_old(
        const struct fat_renaming *r, struct fat_edits *edits, uint64_t number)
{
    struct fat_node *node = r->node;
    const struct fat_dir_removal removal = {.place = node->place,
            .hashes = r->old.hashes,
            .kind = FAT_REMOVAL_MOVED,
            .is_directory = node->is_directory};

    fat_dir_remove(edits, &removal, number);
    if (node->place.born != number) {
        node->fresh = 0; /* an older slot names its chain (W6) */
    }
}

/*
 * A cut between PUBLISH and RETIRE leaves two entries that name one chain, and recovery
 * must keep the new one: it may have taken the place of another file. The entry says
 * which it is by its creation time, 10 ms later (modulo its range) than the old one's.
 */
static void tell_apart(struct fat_node *node, uint64_t number)
{
    fat_mutex_lock(&node->index_lock);
    node->entry.created.hundredths =
            (uint8_t)((node->entry.created.hundredths + 1U) % FAT_HUNDREDTHS);
    fat_mutex_unlock(&node->index_lock);
    node->moves = node->moved == number ? node->moves + 1 : 1;
    node->moved = number;
}

/*
 * Has it to be on disk as it is, before it is renamed to @sector? One rename too many,
 * and its newest name would count as older than the one that is there; with another
 * first cluster than there, recovery would take its two names for two files.
 */
static bool must_wait(const struct fat_node *node, uint64_t sector, uint64_t number)
{
    return (node->moved == number && node->moves >= FAT_HUNDREDTHS / 2 - 1) ||
           (node->recast == number && node->fresh != number &&
                   node->place.sector != sector);
}

static void arrive(
        struct fat_renaming *r, const struct fat_place *place, uint64_t number)
{
    const struct fat_place from = r->node->place;

    if (place->born != number) {
        r->node->fresh = 0;
    }
    fat_node_settle(r->node, place);
    fat_node_set_busy(r->node, number);
    if (from.sector != place->sector ||
            (from.born != number && !fat_node_set_renamed(r->node, &from))) {
        tell_apart(r->node, number);
    }
}

static bool another_move_waits(const struct fat_renaming *r)
{
    const struct fat_tree *tree = r->node->tree;

    return r->node->is_directory && r->old_directory != r->new_directory &&
           !fat_interval_is_finished(&tree->interval, tree->directory_moved);
}

static void move(struct fat_renaming *r, const struct fat_dirent *entry,
        struct fat_names_target *target, struct fat_edits *edits, uint64_t number)
{
    struct fat_node *node = r->node;

    memcpy(node->entry.name, entry->name, FAT_SHORT_BYTES);
    fat_dirent_set_case(&node->entry, entry->nt_flags);
    retire_old(r, edits, number);
    fat_names_put(edits, target, node->is_directory, number);
    arrive(r, &target->place, number);
    fat_node_publish(node, edits);
    put_dotdot(r, edits, number);
    touch_directories(r, edits, number);
}

static fat_err apply_move(struct fat_renaming *r, const struct fat_dirent *entry,
        struct fat_names_target *target, struct fat_edits *edits)
{
    struct fat_node *node = r->node;
    struct fat_interval *interval = &node->tree->interval;
    uint64_t number;
    fat_err err = FAT_OK;

    fat_rwlock_write(&node->lock);
    number = fat_interval_enter(interval);
    if (must_wait(node, target->place.sector, number)) {
        fat_interval_leave_unchanged(interval);
        err = FAT_E_AGAIN; /* W4 */
    } else {
        move(r, entry, target, edits, number);
        fat_interval_leave(interval);
    }
    fat_rwlock_write_end(&node->lock);
    return err;
}

static struct fat_dirent copy_entry(struct fat_node *node)
{
    struct fat_dirent entry;

    fat_rwlock_read(&node->lock);
    fat_mutex_lock(&node->index_lock);
    entry = node->entry;
    fat_mutex_unlock(&node->index_lock);
    fat_rwlock_read_end(&node->lock);
    return entry;
}

fat_err fat_rename_move(struct fat_renaming *r)
{
    struct fat_dirent entry = copy_entry(r->node);
    struct fat_names_target target;
    struct fat_edits edits;
    fat_err err;

    if (another_move_waits(r)) {
        return FAT_E_AGAIN; /* W4 */
    }
    err = fat_names_choose(r->new_directory, &r->name, &entry, &target);
    if (err != FAT_OK) {
        return err;
    }
    fat_edits_init(&edits, r->node->tree->cache);
    err = fat_names_prepare(&edits, &target);
    if (err == FAT_OK) {
        err = prepare_old(r, &edits);
    }
    if (err == FAT_OK) {
        err = prepare_dotdot(r, &edits);
    }
    if (err == FAT_OK) {
        err = apply_move(r, &entry, &target, &edits);
    }
    fat_edits_done(&edits);
    return err;
}

/* Two nodes, in address order; the namespace is held. */
static void lock_both(struct fat_node *a, struct fat_node *b) FAT_UNCHECKED;
static void lock_both(struct fat_node *a, struct fat_node *b)
{
    fat_rwlock_write(a < b ? &a->lock : &b->lock);
    fat_rwlock_write_second(a < b ? &b->lock : &a->lock);
}

static void unlock_both(struct fat_node *a, struct fat_node *b) FAT_UNCHECKED;
static void unlock_both(struct fat_node *a, struct fat_node *b)
{
    fat_rwlock_write_end(&a->lock);
    fat_rwlock_write_end(&b->lock);
}

static const struct fat_place nowhere = {.parent = NULL};

/* The target's slots get a new file; its name and spelling stay. */
static void replace(struct fat_renaming *r, struct fat_edits *edits, uint64_t number)
{
    struct fat_node *node = r->node;
    struct fat_node *target = r->target;
    struct fat_place place = target->place;

    place.published = number;
    if (place.born != number) {
        target->fresh = 0;
    }
    target->removed = true;
    fat_node_settle(target, &nowhere);
    fat_node_clear_busy(target);
    memcpy(node->entry.name, target->entry.name, FAT_SHORT_BYTES);
    fat_dirent_set_case(&node->entry, target->entry.nt_flags);
    retire_old(r, edits, number);
    arrive(r, &place, number);
    fat_node_publish(node, edits);
    put_dotdot(r, edits, number);
    touch_directories(r, edits, number);
}

static fat_err apply_replace(struct fat_renaming *r, struct fat_edits *edits)
{
    struct fat_interval *interval = &r->node->tree->interval;
    uint64_t number;
    fat_err err = FAT_OK;

    lock_both(r->node, r->target);
    number = fat_interval_enter(interval);
    if (must_wait(r->node, r->target->place.sector, number)) {
        fat_interval_leave_unchanged(interval);
        err = FAT_E_AGAIN; /* W4 */
    } else {
        replace(r, edits, number);
        fat_interval_leave(interval);
    }
    unlock_both(r->node, r->target);
    return err;
}

fat_err fat_rename_replace(struct fat_renaming *r)
{
    struct fat_edits edits;
    fat_err err;

    if (another_move_waits(r)) {
        return FAT_E_AGAIN; /* W4 */
    }
    fat_edits_init(&edits, r->node->tree->cache);
    err = fat_node_prepare_farewell(r->target);
    if (err == FAT_OK) {
        err = fat_node_prepare(r->target, &edits, 1);
    }
    if (err == FAT_OK) {
        err = prepare_old(r, &edits);
    }
    if (err == FAT_OK) {
        err = prepare_dotdot(r, &edits);
    }
    if (err == FAT_OK) {
        err = apply_replace(r, &edits);
    }
    fat_edits_done(&edits);
    return err;
}

/* Slots that a shorter set leaves over, and the names it no longer has, wait (W9). */
static void bury_rest(const struct fat_renaming *r, struct fat_edits *edits,
        uint32_t count, uint64_t number)
{
    static const uint8_t free_byte = FAT_SLOT_FREE_BYTE;
    const struct fat_place *place = &r->node->place;
    const uint32_t over = place->slots - count;
    const struct fat_tomb tomb = {.hashes = r->old.hashes,
            .slots = {.first = place->slot + 1U - place->slots, .count = over},
            .kind = FAT_REMOVAL_MOVED,
            .interval = number};

    for (uint32_t i = 0; i < over; i++) {
        fat_edits_set(edits, place->sector, FAT_STAGE_PUBLISH,
                place->offset - (place->slots - 1U - i) * FAT_SLOT_BYTES, &free_byte,
                1);
    }
    fat_dirindex_bury(r->old_directory->index, &tomb);
    fat_node_set_busy(r->old_directory, number);
}

/* All of it PUBLISH, in one sector: the old spelling or the new, nothing between. */
static void apply_respell(struct fat_renaming *r, const struct fat_dirent *entry,
        const struct fat_dir_set *set, struct fat_edits *edits)
{
    struct fat_node *node = r->node;
    struct fat_dirindex *index = r->old_directory->index;
    struct fat_place place = node->place;
    uint64_t number;

    fat_rwlock_write(&node->lock);
    number = fat_interval_enter(&node->tree->interval);
    fat_dirindex_remove(index, r->old.hashes, place.slot, node->is_directory);
    fat_dirindex_add(index, set->hashes, place.slot, node->is_directory);
    bury_rest(r, edits, set->count, number);
    for (uint32_t i = 0; i + 1 < set->count; i++) {
        fat_edits_set(edits, place.sector, FAT_STAGE_PUBLISH,
                place.offset - (set->count - 1U - i) * FAT_SLOT_BYTES, set->slots[i],
                FAT_SLOT_BYTES);
    }
    memcpy(node->entry.name, entry->name, FAT_SHORT_BYTES);
    fat_dirent_set_case(&node->entry, entry->nt_flags);
    place.slots = (uint8_t)set->count;
    place.published = number;
    fat_node_settle(node, &place);
    fat_node_set_busy(node, number);
    fat_node_publish(node, edits);
    fat_interval_leave(&node->tree->interval);
    fat_rwlock_write_end(&node->lock);
}

/* PUBLISH, each slot over the one that it replaces. */
static void put_over(const struct fat_renaming *r, const struct fat_dir_set *set,
        struct fat_edits *edits)
{
    const struct fat_place *place = &r->node->place;
    const uint32_t first = place->slot + 1U - place->slots;

    for (uint32_t i = 0; i + 1 < set->count; i++) {
        uint64_t sector;
        uint32_t offset;

        if (fat_dir_locate(place->parent, first + i, &sector, &offset) == FAT_OK) {
            fat_edits_set(edits, sector, FAT_STAGE_PUBLISH, offset, set->slots[i],
                    FAT_SLOT_BYTES);
        }
    }
}

/*
 * A set over a sector border whose name only changes its case: with the same 8.3 name
 * and the same number of slots, any mixture of old and new slots is a valid name too,
 * different in case only. FAT_E_NOENT: it is not such a change.
 */
static fat_err respell_over_border(struct fat_renaming *r)
{
    const struct fat_dirent entry = copy_entry(r->node);
    struct fat_dir_set set;
    struct fat_edits edits;
    fat_err err;

    if (!fat_casefold_equal(
                r->name.units, r->name.length, r->old.name, r->old.length)) {
        return FAT_E_NOENT;
    }
    fat_dir_encode_as(r->node->tree, &r->name, &entry, true, &set);
    if (set.count != r->node->place.slots) {
        return FAT_E_NOENT;
    }
    fat_edits_init(&edits, r->node->tree->cache);
    err = fat_dir_prepare(&edits, &r->node->place, 1);
    if (err == FAT_OK) {
        (void)fat_interval_enter(&r->node->tree->interval);
        put_over(r, &set, &edits);
        fat_interval_leave(&r->node->tree->interval);
    }
    fat_edits_done(&edits);
    return err;
}

fat_err fat_rename_respell(struct fat_renaming *r)
{
    const struct fat_short_basis basis = fat_short_basis(r->name.units, r->name.length);
    const bool fits = basis.fit == FAT_SHORT_FITS;
    struct fat_dirent entry = copy_entry(r->node);
    struct fat_dir_set set;
    struct fat_edits edits;
    fat_err err;

    /* Its own short name still serves, whatever the new spelling would suggest. */
    if (fits) {
        memcpy(entry.name, basis.name, FAT_SHORT_BYTES);
    }
    fat_dirent_set_case(&entry, fits ? basis.nt_flags : 0);
    fat_dir_encode_as(r->node->tree, &r->name, &entry, !fits, &set);
    if (!fat_place_is_in_one_sector(&r->node->place)) {
        return respell_over_border(r);
    }
    if (set.count > r->node->place.slots) {
        return FAT_E_NOENT;
    }
    fat_edits_init(&edits, r->node->tree->cache);
    err = fat_edits_prepare(&edits, r->node->place.sector, 1);
    if (err == FAT_OK) {
        err = fat_dirindex_reserve(r->old_directory->index, 1, 0);
    }
    if (err == FAT_OK) {
        err = fat_dirindex_reserve_tomb(r->old_directory->index);
    }
    if (err == FAT_OK) {
        apply_respell(r, &entry, &set, &edits);
    }
    fat_edits_done(&edits);
    return err;
}

/* Give @node the place and the name of another; the index knows slots, not nodes. */
static void sit_at(struct fat_node *node, const struct fat_place *place,
        const struct fat_dirent *name_of, uint64_t number)
{
    memcpy(node->entry.name, name_of->name, FAT_SHORT_BYTES);
    fat_dirent_set_case(&node->entry, name_of->nt_flags);
    fat_node_settle(node, place);
    fat_node_set_busy(node, number);
    node->fresh = 0;
}

static void apply_swap(struct fat_renaming *r, struct fat_edits *edits)
{
    struct fat_node *a = r->node;
    struct fat_node *b = r->target;
    struct fat_interval *interval = &a->tree->interval;
    struct fat_dirent old_a;
    struct fat_dirent old_b;
    struct fat_place place_a;
    struct fat_place place_b;
    uint64_t number;

    lock_both(a, b);
    number = fat_interval_enter(interval);
    old_a = a->entry;
    old_b = b->entry;
    place_a = a->place;
    place_b = b->place;
    place_a.published = place_b.published = number;
    fat_node_settle(a, &nowhere);
    fat_node_settle(b, &nowhere);
    sit_at(a, &place_b, &old_b, number);
    sit_at(b, &place_a, &old_a, number);
    fat_node_publish(a, edits);
    fat_node_publish(b, edits);
    fat_interval_leave(interval);
    unlock_both(a, b);
}

fat_err fat_rename_swap(struct fat_renaming *r)
{
    struct fat_edits edits;
    fat_err err;

    if (r->node->place.sector != r->target->place.sector) {
        return FAT_E_NOENT;
    }
    fat_edits_init(&edits, r->node->tree->cache);
    err = fat_edits_prepare(&edits, r->node->place.sector, 1);
    if (err == FAT_OK) {
        apply_swap(r, &edits);
    }
    fat_edits_done(&edits);
    return err;
}
