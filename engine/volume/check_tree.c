/* SPDX-License-Identifier: MIT */
/*
 * All directories, depth first, with a stack of our own: a directory stays on it
 * while what is below it is read, so that paths can be built and a directory that
 * contains an ancestor is seen. Each is read once, whole (2 MiB at most).
 */
#include <stdlib.h>
#include <string.h>

#include "volume/check_state.h"

static uint32_t slots_per_cluster(const struct fat_check *c)
{
    return c->g.cluster_bytes / FAT_SLOT_BYTES;
}

uint64_t fat_check_slot_offset(const struct fat_check *c, uint32_t slot)
{
    const uint32_t each = slots_per_cluster(c);
    uint64_t base;

    if (c->dirs[c->dir].first_cluster == 0) {
        return c->g.root_start * c->g.sector_bytes + (uint64_t)slot * FAT_SLOT_BYTES;
    }
    base = fat_geometry_sector(&c->g, c->slot_clusters[slot / each]);
    return base * c->g.sector_bytes + (uint64_t)(slot % each) * FAT_SLOT_BYTES;
}

/* What can't be read looks like free slots, so that the rest is still checked. */
static void read_slots(
        struct fat_check *c, uint64_t offset, uint8_t *slots, size_t length)
{
    if (fat_check_read(c, offset, slots, length) == FAT_OK) {
        return;
    }
    c->slots_unread = true;
    memset(slots, FAT_SLOT_FREE_BYTE, length);
    fat_check_say(c,
            &(struct fat_finding){.kind = FAT_FINDING_READ_ERROR,
                    .offset = offset,
                    .first = (uint32_t)length},
            "%zu bytes of the directory at byte %llu can't be read", length,
            (unsigned long long)offset);
}

static fat_err make_room(struct fat_check *c, uint32_t slots, uint32_t clusters)
{
    void *bytes = c->slots;
    void *list = c->slot_clusters;
    fat_err err = fat_check_reserve(
            &bytes, &c->slots_bytes, (size_t)slots * FAT_SLOT_BYTES, 1);

    c->slots = bytes;
    if (err == FAT_OK) {
        err = fat_check_reserve(
                &list, &c->cluster_capacity, clusters, sizeof(*c->slot_clusters));
        c->slot_clusters = list;
    }
    return err;
}

static fat_err read_fixed_root(struct fat_check *c)
{
    const fat_err err = make_room(c, c->g.root_entries, 0);

    if (err == FAT_OK) {
        c->slot_count = c->g.root_entries;
        read_slots(c, c->g.root_start * c->g.sector_bytes, c->slots,
                (size_t)c->slot_count * FAT_SLOT_BYTES);
    }
    return err;
}

/* Clusters that lie side by side in one read; what exceeds the limit is left out. */
static void read_runs(struct fat_check *c, uint32_t clusters)
{
    const uint32_t each = slots_per_cluster(c);
    uint32_t done = 0;

    while (done < clusters) {
        const uint32_t first = c->slot_clusters[done];
        const uint32_t start = done * each;
        uint32_t slots;

        do {
            done++;
        } while (done < clusters &&
                 c->slot_clusters[done] == c->slot_clusters[done - 1] + 1);
        slots = done * each < c->slot_count ? done * each : c->slot_count;
        read_slots(c, fat_geometry_sector(&c->g, first) * c->g.sector_bytes,
                c->slots + (size_t)start * FAT_SLOT_BYTES,
                (size_t)(slots - start) * FAT_SLOT_BYTES);
    }
}

static fat_err read_chain(struct fat_check *c, const struct fat_check_dir *dir)
{
    const uint32_t each = slots_per_cluster(c);
    const uint64_t all = (uint64_t)dir->length * each;
    const uint32_t slots = all < FAT_DIR_SLOTS_MAX ? (uint32_t)all : FAT_DIR_SLOTS_MAX;
    const uint32_t clusters = (slots + each - 1) / each;
    const fat_err err = make_room(c, slots, clusters);
    uint32_t cluster = dir->first_cluster;

    if (err != FAT_OK) {
        return err;
    }
    if (all > FAT_DIR_SLOTS_MAX) {
        fat_check_say(c,
                &(struct fat_finding){.kind = FAT_FINDING_DIR_TOO_LONG,
                        .cluster = dir->first_cluster,
                        .first = dir->length},
                "%llu slots, no system reads more than %u; the rest is not checked",
                (unsigned long long)all, (unsigned)FAT_DIR_SLOTS_MAX);
    }
    for (uint32_t i = 0; i < clusters; i++) {
        c->slot_clusters[i] = cluster;
        cluster = fat_check_link(c, cluster);
    }
    c->slot_count = slots;
    read_runs(c, clusters);
    return FAT_OK;
}

static void turn_round(struct fat_check_dir *dirs, size_t count)
{
    for (size_t i = 0; i < count / 2; i++) {
        const struct fat_check_dir other = dirs[i];

        dirs[i] = dirs[count - 1 - i];
        dirs[count - 1 - i] = other;
    }
}

static fat_err enter(struct fat_check *c, uint32_t index)
{
    const struct fat_check_dir dir = c->dirs[index];
    fat_err err;

    c->dirs[index].open = true;
    c->dir = index;
    c->entry = NULL;
    c->slot_count = 0;
    c->slots_unread = false;
    if (dir.first_cluster != 0) {
        fat_check_mark(c, dir.first_cluster, FAT_MARK_ON_PATH);
        err = read_chain(c, &dir);
    } else {
        err = read_fixed_root(c);
    }
    if (err == FAT_OK) {
        err = fat_check_slots(c, index);
        c->has_root = true;
    }
    /* The first subdirectory of the directory is to be the first one read. */
    turn_round(c->dirs + index + 1, c->dir_count - index - 1);
    return err;
}

enum { HEAP_BYTES = 16 }; /* that an allocation costs beside what was asked for */

static size_t dir_cost(const char *name)
{
    return sizeof(struct fat_check_dir) + (name ? strlen(name) + 1 + HEAP_BYTES : 0);
}

static void leave(struct fat_check *c)
{
    struct fat_check_dir *dir = &c->dirs[--c->dir_count];

    /* One that was never entered may name a cluster that is not there. */
    if (dir->open && dir->first_cluster != 0) {
        fat_check_unmark(c, dir->first_cluster, FAT_MARK_ON_PATH);
    }
    c->dir_bytes -= dir_cost(dir->name);
    free(dir->name);
}

/* The name of the entry that is being judged; none for the root. */
static fat_err name_dir(struct fat_check *c, struct fat_check_dir *dir)
{
    char name[FAT_NAME_BYTES_MAX + 1];

    if (!c->entry) {
        return FAT_OK;
    }
    fat_check_name_text(c, c->entry->slot, c->entry->long_slots, name);
    if (dir_cost(name) > FAT_CHECK_DIRS_BYTES - c->dir_bytes) {
        return FAT_E_NOMEM;
    }
    dir->name = fat_check_name_copy(name);
    return dir->name ? FAT_OK : FAT_E_NOMEM;
}

fat_err fat_check_push_dir(
        struct fat_check *c, uint32_t parent, uint32_t first, uint32_t length)
{
    struct fat_check_dir dir = {
            .parent = parent, .first_cluster = first, .length = length};
    void *dirs = c->dirs;
    fat_err err = fat_check_reserve(
            &dirs, &c->dir_capacity, c->dir_count + 1, sizeof(*c->dirs));

    c->dirs = dirs;
    if (err == FAT_OK) {
        err = name_dir(c, &dir);
    }
    if (err == FAT_OK) {
        c->dirs[c->dir_count++] = dir;
        c->dir_bytes += dir_cost(dir.name);
    }
    return err;
}

/* The chain of FAT32's root is judged as its own, under the path "/". */
static void claim_root(struct fat_check *c)
{
    c->dir = 0;
    c->dirs[0].length = fat_check_claim(c, c->g.root_cluster, true, 0);
    if (c->dirs[0].length == 0) {
        leave(c);
    }
}

fat_err fat_check_tree(struct fat_check *c)
{
    fat_err err = fat_check_push_dir(c, 0, c->g.root_cluster, 0);

    if (err == FAT_OK && c->g.root_cluster != 0) {
        claim_root(c);
    }
    while (err == FAT_OK && c->dir_count > 0) {
        const uint32_t top = (uint32_t)(c->dir_count - 1);

        if (fat_check_is_stopped(c)) {
            err = FAT_E_STOPPED;
        } else if (c->dirs[top].open) {
            leave(c);
        } else {
            err = enter(c, top);
        }
    }
    c->dir = FAT_CHECK_NO_DIR;
    c->entry = NULL;
    return err;
}
