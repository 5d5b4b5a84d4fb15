/* SPDX-License-Identifier: MIT */
/*
 * A commit of another thread's in the middle of an operation (within.h), so that the
 * edits before it are in one commit and those behind it in the next; and then one more
 * operation, for which it matters what went with which. What replay_overlap has is the
 * other way round.
 *
 * Of rows of three operations the second one is cut in two, at each point. Where what
 * is written is the same as with a commit before or behind all of it, that is left to
 * the others.
 *
 *     replay_within [SEED [PARTS [PLAN]]]
 *
 * One row in PARTS of those whose operations are about the same names, one in
 * 24 PARTS of the others, and one in three of the core: where a file grows that was
 * empty, cut or just made, or a directory is made. PARTS 1: all of the core.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "plans.h"
#include "random.h"
#include "sequence.h"
#include "within.h"

/* How much of the commit is done when the operation goes on. */
enum how {
    WHOLE,   /* all of it                                                 */
    BEGUN,   /* up to its first flush; the rest once the operation is over */
    LASTING, /* ... once the next one is over, too                          */
    HOWS
};

static const char *const how_texts[HOWS] = {"", ", which waits for the operation",
        ", which waits for the operation and the next one"};

/* Before the operation, the one that is cut in two, after it. */
enum { BEFORE, CUT, AFTER, OPS };

enum { POINTS_MAX = 1000, RECOVER_EVERY = 4 };

struct row {
    const struct base *base;
    struct op ops[OPS];
    size_t cache_bytes;
    uint64_t whole[POINTS_MAX]; /* the log that each point has */
    unsigned points;
    uint64_t judged[HOWS * POINTS_MAX];
    size_t judged_count;
};

struct trial {
    struct world world;
    struct within within;
    enum op_result results[OPS];
};

/* False: the operation isn't done, or has no such point. */
static bool run_within(
        struct trial *t, const struct row *row, unsigned point, enum how how)
{
    const struct op commit = {.kind = OP_COMMIT};

    t->results[BEFORE] = world_do(&t->world, &row->ops[BEFORE]);
    if (t->results[BEFORE] != OP_DONE) {
        return false;
    }
    within_watch(&t->within, point, how != WHOLE);
    t->results[CUT] = world_do(&t->world, &row->ops[CUT]);
    if (how != LASTING) {
        within_end(&t->within);
    }
    if (t->within.begun) {
        t->results[AFTER] = world_do(&t->world, &row->ops[AFTER]);
    }
    within_end(&t->within);
    (void)world_do(&t->world, &commit);
    return t->within.begun;
}

static uint64_t mix(uint64_t hash, const void *bytes, size_t length)
{
    const uint8_t *at = bytes;

    for (size_t i = 0; i < length; i++) {
        hash = (hash ^ at[i]) * UINT64_C(0x100000001b3);
    }
    return hash;
}

/* Of what was done, not of what was promised: the same writes have the same states. */
static uint64_t log_hash(const struct recdev *rec)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);

    for (size_t i = 0; i < recdev_event_count(rec); i++) {
        const struct recdev_event *event = recdev_event(rec, i);

        hash = mix(hash, &event->call, sizeof(event->call));
        hash = mix(hash, &event->offset, sizeof(event->offset));
        hash = mix(hash, event->bytes, event->length);
    }
    return hash;
}

static bool is_among(uint64_t hash, const uint64_t *list, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (list[i] == hash) {
            return true;
        }
    }
    return false;
}

static void judge_it(struct row *row, const struct trial *t, unsigned point,
        enum how how, struct sequence_totals *totals)
{
    char where[160];
    const struct log log = {
            t->world.rec, t->world.book, row->ops, OPS, where, RECOVER_EVERY};
    const uint64_t hash = log_hash(log.rec);

    if (is_among(hash, row->judged, row->judged_count)) {
        return;
    }
    row->judged[row->judged_count++] = hash;
    snprintf(where, sizeof(where),
            "a commit at point %u of the second%s; %zu bytes of cache", point,
            how_texts[how], row->cache_bytes);
    totals->sequences++;
    totals->full += t->results[CUT] == OP_FULL || t->results[AFTER] == OP_FULL;
    log_judge(row->base, &log, totals);
}

static void complain(const struct row *row, const struct trial *t, unsigned point,
        enum how how, struct sequence_totals *totals)
{
    char text[300];

    ops_describe(row->ops, OPS, text, sizeof(text));
    printf("BAD [%s] %s%s\n    {%s}, a commit at point %u of the second%s\n",
            row->base->plan->name, t->world.reason,
            t->within.err != FAT_OK ? ": the commit fails" : "", text, point,
            how_texts[how]);
    totals->bad++;
}

/* False: there is no such point. @judge: else what was written is only noted. */
static bool try(struct row *row, unsigned point, enum how how, bool judge,
        struct sequence_totals *totals)
{
    struct trial t = {0};
    struct recdev *rec;
    struct book book;
    bool begun;

    book_copy(&book, &row->base->book);
    if (recdev_new(row->base->dev, &rec) != FAT_OK) {
        abort();
    }
    within_init(&t.within, recdev_blkdev(rec), &t.world);
    if (!world_open_with(&t.world, &t.within.dev, rec, &book, row->cache_bytes)) {
        abort();
    }
    begun = run_within(&t, row, point, how);
    if (!world_close(&t.world) || t.world.reason[0] != '\0' || t.within.err != FAT_OK) {
        complain(row, &t, point, how, totals);
    } else if (begun && judge) {
        judge_it(row, &t, point, how, totals);
    } else if (begun) {
        row->whole[point - 1] = log_hash(rec);
    }
    recdev_free(rec);
    book_done(&book);
    return begun && t.results[CUT] != OP_SENSELESS;
}

static void all_points(struct row *row, struct sequence_totals *totals)
{
    row->points = 0;
    row->judged_count = 0;
    while (row->points < POINTS_MAX &&
            try(row, row->points + 1, WHOLE, false, totals)) {
        row->points++;
    }
    totals->senseless += row->points == 0;
    for (unsigned i = 1; i + 1 < row->points; i++) {
        if (row->whole[i] == row->whole[0] ||
                row->whole[i] == row->whole[row->points - 1]) {
            continue; /* as if it came before, or behind it */
        }
        for (enum how how = WHOLE; how < HOWS; how++) {
            (void)try(row, i + 1, how, true, totals);
        }
    }
}

/* Is one of them the other, or in it? What is about no name is about the held "a". */
static bool paths_meet(const char *a, const char *b)
{
    const size_t a_length = strlen(a);
    const size_t b_length = strlen(b);
    const size_t length = a_length < b_length ? a_length : b_length;
    const char longer = a_length < b_length ? b[length] : a[length];

    return strncmp(a, b, length) == 0 && (longer == '\0' || longer == '/');
}

static bool ops_meet(const struct op *x, const struct op *y)
{
    const char *of_x[] = {x->a ? x->a : "a", x->b ? x->b : x->a ? x->a : "a"};
    const char *of_y[] = {y->a ? y->a : "a", y->b ? y->b : y->a ? y->a : "a"};

    for (unsigned i = 0; i < 4; i++) {
        if (paths_meet(of_x[i / 2], of_y[i % 2])) {
            return true;
        }
    }
    return false;
}

/* The core: what the file has, or has not, when it grows. */
static const struct op core_before[] = {{.kind = OP_DROP}, /* nothing */
        {OP_TRUNCATE, "a", NULL, 0}, {OP_TRUNCATE, "a", NULL, 4},
        {OP_CREATE, "c", NULL, 0}};

static bool is_core_before(const struct op *op)
{
    for (size_t i = 0; i < sizeof(core_before) / sizeof(core_before[0]); i++) {
        const struct op *core = &core_before[i];

        if (op->kind == core->kind && op->amount == core->amount &&
                (op->a == core->a || (op->a && strcmp(op->a, core->a) == 0))) {
            return true;
        }
    }
    return false;
}

static bool is_core(const struct row *row)
{
    const enum op_kind kind = row->ops[CUT].kind;

    return (kind == OP_APPEND || kind == OP_TRUNCATE || kind == OP_MKDIR) &&
           is_core_before(&row->ops[BEFORE]) &&
           (row->ops[BEFORE].kind == OP_DROP ||
                   ops_meet(&row->ops[BEFORE], &row->ops[CUT])) &&
           ops_meet(&row->ops[CUT], &row->ops[AFTER]);
}

enum { CORE = 3, OTHERS = 24, SMALL_CACHE = 4 };

/* One in how many of the rows that are like this one is run. */
static unsigned share(const struct row *row, unsigned parts)
{
    if (is_core(row)) {
        return parts < CORE ? parts : CORE;
    }
    return ops_meet(&row->ops[BEFORE], &row->ops[CUT]) &&
                           ops_meet(&row->ops[CUT], &row->ops[AFTER])
                   ? parts
                   : parts * OTHERS;
}

static void run_row(struct row *row, size_t number, unsigned parts, uint64_t *random,
        struct sequence_totals *totals)
{
    const uint64_t dice = random_next(random) >> 8;

    row->ops[BEFORE] = plan_ops[number / plan_op_count % plan_op_count];
    row->ops[CUT] = plan_ops[number / plan_op_count / plan_op_count];
    row->ops[AFTER] = plan_ops[number % plan_op_count];
    row->cache_bytes = dice % SMALL_CACHE == 0 ? 1 : WORLD_CACHE_BYTES;
    if (row->ops[CUT].kind != OP_FILL && /* that is many */
            dice / SMALL_CACHE % share(row, parts) == 0) {
        all_points(row, totals);
    }
}

static void run_plan(const struct base_plan *plan, unsigned parts, uint64_t *random,
        struct sequence_totals *totals)
{
    const size_t all = plan_op_count * plan_op_count * plan_op_count;
    struct base base;
    struct row row;

    base_make(&base, plan);
    row.base = &base;
    for (size_t i = 0; i < all; i++) {
        run_row(&row, i, parts, random, totals);
    }
    base_done(&base);
}

static size_t usual_plans(const struct base_plan **ret)
{
    static const char *const names[] = {"fat12-edge-2-fats", "fat12-tight",
            "fat12-4096", "fat16-edge", "fat32-edge", "fat32-tight-edge"};
    const size_t count = sizeof(names) / sizeof(names[0]);

    for (size_t i = 0; i < count; i++) {
        ret[i] = plan_named(names[i]);
    }
    return count;
}

int main(int argc, char **argv)
{
    const uint64_t seed = replay_seed(argc > 1 ? argv[1] : NULL);
    const bool all = replay_is_long() || argc > 3;
    const unsigned usual = replay_is_long() ? 1 : 300;
    const unsigned parts = argc > 2 ? (unsigned)strtoul(argv[2], NULL, 10) : usual;
    const struct base_plan *plans[32];
    const size_t count = all ? plans_of(0, plans, sizeof(plans) / sizeof(plans[0]))
                             : usual_plans(plans);
    struct sequence_totals totals = {0};
    uint64_t random = random_seeded(seed);

    if (parts == 0) {
        fprintf(stderr, "usage: replay_within [SEED [PARTS [PLAN]]]\n");
        return 2;
    }
    printf("seed %llu\n", (unsigned long long)seed);
    for (size_t i = 0; i < count; i++) {
        if (argc <= 3 || strcmp(argv[3], plans[i]->name) == 0) {
            run_plan(plans[i], parts, &random, &totals);
        }
    }
    totals_print("cut in two by a commit", &totals);
    if (totals.sequences == 0) {
        printf("BAD: no commit came in the middle of anything\n");
    }
    return totals.bad > 0 || totals.sequences == 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
