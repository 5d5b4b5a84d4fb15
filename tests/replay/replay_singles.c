/* SPDX-License-Identifier: MIT */
/*
 * Every operation alone, and every state of it that a power cut could have left, judged
 * by us and by programs that are not ours (REPLAY_JUDGE in the environment, see dump.h):
 * on one base of each FAT type, or on all there are if REPLAY_LONG is set.
 *
 *     replay_singles [PLAN...]
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "dump.h"
#include "plans.h"
#include "sequence.h"

enum { PLANS_MAX = 32 };

static size_t choose(int argc, char **argv, const struct base_plan **plans)
{
    static const char *const names[] = {
            "fat12-edge-2-fats", "fat16-edge", "fat32-edge"};
    const size_t count = sizeof(names) / sizeof(names[0]);

    if (argc > 1) {
        for (int i = 1; i < argc && i <= PLANS_MAX; i++) {
            plans[i - 1] = plan_named(argv[i]);
        }
        return (size_t)(argc - 1 < PLANS_MAX ? argc - 1 : PLANS_MAX);
    }
    if (replay_is_long()) {
        return plans_of(0, plans, PLANS_MAX);
    }
    for (size_t i = 0; i < count; i++) {
        plans[i] = plan_named(names[i]);
    }
    return count;
}

/* Directories are in use in one of two rows, or in each of two. */
static void singles(const struct base *base, struct sequence_options *options,
        struct sequence_totals *totals)
{
    for (size_t i = 0; i < plan_op_count; i++) {
        const uint64_t first = totals->dumped;

        options->keep = i % 2 == 0;
        sequence_judge(base, &plan_ops[i], 1, options, totals);
        if (replay_is_long()) {
            options->keep = !options->keep;
            sequence_judge(base, &plan_ops[i], 1, options, totals);
        }
        if (totals->dumped > first) {
            char text[200];

            ops_describe(&plan_ops[i], 1, text, sizeof(text));
            printf("    %06" PRIu64 " to %06" PRIu64 ": %s\n", first,
                    totals->dumped - 1, text);
        }
    }
}

int main(int argc, char **argv)
{
    char directory[] = DUMP_DIRECTORY;
    struct judge_others others;
    struct sequence_options options = {.dump_every = 1,
            .dump_directory = directory,
            .others = &others,
            .replay = {.all_subsets_up_to = replay_is_long() ? 10 : 5,
                    .random_subsets = replay_is_long() ? 64 : 6,
                    .most_of_a_shape = replay_is_long() ? 0 : 10}};
    struct sequence_totals totals = {0};
    const struct base_plan *plans[PLANS_MAX];
    const size_t count = choose(argc, argv, plans);

    if (!dump_begin(&others, directory)) {
        printf("SKIP: no REPLAY_JUDGE, or no fsck.fat and mcopy for it\n");
        return 77;
    }
    for (size_t i = 0; i < count; i++) {
        struct base base;

        base_make(&base, plans[i]);
        printf("%s\n", plans[i]->name);
        singles(&base, &options, &totals);
        base_done(&base);
    }
    totals_print("each operation alone", &totals);
    dump_end(&others, directory);
    if (others.states != totals.states) {
        printf("BAD not every state was given to them\n");
        return EXIT_FAILURE;
    }
    return totals.bad + others.bad > 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
