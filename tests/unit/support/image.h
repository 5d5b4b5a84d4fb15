/* SPDX-License-Identifier: MIT */
/*
 * A volume to try things on: formatted through the door on a recording device in
 * memory, open, and judged at the end.
 *
 *     struct image img;
 *
 *     image_make(&img, &(struct image_spec){.type = 12, .clusters = 100});
 *     ... img.root, img.volume, img.rec ...
 *     image_done(&img);
 *
 * image_done() closes the volume, opens and closes it once more, and runs fat_check():
 * any finding above a note fails the case. Whatever goes wrong fails the case too, so
 * nothing here returns an error.
 */
#ifndef TEST_SUPPORT_IMAGE_H
#define TEST_SUPPORT_IMAGE_H

#include <fatward/check.h>
#include <fatward/file.h>
#include <fatward/format.h>
#include <fatward/namei.h>
#include <fatward/node.h>
#include <fatward/volume.h>

#include "support/recdev.h"

/* Every field may be left zero. */
struct image_spec {
    unsigned type;            /* 0 means 12                                     */
    uint32_t sector_bytes;    /* 0 means 512                                    */
    uint32_t cluster_sectors; /* 0 means 1                                      */
    uint32_t clusters;        /* about; 0 means 400, 5000 on FAT16              */
    uint32_t fat_count;       /* 0 means 2                                      */
    uint32_t root_entries;    /* 0 means 512                                    */
    size_t cache_bytes;       /* of the open volume                             */
    int utc_offset;           /* [minutes]                                      */
};

struct image {
    struct image_spec spec;
    struct fat_blkdev *base;
    struct recdev *rec;
    struct fat_blkdev *dev;    /* the recorder's                                */
    struct fat_volume *volume; /* NULL while closed                             */
    struct fat_node *root;     /* the same                                      */
    struct fat_time now;       /* what the volume's clock says                  */
    unsigned warnings;         /* reports of that weight                         */
    uint64_t warned_sector;    /* of the last of them                            */
    unsigned damage_reports;
    fat_err damage; /* of the last of them                                      */
    uint32_t damaged_cluster; /* the same                                       */
};

void image_make(struct image *img, const struct image_spec *spec);

void image_open(struct image *img);
void image_open_read_only(struct image *img);
void image_close(struct image *img); /* an error of it fails the case           */
void image_reopen(struct image *img);

/* Let go of everything without a look at it. */
void image_drop(struct image *img);
void image_done(struct image *img);

/* Options as image_open() has them, for tests that open by themselves. */
struct fat_volume_options image_options(struct image *img);

/* Run the checker on @dev and print what it finds at or above @weight. */
struct fat_check_summary image_check(
        struct fat_blkdev *dev, enum fat_finding_weight weight);
/* Fail unless it finds nothing above a note. */
void image_check_clean(struct fat_blkdev *dev);

/* Shorthands; each fails the case if the engine does. */
struct fat_node *image_lookup(struct fat_node *directory, const char *name);
struct fat_node *image_create(struct fat_node *directory, const char *name);
struct fat_node *image_mkdir(struct fat_node *directory, const char *name);
void image_touch(struct fat_node *directory, const char *name);
void image_write(
        struct fat_node *file, uint64_t offset, const void *bytes, size_t length);
/* A file with @length bytes that only image_expect() with this @seed accepts. */
void image_put(
        struct fat_node *directory, const char *name, uint32_t seed, size_t length);
void image_expect(
        struct fat_node *directory, const char *name, uint32_t seed, size_t length);
void image_fill(uint32_t seed, uint8_t *bytes, size_t length);
uint64_t image_size(struct fat_node *node);
uint32_t image_free(struct image *img);
fat_err image_try_lookup(struct fat_node *directory, const char *name);
/* How many entries, by fat_dir_next(). */
unsigned image_count(struct fat_node *directory);

/* The whole device as bytes, to be freed. */
uint8_t *image_bytes(struct fat_blkdev *dev);

#endif
