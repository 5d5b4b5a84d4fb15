/* SPDX-License-Identifier: MIT */
#include "volume/leftovers.h"

#include <stdlib.h>

#include "tree/chain.h"
#include "tree/dir.h"

/* A chain with several names, and the name that is kept so far. */
struct alias {
    uint32_t cluster;
    struct fat_node *kept;
    bool walked; /* a directory's contents were walked, or are to be next */
};

/* A directory on the way down, and where to go on in it. */
struct level {
    struct fat_node *directory; /* referenced */
    uint32_t slot;
};

/* Beyond what any system makes, and 30 MiB of directories that are open at once. */
enum { LEVELS_MAX = 1 << 16 };

struct search {
    struct fat_tree *tree;
    const struct fat_leftovers *leftovers;
    const atomic_bool *stop;
    struct alias *aliases; /* by cluster */
    size_t alias_count;
    size_t next_alias;    /* where to look for an unwalked one first */
    struct level *levels; /* the directory that is being walked, below all it is in */
    size_t level_count, level_capacity;
};

static struct alias *find_alias(struct search *s, uint32_t cluster)
{
    size_t low = 0;
    size_t high = s->alias_count;

    while (low < high) {
        const size_t middle = low + (high - low) / 2;

        if (s->aliases[middle].cluster == cluster) {
            return &s->aliases[middle];
        }
        if (s->aliases[middle].cluster < cluster) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return NULL;
}

/* @directory is walked next, before what is left of the one it is in. */
static fat_err descend(struct search *s, struct fat_node *directory)
{
    if (s->level_count == LEVELS_MAX) {
        return FAT_E_NOMEM;
    }
    if (s->level_count == s->level_capacity) {
        const size_t capacity = s->level_capacity ? s->level_capacity * 2 : 32;
        struct level *more = realloc(s->levels, capacity * sizeof(*more));

        if (!more) {
            return FAT_E_NOMEM;
        }
        s->levels = more;
        s->level_capacity = capacity;
    }
    s->levels[s->level_count++] = (struct level){.directory = fat_node_ref(directory)};
    return FAT_OK;
}

/* Whoever has it in use, since mounting is readable at once, must look again. */
static void forsake(struct fat_node *node)
{
    struct fat_tree *tree = node->tree;
    struct fat_node *parent = node->place.parent; /* maybe in use by nobody else */

    if (parent) {
        (void)fat_node_ref(parent);
    }
    if (node->is_directory) {
        fat_node_make_stale_below(node);
    }
    fat_rwlock_write(&node->lock);
    (void)fat_interval_enter(&tree->interval);
    fat_node_make_stale(node);
    fat_interval_leave(&tree->interval);
    fat_rwlock_write_end(&node->lock);
    fat_node_unref(node);
    fat_node_unref(parent);
}

static void forsake_at(struct fat_tree *tree, const struct fat_place *place)
{
    struct fat_node *node = fat_node_living_at(tree, place);

    if (node) {
        forsake(node);
    }
}

/* Directories with several names: in use by one of them, the others can't be met. */
static void forsake_directories(struct search *s)
{
    for (size_t i = 0; i < s->alias_count; i++) {
        struct fat_node *node =
                fat_node_living_directory(s->tree, s->aliases[i].cluster);

        if (node) {
            forsake(node);
        }
    }
}

/* Take a name off the disk; its chain belongs to the one that is kept. */
static fat_err remove_name(struct fat_tree *tree, const struct fat_place *place)
{
    struct fat_dir_item item;
    struct fat_edits edits;
    fat_err err = fat_dir_need_index(place->parent);

    if (err == FAT_OK) {
        err = fat_dir_item_at(place->parent, place->slot, &item);
    }
    if (err == FAT_OK) {
        err = fat_dirindex_reserve_tomb(place->parent->index);
    }
    fat_edits_init(&edits, tree->cache);
    if (err == FAT_OK) {
        err = fat_dir_prepare(&edits, &item.place, 1);
    }
    if (err == FAT_OK) {
        const struct fat_dir_removal removal = {.place = item.place,
                .hashes = item.hashes,
                .kind = FAT_REMOVAL_MOVED,
                .is_directory = (item.raw[DIR_ATTR] & FAT_ATTR_DIRECTORY) != 0};

        fat_dir_remove(&edits, &removal, fat_interval_enter(&tree->interval));
        fat_interval_leave(&tree->interval);
    }
    fat_edits_done(&edits);
    return err;
}

/* Does the directory's own ".." name @parent? */
static bool dotdot_names(struct fat_node *directory, const struct fat_node *parent)
{
    uint8_t raw[FAT_SLOT_BYTES];
    struct fat_dirent dotdot;

    if (fat_dir_read_slot(directory, 1, raw) != FAT_OK) {
        return false;
    }
    fat_dirent_decode(directory->tree->geometry.type, raw, &dotdot);
    return dotdot.first_cluster == fat_node_dotdot(parent);
}

/* ".." names another parent: a move that a power cut left unfinished. */
static fat_err mend_dotdot(struct fat_node *node)
{
    struct fat_tree *tree = node->tree;
    struct fat_dirent dotdot;
    struct fat_edits edits;
    uint8_t raw[FAT_SLOT_BYTES];
    uint64_t sector;
    uint32_t offset;
    fat_err err = fat_dir_locate(node, 1, &sector, &offset);

    fat_edits_init(&edits, tree->cache);
    if (err == FAT_OK) {
        err = fat_edits_prepare(&edits, sector, 1);
    }
    if (err == FAT_OK) {
        fat_edits_get(&edits, sector, offset, raw, sizeof(raw));
    }
    if (err == FAT_OK && fat_short_is_dotdot(raw)) {
        (void)fat_interval_enter(&tree->interval);
        fat_dirent_decode(tree->geometry.type, raw, &dotdot);
        dotdot.first_cluster = fat_node_dotdot(node->place.parent);
        fat_dirent_encode(tree->geometry.type, &dotdot, raw);
        fat_edits_set(&edits, sector, FAT_STAGE_PUBLISH, offset, raw, sizeof(raw));
        fat_interval_leave(&tree->interval);
    }
    fat_edits_done(&edits);
    return err == FAT_END ? FAT_OK : err;
}

static void let_go_of_kept(struct alias *alias)
{
    fat_node_unref(alias->kept);
    alias->kept = NULL;
}

/*
 * Each rename to another sector makes the creation time 10 ms later, modulo its range,
 * and one interval may hold several.
 */
static bool is_newer(const struct fat_dirent *entry, const struct fat_dirent *than)
{
    const unsigned range = FAT_HUNDREDTHS;
    const unsigned later =
            (entry->created.hundredths + range - than->created.hundredths % range) %
            range;

    return later > 0 && later < range / 2;
}

/*
 * Which of two names stays: the newer, which may have taken the place of another file or
 * directory, whether ".." was written with it or not. Where their ages don't tell, no
 * rename of ours has left them: then the one that ".." speaks for, or the larger file,
 * which loses nobody's bytes, then the first.
 */
static bool takes_its_place(const struct alias *alias, const struct fat_place *place,
        const struct fat_dirent *entry)
{
    struct fat_node *kept = alias->kept;

    if (is_newer(entry, &kept->entry) || is_newer(&kept->entry, entry)) {
        return is_newer(entry, &kept->entry);
    }
    if (kept->is_directory) {
        return dotdot_names(kept, place->parent) &&
               !dotdot_names(kept, kept->place.parent);
    }
    return entry->size_bytes > kept->entry.size_bytes;
}

/* A second name: one of the two goes. On return alias->kept may want a new owner. */
static fat_err settle(struct search *s, struct alias *alias,
        const struct fat_place *place, const struct fat_dirent *entry)
{
    struct fat_place kept = alias->kept->place;
    fat_err err;

    if (!takes_its_place(alias, place, entry)) {
        err = remove_name(s->tree, place);
        forsake_at(s->tree, place);
        return err;
    }
    err = remove_name(s->tree, &kept);
    forsake_at(s->tree, &kept);
    let_go_of_kept(alias);
    alias->walked = false;
    return err;
}

static bool is_too_long(const struct search *s, const struct fat_node *node)
{
    const struct fat_leftover_list *longs = &s->leftovers->longs;

    return !node->is_directory &&
           fat_leftover_find(longs, node->entry.first_cluster) < longs->count;
}

static fat_err cut_to(struct fat_node *node, uint32_t size)
{
    fat_err err;

    fat_rwlock_write(&node->lock);
    err = fat_chain_cut(node, fat_node_clusters(node, size), size);
    fat_rwlock_write_end(&node->lock);
    return err;
}

/* What of the file's size its chain holds, where that was found to be less. */
static uint32_t size_that_fits(const struct search *s, const struct fat_node *node)
{
    const struct fat_leftover_list *shorts = &s->leftovers->shorts;
    const size_t at = fat_leftover_find(shorts, node->entry.first_cluster);
    const uint32_t size = node->entry.size_bytes;
    uint64_t bytes;

    if (at == shorts->count) {
        return size;
    }
    bytes = (uint64_t)shorts->items[at].count * s->tree->geometry.cluster_bytes;
    return bytes < size ? (uint32_t)bytes : size;
}

static fat_err mend_size(const struct search *s, struct fat_node *node)
{
    const uint32_t fits = size_that_fits(s, node);

    /* Too long: growth that a power cut stopped before the size was published. */
    return is_too_long(s, node) || fits < node->entry.size_bytes ? cut_to(node, fits)
                                                                 : FAT_OK;
}

static fat_err keep(struct search *s, struct alias *alias, struct fat_node *node)
{
    if (alias) {
        alias->kept = fat_node_ref(node);
        return FAT_OK; /* walked, or cut, when it is sure which of its names stays */
    }
    if (!node->is_directory) {
        return mend_size(s, node);
    }
    if (!dotdot_names(node, node->place.parent)) {
        const fat_err err = mend_dotdot(node);

        if (err != FAT_OK) {
            return err;
        }
    }
    return descend(s, node);
}

static fat_err meet(struct search *s, const struct fat_dir_item *item)
{
    struct fat_node *node;
    struct fat_dirent entry;
    struct alias *alias;
    fat_err err;

    fat_dirent_decode(s->tree->geometry.type, item->raw, &entry);
    alias = find_alias(s, entry.first_cluster);
    if (alias && alias->kept) {
        err = settle(s, alias, &item->place, &entry);
        if (err != FAT_OK || alias->kept) {
            return err;
        }
    }
    err = fat_node_at(s->tree, &item->place, &node);
    if (err != FAT_OK) {
        return err;
    }
    err = keep(s, alias, node);
    fat_node_unref(node);
    return err;
}

/* RECLAIM, as what they are: the rest of a name that was removed. */
static fat_err erase_slot(struct fat_node *directory, uint32_t slot)
{
    static const uint8_t free_byte = FAT_SLOT_FREE_BYTE;
    struct fat_tree *tree = directory->tree;
    struct fat_edits edits;
    uint8_t raw[FAT_SLOT_BYTES];
    uint64_t sector;
    uint32_t offset;
    fat_err err = fat_dir_locate(directory, slot, &sector, &offset);

    fat_edits_init(&edits, tree->cache);
    if (err == FAT_OK) {
        err = fat_edits_prepare(&edits, sector, 1);
    }
    if (err == FAT_OK) {
        fat_edits_get(&edits, sector, offset, raw, sizeof(raw));
    }
    if (err == FAT_OK && fat_slot_classify(raw) == FAT_SLOT_LONG) {
        (void)fat_interval_enter(&tree->interval);
        fat_edits_set(&edits, sector, FAT_STAGE_RECLAIM, offset, &free_byte, 1);
        fat_interval_leave(&tree->interval);
    }
    fat_edits_done(&edits);
    return err == FAT_END ? FAT_OK : err;
}

static fat_err erase_orphans(struct search *s, struct fat_node *directory)
{
    const struct fat_leftover_list *orphans = &s->leftovers->orphans;
    const uint32_t cluster = directory->entry.first_cluster;
    size_t at = fat_leftover_find(orphans, cluster);
    fat_err err = FAT_OK;

    for (; at < orphans->count && orphans->items[at].cluster == cluster; at++) {
        const struct fat_leftover *orphan = &orphans->items[at];

        for (uint32_t k = 0; k < orphan->count && err == FAT_OK; k++) {
            err = erase_slot(directory, orphan->first + k);
        }
    }
    return err;
}

/*
 * On from where its walk stopped, behind an entry and so within no long name, to the next
 * directory in it. FAT_END: all was met.
 */
static fat_err walk(struct search *s)
{
    struct level *level = &s->levels[s->level_count - 1];
    const size_t count = s->level_count;
    struct fat_dir_walk walk = {.slot = level->slot};
    struct fat_dir_item item;
    fat_err err;

    fat_lfn_reset(&walk.lfn);
    do {
        err = fat_dir_walk_next(level->directory, &walk, &item);
        level->slot = walk.slot;
        if (err == FAT_OK) {
            err = meet(s, &item);
        }
    } while (err == FAT_OK && s->level_count == count); /* else @level is not valid */
    return err;
}

static void ascend(struct search *s)
{
    fat_node_unref(s->levels[--s->level_count].directory);
}

/* Depth first, so that memory is for a way down, however many directories there are. */
static fat_err walk_all(struct search *s)
{
    fat_err err = FAT_OK;

    while (err == FAT_OK && s->level_count > 0) {
        err = atomic_load(s->stop) ? FAT_E_STOPPED : walk(s);
        if (err == FAT_END) {
            err = erase_orphans(s, s->levels[s->level_count - 1].directory);
            ascend(s);
        }
    }
    return err;
}

/* A directory with several names, of which one is left: it is like any other now. */
static fat_err take_up(struct search *s, struct alias *alias)
{
    fat_err err = FAT_OK;

    alias->walked = true;
    if (!dotdot_names(alias->kept, alias->kept->place.parent)) {
        err = mend_dotdot(alias->kept);
    }
    return err == FAT_OK ? descend(s, alias->kept) : err;
}

/* Goes round: one that was passed may want it again, when another name took its place. */
static struct alias *next_unwalked(struct search *s)
{
    for (size_t i = 0; i < s->alias_count; i++) {
        struct alias *alias = &s->aliases[s->next_alias];

        if (alias->kept && alias->kept->is_directory && !alias->walked) {
            return alias;
        }
        s->next_alias = (s->next_alias + 1) % s->alias_count;
    }
    return NULL;
}

/*
 * A file with several names, of which one is left: what the checker said of its chain
 * it said of the size that another of them may have had.
 */
static fat_err cut_kept(const struct search *s, struct fat_node *node)
{
    const uint32_t size = size_that_fits(s, node);
    const uint32_t clusters = fat_node_clusters(node, size);
    fat_err err;

    fat_rwlock_write(&node->lock);
    err = fat_tree_learn(s->tree, &node->map, UINT32_MAX);
    if (err == FAT_OK && node->map.clusters >= clusters) {
        err = fat_chain_cut(node, clusters, size);
    }
    fat_rwlock_write_end(&node->lock);
    return err;
}

static fat_err cut_kept_files(const struct search *s)
{
    fat_err err = FAT_OK;

    for (size_t i = 0; i < s->alias_count && err == FAT_OK; i++) {
        struct fat_node *kept = s->aliases[i].kept;

        if (kept && !kept->is_directory) {
            err = cut_kept(s, kept);
        }
    }
    return err;
}

static fat_err search(struct search *s)
{
    fat_err err = descend(s, s->tree->root);
    struct alias *alias;

    do {
        if (err == FAT_OK) {
            err = walk_all(s);
        }
        alias = next_unwalked(s);
        if (err == FAT_OK && alias) {
            err = take_up(s, alias);
        }
    } while (err == FAT_OK && alias);
    return err == FAT_OK ? cut_kept_files(s) : err;
}

static void let_go(struct search *s)
{
    while (s->level_count > 0) {
        ascend(s);
    }
    for (size_t i = 0; i < s->alias_count; i++) {
        fat_node_unref(s->aliases[i].kept);
    }
    free(s->levels);
    free(s->aliases);
}

bool fat_leftovers_are_any(const struct fat_leftovers *l)
{
    return l->aliases.count + l->longs.count + l->shorts.count + l->orphans.count > 0;
}

bool fat_leftovers_are_too_many(const struct fat_leftovers *l)
{
    return fat_leftover_is_too_much(&l->aliases) ||
           fat_leftover_is_too_much(&l->longs) ||
           fat_leftover_is_too_much(&l->shorts) ||
           fat_leftover_is_too_much(&l->orphans);
}

void fat_leftovers_done(struct fat_leftovers *leftovers)
{
    free(leftovers->aliases.items);
    free(leftovers->longs.items);
    free(leftovers->shorts.items);
    free(leftovers->orphans.items);
}

static void sort_all(struct fat_leftovers *leftovers)
{
    fat_leftover_sort(&leftovers->aliases);
    fat_leftover_sort(&leftovers->longs);
    fat_leftover_sort(&leftovers->shorts);
    fat_leftover_sort(&leftovers->orphans);
}

/* Three names of one chain are in the list twice. */
static void fill_aliases(struct search *s)
{
    const struct fat_leftover_list *list = &s->leftovers->aliases;

    for (size_t i = 0; i < list->count; i++) {
        if (i == 0 || list->items[i].cluster != list->items[i - 1].cluster) {
            s->aliases[s->alias_count++].cluster = list->items[i].cluster;
        }
    }
}

fat_err fat_leftovers_mend(
        struct fat_tree *tree, struct fat_leftovers *leftovers, const atomic_bool *stop)
{
    struct search s = {.tree = tree,
            .leftovers = leftovers,
            .stop = stop,
            .aliases = calloc(leftovers->aliases.count + 1, sizeof(struct alias))};
    fat_err err;

    if (!s.aliases) {
        return FAT_E_NOMEM;
    }
    sort_all(leftovers);
    fill_aliases(&s);
    fat_rwlock_write(&tree->names);
    forsake_directories(&s);
    err = search(&s);
    fat_rwlock_write_end(&tree->names);
    let_go(&s);
    return err;
}
