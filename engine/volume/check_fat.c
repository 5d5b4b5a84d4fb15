/* SPDX-License-Identifier: MIT */
/*
 * The FAT: read once, in large pieces, to count what its entries say and to compare the
 * other copies with it. Where chains are followed, check_link.c reads it again.
 */
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "volume/check_state.h"

enum {
    PIECE_ENTRIES = FAT_CHECK_PARTS_MAX * FAT_CHECK_PART_ENTRIES,
    PIECE_BYTES = PIECE_ENTRIES * FAT_ENT_BYTES_MAX,
};

/* What was seen of one copy. */
struct copy_report {
    struct fat_check_unread unread;
    uint32_t different, diff_first; /* entries                                */
    bool bits_differ;               /* in bits that mean nothing, at least    */
};

struct reader {
    struct fat_check *c;
    struct copy_report *reports; /* one per copy                               */
    uint8_t *bytes, *other;
    uint32_t entries; /* 2 + clusters                                          */
};

static bool is_zero(const uint8_t *bytes, size_t length)
{
    return length == 0 || (bytes[0] == 0 && memcmp(bytes, bytes + 1, length - 1) == 0);
}

static void compare_part(struct reader *r, const struct fat_check_piece *part,
        const uint8_t *bytes, const uint8_t *other, struct copy_report *report)
{
    const uint32_t end = part->first + part->count;

    if (memcmp(bytes, other, part->length) == 0) {
        return;
    }
    report->bits_differ = true;
    for (uint32_t cluster = part->first; cluster < end; cluster++) {
        if (fat_check_piece_entry(r->c, part, bytes, cluster) !=
                fat_check_piece_entry(r->c, part, other, cluster)) {
            report->diff_first = report->different ? report->diff_first : cluster;
            report->different++;
        }
    }
}

/* With what is in r->other. */
static void compare(struct reader *r, const struct fat_check_piece *piece,
        const uint8_t *bytes, struct copy_report *report)
{
    for (uint32_t i = 0; i < fat_check_count_parts(piece); i++) {
        const struct fat_check_piece part = fat_check_part(r->c, piece, i);
        const size_t at = (size_t)(part.offset - piece->offset);

        compare_part(r, &part, bytes + at, r->other + at, report);
    }
}

static void compare_copy(struct reader *r, const struct fat_check_piece *whole,
        uint64_t unread, uint32_t copy)
{
    struct copy_report *report = &r->reports[copy];

    if (unread == 0 && fat_check_read_piece(r->c, whole, copy, r->other)) {
        compare(r, whole, r->bytes, report);
        return;
    }
    for (uint32_t i = 0; i < fat_check_count_parts(whole); i++) {
        const struct fat_check_piece part = fat_check_part(r->c, whole, i);

        if (fat_check_read_part(r->c, &part, copy, r->other, &report->unread) &&
                !(unread >> i & 1)) {
            compare(r, &part, r->bytes + (part.offset - whole->offset), report);
        }
    }
}

/* The entries of clusters; 0 and 1 are none. */
static void count_part(
        struct reader *r, const struct fat_check_piece *part, const uint8_t *bytes)
{
    struct fat_check_summary *sum = &r->c->sum;
    const uint32_t end = part->first + part->count;
    const uint32_t first =
            part->first < FAT_CLUSTER_FIRST ? FAT_CLUSTER_FIRST : part->first;

    if (is_zero(bytes, part->length)) {
        sum->clusters_free += end - first;
        return;
    }
    for (uint32_t cluster = first; cluster < end; cluster++) {
        const uint32_t link = fat_check_piece_entry(r->c, part, bytes, cluster);

        sum->clusters_free += link == FAT_CHECK_FREE;
        sum->clusters_bad += link == FAT_CHECK_BAD;
        sum->clusters_used += link != FAT_CHECK_FREE && link != FAT_CHECK_BAD;
    }
}

/* Part by part: what is free is seen at a glance, and mostly lies together. */
static void count_entries(struct reader *r, const struct fat_check_piece *whole)
{
    for (uint32_t i = 0; i < fat_check_count_parts(whole); i++) {
        const struct fat_check_piece part = fat_check_part(r->c, whole, i);

        count_part(r, &part, r->bytes + (part.offset - whole->offset));
    }
}

/* What can't be read was zero to count_entries(), but is not known to be free. */
static void count_unread(
        struct reader *r, const struct fat_check_piece *whole, uint64_t unread)
{
    for (uint32_t i = 0; unread != 0 && i < fat_check_count_parts(whole); i++) {
        const struct fat_check_piece part = fat_check_part(r->c, whole, i);
        const uint32_t reserved = part.first == 0 ? FAT_CLUSTER_FIRST : 0;

        if (unread >> i & 1) {
            r->c->sum.clusters_free -= part.count - reserved;
            r->c->sum.clusters_used += part.count - reserved;
            r->c->unread_count += part.count - reserved;
        }
    }
}

static void read_all(struct reader *r)
{
    const struct fat_geometry *g = &r->c->g;

    for (uint32_t first = 0; first < r->entries && !fat_check_is_stopped(r->c);
            first += PIECE_ENTRIES) {
        const struct fat_check_piece whole =
                fat_check_piece(r->c, first, PIECE_ENTRIES);
        const uint64_t unread = fat_check_read_any(
                r->c, &whole, r->bytes, &r->reports[g->active_fat].unread);

        for (uint32_t copy = 0; g->mirrored && copy < g->fat_count; copy++) {
            if (copy != g->active_fat) {
                compare_copy(r, &whole, unread, copy);
            }
        }
        count_entries(r, &whole);
        count_unread(r, &whole, unread);
    }
}

static void say_copies(struct reader *r)
{
    struct fat_check *c = r->c;
    const unsigned active = c->g.active_fat;

    for (uint32_t copy = 0; copy < c->g.fat_count; copy++) {
        const struct copy_report *seen = &r->reports[copy];
        const uint64_t start = fat_check_copy_offset(c, copy);

        if (seen->unread.count != 0) {
            c->fat_unread = true;
            fat_check_say(c,
                    &(struct fat_finding){.kind = FAT_FINDING_READ_ERROR,
                            .offset = start,
                            .cluster = seen->unread.first,
                            .first = seen->unread.count},
                    "FAT %u: about %u entries from %u on can't be read", (unsigned)copy,
                    (unsigned)seen->unread.count, (unsigned)seen->unread.first);
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
            .offset = fat_check_copy_offset(c, c->g.active_fat) +
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
    const uint64_t offset = fat_check_copy_offset(c, c->g.active_fat);
    const uint32_t ones = c->g.type == FAT_TYPE_12   ? 0xf00
                          : c->g.type == FAT_TYPE_16 ? 0xff00
                                                     : 0x0fffff00;
    uint8_t bytes[2 * FAT_ENT_BYTES_MAX] = {0};
    const size_t length = (size_t)fat_ent_table_bytes(c->g.type, 0);
    uint32_t media;

    if (fat_check_read(c, offset, bytes, length) != FAT_OK) {
        const struct fat_check_piece piece = fat_check_piece(c, 0, FAT_CLUSTER_FIRST);

        fat_check_say_unread(c, &piece);
        return;
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
    fat_err err = fat_check_links(c);

    if (err != FAT_OK) {
        return err;
    }
    r.reports = calloc(c->g.fat_count, sizeof(*r.reports));
    r.bytes = malloc(room);
    r.other = malloc(room);
    err = r.reports && r.bytes && r.other ? FAT_OK : FAT_E_NOMEM;
    if (err == FAT_OK) {
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
