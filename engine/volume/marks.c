/* SPDX-License-Identifier: MIT */
#include "volume/marks.h"

#include <string.h>

#include "base/bytes.h"
#include "block/stage.h"
#include "ondisk/fsinfo.h"

static size_t state_offset(const struct fat_volume *volume)
{
    return volume->bpb.is_fat32 ? BS32_STATE : BS16_STATE;
}

static fat_err set_boot_mark(struct fat_volume *volume, bool dirty)
{
    const uint8_t value = dirty ? FAT_STATE_DIRTY : 0;
    const uint8_t mask = FAT_STATE_DIRTY;

    return fat_cache_write_now(
            volume->tree.cache, 0, state_offset(volume), &value, &mask, 1);
}

static fat_err set_fat_mark(struct fat_volume *volume, bool dirty)
{
    const enum fat_type type = volume->tree.geometry.type;
    const uint32_t bit = fat_ent_clean_bit(type);
    const struct fat_ent_span span = fat_ent_locate(type, 1);
    uint8_t value[FAT_ENT_BYTES_MAX];
    uint8_t mask[FAT_ENT_BYTES_MAX];

    if (bit == 0) {
        return FAT_OK; /* FAT12 has no marks there */
    }
    fat_put32(mask, 0, bit);
    fat_put32(value, 0, dirty ? 0 : bit);
    return fat_cache_write_now(volume->tree.cache, volume->tree.fattab.start,
            (size_t)span.offset, value, mask, span.length);
}

/* Writes the two numbers of FSInfo, if the volume has a valid one. */
static fat_err write_fsinfo(struct fat_volume *volume, struct fat_fsinfo info)
{
    struct fat_tree *tree = &volume->tree;
    const uint32_t sector = tree->geometry.fsinfo_sector;
    uint8_t raw[FAT_BOOT_BYTES];
    fat_err err;

    if (sector == 0) {
        return FAT_OK;
    }
    err = fat_cache_read(tree->cache, sector, 0, raw, sizeof(raw), 0);
    if (err != FAT_OK || !fat_fsinfo_is_valid(raw)) {
        return err;
    }
    fat_fsinfo_encode(info, raw);
    return fat_cache_write_now(tree->cache, sector, 0, raw, NULL, sizeof(raw));
}

fat_err fat_marks_are_set(struct fat_volume *volume, bool *ret)
{
    struct fat_tree *tree = &volume->tree;
    const enum fat_type type = tree->geometry.type;
    const struct fat_ent_span span = fat_ent_locate(type, 1);
    const uint32_t bits = fat_ent_clean_bit(type);
    uint8_t raw[FAT_ENT_BYTES_MAX] = {0};
    fat_err err = fat_cache_read(
            tree->cache, tree->fattab.start, span.offset, raw, span.length, 0);

    if (err == FAT_OK) {
        *ret = (volume->bpb.state & FAT_STATE_DIRTY) ||
               (fat_get32(raw, 0) & bits) != bits;
    }
    return err;
}

/* Where they are; 0 for a second or third: the volume has no such sector. */
static void locate_marks(
        const struct fat_volume *volume, uint64_t sectors[FAT_MARK_SECTORS])
{
    sectors[0] = 0;
    sectors[1] = volume->tree.fattab.start;
    sectors[2] = volume->tree.geometry.fsinfo_sector;
}

fat_err fat_marks_load(struct fat_volume *volume)
{
    uint64_t sectors[FAT_MARK_SECTORS];
    fat_err err = FAT_OK;

    locate_marks(volume, sectors);
    for (size_t i = 0; i < FAT_MARK_SECTORS && err == FAT_OK; i++) {
        if (!volume->mark_blocks[i] && (i == 0 || sectors[i] != 0)) {
            err = fat_cache_get(
                    volume->tree.cache, sectors[i], 0, &volume->mark_blocks[i]);
        }
    }
    return err;
}

void fat_marks_unload(struct fat_volume *volume)
{
    for (size_t i = 0; i < FAT_MARK_SECTORS; i++) {
        if (volume->mark_blocks[i]) {
            fat_cache_put(volume->tree.cache, volume->mark_blocks[i]);
            volume->mark_blocks[i] = NULL;
        }
    }
}

fat_err fat_marks_prove(struct fat_volume *volume)
{
    uint64_t sectors[FAT_MARK_SECTORS];
    fat_err err = FAT_OK;

    locate_marks(volume, sectors);
    for (size_t i = 0; i < FAT_MARK_SECTORS && err == FAT_OK; i++) {
        if (volume->mark_blocks[i]) {
            err = fat_cache_prove(volume->tree.cache, sectors[i]);
        }
    }
    return err;
}

fat_err fat_marks_set(struct fat_volume *volume)
{
    const struct fat_fsinfo unknown = {
            .free_count = FAT_FSINFO_UNKNOWN, .next_free = FAT_FSINFO_UNKNOWN};
    fat_err err = set_boot_mark(volume, true);

    if (err == FAT_OK) {
        err = set_fat_mark(volume, true);
    }
    return err == FAT_OK ? write_fsinfo(volume, unknown) : err;
}

fat_err fat_marks_clear(struct fat_volume *volume)
{
    const fat_err err = set_fat_mark(volume, false);

    return err == FAT_OK ? set_boot_mark(volume, false) : err;
}

fat_err fat_marks_write_free_count(struct fat_volume *volume)
{
    struct fat_freemap *map = volume->tree.freemap;
    const struct fat_fsinfo info = {.free_count = fat_freemap_known_count(map),
            .next_free = fat_freemap_hint(map)};

    return write_fsinfo(volume, info);
}
