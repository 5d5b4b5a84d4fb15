/* SPDX-License-Identifier: MIT */
/* Opening and closing volumes, and what can be asked of them. */
#include "volume/state.h"

#include <stdlib.h>
#include <string.h>

#include "base/scope.h"
#include "base/utf16.h"
#include "ondisk/fsinfo.h"
#include "tree/dir.h"
#include "tree/maps.h"
#include "tree/release.h"
#include "volume/commit.h"
#include "volume/label.h"
#include "volume/marks.h"

enum { CACHE_BYTES = 8 * 1024 * 1024 };

static void tell(
        const struct fat_volume_options *options, fat_err err, const char *text)
{
    const struct fat_report report = {
            .severity = FAT_SEVERITY_WARNING, .err = err, .text = text};

    if (options->report) {
        options->report(options->report_context, &report);
    }
}

/* Boot sector to geometry; what is wrong with it is told by the rule it breaks. */
static fat_err read_boot(struct fat_volume *volume, struct fat_blkdev *dev,
        const struct fat_volume_options *options)
{
    uint8_t raw[FAT_BOOT_BYTES];
    const char *rule = NULL;
    fat_err err;

    if (dev->size_bytes < sizeof(raw)) {
        tell(options, FAT_E_NOTFAT, "too small for a boot sector (512 bytes)");
        return FAT_E_NOTFAT;
    }
    err = dev->ops->read(dev, 0, raw, sizeof(raw));
    if (err != FAT_OK) {
        return err;
    }
    fat_bpb_decode(raw, &volume->bpb);
    err = fat_bpb_validate(&volume->bpb, &rule);
    if (err == FAT_OK) {
        err = fat_geometry_derive(&volume->bpb, &volume->tree.geometry, &rule);
    }
    if (err != FAT_OK) {
        tell(options, err, rule);
    }
    return err;
}

/* FAT32's free count, if it is worth anything: not after an unclean end. */
static fat_err read_fsinfo(struct fat_volume *volume, struct fat_fsinfo *ret)
{
    struct fat_tree *tree = &volume->tree;
    uint8_t raw[FAT_BOOT_BYTES];
    fat_err err;

    *ret = (struct fat_fsinfo){
            .free_count = FAT_FSINFO_UNKNOWN, .next_free = FAT_FSINFO_UNKNOWN};
    if (tree->geometry.fsinfo_sector == 0 || volume->found_dirty) {
        return FAT_OK;
    }
    err = fat_cache_read(
            tree->cache, tree->geometry.fsinfo_sector, 0, raw, sizeof(raw), 0);
    if (err == FAT_OK && fat_fsinfo_is_valid(raw)) {
        *ret = fat_fsinfo_decode(raw, tree->geometry.cluster_count);
    }
    return err;
}

static void set_copies(struct fat_tree *tree)
{
    const struct fat_geometry *g = &tree->geometry;
    const struct fat_cache_copies copies = {
            .start = g->fat_start + g->active_fat * g->fat_sectors,
            .sectors = g->fat_sectors,
            .count = g->fat_count,
            .original = g->active_fat};

    if (g->mirrored) {
        fat_cache_set_copies(tree->cache, &copies);
    }
}

static size_t cache_bytes(const struct fat_volume_options *options)
{
    return options->cache_bytes ? options->cache_bytes : CACHE_BYTES;
}

static fat_err open_tables(struct fat_volume *volume, size_t budget_bytes)
{
    struct fat_tree *tree = &volume->tree;
    struct fat_fsinfo info;
    fat_err err = fat_cache_new(
            tree->dev, tree->geometry.sector_bytes, budget_bytes, &tree->cache);

    if (err != FAT_OK) {
        return err;
    }
    set_copies(tree);
    fat_fattab_init(&tree->fattab, &tree->geometry, tree->cache);
    err = fat_marks_are_set(volume, &volume->found_dirty);
    if (err == FAT_OK) {
        err = read_fsinfo(volume, &info);
    }
    if (err == FAT_OK) {
        err = fat_freemap_new(
                &tree->fattab, info.free_count, info.next_free, &tree->freemap);
    }
    return err;
}

static fat_err open_root(struct fat_tree *tree)
{
    const struct fat_dirent entry = {.attributes = FAT_ATTR_DIRECTORY,
            .first_cluster = tree->geometry.root_cluster};
    fat_err err = fat_node_new(tree, &entry, &tree->root);

    if (err == FAT_OK) {
        tree->root->ino = 1;
    }
    return err;
}

static void decide_read_only(struct fat_tree *tree, uint32_t flags)
{
    if (tree->dev->read_only) {
        tree->read_only = "the device is read-only";
    } else if (flags & FAT_VOLUME_READ_ONLY) {
        tree->read_only = "it was opened read-only";
    } else if (fat_geometry_end(&tree->geometry) > tree->dev->size_bytes) {
        tree->read_only = "the volume is larger than its device";
        fat_tree_note(tree, FAT_SEVERITY_WARNING, FAT_E_CORRUPT, 0,
                "the volume is larger than its device: opened read-only");
    }
}

/* What can never be marked is never written to, and its files can still be saved. */
static fat_err load_marks(struct fat_volume *volume)
{
    struct fat_tree *tree = &volume->tree;
    const fat_err err = tree->read_only ? FAT_OK : fat_marks_load(volume);

    if (err == FAT_OK || err == FAT_E_NOMEM) {
        return err;
    }
    tree->read_only = "the sectors of its dirty marks can't be read";
    fat_tree_note(tree, FAT_SEVERITY_WARNING, err, 0,
            "the sectors of the dirty marks can't be read: opened read-only");
    return FAT_OK;
}

/* Everything but fat_commit_last(): nothing of it touches the device. */
static void destroy(struct fat_volume *volume)
{
    struct fat_tree *tree = &volume->tree;

    fat_node_unref(tree->root);
    fat_marks_unload(volume);
    fat_freemap_free(tree->freemap);
    fat_cache_free(tree->cache);
    fat_tree_done(tree);
    fat_mutex_done(&volume->commit_lock);
    free(volume);
}
FAT_DEFINE_CLEANUP(struct fat_volume, destroy);

/* "Block device error" alone would say nothing of an image that was copied in part. */
static void explain(struct fat_tree *tree, fat_err err)
{
    if (err == FAT_E_IO && fat_geometry_end(&tree->geometry) > tree->dev->size_bytes) {
        fat_tree_note(tree, FAT_SEVERITY_DAMAGE, err, 0,
                "the volume is larger than its device, and what was cut off is needed");
    }
}

static void set_options(
        struct fat_volume *volume, const struct fat_volume_options *options)
{
    struct fat_tree *tree = &volume->tree;

    tree->continues = (options->flags & FAT_VOLUME_CONTINUE) != 0;
    tree->utc_offset = options->utc_offset;
    tree->index_budget = cache_bytes(options) / 2;
    fat_maps_set_budget(tree, cache_bytes(options) * 4);
    tree->clock = options->clock;
    tree->clock_context = options->clock_context;
    tree->report = options->report;
    tree->report_context = options->report_context;
}

fat_err fat_volume_open(struct fat_blkdev *dev,
        const struct fat_volume_options *options, struct fat_volume **ret)
{
    static const struct fat_volume_options none;
    FAT_CLEANUP(destroy) struct fat_volume *volume = calloc(1, sizeof(*volume));
    fat_err err;

    if (!volume) {
        return FAT_E_NOMEM;
    }
    options = options ? options : &none;
    fat_tree_init(&volume->tree);
    fat_mutex_init(&volume->commit_lock, FAT_LOCK_COMMIT);
    volume->tree.dev = dev;
    set_options(volume, options);
    err = read_boot(volume, dev, options);
    if (err == FAT_OK) {
        err = open_tables(volume, cache_bytes(options));
    }
    if (err == FAT_OK) {
        err = open_root(&volume->tree);
    }
    if (err != FAT_OK) {
        explain(&volume->tree, err);
        return err;
    }
    volume->tree.unscanned = volume->found_dirty;
    decide_read_only(&volume->tree, options->flags);
    err = load_marks(volume);
    if (err != FAT_OK) {
        return err;
    }
    *ret = volume;
    volume = NULL;
    return FAT_OK;
}

fat_err fat_volume_close(struct fat_volume *volume)
{
    const fat_err err = fat_commit_last(volume);

    /* Where no commit could be made any more, nobody need wait for one. */
    fat_tree_merge_renames(&volume->tree);
    volume->tree.interval.finished = UINT64_MAX;
    fat_tree_release_renamed(&volume->tree);
    fat_tree_release_busy(&volume->tree);
    destroy(volume);
    return err;
}

fat_err fat_volume_commit(struct fat_volume *volume)
{
    return fat_commit_run(volume);
}

struct fat_volume_pending fat_volume_pending(struct fat_volume *volume)
{
    const struct fat_interval *interval = &volume->tree.interval;
    const uint64_t changes = interval->changes;

    return (struct fat_volume_pending){
            .any = changes != interval->committed, .changes = changes};
}

const char *fat_volume_read_only_reason(struct fat_volume *volume)
{
    return volume->tree.read_only;
}

fat_err fat_volume_recover(struct fat_volume *volume)
{
    const fat_err err =
            volume->found_dirty ? fat_commit_before_change(volume) : FAT_END;

    if (err != FAT_OK) {
        return err == FAT_END ? FAT_OK : err;
    }
    return fat_commit_run(volume);
}

bool fat_volume_is_read_only(struct fat_volume *volume)
{
    return volume->tree.read_only != NULL;
}

void fat_volume_info(struct fat_volume *volume, struct fat_volume_info *ret)
{
    const struct fat_geometry *g = &volume->tree.geometry;
    const struct fat_bpb *bpb = &volume->bpb;

    *ret = (struct fat_volume_info){.type = (unsigned)g->type,
            .sector_bytes = g->sector_bytes,
            .cluster_bytes = g->cluster_bytes,
            .cluster_count = g->cluster_count,
            .fat_count = g->fat_count,
            .active_fat = g->active_fat,
            .root_entries = g->root_entries,
            .root_cluster = g->root_cluster,
            .fat_start = g->fat_start,
            .fat_sectors = g->fat_sectors,
            .root_start = g->root_start,
            .data_start = g->data_start,
            .total_sectors = g->total_sectors,
            .fsinfo_sector = g->fsinfo_sector,
            .backup_sector = g->backup_sector,
            .serial = bpb->serial,
            .media = g->media,
            .mirrored = g->mirrored,
            .found_dirty = volume->found_dirty,
            .has_serial = bpb->boot_signature == 0x28 || bpb->boot_signature == 0x29};
    memcpy(ret->oem_name, bpb->oem_name, sizeof(bpb->oem_name));
    fat_label_read(volume, ret->label, sizeof(ret->label));
}

fat_err fat_volume_free_clusters(struct fat_volume *volume, uint32_t *ret)
{
    return fat_freemap_count(volume->tree.freemap, ret);
}

struct fat_node *fat_volume_root(struct fat_volume *volume)
{
    return fat_node_ref(volume->tree.root);
}
