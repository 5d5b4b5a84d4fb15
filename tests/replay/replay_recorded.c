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
 *   -j EVERY    instead: give one state in so many, and every one in which anything is
 *               found beside the marks, to other programs (dump.h) at once
 *   -e DIR      dump what each recovery made there
 *   -t          the harness itself: with each flush left out, and each two neighbouring
 *               epochs swapped, one at a time, the log has to be judged bad wherever
 *               anything needs that flush (needs.h), and nowhere else. (That the true
 *               log is good is shown without this option.)
 *   -w          also: of many writes, lost one at a time, enough have to be missed
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "dump.h"
#include "judge.h"
#include "needs.h"
#include "recording.h"
#include "sequence.h"
#include "support/count.h"

struct wishes {
    const char *name, *start, *log;
    uint64_t seed;
    unsigned most, recover_every, dump_every, dump_alike, dump_first;
    const char *dump_directory, *mended_directory;
    struct judge_others others; /* command: NULL, or they get all there is to find */
    bool tests_harness, loses_writes;
};

struct totals {
    uint64_t states, recovered, cut_again;
    uint64_t bad;
    unsigned dumped;
};

static struct judge judge_for(struct wishes *wishes, struct recording *recording)
{
    return (struct judge){.book = &recording->book,
            .rec = recording->rec,
            .recover_every = wishes->recover_every,
            .cut_every = 10,
            .dump_directory = wishes->dump_directory,
            .dump_every = wishes->dump_every,
            .dump_alike = wishes->dump_alike,
            .dump_found = wishes->others.command != NULL,
            .others = &wishes->others,
            .mended_directory = wishes->mended_directory,
            .dumped = wishes->dump_first};
}

static bool judge_all(
        struct wishes *wishes, struct recording *recording, struct totals *totals)
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
    unsigned tried, seen;
    unsigned idle[NEEDS_DEEDS]; /* needed by nothing, by what was done before it */
};

static bool turns_red(struct wishes *wishes, struct recording *recording,
        const struct replay_options *lie)
{
    struct judge judge = judge_for(wishes, recording);
    struct replay_options how = *lie;
    struct replay_stats stats;

    judge.recover_every = 0;
    judge.dump_every = judge.dump_alike = 0;
    judge.dump_found = false;
    how.random_subsets = 32;
    if (recdev_replay(recording->rec, &how, judge_state, &judge, &stats) != FAT_OK) {
        abort();
    }
    judge_done(&judge);
    return stats.bad > 0;
}

/*
 * Swapped epochs may be seen where nobody needs their order: the second shows what
 * nobody had asked for yet.
 */
static bool try_lie(struct wishes *wishes, struct recording *recording,
        struct needs *needs, enum needs_lie kind, struct lies *lies)
{
    const bool swaps = kind == NEEDS_SWAPPED;
    const struct replay_options lie = {.leave_out_flush = swaps ? 0 : needs->flush,
            .swap_epoch = swaps ? needs->flush : 0,
            .first_epoch = needs->flush,
            .epoch_count = swaps ? 2 : 1,
            .all_subsets_up_to = 8};
    const bool is_seen = turns_red(wishes, recording, &lie);
    const char *why = needs_why(needs, kind);

    lies->tried++;
    lies->seen += is_seen;
    lies->idle[needs_deed(needs)] += !is_seen && !why;
    if (is_seen == (why != NULL) || (swaps && is_seen)) {
        return true;
    }
    printf("BAD [%s] flush %u %s (%s before it): %s%s\n", wishes->name, needs->flush,
            swaps ? "swapped" : "left out", needs_deed_text(needs_deed(needs)),
            is_seen ? "seen, and nothing says why" : "not seen, though ",
            is_seen ? "" : why);
    return false;
}

static void print_lies(const char *what, const struct lies *lies)
{
    const char *mark = "; nothing needs";

    printf("%s: %u, %u seen", what, lies->tried, lies->seen);
    for (size_t i = 0; i < NEEDS_DEEDS; i++) {
        if (lies->idle[i] > 0) {
            printf("%s %u after %s", mark, lies->idle[i],
                    needs_deed_text((enum needs_deed)i));
            mark = ",";
        }
    }
    printf("\n");
}

static bool test_flushes(struct wishes *wishes, struct recording *recording)
{
    struct lies left_out = {0}, swapped = {0};
    struct needs needs;
    bool more = needs_init(&needs, recording);
    bool good = more;

    while (more) {
        good = try_lie(wishes, recording, &needs, NEEDS_LEFT_OUT, &left_out) && good;
        good = try_lie(wishes, recording, &needs, NEEDS_SWAPPED, &swapped) && good;
        more = needs_next(&needs);
    }
    needs_done(&needs);
    if (left_out.tried != recording->flushes) {
        printf("BAD [%s] %u flushes looked at\n", wishes->name, left_out.tried);
        good = false;
    }
    printf("%s\n", wishes->name);
    print_lies("    flushes left out", &left_out);
    print_lies("    epochs swapped", &swapped);
    return good;
}

/* What the next write to the same sector says again, nobody can miss. */
static bool test_writes(struct wishes *wishes, struct recording *recording)
{
    unsigned tried = 0;
    unsigned seen = 0;

    for (unsigned i = 1; i <= recording->writes; i += 1 + recording->writes / 60) {
        const struct replay_options lie = {
                .drop_write = i, .all_subsets_up_to = 6, .most_of_a_shape = 16};

        tried++;
        seen += turns_red(wishes, recording, &lie);
    }
    printf("    writes lost: %u, %u seen\n", tried, seen);
    if (seen * 5 < tried * 2) {
        printf("BAD [%s] too few\n", wishes->name);
        return false;
    }
    return true;
}

static bool test_harness(struct wishes *wishes, struct recording *recording)
{
    const bool good = test_flushes(wishes, recording);

    return (!wishes->loses_writes || test_writes(wishes, recording)) && good;
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

static bool run(struct wishes *wishes)
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
    char directory[] = DUMP_DIRECTORY;
    bool good;
    int option;

    while ((option = getopt(argc, argv, "n:s:m:r:d:j:e:tw")) != -1) {
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
        case 'j':
            if (!dump_begin(&wishes.others, directory)) {
                fprintf(stderr, "nobody to give states to\n");
                return EXIT_FAILURE;
            }
            wishes.dump_directory = directory;
            wishes.dump_every = (unsigned)strtoul(optarg, NULL, 10);
            break;
        case 'e':
            wishes.mended_directory = optarg;
            break;
        case 't':
            wishes.tests_harness = true;
            break;
        case 'w':
            wishes.loses_writes = true;
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
    good = run(&wishes);
    dump_end(&wishes.others, directory);
    return good && wishes.others.bad == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
