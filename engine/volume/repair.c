/* SPDX-License-Identifier: MIT */
/*
 * A repair is a judgement between two checks, and the recovery that mounting makes
 * (scan.h) between them, on volumes that are marked clean too.
 */
#include <fatward/repair.h>

#include <string.h>

#include "volume/commit.h"
#include "volume/leftover_list.h"
#include "volume/repair_lost.h"
#include "volume/scan.h"

/* What a check has found, as far as it decides what may be done. */
struct verdict {
    bool cut_sizes;
    fat_finding_fn *tell;
    void *context;

    bool dirty;        /* it is marked so                                         */
    bool forbidden;    /* nothing may be written                                  */
    uint64_t names;    /* damage in names only: it stays, and the marks with it    */
    uint64_t twice;    /* names used twice                                        */
    uint64_t mendable; /* by the scan                                             */
    uint64_t alone;    /* of these: only where no damage stays                    */
    uint64_t aliases, longs, shorts, orphans;
};

static bool is_in_names_only(enum fat_finding_kind kind)
{
    return kind == FAT_FINDING_SHORT_NAME || kind == FAT_FINDING_LFN_BROKEN;
}

/* Marks and counts are put right when the volume is closed without damage. */
static bool is_mended_alone(enum fat_finding_kind kind)
{
    return kind == FAT_FINDING_DIRTY || kind == FAT_FINDING_DIRTY_FAT ||
           kind == FAT_FINDING_FSINFO_UNKNOWN || kind == FAT_FINDING_FSINFO_COUNT ||
           kind == FAT_FINDING_LOST_CHAIN;
}

static void count(struct verdict *v, enum fat_finding_kind kind)
{
    v->dirty |= kind == FAT_FINDING_DIRTY || kind == FAT_FINDING_DIRTY_FAT;
    v->aliases += kind == FAT_FINDING_ALIAS;
    v->longs += kind == FAT_FINDING_CHAIN_LONG || kind == FAT_FINDING_EMPTY_WITH_CHAIN;
    v->shorts += kind == FAT_FINDING_CHAIN_SHORT;
    v->orphans += kind == FAT_FINDING_LFN_ORPHAN;
    v->mendable++;
    v->alone += is_mended_alone(kind);
}

static void judge(void *context, const struct fat_finding *finding)
{
    struct verdict *v = context;

    if (v->tell) {
        v->tell(v->context, finding);
    }
    if (fat_scan_is_fatal(finding->kind)) {
        v->forbidden = true;
    } else if (finding->kind == FAT_FINDING_DUPLICATE_NAME) {
        v->twice++;
    } else if (finding->weight == FAT_WEIGHT_NOTE) {
        return;
    } else if (fat_scan_mends(finding, v->cut_sizes)) {
        count(v, finding->kind);
    } else if (is_in_names_only(finding->kind)) {
        v->names++;
    } else {
        v->forbidden = true;
    }
}

static bool is_clean(const struct fat_check_summary *summary)
{
    return summary->leftovers == 0 && summary->damages == 0;
}

/* Is there anything that may be mended, and is that allowed? */
static bool is_worth_it(const struct verdict *v)
{
    const uint64_t most = FAT_LEFTOVERS_MAX;
    const bool stays = v->names > 0 || v->twice > v->aliases;

    /* An unfinished rename leaves the marks: without them two files are one, wrongly. */
    if (v->aliases > 0 && !v->dirty) {
        return false;
    }
    if (v->forbidden || v->aliases > most || v->longs > most || v->shorts > most ||
            v->orphans > most) {
        return false;
    }
    return v->mendable > (stays ? v->alone : 0);
}

static fat_err look(struct fat_blkdev *dev, const struct fat_repair_options *options,
        fat_finding_fn *tell, struct verdict *ret,
        struct fat_check_summary *ret_summary)
{
    *ret = (struct verdict){.cut_sizes = (options->flags & FAT_REPAIR_CUT_SIZES) != 0,
            .tell = tell,
            .context = options->finding_context};
    return fat_check(dev, judge, ret, ret_summary);
}

/* The recovery of an open volume, which is to believe that it was found dirty. */
static fat_err recover(struct fat_volume *volume, struct fat_scan_wishes *wishes,
        struct fat_repair_summary *sum)
{
    fat_err err;

    volume->found_dirty = true;
    volume->wishes = wishes;
    atomic_store(&volume->tree.unscanned, true);
    err = fat_commit_before_change(volume);
    if (err == FAT_OK && wishes->lost) {
        err = fat_repair_save_lost(
                volume, wishes->lost, &sum->files_saved, &sum->clusters_saved);
    }
    fat_piece_free_all(wishes->lost);
    wishes->lost = NULL;
    return err;
}

static fat_err mend(struct fat_blkdev *dev, const struct fat_repair_options *options,
        struct fat_repair_summary *sum)
{
    const struct fat_volume_options open = {.cache_bytes = options->cache_bytes,
            .utc_offset = options->utc_offset,
            .clock = options->clock,
            .clock_context = options->clock_context,
            .report = options->report,
            .report_context = options->report_context};
    struct fat_scan_wishes wishes = {
            .cut_sizes = (options->flags & FAT_REPAIR_CUT_SIZES) != 0,
            .keep_lost = (options->flags & FAT_REPAIR_SAVE_LOST) != 0};
    struct fat_volume *volume;
    fat_err err = fat_volume_open(dev, &open, &volume);
    fat_err closing;

    if (err != FAT_OK) {
        return err;
    }
    err = recover(volume, &wishes, sum);
    closing = fat_volume_close(volume);
    return err == FAT_OK ? closing : err;
}

/*
 * One thing mended may lay bare another: a chain too long under two names is cut once
 * it has one. More rounds than that, and mending makes no progress.
 */
enum { ROUNDS = 4 };

static fat_err mend_in_rounds(struct fat_blkdev *dev,
        const struct fat_repair_options *options, struct fat_repair_summary *sum)
{
    struct verdict verdict;
    fat_err err = FAT_OK;

    for (int round = 0; round < ROUNDS && err == FAT_OK; round++) {
        const uint64_t last = sum->after.leftovers + sum->after.damages;

        err = mend(dev, options, sum);
        if (err == FAT_OK) {
            err = look(dev, options, NULL, &verdict, &sum->after);
        }
        if (err != FAT_OK || !is_worth_it(&verdict) ||
                sum->after.leftovers + sum->after.damages >= last) {
            break;
        }
    }
    return err;
}

static fat_err repair(struct fat_blkdev *dev, const struct fat_repair_options *options,
        struct fat_repair_summary *sum)
{
    struct verdict verdict;
    fat_err err = look(dev, options, options->found, &verdict, &sum->before);

    sum->after = sum->before;
    if (err != FAT_OK) {
        return err;
    }
    if (!is_worth_it(&verdict)) {
        sum->outcome = is_clean(&sum->before) ? FAT_REPAIR_CLEAN : FAT_REPAIR_REFUSED;
        return FAT_OK;
    }
    err = mend_in_rounds(dev, options, sum);
    sum->outcome = is_clean(&sum->after) ? FAT_REPAIR_MENDED : FAT_REPAIR_PARTLY;
    if (err == FAT_OK && options->left && sum->outcome == FAT_REPAIR_PARTLY) {
        err = look(dev, options, options->left, &verdict, &sum->after);
    }
    return err;
}

fat_err fat_repair(struct fat_blkdev *dev, const struct fat_repair_options *options,
        struct fat_repair_summary *ret)
{
    static const struct fat_repair_options none;
    struct fat_repair_summary sum = {.outcome = FAT_REPAIR_CLEAN};
    fat_err err;

    if (dev->read_only) {
        return FAT_E_READONLY;
    }
    err = repair(dev, options ? options : &none, &sum);
    if (err == FAT_OK && ret) {
        *ret = sum;
    }
    return err;
}
