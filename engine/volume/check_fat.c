/* SPDX-License-Identifier: MIT */
/*
 * The FAT: read once, in large pieces, into one number per cluster; the other
 * copies are compared with it piece by piece. Memory is taken for the clusters
 * that the device has, whatever the boot sector claims.
 */
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "volume/check_state.h"

enum {
    PIECE_ENTRIES = 16384, /* even, so that FAT12 entries start on a byte        */
    RETRY_ENTRIES = 256,   /* likewise; around a sector that can't be read       */
    PIECE_BYTES = PIECE_ENTRIES * FAT_ENT_BYTES_MAX,
};

/* What was seen of one copy. */
struct copy_report {
    uint32_t unread, unread_first;  /* entries                                */
    uint32_t different, diff_first; /* entries                                */
    bool bits_differ;               /* in bits that mean nothing, at least    */
};

/* Entries @first .. @first + @count - 1 of the table, as bytes of a copy. */
struct piece {
    uint32_t first, count;
    uint64_t offset;
    size_t length;
};

struct reader {
    struct fat_check *c;
    struct copy_report *reports; /* one per copy                               */
    uint8_t *bytes, *other;
    uint32_t entries; /* 2 + clusters                                          */
};

static struct piece make_piece(const struct reader *r, uint32_t first, uint32_t count)
{
    const enum fat_type type = r->c->g.type;
    const uint32_t left = r->entries - first;
    struct piece piece = {.first = first, .count = count < left ? count : left};
    const struct fat_ent_span last = fat_ent_locate(type, first + piece.count - 1);

    piece.offset = fat_ent_locate(type, first).offset;
    piece.length = (size_t)(last.offset + last.length - piece.offset);
    return piece;
}

static uint64_t copy_offset(const struct fat_check *c, uint32_t copy)
{
    return (c->g.fat_start + copy * c->g.fat_sectors) * c->g.sector_bytes;
}

static bool is_zero(const uint8_t *bytes, size_t length)
{
    return length == 0 || (bytes[0] == 0 && memcmp(bytes, bytes + 1, length - 1) == 0);
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

static uint32_t entry_at(const struct fat_check *c, const struct piece *piece,
        const uint8_t *bytes, uint32_t cluster)
{
    const struct fat_ent_span span = fat_ent_locate(c->g.type, cluster);

    return compact(fat_ent_decode(
            c->g.type, cluster, bytes + (size_t)(span.offset - piece->offset)));
}

/* Part number @index of a piece; parts are read alone where the whole can't be. */
static struct piece part_of(
        const struct reader *r, const struct piece *whole, uint32_t index)
{
    const uint32_t done = index * RETRY_ENTRIES;
    const uint32_t left = whole->count - done;

    return make_piece(
            r, whole->first + done, left < RETRY_ENTRIES ? left : RETRY_ENTRIES);
}

static uint32_t count_parts(const struct piece *whole)
{
    return (whole->count + RETRY_ENTRIES - 1) / RETRY_ENTRIES;
}

static bool read_copy(
        struct reader *r, const struct piece *piece, uint32_t copy, uint8_t *bytes)
{
    const uint64_t offset = copy_offset(r->c, copy) + piece->offset;

    return fat_check_read(r->c, offset, bytes, piece->length) == FAT_OK;
}

static bool read_part(
        struct reader *r, const struct piece *part, uint32_t copy, uint8_t *bytes)
{
    struct copy_report *report = &r->reports[copy];

    if (read_copy(r, part, copy, bytes)) {
        return true;
    }
    report->unread_first = report->unread ? report->unread_first : part->first;
    report->unread += part->count;
    return false;
}

/* From the active copy, else from any other that is kept up to date. */
static bool read_part_of_any(struct reader *r, const struct piece *part, uint8_t *bytes)
{
    const struct fat_geometry *g = &r->c->g;
    bool done = read_part(r, part, g->active_fat, bytes);

    for (uint32_t copy = 0; !done && g->mirrored && copy < g->fat_count; copy++) {
        done = copy != g->active_fat && read_copy(r, part, copy, bytes);
    }
    return done;
}

/* Fills r->bytes; returns a bit for each part that no copy could give. */
static uint64_t fill(struct reader *r, const struct piece *whole)
{
    uint64_t unread = 0;

    if (read_copy(r, whole, r->c->g.active_fat, r->bytes)) {
        return 0;
    }
    memset(r->bytes, 0, whole->length);
    for (uint32_t i = 0; i < count_parts(whole); i++) {
        const struct piece part = part_of(r, whole, i);
        uint8_t *bytes = r->bytes + (part.offset - whole->offset);

        if (!read_part_of_any(r, &part, bytes)) {
            unread |= UINT64_C(1) << i;
        }
    }
    return unread;
}

/* Zero pages of links are left alone: on a sparse volume they cost no memory. */
static void decode(struct reader *r, const struct piece *piece)
{
    struct fat_check *c = r->c;
    const uint32_t end = piece->first + piece->count;

    if (is_zero(r->bytes, piece->length)) {
        return;
    }
    for (uint32_t cluster = piece->first; cluster < end; cluster++) {
        const uint32_t link = entry_at(c, piece, r->bytes, cluster);

        if (link != FAT_CHECK_FREE) {
            c->links[cluster] = link;
        }
    }
}

static void mark_unread(struct reader *r, const struct piece *whole, uint64_t unread)
{
    for (uint32_t i = 0; unread != 0 && i < count_parts(whole); i++) {
        const struct piece part = part_of(r, whole, i);

        for (uint32_t j = 0; (unread >> i & 1) && j < part.count; j++) {
            r->c->links[part.first + j] = FAT_CHECK_UNREAD;
        }
    }
}

static void compare(struct reader *r, const struct piece *piece, const uint8_t *bytes,
        struct copy_report *report)
{
    const uint32_t end = piece->first + piece->count;

    if (memcmp(bytes, r->other, piece->length) == 0) {
        return;
    }
    report->bits_differ = true;
    for (uint32_t cluster = piece->first; cluster < end; cluster++) {
        if (entry_at(r->c, piece, bytes, cluster) !=
                entry_at(r->c, piece, r->other, cluster)) {
            report->diff_first = report->different ? report->diff_first : cluster;
            report->different++;
        }
    }
}

static void compare_copy(
        struct reader *r, const struct piece *whole, uint64_t unread, uint32_t copy)
{
    struct copy_report *report = &r->reports[copy];

    if (unread == 0 && read_copy(r, whole, copy, r->other)) {
        compare(r, whole, r->bytes, report);
        return;
    }
    for (uint32_t i = 0; i < count_parts(whole); i++) {
        const struct piece part = part_of(r, whole, i);

        if (read_part(r, &part, copy, r->other) && !(unread >> i & 1)) {
            compare(r, &part, r->bytes + (part.offset - whole->offset), report);
        }
    }
}

static void read_all(struct reader *r)
{
    const struct fat_geometry *g = &r->c->g;

    for (uint32_t first = 0; first < r->entries && !fat_check_is_stopped(r->c);
            first += PIECE_ENTRIES) {
        const struct piece whole = make_piece(r, first, PIECE_ENTRIES);
        const uint64_t unread = fill(r, &whole);

        for (uint32_t copy = 0; g->mirrored && copy < g->fat_count; copy++) {
            if (copy != g->active_fat) {
                compare_copy(r, &whole, unread, copy);
            }
        }
        decode(r, &whole);
        mark_unread(r, &whole, unread);
    }
}

static void say_copies(struct reader *r)
{
    struct fat_check *c = r->c;
    const unsigned active = c->g.active_fat;

    for (uint32_t copy = 0; copy < c->g.fat_count; copy++) {
        const struct copy_report *seen = &r->reports[copy];
        const uint64_t start = copy_offset(c, copy);

        if (seen->unread != 0) {
            fat_check_say(c,
                    &(struct fat_finding){.kind = FAT_FINDING_READ_ERROR,
                            .offset = start,
                            .cluster = seen->unread_first,
                            .first = seen->unread},
                    "FAT %u: about %u entries from %u on can't be read", (unsigned)copy,
                    (unsigned)seen->unread, (unsigned)seen->unread_first);
        }
        if (seen->bits_differ) {
            fat_check_say(c,
                    &(struct fat_finding){.kind = FAT_FINDING_FAT_DIFFERS,
                            .offset = start,
                            .cluster = seen->diff_first,
                            .first = seen->different,
                            .second = copy},
                    "FAT %u differs from FAT %u in %u entries, the first is %u",
                    (unsigned)copy, active, (unsigned)seen->different,
                    (unsigned)seen->diff_first);
        }
    }
}

/* Entry 0 or 1 as a number. */
static uint32_t raw_entry(enum fat_type type, const uint8_t *bytes, unsigned index)
{
    switch (type) {
    case FAT_TYPE_12:
        return index == 0 ? fat_get16(bytes, 0) & 0xfffU : fat_get16(bytes, 1) >> 4;
    case FAT_TYPE_16:
        return fat_get16(bytes, 2 * (size_t)index);
    case FAT_TYPE_32:
        break;
    }
    return fat_get32(bytes, 4 * (size_t)index) & UINT32_C(0x0fffffff);
}

static void check_marks(struct fat_check *c, uint32_t value)
{
    const uint32_t clean = fat_ent_clean_bit(c->g.type);
    const uint32_t no_error = fat_ent_no_error_bit(c->g.type);
    struct fat_finding seed = {.kind = FAT_FINDING_DIRTY_FAT,
            .offset = copy_offset(c, c->g.active_fat) +
                      fat_ent_locate(c->g.type, 1).offset,
            .first = value};

    if ((value & clean) != clean) {
        fat_check_say(c, &seed, "FAT[1] says the volume was not unmounted");
    }
    if ((value & no_error) != no_error) {
        seed.kind = FAT_FINDING_HARD_ERROR;
        fat_check_say(c, &seed, "FAT[1] says the medium had errors");
    }
}

static void check_first_entries(struct fat_check *c)
{
    const uint64_t offset = copy_offset(c, c->g.active_fat);
    const uint32_t ones = c->g.type == FAT_TYPE_12   ? 0xf00
                          : c->g.type == FAT_TYPE_16 ? 0xff00
                                                     : 0x0fffff00;
    uint8_t bytes[2 * FAT_ENT_BYTES_MAX] = {0};
    const size_t length = (size_t)fat_ent_table_bytes(c->g.type, 0);
    uint32_t media;

    if (fat_check_read(c, offset, bytes, length) != FAT_OK) {
        return; /* said by say_copies() */
    }
    media = raw_entry(c->g.type, bytes, 0);
    if (media != (ones | c->g.media)) {
        fat_check_say(c,
                &(struct fat_finding){.kind = FAT_FINDING_MEDIA,
                        .offset = offset,
                        .first = media,
                        .second = ones | c->g.media},
                "FAT[0] is 0x%x, with BPB_Media 0x%x it should be 0x%x",
                (unsigned)media, (unsigned)c->g.media, (unsigned)(ones | c->g.media));
    }
    check_marks(c, raw_entry(c->g.type, bytes, 1));
}

fat_err fat_check_fat(struct fat_check *c)
{
    struct reader r = {.c = c, .entries = c->g.cluster_count + FAT_CLUSTER_FIRST};
    const size_t room = r.entries < PIECE_ENTRIES
                                ? (size_t)r.entries * FAT_ENT_BYTES_MAX
                                : PIECE_BYTES;
    fat_err err = FAT_E_NOMEM;

    c->links = calloc(r.entries, sizeof(*c->links));
    c->owners = calloc(r.entries, sizeof(*c->owners));
    r.reports = calloc(c->g.fat_count, sizeof(*r.reports));
    r.bytes = malloc(room);
    r.other = malloc(room);
    if (c->links && c->owners && r.reports && r.bytes && r.other) {
        read_all(&r);
        say_copies(&r);
        check_first_entries(c);
        err = fat_check_is_stopped(c) ? FAT_E_STOPPED : FAT_OK;
    }
    free(r.other);
    free(r.bytes);
    free(r.reports);
    return err;
}
