/* SPDX-License-Identifier: MIT */
#include "shadow.h"

#include <stdlib.h>
#include <string.h>

#include "book.h"

void *shadow_grown(void *array, size_t old, size_t count, size_t size)
{
    uint8_t *more = realloc(array, count * size);

    if (!more) {
        abort();
    }
    memset(more + old * size, 0, (count - old) * size);
    return more;
}

void shadow_done(struct shadow *shadow)
{
    free(shadow->bytes);
    free(shadow->doubtful);
    *shadow = (struct shadow){0};
}

void shadow_resize(struct shadow *shadow, uint32_t size)
{
    const uint32_t kept = size < shadow->size ? size : shadow->size;

    /* whole cells, with zeros behind the end */
    shadow->bytes = shadow_grown(shadow->bytes, kept,
            ((size_t)book_cell_count(size) + 1) * BOOK_CELL_BYTES, 1);
    shadow->size = size;
}

void shadow_put(
        struct shadow *shadow, uint32_t offset, const uint8_t *bytes, uint32_t length)
{
    if (length == 0) {
        return;
    }
    if (offset + length > shadow->size) {
        shadow_resize(shadow, offset + length);
    }
    memcpy(shadow->bytes + offset, bytes, length);
}

void shadow_doubt(struct shadow *shadow)
{
    free(shadow->doubtful);
    shadow->doubtful = shadow_grown(NULL, 0, (size_t)shadow->size + 1, 1);
    shadow->doubtful_size = shadow->size;
    if (shadow->size > 0) {
        memcpy(shadow->doubtful, shadow->bytes, shadow->size);
    }
}

uint32_t *shadow_cells(const struct shadow *shadow, struct cells *cells)
{
    const uint32_t count = book_cell_count(shadow->size);
    uint32_t *numbers = shadow_grown(NULL, 0, (size_t)count + 1, sizeof(*numbers));

    for (uint32_t i = 0; i < count; i++) {
        numbers[i] = cells_number(cells, shadow->bytes + (size_t)i * BOOK_CELL_BYTES);
    }
    return numbers;
}
