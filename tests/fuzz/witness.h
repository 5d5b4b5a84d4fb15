/* SPDX-License-Identifier: MIT */
/*
 * What could be read on a damaged volume, to be compared with what can be read after a
 * program has worked on other files of it.
 */
#ifndef TEST_FUZZ_WITNESS_H
#define TEST_FUZZ_WITNESS_H

#include <fatward/node.h>

#include "image.h"

enum { WITNESS_FILES = 256, WITNESS_TOUCHED = 512 };

struct witness {
    unsigned count;
    struct testimony {
        uint64_t ino, size_bytes, hash;
        uint32_t cluster; /* the first */
        uint8_t age;      /* which of several names of a chain is newer */
    } files[WITNESS_FILES];
    unsigned touched_count;
    uint64_t touched[WITNESS_TOUCHED]; /* numbers of files that are to change */
    unsigned shared_count;
    uint32_t shared[WITNESS_TOUCHED]; /* chains of which one name is to stay */
};

/* Empty if damage of the kinds in @summary lets one file's change reach another's bytes. */
void witness_look(struct witness *w, struct fuzz_image *image,
        const struct fat_check_summary *summary);

/* Whatever damage there is: for those who change no file that shares anything. */
void witness_look_at_all(struct witness *w, struct fuzz_image *image);

/* Of the files that begin at @cluster, one is to stay: the largest if all are of one age. */
void witness_share(struct witness *w, uint32_t cluster);

/* @node is about to be changed, moved or removed. */
void witness_touch(struct witness *w, struct fat_node *node);

/* Every file that was read and not touched is there and has its bytes. */
void witness_compare(const struct witness *w, struct fuzz_image *image);

#endif
