/* SPDX-License-Identifier: MIT */
/* Rows of operations that once could leave a bad state behind: all their states. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "plans.h"
#include "sequence.h"

enum { OPS_MAX = 128, TEXT_BYTES = 4000 };

struct row {
    const char *name;
    const char *ops;          /* spaces in names are written "_" */
    const char *again, *last; /* after them: the first of these so often, the second */
    unsigned times;
};

static const struct row rows[] = {
        {"a deleted file is made anew in its slots, and another gets its old 8.3 name",
                "create D/Same_long_name_1; create D/Same_long_name_2; commit; "
                "unlink D/Same_long_name_1; commit; fill D 9; commit; "
                "unlink D/Same_long_name_2; create D/Same_long_name_2; "
                "create D/Same_long_name_3",
                NULL, NULL, 0},
        {"the cluster that is claimed last of all is a file's tail; that grows and is cut",
                "append b 16; commit; unlink a; commit; append b 8; commit; "
                "truncate b 20; commit; append b 3",
                NULL, NULL, 0},
        {"a file is renamed a hundred times in one go, the last time onto another",
                "rename a D/x", "; rename D/x E/y; rename E/y D/x", "; rename D/x b",
                50},
        {"a directory is renamed onto an empty one in another directory",
                "rename D/S E", NULL, NULL, 0},
        {"a file is emptied as soon as it is renamed, and begun anew",
                "rename a D/g; truncate D/g 0; append D/g 4", NULL, NULL, 0},
        {"a file is begun anew, and renamed", "truncate a 0; append a 4; rename a D/g",
                NULL, NULL, 0},
        {"an empty file gets its first data, and the name of another",
                "create c; commit; append c 5; rename c D/f", NULL, NULL, 0},
        {"an empty file is renamed, and may have both names",
                "create c; commit; rename c D/c", NULL, NULL, 0},
};

static void write_out(const struct row *row, char text[TEXT_BYTES])
{
    int length = snprintf(text, TEXT_BYTES, "%s", row->ops);

    for (unsigned i = 0; i < row->times; i++) {
        length +=
                snprintf(text + length, TEXT_BYTES - (size_t)length, "%s", row->again);
    }
    if (row->last) {
        (void)snprintf(text + length, TEXT_BYTES - (size_t)length, "%s", row->last);
    }
}

/* The operations' names lie in @text. */
static size_t parse(char text[TEXT_BYTES], struct op *ops)
{
    char *save = NULL;
    size_t count = 0;

    for (char *part = strtok_r(text, ";", &save); part && count < OPS_MAX;
            part = strtok_r(NULL, ";", &save)) {
        if (!op_parse(part, &ops[count++])) {
            printf("BAD: no such operation: %s\n", part);
            exit(EXIT_FAILURE);
        }
    }
    return count;
}

int main(void)
{
    static const char *const plans[] = {
            "fat12", "fat16", "fat32", "fat32-edge", "fat12-tight-edge-1-fat"};
    const struct sequence_options options = {.recover_every = 1, .cut_every = 10};
    struct sequence_totals totals = {0};

    for (size_t i = 0; i < sizeof(plans) / sizeof(plans[0]); i++) {
        struct base base;

        base_make(&base, plan_named(plans[i]));
        for (size_t k = 0; k < sizeof(rows) / sizeof(rows[0]); k++) {
            struct op ops[OPS_MAX];
            char text[TEXT_BYTES];
            size_t count;

            write_out(&rows[k], text);
            count = parse(text, ops);
            printf("[%s] %s\n", plans[i], rows[k].name);
            sequence_judge(&base, ops, count, &options, &totals);
        }
        base_done(&base);
    }
    totals_print("found", &totals);
    return totals.bad > 0 || totals.senseless > 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
