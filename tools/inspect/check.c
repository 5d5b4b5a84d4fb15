/* SPDX-License-Identifier: MIT */
/*
 * fatward-inspect check: the engine's checker, one line per finding.
 *
 * The line is "weight name path: text (place)"; programs may count on the first
 * two words.
 */
#include "inspect/commands.h"

#include <inttypes.h>
#include <stdio.h>

#include <fatward/check.h>
#include <fatward/error.h>

#include "text/escape.h"

static const char *weight_name(enum fat_finding_weight weight)
{
    switch (weight) {
    case FAT_WEIGHT_NOTE:
        return "note";
    case FAT_WEIGHT_LEFTOVER:
        return "leftover";
    case FAT_WEIGHT_DAMAGE:
        break;
    }
    return "damage";
}

static void print_place(const struct fat_finding *finding)
{
    if (finding->offset == 0 && finding->cluster == 0) {
        return;
    }
    fputs(" (", stdout);
    if (finding->offset != 0) {
        printf("at byte %" PRIu64, finding->offset);
    }
    if (finding->cluster != 0) {
        printf("%scluster %" PRIu32, finding->offset != 0 ? ", " : "",
                finding->cluster);
    }
    fputc(')', stdout);
}

void inspect_print_finding(const struct fat_finding *finding)
{
    printf("%s %s ", weight_name(finding->weight), fat_finding_name(finding->kind));
    escape_print(stdout, finding->path ? finding->path : "-");
    fputs(": ", stdout);
    escape_print(stdout, finding->text);
    print_place(finding);
    fputc('\n', stdout);
}

static void print_finding(void *context, const struct fat_finding *finding)
{
    (void)context;
    inspect_print_finding(finding);
}

void inspect_print_counts(const struct fat_check_summary *summary)
{
    printf("FAT%u, %" PRIu32 " clusters of %" PRIu32 " bytes\n", summary->type,
            summary->cluster_count, summary->cluster_bytes);
    for (unsigned i = 0; i < FAT_FINDING_KIND_COUNT; i++) {
        const enum fat_finding_kind kind = (enum fat_finding_kind)i;

        if (summary->findings[kind] > 0) {
            printf("%" PRIu64 " x %s (%s)\n", summary->findings[kind],
                    fat_finding_name(kind), weight_name(fat_finding_weigh(kind)));
        }
    }
}

static bool is_clean(const struct fat_check_summary *summary)
{
    return summary->leftovers == 0 && summary->damages == 0;
}

static void print_verdict(const struct fat_check_summary *summary)
{
    if (is_clean(summary)) {
        fputs("clean", stdout);
    } else {
        printf("%" PRIu64 " damaged, %" PRIu64 " left over", summary->damages,
                summary->leftovers);
    }
    if (summary->notes > 0) {
        printf(", %" PRIu64 " note%s", summary->notes, summary->notes == 1 ? "" : "s");
    }
}

void inspect_print_summary(const char *image, const struct fat_check_summary *summary)
{
    escape_print(stdout, image);
    fputs(": ", stdout);
    print_verdict(summary);
    printf("; %" PRIu64 " files, %" PRIu64 " directories; clusters: %" PRIu32
           " used, %" PRIu32 " free, %" PRIu32 " bad, %" PRIu32 " lost\n",
            summary->files, summary->directories, summary->clusters_used,
            summary->clusters_free, summary->clusters_bad, summary->clusters_lost);
}

static int judge(const struct fat_check_summary *summary)
{
    int status = is_clean(summary) ? INSPECT_CLEAN : INSPECT_ERRORS_LEFT;

    if (summary->findings[FAT_FINDING_READ_ERROR] > 0) {
        status |= INSPECT_FAILED; /* what could not be read was not checked */
    }
    return status;
}

int inspect_check(
        const char *image, struct fat_blkdev *dev, enum check_verbosity verbosity)
{
    struct fat_check_summary summary;
    const fat_err err = fat_check(
            dev, verbosity == CHECK_QUIET ? NULL : print_finding, NULL, &summary);

    if (err) {
        fflush(stdout); /* the findings say why */
        inspect_complain(image, fat_err_text(err), NULL);
        return INSPECT_FAILED;
    }
    if (verbosity == CHECK_VERBOSE) {
        inspect_print_counts(&summary);
    }
    if (verbosity != CHECK_QUIET) {
        inspect_print_summary(image, &summary);
    }
    return judge(&summary);
}
