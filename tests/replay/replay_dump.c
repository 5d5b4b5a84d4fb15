/* SPDX-License-Identifier: MIT */
/*
 * States for other programs to judge: images, and what has to be in them.
 *
 *     replay_dump DIRECTORY [SEED]
 */
#include <stdio.h>
#include <stdlib.h>

#include "plans.h"
#include "random.h"
#include "sequence.h"

enum { ROW = 3, ROWS = 150 };

int main(int argc, char **argv)
{
    static const char *const names[] = {
            "fat12", "fat12-edge-2-fats", "fat32-edge", "fat12-4096", "fat16-edge"};
    static const char large[] = "fat32-real";
    const uint64_t seed = argc > 2 ? strtoull(argv[2], NULL, 10) : 1;
    struct sequence_options options = {.skip_senseless = true,
            .dump_directory = argc > 1 ? argv[1] : ".",
            .dump_every = replay_is_long() ? 11 : 61,
            .replay = {
                    .all_subsets_up_to = 4, .random_subsets = 4, .most_of_a_shape = 8}};
    struct sequence_totals totals = {0};
    uint64_t random = random_seeded(seed);

    printf("seed %llu\n", (unsigned long long)seed);
    for (size_t i = 0; i <= sizeof(names) / sizeof(names[0]); i++) {
        const bool is_large = i == sizeof(names) / sizeof(names[0]);
        struct base base;

        base_make(&base, plan_named(is_large ? large : names[i]));
        for (unsigned row = 0; row < (is_large ? ROWS / 10 : ROWS); row++) {
            struct op ops[ROW];

            for (size_t k = 0; k < ROW; k++) {
                ops[k] = plan_ops[random_next(&random) % plan_op_count];
            }
            sequence_judge(&base, ops, ROW, &options, &totals);
        }
        base_done(&base);
    }
    totals_print("dumped from", &totals);
    return totals.bad > 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
