/* SPDX-License-Identifier: MIT */
/* A file's contents as its last request left them. */
#ifndef REPLAY_SHADOW_H
#define REPLAY_SHADOW_H

#include <stddef.h>
#include <stdint.h>

#include "cells.h"

struct shadow {
    uint8_t *bytes;
    uint32_t size;
    uint8_t *doubtful; /* what a request that failed would have made of it: so much
                          of it may be there as the next reply with a size says     */
    uint32_t doubtful_size;
};

void shadow_done(struct shadow *shadow);

/* Zeros where it grows. */
void shadow_resize(struct shadow *shadow, uint32_t size);

/* It grows if it has to. */
void shadow_put(
        struct shadow *shadow, uint32_t offset, const uint8_t *bytes, uint32_t length);

/* What is there now is in doubt. */
void shadow_doubt(struct shadow *shadow);

/* The numbers of its cells, to be freed. */
uint32_t *shadow_cells(const struct shadow *shadow, struct cells *cells);

/* realloc(), with zeros behind the first @old; a test without memory is no test. */
void *shadow_grown(void *array, size_t old, size_t count, size_t size);

#endif
