/* SPDX-License-Identifier: MIT */
/*
 * What a mounted fatward wrote while real programs used it, replayed: every state that
 * a power cut could have left, judged.
 *
 *     replay_recorded [OPTION...] START LOG
 *
 * START is the image as it was, LOG what the shim (shim.c) recorded.
 *
 *   -n NAME     what the workload is called
 *   -s SEED     for states drawn at random
 *   -m MOST     of the prefixes, and of the states with one write missing or present,
 *               where an epoch is long; 0: all
 *   -r EVERY    mount, mend and judge again: one state in so many
 *   -d DIR,EVERY,ALIKE,FIRST
 *               dump one state in so many, and so many of each kind, numbered from FIRST
 *   -e DIR      dump what each recovery made there
 *   -t          the harness itself: with each flush left out, each two neighbouring
 *               epochs swapped, and each of many writes lost, one at a time, enough of
 *               the logs have to be judged bad. (That the true one is good is shown
 *               without this option.)
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "judge.h"
#include "recording.h"
#include "sequence.h"
#include "support/count.h"

struct wishes {
    const char *name, *start, *log;
    uint64_t seed;
    unsigned most, recover_every, dump_every, dump_alike, dump_first;
    const char *dump_directory, *mended_directory;
    bool tests_harness;
};

struct totals {
    uint64_t states, recovered, cut_again;
    uint64_t bad;
    unsigned dumped;
};

static struct judge judge_for(const struct wishes *wishes, struct recording *recording)
{
    return (struct judge){.book = &recording->book,
            .rec = recording->rec,
            .recover_every = wishes->recover_every,
            .cut_every = 10,
            .dump_directory = wishes->dump_directory,
            .dump_every = wishes->dump_every,
            .dump_alike = wishes->dump_alike,
            .mended_directory = wishes->mended_directory,
            .dumped = wishes->dump_first};
}

static bool judge_all(
        const struct wishes *wishes, struct recording *recording, struct totals *totals)
{
    char report[300] = "";
    const struct replay_options how = {.seed = wishes->seed,
            .all_subsets_up_to = replay_is_long() ? 10 : 6,
            .random_subsets = replay_is_long() ? 200 : 24,
            .most_of_a_shape = wishes->most,
            .report = report,
            .report_bytes = sizeof(report)};
    struct judge judge = judge_for(wishes, recording);
    struct replay_stats stats;

    judge.dumped += totals->dumped;
    if (recdev_replay(recording->rec, &how, judge_state, &judge, &stats) != FAT_OK) {
        abort();
    }
    totals->states += judge.states;
    totals->recovered += judge.recovered;
    totals->cut_again += judge.cut_again;
    totals->dumped = (unsigned)judge.dumped - wishes->dump_first;
    if (stats.bad > 0) {
        totals->bad++;
        printf("BAD [%s] %s\n    %s\n", wishes->name, judge.reason, report);
    }
    judge_done(&judge);
    return stats.bad == 0;
}

/* Judged with lies. */

struct lies {
    unsigned tried, caught;
};

static bool turns_red(const struct wishes *wishes, struct recording *recording,
        const struct replay_options *lie)
{
    struct judge judge = judge_for(wishes, recording);
    struct replay_stats stats;

    judge.recover_every = 0;
    if (recdev_replay(recording->rec, lie, judge_state, &judge, &stats) != FAT_OK) {
        abort();
    }
    judge_done(&judge);
    return stats.bad > 0;
}

static void try_lie(const struct wishes *wishes, struct recording *recording,
        struct replay_options lie, struct lies *lies)
{
    lie.all_subsets_up_to = 6;
    lie.random_subsets = 16;
    lie.most_of_a_shape = 16;
    lies->tried++;
    lies->caught += turns_red(wishes, recording, &lie);
}

/* Epochs without a write in them change nothing by being moved. */
static bool test_harness(const struct wishes *wishes, struct recording *recording)
{
    struct lies left_out = {0}, swapped = {0}, dropped = {0};
    bool good;

    for (unsigned i = 1; i <= recording->flushes; i++) {
        const unsigned before = i > 2 ? i - 2 : 1;

        try_lie(wishes, recording,
                (struct replay_options){
                        .leave_out_flush = i, .first_epoch = before, .epoch_count = 4},
                &left_out);
        try_lie(wishes, recording,
                (struct replay_options){
                        .swap_epoch = i, .first_epoch = before, .epoch_count = 4},
                &swapped);
    }
    for (unsigned i = 1; i <= recording->writes; i += 1 + recording->writes / 60) {
        try_lie(wishes, recording, (struct replay_options){.drop_write = i}, &dropped);
    }
    /* Some promise nothing that the flush before has not: three in five and more do. */
    good = left_out.caught * 5 >= left_out.tried * 3 &&
           swapped.caught * 5 >= swapped.tried * 3 &&
           dropped.caught * 5 >= dropped.tried * 2;
    printf("%-22s flushes left out: %u, %u seen; epochs swapped: %u, %u seen; writes "
           "lost: %u, %u seen%s\n",
            wishes->name, left_out.tried, left_out.caught, swapped.tried,
            swapped.caught, dropped.tried, dropped.caught, good ? "" : ": TOO FEW");
    return good;
}

static bool load(const struct wishes *wishes, struct recording *recording,
        enum recording_order order)
{
    if (!recording_load(recording, wishes->start, wishes->log, order)) {
        printf("BAD [%s] the log: %s\n", wishes->name, recording->reason);
        return false;
    }
    return true;
}

static bool run(const struct wishes *wishes)
{
    struct totals totals = {0};
    struct recording recording;
    bool good = load(wishes, &recording, RECORDING_LATE);
    bool overlaps;

    if (good && wishes->tests_harness) {
        good = test_harness(wishes, &recording);
        recording_done(&recording);
        return good;
    }
    good = good && judge_all(wishes, &recording, &totals);
    overlaps = recording.overlaps > 0;
    printf("%-22s %u requests, %u promises, %u writes, %u flushes (%u writes during one)",
            wishes->name, recording.requests, recording.promises, recording.writes,
            recording.flushes, recording.overlaps);
    recording_done(&recording);
    if (good && overlaps) {
        good = load(wishes, &recording, RECORDING_EARLY) &&
               judge_all(wishes, &recording, &totals);
        recording_done(&recording);
    }
    printf(": %" PRIu64 " states judged, %" PRIu64 " recovered, %" PRIu64
           " cut again, %u dumped%s\n",
            totals.states, totals.recovered, totals.cut_again, totals.dumped,
            good ? "" : ", BAD");
    count_add(COUNT_STATES, totals.states);
    return good;
}

static void usage(void)
{
    fprintf(stderr, "usage: replay_recorded [OPTION...] START LOG\n");
    exit(2);
}

static void take_dump(struct wishes *wishes, char *text)
{
    char *comma = strchr(text, ',');

    if (!comma || sscanf(comma, ",%u,%u,%u", &wishes->dump_every, &wishes->dump_alike,
                          &wishes->dump_first) != 3) {
        usage();
    }
    *comma = '\0';
    wishes->dump_directory = text;
}

int main(int argc, char **argv)
{
    struct wishes wishes = {.name = "-", .seed = 1, .recover_every = 50};
    int option;

    while ((option = getopt(argc, argv, "n:s:m:r:d:e:t")) != -1) {
        switch (option) {
        case 'n':
            wishes.name = optarg;
            break;
        case 's':
            wishes.seed = strtoull(optarg, NULL, 10);
            break;
        case 'm':
            wishes.most = (unsigned)strtoul(optarg, NULL, 10);
            break;
        case 'r':
            wishes.recover_every = (unsigned)strtoul(optarg, NULL, 10);
            break;
        case 'd':
            take_dump(&wishes, optarg);
            break;
        case 'e':
            wishes.mended_directory = optarg;
            break;
        case 't':
            wishes.tests_harness = true;
            break;
        default:
            usage();
        }
    }
    if (argc - optind != 2) {
        usage();
    }
    wishes.start = argv[optind];
    wishes.log = argv[optind + 1];
    return run(&wishes) ? EXIT_SUCCESS : EXIT_FAILURE;
}
