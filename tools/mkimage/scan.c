/* SPDX-License-Identifier: MIT */
#include "mkimage/scan.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "mkimage/complain.h"
#include "mkimage/signals.h"

/* The folders from the top down to here, so that a link upwards is noticed. */
struct level {
    const struct level *above;
    dev_t device;
    ino_t inode;
};

struct scan {
    struct source_path path;
    const struct source_rules *rules;
    const struct trial *trial;
    struct scan_totals totals;
};

static uint64_t clusters_for(const struct scan *scan, uint64_t bytes)
{
    const struct fat_format_result *geometry = scan->trial->geometry;
    const uint64_t cluster =
            (uint64_t)geometry->sector_bytes * geometry->cluster_sectors;

    return bytes / cluster + (bytes % cluster != 0);
}

static bool is_above(const struct level *level, const struct source_entry *entry)
{
    for (; level; level = level->above) {
        if (level->device == entry->device && level->inode == entry->inode) {
            return true;
        }
    }
    return false;
}

static bool scan_folder(struct scan *scan, const struct level *level);

static bool scan_entry(
        struct scan *scan, const struct level *level, const struct source_entry *entry)
{
    const struct level below = {level, entry->device, entry->inode};

    if (!entry->is_folder) {
        scan->totals.files++;
        scan->totals.clusters += clusters_for(scan, entry->size_bytes);
        return true;
    }
    if (is_above(level, entry)) {
        complain(scan->path.text, "leads back to a folder that it is in");
        return false;
    }
    scan->totals.folders++;
    return scan_folder(scan, &below);
}

static bool scan_list(
        struct scan *scan, const struct level *level, const struct source_list *list)
{
    const size_t length = scan->path.length;
    uint64_t bytes;
    bool done = true;

    if (!trial_names(scan->trial, &scan->path, list, !level->above, &bytes)) {
        return false;
    }
    scan->totals.clusters += clusters_for(scan, bytes);
    for (size_t i = 0; done && i < list->count; i++) {
        done = !signals_pending() &&
               source_path_push(&scan->path, list->entries[i].name) &&
               scan_entry(scan, level, &list->entries[i]);
        source_path_pop(&scan->path, length);
    }
    return done;
}

/* Recurses at most PATH_MAX / 2 deep: source_path_push() refuses longer paths. */
static bool scan_folder(struct scan *scan, const struct level *level)
{
    struct source_list list;
    bool done;

    if (!source_list_read(&scan->path, scan->rules, &list)) {
        return false;
    }
    done = scan_list(scan, level, &list);
    source_list_free(&list);
    return done;
}

/*
 * The engine claims no cluster whose FAT12 entry lies in two sectors of the only FAT: such
 * a sector border, of 3 bytes that hold two entries, is none that 3 divides.
 */
static uint32_t clusters_to_claim(const struct fat_format_result *geometry)
{
    uint32_t clusters = geometry->cluster_count;

    if (geometry->type != 12 || geometry->fat_count > 1) {
        return clusters;
    }
    for (uint32_t border = geometry->sector_bytes;
            (uint64_t)border * 2 / 3 < (uint64_t)geometry->cluster_count + 2;
            border += geometry->sector_bytes) {
        clusters -= border % 3 != 0 ? 1U : 0U;
    }
    return clusters;
}

static bool has_room(const struct scan *scan)
{
    const struct fat_format_result *geometry = scan->trial->geometry;
    const uint32_t clusters = clusters_to_claim(geometry);
    const uint64_t cluster =
            (uint64_t)geometry->sector_bytes * geometry->cluster_sectors;

    if (scan->totals.clusters <= clusters) {
        return true;
    }
    complain(scan->path.text,
            "does not fit: %" PRIu64 " bytes are missing (it needs %" PRIu64
            " clusters of %" PRIu64 " bytes, the volume has %" PRIu32 ")",
            (scan->totals.clusters - clusters) * cluster, scan->totals.clusters,
            cluster, clusters);
    return false;
}

bool scan_source(const char *folder, const struct source_rules *rules,
        const struct trial *trial, struct scan_totals *ret)
{
    struct scan scan = {.rules = rules, .trial = trial};
    struct level top = {NULL, 0, 0};
    struct stat st;

    if (!source_path_start(&scan.path, folder)) {
        return false;
    }
    if (stat(folder, &st) != 0) {
        complain(folder, "%s", strerror(errno));
        return false;
    }
    top.device = st.st_dev;
    top.inode = st.st_ino;
    if (!scan_folder(&scan, &top) || !has_room(&scan)) {
        return false;
    }
    *ret = scan.totals;
    return true;
}
