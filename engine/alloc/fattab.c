/* SPDX-License-Identifier: MIT */
#include "alloc/fattab.h"

#include <assert.h>
#include <string.h>

/* Sectors read ahead of a FAT sector: 16 KiB of 512-byte sectors. */
enum { AHEAD = 31 };

uint32_t fat_fattab_ahead(const struct fat_fattab *tab, uint64_t sector, uint32_t want)
{
    const uint64_t left = tab->start + tab->geometry->fat_sectors - 1 - sector;

    return left < want ? (uint32_t)left : want;
}

void fat_fattab_init(struct fat_fattab *tab, const struct fat_geometry *geometry,
        struct fat_cache *cache)
{
    tab->geometry = geometry;
    tab->cache = cache;
    tab->start = geometry->fat_start + geometry->active_fat * geometry->fat_sectors;
}

uint64_t fat_fattab_sector(const struct fat_fattab *tab, uint32_t cluster)
{
    const struct fat_ent_span span = fat_ent_locate(tab->geometry->type, cluster);

    return tab->start + span.offset / tab->geometry->sector_bytes;
}

/* Bytes of the entry in its first sector; the rest, if any, begins the next one. */
static uint32_t first_part(const struct fat_fattab *tab, struct fat_ent_span span)
{
    const uint32_t sector_bytes = tab->geometry->sector_bytes;
    const uint32_t room = sector_bytes - (uint32_t)(span.offset % sector_bytes);

    return span.length < room ? span.length : room;
}

bool fat_fattab_straddles(const struct fat_fattab *tab, uint32_t cluster)
{
    const struct fat_ent_span span = fat_ent_locate(tab->geometry->type, cluster);

    return first_part(tab, span) < span.length;
}

bool fat_fattab_bars(const struct fat_fattab *tab, uint32_t cluster)
{
    return tab->geometry->fat_count == 1 && fat_fattab_straddles(tab, cluster);
}

static fat_err cursor_load(
        const struct fat_fattab *tab, struct fat_fat_cursor *cursor, uint64_t sector)
{
    fat_err err;

    if (cursor->valid && cursor->sector == sector) {
        return FAT_OK;
    }
    cursor->valid = false;
    err = fat_cache_read(tab->cache, sector, 0, cursor->bytes,
            tab->geometry->sector_bytes, fat_fattab_ahead(tab, sector, AHEAD));
    if (err == FAT_OK) {
        cursor->sector = sector;
        cursor->valid = true;
    }
    return err;
}

fat_err fat_fattab_get(const struct fat_fattab *tab, struct fat_fat_cursor *cursor,
        uint32_t cluster, struct fat_link *ret)
{
    const struct fat_ent_span span = fat_ent_locate(tab->geometry->type, cluster);
    const uint32_t sector_bytes = tab->geometry->sector_bytes;
    const uint32_t within = (uint32_t)(span.offset % sector_bytes);
    const uint32_t part = first_part(tab, span);
    const uint64_t sector = tab->start + span.offset / sector_bytes;
    uint8_t raw[FAT_ENT_BYTES_MAX] = {0};
    fat_err err;

    assert(fat_geometry_holds(tab->geometry, cluster));
    err = cursor_load(tab, cursor, sector);
    if (err != FAT_OK) {
        return err;
    }
    memcpy(raw, cursor->bytes + within, part);
    if (part < span.length) {
        err = cursor_load(tab, cursor, sector + 1);
        if (err != FAT_OK) {
            return err;
        }
        memcpy(raw + part, cursor->bytes, span.length - part);
    }
    *ret = fat_ent_decode(tab->geometry->type, cluster, raw);
    return FAT_OK;
}

fat_err fat_fattab_peek(
        const struct fat_fattab *tab, uint32_t cluster, struct fat_link *ret)
{
    const struct fat_ent_span span = fat_ent_locate(tab->geometry->type, cluster);
    uint8_t raw[FAT_ENT_BYTES_MAX];
    fat_err err = fat_cache_read(tab->cache, tab->start, span.offset, raw, span.length,
            fat_fattab_straddles(tab, cluster)
                    ? 0
                    : fat_fattab_ahead(tab, fat_fattab_sector(tab, cluster), AHEAD));

    assert(fat_geometry_holds(tab->geometry, cluster));
    if (err == FAT_OK) {
        *ret = fat_ent_decode(tab->geometry->type, cluster, raw);
    }
    return err;
}

fat_err fat_fattab_prepare(const struct fat_fattab *tab, struct fat_edits *edits,
        uint32_t cluster, unsigned stages)
{
    const uint64_t sector = fat_fattab_sector(tab, cluster);
    fat_err err = fat_edits_prepare(edits, sector, stages);

    if (err == FAT_OK && fat_fattab_straddles(tab, cluster)) {
        err = fat_edits_prepare(edits, sector + 1, stages);
    }
    return err;
}

fat_err fat_fattab_prepare_run(const struct fat_fattab *tab, struct fat_edits *edits,
        uint32_t cluster, uint32_t count, unsigned stages)
{
    const uint64_t last = fat_fattab_sector(tab, cluster + count - 1) +
                          (fat_fattab_straddles(tab, cluster + count - 1) ? 1 : 0);
    fat_err err = FAT_OK;

    for (uint64_t sector = fat_fattab_sector(tab, cluster);
            sector <= last && err == FAT_OK; sector++) {
        err = fat_edits_prepare(edits, sector, stages);
    }
    return err;
}

void fat_fattab_set(const struct fat_fattab *tab, struct fat_edits *edits,
        enum fat_stage stage, uint32_t cluster, struct fat_link link)
{
    const struct fat_ent_span span = fat_ent_locate(tab->geometry->type, cluster);
    const uint32_t part = first_part(tab, span);
    const uint64_t sector = fat_fattab_sector(tab, cluster);
    uint8_t value[FAT_ENT_BYTES_MAX];
    uint8_t mask[FAT_ENT_BYTES_MAX];

    fat_ent_encode(tab->geometry->type, cluster, link, value, mask);
    fat_edits_merge(edits, sector, stage,
            (size_t)(span.offset % tab->geometry->sector_bytes),
            &(struct fat_bits){.bytes = value, .mask = mask, .length = part});
    if (part < span.length) {
        fat_edits_merge(edits, sector + 1, stage, 0,
                &(struct fat_bits){.bytes = value + part,
                        .mask = mask + part,
                        .length = span.length - part});
    }
}

static fat_err pin_sector(
        const struct fat_fattab *tab, uint64_t sector, struct fat_block **ret)
{
    return fat_cache_get(tab->cache, sector, fat_fattab_ahead(tab, sector, AHEAD), ret);
}

fat_err fat_fattab_pin(
        const struct fat_fattab *tab, uint32_t cluster, struct fat_fattab_pins *ret)
{
    const uint64_t sector = fat_fattab_sector(tab, cluster);
    struct fat_fattab_pins pins = {{NULL}};
    fat_err err = pin_sector(tab, sector, &pins.blocks[0]);

    if (err == FAT_OK && fat_fattab_straddles(tab, cluster)) {
        err = pin_sector(tab, sector + 1, &pins.blocks[1]);
    }
    if (err == FAT_OK) {
        *ret = pins;
    } else {
        fat_fattab_unpin(tab, &pins);
    }
    return err;
}

void fat_fattab_unpin(const struct fat_fattab *tab, struct fat_fattab_pins *pins)
{
    for (size_t i = 0; i < 2; i++) {
        if (pins->blocks[i]) {
            fat_cache_put(tab->cache, pins->blocks[i]);
        }
    }
}

static fat_err reclaim_pinned(const struct fat_fattab *tab,
        const struct fat_fattab_pins *pins, uint32_t cluster)
{
    static const uint8_t zeros[FAT_ENT_BYTES_MAX];
    const struct fat_ent_span span = fat_ent_locate(tab->geometry->type, cluster);
    const uint32_t part = first_part(tab, span);
    uint8_t value[FAT_ENT_BYTES_MAX];
    uint8_t mask[FAT_ENT_BYTES_MAX];
    fat_err err;

    fat_ent_encode(tab->geometry->type, cluster,
            (struct fat_link){.kind = FAT_LINK_FREE}, value, mask);
    err = fat_cache_reclaim(tab->cache, pins->blocks[0],
            (size_t)(span.offset % tab->geometry->sector_bytes),
            &(struct fat_bits){.bytes = zeros, .mask = mask, .length = part});
    if (err == FAT_OK && part < span.length) {
        err = fat_cache_reclaim(tab->cache, pins->blocks[1], 0,
                &(struct fat_bits){.bytes = zeros,
                        .mask = mask + part,
                        .length = span.length - part});
    }
    return err;
}

fat_err fat_fattab_reclaim(const struct fat_fattab *tab, uint32_t cluster)
{
    struct fat_fattab_pins pins;
    fat_err err = fat_fattab_pin(tab, cluster, &pins);

    if (err == FAT_OK) {
        err = reclaim_pinned(tab, &pins, cluster);
        fat_fattab_unpin(tab, &pins);
    }
    return err;
}
