/* SPDX-License-Identifier: MIT */
#include "volume/reclaim.h"

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

static fat_err free_one(struct fat_tree *tree, uint32_t cluster)
{
    fat_err err = fat_freemap_quarantine(tree->freemap, cluster);

    if (err == FAT_OK) {
        err = fat_fattab_reclaim(&tree->fattab, cluster);
    }
    if (err == FAT_OK && fat_cache_reclaim_waiting(tree->cache) > BLOCKS_MAX) {
        err = write_part(tree);
    }
    return err;
}

static bool goes_on(struct fat_link link)
{
    return link.kind == FAT_LINK_NEXT || link.kind == FAT_LINK_END;
}

static fat_err free_piece(struct fat_tree *tree, const struct fat_piece *piece)
{
    uint32_t cluster = piece->first;
    uint32_t freed = 0;

    while (fat_geometry_holds(&tree->geometry, cluster)) {
        struct fat_link link;
        fat_err err = fat_fattab_peek(&tree->fattab, cluster, &link);

        if (err != FAT_OK) {
            return err;
        }
        if (!goes_on(link)) {
            break;
        }
        err = free_one(tree, cluster);
        freed++;
        if (err != FAT_OK || link.kind == FAT_LINK_END || freed == piece->count) {
            return err;
        }
        cluster = link.cluster;
    }
    /* A loop ends here too: its first cluster is free by now. */
    (void)fat_tree_damage(tree, cluster, "a removed file's cluster chain is broken");
    return FAT_OK;
}

fat_err fat_reclaim_chains(struct fat_tree *tree, const struct fat_piece *pieces)
{
    fat_err err = pieces ? write_copies(tree) : FAT_OK;

    for (const struct fat_piece *p = pieces; p && err == FAT_OK; p = p->next) {
        fat_freemap_break_promise(tree->freemap, p->promised);
        err = free_piece(tree, p);
    }
    return err;
}
