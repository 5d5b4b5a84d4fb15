/* SPDX-License-Identifier: MIT */
#include "plans.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct base_plan plans[] = {
        {"fat12", 12, 512, 1, 150, 1, 0, 0, 0},
        {"fat12-edge", 12, 512, 1, 420, 1, 341, 2, 0},
        {"fat12-edge-2-fats", 12, 512, 1, 420, 2, 341, 1, 0},
        {"fat12-tight", 12, 512, 1, 60, 2, 0, 2, 4},
        {"fat12-tight-edge", 12, 512, 1, 350, 2, 341, 1, 6},
        {"fat12-tight-edge-1-fat", 12, 512, 1, 350, 1, 341, 1, 6},
        {"fat12-4096", 12, 4096, 1, 60, 2, 0, 0, 0},
        {"fat16", 16, 512, 1, 4200, 2, 0, 0, 0},
        {"fat16-edge", 16, 512, 1, 4200, 1, 256, 2, 0},
        {"fat16-clusters-of-2", 16, 512, 2, 4200, 2, 256, 1, 0},
        {"fat32", 32, 512, 1, 200, 2, 0, 0, 0},
        {"fat32-edge", 32, 512, 1, 400, 2, 128, 2, 0},
        {"fat32-edge-1-fat", 32, 512, 1, 400, 1, 256, 1, 0},
        {"fat32-tight", 32, 512, 1, 60, 2, 0, 1, 5},
        {"fat32-tight-edge", 32, 512, 1, 140, 2, 128, 1, 7},
        {"fat32-real", 32, 512, 1, 66000, 2, 0, 0, 0},
        {"fat32-4096", 32, 4096, 1, 200, 2, 0, 0, 0},
};

size_t plans_of(unsigned type, const struct base_plan **ret, size_t capacity)
{
    size_t count = 0;

    for (size_t i = 0; i < sizeof(plans) / sizeof(plans[0]); i++) {
        if ((type == 0 || plans[i].type == type) && count < capacity &&
                plans[i].clusters < 65525) {
            ret[count++] = &plans[i];
        }
    }
    return count;
}

const struct base_plan *plan_named(const char *name)
{
    for (size_t i = 0; i < sizeof(plans) / sizeof(plans[0]); i++) {
        if (strcmp(plans[i].name, name) == 0) {
            return &plans[i];
        }
    }
    fprintf(stderr, "no plan is called %s\n", name);
    exit(2);
}

#define LONG_X "A long name called x.text"
#define LONG_Y "A rather longer name that needs four slots.y"

const struct op plan_ops[] = {
        {OP_APPEND, "a", NULL, 4},
        {OP_APPEND, "a", NULL, 1},
        {OP_APPEND, "a", NULL, 9},
        {OP_APPEND, "b", NULL, 9},
        {OP_APPEND, "D/f", NULL, 4},
        {OP_APPEND, "c", NULL, 5},
        {OP_OVERWRITE, "a", NULL, 3},
        {OP_OVERWRITE, "b", NULL, 1},
        {OP_TRUNCATE, "a", NULL, 0},
        {OP_TRUNCATE, "a", NULL, 4},
        {OP_TRUNCATE, "a", NULL, 3},
        {OP_TRUNCATE, "a", NULL, 14},
        {OP_CREATE, "c", NULL, 0},
        {OP_CREATE, "a", NULL, 0},
        {OP_CREATE, "b", NULL, 0},
        {OP_CREATE, LONG_X, NULL, 0},
        {OP_CREATE, "D/x", NULL, 0},
        {OP_CREATE, "D/" LONG_Y, NULL, 0},
        {OP_CREATE, "D/f", NULL, 0},
        {OP_UNLINK, "a", NULL, 0},
        {OP_UNLINK, "b", NULL, 0},
        {OP_UNLINK, "c", NULL, 0},
        {OP_UNLINK, "D/f", NULL, 0},
        {OP_UNLINK, "Long name of p.txt", NULL, 0},
        {OP_RENAME, "a", "b", 0},
        {OP_RENAME, "b", "a", 0},
        {OP_RENAME, "a", "c", 0},
        {OP_RENAME, "c", "a", 0},
        {OP_RENAME, "b", "c", 0},
        {OP_RENAME, "c", "b", 0},
        {OP_RENAME, "a", "D/g", 0},
        {OP_RENAME, "D/g", "c", 0},
        {OP_RENAME, "a", "D/f", 0},
        {OP_RENAME, "c", "D/f", 0},
        {OP_RENAME, "D/f", "f", 0},
        {OP_RENAME, "a", "E/a", 0},
        {OP_RENAME, "E/a", "a", 0},
        {OP_RENAME, "a", LONG_Y, 0},
        {OP_RENAME, "Long name of p.txt", "p", 0},
        {OP_RENAME, "a", "A", 0},
        {OP_RENAME, "Long name of p.txt", "LONG NAME of p.txt", 0},
        {OP_RENAME, "D/f", "E/f", 0},
        {OP_MKDIR, "N", NULL, 0},
        {OP_MKDIR, "c", NULL, 0},
        {OP_MKDIR, "E", NULL, 0},
        {OP_MKDIR, "D/y", NULL, 0},
        {OP_RMDIR, "N", NULL, 0},
        {OP_RMDIR, "E", NULL, 0},
        {OP_RMDIR, "D/S", NULL, 0},
        {OP_RENAME, "D", "N/D", 0},
        {OP_RENAME, "D/S", "S", 0},
        {OP_RENAME, "D", "S/D", 0},
        {OP_RENAME, "E", "D/E", 0},
        {OP_RENAME, "D/E", "E", 0},
        {OP_RENAME, "D", "E/D", 0},
        {OP_RENAME, "D/S", "E", 0},
        {OP_RENAME, "a", "N/a", 0},
        {OP_FILL, "D", NULL, 3},
        {OP_FILL, "E", NULL, 16},
        {OP_EXCHANGE, "a", "b", 0},
        {OP_EXCHANGE, "a", "D/f", 0},
        {OP_EXCHANGE, "D/S", "E", 0},
        {OP_CHATTR, "a", NULL, FAT_NODE_READ_ONLY | FAT_NODE_ARCHIVE},
        {OP_RESERVE, "a", NULL, 8},
        {OP_HOLD, "a", NULL, 0},
        {OP_WRITE_HELD, NULL, NULL, 6},
        {OP_RELEASE, NULL, NULL, 0},
        {OP_SYNC, "a", NULL, 0},
        {OP_SYNC, "D", NULL, 0},
        {OP_COMMIT, NULL, NULL, 0},
        {OP_DROP, NULL, NULL, 0},
        {OP_KEEP, NULL, NULL, 0},
};
const size_t plan_op_count = sizeof(plan_ops) / sizeof(plan_ops[0]);
