/* SPDX-License-Identifier: MIT */
/* Pieces of the FAT: where their bytes are, which copy has them, what they say. */
#include <string.h>

#include "volume/check_state.h"

static uint32_t entry_count(const struct fat_check *c)
{
    return c->g.cluster_count + FAT_CLUSTER_FIRST;
}

uint64_t fat_check_copy_offset(const struct fat_check *c, uint32_t copy)
{
    return (c->g.fat_start + copy * c->g.fat_sectors) * c->g.sector_bytes;
}

struct fat_check_piece fat_check_piece(
        const struct fat_check *c, uint32_t first, uint32_t count)
{
    const enum fat_type type = c->g.type;
    const uint32_t left = entry_count(c) - first;
    struct fat_check_piece piece = {
            .first = first, .count = count < left ? count : left};
    const struct fat_ent_span last = fat_ent_locate(type, first + piece.count - 1);

    piece.offset = fat_ent_locate(type, first).offset;
    piece.length = (size_t)(last.offset + last.length - piece.offset);
    return piece;
}

struct fat_check_piece fat_check_part(
        const struct fat_check *c, const struct fat_check_piece *whole, uint32_t index)
{
    const uint32_t done = index * FAT_CHECK_PART_ENTRIES;
    const uint32_t left = whole->count - done;

    return fat_check_piece(c, whole->first + done,
            left < FAT_CHECK_PART_ENTRIES ? left : FAT_CHECK_PART_ENTRIES);
}

uint32_t fat_check_count_parts(const struct fat_check_piece *whole)
{
    return (whole->count + FAT_CHECK_PART_ENTRIES - 1) / FAT_CHECK_PART_ENTRIES;
}

bool fat_check_read_piece(struct fat_check *c, const struct fat_check_piece *piece,
        uint32_t copy, uint8_t *bytes)
{
    return fat_check_read(c, fat_check_copy_offset(c, copy) + piece->offset, bytes,
                   piece->length) == FAT_OK;
}

bool fat_check_read_part(struct fat_check *c, const struct fat_check_piece *part,
        uint32_t copy, uint8_t *bytes, struct fat_check_unread *unread)
{
    if (fat_check_read_piece(c, part, copy, bytes)) {
        return true;
    }
    unread->first = unread->count ? unread->first : part->first;
    unread->count += part->count;
    return false;
}

static bool read_part_of_any(struct fat_check *c, const struct fat_check_piece *part,
        uint8_t *bytes, struct fat_check_unread *unread)
{
    bool done = fat_check_read_part(c, part, c->g.active_fat, bytes, unread);

    for (uint32_t copy = 0; !done && c->g.mirrored && copy < c->g.fat_count; copy++) {
        done = copy != c->g.active_fat && fat_check_read_piece(c, part, copy, bytes);
    }
    return done;
}

uint64_t fat_check_read_any(struct fat_check *c, const struct fat_check_piece *piece,
        uint8_t *bytes, struct fat_check_unread *unread)
{
    uint64_t lost = 0;

    if (fat_check_read_piece(c, piece, c->g.active_fat, bytes)) {
        return 0;
    }
    memset(bytes, 0, piece->length);
    for (uint32_t i = 0; i < fat_check_count_parts(piece); i++) {
        const struct fat_check_piece part = fat_check_part(c, piece, i);
        uint8_t *to = bytes + (part.offset - piece->offset);

        if (!read_part_of_any(c, &part, to, unread)) {
            memset(to, 0, part.length);
            lost |= UINT64_C(1) << i;
        }
    }
    return lost;
}

static uint32_t compact(struct fat_link link)
{
    switch (link.kind) {
    case FAT_LINK_FREE:
        return FAT_CHECK_FREE;
    case FAT_LINK_NEXT:
        return link.cluster;
    case FAT_LINK_END:
        return FAT_CHECK_END;
    case FAT_LINK_BAD:
        return FAT_CHECK_BAD;
    case FAT_LINK_RESERVED:
        break;
    }
    return FAT_CHECK_RESERVED;
}

uint32_t fat_check_piece_entry(const struct fat_check *c,
        const struct fat_check_piece *piece, const uint8_t *bytes, uint32_t cluster)
{
    const struct fat_ent_span span = fat_ent_locate(c->g.type, cluster);

    return compact(fat_ent_decode(
            c->g.type, cluster, bytes + (size_t)(span.offset - piece->offset)));
}
