/* SPDX-License-Identifier: MIT */
/*
 * Operations while a commit is under way: at each of its flushes another operation is
 * done by another thread, as happens when one program waits for its data to be on the
 * medium and another goes on. Its edits belong to the next commit; only data written
 * in place go to the device at once.
 *
 *     replay_overlap [SEED]
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "plans.h"
#include "random.h"
#include "sequence.h"

/* A device that does something of ours when the wanted flush begins. */
struct meddler {
    struct fat_blkdev dev; /* first member */
    struct fat_blkdev *under;
    struct world *world;
    const struct op *op;
    unsigned flush_to_come; /* 0: not any more, or not yet */
    bool late;              /* behind the flush in the log, not before it */
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t done_signal;
    bool started, done; /* done: under the lock */
    enum op_result result;
};

static fat_err meddle_read(
        struct fat_blkdev *dev, uint64_t offset, void *buffer, size_t length)
{
    struct fat_blkdev *under = ((struct meddler *)(void *)dev)->under;

    return under->ops->read(under, offset, buffer, length);
}

static fat_err meddle_write(
        struct fat_blkdev *dev, uint64_t offset, const void *buffer, size_t length)
{
    struct fat_blkdev *under = ((struct meddler *)(void *)dev)->under;

    return under->ops->write(under, offset, buffer, length);
}

static void *do_it(void *context)
{
    struct meddler *m = context;
    const enum op_result result = world_do(m->world, m->op);

    pthread_mutex_lock(&m->lock);
    m->result = result;
    m->done = true;
    pthread_cond_signal(&m->done_signal);
    pthread_mutex_unlock(&m->lock);
    return NULL;
}

/*
 * Until it is done, or it seems that it waits for the very commit that this flush
 * belongs to.
 */
static void wait_a_little(struct meddler *m)
{
    enum { WAIT_NS = 30 * 1000 * 1000 };
    struct timespec until;
    int err = 0;

    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_nsec += WAIT_NS;
    until.tv_sec += until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    pthread_mutex_lock(&m->lock);
    while (!m->done && err == 0) {
        err = pthread_cond_timedwait(&m->done_signal, &m->lock, &until);
    }
    pthread_mutex_unlock(&m->lock);
}

static void meddle(struct meddler *m)
{
    if (pthread_create(&m->thread, NULL, do_it, m) != 0) {
        abort();
    }
    m->started = true;
    wait_a_little(m);
}

static fat_err meddle_flush(struct fat_blkdev *dev)
{
    struct meddler *m = (struct meddler *)(void *)dev;
    const bool now = m->flush_to_come > 0 && --m->flush_to_come == 0;
    fat_err err;

    if (now && !m->late) {
        meddle(m);
    }
    err = m->under->ops->flush(m->under);
    if (now && m->late) {
        meddle(m);
    }
    return err;
}

static const struct fat_blkdev_ops meddle_ops = {
        .read = meddle_read, .write = meddle_write, .flush = meddle_flush};

static bool run_overlapped(struct meddler *m, const struct op ops[3], unsigned flush)
{
    const struct op commit = {.kind = OP_COMMIT};

    /* The marks first: their flush is no commit's. */
    if (world_do(m->world, &ops[0]) != OP_DONE) {
        return false;
    }
    m->op = &ops[1];
    m->flush_to_come = flush;
    (void)world_do(m->world, &commit);
    m->flush_to_come = 0;
    if (m->started) {
        pthread_join(m->thread, NULL);
    }
    if (m->started && m->result == OP_DONE) {
        (void)world_do(m->world, &ops[2]);
    }
    (void)world_do(m->world, &commit);
    return m->started && m->result == OP_DONE;
}

static void judge_log(const struct base *base, const struct op ops[3], unsigned flush,
        struct recdev *rec, struct book *book, struct sequence_totals *totals)
{
    char where[80];

    snprintf(where, sizeof(where), "the second during flush %u of the first's commit",
            flush);
    log_judge(base, &(struct log){rec, book, ops, 3, where, 20}, totals);
}

/* False: there was no such flush, or it makes no sense. */
static bool overlap(const struct base *base, const struct op ops[3], unsigned flush,
        bool late, struct sequence_totals *totals)
{
    struct meddler m = {.late = late,
            .lock = PTHREAD_MUTEX_INITIALIZER,
            .done_signal = PTHREAD_COND_INITIALIZER};
    struct world world;
    struct recdev *rec;
    struct book book;
    bool started;

    book_copy(&book, &base->book);
    if (recdev_new(base->dev, &rec) != FAT_OK) {
        abort();
    }
    m.under = recdev_blkdev(rec);
    m.dev = (struct fat_blkdev){.ops = &meddle_ops,
            .size_bytes = m.under->size_bytes,
            .block_bytes = m.under->block_bytes};
    m.world = &world;
    if (!world_open(&world, &m.dev, rec, &book)) {
        abort();
    }
    started = run_overlapped(&m, ops, flush);
    if (!world_close(&world) || world.reason[0] != '\0') {
        printf("BAD: %s\n", world.reason);
        totals->bad++;
    } else if (started) {
        totals->sequences++;
        judge_log(base, ops, flush, rec, &book, totals);
    }
    recdev_free(rec);
    book_done(&book);
    return m.started;
}

static void run_plan(const char *name, unsigned rows, uint64_t *random,
        struct sequence_totals *totals)
{
    struct base base;

    base_make(&base, plan_named(name));
    for (unsigned row = 0; row < rows; row++) {
        struct op ops[3];

        for (size_t i = 0; i < 3; i++) {
            ops[i] = plan_ops[random_next(random) % plan_op_count];
        }
        for (unsigned flush = 1; overlap(&base, ops, flush, false, totals); flush++) {
            (void)overlap(&base, ops, flush, true, totals);
        }
    }
    base_done(&base);
}

int main(int argc, char **argv)
{
    static const char *const names[] = {"fat12", "fat12-edge-2-fats", "fat12-tight",
            "fat32-edge", "fat32-tight-edge", "fat16-edge"};
    const uint64_t seed = replay_seed(argc > 1 ? argv[1] : NULL);
    const unsigned rows = replay_is_long() ? 20000 : 400;
    struct sequence_totals totals = {0};
    uint64_t random = random_seeded(seed);

    printf("seed %llu\n", (unsigned long long)seed);
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        run_plan(names[i], rows, &random, &totals);
    }
    totals_print("overlapped", &totals);
    return totals.bad > 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
