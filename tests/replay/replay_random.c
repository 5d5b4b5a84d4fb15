/* SPDX-License-Identifier: MIT */
/*
 * Long rows: 200 operations drawn at random, a commit or a sync now and then, on every
 * base, and the states of all of it.
 *
 *     replay_random [SEED [PLAN]]
 */
#include <stdio.h>
#include <stdlib.h>

#include "plans.h"
#include "random.h"
#include "sequence.h"

enum { PLANS_MAX = 16, ROW = 200 };

static void draw(struct op *ops, uint64_t *random)
{
    static const struct op commits[] = {
            {OP_COMMIT, NULL, NULL, 0},
            {OP_SYNC, "a", NULL, 0},
            {OP_SYNC, "c", NULL, 0},
            {OP_SYNC, "b", NULL, 0},
    };

    for (size_t i = 0; i < ROW; i++) {
        ops[i] = random_next(random) % 12 == 0
                         ? commits[random_next(random) % 4]
                         : plan_ops[random_next(random) % plan_op_count];
    }
}

int main(int argc, char **argv)
{
    const uint64_t seed = replay_seed(argc > 1 ? argv[1] : NULL);
    const struct base_plan *plans[PLANS_MAX];
    size_t count = plans_of(0, plans, PLANS_MAX);
    const unsigned rows = replay_is_long() ? 200 : argc > 2 ? 8 : 15;
    struct sequence_options options = {.skip_senseless = true,
            .recover_every = 25,
            .cut_every = 20,
            .replay = {.all_subsets_up_to = 6,
                    .random_subsets = 8,
                    .most_of_a_shape = 12}};
    struct sequence_totals totals = {0};
    uint64_t random = random_seeded(seed);

    printf("seed %llu\n", (unsigned long long)seed);
    if (argc > 2) {
        plans[0] = plan_named(argv[2]);
        count = 1;
    }
    for (size_t i = 0; i < count; i++) {
        struct base base;

        base_make(&base, plans[i]);
        for (unsigned row = 0; row < rows; row++) {
            struct op ops[ROW];

            draw(ops, &random);
            options.replay.seed = seed + row;
            options.keep = row % 2 == 0;
            sequence_judge(&base, ops, ROW, &options, &totals);
        }
        base_done(&base);
    }
    totals_print("random", &totals);
    return totals.bad > 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
