/* SPDX-License-Identifier: MIT */
#include "sequence.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/count.h"

bool replay_is_long(void)
{
    const char *text = getenv("REPLAY_LONG");

    return text && text[0] != '\0' && text[0] != '0';
}

uint64_t replay_seed(const char *text)
{
    if (!text || strcmp(text, "-") == 0) {
        text = getenv("REPLAY_SEED");
    }
    return text && text[0] != '\0' ? strtoull(text, NULL, 10) : 1;
}

static bool do_all(struct run *run, struct world *world, const struct op *ops,
        size_t count, const struct sequence_options *options,
        struct sequence_totals *totals)
{
    const struct op keep = {.kind = OP_KEEP};
    const struct op commit = {.kind = OP_COMMIT};

    if (options->keep) {
        (void)world_do(world, &keep);
    }
    for (size_t i = 0; i < count; i++) {
        switch (world_do(world, &ops[i])) {
        case OP_DONE:
            break;
        case OP_SENSELESS:
            if (!options->skip_senseless) {
                totals->senseless++;
                run->skipped = true;
                return true;
            }
            break;
        case OP_FULL:
            totals->full++;
            break; /* nothing has happened, and that is judged too */
        case OP_WRONG:
            return false;
        }
    }
    return world_do(world, &commit) == OP_DONE;
}

bool run_make(struct run *run, const struct base *base, const struct op *ops,
        size_t count, const struct sequence_options *options,
        struct sequence_totals *totals)
{
    struct world world;
    bool good;

    *run = (struct run){0};
    book_copy(&run->book, &base->book);
    if (recdev_new(base->dev, &run->rec) != FAT_OK) {
        abort();
    }
    if (!world_open(&world, recdev_blkdev(run->rec), run->rec, &run->book)) {
        snprintf(run->reason, sizeof(run->reason), "%s", world.reason);
        return false;
    }
    good = do_all(run, &world, ops, count, options, totals);
    good = world_close(&world) && good;
    snprintf(run->reason, sizeof(run->reason), "%s", world.reason);
    return good && run->reason[0] == '\0';
}

void run_done(struct run *run)
{
    recdev_free(run->rec);
    book_done(&run->book);
}

static void print_bad(const struct base *base, const struct op *ops, size_t count,
        const char *reason, const char *where)
{
    char text[2000];

    ops_describe(ops, count, text, sizeof(text));
    printf("BAD [%s] %s\n    {%s}\n    %s\n", base->plan->name, reason, text, where);
}

/* What came of one sequence. */
struct outcome {
    bool bad;
    char reason[400];
    char where[400];
};

static void replay(struct run *run, const struct base *base,
        const struct sequence_options *options, struct sequence_totals *totals,
        struct outcome *outcome)
{
    struct replay_options how = options->replay;
    struct replay_stats stats;
    struct judge judge = {.book = &run->book,
            .rec = run->rec,
            .sector_bytes = base->plan->sector_bytes,
            .recover_every = options->recover_every,
            .cut_every = options->cut_every,
            .dump_every = options->dump_every,
            .dump_directory = options->dump_directory,
            .others = options->others,
            .states = totals->states,
            .recovered = totals->recovered,
            .cut_again = totals->cut_again,
            .dumped = totals->dumped};

    how.sector_bytes = base->plan->sector_bytes;
    how.report = outcome->where;
    how.report_bytes = sizeof(outcome->where);
    if (recdev_replay(run->rec, &how, judge_state, &judge, &stats) != FAT_OK) {
        abort();
    }
    totals->states = judge.states;
    totals->recovered = judge.recovered;
    totals->cut_again = judge.cut_again;
    totals->dumped = judge.dumped;
    outcome->bad = stats.bad > 0;
    snprintf(outcome->reason, sizeof(outcome->reason), "%s", judge.reason);
    judge_done(&judge);
}

static void try(const struct base *base, const struct op *ops, size_t count,
        const struct sequence_options *options, struct sequence_totals *totals,
        struct outcome *outcome)
{
    struct run run;

    *outcome = (struct outcome){0};
    if (!run_make(&run, base, ops, count, options, totals)) {
        outcome->bad = true;
        snprintf(outcome->reason, sizeof(outcome->reason), "%s", run.reason);
        snprintf(outcome->where, sizeof(outcome->where), "no power was cut");
    } else if (!run.skipped) {
        replay(&run, base, options, totals, outcome);
    }
    run_done(&run);
}

enum { SHRINK_MAX = 256 };

/* Leave out what isn't needed to go wrong, one operation after the other. */
static void shrink(const struct base *base, const struct op *ops, size_t count,
        const struct sequence_options *options, struct outcome *outcome)
{
    struct sequence_options again = *options;
    struct op fewer[SHRINK_MAX];

    if (count > SHRINK_MAX) {
        return;
    }
    again.skip_senseless = true;
    again.recover_every = options->recover_every ? 1 : 0;
    again.cut_every = options->cut_every ? 1 : 0;
    again.dump_every = 0; /* what others have found is found no more */
    memcpy(fewer, ops, count * sizeof(*ops));
    for (size_t i = count; i-- > 0;) {
        const struct op left_out = fewer[i];
        struct sequence_totals totals = {0};
        struct outcome of_fewer;

        memmove(fewer + i, fewer + i + 1, (count - i - 1) * sizeof(*fewer));
        try(base, fewer, count - 1, &again, &totals, &of_fewer);
        if (of_fewer.bad) {
            *outcome = of_fewer;
            count--;
        } else {
            memmove(fewer + i + 1, fewer + i, (count - i - 1) * sizeof(*fewer));
            fewer[i] = left_out;
        }
    }
    print_bad(base, fewer, count, outcome->reason, outcome->where);
}

enum { PRINT_MAX = 20 };

void sequence_judge(const struct base *base, const struct op *ops, size_t count,
        const struct sequence_options *options, struct sequence_totals *totals)
{
    struct outcome outcome;

    totals->sequences++;
    try(base, ops, count, options, totals, &outcome);
    if (!outcome.bad) {
        return;
    }
    totals->bad++;
    if (totals->bad <= PRINT_MAX) {
        print_bad(base, ops, count, outcome.reason, outcome.where);
        printf("  which can be had with less:\n  ");
        shrink(base, ops, count, options, &outcome);
    }
}

void log_judge(
        const struct base *base, const struct log *log, struct sequence_totals *totals)
{
    char report[300] = "";
    char text[400];
    const struct replay_options how = {.all_subsets_up_to = 6,
            .random_subsets = 8,
            .most_of_a_shape = 12,
            .sector_bytes = base->plan->sector_bytes,
            .report = report,
            .report_bytes = sizeof(report)};
    struct judge judge = {.book = log->book,
            .rec = log->rec,
            .sector_bytes = base->plan->sector_bytes,
            .recover_every = log->recover_every,
            .cut_every = 20,
            .states = totals->states,
            .recovered = totals->recovered,
            .cut_again = totals->cut_again};
    struct replay_stats stats;

    if (recdev_replay(log->rec, &how, judge_state, &judge, &stats) != FAT_OK) {
        abort();
    }
    totals->states = judge.states;
    totals->recovered = judge.recovered;
    totals->cut_again = judge.cut_again;
    if (stats.bad > 0) {
        totals->bad++;
        ops_describe(log->ops, log->count, text, sizeof(text));
        printf("BAD [%s] %s\n    {%s}, %s\n    %s\n", base->plan->name, judge.reason,
                text, log->where, report);
    }
    judge_done(&judge);
}

void totals_print(const char *what, const struct sequence_totals *totals)
{
    printf("%s: %" PRIu64 " sequences (%" PRIu64 " senseless, %" PRIu64
           " times full), %" PRIu64 " states judged, %" PRIu64 " recovered, %" PRIu64
           " cut again, %" PRIu64 " bad sequences\n",
            what, totals->sequences, totals->senseless, totals->full, totals->states,
            totals->recovered, totals->cut_again, totals->bad);
    count_add(COUNT_STATES, totals->states);
}
