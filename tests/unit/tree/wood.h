/* SPDX-License-Identifier: MIT */
/*
 * A tree without a volume around it: a freshly formatted image, slots written into it
 * byte by byte, and then all that the tree floor stands on.
 */
#ifndef TEST_TREE_WOOD_H
#define TEST_TREE_WOOD_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <fatward/format.h>

#include "ondisk/bpb.h"
#include "ondisk/fsinfo.h"
#include "support/cmocka.h"
#include "support/recdev.h"
#include "tree/dir.h"
#include "tree/node.h"
#include "tree/release.h"

struct wood {
    struct fat_blkdev *base;
    struct recdev *rec;
    struct fat_tree *tree;
    struct fat_node *root;
    struct fat_geometry g;
    unsigned reports;
};

static inline void wood_make(struct wood *w, unsigned type, uint32_t sector_bytes)
{
    const struct fat_format_options options = {
            .type = type, .sector_bytes = sector_bytes, .cluster_sectors = 1};
    const uint64_t clusters = type == 12 ? 2000 : type == 16 ? 6000 : 70000;
    uint8_t raw[FAT_BOOT_BYTES];
    struct fat_bpb bpb;
    const char *rule;

    *w = (struct wood){.reports = 0};
    assert_int_equal(fat_blkdev_mem_new(clusters * sector_bytes, &w->base), FAT_OK);
    assert_int_equal(fat_format(w->base, &options, NULL), FAT_OK);
    assert_int_equal(w->base->ops->read(w->base, 0, raw, sizeof(raw)), FAT_OK);
    fat_bpb_decode(raw, &bpb);
    assert_int_equal(fat_geometry_derive(&bpb, &w->g, &rule), FAT_OK);
}

/* @where: 0 is the root, else the cluster of a directory that has one. */
static inline void wood_put(
        struct wood *w, uint32_t where, uint32_t slot, const void *raw, size_t length)
{
    const uint64_t sector = where != 0 ? fat_geometry_sector(&w->g, where)
                            : w->g.root_cluster != 0
                                    ? fat_geometry_sector(&w->g, w->g.root_cluster)
                                    : w->g.root_start;

    assert_int_equal(w->base->ops->write(w->base,
                             sector * w->g.sector_bytes + slot * 32ULL, raw, length),
            FAT_OK);
}

static inline void wood_put_short(struct wood *w, uint32_t where, uint32_t slot,
        const char *name, unsigned attributes, uint32_t cluster)
{
    struct fat_dirent entry = {
            .attributes = (uint8_t)attributes, .first_cluster = cluster};
    uint8_t raw[FAT_SLOT_BYTES] = {0};

    memcpy(entry.name, name, FAT_SHORT_BYTES);
    fat_dirent_encode(w->g.type, &entry, raw);
    wood_put(w, where, slot, raw, sizeof(raw));
}

/* One slot of a long name, as it has to be in front of the short entry @alias. */
static inline void wood_put_long(struct wood *w, uint32_t slot, const uint16_t *units,
        size_t length, unsigned ordinal, const char *alias)
{
    uint8_t bytes[FAT_SHORT_BYTES];
    uint8_t raw[FAT_SLOT_BYTES];

    memcpy(bytes, alias, sizeof(bytes));
    fat_lfn_encode(units, length, ordinal, fat_lfn_checksum(bytes), raw);
    wood_put(w, 0, slot, raw, sizeof(raw));
}

/* One FAT entry of the first copy: FAT16 only. */
static inline void wood_put_fat(struct wood *w, uint32_t cluster, uint32_t value)
{
    const uint8_t raw[2] = {(uint8_t)value, (uint8_t)(value >> 8)};

    assert_int_equal(w->g.type, FAT_TYPE_16);
    assert_int_equal(
            w->base->ops->write(w->base,
                    w->g.fat_start * w->g.sector_bytes + 2ULL * cluster, raw, 2),
            FAT_OK);
}

static inline void wood_report(void *context, const struct fat_report *report)
{
    struct wood *w = context;

    w->reports += report->severity == FAT_SEVERITY_DAMAGE;
}

static inline void wood_open(struct wood *w)
{
    const struct fat_dirent entry = {
            .attributes = FAT_ATTR_DIRECTORY, .first_cluster = w->g.root_cluster};
    struct fat_tree *tree = calloc(1, sizeof(*tree));

    assert_non_null(tree);
    assert_int_equal(recdev_new(w->base, &w->rec), FAT_OK);
    fat_tree_init(tree);
    tree->dev = recdev_blkdev(w->rec);
    tree->geometry = w->g;
    tree->report = wood_report;
    tree->report_context = w;
    assert_int_equal(
            fat_cache_new(tree->dev, w->g.sector_bytes, 1 << 20, &tree->cache), FAT_OK);
    fat_fattab_init(&tree->fattab, &tree->geometry, tree->cache);
    assert_int_equal(
            fat_freemap_new(&tree->fattab, FAT_FSINFO_UNKNOWN, 0, &tree->freemap),
            FAT_OK);
    assert_int_equal(fat_node_new(tree, &entry, &tree->root), FAT_OK);
    tree->root->ino = 1;
    w->tree = tree;
    w->root = tree->root;
}

static inline void wood_commit(struct wood *w)
{
    struct fat_interval *interval = &w->tree->interval;
    struct fat_interval_taken taken;
    bool wrote;

    fat_rwlock_write(&interval->lock);
    fat_tree_merge_renames(w->tree);
    (void)fat_cache_snapshot(w->tree->cache);
    taken = fat_interval_take(interval);
    fat_rwlock_write_end(&interval->lock);
    for (int i = 0; i < FAT_STAGE_COUNT; i++) {
        assert_int_equal(
                fat_cache_write_stage(w->tree->cache, (enum fat_stage)i, &wrote),
                FAT_OK);
    }
    fat_freemap_settle(w->tree->freemap);
    fat_piece_free_all(taken.pieces);
    interval->finished = taken.number;
    fat_tree_release_renamed(w->tree);
    fat_tree_release_busy(w->tree);
}

static inline void wood_done(struct wood *w)
{
    assert_int_equal(w->root->refs, 1); /* nobody forgot a reference */
    fat_node_unref(w->root);
    fat_freemap_free(w->tree->freemap);
    fat_cache_free(w->tree->cache);
    fat_tree_done(w->tree);
    free(w->tree);
    recdev_free(w->rec);
    fat_blkdev_close(w->base);
}

/* What a walk shows: "first-slot name|" per entry; items of their slots agree. */
static inline void wood_walk(
        struct wood *w, struct fat_node *directory, char *text, size_t room)
{
    struct fat_dir_walk walk = {.slot = 0};
    struct fat_dir_item item;
    struct fat_dir_item same;

    (void)w;
    text[0] = '\0';
    fat_lfn_reset(&walk.lfn);
    while (fat_dir_walk_next(directory, &walk, &item) == FAT_OK) {
        size_t at = strlen(text);

        at += (size_t)snprintf(
                text + at, room - at, "%u-%u ", item.first, item.place.slot);
        for (size_t i = 0; i < item.length && at + 2 < room; i++) {
            text[at++] = item.name[i] < 128 ? (char)item.name[i] : '?';
        }
        text[at++] = '|';
        text[at] = '\0';
        assert_ptr_equal(item.place.parent, directory);
        assert_int_equal(item.place.slot - item.first + 1, item.place.slots);
        assert_int_equal(fat_dir_item_at(directory, item.place.slot, &same), FAT_OK);
        assert_int_equal(same.first, item.first);
        assert_int_equal(same.place.sector, item.place.sector);
        assert_int_equal(same.place.offset, item.place.offset);
        assert_int_equal(same.length, item.length);
        assert_memory_equal(same.name, item.name, 2 * item.length);
        assert_int_equal(same.hashes.shown, item.hashes.shown);
        assert_int_equal(same.hashes.alias, item.hashes.alias);
        assert_memory_equal(same.raw, item.raw, FAT_SLOT_BYTES);
    }
}

static inline void wood_assert_walk(struct wood *w, const char *expected)
{
    char text[4096];

    wood_walk(w, w->root, text, sizeof(text));
    assert_string_equal(text, expected);
}

/*
 * A directory at cluster @first, whose chain the case has written; nobody has looked at
 * the root so far.
 */
static inline struct fat_node *wood_open_sub(struct wood *w, uint32_t first)
{
    const struct fat_place place = {.parent = w->root,
            .slot = 3,
            .slots = 1,
            .sector = w->g.root_start,
            .offset = 96};
    struct fat_node *node = NULL;

    wood_put_short(w, 0, place.slot, "SUB        ", FAT_ATTR_DIRECTORY, first);
    assert_int_equal(fat_node_at(w->tree, &place, &node), FAT_OK);
    return node;
}

#endif
