/* SPDX-License-Identifier: MIT */
#include "cells.h"

#include <stdlib.h>
#include <string.h>

#include "book.h"

static const uint8_t zeros[BOOK_CELL_BYTES];

void cells_done(struct cells *cells)
{
    free(cells->bytes);
    free(cells->table);
    *cells = (struct cells){0};
}

static size_t hash(const uint8_t *cell)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < BOOK_CELL_BYTES; i += 8) {
        uint64_t word;

        memcpy(&word, cell + i, sizeof(word));
        sum = (sum ^ word) * UINT64_C(0x9e3779b97f4a7c15);
        sum ^= sum >> 29;
    }
    return (size_t)sum;
}

/* Where the cell is in the table, or the empty place where it belongs. */
static size_t place_of(const struct cells *cells, const uint8_t *cell)
{
    size_t at = hash(cell) & (cells->table_size - 1);

    while (cells->table[at] != 0 &&
            memcmp(cells_bytes(cells, cells->table[at]), cell, BOOK_CELL_BYTES) != 0) {
        at = (at + 1) & (cells->table_size - 1);
    }
    return at;
}

static void grow(struct cells *cells)
{
    const uint32_t capacity = cells->capacity ? cells->capacity * 2 : 1024;

    free(cells->table);
    cells->bytes = realloc(cells->bytes, (size_t)capacity * BOOK_CELL_BYTES);
    cells->table_size = (size_t)capacity * 4;
    cells->table = calloc(cells->table_size, sizeof(*cells->table));
    if (!cells->bytes || !cells->table) {
        abort();
    }
    cells->capacity = capacity;
    for (uint32_t i = 1; i <= cells->count; i++) {
        cells->table[place_of(cells, cells_bytes(cells, i))] = i;
    }
}

uint32_t cells_number(struct cells *cells, const uint8_t *cell)
{
    size_t at;

    if (memcmp(cell, zeros, sizeof(zeros)) == 0) {
        return 0;
    }
    if (cells->count == cells->capacity) {
        grow(cells);
    }
    at = place_of(cells, cell);
    if (cells->table[at] == 0) {
        memcpy(cells->bytes + (size_t)cells->count * BOOK_CELL_BYTES, cell,
                BOOK_CELL_BYTES);
        cells->table[at] = ++cells->count;
    }
    return cells->table[at];
}

uint32_t cells_find(const struct cells *cells, const uint8_t *cell)
{
    uint32_t number;

    if (memcmp(cell, zeros, sizeof(zeros)) == 0) {
        return 0;
    }
    number = cells->count > 0 ? cells->table[place_of(cells, cell)] : 0;
    return number ? number : BOOK_NOTHING;
}

const uint8_t *cells_bytes(const struct cells *cells, uint32_t number)
{
    return number ? cells->bytes + (size_t)(number - 1) * BOOK_CELL_BYTES : zeros;
}
