/* SPDX-License-Identifier: MIT */
/* The door to removing files and directories. */
#include <fatward/namei.h>

#include "volume/commit.h"
#include "volume/names.h"

struct removal {
    struct fat_node *directory;
    struct fat_name name;
    bool is_directory; /* what the caller wants removed */
};

static fat_err check(const struct removal *r, struct fat_node *node)
{
    if (node->is_directory && !r->is_directory) {
        return FAT_E_ISDIR;
    }
    if (!node->is_directory && r->is_directory) {
        return FAT_E_NOTDIR;
    }
    return r->is_directory ? fat_dir_is_empty(node) : FAT_OK;
}

static fat_err prepare(
        const struct removal *r, struct fat_node *node, struct fat_edits *edits)
{
    fat_err err = fat_dirindex_reserve_tomb(r->directory->index);

    if (err == FAT_OK) {
        err = fat_node_prepare_farewell(node);
    }
    if (err == FAT_OK) {
        err = fat_node_prepare(r->directory, edits, 1);
    }
    return err == FAT_OK ? fat_dir_prepare(edits, &node->place, 1) : err;
}

static void apply(const struct removal *r, struct fat_node *node,
        const struct fat_dir_item *item, struct fat_edits *edits)
{
    struct fat_interval *interval = &node->tree->interval;
    const struct fat_place nowhere = {.parent = NULL};
    const struct fat_dir_removal removal = {.place = node->place,
            .hashes = item->hashes,
            .kind = FAT_REMOVAL_DELETED,
            .is_directory = r->is_directory};
    uint64_t number;

    fat_rwlock_write(&node->lock);
    number = fat_interval_enter(interval);
    fat_dir_remove(edits, &removal, number);
    if (node->place.born != number) {
        node->fresh = 0; /* a slot that is older names it (W6) */
    }
    node->removed = true;
    fat_node_settle(node, &nowhere);
    fat_node_clear_busy(node);
    fat_node_touch(r->directory);
    fat_node_put_times(r->directory, edits, FAT_STAGE_RETIRE, number);
    fat_interval_leave(interval);
    fat_rwlock_write_end(&node->lock);
}

static fat_err remove_entry(
        const struct removal *r, struct fat_node *node, const struct fat_dir_item *item)
{
    struct fat_edits edits;
    fat_err err = check(r, node);

    if (err != FAT_OK) {
        return err;
    }
    fat_edits_init(&edits, node->tree->cache);
    err = prepare(r, node, &edits);
    if (err == FAT_OK) {
        apply(r, node, item, &edits);
    }
    fat_edits_done(&edits);
    return err;
}

static fat_err remove_once(void *context)
{
    const struct removal *r = context;
    struct fat_dir_item item;
    struct fat_node *node = NULL;
    fat_err err;

    fat_rwlock_write(&r->directory->tree->names);
    err = fat_names_need_directory(r->directory);
    if (err == FAT_OK) {
        err = fat_names_find(r->directory, &r->name, &item, &node);
    }
    if (err == FAT_OK) {
        err = remove_entry(r, node, &item);
    }
    fat_rwlock_write_end(&r->directory->tree->names);
    fat_node_unref(node); /* may give up the clusters: an operation of its own */
    return err;
}

static fat_err remove_named(struct removal *r, const char *name)
{
    const fat_err err = fat_name_from(name, &r->name);

    if (!r->directory->is_directory) {
        return FAT_E_NOTDIR;
    }
    return err == FAT_OK
                   ? fat_commit_around(fat_volume_of(r->directory), remove_once, r)
                   : err;
}

fat_err fat_unlink(struct fat_node *directory, const char *name)
{
    struct removal r = {.directory = directory};

    return remove_named(&r, name);
}

fat_err fat_rmdir(struct fat_node *directory, const char *name)
{
    struct removal r = {.directory = directory, .is_directory = true};

    return remove_named(&r, name);
}
