/* SPDX-License-Identifier: MIT */
/*
 * Rows for the tests of the checker: one defect each, on each type of FAT, and
 * exactly what has to be said about it.
 */
#ifndef TEST_VOLUME_CHECK_ROWS_H
#define TEST_VOLUME_CHECK_ROWS_H

#include <stdio.h>

#include "support/cmocka.h"
#include "volume/check_image.h"

enum { ON_12 = 1, ON_16 = 2, ON_32 = 4, ON_ALL = 7, MAX_KINDS = 4 };

/* What the checker said. */
struct log {
    unsigned count;
    enum fat_finding_kind kinds[16];
    enum fat_finding_weight weights[16];
    char first_path[256];
    char first_text[256];
    bool first_has_path;
};

static inline void note_finding(void *context, const struct fat_finding *finding)
{
    struct log *log = context;

    assert_non_null(finding->text);
    if (log->count == 0) {
        log->first_has_path = finding->path != NULL;
        (void)snprintf(log->first_path, sizeof(log->first_path), "%s",
                finding->path ? finding->path : "");
        (void)snprintf(log->first_text, sizeof(log->first_text), "%s", finding->text);
    }
    if (log->count < 16) {
        log->kinds[log->count] = finding->kind;
        log->weights[log->count] = finding->weight;
    }
    log->count++;
}

/* One defect, and what has to be said about it: exactly these kinds, in order. */
struct row {
    const char *name;
    unsigned types;
    void (*break_it)(struct image *image);
    enum fat_finding_kind kinds[MAX_KINDS];
    unsigned count;
    const char *path; /* of the first finding; NULL: it has none */
    bool keep_count;  /* FSInfo is left alone                    */
};

static inline void compare(const struct row *row, unsigned type, const struct log *log)
{
    for (unsigned k = 0; k < row->count && k < log->count; k++) {
        if (log->kinds[k] != row->kinds[k]) {
            fail_msg("%s, FAT%u: finding %u is %s, not %s", row->name, type, k,
                    fat_finding_name(log->kinds[k]), fat_finding_name(row->kinds[k]));
        }
    }
    if (log->count != row->count) {
        fail_msg("%s, FAT%u: %u findings, the last known: %s (%s)", row->name, type,
                log->count,
                log->count ? fat_finding_name(log->kinds[log->count - 1]) : "",
                log->first_text);
    }
    if (row->count > 0 && log->first_has_path != (row->path != NULL)) {
        fail_msg("%s, FAT%u: path is %s", row->name, type, log->first_path);
    }
    if (row->path && strcmp(row->path, log->first_path) != 0) {
        fail_msg("%s, FAT%u: path is %s", row->name, type, log->first_path);
    }
}

static inline void run_row(const struct row *row, unsigned type)
{
    struct fat_check_summary sum;
    struct log log = {0};
    struct image image;

    image_make(&image, type);
    row->break_it(&image);
    if (!row->keep_count) {
        image_count_free(&image);
    }
    assert_int_equal(fat_check(image.dev, note_finding, &log, &sum), FAT_OK);
    compare(row, type, &log);
    assert_int_equal(sum.notes + sum.leftovers + sum.damages, log.count);
    fat_blkdev_close(image.dev);
}

static inline void run_rows(const struct row *rows, size_t count)
{
    static const unsigned types[] = {12, 16, 32};

    for (size_t r = 0; r < count; r++) {
        for (unsigned t = 0; t < 3; t++) {
            if (rows[r].types & 1U << t) {
                run_row(&rows[r], types[t]);
            }
        }
    }
}

#endif
