/* SPDX-License-Identifier: MIT */
/*
 * Writing a new volume. The old boot sector goes first and the new one comes last,
 * each with a flush between it and the rest: what is on the device is the old
 * volume, none, or the new one.
 */
#include <fatward/format.h>

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/fattime.h"
#include "ondisk/bpb.h"
#include "ondisk/dirent.h"
#include "ondisk/fatent.h"
#include "ondisk/fsinfo.h"
#include "ondisk/geometry.h"
#include "volume/format_plan.h"

enum { WRITE_BYTES_MAX = 1 << 20, SECTOR_BYTES_MAX = 4096 };

/* To the next boot device; a machine without one halts. */
static const uint8_t boot_code[] = {
        0xcd, 0x18, /* int 18h          */
        0xf4,       /* halt: hlt        */
        0xeb, 0xfd, /* jmp halt         */
};

struct writer {
    struct fat_blkdev *dev;
    const struct fat_format_plan *plan;
    const uint8_t *zeros; /* WRITE_BYTES_MAX of them */
    uint8_t sector[SECTOR_BYTES_MAX];
};

static bool has_label(const struct fat_bpb *bpb)
{
    return memcmp(bpb->label, FAT_NO_NAME, FAT_LABEL_BYTES) != 0;
}

static fat_err write_sector(struct writer *w, uint64_t sector)
{
    const uint32_t sector_bytes = w->plan->geometry.sector_bytes;

    return w->dev->ops->write(w->dev, sector * sector_bytes, w->sector, sector_bytes);
}

/* The one sector that makes the volume, at @sector. */
static fat_err write_boot(struct writer *w, uint64_t sector)
{
    const size_t code = w->plan->bpb.is_fat32 ? BS32_BOOT_CODE : BS16_BOOT_CODE;

    memset(w->sector, 0, sizeof(w->sector));
    fat_bpb_encode(&w->plan->bpb, w->sector);
    memcpy(w->sector + code, boot_code, sizeof(boot_code));
    return write_sector(w, sector);
}

static fat_err write_fsinfo(struct writer *w, uint64_t sector)
{
    /* The hint is the cluster taken last, the root's. */
    const struct fat_fsinfo info = {.free_count = w->plan->geometry.cluster_count - 1,
            .next_free = w->plan->geometry.root_cluster};

    memset(w->sector, 0, sizeof(w->sector));
    fat_fsinfo_make(info, w->sector);
    return write_sector(w, sector);
}

static void put_entry(enum fat_type type, uint32_t cluster, uint8_t *table)
{
    const struct fat_ent_span span = fat_ent_locate(type, cluster);
    uint8_t value[FAT_ENT_BYTES_MAX], mask[FAT_ENT_BYTES_MAX];

    fat_ent_encode(type, cluster, (struct fat_link){FAT_LINK_END, 0}, value, mask);
    for (size_t i = 0; i < span.length; i++) {
        table[span.offset + i] |= value[i];
    }
}

/* All ones, with the media byte below: clean, no error; the root's one cluster. */
static fat_err write_fats(struct writer *w)
{
    const struct fat_geometry *g = &w->plan->geometry;
    fat_err err = FAT_OK;

    memset(w->sector, 0, sizeof(w->sector));
    put_entry(g->type, 0, w->sector);
    put_entry(g->type, 1, w->sector);
    if (g->type == FAT_TYPE_32) {
        put_entry(g->type, g->root_cluster, w->sector);
    }
    w->sector[0] = g->media;
    for (uint32_t i = 0; i < g->fat_count && !err; i++) {
        err = write_sector(w, g->fat_start + i * g->fat_sectors);
    }
    return err;
}

static uint64_t root_sector(const struct fat_geometry *g)
{
    return g->type == FAT_TYPE_32 ? fat_geometry_sector(g, g->root_cluster)
                                  : g->root_start;
}

static fat_err write_label(struct writer *w, struct fat_time now)
{
    const struct fat_geometry *g = &w->plan->geometry;
    struct fat_dirent entry = {
            .attributes = FAT_ATTR_VOLUME_ID,
            .created = fat_stamp_encode(now, 0),
    };

    memcpy(entry.name, w->plan->bpb.label, sizeof(entry.name));
    entry.written = (struct fat_stamp){entry.created.date, entry.created.time, 0};
    entry.accessed = (struct fat_stamp){entry.created.date, 0, 0};
    memset(w->sector, 0, sizeof(w->sector));
    fat_dirent_encode(g->type, &entry, w->sector);
    return write_sector(w, root_sector(g));
}

/* Reserved sectors, FATs and the root lie side by side. */
static uint64_t end_of_root(const struct fat_geometry *g)
{
    const uint64_t end = g->type == FAT_TYPE_32 ? root_sector(g) + g->cluster_sectors
                                                : g->data_start;

    return end * g->sector_bytes;
}

static fat_err write_zeros(struct writer *w)
{
    const uint64_t end = end_of_root(&w->plan->geometry);
    uint64_t offset = 0;
    fat_err err = FAT_OK;

    while (offset < end && !err) {
        const uint64_t rest = end - offset;
        const size_t length = rest < WRITE_BYTES_MAX ? (size_t)rest : WRITE_BYTES_MAX;

        err = w->dev->ops->write(w->dev, offset, w->zeros, length);
        offset += length;
    }
    return err;
}

static fat_err write_reserved(struct writer *w)
{
    const struct fat_geometry *g = &w->plan->geometry;
    fat_err err = FAT_OK;

    if (g->fsinfo_sector != 0) {
        err = write_fsinfo(w, g->fsinfo_sector);
    }
    if (!err && g->backup_sector != 0) {
        err = write_boot(w, g->backup_sector);
    }
    /* The backup is of the sectors 0 to 2 as a whole. */
    if (!err && g->backup_sector != 0 && g->backup_sector + 1 < g->fat_start) {
        err = write_fsinfo(w, g->backup_sector + 1);
    }
    return err;
}

static fat_err wipe_boot(struct writer *w)
{
    const fat_err err = write_sector(w, 0);

    return err ? err : w->dev->ops->flush(w->dev);
}

static fat_err write_volume(struct writer *w, struct fat_time now)
{
    fat_err err = wipe_boot(w);

    if (!err) {
        err = write_zeros(w);
    }
    if (!err) {
        err = write_fats(w);
    }
    if (!err) {
        err = write_reserved(w);
    }
    if (!err && has_label(&w->plan->bpb)) {
        err = write_label(w, now);
    }
    if (!err) {
        err = w->dev->ops->flush(w->dev);
    }
    if (!err) {
        err = write_boot(w, 0);
    }
    return err ? err : w->dev->ops->flush(w->dev);
}

/* Memory first: without it the old volume stays. */
static fat_err write_with_zeros(struct writer *w, struct fat_time now)
{
    uint8_t *zeros = calloc(1, WRITE_BYTES_MAX);
    fat_err err;

    if (!zeros) {
        return FAT_E_NOMEM;
    }
    w->zeros = zeros;
    err = write_volume(w, now);
    w->zeros = NULL;
    free(zeros);
    return err;
}

static struct fat_format_result result_of(const struct fat_format_plan *plan)
{
    const struct fat_geometry *g = &plan->geometry;

    return (struct fat_format_result){
            .type = g->type,
            .sector_bytes = g->sector_bytes,
            .cluster_sectors = g->cluster_sectors,
            .cluster_count = g->cluster_count,
            .reserved_sectors = (uint32_t)g->fat_start,
            .fat_count = g->fat_count,
            .fat_sectors = (uint32_t)g->fat_sectors,
            .root_entries = g->root_entries,
            .total_sectors = (uint32_t)g->total_sectors,
            .serial = plan->bpb.serial,
    };
}

fat_err fat_format(struct fat_blkdev *dev, const struct fat_format_options *options,
        struct fat_format_result *ret)
{
    struct fat_format_options o = {0};
    struct fat_format_plan plan;
    struct writer w = {.dev = dev, .plan = &plan};
    fat_err err;

    if (options) {
        o = *options;
    }
    if (o.sector_bytes == 0) {
        o.sector_bytes = dev->block_bytes > 512 ? dev->block_bytes : 512;
    }
    err = fat_format_plan_make(&o, dev->size_bytes, &plan);
    if (!err && dev->read_only) {
        err = FAT_E_READONLY;
    }
    if (!err) {
        err = write_with_zeros(&w, o.now);
    }
    if (!err && ret) {
        *ret = result_of(&plan);
    }
    return err;
}
