/* SPDX-License-Identifier: MIT */
#include "tree/chain.h"

#include <assert.h>
#include <stdlib.h>

/*
 * One step of growth is one operation of the interval: bounded in extents and in
 * clusters, so that its edits are bounded in memory (W11).
 */
enum { STEP_EXTENTS = 64, STEP_CLUSTERS = 8192 };

/* From this size on a growing file sets clusters aside for what comes next. */
enum { AHEAD_FROM = 256 * 1024, AHEAD_BYTES = 8 * 1024 * 1024 };

struct step {
    struct fat_extent extents[STEP_EXTENTS];
    size_t count;
    uint32_t clusters;
};

static void give_back(struct fat_tree *tree, const struct step *step)
{
    for (size_t i = 0; i < step->count; i++) {
        fat_freemap_release(tree->freemap, step->extents[i]);
    }
}

static uint32_t last_cluster(const struct fat_node *node)
{
    return node->map.clusters > 0 ? fat_runmap_last(&node->map) : 0;
}

/* Claim up to @want clusters; less than that only with an error to come. */
static fat_err claim(struct fat_node *node, uint32_t want, struct step *step)
{
    uint32_t hint = last_cluster(node);
    fat_err err = FAT_OK;

    *step = (struct step){.count = 0};
    want = want < STEP_CLUSTERS ? want : STEP_CLUSTERS;
    while (step->clusters < want && step->count < STEP_EXTENTS) {
        struct fat_extent *extent = &step->extents[step->count];

        err = fat_freemap_claim(node->tree->freemap, &node->reserve, hint,
                want - step->clusters, extent);
        if (err != FAT_OK) {
            break;
        }
        step->count++;
        step->clusters += extent->count;
        hint = extent->cluster + extent->count - 1;
    }
    return step->count > 0 ? FAT_OK : err;
}

static fat_err prepare(
        struct fat_node *node, const struct step *step, struct fat_edits *edits)
{
    const struct fat_fattab *tab = &node->tree->fattab;
    fat_err err = FAT_OK;

    for (size_t i = 0; i < step->count && err == FAT_OK; i++) {
        err = fat_fattab_prepare_run(
                tab, edits, step->extents[i].cluster, step->extents[i].count, 1);
    }
    if (err == FAT_OK && node->map.clusters > 0) {
        err = fat_fattab_prepare(tab, edits, last_cluster(node), 1);
    }
    return err == FAT_OK ? fat_runmap_reserve(&node->map, step->count) : err;
}

/* FILL: the claimed entries, each pointing at the next, the last one at the end. */
static void fill_entries(
        struct fat_node *node, const struct step *step, struct fat_edits *edits)
{
    const struct fat_fattab *tab = &node->tree->fattab;

    for (size_t i = 0; i < step->count; i++) {
        const struct fat_extent *e = &step->extents[i];

        for (uint32_t c = 0; c < e->count; c++) {
            struct fat_link link = {.kind = FAT_LINK_END};

            if (c + 1 < e->count) {
                link = (struct fat_link){
                        .kind = FAT_LINK_NEXT, .cluster = e->cluster + c + 1};
            } else if (i + 1 < step->count) {
                link = (struct fat_link){
                        .kind = FAT_LINK_NEXT, .cluster = step->extents[i + 1].cluster};
            }
            fat_fattab_set(tab, edits, FAT_STAGE_FILL, e->cluster + c, link);
        }
    }
}

static bool all_in_sector(
        const struct fat_fattab *tab, const struct fat_extent *e, uint64_t sector)
{
    for (uint32_t c = e->cluster; c < e->cluster + e->count; c++) {
        if (fat_fattab_sector(tab, c) != sector || fat_fattab_straddles(tab, c)) {
            return false;
        }
    }
    return true;
}

/* LINK can go with FILL only where all that was claimed lies in the tail's sector. */
static void watch_link(struct fat_node *node, const struct step *step)
{
    const struct fat_fattab *tab = &node->tree->fattab;

    for (size_t i = 0; i < step->count; i++) {
        if (!all_in_sector(tab, &step->extents[i], node->link_sector)) {
            fat_cache_link_strays(node->tree->cache, node->link_sector);
            return;
        }
    }
}

/* The old tail points on: with LINK, unless the tail itself is not on disk yet. */
static void link_tail(struct fat_node *node, const struct step *step,
        struct fat_edits *edits, uint64_t number)
{
    const struct fat_fattab *tab = &node->tree->fattab;
    const uint32_t tail = last_cluster(node);
    const bool tail_is_new =
            node->grown == number && node->map.clusters > node->grown_from;

    fat_fattab_set(tab, edits, tail_is_new ? FAT_STAGE_FILL : FAT_STAGE_LINK, tail,
            (struct fat_link){
                    .kind = FAT_LINK_NEXT, .cluster = step->extents[0].cluster});
    if (!tail_is_new) {
        node->linked = number;
        node->link_sector = fat_fattab_sector(tab, tail);
        if (fat_fattab_straddles(tab, tail)) {
            fat_cache_link_strays(node->tree->cache, node->link_sector);
            fat_cache_link_strays(node->tree->cache, node->link_sector + 1);
        }
    }
}

static void link_step(
        struct fat_node *node, const struct step *step, struct fat_edits *edits)
{
    struct fat_tree *tree = node->tree;
    const uint64_t number = fat_interval_enter(&tree->interval);

    fill_entries(node, step, edits);
    if (node->map.clusters > 0) {
        link_tail(node, step, edits, number);
    } else {
        node->entry.first_cluster = step->extents[0].cluster;
        node->recast = number;
    }
    if (node->linked == number) {
        watch_link(node, step);
    }
    if (node->grown != number) {
        node->grown = number;
        node->grown_from = node->map.clusters;
    }
    for (size_t i = 0; i < step->count; i++) {
        fat_runmap_append(&node->map, step->extents[i].cluster, step->extents[i].count);
    }
    fat_node_set_busy(node, number);
    fat_interval_leave(&tree->interval);
}

static fat_err grow_step(struct fat_node *node, uint32_t want)
{
    struct fat_edits edits;
    struct step step;
    fat_err err = claim(node, want, &step);

    if (err != FAT_OK) {
        return err;
    }
    fat_edits_init(&edits, node->tree->cache);
    err = prepare(node, &step, &edits);
    if (err == FAT_OK) {
        link_step(node, &step, &edits);
    } else {
        give_back(node->tree, &step);
    }
    fat_edits_done(&edits);
    return err;
}

/* Interleaved writers must not shred each other: a big file takes some room ahead. */
static void reserve_ahead(struct fat_node *node)
{
    const struct fat_geometry *g = &node->tree->geometry;
    const uint32_t most = AHEAD_BYTES / g->cluster_bytes;
    const uint32_t ahead = node->map.clusters < most ? node->map.clusters : most;

    bool kept;

    if ((uint64_t)node->map.clusters * g->cluster_bytes >= AHEAD_FROM &&
            fat_freemap_reserved(node->tree->freemap, &node->reserve, &kept) == 0) {
        const fat_err speculative = fat_freemap_reserve(
                node->tree->freemap, &node->reserve, last_cluster(node), ahead, 0);

        (void)speculative; /* that there is no room for it is nobody's error */
    }
}

fat_err fat_chain_grow(struct fat_node *node, uint32_t clusters)
{
    struct fat_tree *tree = node->tree;
    fat_err err = fat_tree_learn(tree, &node->map, UINT32_MAX);

    if (err == FAT_OK && node->map.clusters < clusters &&
            !fat_interval_is_finished(&tree->interval, node->cut)) {
        return FAT_E_AGAIN; /* W3 */
    }
    while (err == FAT_OK && node->map.clusters < clusters) {
        err = fat_cache_is_heavy(tree->cache) /* W11 */
                      ? FAT_E_AGAIN
                      : grow_step(node, clusters - node->map.clusters);
    }
    if (err == FAT_OK) {
        reserve_ahead(node);
    }
    return err;
}

/* What a cut takes away, and how. */
struct cut {
    uint32_t clusters, size;
    struct fat_run rest; /* the first run that goes */
    struct fat_run tail; /* begins with the last cluster that stays, if any goes */
    bool any;            /* clusters go at all */
    bool touches;        /* it counts as a change, whatever becomes of the size */
    bool withdrawable;   /* every FAT sector of the rest is prepared */
};

static bool is_short_rest(const struct fat_node *node, const struct cut *cut)
{
    return fat_runmap_is_complete(&node->map) &&
           fat_runmap_is_whole(&node->map, cut->clusters) &&
           node->map.clusters - cut->clusters <= STEP_CLUSTERS;
}

/* For each run behind the cut, a short rest; @act returns false to stop. */
static bool each_rest(struct fat_node *node, const struct cut *cut,
        bool (*act)(struct fat_node *node, struct fat_extent extent, void *context),
        void *context)
{
    struct fat_run run;

    for (uint32_t i = cut->clusters; fat_runmap_find(&node->map, i, &run);
            i += run.count) {
        const struct fat_extent e = {.cluster = run.cluster, .count = run.count};

        if (!act(node, e, context)) {
            return false;
        }
    }
    return true;
}

static bool prepare_extent(struct fat_node *node, struct fat_extent e, void *context)
{
    return fat_fattab_prepare_run(
                   &node->tree->fattab, context, e.cluster, e.count, 1) == FAT_OK;
}

static bool withdraw_extent(struct fat_node *node, struct fat_extent e, void *context)
{
    for (uint32_t c = 0; c < e.count; c++) {
        fat_fattab_set(&node->tree->fattab, context, FAT_STAGE_FILL, e.cluster + c,
                (struct fat_link){.kind = FAT_LINK_FREE});
    }
    fat_freemap_release(node->tree->freemap, e);
    return true;
}

static bool lies_in_sector(struct fat_node *node, struct fat_extent e, void *context)
{
    const uint64_t *sector = context;

    return all_in_sector(&node->tree->fattab, &e, *sector);
}

/* Here, since in a gap of the map it takes reading. */
static fat_err find_cut(struct fat_node *node, struct cut *cut)
{
    struct fat_tree *tree = node->tree;
    fat_err err;

    cut->any = cut->clusters < node->map.clusters;
    if (!cut->any) {
        return FAT_OK;
    }
    err = fat_tree_seek(tree, &node->map, cut->clusters, &cut->rest);
    if (err == FAT_OK && cut->clusters > 0) {
        err = fat_tree_seek(tree, &node->map, cut->clusters - 1, &cut->tail);
    }
    return err == FAT_END ? FAT_E_CORRUPT : err;
}

static fat_err prepare_cut(
        struct fat_node *node, struct cut *cut, struct fat_edits *edits)
{
    fat_err err = fat_node_prepare(node, edits, 1);

    if (err == FAT_OK && cut->clusters < UINT32_MAX) {
        err = fat_tree_learn(node->tree, &node->map, cut->clusters + 1);
    }
    if (err != FAT_OK) {
        return err;
    }
    if (cut->clusters > node->map.clusters) {
        return fat_tree_damage(node->tree, node->entry.first_cluster,
                "a file's cluster chain is shorter than its size");
    }
    err = find_cut(node, cut);
    if (err == FAT_OK && cut->any && cut->clusters > 0) {
        err = fat_fattab_prepare(&node->tree->fattab, edits, cut->tail.cluster, 1);
    }
    if (err == FAT_OK && cut->any && node->fresh != 0 && is_short_rest(node, cut)) {
        cut->withdrawable = each_rest(node, cut, prepare_extent, edits);
    }
    return err;
}

/* CUT goes with RECLAIM only where all that it frees lies in the new tail's sector. */
static void watch_cut(struct fat_node *node, const struct cut *cut, uint32_t tail)
{
    const struct fat_fattab *tab = &node->tree->fattab;
    uint64_t sector = fat_fattab_sector(tab, tail);

    if (fat_fattab_straddles(tab, tail)) {
        fat_cache_cut_strays(node->tree->cache, sector);
        fat_cache_cut_strays(node->tree->cache, sector + 1);
    } else if (!is_short_rest(node, cut) ||
               !each_rest(node, cut, lies_in_sector, &sector)) {
        fat_cache_cut_strays(node->tree->cache, sector);
    }
}

static void end_at(struct fat_node *node, const struct cut *cut, enum fat_stage stage,
        struct fat_edits *edits)
{
    if (cut->clusters == 0) {
        node->entry.first_cluster = 0;
        return;
    }
    fat_fattab_set(&node->tree->fattab, edits, stage, cut->tail.cluster,
            (struct fat_link){.kind = FAT_LINK_END});
    if (stage == FAT_STAGE_CUT) {
        watch_cut(node, cut, cut->tail.cluster);
    }
}

static void apply_cut(struct fat_node *node, const struct cut *cut,
        struct fat_edits *edits, struct fat_piece **piece)
{
    struct fat_tree *tree = node->tree;
    const uint64_t number = fat_interval_enter(&tree->interval);

    if (cut->any && cut->withdrawable && node->fresh == number) {
        end_at(node, cut, FAT_STAGE_FILL, edits); /* W6 */
        (void)each_rest(node, cut, withdraw_extent, edits);
    } else if (cut->any) {
        end_at(node, cut, FAT_STAGE_CUT, edits);
        node->cut = cut->clusters > 0 ? number : node->cut; /* W3 */
        (*piece)->first = cut->rest.cluster;
        (*piece)->promised = node->map.clusters - cut->clusters;
        fat_tree_give_up(tree, *piece);
        *piece = NULL;
    }
    if (cut->any) {
        node->recast = cut->clusters == 0 ? number : node->recast;
        fat_runmap_cut(&node->map, cut->clusters, cut->tail.cluster);
    }
    if (cut->touches || node->entry.size_bytes != cut->size) {
        fat_node_touch(node);
    }
    node->entry.size_bytes = cut->size;
    fat_node_publish(node, edits);
    fat_node_set_busy(node, number);
    fat_interval_leave(&tree->interval);
}

static fat_err cut_chain(struct fat_node *node, struct cut *cut)
{
    struct fat_piece *piece = calloc(1, sizeof(*piece));
    struct fat_edits edits;
    fat_err err;

    if (!piece) {
        return FAT_E_NOMEM;
    }
    fat_edits_init(&edits, node->tree->cache);
    err = prepare_cut(node, cut, &edits);
    if (err == FAT_OK) {
        apply_cut(node, cut, &edits, &piece);
    }
    fat_edits_done(&edits);
    free(piece);
    return err;
}

fat_err fat_chain_cut(struct fat_node *node, uint32_t clusters, uint32_t size)
{
    struct cut cut = {.clusters = clusters, .size = size};

    return cut_chain(node, &cut);
}

fat_err fat_chain_truncate(struct fat_node *node, uint32_t size)
{
    struct cut cut = {
            .clusters = fat_node_clusters(node, size), .size = size, .touches = true};

    return cut_chain(node, &cut);
}
