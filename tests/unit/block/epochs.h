/* SPDX-License-Identifier: MIT */
/* A cache on a recording device, edits of single bytes, and a log that can be read. */
#ifndef TEST_BLOCK_EPOCHS_H
#define TEST_BLOCK_EPOCHS_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "block/cache.h"
#include "block/stage.h"
#include "support/cmocka.h"
#include "support/recdev.h"

/* Sectors 8 .. 31 are three copies of a FAT, the original in the middle. */
enum { SECTOR = 512, SECTORS = 1200, FAT = 16, FAT_A = 8, FAT_C = 24, FAT_SECTORS = 8 };
enum { FILL, LINK, PUBLISH, RETIRE, CUT, RECLAIM, STAGES };

struct fixture {
    struct fat_blkdev *base; /* all '.' */
    struct recdev *rec;
    struct fat_blkdev *dev;
    struct fat_cache *cache;
};

static inline int setup(void **state)
{
    const struct fat_cache_copies copies = {
            .start = FAT, .sectors = FAT_SECTORS, .count = 3, .original = 1};
    struct fixture *f = calloc(1, sizeof(*f));
    char dots[SECTORS * SECTOR];

    assert_non_null(f);
    memset(dots, '.', sizeof(dots));
    assert_int_equal(fat_blkdev_mem_new(sizeof(dots), &f->base), FAT_OK);
    assert_int_equal(f->base->ops->write(f->base, 0, dots, sizeof(dots)), FAT_OK);
    assert_int_equal(recdev_new(f->base, &f->rec), FAT_OK);
    f->dev = recdev_blkdev(f->rec);
    assert_int_equal(fat_cache_new(f->dev, SECTOR, 1, &f->cache), FAT_OK);
    fat_cache_set_copies(f->cache, &copies);
    *state = f;
    return 0;
}

static inline int teardown(void **state)
{
    struct fixture *f = *state;

    fat_cache_free(f->cache);
    recdev_free(f->rec);
    fat_blkdev_close(f->base);
    free(f);
    return 0;
}

static inline void edit(
        struct fixture *f, uint64_t sector, int stage, size_t offset, const char *text)
{
    struct fat_edits edits;

    fat_edits_init(&edits, f->cache);
    assert_int_equal(fat_edits_prepare(&edits, sector, 1), FAT_OK);
    fat_edits_set(&edits, sector, (enum fat_stage)stage, offset, text, strlen(text));
    fat_edits_done(&edits);
}

/* The first bytes of every image, with a blank between: "disk commit... open...". */
static inline void see(void *context, const uint8_t *image)
{
    char *text = context;
    const size_t length = strlen(text);

    memcpy(text + length, image, 3);
    memcpy(text + length + 3, " ", 2);
}

static inline void assert_images(
        struct fixture *f, uint64_t sector, const char *expected)
{
    char text[64] = "";
    struct fat_block *block;

    assert_int_equal(fat_cache_get(f->cache, sector, 0, &block), FAT_OK);
    fat_cache_each_image(f->cache, block, see, text);
    fat_cache_put(f->cache, block);
    text[strlen(text) - 1] = '\0';
    assert_string_equal(text, expected);
}

static inline void assert_newest(
        struct fixture *f, uint64_t sector, const char *expected)
{
    char text[4] = "";

    assert_int_equal(fat_cache_read(f->cache, sector, 0, text, 3, 0), FAT_OK);
    assert_string_equal(text, expected);
}

static inline void assert_disk(struct fixture *f, uint64_t sector, const char *expected)
{
    char text[4] = "";

    assert_int_equal(f->dev->ops->read(f->dev, sector * SECTOR, text, 3), FAT_OK);
    assert_string_equal(text, expected);
}

static inline bool write_stage(struct fixture *f, int stage)
{
    bool wrote = false;

    assert_int_equal(
            fat_cache_write_stage(f->cache, (enum fat_stage)stage, &wrote), FAT_OK);
    if (wrote) {
        assert_int_equal(f->dev->ops->flush(f->dev), FAT_OK);
    }
    return wrote;
}

static inline void write_all_stages(struct fixture *f)
{
    for (int i = 0; i < STAGES; i++) {
        (void)write_stage(f, i);
    }
}

/* The log since the last look: "sector:first bytes[xsectors]", "|" for a flush. */
static inline void assert_log(struct fixture *f, const char *expected)
{
    char text[512] = "";

    for (size_t i = 0; i < recdev_event_count(f->rec); i++) {
        const struct recdev_event *e = recdev_event(f->rec, i);
        const size_t at = strlen(text);

        if (e->call == RECDEV_FLUSH) {
            snprintf(text + at, sizeof(text) - at, "| ");
        } else {
            snprintf(text + at, sizeof(text) - at, "%u:%.3sx%u ",
                    (unsigned)(e->offset / SECTOR), (const char *)e->bytes,
                    (unsigned)(e->length / SECTOR));
        }
    }
    assert_string_equal(text, expected);
    assert_int_equal(recdev_restart(f->rec), FAT_OK);
}

#endif
