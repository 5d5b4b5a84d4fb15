/* SPDX-License-Identifier: MIT */
/*
 * The volumes that the tests begin with: small, of every width, and arranged so that
 * what is rare happens at once. Every free cluster is full of bytes that would be
 * recognised as content, and that make up names where a directory shows them.
 */
#ifndef REPLAY_BASE_H
#define REPLAY_BASE_H

#include <fatward/blkdev.h>

#include "book.h"

struct base_plan {
    const char *name;
    unsigned type; /* 12, 16, 32 */
    uint32_t sector_bytes;
    uint32_t cluster_sectors;
    uint32_t clusters; /* about so many */
    uint32_t fats;
    uint32_t fat_edge; /* the next clusters to claim lie around the one with this
                          number, where a FAT sector ends; 0: anywhere             */
    uint32_t slack;    /* slots left in the sectors of the root and of D, 0: many    */
    uint32_t room;     /* clusters left free, 0: many                              */
};

struct base {
    const struct base_plan *plan;
    struct fat_blkdev *dev;
    struct book book;
};

/*
 * a (two clusters), b, D/, D/S/, D/f, E/, and "Long name of p.txt". Any failure is
 * printed and ends the program.
 */
void base_make(struct base *base, const struct base_plan *plan);

void base_done(struct base *base);

#endif
