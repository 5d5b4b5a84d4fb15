/* SPDX-License-Identifier: MIT */
/* What can be wrong with a volume, made by hand, and the volume it is made on. */
#ifndef TEST_VOLUME_REPAIR_KINDS_H
#define TEST_VOLUME_REPAIR_KINDS_H

#include <fatward/repair.h>

#include "support/surgery.h"

/*
 *     /file    10000 bytes, 1      /dir/inner       100 bytes, 3
 *     /other    9000 bytes, 2      /dir/sub         empty
 *     /spare, /second  empty       /dir/moved/deep  700 bytes, 4
 *     /some name with many a slot, /another name with many a slot   empty
 */
struct patient {
    struct image img;
    uint32_t file, other, dir, sub, moved; /* first clusters */
    uint64_t file_entry, other_entry, spare_entry, second_entry, some_entry,
            another_entry, inner_entry, sub_entry;
    size_t other_size, inner_size, file_size; /* as they have to be afterwards */
};

/* Closed, clean. */
void patient_make(struct patient *p, unsigned type);
/* On a base of its own from now on: what was logged is forgotten. */
void patient_settle(struct patient *p);
/* Another recorder on the same base; the old one is freed. */
void patient_again(struct patient *p);
/* Everything that is promised is there. Opens the volume read-only. */
void patient_expect_all(struct patient *p);
/* The same on another device that holds the volume. */
void patient_expect_all_on(struct patient *p, struct fat_blkdev *dev);

enum { ON_12 = 1, ON_16 = 2, ON_32 = 4, ON_ALL = 7 };

struct kind {
    const char *name;
    void (*make)(struct patient *p);
    unsigned types;
};

/* What repair mends, all of it. */
extern const struct kind mendable_kinds[];
extern const size_t mendable_count;
/* What it leaves alone, and all else beside it. */
extern const struct kind forbidding_kinds[];
extern const size_t forbidding_count;
/* Damage in names: left, but in nobody's way. */
extern const struct kind name_kinds[];
extern const size_t name_count;

static inline unsigned type_bit(unsigned type)
{
    return type == 12 ? ON_12 : type == 16 ? ON_16 : ON_32;
}

void kind_lost(struct patient *p);
void kind_orphan(struct patient *p);
void kind_dirty(struct patient *p);
void kind_short_chain(struct patient *p);

#endif
