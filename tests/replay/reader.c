/* SPDX-License-Identifier: MIT */
#include "reader.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SLOT_BYTES = 32, DEPTH_MAX = 12, ENTRIES_MAX = 4000 };

static uint32_t le16(const uint8_t *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8;
}

static uint32_t le32(const uint8_t *p)
{
    return le16(p) | le16(p + 2) << 16;
}

static bool get(struct reader *r, uint64_t offset, void *bytes, size_t length)
{
    if (r->dev->ops->read(r->dev, offset, bytes, length) == FAT_OK) {
        return true;
    }
    r->complaint = "a place outside the device";
    return false;
}

static void *resized(void *old, size_t bytes)
{
    void *more = realloc(old, bytes ? bytes : 1);

    if (!more) {
        abort();
    }
    return more;
}

/* MSFAT 3.5: the number of clusters alone decides, save for FAT32's own fields. */
static bool read_geometry(struct reader *r)
{
    uint8_t boot[512];
    uint32_t sectors;
    uint32_t fat_sectors;
    uint32_t data;

    if (!get(r, 0, boot, sizeof(boot))) {
        return false;
    }
    r->sector_bytes = le16(boot + 11);
    r->cluster_bytes = r->sector_bytes * boot[13];
    fat_sectors = le16(boot + 22) ? le16(boot + 22) : le32(boot + 36);
    sectors = le16(boot + 19) ? le16(boot + 19) : le32(boot + 32);
    if (r->sector_bytes < 512 || r->cluster_bytes == 0 || boot[510] != 0x55) {
        r->complaint = "no boot sector";
        return false;
    }
    r->fat_bytes = fat_sectors * r->sector_bytes;
    r->fat_offset = (uint64_t)le16(boot + 14) * r->sector_bytes;
    r->root_offset = r->fat_offset + (uint64_t)boot[16] * r->fat_bytes;
    r->root_bytes = le16(boot + 17) * SLOT_BYTES;
    r->data_offset = r->root_offset + r->root_bytes;
    data = sectors - (uint32_t)(r->data_offset / r->sector_bytes);
    r->cluster_count = data / boot[13];
    r->root_cluster = le16(boot + 22) ? 0 : le32(boot + 44);
    r->type = r->root_cluster ? 32 : r->cluster_count < 4085 ? 12 : 16;
    return true;
}

uint32_t reader_next(const struct reader *r, uint32_t cluster)
{
    uint32_t value;

    if (r->type == 12) {
        value = le16(r->fat + cluster + cluster / 2);
        value = cluster & 1 ? value >> 4 : value & 0xfff;
    } else if (r->type == 16) {
        value = le16(r->fat + (size_t)cluster * 2);
    } else {
        value = le32(r->fat + (size_t)cluster * 4) & 0x0fffffff;
    }
    return value == 0 ? 0 : value < 2 || value >= r->cluster_count + 2 ? 1 : value;
}

uint64_t reader_cluster_offset(const struct reader *r, uint32_t cluster)
{
    return r->data_offset + (uint64_t)(cluster - 2) * r->cluster_bytes;
}

static bool is_cluster(const struct reader *r, uint32_t cluster)
{
    return cluster >= 2 && cluster < r->cluster_count + 2;
}

bool reader_chain_bytes(
        struct reader *r, uint32_t first, uint8_t *bytes, uint32_t length)
{
    while (length > 0) {
        const uint32_t part = length < r->cluster_bytes ? length : r->cluster_bytes;

        if (!is_cluster(r, first) || reader_next(r, first) == 0 ||
                !get(r, reader_cluster_offset(r, first), bytes, part)) {
            return false;
        }
        bytes += part;
        length -= part;
        first = reader_next(r, first);
    }
    return true;
}

/* All of a directory into r->scratch; the number of bytes. */
static size_t load_directory(struct reader *r, uint32_t first)
{
    size_t length = 0;

    if (first == 0) {
        r->scratch = resized(r->scratch, r->root_bytes);
        return get(r, r->root_offset, r->scratch, r->root_bytes) ? r->root_bytes : 0;
    }
    while (is_cluster(r, first) && reader_next(r, first) != 0 &&
            length <= (size_t)65536 * SLOT_BYTES) {
        r->scratch = resized(r->scratch, length + r->cluster_bytes);
        if (!get(r, reader_cluster_offset(r, first), r->scratch + length,
                    r->cluster_bytes)) {
            return 0;
        }
        length += r->cluster_bytes;
        first = reader_next(r, first);
    }
    if (first != 1) {
        r->complaint = "a directory's chain doesn't end";
    }
    return length;
}

static uint8_t checksum(const uint8_t *name)
{
    uint8_t sum = 0;

    for (int i = 0; i < 11; i++) {
        sum = (uint8_t)((sum >> 1 | sum << 7) + name[i]);
    }
    return sum;
}

static void short_text(const uint8_t *raw, char *text)
{
    size_t length = 0;

    for (size_t i = 0; i < 11; i++) {
        const uint8_t lower = i < 8 ? 0x08 : 0x10;
        const char c = (char)raw[i];

        if (i == 8 && raw[i] != ' ') {
            text[length++] = '.';
        }
        if (c != ' ') {
            text[length++] =
                    (raw[12] & lower) && c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
        }
    }
    text[length] = '\0';
}

/* The long name in the slots before @raw; how many those are, if they belong to it. */
static unsigned long_text(
        const uint8_t *directory, const uint8_t *raw, char *text, size_t text_bytes)
{
    static const uint8_t places[13] = {1, 3, 5, 7, 9, 14, 16, 18, 20, 22, 24, 28, 30};
    const uint8_t *slot = raw;
    size_t length = 0;

    for (unsigned ordinal = 1;; ordinal++) {
        if (slot == directory) {
            return 0;
        }
        slot -= SLOT_BYTES;
        if ((slot[11] & 0x3f) != 0x0f || (slot[0] & 0xbfU) != ordinal ||
                slot[13] != checksum(raw)) {
            return 0;
        }
        for (size_t i = 0; i < 13; i++) {
            const uint32_t unit = le16(slot + places[i]);

            if (unit != 0 && unit != 0xffff && length + 1 < text_bytes) {
                text[length++] = unit < 128 ? (char)unit : '?';
            }
        }
        if (slot[0] & 0x40) {
            text[length] = '\0';
            return ordinal;
        }
    }
}

/*
 * Days are not counted: what is not of the day of READER_EPOCH is nobody's. Neither are
 * hundredths: a rename may count in them.
 */
static uint32_t born_at(const uint8_t *raw)
{
    const uint32_t time = le16(raw + 14);

    if (le16(raw + 16) != (20U << 9 | 1U << 5 | 1U) || raw[13] >= 200) {
        return UINT32_MAX;
    }
    return (time >> 11) * 1800 + (time >> 5 & 63) * 30 + (time & 31);
}

static void add_entry(
        struct reader *r, const struct reader_entry *parent, size_t slot_at)
{
    const uint8_t *raw = r->scratch + slot_at;
    const size_t parent_index = parent ? (size_t)(parent - r->entries) : READER_NONE;
    const unsigned depth = parent ? parent->depth + 1 : 0;
    struct reader_entry *entry;

    if (r->entry_count == ENTRIES_MAX || depth > DEPTH_MAX) {
        r->complaint = "more names than anybody made: a loop, or garbage";
        return;
    }
    if (r->entry_count == r->entry_capacity) {
        r->entry_capacity = r->entry_capacity ? r->entry_capacity * 2 : 64;
        r->entries = resized(r->entries, r->entry_capacity * sizeof(*r->entries));
    }
    entry = &r->entries[r->entry_count++];
    *entry = (struct reader_entry){.parent = parent_index,
            .depth = depth,
            .is_directory = (raw[11] & 0x10) != 0,
            .attributes = raw[11],
            .first_cluster =
                    le16(raw + 26) | (r->type == 32 ? le16(raw + 20) << 16 : 0),
            .size = le32(raw + 28),
            .born = born_at(raw),
            .slot = (uint32_t)(slot_at / SLOT_BYTES)};
    entry->long_slots = long_text(r->scratch, raw, entry->name, sizeof(entry->name));
    if (entry->long_slots == 0) {
        short_text(raw, entry->name);
    }
}

static void read_directory(struct reader *r, size_t index)
{
    const uint32_t first =
            index == READER_NONE ? r->root_cluster : r->entries[index].first_cluster;
    const size_t length = load_directory(r, first);

    if (index != READER_NONE && first == 0) {
        r->complaint = "a directory without clusters";
        return;
    }
    for (size_t at = 0; at < length && r->scratch[at] != 0 && !r->complaint;
            at += SLOT_BYTES) {
        const uint8_t *raw = r->scratch + at;

        if (raw[0] != 0xe5 && raw[0] != '.' && !(raw[11] & 0x08)) {
            /* the array may move: not a pointer across calls */
            add_entry(r, index == READER_NONE ? NULL : &r->entries[index], at);
        }
    }
}

bool reader_read(struct reader *r, struct fat_blkdev *dev)
{
    r->dev = dev;
    r->complaint = NULL;
    r->entry_count = 0;
    if (!read_geometry(r)) {
        return false;
    }
    r->fat = resized(r->fat, r->fat_bytes + 4);
    if (!get(r, r->fat_offset, r->fat, r->fat_bytes)) {
        return false;
    }
    read_directory(r, READER_NONE);
    for (size_t i = 0; i < r->entry_count && !r->complaint; i++) {
        if (r->entries[i].is_directory) {
            read_directory(r, i);
        }
    }
    return r->complaint == NULL;
}

void reader_done(struct reader *r)
{
    free(r->fat);
    free(r->entries);
    free(r->scratch);
    *r = (struct reader){0};
}

void reader_path(const struct reader *r, size_t entry, char *path, size_t path_bytes)
{
    char tail[512];

    snprintf(path, path_bytes, "%s", r->entries[entry].name);
    for (entry = r->entries[entry].parent; entry != READER_NONE;
            entry = r->entries[entry].parent) {
        snprintf(tail, sizeof(tail), "%s", path);
        snprintf(path, path_bytes, "%s/%s", r->entries[entry].name, tail);
    }
}

size_t reader_slots(struct reader *r, size_t directory)
{
    const size_t length = load_directory(
            r, directory == READER_NONE ? r->root_cluster
                                        : r->entries[directory].first_cluster);
    size_t at = 0;

    while (at < length && r->scratch[at] != 0) {
        at += SLOT_BYTES;
    }
    return at / SLOT_BYTES;
}
