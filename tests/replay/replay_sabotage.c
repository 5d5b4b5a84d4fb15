/* SPDX-License-Identifier: MIT */
/*
 * The test of the tests: a log with a flush left out, with two epochs the wrong way
 * round, or with a write missing has to turn the judge red.
 *
 * Each row says which epochs its log has: M the dirty marks, F fill, L link, P publish,
 * R retire, C cut, X reclaim, K the copies that are due and the free count, Z the
 * marks cleared. @left_out has a '+' under each flush that is missed if it is left out,
 * @swapped under each epoch that is missed if the next one comes first. A '-' is a
 * flush that nothing depends on here:
 *
 *   M  where what follows never leaves anything over (one sector: all or nothing)
 *   F  where it only moves the end mark of a directory, or writes data whose entry
 *      follows in the same sector as before
 *   P  where the next epoch writes the same sector: it has both or neither
 *   R  before X, where X frees what another name gave up (rename onto a file)
 *   X  what it frees belongs to nobody since the epoch before: it may come late. But the
 *      other copies of the FAT that follow it must not come before it
 *   K  on a volume with one FAT and no FSInfo it is empty
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "plans.h"
#include "sequence.h"

enum { OPS_MAX = 4, EPOCHS_MAX = 32 };

struct row {
    const char *plan;
    struct op ops[OPS_MAX];
    const char *epochs;
    const char *left_out;
    const char *swapped;
};

#define COMMIT                   \
    {                            \
        OP_COMMIT, NULL, NULL, 0 \
    }
#define LONG_Y "A rather longer name that needs four slots.y"

static const struct row rows[] = {
        {"fat12", {{OP_CREATE, "c", NULL, 0}, {OP_APPEND, "c", NULL, 5}}, "MFPKZ",
                "+++-+", "+++-+"},
        {"fat12", {{OP_MKDIR, "N", NULL, 0}}, "MFPKZ", "+++-+", "+++-+"},
        {"fat12", {{OP_APPEND, "a", NULL, 9}}, "MFPKZ", "+++-+", "+++-+"},
        {"fat32-edge", {{OP_APPEND, "a", NULL, 17}}, "MFLPKZ", "++++-+", "++++-+"},
        {"fat12", {{OP_UNLINK, "a", NULL, 0}}, "MRXKZ", "++--+", "++--+"},
        {"fat12-tight", {{OP_UNLINK, "a", NULL, 0}, COMMIT, {OP_APPEND, "b", NULL, 16}},
                "MRXFPKZ", "++-++-+", "++-++-+"},
        {"fat12", {{OP_RMDIR, "E", NULL, 0}}, "MRXKZ", "++--+", "++--+"},
        {"fat12", {{OP_RENAME, "a", "D/c", 0}}, "MFPRKZ", "--++-+", "--++-+"},
        {"fat12", {{OP_RENAME, "a", "b", 0}}, "MPXKZ", "++--+", "++--+"},
        {"fat12", {{OP_RENAME, "D/f", "b", 0}}, "MPRXKZ", "++---+", "++---+"},
        {"fat12", {{OP_TRUNCATE, "a", NULL, 3}}, "MPXKZ", "++--+", "++--+"},
        {"fat32-edge",
                {{OP_APPEND, "a", NULL, 17}, COMMIT, {OP_TRUNCATE, "a", NULL, 3}},
                "MFLPPCXKZ", "+++++++++", "+++++++++"},
        {"fat12", {{OP_TRUNCATE, "a", NULL, 0}}, "MPXKZ", "++--+", "++--+"},
        {"fat12-edge", {{OP_FILL, "D", NULL, 3}}, "MFPKZ", "+++-+", "+++-+"},
        {"fat12", {{OP_EXCHANGE, "a", "D/f", 0}}, "MFPPRPRKZ", "---+-++-+",
                "---+-++-+"},
        {"fat12", {{OP_EXCHANGE, "a", "b", 0}}, "MPKZ", "-+-+", "-+-+"},
        {"fat12", {{OP_RENAME, "D", "E/D", 0}}, "MFPRKZ", "--++-+", "--++-+"},
        {"fat12-edge", {{OP_CREATE, LONG_Y, NULL, 0}}, "MFPKZ", "-++-+", "-++-+"},
        {"fat32", {{OP_OVERWRITE, "a", NULL, 4}}, "MFKZ", "-+-+", "-+-+"},
        {"fat16", {{OP_CHATTR, "a", NULL, 0x21}}, "MPKZ", "-+-+", "-+-+"},
        {"fat16", {{OP_UNLINK, "a", NULL, 0}}, "MRXKZ", "++-++", "++-++"},
        {"fat32", {{OP_CREATE, "c", NULL, 0}, {OP_APPEND, "c", NULL, 5}}, "MFPKZ",
                "+++-+", "+++-+"},
};

struct tally {
    unsigned left_out[256], missed[256]; /* by letter of the epoch */
    unsigned writes, writes_missed;
    bool good;
};

static size_t op_count(const struct row *row)
{
    size_t count = 0;

    while (count < OPS_MAX &&
            (row->ops[count].a || row->ops[count].kind == OP_COMMIT)) {
        count++;
    }
    return count;
}

static bool turns_red(struct run *run, const struct base *base, struct judge *judge,
        const struct replay_options *lie, struct replay_stats *stats)
{
    struct replay_options how = *lie;

    how.sector_bytes = base->plan->sector_bytes;
    judge->book = &run->book;
    judge->rec = run->rec;
    judge->sector_bytes = base->plan->sector_bytes;
    judge->recover_every = 1;
    judge->reason[0] = '\0';
    if (recdev_replay(run->rec, &how, judge_state, judge, stats) != FAT_OK) {
        abort();
    }
    return stats->bad > 0;
}

static void lie_about_flushes(struct run *run, const struct base *base,
        const struct row *row, unsigned flushes, struct tally *tally)
{
    char left_out[EPOCHS_MAX + 1] = "";
    char swapped[EPOCHS_MAX + 1] = "";
    struct judge judge = {0};
    struct replay_stats stats;

    for (unsigned f = 1; f <= flushes && f <= EPOCHS_MAX; f++) {
        const struct replay_options leave = {.leave_out_flush = f};
        const struct replay_options swap = {.swap_epoch = f};
        const unsigned char letter = (unsigned char)row->epochs[f - 1];
        const bool missed = turns_red(run, base, &judge, &leave, &stats);

        left_out[f - 1] = missed ? '+' : '-';
        swapped[f - 1] = turns_red(run, base, &judge, &swap, &stats) ? '+' : '-';
        tally->left_out[letter]++;
        tally->missed[letter] += missed;
    }
    if (strcmp(left_out, row->left_out) != 0 || strcmp(swapped, row->swapped) != 0) {
        printf("BAD: missed \"%s\", \"%s\", not \"%s\", \"%s\"\n", left_out, swapped,
                row->left_out, row->swapped);
        tally->good = false;
    }
    judge_done(&judge);
}

static void lie_about_writes(
        struct run *run, const struct base *base, struct tally *tally)
{
    struct judge judge = {0};
    struct replay_stats stats;
    unsigned write = 0;

    for (size_t i = 0; i < recdev_event_count(run->rec); i++) {
        if (recdev_event(run->rec, i)->call == RECDEV_WRITE) {
            const struct replay_options drop = {.drop_write = ++write};

            tally->writes++;
            tally->writes_missed += turns_red(run, base, &judge, &drop, &stats);
        }
    }
    judge_done(&judge);
}

static void sabotage(const struct row *row, struct tally *tally)
{
    const struct sequence_options options = {0};
    const struct replay_options truth = {0};
    struct sequence_totals totals = {0};
    struct judge judge = {0};
    struct replay_stats stats;
    struct base base;
    struct run run;
    char text[300];

    base_make(&base, plan_named(row->plan));
    ops_describe(row->ops, op_count(row), text, sizeof(text));
    printf("[%s] {%s}: %s\n", row->plan, text, row->epochs);
    if (!run_make(&run, &base, row->ops, op_count(row), &options, &totals) ||
            run.skipped) {
        printf("BAD: not done: %s\n", run.reason);
        tally->good = false;
    } else if (turns_red(&run, &base, &judge, &truth, &stats)) {
        printf("BAD: red without a lie: %s\n", judge.reason);
        tally->good = false;
    } else if (stats.flushes != strlen(row->epochs)) {
        printf("BAD: %u flushes\n", stats.flushes);
        tally->good = false;
    } else {
        lie_about_flushes(&run, &base, row, stats.flushes, tally);
        lie_about_writes(&run, &base, tally);
    }
    judge_done(&judge);
    run_done(&run);
    base_done(&base);
}

int main(void)
{
    static const char kinds[] = "MFLPRCXKZ";
    struct tally tally = {.good = true};

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        sabotage(&rows[i], &tally);
    }
    for (const char *kind = kinds; *kind; kind++) {
        const unsigned char letter = (unsigned char)*kind;

        printf("flush after %c: left out %u times, missed %u times\n", *kind,
                tally.left_out[letter], tally.missed[letter]);
        if (tally.missed[letter] == 0) {
            printf("BAD: never missed\n");
            tally.good = false;
        }
    }
    printf("writes: dropped %u, missed %u\n", tally.writes, tally.writes_missed);
    if (tally.writes_missed * 2 < tally.writes) {
        printf("BAD: too few\n");
        tally.good = false;
    }
    return tally.good ? EXIT_SUCCESS : EXIT_FAILURE;
}
