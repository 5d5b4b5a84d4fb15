/* SPDX-License-Identifier: MIT */
/* What the volume itself needs, whatever has been promised. */
#include "needs_rules.h"

#include <string.h>
#include <strings.h>

enum { SLOT_BYTES = 32 };

/* Does the second epoch make of this entry what it is? */
static bool is_news(const struct needs *needs, size_t index)
{
    const struct reader_entry *e = entry_of(&needs->after, index);
    const size_t old = view_find(&needs->between, needs->after.at[index], e->born);
    const struct reader_entry *o;

    if (old == READER_NONE) {
        return true;
    }
    o = entry_of(&needs->between, old);
    return o->first_cluster != e->first_cluster || o->size != e->size ||
           strcmp(o->name, e->name) != 0;
}

/* Could bytes before @end of this file be read before the first epoch? */
static bool showed(const struct needs *needs, const struct reader_entry *e,
        uint32_t cluster, uint32_t end)
{
    const struct view *view = &needs->before;

    if (next_in(view, cluster) == 0) {
        return false;
    }
    for (size_t i = 0; i < view->reader.entry_count; i++) {
        const struct reader_entry *o = entry_of(view, i);

        if (o->born == e->born && o->first_cluster == e->first_cluster &&
                (e->is_directory || end <= o->size)) {
            return true;
        }
    }
    return false;
}

/* Were bytes @offset to @end of this file, in sector @sector, fit to be seen? */
static bool was_fit(const struct needs *needs, const struct reader_entry *e,
        uint64_t sector, uint32_t offset, uint32_t end)
{
    const uint8_t *bytes = needs->before.bytes + sector * VIEW_SECTOR;

    for (uint32_t at = offset; at < end; at += BOOK_CELL_BYTES) {
        const uint32_t left = end - at;

        if (!needs_cell_is_good(needs, e->born, at / BOOK_CELL_BYTES,
                    bytes + (at - offset),
                    left < BOOK_CELL_BYTES ? left : BOOK_CELL_BYTES)) {
            return false;
        }
    }
    return true;
}

/* content: of the cluster that begins at @offset of the file. */
static bool shows_bytes(
        struct needs *needs, size_t index, uint32_t cluster, uint32_t offset)
{
    const struct reader_entry *e = entry_of(&needs->after, index);
    const uint32_t bytes = needs->after.reader.cluster_bytes;
    const uint64_t first =
            sector_of(reader_cluster_offset(&needs->after.reader, cluster));

    for (uint32_t at = 0; at < bytes; at += VIEW_SECTOR) {
        const uint64_t sector = first + at / VIEW_SECTOR;
        const uint32_t begin = offset + at;
        const uint32_t end = e->size < begin + VIEW_SECTOR && !e->is_directory
                                     ? e->size
                                     : begin + VIEW_SECTOR;

        if (!e->is_directory && begin >= e->size) {
            return false;
        }
        if (was_first(needs, sector) && !showed(needs, e, cluster, end) &&
                (e->is_directory || !was_fit(needs, e, sector, begin, end))) {
            return found(needs, "content", &needs->after, index, cluster);
        }
    }
    return false;
}

/* chain, content: what an entry that is new leads to. */
static bool leads_to(struct needs *needs, size_t index)
{
    const struct view *after = &needs->after;
    const uint32_t wanted = view_wanted(after, index);
    const uint64_t then = sector_of(after->at[index]);
    uint32_t cluster = entry_of(after, index)->first_cluster;

    for (uint32_t k = 0; k < wanted && view_is_cluster(after, cluster); k++) {
        const uint32_t old = next_in(&needs->before, cluster);
        const uint32_t new = next_in(after, cluster);

        if (entry_is_apart(needs, cluster, then) &&
                (old == 0 ? new != 0 : k + 1 < wanted &&old != new)) {
            return found(needs, "chain", after, index, cluster);
        }
        if (shows_bytes(needs, index, cluster, k * after->reader.cluster_bytes)) {
            return true;
        }
        cluster = new;
    }
    return false;
}

bool needs_find_chain(struct needs *needs)
{
    for (size_t i = 0; i < needs->after.reader.entry_count; i++) {
        if (is_news(needs, i) && leads_to(needs, i)) {
            return true;
        }
    }
    return false;
}

/* link: what a chain in use goes on into, from @cluster. */
static bool goes_into(struct needs *needs, size_t index, uint32_t cluster)
{
    const struct view *after = &needs->after;
    uint64_t sectors[VIEW_FAT_SECTORS];
    uint32_t next = next_in(after, cluster);

    (void)view_fat_sectors(after, cluster, sectors);
    for (uint32_t k = 0;
            k < after->reader.cluster_count && view_is_cluster(after, next); k++) {
        if (next_in(&needs->before, next) == 0 &&
                entry_is_apart(needs, next, sectors[0])) {
            return found(needs, "link", &needs->between, index, next);
        }
        if (entry_of(&needs->between, index)->is_directory) {
            const uint64_t at = reader_cluster_offset(&after->reader, next);

            for (uint32_t b = 0; b < after->reader.cluster_bytes; b += VIEW_SECTOR) {
                if (was_first(needs, sector_of(at + b))) {
                    return found(needs, "link", &needs->between, index, next);
                }
            }
        }
        next = next_in(after, next);
    }
    return false;
}

bool needs_find_link(struct needs *needs)
{
    const struct view *between = &needs->between;

    for (size_t i = 0; i < between->reader.entry_count; i++) {
        uint32_t cluster = entry_of(between, i)->first_cluster;

        for (uint32_t k = 0;
                k < between->reader.cluster_count && view_is_cluster(between, cluster);
                k++) {
            if (next_in(between, cluster) != next_in(&needs->after, cluster) &&
                    goes_into(needs, i, cluster)) {
                return true;
            }
            cluster = next_in(between, cluster);
        }
    }
    return false;
}

/* name */
bool needs_find_long_name(struct needs *needs)
{
    const struct view *after = &needs->after;

    for (size_t i = 0; i < after->reader.entry_count; i++) {
        const struct reader_entry *e = entry_of(after, i);
        const size_t old = view_find(&needs->between, after->at[i], e->born);

        if (old != READER_NONE &&
                strcmp(entry_of(&needs->between, old)->name, e->name) == 0) {
            continue;
        }
        for (uint32_t k = 1; k <= e->long_slots; k++) {
            const uint64_t at = view_slot(after, i, e->slot - k);

            if (is_apart(needs, sector_of(at), sector_of(after->at[i])) &&
                    memcmp(needs->before.bytes + at, needs->between.bytes + at,
                            SLOT_BYTES) != 0) {
                return found(needs, "name", after, i, sector_of(at));
            }
        }
    }
    return false;
}

/* free */

/* Does the second epoch harm the chain as it was, at its cluster number @k? */
static bool breaks(
        const struct needs *needs, uint32_t cluster, uint32_t k, uint32_t wanted)
{
    const uint32_t between = next_in(&needs->between, cluster);
    const uint32_t after = next_in(&needs->after, cluster);

    return between != after && (after == 0 || k + 1 < wanted);
}

/* One whose entry before the first epoch led to clusters that go in the second. */
static bool lost_hold(struct needs *needs, size_t index)
{
    const struct view *before = &needs->before;
    const struct reader_entry *e = entry_of(before, index);
    const uint64_t at = before->at[index];
    const size_t now = view_find(&needs->between, at, e->born);
    const bool stays =
            now != READER_NONE &&
            entry_of(&needs->between, now)->first_cluster == e->first_cluster;
    const uint32_t wanted = view_wanted(before, index);
    const uint32_t still = stays ? view_wanted(&needs->between, now) : 0;
    uint32_t cluster = e->first_cluster;
    uint32_t cut_at = 0; /* where the first epoch cut the chain */

    for (uint32_t k = 0;
            k < before->reader.cluster_count && view_is_cluster(before, cluster); k++) {
        uint64_t sectors[VIEW_FAT_SECTORS];

        (void)view_fat_sectors(before, cluster, sectors);
        if (breaks(needs, cluster, k, wanted)) {
            const uint32_t lost = k + (next_in(&needs->after, cluster) != 0);
            const bool named = k < wanted ? lost >= still : !stays;

            if (named && is_apart(needs, sector_of(at), sectors[0])) {
                return found(needs, "free", before, index, cluster);
            }
            if (cut_at != 0 && next_in(&needs->after, cluster) == 0 &&
                    entry_is_apart(needs, cut_at, sectors[0])) {
                return found(needs, "free", before, index, cluster);
            }
        }
        if (cut_at == 0 &&
                next_in(before, cluster) != next_in(&needs->between, cluster)) {
            cut_at = cluster;
        }
        cluster = next_in(before, cluster);
    }
    return false;
}

bool needs_find_free(struct needs *needs)
{
    for (size_t i = 0; i < needs->before.reader.entry_count; i++) {
        if (lost_hold(needs, i)) {
            return true;
        }
    }
    return false;
}

/* twice */
bool needs_find_twice(struct needs *needs)
{
    const struct view *after = &needs->after;
    const struct view *before = &needs->before;

    for (size_t i = 0; i < after->reader.entry_count; i++) {
        if (!is_news(needs, i)) {
            continue;
        }
        for (size_t k = 0; k < before->reader.entry_count; k++) {
            const uint32_t born = entry_of(before, k)->born;

            if (view_directory(before, k) == view_directory(after, i) &&
                    strcasecmp(entry_of(before, k)->name, entry_of(after, i)->name) ==
                            0 &&
                    view_find(&needs->between, before->at[k], born) == READER_NONE &&
                    is_apart(
                            needs, sector_of(before->at[k]), sector_of(after->at[i]))) {
                return found(needs, "twice", after, i, sector_of(before->at[k]));
            }
        }
    }
    return false;
}
