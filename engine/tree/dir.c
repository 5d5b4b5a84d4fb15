/* SPDX-License-Identifier: MIT */
/* Reading directories: slots, entries, names, and the index over them. */
#include "tree/dir.h"

#include <assert.h>
#include <string.h>

#include "base/casefold.h"
#include "base/utf16.h"
#include "tree/indexes.h"

/* Directory sectors read ahead: 8 KiB of 512-byte sectors. */
enum { AHEAD = 15 };

static fat_err locate_in_root(const struct fat_geometry *g, uint32_t slot,
        uint64_t *ret_sector, uint32_t *ret_offset)
{
    const uint32_t byte = slot * FAT_SLOT_BYTES;

    if (slot >= g->root_entries) {
        return FAT_END;
    }
    *ret_sector = g->root_start + byte / g->sector_bytes;
    *ret_offset = byte % g->sector_bytes;
    return FAT_OK;
}

bool fat_dir_is_fixed_root(const struct fat_node *directory)
{
    return directory == directory->tree->root &&
           directory->tree->geometry.root_cluster == 0;
}

/* The cluster with index @index of a directory's chain. */
static fat_err find_cluster(struct fat_node *directory, uint32_t index, uint32_t *ret)
{
    struct fat_run run;
    fat_err err;

    fat_mutex_lock(&directory->index_lock);
    err = fat_tree_seek(directory->tree, &directory->map, index, &run);
    fat_mutex_unlock(&directory->index_lock);
    if (err == FAT_OK) {
        *ret = run.cluster;
    }
    return err;
}

fat_err fat_dir_locate(struct fat_node *directory, uint32_t slot, uint64_t *ret_sector,
        uint32_t *ret_offset)
{
    const struct fat_geometry *g = &directory->tree->geometry;
    const uint32_t byte = slot * FAT_SLOT_BYTES;
    uint32_t cluster;
    fat_err err;

    if (slot >= FAT_DIR_SLOTS_MAX) {
        return FAT_END;
    }
    if (fat_dir_is_fixed_root(directory)) {
        return locate_in_root(g, slot, ret_sector, ret_offset);
    }
    err = find_cluster(directory, byte / g->cluster_bytes, &cluster);
    if (err != FAT_OK) {
        return err;
    }
    *ret_sector =
            fat_geometry_sector(g, cluster) + byte % g->cluster_bytes / g->sector_bytes;
    *ret_offset = byte % g->sector_bytes;
    return FAT_OK;
}

fat_err fat_dir_read_slot(struct fat_node *directory, uint32_t slot, uint8_t *raw)
{
    const struct fat_geometry *g = &directory->tree->geometry;
    uint64_t sector;
    uint32_t offset;
    uint32_t left;
    fat_err err = fat_dir_locate(directory, slot, &sector, &offset);

    if (err != FAT_OK) {
        return err;
    }
    left = fat_dir_is_fixed_root(directory)
                   ? (uint32_t)(g->root_start +
                                (g->root_entries * FAT_SLOT_BYTES - 1) /
                                        g->sector_bytes -
                                sector)
                   : g->cluster_sectors - 1 -
                             (uint32_t)((sector - g->data_start) % g->cluster_sectors);
    return fat_cache_read(directory->tree->cache, sector, offset, raw, FAT_SLOT_BYTES,
            left < AHEAD ? left : AHEAD);
}

/*
 * What an adapter may show: no control character, no slash, no unpaired surrogate,
 * and not "." or "..". A long name that is none of that gives way to the short one.
 */
static bool is_showable(const uint16_t *units, size_t length)
{
    char utf8[FAT_NAME_BYTES_MAX + 16];
    size_t bytes;

    for (size_t i = 0; i < length; i++) {
        if (units[i] < 0x20 || units[i] == '/') {
            return false;
        }
    }
    if (units[0] == '.' && (length == 1 || (length == 2 && units[1] == '.'))) {
        return false;
    }
    return length <= FAT_NAME_UNITS_MAX &&
           fat_utf16_to_utf8(units, length, utf8, sizeof(utf8), &bytes) == FAT_OK;
}

size_t fat_dir_alias(const uint8_t *name, uint8_t nt_flags, uint16_t *units)
{
    const size_t length = fat_short_units(name, nt_flags, units);

    for (size_t i = 0; i < length; i++) {
        if (units[i] < 0x20 || units[i] == '/') {
            units[i] = '_';
        }
    }
    if (length > 0 && !is_showable(units, length)) {
        units[0] = '_';
    }
    return length;
}

/* The names of the entry in item->raw; @lfn holds what preceded it. */
static void name_item(struct fat_dir_item *item, struct fat_lfn *lfn)
{
    const uint8_t *short_name = item->raw + DIR_NAME;
    unsigned slots = 0;
    size_t length = 0;

    (void)fat_lfn_finish(lfn, short_name, &length, &slots); /* the checker's matter */
    item->alias_length = fat_dir_alias(short_name, item->raw[DIR_NTRES], item->alias);
    if (length > 0 && is_showable(lfn->units, length)) {
        memcpy(item->name, lfn->units, length * sizeof(item->name[0]));
        item->length = length;
    } else {
        memcpy(item->name, item->alias, item->alias_length * sizeof(item->name[0]));
        item->length = item->alias_length;
    }
    item->place.slots = (uint8_t)(slots + 1);
    item->first = item->place.slot - slots;
    item->hashes.shown = fat_casefold_hash(item->name, item->length);
    item->hashes.alias = fat_casefold_hash(item->alias, item->alias_length);
}

/* The short entry in @raw at @slot becomes an item. */
static fat_err make_item(struct fat_node *directory, uint16_t slot, struct fat_lfn *lfn,
        struct fat_dir_item *ret)
{
    ret->place = (struct fat_place){.parent = directory, .slot = slot};
    name_item(ret, lfn);
    return fat_dir_locate(directory, slot, &ret->place.sector, &ret->place.offset);
}

static bool is_entry(const uint8_t *raw)
{
    return fat_slot_classify(raw) == FAT_SLOT_SHORT &&
           !fat_short_is_dot(raw + DIR_NAME) && !fat_short_is_dotdot(raw + DIR_NAME);
}

fat_err fat_dir_walk_next(
        struct fat_node *directory, struct fat_dir_walk *walk, struct fat_dir_item *ret)
{
    fat_err err;

    for (;;) {
        err = fat_dir_read_slot(directory, walk->slot, ret->raw);
        if (err != FAT_OK) {
            return err;
        }
        if (fat_slot_classify(ret->raw) == FAT_SLOT_END) {
            walk->at_end = true;
            return FAT_END;
        }
        walk->slot++;
        if (fat_slot_classify(ret->raw) == FAT_SLOT_LONG) {
            fat_lfn_push(&walk->lfn, ret->raw);
        } else if (!is_entry(ret->raw)) {
            fat_lfn_reset(&walk->lfn);
        } else {
            err = make_item(directory, (uint16_t)(walk->slot - 1), &walk->lfn, ret);
            if (err != FAT_OK || ret->length > 0) {
                return err;
            }
        }
    }
}

/* The first long-name slot that may belong to the short entry at @slot. */
static fat_err find_set_start(struct fat_node *directory, uint32_t slot, uint32_t *ret)
{
    uint8_t raw[FAT_SLOT_BYTES];

    *ret = slot;
    while (*ret > 0 && slot - *ret < FAT_LFN_SLOTS_MAX) {
        fat_err err = fat_dir_read_slot(directory, *ret - 1, raw);

        if (err != FAT_OK) {
            return err;
        }
        if (fat_slot_classify(raw) != FAT_SLOT_LONG) {
            break;
        }
        --*ret;
        if (raw[LDIR_ORD] & LDIR_LAST) {
            break;
        }
    }
    return FAT_OK;
}

fat_err fat_dir_walk_from(
        struct fat_node *directory, uint32_t slot, struct fat_dir_walk *ret)
{
    uint32_t first;
    const fat_err err = find_set_start(directory, slot, &first);

    if (err == FAT_OK) {
        *ret = (struct fat_dir_walk){.slot = first};
        fat_lfn_reset(&ret->lfn);
    }
    return err;
}

fat_err fat_dir_item_at(
        struct fat_node *directory, uint16_t slot, struct fat_dir_item *ret)
{
    struct fat_lfn lfn;
    uint32_t first;
    fat_err err = find_set_start(directory, slot, &first);

    fat_lfn_reset(&lfn);
    for (uint32_t i = first; err == FAT_OK && i < slot; i++) {
        err = fat_dir_read_slot(directory, i, ret->raw);
        if (err == FAT_OK) {
            fat_lfn_push(&lfn, ret->raw);
        }
    }
    if (err == FAT_OK) {
        err = fat_dir_read_slot(directory, slot, ret->raw);
    }
    if (err == FAT_OK && !is_entry(ret->raw)) {
        err = FAT_E_NOENT;
    }
    return err == FAT_OK ? make_item(directory, slot, &lfn, ret) : err;
}

static bool is_called(const struct fat_dir_item *item, const struct fat_name *name)
{
    return fat_casefold_equal(item->name, item->length, name->units, name->length) ||
           fat_casefold_equal(
                   item->alias, item->alias_length, name->units, name->length);
}

bool fat_name_is_exact(const struct fat_name *name, const struct fat_dir_item *item)
{
    return !name->trimmed && name->length == item->length &&
           memcmp(name->units, item->name, name->length * sizeof(name->units[0])) == 0;
}

fat_err fat_dir_find(struct fat_node *directory, const struct fat_name *name,
        struct fat_dir_item *ret)
{
    size_t cursor = 0;
    uint16_t slot;
    fat_err err = fat_dir_need_index(directory);

    if (err != FAT_OK) {
        return err;
    }
    while (fat_dirindex_find(directory->index, name->hash, &cursor, &slot)) {
        err = fat_dir_item_at(directory, slot, ret);
        if (err != FAT_OK) {
            return err == FAT_END ? FAT_E_IO : err;
        }
        if (is_called(ret, name)) {
            return FAT_OK;
        }
    }
    return FAT_E_NOENT;
}

static fat_err index_item(struct fat_node *directory, struct fat_dirindex *index,
        const struct fat_dir_item *item)
{
    fat_err err = fat_dirindex_reserve(index, 1, item->place.slot + 1U);

    if (err == FAT_OK && fat_dirindex_is_crowded(index, item->hashes)) {
        return fat_tree_damage(directory->tree, directory->entry.first_cluster,
                "a directory holds one name a thousand times");
    }
    if (err == FAT_OK) {
        fat_dirindex_add(index, item->hashes, item->place.slot,
                (item->raw[DIR_ATTR] & FAT_ATTR_DIRECTORY) != 0);
    }
    return err;
}

static fat_err index_entries(
        struct fat_node *directory, struct fat_dirindex *index, uint32_t *ret_end)
{
    struct fat_dir_walk walk = {0};
    struct fat_dir_item item;
    fat_err err;

    fat_lfn_reset(&walk.lfn);
    do {
        err = fat_dir_walk_next(directory, &walk, &item);
        if (err == FAT_OK) {
            err = index_item(directory, index, &item);
        }
    } while (err == FAT_OK);
    *ret_end = walk.slot;
    return err == FAT_END ? FAT_OK : err;
}

/* Which slots are taken, and whether all behind the end mark is zero (W10). */
static fat_err index_slots(
        struct fat_node *directory, struct fat_dirindex *index, uint32_t end)
{
    static const uint8_t zeros[FAT_SLOT_BYTES];
    uint8_t raw[FAT_SLOT_BYTES];
    uint32_t slot = 0;
    fat_err err = fat_dirindex_reserve(index, 0, end);

    while (err == FAT_OK && slot < end) {
        err = fat_dir_read_slot(directory, slot, raw);
        if (err == FAT_OK && fat_slot_classify(raw) != FAT_SLOT_FREE) {
            fat_dirindex_take(index, (struct fat_slots){.first = slot, .count = 1});
        }
        slot++;
    }
    while (err == FAT_OK) {
        err = fat_dir_read_slot(directory, slot++, raw);
        if (err == FAT_OK && memcmp(raw, zeros, sizeof(raw)) != 0) {
            fat_dirindex_set_junk(index, true);
            break;
        }
    }
    fat_dirindex_set_end(index, end);
    return err == FAT_END ? FAT_OK : err;
}

static fat_err build_index(struct fat_node *directory, struct fat_dirindex **ret)
{
    FAT_CLEANUP(fat_dirindex_free) struct fat_dirindex *index = NULL;
    uint32_t end;
    fat_err err = fat_dirindex_new(&index);

    if (err == FAT_OK) {
        err = index_entries(directory, index, &end);
    }
    if (err == FAT_OK) {
        err = index_slots(directory, index, end);
    }
    if (err != FAT_OK) {
        return err;
    }
    *ret = index;
    index = NULL;
    return FAT_OK;
}

static bool has_index(struct fat_node *directory)
{
    bool has;

    fat_mutex_lock(&directory->index_lock);
    has = directory->index != NULL;
    fat_mutex_unlock(&directory->index_lock);
    if (has) {
        fat_indexes_touch(directory);
    }
    return has;
}

fat_err fat_dir_need_index(struct fat_node *directory)
{
    struct fat_dirindex *index = NULL;
    fat_err err;

    if (has_index(directory)) {
        return FAT_OK;
    }
    err = build_index(directory, &index);
    if (err != FAT_OK) {
        return err;
    }
    fat_mutex_lock(&directory->index_lock);
    if (!directory->index) {
        /* The namespace is held: whoever built it, it is right. */
        directory->index = index;
        fat_indexes_add(directory);
        index = NULL;
    }
    fat_mutex_unlock(&directory->index_lock);
    fat_dirindex_free(index);
    return FAT_OK;
}

fat_err fat_dir_is_empty(struct fat_node *directory)
{
    struct fat_dir_walk walk = {0};
    struct fat_dir_item item;
    fat_err err;

    fat_lfn_reset(&walk.lfn);
    err = fat_dir_walk_next(directory, &walk, &item);
    if (err == FAT_OK) {
        return FAT_E_NOTEMPTY;
    }
    return err == FAT_END ? FAT_OK : err;
}

/* Trailing dots do not count, as in the kernel and in Windows. */
static void drop_dots(struct fat_name *name)
{
    while (name->length > 0 && name->units[name->length - 1] == '.') {
        name->length--;
        name->trimmed = true;
    }
}

fat_err fat_name_from(const char *text, struct fat_name *ret)
{
    fat_err err;

    ret->trimmed = false;
    err = fat_utf8_to_utf16(
            text, strlen(text), ret->units, FAT_NAME_UNITS_MAX, &ret->length);
    if (err != FAT_OK) {
        return err;
    }
    drop_dots(ret);
    if (ret->length == 0) {
        return FAT_E_NAME;
    }
    ret->hash = fat_casefold_hash(ret->units, ret->length);
    return FAT_OK;
}
