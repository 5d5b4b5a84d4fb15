/* SPDX-License-Identifier: MIT */
/* The door to making files and directories. */
#include <fatward/namei.h>

#include <string.h>

#include "volume/commit.h"
#include "volume/names.h"

struct create {
    struct fat_node *directory;
    struct fat_name name;
    bool is_directory;
    uint8_t attributes;
    struct fat_node *made;
};

/* What one try has got hold of; all of it goes back if the try fails. */
struct attempt {
    struct fat_dirent entry;
    struct fat_names_target target;
    struct fat_extent cluster; /* of a new directory; .count 0: none */
    struct fat_edits edits;
    struct fat_node *node;
};

static void stamp(const struct fat_tree *tree, struct fat_dirent *entry)
{
    const struct fat_stamp now = fat_stamp_encode(fat_tree_now(tree), tree->utc_offset);

    entry->created = now;
    entry->written = (struct fat_stamp){.date = now.date, .time = now.time};
    entry->accessed = (struct fat_stamp){.date = now.date};
}

static fat_err claim_cluster(struct fat_tree *tree, struct attempt *a)
{
    fat_err err = fat_freemap_claim(tree->freemap, NULL, 0, 1, &a->cluster);

    if (err != FAT_OK) {
        a->cluster.count = 0;
        return err;
    }
    a->entry.first_cluster = a->cluster.cluster;
    err = fat_dir_zero_cluster(tree, a->cluster.cluster);
    if (err == FAT_OK) {
        err = fat_fattab_prepare(&tree->fattab, &a->edits, a->cluster.cluster, 1);
    }
    if (err == FAT_OK) {
        err = fat_edits_prepare(
                &a->edits, fat_geometry_sector(&tree->geometry, a->cluster.cluster), 1);
    }
    return err;
}

static fat_err gather(const struct create *c, struct attempt *a)
{
    struct fat_tree *tree = c->directory->tree;
    fat_err err = fat_names_choose(c->directory, &c->name, &a->entry, &a->target);

    if (err == FAT_OK && c->is_directory) {
        err = claim_cluster(tree, a);
    }
    if (err == FAT_OK) {
        err = fat_names_prepare(&a->edits, &a->target);
    }
    if (err == FAT_OK) {
        err = fat_node_prepare(c->directory, &a->edits, 1);
    }
    if (err == FAT_OK) {
        /* Encoded again: by now the first cluster of a directory is known. */
        fat_dir_encode_as(
                tree, &c->name, &a->entry, a->target.set.count > 1, &a->target.set);
        err = fat_node_new(tree, &a->entry, &a->node);
    }
    if (err == FAT_OK && c->is_directory) {
        err = fat_runmap_reserve(&a->node->map, 1);
    }
    return err;
}

static void put_dot(struct fat_tree *tree, struct attempt *a, unsigned slot,
        const char *name, uint32_t cluster)
{
    struct fat_dirent dot = a->entry;
    uint8_t raw[FAT_SLOT_BYTES] = {0};

    memcpy(dot.name, name, FAT_SHORT_BYTES);
    dot.attributes = FAT_ATTR_DIRECTORY;
    dot.nt_flags = 0;
    dot.first_cluster = cluster;
    fat_dirent_encode(tree->geometry.type, &dot, raw);
    fat_edits_set(&a->edits, fat_geometry_sector(&tree->geometry, a->cluster.cluster),
            FAT_STAGE_FILL, (size_t)slot * FAT_SLOT_BYTES, raw, sizeof(raw));
}

/* FILL: the directory's contents and its FAT entry; PUBLISH names it. */
static void fill_directory(const struct create *c, struct attempt *a, uint64_t number)
{
    struct fat_tree *tree = c->directory->tree;

    fat_fattab_set(&tree->fattab, &a->edits, FAT_STAGE_FILL, a->cluster.cluster,
            (struct fat_link){.kind = FAT_LINK_END});
    put_dot(tree, a, 0, ".          ", a->cluster.cluster);
    put_dot(tree, a, 1, "..         ", fat_node_dotdot(c->directory));
    a->node->map.next = 0;
    fat_runmap_append(&a->node->map, a->cluster.cluster, 1);
    a->node->grown = number;
    a->node->grown_from = 0;
}

static void apply(const struct create *c, struct attempt *a)
{
    struct fat_interval *interval = &c->directory->tree->interval;
    const uint64_t number = fat_interval_enter(interval);

    if (c->is_directory) {
        fill_directory(c, a, number);
    }
    fat_names_put(&a->edits, &a->target, c->is_directory, number);
    /* What takes over an old slot is named by an old slot: not fresh (W6). */
    a->node->fresh = a->target.takes_over ? 0 : number;
    fat_node_settle(a->node, &a->target.place);
    fat_node_set_busy(a->node, number);
    fat_node_touch(c->directory);
    fat_node_put_times(c->directory, &a->edits, FAT_STAGE_PUBLISH, number);
    fat_interval_leave(interval);
}

static fat_err attempt(struct create *c)
{
    struct fat_tree *tree = c->directory->tree;
    struct attempt a = {.entry = {.attributes = c->attributes}};
    fat_err err;

    stamp(tree, &a.entry);
    fat_edits_init(&a.edits, tree->cache);
    err = gather(c, &a);
    if (err == FAT_OK) {
        apply(c, &a);
        c->made = a.node;
    } else {
        if (a.node) {
            fat_node_destroy(a.node);
        }
        if (a.cluster.count > 0) {
            fat_freemap_release(tree->freemap, a.cluster);
        }
    }
    fat_edits_done(&a.edits);
    return err;
}

static fat_err create_once(void *context)
{
    struct create *c = context;
    struct fat_dir_item item;
    fat_err err;

    fat_rwlock_write(&c->directory->tree->names);
    err = fat_names_need_directory(c->directory);
    if (err == FAT_OK) {
        err = fat_dir_find(c->directory, &c->name, &item);
        err = err == FAT_OK ? FAT_E_EXIST : err;
    }
    if (err == FAT_E_NOENT) {
        err = attempt(c);
    }
    fat_rwlock_write_end(&c->directory->tree->names);
    return err;
}

static fat_err make(struct create *c, const char *name, struct fat_found *ret)
{
    fat_err err = c->directory->is_directory ? fat_names_parse_new(name, &c->name)
                                             : FAT_E_NOTDIR;

    if (err == FAT_OK) {
        err = fat_commit_around(fat_volume_of(c->directory), create_once, c);
    }
    if (err == FAT_OK) {
        *ret = (struct fat_found){.node = c->made, .exact = !c->name.trimmed};
    }
    return err;
}

enum { SETTABLE = FAT_ATTR_READ_ONLY | FAT_ATTR_HIDDEN | FAT_ATTR_SYSTEM };

fat_err fat_create(struct fat_node *directory, const char *name, uint8_t attributes,
        struct fat_found *ret)
{
    struct create c = {.directory = directory,
            .attributes = (uint8_t)((attributes & SETTABLE) | FAT_ATTR_ARCHIVE)};

    return make(&c, name, ret);
}

fat_err fat_mkdir(struct fat_node *directory, const char *name, uint8_t attributes,
        struct fat_found *ret)
{
    struct create c = {.directory = directory,
            .is_directory = true,
            .attributes = (uint8_t)((attributes & SETTABLE) | FAT_ATTR_DIRECTORY)};

    return make(&c, name, ret);
}
