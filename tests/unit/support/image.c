/* SPDX-License-Identifier: MIT */
#include "support/image.h"

#include <stdlib.h>
#include <string.h>

#include "support/cmocka.h"
#include "support/steady.h"

enum { TRIES = 8 };

static uint32_t or_else(uint32_t value, uint32_t otherwise)
{
    return value ? value : otherwise;
}

static uint64_t guess_size(const struct image_spec *s)
{
    const uint64_t fat = (uint64_t)s->clusters * s->type / 8 / s->sector_bytes + 2;
    const uint64_t root =
            s->type == 32 ? 0 : s->root_entries * 32 / s->sector_bytes + 1;

    return (64 + fat * s->fat_count + root +
                   ((uint64_t)s->clusters + 4) * s->cluster_sectors) *
           s->sector_bytes;
}

static struct image_spec complete(const struct image_spec *spec)
{
    struct image_spec s = *spec;

    s.type = s.type ? s.type : 12;
    s.sector_bytes = or_else(s.sector_bytes, 512);
    s.cluster_sectors = or_else(s.cluster_sectors, 1);
    s.clusters = or_else(s.clusters, s.type == 16 ? 5000 : 400);
    s.fat_count = or_else(s.fat_count, 2);
    s.root_entries = or_else(s.root_entries, 512);
    return s;
}

static void format(struct image *img)
{
    const struct image_spec *s = &img->spec;
    const struct fat_format_options options = {.type = s->type,
            .sector_bytes = s->sector_bytes,
            .cluster_sectors = s->cluster_sectors,
            .fat_count = s->fat_count,
            .root_entries = s->type == 32 ? 0 : s->root_entries,
            .allow_ambiguous = true};
    uint64_t size = guess_size(s);

    for (int i = 0; i < TRIES; i++) {
        struct fat_format_result made;

        assert_int_equal(fat_blkdev_mem_new(size, &img->base), FAT_OK);
        assert_int_equal(fat_format(img->base, &options, &made), FAT_OK);
        if (made.cluster_count == s->clusters || i + 1 == TRIES) {
            return;
        }
        size = size + ((uint64_t)s->clusters - made.cluster_count) *
                              s->cluster_sectors * s->sector_bytes;
        fat_blkdev_close(img->base);
    }
}

static struct fat_time tell_time(void *context)
{
    const struct image *img = context;

    return img->now;
}

static void take_report(void *context, const struct fat_report *report)
{
    struct image *img = context;

    if (report->severity == FAT_SEVERITY_WARNING) {
        img->warnings++;
        img->warned_sector = report->sector;
    }
    if (report->severity == FAT_SEVERITY_DAMAGE) {
        img->damage_reports++;
        img->damage = report->err;
        img->damaged_cluster = report->cluster;
    }
}

struct fat_volume_options image_options(struct image *img)
{
    return (struct fat_volume_options){.cache_bytes = img->spec.cache_bytes,
            .utc_offset = img->spec.utc_offset,
            .clock = tell_time,
            .clock_context = img,
            .report = take_report,
            .report_context = img};
}

void image_make(struct image *img, const struct image_spec *spec)
{
    *img = (struct image){.spec = complete(spec), .now = {.seconds = 1600000000}};
    format(img);
    assert_int_equal(recdev_new(img->base, &img->rec), FAT_OK);
    img->dev = recdev_blkdev(img->rec);
    image_open(img);
}

static void open_with(struct image *img, uint32_t flags)
{
    struct fat_volume_options options = image_options(img);

    options.flags = flags;
    assert_int_equal(fat_volume_open(img->dev, &options, &img->volume), FAT_OK);
    img->root = fat_volume_root(img->volume);
}

void image_open(struct image *img)
{
    open_with(img, 0);
}

void image_open_read_only(struct image *img)
{
    open_with(img, FAT_VOLUME_READ_ONLY);
}

static fat_err close_volume(struct image *img)
{
    fat_err err = FAT_OK;

    if (img->volume) {
        fat_node_unref(img->root);
        err = fat_volume_close(img->volume);
        img->volume = NULL;
        img->root = NULL;
    }
    return err;
}

void image_close(struct image *img)
{
    assert_int_equal(close_volume(img), FAT_OK);
}

void image_reopen(struct image *img)
{
    image_close(img);
    image_open(img);
}

void image_drop(struct image *img)
{
    (void)close_volume(img); /* what it says is of no interest any more */
    recdev_free(img->rec);
    fat_blkdev_close(img->base);
    *img = (struct image){0};
}

void image_done(struct image *img)
{
    image_close(img);
    image_open(img);
    image_close(img);
    image_check_clean(img->dev);
    image_drop(img);
}

static void print_finding(void *context, const struct fat_finding *finding)
{
    const enum fat_finding_weight *weight = context;

    if (finding->weight >= *weight) {
        print_message("%s: %s: %s (cluster %u, byte %llu, %u %u)\n",
                finding->path ? finding->path : "-", fat_finding_name(finding->kind),
                finding->text, finding->cluster, (unsigned long long)finding->offset,
                finding->first, finding->second);
    }
}

struct fat_check_summary image_check(
        struct fat_blkdev *dev, enum fat_finding_weight weight)
{
    struct fat_check_summary summary;

    assert_int_equal(fat_check(dev, print_finding, &weight, &summary), FAT_OK);
    return summary;
}

void image_check_clean(struct fat_blkdev *dev)
{
    const struct fat_check_summary summary = image_check(dev, FAT_WEIGHT_LEFTOVER);

    assert_int_equal(summary.leftovers, 0);
    assert_int_equal(summary.damages, 0);
}

struct fat_node *image_lookup(struct fat_node *directory, const char *name)
{
    struct fat_found found;
    const fat_err err = fat_lookup(directory, name, &found);

    if (err != FAT_OK) {
        fail_msg("lookup of %s: %s", name, fat_err_text(err));
    }
    return found.node;
}

fat_err image_try_lookup(struct fat_node *directory, const char *name)
{
    struct fat_found found;
    const fat_err err = fat_lookup(directory, name, &found);

    if (err == FAT_OK) {
        fat_node_unref(found.node);
    }
    return err;
}

struct fat_node *image_create(struct fat_node *directory, const char *name)
{
    struct fat_found found;
    const fat_err err = fat_create(directory, name, 0, &found);

    if (err != FAT_OK) {
        fail_msg("create of %s: %s", name, fat_err_text(err));
    }
    return found.node;
}

struct fat_node *image_mkdir(struct fat_node *directory, const char *name)
{
    struct fat_found found;
    const fat_err err = fat_mkdir(directory, name, 0, &found);

    if (err != FAT_OK) {
        fail_msg("mkdir of %s: %s", name, fat_err_text(err));
    }
    return found.node;
}

void image_touch(struct fat_node *directory, const char *name)
{
    fat_node_unref(image_create(directory, name));
}

void image_write(
        struct fat_node *file, uint64_t offset, const void *bytes, size_t length)
{
    size_t done = 0;

    assert_int_equal(fat_file_write(file, offset, bytes, length, &done), FAT_OK);
    assert_int_equal(done, length);
}

void image_fill(uint32_t seed, uint8_t *bytes, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        seed = seed * UINT32_C(1664525) + UINT32_C(1013904223);
        bytes[i] = (uint8_t)(seed >> 24 | 1); /* never a zero */
    }
}

void image_put(
        struct fat_node *directory, const char *name, uint32_t seed, size_t length)
{
    struct fat_node *file = image_create(directory, name);
    uint8_t *bytes = steady_alloc(length + 1);

    image_fill(seed, bytes, length);
    image_write(file, 0, bytes, length);
    free(bytes);
    fat_node_unref(file);
}

void image_expect(
        struct fat_node *directory, const char *name, uint32_t seed, size_t length)
{
    struct fat_node *file = image_lookup(directory, name);
    uint8_t *bytes = steady_alloc(length + 1);
    uint8_t *read = steady_zalloc(length + 1);
    size_t done = 0;

    image_fill(seed, bytes, length);
    assert_int_equal(fat_file_read(file, 0, read, length + 1, &done), FAT_OK);
    assert_int_equal(done, length);
    assert_memory_equal(read, bytes, length);
    free(read);
    free(bytes);
    fat_node_unref(file);
}

uint64_t image_size(struct fat_node *node)
{
    struct fat_stat st;

    assert_int_equal(fat_node_stat(node, &st), FAT_OK);
    return st.size_bytes;
}

uint32_t image_free(struct image *img)
{
    uint32_t clusters;

    assert_int_equal(fat_volume_free_clusters(img->volume, &clusters), FAT_OK);
    return clusters;
}

unsigned image_count(struct fat_node *directory)
{
    struct fat_dir_entry entry;
    uint32_t cookie = 0;
    unsigned count = 0;
    fat_err err;

    while ((err = fat_dir_next(directory, &cookie, &entry)) == FAT_OK) {
        count++;
    }
    assert_int_equal(err, FAT_END);
    return count;
}

uint8_t *image_bytes(struct fat_blkdev *dev)
{
    uint8_t *bytes = steady_alloc((size_t)dev->size_bytes);

    assert_non_null(bytes);
    assert_int_equal(dev->ops->read(dev, 0, bytes, (size_t)dev->size_bytes), FAT_OK);
    return bytes;
}
