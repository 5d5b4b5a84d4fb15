/* SPDX-License-Identifier: MIT */
/*
 * One FAT entry at a time. The FAT of a large volume is larger than memory should be:
 * parts of it are kept in a megabyte of views, each part in the one view that its number
 * says. Chains mostly run on from one cluster to the next, and so do the passes over all
 * clusters: where the parts before are there, more are read at once. Where a chain jumps
 * about, one part is: what is read beside it would be of no use.
 *
 * A part may be read more than once, and a device in bad hands may give other bytes
 * each time: whatever comes is an entry like any other.
 */
#include <stdlib.h>

#include "volume/check_state.h"

enum {
    VIEWS = 1024,
    GROUP = 16, /* parts that are read at once, at most; their views are neighbours */
};

static size_t view_count(const struct fat_check *c)
{
    const uint32_t entries = c->g.cluster_count + FAT_CLUSTER_FIRST;
    const uint32_t parts =
            (entries + FAT_CHECK_PART_ENTRIES - 1) / FAT_CHECK_PART_ENTRIES;

    return parts < VIEWS ? parts : VIEWS;
}

fat_err fat_check_links(struct fat_check *c)
{
    const size_t views = view_count(c);
    const size_t mark_bytes = ((size_t)c->g.cluster_count + FAT_CLUSTER_FIRST + 7) / 8;
    bool ok;

    c->part_bytes = (size_t)fat_ent_locate(c->g.type, FAT_CHECK_PART_ENTRIES).offset;
    c->views = calloc(views, sizeof(*c->views));
    c->view_bytes = malloc(views * c->part_bytes);
    ok = c->views && c->view_bytes;
    for (size_t i = 0; i < FAT_MARK_COUNT && ok; i++) {
        c->marks[i] = calloc(1, mark_bytes);
        ok = c->marks[i] != NULL;
    }
    return ok ? FAT_OK : FAT_E_NOMEM;
}

void fat_check_links_free(struct fat_check *c)
{
    for (size_t i = 0; i < FAT_MARK_COUNT; i++) {
        free(c->marks[i]);
    }
    free(c->view_bytes);
    free(c->views);
}

void fat_check_say_unread(struct fat_check *c, const struct fat_check_piece *piece)
{
    const struct fat_check_entry *entry = c->entry;
    const int64_t dir = c->dir;

    if (c->fat_unread) {
        return;
    }
    c->fat_unread = true;
    c->entry = NULL;
    c->dir = FAT_CHECK_NO_DIR;
    fat_check_say(c,
            &(struct fat_finding){.kind = FAT_FINDING_READ_ERROR,
                    .offset = fat_check_copy_offset(c, c->g.active_fat) + piece->offset,
                    .cluster = piece->first,
                    .first = piece->count},
            "the FAT can't be read any more, about %u entries from %u on",
            (unsigned)piece->count, (unsigned)piece->first);
    c->entry = entry;
    c->dir = dir;
}

static bool is_there(const struct fat_check *c, uint32_t part)
{
    return c->views[part % VIEWS].after == part + 1;
}

/* As many as are there in front of @part, so that what is read doubles. */
static uint32_t parts_to_read(const struct fat_check *c, uint32_t part)
{
    const uint32_t room = GROUP - part % GROUP;
    uint32_t before = 0;

    while (before < room && before < part && is_there(c, part - 1 - before)) {
        before++;
    }
    return before > 0 ? before : 1;
}

static void load(struct fat_check *c, uint32_t part)
{
    const struct fat_check_piece piece =
            fat_check_piece(c, part * FAT_CHECK_PART_ENTRIES,
                    parts_to_read(c, part) * FAT_CHECK_PART_ENTRIES);
    uint8_t *bytes = c->view_bytes + part % VIEWS * c->part_bytes;
    struct fat_check_unread unread = {0};
    const uint64_t lost = fat_check_read_any(c, &piece, bytes, &unread);

    for (uint32_t i = 0; i < fat_check_count_parts(&piece); i++) {
        c->views[part % VIEWS + i] =
                (struct fat_check_view){.after = part + i + 1, .unread = lost >> i & 1};
    }
    if (lost != 0) {
        fat_check_say_unread(c, &piece);
    }
}

uint32_t fat_check_link(struct fat_check *c, uint32_t cluster)
{
    const uint32_t part = cluster / FAT_CHECK_PART_ENTRIES;
    struct fat_check_piece piece;

    if (!fat_geometry_holds(&c->g, cluster)) {
        return FAT_CHECK_RESERVED;
    }
    if (!is_there(c, part)) {
        load(c, part);
    }
    if (c->views[part % VIEWS].unread) {
        return FAT_CHECK_UNREAD;
    }
    piece.offset = (uint64_t)part * c->part_bytes;
    return fat_check_piece_entry(
            c, &piece, c->view_bytes + part % VIEWS * c->part_bytes, cluster);
}
