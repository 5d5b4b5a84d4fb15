/* SPDX-License-Identifier: MIT */
/*
 * One row of operations on a fresh copy of a base, and every state in which a power
 * cut could have left it, judged.
 */
#ifndef REPLAY_SEQUENCE_H
#define REPLAY_SEQUENCE_H

#include <stdbool.h>

#include "base.h"
#include "judge.h"
#include "world.h"

struct sequence_options {
    struct replay_options replay;
    unsigned recover_every; /* see judge.h */
    unsigned cut_every;
    unsigned dump_every;
    const char *dump_directory;
    struct judge_others *others; /* NULL, or who judges what is there */
    bool skip_senseless;         /* leave them out; otherwise the sequence isn't run */
    bool keep;                   /* directories stay in use, and so do their indexes */
};

struct sequence_totals {
    uint64_t sequences, senseless, full; /* full: no room for one of the operations */
    uint64_t states, recovered, cut_again, dumped;
    uint64_t bad;
};

/* A recorded run, for those who want to replay it more than once. */
struct run {
    struct book book;
    struct recdev *rec;
    bool skipped; /* senseless, or full */
    char reason[256];
};

/* False: an operation went wrong; see reason. Release with run_done() always. */
bool run_make(struct run *run, const struct base *base, const struct op *ops,
        size_t count, const struct sequence_options *options,
        struct sequence_totals *totals);

void run_done(struct run *run);

/* Bad states are printed (the first one of the sequence) and counted. */
void sequence_judge(const struct base *base, const struct op *ops, size_t count,
        const struct sequence_options *options, struct sequence_totals *totals);

/* What was recorded elsewhere, of operations that something was special about. */
struct log {
    struct recdev *rec;
    struct book *book;
    const struct op *ops;
    size_t count;
    const char *where;
    unsigned recover_every;
};

/* A bad state is printed (the first one of the log) and counted. */
void log_judge(
        const struct base *base, const struct log *log, struct sequence_totals *totals);

void totals_print(const char *what, const struct sequence_totals *totals);

/* REPLAY_LONG is in the environment and not empty or 0. */
bool replay_is_long(void);

/* The number in @text; NULL or "-": REPLAY_SEED of the environment, or 1. */
uint64_t replay_seed(const char *text);

#endif
