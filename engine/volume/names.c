/* SPDX-License-Identifier: MIT */
#include "volume/names.h"

#include <string.h>

fat_err fat_names_need_directory(const struct fat_node *directory)
{
    if (!directory->is_directory) {
        return FAT_E_NOTDIR;
    }
    return directory->removed || directory->stale ? FAT_E_STALE : FAT_OK;
}

fat_err fat_names_parse_new(const char *text, struct fat_name *ret)
{
    uint16_t units[FAT_NAME_UNITS_MAX];
    size_t length;
    const fat_err err = fat_name_parse(text, strlen(text), units, &length);

    return err == FAT_OK ? fat_name_from(text, ret) : err;
}

fat_err fat_names_find(struct fat_node *directory, const struct fat_name *name,
        struct fat_dir_item *ret_item, struct fat_node **ret_node)
{
    fat_err err = fat_dir_find(directory, name, ret_item);

    if (err == FAT_OK) {
        err = fat_node_at(directory->tree, &ret_item->place, ret_node);
    }
    return err;
}

/* A name that nobody has any more is free at once: there may be none. */
static bool has_names_of(const struct fat_dir_set *set, const struct fat_tomb *tomb)
{
    return set->hashes.shown == tomb->hashes.shown &&
           set->hashes.alias == tomb->hashes.alias;
}

/*
 * W9: the slots of a deleted name are taken over in place where the new set is as
 * long, has the same names, and lies in one sector; else its commit has to come first.
 */
static fat_err take_over(struct fat_node *directory, const struct fat_name *name,
        struct fat_dirent *entry, struct fat_names_target *ret)
{
    fat_err err = ret->tomb.kind == FAT_REMOVAL_DELETED ? FAT_OK : FAT_E_AGAIN;

    if (err == FAT_OK) {
        err = fat_dir_place_of(directory, ret->tomb.slots, &ret->place);
    }
    if (err == FAT_OK) {
        err = fat_dir_encode(directory, name, &ret->tomb, entry, &ret->set);
    }
    if (err == FAT_OK && (ret->set.count != ret->tomb.slots.count ||
                                 !has_names_of(&ret->set, &ret->tomb) ||
                                 !fat_place_is_in_one_sector(&ret->place))) {
        err = FAT_E_AGAIN;
    }
    ret->takes_over = true;
    return err == FAT_OK ? fat_dirindex_reserve(directory->index, 1, 0) : err;
}

fat_err fat_names_choose(struct fat_node *directory, const struct fat_name *name,
        struct fat_dirent *entry, struct fat_names_target *ret)
{
    fat_err err = fat_dir_need_index(directory);

    ret->takes_over = false;
    if (err != FAT_OK) {
        return err;
    }
    fat_dirindex_settle(directory->index, directory->tree->interval.finished);
    if (fat_dirindex_is_buried(directory->index, name->hash, &ret->tomb)) {
        return take_over(directory, name, entry, ret);
    }
    err = fat_dir_encode(directory, name, NULL, entry, &ret->set);
    return err == FAT_OK ? fat_dir_make_room(directory, ret->set.count, &ret->place)
                         : err;
}

fat_err fat_names_prepare(
        struct fat_edits *edits, const struct fat_names_target *target)
{
    return fat_dir_prepare(edits, &target->place, 2);
}

void fat_names_put(struct fat_edits *edits, struct fat_names_target *target,
        bool is_directory, uint64_t number)
{
    target->place.born = target->takes_over ? 0 : number;
    target->place.published = number;
    if (target->takes_over) {
        fat_dirindex_exhume(target->place.parent->index, &target->tomb);
    }
    fat_dir_put(edits, &target->place, &target->set, is_directory);
}
