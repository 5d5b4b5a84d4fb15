/* SPDX-License-Identifier: MIT */
#include "volume/reclaim.h"

#include <stdlib.h>

#include "block/stage.h"

/* FAT blocks that may wait in memory before they are written. */
enum { BLOCKS_MAX = 512 };

/*
 * What is zeroed changes the blocks at once, so no copy of them may still be due: it
 * would get what is not durable in the original. Everything written so far is flushed.
 */
static fat_err write_copies(struct fat_tree *tree)
{
    bool wrote;

    return fat_cache_write_copies(tree->cache, &wrote);
}

/* Too many blocks to keep: an epoch of their own. */
static fat_err write_part(struct fat_tree *tree)
{
    bool wrote;
    fat_err err = fat_cache_write_stage(tree->cache, FAT_STAGE_RECLAIM, &wrote);

    if (err == FAT_OK) {
        err = tree->dev->ops->flush(tree->dev);
    }
    return err == FAT_OK ? write_copies(tree) : err;
}

/* What is in quarantine is claimed again: the entry must not fail to be freed then. */
static fat_err free_one(struct fat_tree *tree, uint32_t cluster)
{
    struct fat_fattab_pins pins;
    fat_err err = fat_fattab_pin(&tree->fattab, cluster, &pins);

    if (err != FAT_OK) {
        return err;
    }
    err = fat_freemap_quarantine(tree->freemap, cluster);
    if (err == FAT_OK) {
        err = fat_fattab_reclaim(&tree->fattab, cluster);
    }
    fat_fattab_unpin(&tree->fattab, &pins);
    return err;
}

/*
 * Free @cluster if it is one of a chain; *@ret_link is what follows it.
 *
 * @is_last   of a piece that was counted: what follows it was not believed then either
 *
 * FAT_E_CORRUPT   it is none: nothing was changed
 */
static fat_err free_link(struct fat_tree *tree, uint32_t cluster, bool is_last,
        struct fat_link *ret_link)
{
    fat_err err;

    if (!fat_geometry_holds(&tree->geometry, cluster)) {
        return FAT_E_CORRUPT;
    }
    err = fat_fattab_peek(&tree->fattab, cluster, ret_link);
    if (err != FAT_OK) {
        return err;
    }
    if (ret_link->kind != FAT_LINK_NEXT && ret_link->kind != FAT_LINK_END &&
            !(is_last && ret_link->kind == FAT_LINK_RESERVED)) {
        return FAT_E_CORRUPT; /* a loop ends here too: its first cluster is free by now */
    }
    return free_one(tree, cluster);
}

/* The rest of @piece, from @cluster on, is the next commit's. */
static void try_later(struct fat_tree *tree, struct fat_piece *piece, uint32_t cluster,
        uint32_t freed)
{
    piece->tries++;
    piece->first = cluster;
    piece->count -= piece->count > 0 ? freed : 0;
    piece->promised -= freed < piece->promised ? freed : piece->promised;
    (void)fat_interval_enter(&tree->interval);
    fat_tree_give_up(tree, piece);
    fat_interval_leave(&tree->interval);
}

enum { TRIES_MAX = 3 };

/*
 * What can't be read, or has no memory, is left for the next commit, and in the end for
 * the next scan: all that matters of this commit is on disk by now.
 */
static void leave_rest(struct fat_tree *tree, fat_err err, struct fat_piece *piece,
        uint32_t cluster, uint32_t freed)
{
    if (err != FAT_E_CORRUPT && piece->tries < TRIES_MAX) {
        try_later(tree, piece, cluster, freed);
        return;
    }
    if (err == FAT_E_CORRUPT) {
        (void)fat_tree_damage(
                tree, cluster, "a removed file's cluster chain is broken");
    } else {
        atomic_store(
                &tree->damaged, true); /* the marks stay: the next scan finds them */
        fat_tree_note(tree, FAT_SEVERITY_WARNING, err, cluster,
                "clusters of a removed file could not be freed and stay lost");
    }
    free(piece);
}

/* Takes @piece over. Only a failed write or flush is an error here, or FAT_E_CHANGED. */
static fat_err free_piece(struct fat_tree *tree, struct fat_piece *piece)
{
    struct fat_link link = {.kind = FAT_LINK_NEXT, .cluster = piece->first};
    uint32_t freed = 0;

    do {
        const uint32_t cluster = link.cluster;
        fat_err err = free_link(tree, cluster, freed + 1 == piece->count, &link);

        if (err != FAT_OK && err != FAT_E_CHANGED) {
            leave_rest(tree, err, piece, cluster, freed);
            return FAT_OK;
        }
        freed++;
        if (err == FAT_OK && fat_cache_reclaim_waiting(tree->cache) > BLOCKS_MAX) {
            err = write_part(tree);
        }
        if (err != FAT_OK) {
            free(piece);
            return err;
        }
    } while (link.kind == FAT_LINK_NEXT && freed != piece->count);
    free(piece);
    return FAT_OK;
}

fat_err fat_reclaim_chains(struct fat_tree *tree, struct fat_piece **pieces)
{
    fat_err err = *pieces ? write_copies(tree) : FAT_OK;

    while (*pieces && err == FAT_OK) {
        struct fat_piece *piece = *pieces;

        *pieces = piece->next;
        fat_freemap_break_promise(tree->freemap, piece->promised);
        if (atomic_load(&tree->frozen)) {
            free(piece); /* its clusters may be another file's too: they stay lost */
        } else {
            err = free_piece(tree, piece);
        }
    }
    return err;
}
