/* SPDX-License-Identifier: MIT */
/*
 * Contents of cells that are not tagged, since a real program wrote them: equal cells
 * have equal numbers, all zeros is 0. The numbers stand in a book where those of writes
 * stand otherwise.
 */
#ifndef REPLAY_CELLS_H
#define REPLAY_CELLS_H

#include <stddef.h>
#include <stdint.h>

struct cells {
    uint8_t *bytes; /* of number 1, 2, ... */
    uint32_t count, capacity;
    uint32_t *table; /* numbers, 0: empty */
    size_t table_size;
};

void cells_done(struct cells *cells);

/* The number of these BOOK_CELL_BYTES; they are noted if they are new. */
uint32_t cells_number(struct cells *cells, const uint8_t *cell);

/* BOOK_NOTHING: nobody has ever written that. */
uint32_t cells_find(const struct cells *cells, const uint8_t *cell);

/* What stands in a cell of that number. */
const uint8_t *cells_bytes(const struct cells *cells, uint32_t number);

#endif
