/* SPDX-License-Identifier: MIT */
/* The operations that test_faults.c lets fail, and the volume they work on. */
#ifndef TEST_VOLUME_FAULTS_H
#define TEST_VOLUME_FAULTS_H

#include "support/image.h"

struct scene {
    struct image img;
    struct fat_node *dir, *empty, *file, *gone;
};
struct operation {
    const char *name;
    fat_err (*run)(struct scene *s);
    void (*prepare)(struct scene *s); /* NULL: nothing                     */
    enum {
        NO_COMMIT,
        COMMITS,
        IN_PLACE
    } kind; /* IN_PLACE: a write that failed may
                                                   have changed old bytes           */
};

enum { FAULT_OPERATIONS = 31 };

extern const struct operation fault_operations[FAULT_OPERATIONS];

enum { FAULT_BYTES = 9000 };

/* What the operations write. */
extern uint8_t fault_bytes[FAULT_BYTES];

#endif
