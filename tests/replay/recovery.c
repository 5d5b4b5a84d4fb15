/* SPDX-License-Identifier: MIT */
#include "recovery.h"

#include <stdlib.h>

#include <fatward/file.h>
#include <fatward/namei.h>
#include <fatward/repair.h>

#include "dump.h"
#include "world.h"

/* A judge of the recovery's states has the promises of the state it began with. */
struct second_cut {
    struct judge *judge;
    struct judge_bounds bounds;
};

static int judge_again(
        struct fat_blkdev *dev, const struct replay_state *state, void *context)
{
    struct second_cut *second = context;

    (void)state;
    second->judge->cut_again++;
    return judge_volume(second->judge, dev, &second->bounds);
}

static fat_err write_a_little(struct fat_volume *volume)
{
    static const uint8_t bytes[700] = {1, 2, 3};
    struct fat_node *root = fat_volume_root(volume);
    struct fat_found found = {0};
    size_t written = 0;
    fat_err err = fat_create(root, JUDGE_RECOVERY_NAME, 0, &found);

    fat_node_unref(root);
    if (err == FAT_OK) {
        err = fat_file_append(found.node, bytes, sizeof(bytes), &written);
        if (err == FAT_OK || err == FAT_E_NOSPC) {
            err = fat_node_sync(found.node);
        }
        fat_node_unref(found.node);
    }
    return err == FAT_E_NOSPC ? FAT_OK : err;
}

static int use(struct judge *judge, struct fat_blkdev *dev)
{
    const struct fat_volume_options options = {.cache_bytes = WORLD_CACHE_BYTES};
    struct fat_volume *volume;
    fat_err err = fat_volume_open(dev, &options, &volume);
    fat_err closing;

    if (err != FAT_OK) {
        return judge_complain(judge, "recovery: open: %s", fat_err_text(err));
    }
    err = write_a_little(volume);
    if (err != FAT_OK) {
        const char *why = fat_volume_read_only_reason(volume);

        (void)judge_complain(
                judge, "recovery: %s: %s", fat_err_text(err), why ? why : "-");
    }
    closing = fat_volume_close(volume);
    if (err == FAT_OK && closing != FAT_OK) {
        return judge_complain(judge, "recovery: close: %s", fat_err_text(closing));
    }
    return err != FAT_OK;
}

static int cut_again(
        struct judge *judge, struct recdev *rec, const struct judge_bounds *bounds)
{
    struct second_cut second = {.judge = judge, .bounds = *bounds};
    const struct replay_options options = {.sector_bytes = judge->sector_bytes,
            .all_subsets_up_to = 4,
            .random_subsets = 4,
            .most_of_a_shape = 6};
    struct replay_stats stats;

    second.bounds.after = JUDGE_RECOVERY_CUT;
    second.bounds.closed = false;
    if (recdev_replay(rec, &options, judge_again, &second, &stats) != FAT_OK) {
        abort();
    }
    return stats.bad > 0;
}

static int mend(struct judge *judge, struct fat_blkdev *dev)
{
    const struct fat_repair_options options = {.cache_bytes = WORLD_CACHE_BYTES};
    struct fat_repair_summary summary;
    const fat_err err = fat_repair(dev, &options, &summary);

    if (err != FAT_OK) {
        return judge_complain(judge, "repair: %s", fat_err_text(err));
    }
    if (summary.outcome != FAT_REPAIR_CLEAN && summary.outcome != FAT_REPAIR_MENDED) {
        return judge_complain(judge, "repair: outcome %d", (int)summary.outcome);
    }
    return 0;
}

/* The same by fatward-inspect's way; here nothing at all may be left over. */
static int repair(
        struct judge *judge, struct fat_blkdev *dev, const struct judge_bounds *bounds)
{
    struct judge_bounds after = *bounds;
    struct recdev *rec;
    int bad;

    if (recdev_new(dev, &rec) != FAT_OK) {
        abort();
    }
    judge->repaired++;
    after.after = JUDGE_RECOVERED;
    after.closed = true;
    bad = mend(judge, recdev_blkdev(rec));
    if (bad == 0) {
        bad = judge_volume(judge, recdev_blkdev(rec), &after);
        if (bad != 0) {
            (void)judge_complain(judge, "after repair");
        }
    }
    if (bad == 0 && judge->cut_every > 0 && judge->repaired % judge->cut_every == 0) {
        bad = cut_again(judge, rec, bounds);
    }
    recdev_free(rec);
    return bad;
}

int recover(
        struct judge *judge, struct fat_blkdev *dev, const struct judge_bounds *bounds)
{
    struct judge_bounds after = *bounds;
    struct recdev *rec;
    int bad;

    if (recdev_new(dev, &rec) != FAT_OK) {
        abort();
    }
    judge->recovered++;
    after.after = JUDGE_RECOVERED;
    after.closed = false;
    bad = use(judge, recdev_blkdev(rec));
    if (bad == 0) {
        bad = judge_volume(judge, recdev_blkdev(rec), &after);
        if (bad != 0) {
            (void)judge_complain(judge, "after recovery");
        }
    }
    if (bad == 0 && judge->mended_directory) {
        dump_state(judge, judge->mended_directory, recdev_blkdev(rec), bounds);
    }
    if (bad == 0 && judge->cut_every > 0 && judge->recovered % judge->cut_every == 0) {
        bad = cut_again(judge, rec, bounds);
    }
    recdev_free(rec);
    return bad == 0 ? repair(judge, dev, bounds) : bad;
}
