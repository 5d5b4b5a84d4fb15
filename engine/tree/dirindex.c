/* SPDX-License-Identifier: MIT */
#include "tree/dirindex.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { SET_SLOTS_MAX = 21 };

/* An open-addressing table: a name's cell is the first free one from its hash on. */
enum cell_state { CELL_EMPTY, CELL_DELETED, CELL_ENTRY, CELL_TOMB };

struct cell {
    uint32_t hash;
    uint16_t value; /* the entry's short slot, or the tomb's first slot */
    uint8_t state;
};

struct fat_dirindex {
    struct cell *cells;
    size_t capacity; /* a power of two */
    size_t used;     /* cells that are not EMPTY */
    size_t live;     /* ENTRY and TOMB */

    uint64_t *taken; /* a bit per slot */
    uint32_t slots;  /* that taken has room for */
    uint32_t end;
    uint32_t entries, directories;
    bool junk;

    /* No room for a set of k slots begins before hint[k]. */
    uint32_t hint[SET_SLOTS_MAX + 1];

    struct fat_tomb *tombs; /* oldest first */
    size_t tomb_count, tomb_capacity;
};

fat_err fat_dirindex_new(struct fat_dirindex **ret)
{
    struct fat_dirindex *index = calloc(1, sizeof(*index));

    if (!index) {
        return FAT_E_NOMEM;
    }
    *ret = index;
    return FAT_OK;
}

void fat_dirindex_free(struct fat_dirindex *index)
{
    if (index) {
        free(index->cells);
        free(index->taken);
        free(index->tombs);
        free(index);
    }
}

size_t fat_dirindex_bytes(const struct fat_dirindex *index)
{
    return sizeof(*index) + index->capacity * sizeof(*index->cells) + index->slots / 8 +
           index->tomb_capacity * sizeof(*index->tombs);
}

/* 65,536 names of 32-bit hashes: two of one hash are rare, three are not seen. */
enum { SAME_HASH_MAX = 1000 };

static bool is_crowded(const struct fat_dirindex *index, uint32_t hash)
{
    size_t i = hash & (index->capacity - 1);
    unsigned same = 0;

    while (index->capacity > 0 && index->cells[i].state != CELL_EMPTY &&
            same < SAME_HASH_MAX) {
        same += index->cells[i].state == CELL_ENTRY && index->cells[i].hash == hash;
        i = (i + 1) & (index->capacity - 1);
    }
    return same == SAME_HASH_MAX;
}

bool fat_dirindex_is_crowded(
        const struct fat_dirindex *index, struct fat_name_hashes hashes)
{
    return is_crowded(index, hashes.shown) || is_crowded(index, hashes.alias);
}

static void put_cell(struct fat_dirindex *index, uint32_t hash, uint16_t value,
        enum cell_state state)
{
    size_t i = hash & (index->capacity - 1);

    while (index->cells[i].state == CELL_ENTRY || index->cells[i].state == CELL_TOMB) {
        i = (i + 1) & (index->capacity - 1);
    }
    index->used += index->cells[i].state == CELL_EMPTY ? 1U : 0U;
    index->live++;
    index->cells[i] =
            (struct cell){.hash = hash, .value = value, .state = (uint8_t)state};
}

static fat_err rehash(struct fat_dirindex *index, size_t capacity)
{
    struct cell *old = index->cells;
    const size_t old_capacity = index->capacity;
    struct cell *cells = calloc(capacity, sizeof(*cells));

    if (!cells) {
        return FAT_E_NOMEM;
    }
    index->cells = cells;
    index->capacity = capacity;
    index->used = index->live = 0;
    for (size_t i = 0; i < old_capacity; i++) {
        if (old[i].state == CELL_ENTRY || old[i].state == CELL_TOMB) {
            put_cell(index, old[i].hash, old[i].value, (enum cell_state)old[i].state);
        }
    }
    free(old);
    return FAT_OK;
}

static fat_err reserve_cells(struct fat_dirindex *index, size_t cells)
{
    size_t capacity = 16;

    if ((index->used + cells) * 4 <= index->capacity * 3) {
        return FAT_OK;
    }
    while ((index->live + cells) * 2 > capacity) {
        capacity *= 2;
    }
    return rehash(index, capacity);
}

static fat_err reserve_slots(struct fat_dirindex *index, uint32_t slots)
{
    const size_t have = index->slots / 64;
    const size_t want = (slots + 63) / 64;
    uint64_t *taken;

    if (want <= have) {
        return FAT_OK;
    }
    taken = realloc(index->taken, want * sizeof(*taken));
    if (!taken) {
        return FAT_E_NOMEM;
    }
    memset(taken + have, 0, (want - have) * sizeof(*taken));
    index->taken = taken;
    index->slots = (uint32_t)(want * 64);
    return FAT_OK;
}

fat_err fat_dirindex_reserve(struct fat_dirindex *index, size_t names, uint32_t slots)
{
    /* Each name may be two cells, and a burial puts two more beside it. */
    fat_err err = reserve_cells(index, names * 4);

    return err == FAT_OK ? reserve_slots(index, slots) : err;
}

void fat_dirindex_add(struct fat_dirindex *index, struct fat_name_hashes hashes,
        uint16_t slot, bool is_directory)
{
    put_cell(index, hashes.shown, slot, CELL_ENTRY);
    if (hashes.alias != hashes.shown) {
        put_cell(index, hashes.alias, slot, CELL_ENTRY);
    }
    index->entries++;
    index->directories += is_directory ? 1U : 0U;
}

static void drop_cell(struct fat_dirindex *index, uint32_t hash, uint16_t value,
        enum cell_state state)
{
    size_t i = hash & (index->capacity - 1);

    while (index->cells[i].state != CELL_EMPTY) {
        struct cell *cell = &index->cells[i];

        if (cell->state == state && cell->hash == hash && cell->value == value) {
            cell->state = CELL_DELETED;
            index->live--;
            return;
        }
        i = (i + 1) & (index->capacity - 1);
    }
    /* Not there: an image can say so, with names that no two readings agree on. */
}

void fat_dirindex_remove(struct fat_dirindex *index, struct fat_name_hashes hashes,
        uint16_t slot, bool is_directory)
{
    drop_cell(index, hashes.shown, slot, CELL_ENTRY);
    if (hashes.alias != hashes.shown) {
        drop_cell(index, hashes.alias, slot, CELL_ENTRY);
    }
    index->entries--;
    index->directories -= is_directory ? 1U : 0U;
}

/* *@cursor counts the cells looked at since the hash's own. */
static const struct cell *next_cell(const struct fat_dirindex *index, uint32_t hash,
        enum cell_state state, size_t *cursor)
{
    while (*cursor < index->capacity) {
        const size_t i = (hash + *cursor) & (index->capacity - 1);
        const struct cell *cell = &index->cells[i];

        ++*cursor;
        if (cell->state == CELL_EMPTY) {
            return NULL;
        }
        if (cell->state == state && cell->hash == hash) {
            return cell;
        }
    }
    return NULL;
}

bool fat_dirindex_find(const struct fat_dirindex *index, uint32_t hash, size_t *cursor,
        uint16_t *ret_slot)
{
    const struct cell *cell = next_cell(index, hash, CELL_ENTRY, cursor);

    if (cell) {
        *ret_slot = cell->value;
    }
    return cell != NULL;
}

uint32_t fat_dirindex_entries(const struct fat_dirindex *index)
{
    return index->entries;
}

uint32_t fat_dirindex_directories(const struct fat_dirindex *index)
{
    return index->directories;
}

static bool is_taken(const struct fat_dirindex *index, uint32_t slot)
{
    return index->taken[slot / 64] >> slot % 64 & 1;
}

void fat_dirindex_take(struct fat_dirindex *index, struct fat_slots slots)
{
    for (uint32_t i = slots.first; i < slots.first + slots.count; i++) {
        index->taken[i / 64] |= UINT64_C(1) << i % 64;
    }
}

void fat_dirindex_give(struct fat_dirindex *index, struct fat_slots slots)
{
    for (uint32_t i = slots.first; i < slots.first + slots.count; i++) {
        index->taken[i / 64] &= ~(UINT64_C(1) << i % 64);
    }
    for (uint32_t k = 0; k <= SET_SLOTS_MAX; k++) {
        /* The new gap may join with what is free before it. */
        const uint32_t from = slots.first > k ? slots.first - k : 0;

        index->hint[k] = index->hint[k] < from ? index->hint[k] : from;
    }
}

uint32_t fat_dirindex_end(const struct fat_dirindex *index)
{
    return index->end;
}

void fat_dirindex_set_end(struct fat_dirindex *index, uint32_t end)
{
    index->end = end;
}

void fat_dirindex_set_junk(struct fat_dirindex *index, bool junk)
{
    index->junk = junk;
}

bool fat_dirindex_has_junk(const struct fat_dirindex *index)
{
    return index->junk;
}

/* A set of @count fits at @first: all free, and in one sector if @within says so. */
static bool fits(const struct fat_dirindex *index, uint32_t first, uint32_t count,
        uint32_t *ret_blocker)
{
    for (uint32_t i = first; i < first + count && i < index->end; i++) {
        if (is_taken(index, i)) {
            *ret_blocker = i;
            return false;
        }
    }
    return true;
}

static bool find_from(const struct fat_dirindex *index, uint32_t first, uint32_t count,
        uint32_t per_sector, uint32_t capacity, uint32_t *ret_first)
{
    while (first + count <= capacity) {
        const uint32_t left = per_sector - first % per_sector;
        uint32_t blocker;

        if (count <= per_sector && left < count) {
            first += left; /* W5: the next sector holds it whole */
        } else if (fits(index, first, count, &blocker)) {
            *ret_first = first;
            return true;
        } else {
            first = blocker + 1;
        }
    }
    return false;
}

bool fat_dirindex_find_room(struct fat_dirindex *index, uint32_t count,
        uint32_t per_sector, uint32_t capacity, uint32_t *ret_first)
{
    /* Sectors of one slot: any border may be crossed, which the hint says nothing of. */
    const bool hinted = per_sector > 1;
    const uint32_t from = hinted ? index->hint[count] : 0;

    assert(count >= 1 && count <= SET_SLOTS_MAX);
    if (!find_from(index, from, count, per_sector, capacity, ret_first)) {
        return false;
    }
    if (hinted) {
        index->hint[count] = *ret_first;
    }
    return true;
}

fat_err fat_dirindex_reserve_tomb(struct fat_dirindex *index)
{
    const size_t capacity = index->tomb_capacity ? index->tomb_capacity * 2 : 4;
    struct fat_tomb *tombs;

    if (index->tomb_count < index->tomb_capacity) {
        return reserve_cells(index, 4);
    }
    tombs = realloc(index->tombs, capacity * sizeof(*tombs));
    if (!tombs) {
        return FAT_E_NOMEM;
    }
    index->tombs = tombs;
    index->tomb_capacity = capacity;
    return reserve_cells(index, 4);
}

void fat_dirindex_bury(struct fat_dirindex *index, const struct fat_tomb *tomb)
{
    const uint16_t first = (uint16_t)tomb->slots.first;

    assert(index->tomb_count < index->tomb_capacity);
    index->tombs[index->tomb_count++] = *tomb;
    put_cell(index, tomb->hashes.shown, first, CELL_TOMB);
    if (tomb->hashes.alias != tomb->hashes.shown) {
        put_cell(index, tomb->hashes.alias, first, CELL_TOMB);
    }
}

static void drop_tomb_cells(struct fat_dirindex *index, const struct fat_tomb *tomb)
{
    const uint16_t first = (uint16_t)tomb->slots.first;

    drop_cell(index, tomb->hashes.shown, first, CELL_TOMB);
    if (tomb->hashes.alias != tomb->hashes.shown) {
        drop_cell(index, tomb->hashes.alias, first, CELL_TOMB);
    }
}

static void drop_tombs(struct fat_dirindex *index, size_t at, size_t count)
{
    index->tomb_count -= count;
    memmove(index->tombs + at, index->tombs + at + count,
            (index->tomb_count - at) * sizeof(*index->tombs));
}

void fat_dirindex_settle(struct fat_dirindex *index, uint64_t finished)
{
    size_t done = 0;

    while (done < index->tomb_count && index->tombs[done].interval <= finished) {
        drop_tomb_cells(index, &index->tombs[done]);
        fat_dirindex_give(index, index->tombs[done].slots);
        done++;
    }
    if (done > 0) {
        drop_tombs(index, 0, done);
    }
}

static size_t tomb_at(const struct fat_dirindex *index, uint16_t first)
{
    size_t i = 0;

    while (i < index->tomb_count && index->tombs[i].slots.first != first) {
        i++;
    }
    return i;
}

bool fat_dirindex_is_buried(
        const struct fat_dirindex *index, uint32_t hash, struct fat_tomb *ret)
{
    size_t cursor = 0;
    const struct cell *cell = next_cell(index, hash, CELL_TOMB, &cursor);

    if (cell) {
        *ret = index->tombs[tomb_at(index, cell->value)];
    }
    return cell != NULL;
}

void fat_dirindex_exhume(struct fat_dirindex *index, const struct fat_tomb *tomb)
{
    drop_tomb_cells(index, tomb);
    drop_tombs(index, tomb_at(index, (uint16_t)tomb->slots.first), 1);
}
