/* SPDX-License-Identifier: MIT */
/* Numbers that look random and are the same on every machine. */
#ifndef REPLAY_RANDOM_H
#define REPLAY_RANDOM_H

#include <stdint.h>

/* @state must not be zero; xorshift64. */
static inline uint64_t random_next(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

static inline uint64_t random_seeded(uint64_t seed)
{
    const uint64_t state = (seed + 1) * UINT64_C(0x9e3779b97f4a7c15);

    return state ? state : 1;
}

#endif
