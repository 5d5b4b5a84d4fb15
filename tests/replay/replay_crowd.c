/* SPDX-License-Identifier: MIT */
/*
 * Power cuts while many threads are at work: what a crowd (crowd.h) has done is replayed
 * as what one thread has done is elsewhere. Of a bad state all that is needed to look at
 * it again is kept, in a new folder in REPLAY_KEEP, or in /tmp.
 *
 * Now and then flushes of a log are left out, to see that it turns red: at least one in
 * so many has to.
 *
 *     replay_crowd [SEED [ROUNDS]]
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crowd.h"
#include "plans.h"
#include "random.h"
#include "sequence.h"

enum {
    ROUNDS = 12, /* of each setting */
    LONG = 200,  /* times as many   */
    SABOTAGE_EVERY = 6,
    FLUSHES_LEFT_OUT = 8,
    RED_ONE_IN = 4,
    SMALL_CACHE = 1,
};

/* Room for all that the threads make, and for a part of it. */
static const struct base_plan roomy12 = {"fat12-crowd", 12, 512, 1, 1200, 2, 341, 2, 0};
static const struct base_plan tight12 = {
        "fat12-tight-crowd", 12, 512, 1, 400, 1, 341, 1, 60};
static const struct base_plan roomy32 = {"fat32-crowd", 32, 512, 2, 1200, 2, 128, 2, 0};
static const struct base_plan tight32 = {
        "fat32-tight-crowd", 32, 512, 1, 400, 1, 128, 1, 60};

struct setting {
    const char *name; /* of a plan of all, NULL: */
    const struct base_plan *plan;
    size_t cache_bytes;
    unsigned threads, steps;
    bool tight;
};

static const struct setting settings[] = {
        {NULL, &roomy12, WORLD_CACHE_BYTES, 5, 60, false},
        {NULL, &tight12, SMALL_CACHE, 4, 50, true},
        {"fat16-edge", NULL, SMALL_CACHE, 5, 60, false},
        {"fat16-clusters-of-2", NULL, WORLD_CACHE_BYTES, 6, 40, false},
        {NULL, &roomy32, SMALL_CACHE, 6, 50, false},
        {NULL, &tight32, WORLD_CACHE_BYTES, 4, 50, true},
};

struct round {
    const struct base *base;
    struct crowd_record record;
    struct judge judge;
    char kept[200]; /* where a bad state is */
};

static void keep(struct round *round, struct fat_blkdev *state)
{
    const char *folder = getenv("REPLAY_KEEP");

    (void)snprintf(round->kept, sizeof(round->kept), "%s/crowd-XXXXXX",
            folder && folder[0] ? folder : "/tmp");
    if (!mkdtemp(round->kept)) {
        perror(round->kept);
        exit(1);
    }
    crowd_keep(&round->record, state, round->kept);
}

static int judge_and_keep(
        struct fat_blkdev *dev, const struct replay_state *state, void *context)
{
    struct round *round = context;
    const int bad = judge_state(dev, state, &round->judge);

    if (bad != 0) {
        keep(round, dev);
    }
    return bad;
}

static void print_bad(const struct round *round, const char *reason, const char *where)
{
    printf("BAD [%s] %s\n    %s\n    kept in %s\n", round->base->plan->name, reason,
            where, round->kept);
}

static void judge_log(
        struct round *round, uint64_t seed, struct sequence_totals *totals)
{
    char report[300] = "";
    const struct replay_options how = {.all_subsets_up_to = 5,
            .random_subsets = 8,
            .most_of_a_shape = 10,
            .sector_bytes = round->base->plan->sector_bytes,
            .seed = seed,
            .report = report,
            .report_bytes = sizeof(report)};
    struct replay_stats stats;

    round->judge = (struct judge){.book = &round->record.book,
            .rec = round->record.rec,
            .sector_bytes = round->base->plan->sector_bytes,
            .recover_every = 25,
            .cut_every = 20,
            .states = totals->states,
            .recovered = totals->recovered,
            .cut_again = totals->cut_again};
    if (recdev_replay(round->record.rec, &how, judge_and_keep, round, &stats) !=
            FAT_OK) {
        abort();
    }
    totals->states = round->judge.states;
    totals->recovered = round->judge.recovered;
    totals->cut_again = round->judge.cut_again;
    if (stats.bad > 0) {
        totals->bad++;
        print_bad(round, round->judge.reason, report);
    }
    judge_done(&round->judge);
}

/* What came of flushes left out. */
struct sabotage {
    unsigned tried, red;
};

static bool is_seen(struct round *round, unsigned flush)
{
    const struct replay_options how = {.all_subsets_up_to = 5,
            .random_subsets = 8,
            .most_of_a_shape = 10,
            .sector_bytes = round->base->plan->sector_bytes,
            .leave_out_flush = flush};
    struct judge judge = {.book = &round->record.book,
            .rec = round->record.rec,
            .sector_bytes = round->base->plan->sector_bytes};
    struct replay_stats stats;

    if (recdev_replay(round->record.rec, &how, judge_state, &judge, &stats) != FAT_OK) {
        abort();
    }
    judge_done(&judge);
    return stats.bad > 0;
}

static void leave_out_flushes(
        struct round *round, uint64_t *random, struct sabotage *sabotage)
{
    unsigned flushes = 0;

    for (size_t i = 0; i < recdev_event_count(round->record.rec); i++) {
        flushes += recdev_event(round->record.rec, i)->call == RECDEV_FLUSH;
    }
    for (int i = 0; i < FLUSHES_LEFT_OUT && flushes > 0; i++) {
        sabotage->tried++;
        sabotage->red += is_seen(round, 1 + (unsigned)(random_next(random) % flushes));
    }
}

static void run_setting(const struct setting *setting, unsigned rounds,
        uint64_t *random, struct sequence_totals *totals, struct sabotage *sabotage)
{
    struct base base;

    base_make(&base, setting->plan ? setting->plan : plan_named(setting->name));
    for (unsigned i = 0; i < rounds; i++) {
        const uint64_t seed = random_next(random);
        const struct crowd_setting crowd = {.base = &base,
                .cache_bytes = setting->cache_bytes,
                .threads = setting->threads,
                .steps = setting->steps,
                .tight = setting->tight,
                .seed = seed};
        struct round round = {.base = &base};

        totals->sequences++;
        if (!crowd_run(&round.record, &crowd)) {
            totals->bad++;
            keep(&round, NULL);
            print_bad(&round, round.record.reason, "no power was cut");
        } else {
            judge_log(&round, seed, totals);
        }
        totals->full += round.record.full;
        if (round.kept[0] == '\0' && i % SABOTAGE_EVERY == 0) {
            leave_out_flushes(&round, random, sabotage);
        }
        crowd_done(&round.record);
    }
    base_done(&base);
}

int main(int argc, char **argv)
{
    const uint64_t seed = replay_seed(argc > 1 ? argv[1] : NULL);
    const unsigned rounds = argc > 2           ? (unsigned)strtoul(argv[2], NULL, 10)
                            : replay_is_long() ? ROUNDS * LONG
                                               : ROUNDS;
    struct sequence_totals totals = {0};
    struct sabotage sabotage = {0};
    uint64_t random = random_seeded(seed);

    printf("seed %" PRIu64 "\n", seed);
    for (size_t i = 0; i < sizeof(settings) / sizeof(settings[0]); i++) {
        run_setting(&settings[i], rounds, &random, &totals, &sabotage);
    }
    totals_print("crowds", &totals);
    printf("flushes left out: %u, of which %u were noticed\n", sabotage.tried,
            sabotage.red);
    if (sabotage.red * RED_ONE_IN < sabotage.tried) {
        printf("BAD: too few\n");
        totals.bad++;
    }
    return totals.bad > 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
