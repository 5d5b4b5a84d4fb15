/* SPDX-License-Identifier: MIT */
#include "volume/repair_lost.h"

#include <stdio.h>

#include <fatward/namei.h>

#include "block/stage.h"
#include "volume/commit.h"

/* FSCK0000.REC to FSCK9999.REC, as fsck.fat calls them. */
enum { NAMES = 10000, NAME_BYTES = sizeof("FSCK0000.REC") };

struct saving {
    struct fat_volume *volume;
    struct fat_node *root;
    unsigned number; /* of the next name */
};

/* Clusters in a row along the chain, which become one file. */
struct part {
    uint32_t first, last, count;
    uint32_t next; /* where the rest begins, 0: nowhere */
    bool ends;     /* the last one says so already      */
};

/* The checker has counted them: @count clusters, each of this chain alone. */
static fat_err follow(
        struct fat_tree *tree, uint32_t first, uint32_t count, struct part *ret)
{
    struct fat_fat_cursor cursor = {.valid = false};
    struct fat_link link = {.kind = FAT_LINK_NEXT, .cluster = first};
    struct part part = {.first = first};

    while (part.count < count) {
        fat_err err;

        if (link.kind != FAT_LINK_NEXT ||
                !fat_geometry_holds(&tree->geometry, link.cluster)) {
            return FAT_E_CORRUPT;
        }
        part.last = link.cluster;
        part.count++;
        err = fat_fattab_get(&tree->fattab, &cursor, part.last, &link);
        if (err != FAT_OK) {
            return err;
        }
    }
    part.ends = link.kind == FAT_LINK_END;
    part.next = link.kind == FAT_LINK_NEXT ? link.cluster : 0;
    *ret = part;
    return FAT_OK;
}

/* An empty file under the next free name. FAT_E_NOSPC: there is none, or no room. */
static fat_err make_file(struct saving *s, struct fat_node **ret)
{
    fat_err err = FAT_E_EXIST;

    while (err == FAT_E_EXIST && s->number < NAMES) {
        struct fat_found found;
        char name[NAME_BYTES + 8];

        (void)snprintf(name, sizeof(name), "FSCK%04u.REC", s->number);
        err = fat_create(s->root, name, 0, &found);
        if (err == FAT_OK) {
            *ret = found.node;
        }
        s->number += err == FAT_OK || err == FAT_E_EXIST;
    }
    return err == FAT_E_EXIST ? FAT_E_NOSPC : err;
}

/*
 * FILL ends the chain where it ran on, into the rest of it or what is none of its own;
 * PUBLISH names it: never the other way round.
 */
static void give_chain(
        struct fat_node *file, const struct part *part, struct fat_edits *edits)
{
    struct fat_tree *tree = file->tree;
    const uint64_t number = fat_interval_enter(&tree->interval);

    if (!part->ends) {
        fat_fattab_set(&tree->fattab, edits, FAT_STAGE_FILL, part->last,
                (struct fat_link){.kind = FAT_LINK_END});
    }
    fat_runmap_restart(&file->map, part->first);
    file->fresh = 0; /* the chain is older than the name (W6) */
    file->entry.first_cluster = part->first;
    file->entry.size_bytes = part->count * tree->geometry.cluster_bytes;
    fat_node_publish(file, edits);
    fat_node_set_busy(file, number);
    fat_interval_leave(&tree->interval);
}

static fat_err adopt(struct fat_node *file, const struct part *part)
{
    struct fat_tree *tree = file->tree;
    struct fat_edits edits;
    fat_err err;

    fat_edits_init(&edits, tree->cache);
    fat_rwlock_write(&file->lock);
    err = fat_node_prepare(file, &edits, 1);
    if (err == FAT_OK) {
        err = fat_fattab_prepare(&tree->fattab, &edits, part->last, 1);
    }
    if (err == FAT_OK) {
        give_chain(file, part, &edits);
    }
    fat_rwlock_write_end(&file->lock);
    fat_edits_done(&edits);
    return err;
}

static fat_err save_part(struct saving *s, const struct part *part)
{
    struct fat_node *file;
    fat_err err = make_file(s, &file);

    if (err != FAT_OK) {
        return err;
    }
    err = adopt(file, part);
    fat_node_unref(file);
    return err;
}

static fat_err save_piece(struct saving *s, const struct fat_piece *piece,
        uint32_t *files, uint32_t *clusters)
{
    struct fat_tree *tree = &s->volume->tree;
    const uint32_t most = UINT32_MAX / tree->geometry.cluster_bytes;
    uint32_t first = piece->first;
    uint32_t left = piece->count;
    fat_err err = FAT_OK;

    while (err == FAT_OK && left > 0) {
        struct part part;

        err = follow(tree, first, left < most ? left : most, &part);
        if (err == FAT_OK) {
            err = save_part(s, &part);
        }
        if (err == FAT_OK) {
            ++*files;
            *clusters += part.count;
            left -= part.count;
            first = part.next;
        }
    }
    return err;
}

fat_err fat_repair_save_lost(struct fat_volume *volume, const struct fat_piece *lost,
        uint32_t *files, uint32_t *clusters)
{
    struct saving s = {.volume = volume, .root = fat_volume_root(volume)};
    fat_err err = FAT_OK;

    for (; lost && err == FAT_OK; lost = lost->next) {
        err = save_piece(&s, lost, files, clusters);
    }
    fat_node_unref(s.root);
    return err == FAT_E_NOSPC ? FAT_OK : err;
}
