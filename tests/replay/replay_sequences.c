/* SPDX-License-Identifier: MIT */
/*
 * Every operation alone, every pair, and a sample of longer rows, on every base of
 * one FAT type.
 *
 *     replay_sequences TYPE [SEED]
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "dump.h"
#include "plans.h"
#include "random.h"
#include "sequence.h"

enum { PLANS_MAX = 16, ROW_MAX = 6, DUMP_EVERY = 100 };

struct effort {
    struct sequence_options options;
    unsigned rows; /* of three operations, and as many of six */
};

static struct effort effort(void)
{
    const bool is_long = replay_is_long();

    return (struct effort){.options = {.replay = {.all_subsets_up_to = is_long ? 10 : 5,
                                               .random_subsets = is_long ? 64 : 6,
                                               .most_of_a_shape = is_long ? 0 : 10},
                                   .recover_every = is_long ? 10 : 50,
                                   .cut_every = is_long ? 10 : 40},
            .rows = is_long ? 10000 : 1200};
}

static void singles_and_pairs(const struct base *base, struct sequence_options *options,
        struct sequence_totals *totals)
{
    for (size_t i = 0; i < plan_op_count; i++) {
        options->keep = i % 2 == 0;
        sequence_judge(base, &plan_ops[i], 1, options, totals);
        for (size_t k = 0; k < plan_op_count; k++) {
            const struct op ops[2] = {plan_ops[i], plan_ops[k]};

            options->keep = (i + k) % 2 == 0;
            sequence_judge(base, ops, 2, options, totals);
        }
    }
}

/* An operation that makes no sense is left out, so a row may be shorter. */
static void sample(const struct base *base, size_t length, unsigned count,
        uint64_t *random, struct sequence_options *options,
        struct sequence_totals *totals)
{
    struct op ops[ROW_MAX];

    options->skip_senseless = true;
    for (unsigned i = 0; i < count; i++) {
        for (size_t k = 0; k < length; k++) {
            ops[k] = plan_ops[random_next(random) % plan_op_count];
        }
        options->keep = random_next(random) % 2 == 0;
        sequence_judge(base, ops, length, options, totals);
    }
}

int main(int argc, char **argv)
{
    const unsigned type = argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 0;
    const uint64_t seed = replay_seed(argc > 2 ? argv[2] : NULL);
    const struct base_plan *plans[PLANS_MAX];
    const size_t count = plans_of(type, plans, PLANS_MAX);
    struct effort e = effort();
    char directory[] = DUMP_DIRECTORY;
    struct judge_others others = {0};
    uint64_t bad = 0;

    if (replay_is_long() && dump_begin(&others, directory)) {
        e.options.others = &others;
        e.options.dump_directory = directory;
        e.options.dump_every = DUMP_EVERY;
    }

    printf("seed %llu\n", (unsigned long long)seed);
    for (size_t i = 0; i < count; i++) {
        struct sequence_totals totals = {0};
        uint64_t random = random_seeded(seed);
        const clock_t start = clock();
        struct base base;

        e.options.replay.seed = seed;
        base_make(&base, plans[i]);
        e.options.skip_senseless = false;
        singles_and_pairs(&base, &e.options, &totals);
        sample(&base, 3, e.rows, &random, &e.options, &totals);
        sample(&base, ROW_MAX, e.rows, &random, &e.options, &totals);
        totals_print(plans[i]->name, &totals);
        printf("    %.1f s\n", (double)(clock() - start) / CLOCKS_PER_SEC);
        bad += totals.bad;
        base_done(&base);
    }
    dump_end(&others, directory);
    bad += others.bad;
    return bad > 0 || count == 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
