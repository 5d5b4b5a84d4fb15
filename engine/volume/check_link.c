/* SPDX-License-Identifier: MIT */
/*
 * One FAT entry at a time. The FAT of a large volume is larger than memory should be:
 * pieces of it are kept in a megabyte of views, each piece in the one view that its
 * number says. Chains mostly run on from one cluster to the next, and so do the passes
 * over all clusters.
 *
 * A piece may be read more than once, and a device in bad hands may give other bytes
 * each time: whatever comes is an entry like any other.
 */
#include <stdlib.h>

#include "volume/check_state.h"

enum {
    VIEW_ENTRIES = 4096, /* a multiple of a part's */
    VIEW_BYTES = VIEW_ENTRIES * FAT_ENT_BYTES_MAX,
    VIEWS = 64,
};

static size_t view_count(const struct fat_check *c)
{
    const uint32_t entries = c->g.cluster_count + FAT_CLUSTER_FIRST;
    const uint32_t pieces = (entries + VIEW_ENTRIES - 1) / VIEW_ENTRIES;

    return pieces < VIEWS ? pieces : VIEWS;
}

fat_err fat_check_links(struct fat_check *c)
{
    const size_t views = view_count(c);
    const size_t mark_bytes = ((size_t)c->g.cluster_count + FAT_CLUSTER_FIRST + 7) / 8;
    bool ok;

    c->views = calloc(views, sizeof(*c->views));
    c->view_bytes = malloc(views * VIEW_BYTES);
    ok = c->views && c->view_bytes;
    for (size_t i = 0; i < views && ok; i++) {
        c->views[i].bytes = c->view_bytes + i * VIEW_BYTES;
    }
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

static void load(struct fat_check *c, struct fat_check_view *view, uint32_t first)
{
    struct fat_check_unread unread = {0};

    view->piece = fat_check_piece(c, first, VIEW_ENTRIES);
    view->unread = fat_check_read_any(c, &view->piece, view->bytes, &unread);
    if (view->unread != 0) {
        fat_check_say_unread(c, &view->piece);
    }
}

uint32_t fat_check_link(struct fat_check *c, uint32_t cluster)
{
    const uint32_t number = cluster / VIEW_ENTRIES;
    struct fat_check_view *view;

    if (!fat_geometry_holds(&c->g, cluster)) {
        return FAT_CHECK_RESERVED;
    }
    view = &c->views[number % VIEWS];
    if (view->piece.count == 0 || view->piece.first != number * VIEW_ENTRIES) {
        load(c, view, number * VIEW_ENTRIES);
    }
    if (view->unread >> (cluster - view->piece.first) / FAT_CHECK_PART_ENTRIES & 1) {
        return FAT_CHECK_UNREAD;
    }
    return fat_check_piece_entry(c, &view->piece, view->bytes, cluster);
}
