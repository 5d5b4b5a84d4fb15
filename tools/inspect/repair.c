/* SPDX-License-Identifier: MIT */
/*
 * fatward-inspect check --repair: the engine's repair. What was found comes first, as
 * check prints it; then what was done; then, if something was, what is still there.
 */
#include "inspect/commands.h"

#include <inttypes.h>
#include <stdio.h>

#include <fatward/error.h>
#include <fatward/repair.h>

#include "text/escape.h"

struct printer {
    const char *image;
    bool told; /* that the findings from now on are those that are left */
};

static void print_found(void *context, const struct fat_finding *finding)
{
    (void)context;
    inspect_print_finding(finding);
}

static void print_left(void *context, const struct fat_finding *finding)
{
    struct printer *printer = context;

    if (!printer->told) {
        escape_print(stdout, printer->image);
        fputs(": after the repair:\n", stdout);
        printer->told = true;
    }
    inspect_print_finding(finding);
}

static void print_outcome(const char *image, const struct fat_repair_summary *summary)
{
    static const char *const texts[] = {
            [FAT_REPAIR_CLEAN] = "nothing to repair",
            [FAT_REPAIR_MENDED] = "repaired",
            [FAT_REPAIR_PARTLY] = "repaired in part",
            [FAT_REPAIR_REFUSED] =
                    "nothing was changed: what is wrong can't be mended without loss",
    };

    escape_print(stdout, image);
    printf(": %s", texts[summary->outcome]);
    if (summary->files_saved > 0) {
        printf("; %" PRIu32 " lost clusters saved in %" PRIu32 " file%s FSCK*.REC",
                summary->clusters_saved, summary->files_saved,
                summary->files_saved == 1 ? "" : "s");
    }
    fputc('\n', stdout);
}

static int judge(const struct fat_repair_summary *summary)
{
    static const int statuses[] = {
            [FAT_REPAIR_CLEAN] = INSPECT_CLEAN,
            [FAT_REPAIR_MENDED] = INSPECT_MENDED,
            [FAT_REPAIR_PARTLY] = INSPECT_MENDED | INSPECT_ERRORS_LEFT,
            [FAT_REPAIR_REFUSED] = INSPECT_ERRORS_LEFT,
    };
    int status = statuses[summary->outcome];

    if (summary->after.findings[FAT_FINDING_READ_ERROR] > 0) {
        status |= INSPECT_FAILED; /* what could not be read was not checked */
    }
    return status;
}

int inspect_repair(const char *image, struct fat_blkdev *dev,
        enum check_verbosity verbosity, const struct repair_wishes *wishes)
{
    const bool quiet = verbosity == CHECK_QUIET;
    struct printer printer = {.image = image};
    const struct fat_repair_options options = {
            .flags = (wishes->save_lost ? (uint32_t)FAT_REPAIR_SAVE_LOST : 0) |
                     (wishes->cut_sizes ? (uint32_t)FAT_REPAIR_CUT_SIZES : 0),
            .found = quiet ? NULL : print_found,
            .left = quiet ? NULL : print_left,
            .finding_context = &printer};
    struct fat_repair_summary summary;
    const fat_err err = fat_repair(dev, &options, &summary);

    if (err) {
        fflush(stdout); /* the findings say why */
        inspect_complain(image, fat_err_text(err), NULL);
        return INSPECT_FAILED;
    }
    if (verbosity == CHECK_VERBOSE) {
        inspect_print_counts(&summary.before);
    }
    if (!quiet) {
        print_outcome(image, &summary);
        inspect_print_summary(image, &summary.after);
    }
    return judge(&summary);
}
