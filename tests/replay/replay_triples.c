/* SPDX-License-Identifier: MIT */
/*
 * Every row of three operations, on one base: what replay_sequences takes a sample of.
 * A row of which one makes no sense is not run: without it, it is one of the pairs.
 *
 *     replay_triples PLAN PART PARTS     each PARTSth row, from the PARTth on
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "plans.h"
#include "sequence.h"

static void one(const struct base *base, uint64_t number,
        struct sequence_options *options, struct sequence_totals *totals)
{
    const size_t i = (size_t)(number / plan_op_count / plan_op_count);
    const size_t k = (size_t)(number / plan_op_count % plan_op_count);
    const size_t m = (size_t)(number % plan_op_count);
    const struct op ops[3] = {plan_ops[i], plan_ops[k], plan_ops[m]};

    options->keep = (i + k + m) % 2 == 0;
    sequence_judge(base, ops, 3, options, totals);
}

int main(int argc, char **argv)
{
    struct sequence_options options = {.replay = {.all_subsets_up_to = 5,
                                               .random_subsets = 3,
                                               .most_of_a_shape = 6,
                                               .seed = replay_seed(NULL)},
            .recover_every = 50,
            .cut_every = 40};
    const uint64_t all = (uint64_t)plan_op_count * plan_op_count * plan_op_count;
    const uint64_t part = argc > 2 ? strtoull(argv[2], NULL, 10) : 0;
    const uint64_t parts = argc > 3 ? strtoull(argv[3], NULL, 10) : 0;
    struct sequence_totals totals = {0};
    struct base base;

    if (part < 1 || part > parts) {
        fprintf(stderr, "usage: replay_triples PLAN PART PARTS\n");
        return 2;
    }
    base_make(&base, plan_named(argv[1]));
    for (uint64_t i = part - 1; i < all; i += parts) {
        one(&base, i, &options, &totals);
    }
    base_done(&base);
    totals_print(argv[1], &totals);
    return totals.bad > 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
