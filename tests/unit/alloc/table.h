/* SPDX-License-Identifier: MIT */
/*
 * A FAT and nothing else, on a recording device: one sector in front, two copies of
 * the table behind it, the second one stale. Entries are written byte by byte.
 */
#ifndef TEST_ALLOC_TABLE_H
#define TEST_ALLOC_TABLE_H

#include <stdlib.h>
#include <string.h>

#include "alloc/fattab.h"
#include "block/cache.h"
#include "block/stage.h"
#include "support/cmocka.h"
#include "support/recdev.h"

struct table {
    struct fat_blkdev *base;
    struct recdev *rec;
    struct fat_blkdev *dev;
    struct fat_geometry geometry;
    struct fat_cache *cache;
    struct fat_fattab tab;
};

enum { VALUE_BAD = -3, VALUE_RESERVED = -2, VALUE_END = -1, VALUE_FREE = 0 };

static inline void table_put(struct table *t, uint32_t cluster, int64_t value)
{
    const struct fat_ent_span span = fat_ent_locate(t->geometry.type, cluster);
    const uint64_t offset = t->geometry.fat_start * 512 + span.offset;
    const uint32_t ends[3] = {0x0fffffff, 1, 0x0ffffff7};
    const uint32_t bits = value < 0 ? ends[-value - 1] : (uint32_t)value;
    uint8_t raw[4];

    assert_int_equal(t->base->ops->read(t->base, offset, raw, span.length), FAT_OK);
    if (t->geometry.type == FAT_TYPE_12 && cluster % 2) {
        raw[0] = (uint8_t)((raw[0] & 0x0f) | (bits << 4 & 0xf0));
        raw[1] = (uint8_t)(bits >> 4);
    } else if (t->geometry.type == FAT_TYPE_12) {
        raw[0] = (uint8_t)bits;
        raw[1] = (uint8_t)((raw[1] & 0xf0) | (bits >> 8 & 0x0f));
    } else {
        for (unsigned i = 0; i < span.length; i++) {
            raw[i] = (uint8_t)(bits >> 8 * i);
        }
    }
    assert_int_equal(t->base->ops->write(t->base, offset, raw, span.length), FAT_OK);
}

/* A table of @clusters free clusters, with room for no entry more than its sectors. */
static inline void table_make(struct table *t, enum fat_type type, uint32_t clusters)
{
    const uint64_t bytes = fat_ent_table_bytes(type, clusters);

    *t = (struct table){.geometry = {.type = type,
                                .sector_bytes = 512,
                                .cluster_sectors = 1,
                                .cluster_bytes = 512,
                                .cluster_count = clusters,
                                .fat_count = 2,
                                .mirrored = true,
                                .fat_start = 1,
                                .fat_sectors = (bytes + 511) / 512}};
    t->geometry.data_start = 1 + 2 * t->geometry.fat_sectors;
    t->geometry.total_sectors = t->geometry.data_start + clusters;
    assert_int_equal(
            fat_blkdev_mem_new(t->geometry.total_sectors * 512, &t->base), FAT_OK);
}

/* All table_put() have been made: the base must not change any more. */
static inline void table_open(struct table *t)
{
    assert_int_equal(recdev_new(t->base, &t->rec), FAT_OK);
    t->dev = recdev_blkdev(t->rec);
    assert_int_equal(fat_cache_new(t->dev, 512, 1 << 20, &t->cache), FAT_OK);
    fat_fattab_init(&t->tab, &t->geometry, t->cache);
}

static inline void table_done(struct table *t)
{
    fat_cache_free(t->cache);
    recdev_free(t->rec);
    fat_blkdev_close(t->base);
}

/* An edit of one entry through the cache. */
static inline void table_edit(
        struct table *t, enum fat_stage stage, uint32_t cluster, struct fat_link link)
{
    struct fat_edits edits;

    fat_edits_init(&edits, t->cache);
    assert_int_equal(fat_fattab_prepare(&t->tab, &edits, cluster, 1), FAT_OK);
    fat_fattab_set(&t->tab, &edits, stage, cluster, link);
    fat_edits_done(&edits);
}

static inline void table_write_stage(struct table *t, enum fat_stage stage)
{
    bool wrote = false;

    assert_int_equal(fat_cache_write_stage(t->cache, stage, &wrote), FAT_OK);
    if (wrote) {
        assert_int_equal(t->dev->ops->flush(t->dev), FAT_OK);
    }
}

static inline void table_commit(struct table *t)
{
    (void)fat_cache_snapshot(t->cache);
    for (int i = 0; i < FAT_STAGE_COUNT; i++) {
        table_write_stage(t, (enum fat_stage)i);
    }
}

#endif
