/* SPDX-License-Identifier: MIT */
#include "volume/check.h"

#include <stdlib.h>

#include "base/scope.h"
#include "volume/check_state.h"

/*
 * The one place that says how bad a finding is. LEFTOVER is exactly what the order
 * of writes may leave after a power cut; a kind that would be one on another
 * driver's volume only (a free count that is wrong, not unknown) is damage.
 */
static const struct {
    const char *name;
    enum fat_finding_weight weight;
} findings[FAT_FINDING_KIND_COUNT] = {
        [FAT_FINDING_BOOT] = {"boot", FAT_WEIGHT_NOTE},
        [FAT_FINDING_BACKUP_BOOT] = {"backup-boot", FAT_WEIGHT_NOTE},
        [FAT_FINDING_DEVICE_SHORT] = {"device-short", FAT_WEIGHT_DAMAGE},
        [FAT_FINDING_DIRTY] = {"dirty", FAT_WEIGHT_LEFTOVER},
        [FAT_FINDING_DIRTY_FAT] = {"dirty-fat", FAT_WEIGHT_LEFTOVER},
        [FAT_FINDING_HARD_ERROR] = {"hard-error", FAT_WEIGHT_NOTE},
        [FAT_FINDING_MEDIA] = {"media", FAT_WEIGHT_NOTE},
        [FAT_FINDING_FAT_DIFFERS] = {"fat-differs", FAT_WEIGHT_LEFTOVER},
        [FAT_FINDING_FSINFO_SIGNATURE] = {"fsinfo-signature", FAT_WEIGHT_NOTE},
        [FAT_FINDING_FSINFO_UNKNOWN] = {"fsinfo-unknown", FAT_WEIGHT_LEFTOVER},
        [FAT_FINDING_FSINFO_COUNT] = {"fsinfo-count", FAT_WEIGHT_DAMAGE},
        [FAT_FINDING_FSINFO_HINT] = {"fsinfo-hint", FAT_WEIGHT_NOTE},
        [FAT_FINDING_LOST_CHAIN] = {"lost-chain", FAT_WEIGHT_LEFTOVER},
        [FAT_FINDING_CHAIN_LONG] = {"chain-long", FAT_WEIGHT_LEFTOVER},
        [FAT_FINDING_CHAIN_SHORT] = {"chain-short", FAT_WEIGHT_DAMAGE},
        [FAT_FINDING_CHAIN_LOOP] = {"chain-loop", FAT_WEIGHT_DAMAGE},
        [FAT_FINDING_CHAIN_FREE] = {"chain-free", FAT_WEIGHT_DAMAGE},
        [FAT_FINDING_CHAIN_BAD] = {"chain-bad", FAT_WEIGHT_DAMAGE},
        [FAT_FINDING_CHAIN_RANGE] = {"chain-range", FAT_WEIGHT_DAMAGE},
        [FAT_FINDING_START] = {"start", FAT_WEIGHT_DAMAGE},
        [FAT_FINDING_CROSS_LINK] = {"cross-link", FAT_WEIGHT_DAMAGE},
        [FAT_FINDING_ALIAS] = {"alias", FAT_WEIGHT_LEFTOVER},
        [FAT_FINDING_EMPTY_WITH_CHAIN] = {"empty-with-chain", FAT_WEIGHT_LEFTOVER},
        [FAT_FINDING_DIR_SIZE] = {"dir-size", FAT_WEIGHT_NOTE},
        [FAT_FINDING_DIR_LOOP] = {"dir-loop", FAT_WEIGHT_DAMAGE},
        [FAT_FINDING_DIR_DOT] = {"dir-dot", FAT_WEIGHT_DAMAGE},
        [FAT_FINDING_DIR_DOT_CLUSTER] = {"dir-dot-cluster", FAT_WEIGHT_DAMAGE},
        [FAT_FINDING_DIR_DOTDOT_CLUSTER] = {"dir-dotdot-cluster", FAT_WEIGHT_LEFTOVER},
        [FAT_FINDING_DIR_TOO_LONG] = {"dir-too-long", FAT_WEIGHT_DAMAGE},
        [FAT_FINDING_AFTER_END] = {"after-end", FAT_WEIGHT_DAMAGE},
        [FAT_FINDING_SHORT_NAME] = {"short-name", FAT_WEIGHT_DAMAGE},
        [FAT_FINDING_DUPLICATE_NAME] = {"duplicate-name", FAT_WEIGHT_DAMAGE},
        [FAT_FINDING_LFN_ORPHAN] = {"lfn-orphan", FAT_WEIGHT_LEFTOVER},
        [FAT_FINDING_LFN_BROKEN] = {"lfn-broken", FAT_WEIGHT_DAMAGE},
        [FAT_FINDING_ATTRIBUTES] = {"attributes", FAT_WEIGHT_NOTE},
        [FAT_FINDING_LABEL] = {"label", FAT_WEIGHT_NOTE},
        [FAT_FINDING_LABEL_DIFFERS] = {"label-differs", FAT_WEIGHT_NOTE},
        [FAT_FINDING_TIME] = {"time", FAT_WEIGHT_NOTE},
        [FAT_FINDING_READ_ERROR] = {"read-error", FAT_WEIGHT_DAMAGE},
};

static bool is_kind(enum fat_finding_kind kind)
{
    return (unsigned)kind < FAT_FINDING_KIND_COUNT;
}

const char *fat_finding_name(enum fat_finding_kind kind)
{
    return is_kind(kind) ? findings[kind].name : "unknown";
}

enum fat_finding_weight fat_finding_weigh(enum fat_finding_kind kind)
{
    return is_kind(kind) ? findings[kind].weight : FAT_WEIGHT_DAMAGE;
}

static void check_free(struct fat_check *c)
{
    for (size_t i = 0; i < c->dir_count; i++) {
        free(c->dirs[i].name);
    }
    free(c->dirs);
    free(c->names);
    free(c->slot_clusters);
    free(c->slots);
    fat_check_links_free(c);
    free(c);
}

FAT_DEFINE_CLEANUP(struct fat_check, check_free);

static fat_err run_passes(struct fat_check *c)
{
    fat_err err = fat_check_boot(c);

    if (err == FAT_OK) {
        err = fat_check_fat(c);
    }
    if (err == FAT_OK) {
        err = fat_check_tree(c);
    }
    if (err == FAT_OK) {
        fat_check_lost(c);
        fat_check_fsinfo(c);
        fat_check_boot_label(c);
    }
    return err;
}

fat_err fat_check_until(struct fat_blkdev *dev, const atomic_bool *stop,
        fat_finding_fn *found, void *context, struct fat_check_summary *ret)
{
    FAT_CLEANUP(check_free) struct fat_check *c = calloc(1, sizeof(*c));
    fat_err err;

    if (!c) {
        return FAT_E_NOMEM;
    }
    c->dev = dev;
    c->stop = stop;
    c->found = found;
    c->context = context;
    c->dir = FAT_CHECK_NO_DIR;
    err = run_passes(c);
    if (fat_check_is_stopped(c)) {
        err = FAT_E_STOPPED;
    }
    if (err == FAT_OK && ret) {
        *ret = c->sum;
    }
    return err;
}

fat_err fat_check(struct fat_blkdev *dev, fat_finding_fn *found, void *context,
        struct fat_check_summary *ret)
{
    return fat_check_until(dev, NULL, found, context, ret);
}
