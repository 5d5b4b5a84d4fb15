/* SPDX-License-Identifier: MIT */
#include "volume/scan.h"

#include <stdlib.h>
#include <string.h>

#include "base/scope.h"
#include "volume/check.h"
#include "volume/leftovers.h"

/* What the checker said, as far as it has to be acted upon. */
struct fat_scan {
    struct fat_tree *tree;
    bool cut_sizes;
    struct fat_piece *lost;
    size_t lost_count;
    bool more_lost; /* than one scan gives back */
    struct fat_leftovers leftovers;
    bool copies_differ;
    bool damaged;      /* something is wrong that is neither mended nor fatal */
    size_t duplicates; /* names used twice; gone with the second name of one chain */
    bool moved;        /* some ".." names an old parent */
    bool fatal;
    uint32_t fatal_cluster;
    uint32_t free_count;
    fat_err err; /* no memory to remember something */
};

static void remember_lost(struct fat_scan *found, const struct fat_finding *finding)
{
    struct fat_piece *piece;

    if (found->lost_count == FAT_SCAN_LOST_MAX) {
        found->more_lost = true;
        return;
    }
    piece = calloc(1, sizeof(*piece));
    if (!piece) {
        found->err = FAT_E_NOMEM;
        return;
    }
    piece->first = finding->cluster;
    piece->count = finding->first;
    piece->promised = finding->first;
    piece->next = found->lost;
    found->lost = piece;
    found->lost_count++;
}

static void remember(struct fat_scan *found, struct fat_leftover_list *list,
        struct fat_leftover leftover)
{
    const fat_err err = fat_leftover_add(list, &leftover);

    found->err = err == FAT_OK ? found->err : err;
}

bool fat_scan_is_fatal(enum fat_finding_kind kind)
{
    static const enum fat_finding_kind fatal[] = {FAT_FINDING_CHAIN_LOOP,
            FAT_FINDING_CHAIN_FREE, FAT_FINDING_CHAIN_BAD, FAT_FINDING_CHAIN_RANGE,
            FAT_FINDING_START, FAT_FINDING_CROSS_LINK, FAT_FINDING_DIR_LOOP,
            FAT_FINDING_DIR_DOT_CLUSTER, FAT_FINDING_READ_ERROR,
            FAT_FINDING_DEVICE_SHORT};

    for (size_t i = 0; i < sizeof(fatal) / sizeof(fatal[0]); i++) {
        if (fatal[i] == kind) {
            return true;
        }
    }
    return false;
}

/* A ".." that is there, but names what is no directory. */
static bool is_wild_dotdot(const struct fat_finding *finding)
{
    return finding->kind == FAT_FINDING_DIR_DOT && finding->cluster != 0 &&
           finding->first != finding->second;
}

bool fat_scan_mends(const struct fat_finding *finding, bool cut_sizes)
{
    return finding->weight != FAT_WEIGHT_DAMAGE ||
           finding->kind == FAT_FINDING_FSINFO_COUNT || is_wild_dotdot(finding) ||
           (finding->kind == FAT_FINDING_CHAIN_SHORT && cut_sizes);
}

/* What there is to mend. */
static void keep(struct fat_scan *found, const struct fat_finding *finding)
{
    struct fat_leftovers *l = &found->leftovers;
    const struct fat_leftover chain = {
            .cluster = finding->cluster, .count = finding->second};

    if (finding->kind == FAT_FINDING_LOST_CHAIN) {
        remember_lost(found, finding);
    } else if (finding->kind == FAT_FINDING_ALIAS) {
        remember(found, &l->aliases, chain);
    } else if (finding->kind == FAT_FINDING_FAT_DIFFERS) {
        found->copies_differ = true;
    } else if (finding->kind == FAT_FINDING_CHAIN_LONG ||
               finding->kind == FAT_FINDING_EMPTY_WITH_CHAIN) {
        remember(found, &l->longs, chain);
    } else if (finding->kind == FAT_FINDING_LFN_ORPHAN) {
        remember(found, &l->orphans,
                (struct fat_leftover){.cluster = finding->cluster,
                        .first = finding->first,
                        .count = finding->second});
    } else if (finding->kind == FAT_FINDING_DIR_DOTDOT_CLUSTER ||
               is_wild_dotdot(finding)) {
        found->moved = true;
    } else if (finding->kind == FAT_FINDING_CHAIN_SHORT && found->cut_sizes) {
        remember(found, &l->shorts, chain);
    }
}

static void listen(void *context, const struct fat_finding *finding)
{
    struct fat_scan *found = context;

    if (fat_scan_is_fatal(finding->kind) && !found->fatal) {
        found->fatal = true;
        found->fatal_cluster = finding->cluster;
        fat_tree_note(found->tree, FAT_SEVERITY_WARNING, FAT_E_CORRUPT,
                finding->cluster, finding->text);
    }
    if (finding->kind == FAT_FINDING_DUPLICATE_NAME) {
        found->duplicates++;
    } else if (!fat_scan_mends(finding, found->cut_sizes)) {
        found->damaged = true;
    }
    keep(found, finding);
}

enum { COPY_BYTES = 64 * 1024 };

static fat_err rewrite_part(struct fat_tree *tree, uint64_t at, uint8_t *original,
        uint8_t *copy, size_t length)
{
    const struct fat_geometry *g = &tree->geometry;
    const uint64_t fat_bytes = g->fat_sectors * g->sector_bytes;
    const uint64_t start = g->fat_start * g->sector_bytes + at;
    fat_err err = tree->dev->ops->read(
            tree->dev, start + g->active_fat * fat_bytes, original, length);

    for (uint32_t i = 0; i < g->fat_count && err == FAT_OK; i++) {
        if (i == g->active_fat) {
            continue;
        }
        err = tree->dev->ops->read(tree->dev, start + i * fat_bytes, copy, length);
        if (err == FAT_OK && memcmp(copy, original, length) != 0) {
            err = tree->dev->ops->write(
                    tree->dev, start + i * fat_bytes, original, length);
        }
    }
    return err;
}

/* The copies from the first: nothing else writes the FAT before the first change. */
static fat_err rewrite_copies(struct fat_tree *tree, const atomic_bool *stop)
{
    const struct fat_geometry *g = &tree->geometry;
    const uint64_t fat_bytes = g->fat_sectors * g->sector_bytes;
    uint8_t *buffers = malloc((size_t)2 * COPY_BYTES);
    fat_err err = buffers ? FAT_OK : FAT_E_NOMEM;

    for (uint64_t at = 0; at < fat_bytes && err == FAT_OK; at += COPY_BYTES) {
        const uint64_t left = fat_bytes - at;

        err = rewrite_part(tree, at, buffers, buffers + COPY_BYTES,
                left < COPY_BYTES ? (size_t)left : COPY_BYTES);
        if (err == FAT_OK && atomic_load(stop)) {
            err = FAT_E_STOPPED; /* each part is better than it was */
        }
    }
    free(buffers);
    if (err == FAT_OK) {
        fat_interval_data_written(&tree->interval);
    }
    return err;
}

static void give_back_lost(struct fat_tree *tree, struct fat_scan *found)
{
    (void)fat_interval_enter(&tree->interval);
    while (found->lost) {
        struct fat_piece *piece = found->lost;

        found->lost = piece->next;
        fat_tree_give_up(tree, piece);
    }
    fat_interval_leave(&tree->interval);
}

/* A repair's wish: the volume takes them over. */
static bool hand_over_lost(struct fat_scan_wishes *wishes, struct fat_scan *found)
{
    if (!wishes || !wishes->keep_lost) {
        return false;
    }
    wishes->lost = found->lost;
    found->lost = NULL;
    return true;
}

void fat_volume_stop_recovery(struct fat_volume *volume)
{
    atomic_store(&volume->scan_stopped, true);
}

/* Once: whoever waits for the scan is refused for the same reason. */
static fat_err say_stopped(struct fat_volume *volume)
{
    if (!volume->said_stopped) {
        volume->said_stopped = true;
        fat_tree_note(&volume->tree, FAT_SEVERITY_WARNING, FAT_E_STOPPED, 0,
                "it was not unmounted cleanly, and the scan of it was stopped: it stays "
                "marked dirty");
    }
    return FAT_E_STOPPED;
}

static fat_err judge(struct fat_volume *volume, struct fat_scan *scan)
{
    scan->fatal |= fat_leftovers_are_too_many(&scan->leftovers);
    /* A second name of one chain goes, and with it the second use of a name. */
    scan->damaged |= scan->duplicates > scan->leftovers.aliases.count;
    if (!scan->fatal) {
        return FAT_OK;
    }
    (void)fat_tree_danger(&volume->tree, scan->fatal_cluster,
            "it was not unmounted cleanly, and has damage that endangers data");
    return FAT_E_READONLY;
}

void fat_scan_free(struct fat_scan *scan)
{
    if (scan) {
        fat_piece_free_all(scan->lost);
        fat_leftovers_done(&scan->leftovers);
        free(scan);
    }
}
FAT_DEFINE_CLEANUP(struct fat_scan, fat_scan_free);

fat_err fat_scan_look(struct fat_volume *volume, struct fat_scan **ret)
{
    FAT_CLEANUP(fat_scan_free) struct fat_scan *scan = calloc(1, sizeof(*scan));
    struct fat_check_summary summary;
    fat_err err;

    if (!scan) {
        return FAT_E_NOMEM;
    }
    scan->tree = &volume->tree;
    scan->cut_sizes = volume->wishes && volume->wishes->cut_sizes;
    err = fat_check_until(
            volume->tree.dev, &volume->scan_stopped, listen, scan, &summary);
    if (err == FAT_E_STOPPED) {
        return say_stopped(volume);
    }
    err = err == FAT_OK ? scan->err : err;
    if (err == FAT_OK) {
        err = judge(volume, scan);
    }
    if (err == FAT_OK) {
        scan->free_count = summary.clusters_free;
        *ret = scan;
        scan = NULL;
    }
    return err;
}

static fat_err mend(struct fat_volume *volume, struct fat_scan *found)
{
    struct fat_tree *tree = &volume->tree;
    const atomic_bool *stop = &volume->scan_stopped;
    fat_err err = FAT_OK;

    if (found->copies_differ && tree->geometry.mirrored) {
        err = rewrite_copies(tree, stop);
    }
    if (err == FAT_OK && (found->moved || fat_leftovers_are_any(&found->leftovers))) {
        err = fat_leftovers_mend(tree, &found->leftovers, stop);
    }
    if (err == FAT_OK) {
        fat_freemap_set_count(tree->freemap, found->free_count);
        if (!found->damaged && !hand_over_lost(volume->wishes, found)) {
            give_back_lost(tree, found);
        }
    }
    return err;
}

fat_err fat_scan_mend(struct fat_volume *volume, struct fat_scan *scan)
{
    const fat_err err = mend(volume, scan);

    if (err == FAT_OK) {
        volume->tree.unscanned = false;
        /* CLEAR must not hide it (W7). */
        atomic_store(&volume->tree.damaged, scan->damaged || scan->more_lost);
    }
    return err == FAT_E_STOPPED ? say_stopped(volume) : err;
}
