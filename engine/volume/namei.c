/* SPDX-License-Identifier: MIT */
/* The door to names: looking up and listing. */
#include <fatward/namei.h>

#include <stdio.h>
#include <string.h>

#include "base/utf16.h"
#include "tree/indexes.h"
#include "tree/maps.h"
#include "volume/names.h"

fat_err fat_lookup(struct fat_node *directory, const char *name, struct fat_found *ret)
{
    struct fat_dir_item item;
    struct fat_name wanted;
    struct fat_node *node;
    fat_err err = fat_name_from(name, &wanted);

    if (err != FAT_OK) {
        return err;
    }
    fat_rwlock_read(&directory->tree->names);
    err = fat_names_need_directory(directory);
    if (err == FAT_OK) {
        err = fat_names_find(directory, &wanted, &item, &node);
    }
    fat_rwlock_read_end(&directory->tree->names);
    fat_indexes_trim(directory->tree);
    fat_maps_trim(directory->tree);
    if (err == FAT_OK) {
        *ret = (struct fat_found){
                .node = node, .exact = fat_name_is_exact(&wanted, &item)};
    }
    return err;
}

static fat_err show(struct fat_node *directory, const struct fat_dir_item *item,
        struct fat_dir_entry *ret)
{
    size_t bytes;
    const fat_err err = fat_utf16_to_utf8(
            item->name, item->length, ret->name, sizeof(ret->name), &bytes);

    ret->slot = item->place.slot;
    ret->is_directory = (item->raw[DIR_ATTR] & FAT_ATTR_DIRECTORY) != 0;
    ret->ino = fat_node_ino_at(directory->tree, directory, item->place.slot);
    return err;
}

static fat_err next_item(
        struct fat_node *directory, uint32_t slot, struct fat_dir_item *ret)
{
    struct fat_dir_walk walk;
    fat_err err = fat_names_need_directory(directory);

    if (err == FAT_OK) {
        err = fat_dir_walk_from(directory, slot, &walk);
    }
    return err == FAT_OK ? fat_dir_walk_next(directory, &walk, ret) : err;
}

fat_err fat_dir_next(
        struct fat_node *directory, uint32_t *cookie, struct fat_dir_entry *ret)
{
    struct fat_dir_item item;
    fat_err err;

    fat_rwlock_read(&directory->tree->names);
    err = next_item(directory, *cookie, &item);
    if (err == FAT_OK) {
        err = show(directory, &item, ret);
    }
    fat_rwlock_read_end(&directory->tree->names);
    fat_maps_trim(directory->tree);
    if (err == FAT_OK) {
        *cookie = item.place.slot + 1U;
    }
    return err == FAT_E_STALE ? FAT_END : err; /* a removed directory is empty */
}

/* The entry may have gone, or another may be in its slot, since it was listed. */
static fat_err node_of(struct fat_node *directory, const struct fat_dir_entry *entry,
        struct fat_node **ret)
{
    struct fat_dir_item item;
    struct fat_dir_entry now;
    fat_err err = fat_names_need_directory(directory);

    if (err == FAT_OK) {
        err = fat_dir_item_at(directory, entry->slot, &item);
    }
    if (err == FAT_OK) {
        err = show(directory, &item, &now);
    }
    if (err == FAT_OK && strcmp(now.name, entry->name) != 0) {
        err = FAT_E_NOENT;
    }
    if (err == FAT_OK) {
        err = fat_node_at(directory->tree, &item.place, ret);
    }
    return err == FAT_END || err == FAT_E_STALE ? FAT_E_NOENT : err;
}

fat_err fat_dir_node(struct fat_node *directory, const struct fat_dir_entry *entry,
        struct fat_node **ret)
{
    fat_err err;

    fat_rwlock_read(&directory->tree->names);
    err = node_of(directory, entry, ret);
    fat_rwlock_read_end(&directory->tree->names);
    return err;
}

struct fat_node *fat_node_parent(struct fat_node *node)
{
    struct fat_tree *tree = node->tree;
    struct fat_node *parent;

    fat_rwlock_read(&tree->names);
    parent = fat_node_ref(node->place.parent ? node->place.parent : tree->root);
    fat_rwlock_read_end(&tree->names);
    return parent;
}
