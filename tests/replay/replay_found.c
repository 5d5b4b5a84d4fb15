/* SPDX-License-Identifier: MIT */
/* Rows of operations that once could leave a bad state behind: all their states. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "plans.h"
#include "sequence.h"

enum { OPS_MAX = 32, TEXT_BYTES = 1000 };

struct row {
    const char *name;
    const char *ops; /* spaces in names are written "_" */
};

static const struct row rows[] = {
        {"a deleted file is made anew in its slots, and another gets its old 8.3 name",
                "create D/Same_long_name_1; create D/Same_long_name_2; commit; "
                "unlink D/Same_long_name_1; commit; fill D 9; commit; "
                "unlink D/Same_long_name_2; create D/Same_long_name_2; "
                "create D/Same_long_name_3"},
        {"the cluster that is claimed last of all is a file's tail; that grows and is cut",
                "append b 16; commit; unlink a; commit; append b 8; commit; "
                "truncate b 20; commit; append b 3"},
};

/* The operations' names lie in @copy. */
static size_t parse(const char *text, char copy[TEXT_BYTES], struct op *ops)
{
    char *save = NULL;
    size_t count = 0;

    snprintf(copy, TEXT_BYTES, "%s", text);
    for (char *part = strtok_r(copy, ";", &save); part && count < OPS_MAX;
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
            const size_t count = parse(rows[k].ops, text, ops);

            printf("[%s] %s\n", plans[i], rows[k].name);
            sequence_judge(&base, ops, count, &options, &totals);
        }
        base_done(&base);
    }
    totals_print("found", &totals);
    return totals.bad > 0 || totals.senseless > 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
