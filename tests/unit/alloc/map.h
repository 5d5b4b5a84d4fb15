/* SPDX-License-Identifier: MIT */
/* A free map over a table, and claims from it that have to succeed. */
#ifndef TEST_ALLOC_MAP_H
#define TEST_ALLOC_MAP_H

#include "alloc/freemap.h"
#include "alloc/table.h"
#include "ondisk/fsinfo.h"

enum { REGION = 8192, UNKNOWN_HINT = 0 };

struct fixture {
    struct table t;
    struct fat_freemap *map;
};

/* A map of @clusters, all free but [first, end). */
static inline void make(struct fixture *f, enum fat_type type, uint32_t clusters,
        uint32_t first, uint32_t end)
{
    table_make(&f->t, type, clusters);
    for (uint32_t c = first; c < end; c++) {
        table_put(&f->t, c, VALUE_END);
    }
}

static inline void open_map(struct fixture *f, uint32_t count, uint32_t hint)
{
    table_open(&f->t);
    assert_int_equal(fat_freemap_new(&f->t.tab, count, hint, &f->map), FAT_OK);
}

static inline void done(struct fixture *f)
{
    fat_freemap_free(f->map);
    table_done(&f->t);
}

static inline struct fat_extent claim(struct fixture *f, uint32_t hint, uint32_t want)
{
    struct fat_extent extent = {0};

    assert_int_equal(fat_freemap_claim(f->map, NULL, hint, want, &extent), FAT_OK);
    assert_in_range(extent.count, 1, want);
    return extent;
}

static inline void assert_claims(struct fixture *f, uint32_t hint, uint32_t want,
        uint32_t cluster, uint32_t count)
{
    const struct fat_extent extent = claim(f, hint, want);

    if (extent.cluster != cluster || extent.count != count) {
        fail_msg("claimed %u+%u, not %u+%u", extent.cluster, extent.count, cluster,
                count);
    }
}

static inline void assert_no_room(struct fixture *f, fat_err expected)
{
    struct fat_extent extent = {.cluster = 77, .count = 88};

    assert_int_equal(fat_freemap_claim(f->map, NULL, 0, 1, &extent), expected);
    assert_int_equal(extent.cluster, 77);
    assert_int_equal(extent.count, 88);
}

static inline uint32_t count(struct fixture *f)
{
    uint32_t clusters = UINT32_MAX;

    assert_int_equal(fat_freemap_count(f->map, &clusters), FAT_OK);
    return clusters;
}

#endif
