/* SPDX-License-Identifier: MIT */
#include "tree/tree.h"

#include <time.h>

void fat_tree_init(struct fat_tree *tree)
{
    fat_rwlock_init(&tree->names, FAT_LOCK_NAMESPACE);
    fat_mutex_init(&tree->table_lock, FAT_LOCK_NODE_TABLE);
    fat_interval_init(&tree->interval);
}

void fat_tree_done(struct fat_tree *tree)
{
    fat_interval_done(&tree->interval);
    fat_mutex_done(&tree->table_lock);
    fat_rwlock_done(&tree->names);
}

struct fat_time fat_tree_now(const struct fat_tree *tree)
{
    struct timespec now = {0};

    if (tree->clock) {
        return tree->clock(tree->clock_context);
    }
    clock_gettime(CLOCK_REALTIME, &now);
    return (struct fat_time){
            .seconds = now.tv_sec, .nanoseconds = (uint32_t)now.tv_nsec};
}

static void tell(const struct fat_tree *tree, const struct fat_report *report)
{
    if (tree->report) {
        tree->report(tree->report_context, report);
    }
}

void fat_tree_note(struct fat_tree *tree, enum fat_severity severity, fat_err err,
        uint32_t cluster, const char *text)
{
    tell(tree, &(struct fat_report){.severity = severity,
                       .err = err,
                       .cluster = cluster,
                       .text = text});
}

void fat_tree_warn(
        struct fat_tree *tree, fat_err err, uint64_t sector, const char *text)
{
    tell(tree, &(struct fat_report){.severity = FAT_SEVERITY_WARNING,
                       .err = err,
                       .sector = sector,
                       .text = text});
}

/* Once, and says why: @why has all but the severity. */
static void turn_read_only(struct fat_tree *tree, struct fat_report why)
{
    const char *none = NULL;

    why.severity = FAT_SEVERITY_DAMAGE;
    atomic_store(&tree->damaged, true);
    if (atomic_compare_exchange_strong(&tree->read_only, &none, why.text)) {
        tell(tree, &why);
    }
}

fat_err fat_tree_danger(struct fat_tree *tree, uint32_t cluster, const char *text)
{
    const fat_err err = FAT_E_CORRUPT;

    turn_read_only(
            tree, (struct fat_report){.err = err, .cluster = cluster, .text = text});
    return err;
}

fat_err fat_tree_damage(struct fat_tree *tree, uint32_t cluster, const char *text)
{
    if (!tree->continues) {
        return fat_tree_danger(tree, cluster, text);
    }
    atomic_store(&tree->damaged, true);
    if (!atomic_exchange(&tree->frozen, true)) {
        fat_tree_note(tree, FAT_SEVERITY_DAMAGE, FAT_E_CORRUPT, cluster, text);
    }
    return FAT_E_CORRUPT;
}

fat_err fat_tree_broken(struct fat_tree *tree, fat_err err, const char *text)
{
    turn_read_only(tree, (struct fat_report){.err = err, .text = text});
    return err;
}

fat_err fat_tree_changed(struct fat_tree *tree, uint64_t sector)
{
    static const char boot[] = "another program has written to the boot sector while "
                               "the volume was open"; /* a report's sector 0 is none */
    static const char other[] =
            "another program has written to the volume while it was open";
    const fat_err err = FAT_E_CHANGED;

    turn_read_only(tree,
            (struct fat_report){
                    .err = err, .sector = sector, .text = sector == 0 ? boot : other});
    return err;
}

fat_err fat_tree_shared(struct fat_tree *tree, uint64_t sector)
{
    const struct fat_geometry *g = &tree->geometry;
    const uint64_t cluster = (sector - g->data_start) / g->cluster_sectors;

    return fat_tree_danger(tree, (uint32_t)cluster + FAT_CLUSTER_FIRST,
            "a file shares a cluster with a directory, and was written over it");
}

fat_err fat_tree_writable(const struct fat_tree *tree)
{
    return atomic_load(&tree->read_only) ? FAT_E_READONLY : FAT_OK;
}

static fat_err judge(
        struct fat_tree *tree, fat_err err, const struct fat_chain_fault *fault)
{
    if (err == FAT_E_CORRUPT && fault->is_free) {
        /* whoever claims it next would have its bytes in this chain */
        fat_tree_danger(tree, fault->cluster, fault->text);
    } else if (err == FAT_E_CORRUPT) {
        fat_tree_damage(tree, fault->cluster, fault->text);
    }
    return err;
}

/* Read first: most often it is so already, and other threads read it too. */
static void mark_used(struct fat_runmap *map)
{
    if (!map->used) {
        map->used = true;
    }
}

fat_err fat_tree_learn(struct fat_tree *tree, struct fat_runmap *map, uint32_t clusters)
{
    struct fat_chain_fault fault;

    mark_used(map);
    return judge(tree, fat_runmap_learn(map, &tree->fattab, clusters, &fault), &fault);
}

fat_err fat_tree_seek(struct fat_tree *tree, struct fat_runmap *map, uint32_t index,
        struct fat_run *ret)
{
    struct fat_chain_fault fault;

    mark_used(map);
    return judge(tree, fat_runmap_seek(map, &tree->fattab, index, ret, &fault), &fault);
}

void fat_tree_give_up(struct fat_tree *tree, struct fat_piece *piece)
{
    fat_freemap_promise(tree->freemap, piece->promised);
    fat_interval_free_chain(&tree->interval, piece);
    fat_freemap_set_waiting(tree->freemap, true);
}

uint64_t fat_tree_offset(const struct fat_tree *tree, uint32_t cluster)
{
    return fat_geometry_sector(&tree->geometry, cluster) * tree->geometry.sector_bytes;
}
