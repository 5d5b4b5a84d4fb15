/* SPDX-License-Identifier: MIT */
/*
 * One sequence, all its states, and its log: for looking into what a test has found.
 *
 *     replay_one PLAN "rename a b; append b 4" [keep]
 *
 * Spaces in names are written "_"; a state is a number of the line it is reported by.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "plans.h"
#include "sequence.h"

enum { OPS_MAX = 64 };

static void print_event(const struct recdev_event *event, const struct base *base)
{
    const uint32_t sector = base->plan->sector_bytes;

    if (event->call == RECDEV_FLUSH) {
        printf("  flush\n");
        return;
    }
    printf("  write sector %llu, %llu bytes\n",
            (unsigned long long)(event->offset / sector),
            (unsigned long long)event->length);
    for (size_t at = 0; at + 32 <= event->length && at < 4096; at += 32) {
        const uint8_t *p = event->bytes + at;
        bool zero = true;

        for (size_t i = 0; i < 32; i++) {
            zero &= p[i] == 0;
        }
        if (zero) {
            continue;
        }
        printf("    %4u:", (unsigned)at);
        for (size_t i = 0; i < 32; i++) {
            printf(" %02x", p[i]);
        }
        printf("  ");
        for (size_t i = 0; i < 12; i++) {
            printf("%c", p[i] >= 32 && p[i] < 127 ? p[i] : '.');
        }
        printf("\n");
    }
}

static void print_log(const struct run *run, const struct base *base)
{
    size_t marks = 0;

    for (size_t i = 0; i <= recdev_event_count(run->rec); i++) {
        while (marks < recdev_mark_count(run->rec) &&
                recdev_mark_at(run->rec, marks)->position <= i) {
            const struct recdev_mark *mark = recdev_mark_at(run->rec, marks++);

            printf("%s %u\n",
                    mark->tag == MARK_BEGIN     ? "BEGIN step"
                    : mark->tag == MARK_PROMISE ? "PROMISE"
                                                : "CLOSED",
                    (unsigned)mark->value);
        }
        if (i < recdev_event_count(run->rec)) {
            print_event(recdev_event(run->rec, i), base);
        }
    }
}

static size_t parse(char *text, struct op *ops)
{
    char *save = NULL;
    size_t count = 0;

    for (char *part = strtok_r(text, ";", &save); part && count < OPS_MAX;
            part = strtok_r(NULL, ";", &save)) {
        if (!op_parse(part, &ops[count++])) {
            fprintf(stderr, "no such operation\n");
            exit(2);
        }
    }
    return count;
}

int main(int argc, char **argv)
{
    struct sequence_options options = {.recover_every = 1,
            .cut_every = 1,
            .skip_senseless = true,
            .keep = argc > 3 && strcmp(argv[3], "keep") == 0};
    struct sequence_totals totals = {0};
    struct op ops[OPS_MAX];
    struct base base;
    struct run run;
    size_t count;

    if (argc < 3) {
        fprintf(stderr, "usage: replay_one PLAN \"OP; OP ...\" [keep]\n");
        return 2;
    }
    count = parse(argv[2], ops);
    base_make(&base, plan_named(argv[1]));
    if (run_make(&run, &base, ops, count, &options, &totals)) {
        print_log(&run, &base);
    }
    run_done(&run);
    sequence_judge(&base, ops, count, &options, &totals);
    totals_print("all", &totals);
    base_done(&base);
    return totals.bad > 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
