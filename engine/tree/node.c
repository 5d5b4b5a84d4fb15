/* SPDX-License-Identifier: MIT */
/* Nodes: the table that finds them, and references. */
#include "tree/node.h"

#include <assert.h>
#include <stdlib.h>

/* Clusters that a directory can have: it is read and edited where nothing may fail. */
enum { WHOLE = FAT_DIR_SLOTS_MAX / (512 / FAT_SLOT_BYTES) };

static struct fat_node **place_bucket(
        struct fat_tree *tree, const struct fat_node *parent, uint16_t slot)
{
    const uint64_t key = ((uint64_t)(uintptr_t)parent >> 4) ^ (uint64_t)slot << 20;

    return &tree->by_place[(key * UINT64_C(0x9e3779b97f4a7c15) >> 40) %
                           FAT_NODE_BUCKETS];
}

static struct fat_node **ino_bucket(struct fat_tree *tree, uint64_t ino)
{
    return &tree->by_ino[(ino * UINT64_C(0x9e3779b97f4a7c15) >> 40) % FAT_NODE_BUCKETS];
}

static struct fat_node *find_place(struct fat_tree *tree, const struct fat_node *parent,
        uint16_t slot) FAT_REQUIRES(tree->table_lock)
{
    struct fat_node *node = *place_bucket(tree, parent, slot);

    while (node && (node->place.parent != parent || node->place.slot != slot)) {
        node = node->place_next;
    }
    return node;
}

static bool ino_in_use(struct fat_tree *tree, uint64_t ino)
        FAT_REQUIRES(tree->table_lock)
{
    const struct fat_node *node = *ino_bucket(tree, ino);

    while (node && node->ino != ino) {
        node = node->ino_next;
    }
    return node != NULL;
}

/* Both are unique on the volume: 1 is the root, the rest come from the place. */
static uint64_t place_ino(const struct fat_node *parent, uint16_t slot)
{
    return ((uint64_t)fat_node_dotdot(parent) << 16 | slot) + 16;
}

static void link_ino(struct fat_tree *tree, struct fat_node *node, uint64_t ino)
        FAT_REQUIRES(tree->table_lock)
{
    struct fat_node **head;

    /* A living node that has moved away keeps the number of its old place. */
    node->ino = ino_in_use(tree, ino) ? (UINT64_C(1) << 62) + tree->next_ino++ : ino;
    head = ino_bucket(tree, node->ino);
    node->ino_next = *head;
    *head = node;
}

static void unlink_ino(struct fat_tree *tree, struct fat_node *node)
        FAT_REQUIRES(tree->table_lock)
{
    struct fat_node **link = ino_bucket(tree, node->ino);

    while (*link && *link != node) {
        link = &(*link)->ino_next;
    }
    if (*link) {
        *link = node->ino_next;
    }
}

static struct fat_node **cluster_bucket(struct fat_tree *tree, uint32_t cluster)
{
    return &tree->by_cluster[cluster % FAT_NODE_BUCKETS];
}

static struct fat_node *find_cluster(struct fat_tree *tree, uint32_t cluster)
        FAT_REQUIRES(tree->table_lock)
{
    struct fat_node *node = *cluster_bucket(tree, cluster);

    while (node && node->entry.first_cluster != cluster) {
        node = node->cluster_next;
    }
    return node;
}

static void link_cluster(struct fat_tree *tree, struct fat_node *node)
        FAT_REQUIRES(tree->table_lock)
{
    struct fat_node **head = cluster_bucket(tree, node->entry.first_cluster);

    if (node->is_directory && !node->by_cluster) {
        node->by_cluster = true;
        node->cluster_next = *head;
        *head = node;
    }
}

static void unlink_cluster(struct fat_tree *tree, struct fat_node *node)
        FAT_REQUIRES(tree->table_lock)
{
    struct fat_node **link = cluster_bucket(tree, node->entry.first_cluster);

    while (node->by_cluster && *link != node) {
        link = &(*link)->cluster_next;
    }
    if (node->by_cluster) {
        *link = node->cluster_next;
        node->by_cluster = false;
    }
}

static void link_place(struct fat_tree *tree, struct fat_node *node)
        FAT_REQUIRES(tree->table_lock)
{
    struct fat_node **head = place_bucket(tree, node->place.parent, node->place.slot);

    node->place_next = *head;
    *head = node;
}

static void unlink_place(struct fat_tree *tree, struct fat_node *node)
        FAT_REQUIRES(tree->table_lock)
{
    struct fat_node **link = place_bucket(tree, node->place.parent, node->place.slot);

    while (*link && *link != node) {
        link = &(*link)->place_next;
    }
    if (*link) {
        *link = node->place_next;
    }
}

fat_err fat_node_new(
        struct fat_tree *tree, const struct fat_dirent *entry, struct fat_node **ret)
{
    struct fat_node *node = calloc(1, sizeof(*node));

    if (!node) {
        return FAT_E_NOMEM;
    }
    node->tree = tree;
    node->refs = 1;
    node->entry = *entry;
    node->is_directory = (entry->attributes & FAT_ATTR_DIRECTORY) != 0;
    fat_runmap_init(&node->map, entry->first_cluster);
    fat_runmap_join(&node->map, &tree->maps, node->is_directory ? WHOLE : 0);
    fat_rwlock_init(&node->lock, FAT_LOCK_NODE);
    fat_mutex_init(&node->index_lock, FAT_LOCK_INDEX);
    *ret = node;
    return FAT_OK;
}

void fat_node_destroy(struct fat_node *node)
{
    fat_freemap_unreserve(node->tree->freemap, &node->reserve);
    fat_dirindex_free(node->index);
    fat_runmap_done(&node->map);
    fat_mutex_done(&node->index_lock);
    fat_rwlock_done(&node->lock);
    free(node->farewell);
    free(node);
}

struct fat_node *fat_node_ref(struct fat_node *node)
{
    fat_mutex_lock(&node->tree->table_lock);
    assert(node->refs > 0);
    node->refs++;
    fat_mutex_unlock(&node->tree->table_lock);
    return node;
}

bool fat_node_drop(struct fat_node *node)
{
    struct fat_tree *tree = node->tree;
    bool last;

    fat_mutex_lock(&tree->table_lock);
    assert(node->refs > 0);
    last = --node->refs == 0;
    if (last) {
        unlink_ino(tree, node);
        unlink_cluster(tree, node);
        if (node->place.parent) {
            unlink_place(tree, node);
        }
    }
    fat_mutex_unlock(&tree->table_lock);
    return last;
}

bool fat_node_is_directory(const struct fat_node *node)
{
    return node->is_directory;
}

static void read_entry(struct fat_tree *tree, const struct fat_place *place,
        struct fat_block *block, struct fat_dirent *ret)
{
    uint8_t raw[FAT_SLOT_BYTES];

    fat_cache_copy(tree->cache, block, place->offset, raw, sizeof(raw));
    fat_dirent_decode(tree->geometry.type, raw, ret);
}

/*
 * Since the entry was read, somebody may have had it in use, changed it, and let
 * go of it: before he left the table, so from within it his last change is seen.
 */
static void read_again(struct fat_tree *tree, struct fat_node *node,
        struct fat_block *block) FAT_REQUIRES(tree->table_lock)
{
    read_entry(tree, &node->place, block, &node->entry);
    fat_runmap_restart(&node->map, node->entry.first_cluster);
}

/*
 * A new node takes its place in the table, unless somebody was faster. NULL: it is a
 * directory that another place leads to as well.
 *
 * @block   where its entry is
 */
static struct fat_node *enter_table(
        struct fat_tree *tree, struct fat_node *node, struct fat_block *block)
{
    struct fat_node *other;

    fat_mutex_lock(&tree->table_lock);
    other = find_place(tree, node->place.parent, node->place.slot);
    if (other) {
        other->refs++;
    } else if (node->is_directory && find_cluster(tree, node->entry.first_cluster)) {
        node = NULL;
    } else {
        read_again(tree, node, block);
        node->place.parent->refs++;
        link_place(tree, node);
        link_ino(tree, node, place_ino(node->place.parent, node->place.slot));
        link_cluster(tree, node);
    }
    fat_mutex_unlock(&tree->table_lock);
    return other ? other : node;
}

/* Until the scan it may be an unfinished rename; after it, it is damage (W7). */
static fat_err reached_twice(struct fat_tree *tree, uint32_t cluster)
{
    return tree->unscanned ? FAT_E_CORRUPT
                           : fat_tree_damage(tree, cluster,
                                     "a directory is reached by two different ways");
}

/* A directory begins somewhere; nothing begins where the root does. */
static fat_err check_start(struct fat_tree *tree, const struct fat_dirent *entry)
{
    const uint32_t first = entry->first_cluster;

    if ((entry->attributes & FAT_ATTR_DIRECTORY) &&
            !fat_geometry_holds(&tree->geometry, first)) {
        return fat_tree_damage(
                tree, first, "a directory's first cluster is no cluster of the volume");
    }
    if (first != 0 && first == tree->geometry.root_cluster) {
        return fat_tree_damage(
                tree, first, "an entry's first cluster is that of the root directory");
    }
    return FAT_OK;
}

struct fat_node *fat_node_living_at(
        struct fat_tree *tree, const struct fat_place *place)
{
    struct fat_node *node;

    fat_mutex_lock(&tree->table_lock);
    node = find_place(tree, place->parent, place->slot);
    if (node) {
        node->refs++;
    }
    fat_mutex_unlock(&tree->table_lock);
    return node;
}

struct fat_node *fat_node_living_directory(struct fat_tree *tree, uint32_t cluster)
{
    struct fat_node *node;

    fat_mutex_lock(&tree->table_lock);
    node = find_cluster(tree, cluster);
    if (node) {
        node->refs++;
    }
    fat_mutex_unlock(&tree->table_lock);
    return node;
}

/* A node for the entry at @place, which lies in @block: not in the table yet. */
static fat_err make(struct fat_tree *tree, const struct fat_place *place,
        struct fat_block *block, struct fat_node **ret)
{
    struct fat_dirent entry;
    fat_err err;

    read_entry(tree, place, block, &entry);
    err = check_start(tree, &entry);
    if (err == FAT_OK) {
        err = fat_node_new(tree, &entry, ret);
    }
    if (err == FAT_OK) {
        (*ret)->place = *place;
    }
    return err;
}

static fat_err make_or_find(struct fat_tree *tree, const struct fat_place *place,
        struct fat_block *block, struct fat_node **ret)
{
    struct fat_node *node;
    struct fat_node *entered;
    fat_err err = make(tree, place, block, &node);

    if (err != FAT_OK) {
        return err;
    }
    entered = enter_table(tree, node, block);
    if (!entered) {
        err = reached_twice(tree, node->entry.first_cluster);
    }
    if (entered != node) {
        fat_node_destroy(node);
    }
    if (err == FAT_OK) {
        *ret = entered;
    }
    return err;
}

fat_err fat_node_at(
        struct fat_tree *tree, const struct fat_place *place, struct fat_node **ret)
{
    struct fat_node *node = fat_node_living_at(tree, place);
    struct fat_block *block;
    fat_err err;

    if (node) {
        *ret = node;
        return FAT_OK;
    }
    err = fat_cache_get(tree->cache, place->sector, 0, &block);
    if (err == FAT_OK) {
        err = make_or_find(tree, place, block, ret);
        fat_cache_put(tree->cache, block);
    }
    return err;
}

void fat_node_settle(struct fat_node *node, const struct fat_place *place)
{
    struct fat_tree *tree = node->tree;
    struct fat_node *old = node->place.parent;

    fat_mutex_lock(&tree->table_lock);
    if (old) {
        unlink_place(tree, node);
        assert(old->refs > 1); /* whoever is here holds it too */
        old->refs--;
    }
    node->place = *place;
    if (place->parent) {
        place->parent->refs++;
        link_place(tree, node);
        if (node->ino == 0) {
            link_ino(tree, node, place_ino(place->parent, place->slot));
        }
        link_cluster(tree, node);
    }
    fat_mutex_unlock(&tree->table_lock);
}

static bool is_below(const struct fat_node *node, const struct fat_node *directory)
{
    while (node && node != directory) {
        node = node->place.parent;
    }
    return node != NULL;
}

/*
 * Some node in use below @directory that is not stale, with a reference, and no longer
 * known by its cluster. Those in buckets before *@bucket have been met; NULL: no more.
 */
static struct fat_node *next_below(
        struct fat_tree *tree, const struct fat_node *directory, size_t *bucket)
{
    struct fat_node *found = NULL;

    fat_mutex_lock(&tree->table_lock);
    while (!found && *bucket < FAT_NODE_BUCKETS) {
        found = tree->by_place[*bucket];
        while (found &&
                (found->stale || found == directory || !is_below(found, directory))) {
            found = found->place_next;
        }
        *bucket += !found; /* else there may be more in this one */
    }
    if (found) {
        found->refs++;
        unlink_cluster(tree, found);
    }
    fat_mutex_unlock(&tree->table_lock);
    return found;
}

void fat_node_make_stale_below(struct fat_node *directory)
{
    size_t bucket = 0;
    struct fat_node *node = next_below(directory->tree, directory, &bucket);

    while (node) {
        fat_rwlock_write(&node->lock);
        node->stale = true;
        fat_rwlock_write_end(&node->lock);
        fat_node_unref(node);
        node = next_below(directory->tree, directory, &bucket);
    }
}

void fat_node_make_stale(struct fat_node *node)
{
    static const struct fat_place nowhere = {.parent = NULL};
    struct fat_tree *tree = node->tree;

    fat_node_settle(node, &nowhere);
    fat_mutex_lock(&tree->table_lock);
    unlink_cluster(tree, node);
    fat_mutex_unlock(&tree->table_lock);
    node->stale = true;
    node->removed = true;
    node->entry.first_cluster = 0;
    node->entry.size_bytes = 0;
    fat_mutex_lock(&node->index_lock);
    fat_runmap_restart(&node->map, 0);
    fat_dirindex_free(node->index);
    node->index = NULL;
    fat_mutex_unlock(&node->index_lock);
}

uint64_t fat_node_ino_at(
        struct fat_tree *tree, const struct fat_node *parent, uint16_t slot)
{
    const struct fat_node *node;
    uint64_t ino;

    fat_mutex_lock(&tree->table_lock);
    node = find_place(tree, parent, slot);
    ino = node ? node->ino : place_ino(parent, slot);
    if (!node && ino_in_use(tree, ino)) {
        ino |= UINT64_C(1) << 61; /* that of a file which has moved away from there */
    }
    fat_mutex_unlock(&tree->table_lock);
    return ino;
}

uint32_t fat_node_dotdot(const struct fat_node *directory)
{
    return directory == directory->tree->root ? 0 : directory->entry.first_cluster;
}
