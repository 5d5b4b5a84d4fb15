/* SPDX-License-Identifier: MIT */
/* What an operation costs in flushes and device writes, those of the dirty marks aside. */
#include <stdio.h>
#include <stdlib.h>

#include "plans.h"
#include "world.h"

struct row {
    const char *name;
    struct op before[4]; /* committed first; of kind OP_DROP: nothing */
    size_t before_count;
    struct op ops[4];
    size_t count;
    unsigned flushes, writes; /* at most */
};

static const struct row rows[] = {
        {"a new small file, synced", {{OP_DROP, NULL, NULL, 0}}, 1,
                {{OP_CREATE, "new", NULL, 0}, {OP_APPEND, "new", NULL, 2},
                        {OP_SYNC, "new", NULL, 0}},
                3, 2, 5},
        {"a new small file with a long name, synced", {{OP_DROP, NULL, NULL, 0}}, 1,
                {{OP_CREATE, "A new long name.text", NULL, 0},
                        {OP_APPEND, "A new long name.text", NULL, 2},
                        {OP_SYNC, "A new long name.text", NULL, 0}},
                3, 2, 5},
        {"an append with a new cluster, synced", {{OP_DROP, NULL, NULL, 0}}, 1,
                {{OP_APPEND, "a", NULL, 4}, {OP_SYNC, "a", NULL, 0}}, 2, 2, 5},
        {"an append inside the last cluster, synced", {{OP_DROP, NULL, NULL, 0}}, 1,
                {{OP_APPEND, "a", NULL, 1}, {OP_SYNC, "a", NULL, 0}}, 2, 2, 2},
        {"an overwrite in place, synced", {{OP_DROP, NULL, NULL, 0}}, 1,
                {{OP_OVERWRITE, "a", NULL, 4}, {OP_SYNC, "a", NULL, 0}}, 2, 1, 2},
        {"a rename inside one sector, synced",
                {{OP_FILL, "", NULL, 1}, {OP_COMMIT, NULL, NULL, 0},
                        {OP_UNLINK, "u0", NULL, 0}, {OP_COMMIT, NULL, NULL, 0}},
                4, {{OP_RENAME, "a", "c", 0}, {OP_SYNC, "c", NULL, 0}}, 2, 1, 1},
        {"a rename that moves the end mark, synced", {{OP_DROP, NULL, NULL, 0}}, 1,
                {{OP_RENAME, "a", "c", 0}, {OP_SYNC, "c", NULL, 0}}, 2, 2, 2},
        {"a rename to another directory, synced", {{OP_DROP, NULL, NULL, 0}}, 1,
                {{OP_RENAME, "a", "D/c", 0}, {OP_SYNC, "D/c", NULL, 0}}, 2, 3, 4},
        {"a rename over a file, synced", {{OP_DROP, NULL, NULL, 0}}, 1,
                {{OP_RENAME, "a", "b", 0}, {OP_SYNC, "b", NULL, 0}}, 2, 2, 2},
        {"saving by renaming a new file over the old one", {{OP_DROP, NULL, NULL, 0}},
                1,
                {{OP_CREATE, "new", NULL, 0}, {OP_APPEND, "new", NULL, 2},
                        {OP_RENAME, "new", "a", 0}, {OP_SYNC, "a", NULL, 0}},
                4, 3, 6},
        {"an unlink, committed", {{OP_DROP, NULL, NULL, 0}}, 1,
                {{OP_UNLINK, "a", NULL, 0}, {OP_COMMIT, NULL, NULL, 0}}, 2, 2, 2},
        {"a thousand creates, committed",
                {{OP_MKDIR, "many", NULL, 0}, {OP_COMMIT, NULL, NULL, 0}}, 2,
                {{OP_FILL, "many", NULL, 1000}, {OP_COMMIT, NULL, NULL, 0}}, 2, 6, 68},
        {"a commit with nothing to do", {{OP_COMMIT, NULL, NULL, 0}}, 1,
                {{OP_COMMIT, NULL, NULL, 0}, {OP_SYNC, "a", NULL, 0}}, 2, 0, 0},
};

/* The marks cost a flush of their own, once: an operation to get that behind us. */
static const struct op first_change[] = {
        {OP_CHATTR, "a", NULL, FAT_NODE_ARCHIVE | FAT_NODE_HIDDEN},
        {OP_COMMIT, NULL, NULL, 0},
};

static bool do_all(struct world *world, const struct op *ops, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (world_do(world, &ops[i]) != OP_DONE) {
            char text[200];

            op_describe(&ops[i], text, sizeof(text));
            printf("%s: %s\n", text, world->reason);
            return false;
        }
    }
    return true;
}

static bool run_row(const struct base *base, const struct row *row)
{
    struct world world;
    struct book book;
    struct recdev *rec;
    struct recdev_counts cost;
    bool good;

    book_copy(&book, &base->book);
    if (recdev_new(base->dev, &rec) != FAT_OK) {
        abort();
    }
    good = world_open(&world, recdev_blkdev(rec), rec, &book) &&
           do_all(&world, first_change, 2) &&
           do_all(&world, row->before, row->before_count);
    recdev_reset_counts(rec);
    good = good && do_all(&world, row->ops, row->count);
    cost = recdev_counts(rec);
    good = world_close(&world) && good;
    if (!good || cost.flushes > row->flushes || cost.writes > row->writes) {
        printf("BAD ");
        good = false;
    }
    printf("[%s] %s: %u flushes of %u, %u writes of %u\n", base->plan->name, row->name,
            (unsigned)cost.flushes, row->flushes, (unsigned)cost.writes, row->writes);
    recdev_free(rec);
    book_done(&book);
    return good;
}

int main(void)
{
    static const char *const names[] = {"fat12", "fat16", "fat32-4096"};
    static const struct base_plan roomy = {"fat32-roomy", 32, 512, 8, 2000, 2, 0, 0, 0};
    bool good = true;

    for (size_t i = 0; i <= sizeof(names) / sizeof(names[0]); i++) {
        struct base base;

        base_make(&base, i == 3 ? &roomy : plan_named(names[i]));
        for (size_t k = 0; k < sizeof(rows) / sizeof(rows[0]); k++) {
            good = run_row(&base, &rows[k]) && good;
        }
        base_done(&base);
    }
    return good ? EXIT_SUCCESS : EXIT_FAILURE;
}
