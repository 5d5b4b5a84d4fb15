/* SPDX-License-Identifier: MIT */
#include "base.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <fatward/format.h>

#include "reader.h"
#include "world.h"

static void die(const struct base_plan *plan, const char *what, const char *why)
{
    fprintf(stderr, "%s: %s: %s\n", plan->name, what, why);
    exit(1);
}

static void need(const struct base_plan *plan, fat_err err, const char *what)
{
    if (err != FAT_OK) {
        die(plan, what, fat_err_text(err));
    }
}

static void format(struct base *base)
{
    const struct base_plan *plan = base->plan;
    const uint32_t reserved = plan->type == 32 ? 32 : 1;
    const uint64_t fat_bytes = (uint64_t)(plan->clusters + 2) * plan->type / 8;
    const uint64_t fat_sectors = fat_bytes / plan->sector_bytes + 1;
    const struct fat_format_options options = {.type = plan->type,
            .sector_bytes = plan->sector_bytes,
            .cluster_sectors = plan->cluster_sectors,
            .fat_count = plan->fats,
            .root_entries = plan->type == 32 ? 0 : 128,
            .reserved_sectors = reserved,
            .allow_ambiguous = true};
    const uint64_t root = plan->type == 32 ? 0 : 128 * 32 / plan->sector_bytes;
    const uint64_t sectors = reserved + plan->fats * fat_sectors + root +
                             (uint64_t)plan->clusters * plan->cluster_sectors;

    need(plan, fat_blkdev_mem_new(sectors * plan->sector_bytes, &base->dev), "memory");
    need(plan, fat_format(base->dev, &options, NULL), "format");
}

/* Names as content, and content that is nobody's. */
static void make_stale(struct base *base)
{
    struct reader reader = {0};
    uint8_t *bytes;

    if (!reader_read(&reader, base->dev)) {
        die(base->plan, "a new volume", reader.complaint);
    }
    bytes = malloc(reader.cluster_bytes);
    for (uint32_t at = 0; bytes && at < reader.cluster_bytes; at += 32) {
        char slot[64];

        snprintf(slot, sizeof(slot), "STALE%03uTXT ......._._.__......%04u",
                (unsigned)(at / 32 % 1000), (unsigned)(at / 32));
        memcpy(bytes + at, slot, 32);
    }
    for (uint32_t i = 2; bytes && i < reader.cluster_count + 2 && i < 2000; i++) {
        if (reader_next(&reader, i) == 0) {
            need(base->plan,
                    base->dev->ops->write(base->dev, reader_cluster_offset(&reader, i),
                            bytes, reader.cluster_bytes),
                    "writing");
        }
    }
    free(bytes);
    reader_done(&reader);
}

static void must(struct base *base, struct world *world, const struct op *op)
{
    char text[100];

    if (world_do(world, op) != OP_DONE) {
        op_describe(op, text, sizeof(text));
        die(base->plan, text, world->reason[0] ? world->reason : "not done");
    }
}

static void fill_clusters(
        struct base *base, struct world *world, const char *name, uint32_t clusters)
{
    const struct op create = {.kind = OP_CREATE, .a = name};
    const struct op grow = {.kind = OP_TRUNCATE, .a = name, .amount = clusters * 4};

    must(base, world, &create);
    must(base, world, &grow);
    base->book.objects[book_find(&base->book, BOOK_ROOT, name)].is_filler = true;
}

/* Empty files until only so many slots are left in the last sector. */
static void fill_slots(struct base *base, struct world *world, const char *directory)
{
    const uint32_t per_sector = base->plan->sector_bytes / 32;
    struct reader reader = {0};

    for (unsigned i = 0;; i++) {
        char name[BOOK_NAME_BYTES];
        const struct op create = {.kind = OP_CREATE, .a = name};
        size_t at = READER_NONE;

        need(base->plan, fat_volume_commit(world->volume), "commit");
        if (!reader_read(&reader, base->dev)) {
            die(base->plan, "the base", reader.complaint);
        }
        for (size_t e = 0; directory[0] && e < reader.entry_count; e++) {
            at = strcmp(reader.entries[e].name, directory) == 0 ? e : at;
        }
        if ((reader_slots(&reader, at) + base->plan->slack) % per_sector == 0) {
            break;
        }
        snprintf(
                name, sizeof(name), "%s%spad%u", directory, directory[0] ? "/" : "", i);
        must(base, world, &create);
    }
    reader_done(&reader);
}

static void leave_room(struct base *base, struct world *world)
{
    uint32_t free_clusters = 0;

    need(base->plan, fat_volume_commit(world->volume), "commit");
    need(base->plan, fat_volume_free_clusters(world->volume, &free_clusters), "count");
    if (free_clusters > base->plan->room) {
        fill_clusters(base, world, "rest", free_clusters - base->plan->room);
    }
}

enum { USED_BY_THE_OTHERS = 9, BEFORE_THE_EDGE = 2 };

static void populate(struct base *base, struct world *world)
{
    static const struct op ops[] = {
            {OP_CREATE, "a", NULL, 0},
            {OP_APPEND, "a", NULL, 7},
            {OP_CREATE, "b", NULL, 0},
            {OP_APPEND, "b", NULL, 3},
            {OP_MKDIR, "D", NULL, 0},
            {OP_MKDIR, "D/S", NULL, 0},
            {OP_CREATE, "D/f", NULL, 0},
            {OP_APPEND, "D/f", NULL, 4},
            {OP_MKDIR, "E", NULL, 0},
            {OP_CREATE, "Long name of p.txt", NULL, 0},
            {OP_APPEND, "Long name of p.txt", NULL, 5},
    };
    const struct base_plan *plan = base->plan;
    const uint32_t before =
            USED_BY_THE_OTHERS + BEFORE_THE_EDGE + 2 + (plan->type == 32 ? 1 : 0);

    if (plan->fat_edge > before) {
        fill_clusters(base, world, "filler", plan->fat_edge - before);
    }
    for (size_t i = 0; i < sizeof(ops) / sizeof(ops[0]); i++) {
        must(base, world, &ops[i]);
    }
    if (plan->slack > 0) {
        fill_slots(base, world, "D");
        fill_slots(base, world, "");
    }
    if (plan->room > 0) {
        leave_room(base, world);
    }
}

void base_make(struct base *base, const struct base_plan *plan)
{
    struct book book;
    struct world world;

    *base = (struct base){.plan = plan};
    format(base);
    make_stale(base);
    book_init(&base->book);
    if (!world_open(&world, base->dev, NULL, &base->book)) {
        die(plan, "open", world.reason);
    }
    populate(base, &world);
    if (!world_close(&world)) {
        die(plan, "close", world.reason);
    }
    book_copy(&book, &base->book);
    book_done(&base->book);
    base->book = book;
}

void base_done(struct base *base)
{
    book_done(&base->book);
    fat_blkdev_close(base->dev);
}
