/* SPDX-License-Identifier: MIT */
#include "crowd_pace.h"

#include <sched.h>

#include "random.h"
#include "support/epoch.h"

enum { PATIENCE = 60, STEPS_MAX = 12, SELDOM = 8, SOMETIMES = 6 };

void pace_linger(const atomic_uint *progress, unsigned steps)
{
    const unsigned start = atomic_load(progress);

    for (int i = 0; i < PATIENCE && atomic_load(progress) - start < steps; i++) {
        (void)sched_yield();
    }
}

static _Thread_local uint64_t own_dice;

void pace_join(uint64_t seed)
{
    own_dice = epoch_mix(seed) | 1;
}

void pace_give_way(unsigned one_in)
{
    if (own_dice != 0 && random_next(&own_dice) % one_in == 0) {
        (void)sched_yield();
    }
}

static uint32_t roll(struct pace *pace, uint32_t sides)
{
    const uint64_t value = atomic_fetch_add(&pace->dice, UINT64_C(0x9e3779b97f4a7c15));

    return (uint32_t)(epoch_mix(value) >> 16) % sides;
}

static fat_err pace_read(
        struct fat_blkdev *dev, uint64_t offset, void *buffer, size_t length)
{
    struct pace *pace = (struct pace *)(void *)dev;

    pace_give_way(SELDOM);
    return pace->under->ops->read(pace->under, offset, buffer, length);
}

static fat_err pace_write(
        struct fat_blkdev *dev, uint64_t offset, const void *buffer, size_t length)
{
    struct pace *pace = (struct pace *)(void *)dev;

    if (roll(pace, SOMETIMES) == 0) {
        pace_linger(pace->progress, roll(pace, STEPS_MAX));
    }
    return pace->under->ops->write(pace->under, offset, buffer, length);
}

/* What is written meanwhile may be durable by it, or not: before it in the log, or after. */
static fat_err pace_flush(struct fat_blkdev *dev)
{
    struct pace *pace = (struct pace *)(void *)dev;
    const unsigned before = roll(pace, STEPS_MAX);
    const unsigned after = roll(pace, STEPS_MAX);
    fat_err err;

    pace_linger(pace->progress, before);
    err = pace->under->ops->flush(pace->under);
    pace_linger(pace->progress, after);
    return err;
}

void pace_init(struct pace *pace, struct fat_blkdev *under, atomic_uint *progress,
        uint64_t seed)
{
    static const struct fat_blkdev_ops ops = {
            .read = pace_read, .write = pace_write, .flush = pace_flush};

    pace->dev = (struct fat_blkdev){.ops = &ops,
            .size_bytes = under->size_bytes,
            .block_bytes = under->block_bytes};
    pace->under = under;
    pace->progress = progress;
    atomic_init(&pace->dice, seed);
}
