/* SPDX-License-Identifier: MIT */
#include "volume/commit.h"

#include "block/stage.h"
#include "tree/maps.h"
#include "tree/release.h"
#include "volume/marks.h"
#include "volume/reclaim.h"
#include "volume/scan.h"

static fat_err flush(struct fat_volume *volume)
{
    return volume->tree.dev->ops->flush(volume->tree.dev);
}

/* Is anything there that a commit would have to make durable? */
static bool anything_waits(const struct fat_volume *volume)
{
    const struct fat_interval *interval = &volume->tree.interval;

    return interval->changes != interval->committed;
}

/* The open interval ends; what it holds is the commit's from here on. */
static struct fat_interval_taken snapshot(struct fat_volume *volume)
{
    struct fat_tree *tree = &volume->tree;
    struct fat_interval_taken taken;

    fat_rwlock_write(&tree->interval.lock);
    fat_tree_merge_renames(tree);
    (void)fat_cache_snapshot(tree->cache);
    taken = fat_interval_take(&tree->interval);
    fat_rwlock_write_end(&tree->interval.lock);
    return taken;
}

static fat_err run_stage(
        struct fat_volume *volume, enum fat_stage stage, bool flush_anyway)
{
    bool wrote = false;
    fat_err err = fat_cache_write_stage(volume->tree.cache, stage, &wrote);

    if (err == FAT_OK && (wrote || flush_anyway)) {
        err = flush(volume);
    }
    return err;
}

static fat_err run_stages(struct fat_volume *volume, struct fat_interval_taken *taken)
{
    fat_err err = FAT_OK;

    for (int stage = FAT_STAGE_FILL; stage < FAT_STAGE_RECLAIM; stage++) {
        /* File data count as FILL. */
        const bool data = stage == FAT_STAGE_FILL && taken->data_written;

        err = run_stage(volume, (enum fat_stage)stage, data);
        if (err != FAT_OK) {
            return err;
        }
    }
    err = fat_reclaim_chains(&volume->tree, &taken->pieces);
    return err == FAT_OK ? run_stage(volume, FAT_STAGE_RECLAIM, false) : err;
}

/* After the last flush: what was given up may be taken again (W2). */
static void finish(struct fat_volume *volume, const struct fat_interval_taken *taken)
{
    struct fat_tree *tree = &volume->tree;

    fat_freemap_settle(tree->freemap);
    /* in this order: who hands a piece over just now says so himself afterwards */
    fat_freemap_set_waiting(tree->freemap, false);
    if (atomic_load(&tree->interval.pieces)) {
        fat_freemap_set_waiting(tree->freemap, true);
    }
    atomic_store(&tree->interval.finished, taken->number);
}

/*
 * W8: what has reached the disk of a failed write or flush, nobody knows; and where
 * another program writes too, or a file over a directory, what we would write on is not
 * what we know.
 */
static void give_up(struct fat_volume *volume, fat_err err, const char *text)
        FAT_REQUIRES(volume->commit_lock)
{
    struct fat_tree *tree = &volume->tree;
    const uint64_t sector = fat_cache_changed_sector(tree->cache);

    if (err == FAT_E_CHANGED) {
        volume->broken = fat_tree_changed(tree, sector);
    } else if (err == FAT_E_CORRUPT) {
        volume->broken = fat_tree_shared(tree, sector);
    } else {
        volume->broken = fat_tree_broken(tree, err, text);
    }
}

/* What can be written, but not read any more, is a medium to be copied soon. */
static void say_unseen(struct fat_volume *volume) FAT_REQUIRES(volume->commit_lock)
{
    uint64_t sector = 0;
    const fat_err err = fat_cache_unseen(volume->tree.cache, &sector);

    if (err != FAT_OK && !volume->told_unseen) {
        volume->told_unseen = true;
        fat_tree_warn(&volume->tree, err, sector,
                "metadata can be written but not read here: the medium may be failing");
    }
}

static fat_err commit_locked(struct fat_volume *volume)
        FAT_REQUIRES(volume->commit_lock)
{
    struct fat_interval_taken taken = {0};
    fat_err err;

    if (fat_tree_writable(&volume->tree) != FAT_OK) {
        return FAT_E_IO; /* W8: the volume stays as it is */
    }
    err = fat_marks_prove(volume);
    if (err == FAT_OK) {
        taken = snapshot(volume);
        err = run_stages(volume, &taken);
    }
    say_unseen(volume);
    if (err == FAT_OK) {
        finish(volume, &taken);
    } else {
        give_up(volume, err, "a commit could not be written to the device");
    }
    fat_piece_free_all(taken.pieces);
    return err == FAT_OK ? FAT_OK : FAT_E_IO;
}

/* Whoever waited for the lock may find its work done by who held it. */
static fat_err commit_up_to(struct fat_volume *volume, uint64_t number)
{
    fat_err err = FAT_OK;

    fat_mutex_lock(&volume->commit_lock);
    if (volume->broken != FAT_OK) {
        err = FAT_E_IO; /* W8: nobody's changes are safe, whoever asks */
    } else if (!fat_interval_is_finished(&volume->tree.interval, number) &&
               anything_waits(volume)) {
        err = commit_locked(volume);
    }
    fat_mutex_unlock(&volume->commit_lock);
    return err;
}

fat_err fat_commit_run(struct fat_volume *volume)
{
    struct fat_tree *tree = &volume->tree;
    fat_err err;

    if (atomic_load(&volume->scanning)) {
        return FAT_OK; /* no change is finished before it: nothing to wait for */
    }
    err = commit_up_to(volume, tree->interval.number);
    fat_tree_release_renamed(tree);
    fat_tree_release_busy(tree);
    return err;
}

static fat_err set_marks(struct fat_volume *volume) FAT_REQUIRES(volume->commit_lock)
{
    fat_err err = fat_marks_load(volume);

    if (err != FAT_OK) {
        return err; /* nothing was written: the next try may do better */
    }
    err = fat_marks_prove(volume);
    if (err == FAT_OK) {
        err = fat_marks_set(volume);
    }
    if (err == FAT_OK) {
        err = flush(volume);
    }
    if (err != FAT_OK && err != FAT_E_NOMEM) {
        give_up(volume, err, "the dirty marks could not be written to the device");
    }
    return err;
}

/* What was found dirty is looked at before a byte is written, and mended behind MARK. */
static fat_err mark_dirty(struct fat_volume *volume) FAT_REQUIRES(volume->commit_lock)
{
    struct fat_scan *scan = NULL;
    fat_err err;

    atomic_store(&volume->scanning, true);
    err = fat_scan_look(volume, &scan);
    if (err == FAT_OK) {
        err = set_marks(volume);
    }
    if (err == FAT_OK) {
        err = fat_scan_mend(volume, scan);
    }
    fat_scan_free(scan);
    atomic_store(&volume->scanning, false);
    return err;
}

/* MARK, and the scan of a volume that was found dirty (W7). */
static fat_err mark(struct fat_volume *volume)
{
    fat_err err = FAT_OK;

    fat_mutex_lock(&volume->commit_lock);
    if (!volume->marked) {
        err = volume->found_dirty ? mark_dirty(volume) : set_marks(volume);
        volume->marked = err == FAT_OK;
    }
    fat_mutex_unlock(&volume->commit_lock);
    return err;
}

fat_err fat_commit_before_change(struct fat_volume *volume)
{
    fat_err err = fat_tree_writable(&volume->tree);

    if (err == FAT_OK && !volume->marked) {
        err = mark(volume);
    }
    if (err == FAT_OK && fat_cache_is_heavy(volume->tree.cache)) {
        err = fat_commit_run(volume);
    }
    return err;
}

/* W2: where room runs out while some is waiting, it is worth another try. */
enum { ROOM_TRIES = 4 };

/* How far commits and changes are: what one of them could alter is not for ever. */
struct standing {
    uint64_t finished, changes;
};

static struct standing standing_of(const struct fat_interval *interval)
{
    return (struct standing){interval->finished, interval->changes};
}

/*
 * Has nothing happened since before the operation was tried? Who was in the middle of a
 * change then has counted it when the interval's lock can be had alone.
 */
static bool is_as_before(struct fat_volume *volume, const struct standing *before)
{
    struct fat_interval *interval = &volume->tree.interval;
    struct standing now;

    fat_rwlock_write(&interval->lock);
    now = standing_of(interval);
    fat_rwlock_write_end(&interval->lock);
    return now.finished == before->finished && now.changes == before->changes;
}

static fat_err around(
        struct fat_volume *volume, fat_err (*operation)(void *context), void *context)
{
    const struct fat_interval *interval = &volume->tree.interval;
    unsigned tries = 0;

    for (;;) {
        const struct standing before = standing_of(interval);
        fat_err err = fat_commit_before_change(volume);
        const bool begun = err == FAT_OK;
        bool asked;

        if (begun) {
            err = operation(context);
        }
        asked = err == FAT_E_AGAIN;
        if (begun && err == FAT_E_NOSPC && tries < ROOM_TRIES &&
                (anything_waits(volume) || interval->finished != before.finished)) {
            tries++;
        } else if (err != FAT_E_AGAIN) {
            return err;
        }
        err = fat_commit_run(volume);
        if (err != FAT_OK) {
            return err;
        }
        if (asked && is_as_before(volume, &before)) {
            return FAT_E_NOSPC; /* there is nothing that a commit could give */
        }
    }
}

fat_err fat_commit_around(
        struct fat_volume *volume, fat_err (*operation)(void *context), void *context)
{
    const fat_err err = around(volume, operation, context);

    fat_maps_trim(&volume->tree);
    return err;
}

static fat_err clear(struct fat_volume *volume) FAT_REQUIRES(volume->commit_lock)
{
    fat_err err = fat_marks_write_free_count(volume);

    if (err == FAT_OK) {
        err = flush(volume);
    }
    if (err == FAT_OK) {
        err = fat_marks_clear(volume);
    }
    return err == FAT_OK ? flush(volume) : err;
}

/* Beside damage that stays, the marks do too (W7), but no copy of a FAT is left behind. */
static fat_err leave(struct fat_volume *volume) FAT_REQUIRES(volume->commit_lock)
{
    bool wrote = false;
    fat_err err = fat_marks_prove(volume);

    say_unseen(volume);
    if (err == FAT_E_CHANGED) {
        give_up(volume, err, NULL);
        return err;
    }
    err = fat_cache_write_copies(volume->tree.cache, &wrote);
    if (err == FAT_OK && !volume->tree.damaged) {
        return clear(volume);
    }
    /* a commit whose last stage had nothing to write has left copies unflushed too */
    return err == FAT_OK ? flush(volume) : err;
}

fat_err fat_commit_last(struct fat_volume *volume)
{
    fat_err err;

    /* What a commit lets go of may be removed directories, whose clusters want one more. */
    do {
        err = fat_commit_run(volume);
    } while (err == FAT_OK && anything_waits(volume));

    fat_mutex_lock(&volume->commit_lock);
    if (err == FAT_OK && volume->marked && fat_tree_writable(&volume->tree) == FAT_OK) {
        err = leave(volume);
    }
    fat_mutex_unlock(&volume->commit_lock);
    return err;
}
