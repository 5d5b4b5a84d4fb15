/* SPDX-License-Identifier: MIT */
#include "inodes.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "numbers.h"

struct fat_inode_room {
    struct fat_numbered *entry; /* NULL once it is in use */
};

struct fat_inodes {
    pthread_mutex_t lock; /* over everything below */
    struct fat_numbers numbers;
    size_t most;     /* beyond so many the kernel is asked to forget some */
    size_t to_prune; /* numbers to be given until it is asked again       */
};

struct fat_inode_room *fat_inodes_room(const char *name)
{
    struct fat_inode_room *room = calloc(1, sizeof(*room));

    if (room) {
        room->entry = fat_numbered_new(name);
        if (!room->entry) {
            free(room);
            return NULL;
        }
    }
    return room;
}

void fat_inode_room_free(struct fat_inode_room *room)
{
    if (room && room->entry) {
        free(room->entry->name);
        free(room->entry);
    }
    free(room);
}

/* The room that was set aside for that name, or new. */
static struct fat_numbered *take_entry(const struct fat_naming *naming)
{
    struct fat_numbered *entry = naming->room ? naming->room->entry : NULL;

    if (!entry) {
        return fat_numbered_new(naming->name);
    }
    naming->room->entry = NULL;
    return entry;
}

/* @entry as it is new, or NULL, which is what becomes of it then. */
static struct fat_numbered *add_locked(struct fat_inodes *inodes, fuse_ino_t parent,
        struct fat_numbered *entry, struct fat_node *node, bool alias)
{
    if (entry) {
        entry->parent = parent;
        entry->node = node;
        entry->alias = alias;
        fat_numbers_add(&inodes->numbers, entry);
        inodes->to_prune -= inodes->to_prune > 0;
    }
    return entry;
}

/* False without memory; then @root is still the caller's. */
static bool begin(struct fat_inodes *inodes, struct fat_node *root)
{
    struct fat_numbered *entry = fat_numbered_new(NULL);

    if (!entry || pthread_mutex_init(&inodes->lock, NULL) != 0) {
        free(entry);
        return false;
    }
    if (!fat_numbers_init(&inodes->numbers)) {
        pthread_mutex_destroy(&inodes->lock);
        free(entry);
        return false;
    }
    (void)add_locked(inodes, FUSE_ROOT_ID, entry, root, false);
    assert(entry->id == FUSE_ROOT_ID);
    entry->lookups = 1;
    return true;
}

struct fat_inodes *fat_inodes_new(struct fat_node *root, size_t most)
{
    struct fat_inodes *inodes = calloc(1, sizeof(*inodes));

    if (!inodes || !begin(inodes, root)) {
        free(inodes);
        fat_node_unref(root);
        return NULL;
    }
    inodes->most = most;
    return inodes;
}

void fat_inodes_free(struct fat_inodes *inodes)
{
    if (inodes) {
        fat_numbers_done(&inodes->numbers);
        pthread_mutex_destroy(&inodes->lock);
        free(inodes);
    }
}

static struct fat_inode use_locked(
        const struct fat_inodes *inodes, struct fat_numbered *entry)
{
    entry->users++;
    return (struct fat_inode){
            .held = entry,
            .id = entry->id,
            .node = entry->node,
            .alias = entry->alias,
            .shared = fat_numbers_is_shared(&inodes->numbers, entry->node),
    };
}

bool fat_inodes_find(struct fat_inodes *inodes, fuse_ino_t id, struct fat_inode *ret)
{
    struct fat_numbered *entry;

    pthread_mutex_lock(&inodes->lock);
    entry = fat_numbers_find(&inodes->numbers, id);
    if (entry) {
        *ret = use_locked(inodes, entry);
    }
    pthread_mutex_unlock(&inodes->lock);
    return entry != NULL;
}

bool fat_inodes_done(struct fat_inodes *inodes, struct fat_inode *inode)
{
    struct fat_numbered *entry = inode->held;
    bool gone;

    pthread_mutex_lock(&inodes->lock);
    assert(entry->users > 0);
    entry->users--;
    gone = entry->users == 0 && entry->lookups == 0;
    pthread_mutex_unlock(&inodes->lock);
    inode->held = NULL;
    inode->node = NULL;
    if (gone) {
        fat_numbered_free(entry);
    }
    return gone;
}

/* A directory below an alias directory needs a place of its own in the kernel. */
static bool wants_alias_locked(
        const struct fat_inodes *inodes, const struct fat_naming *naming)
{
    const struct fat_numbered *parent =
            fat_numbers_find(&inodes->numbers, naming->parent);

    if (naming->force_main) {
        return false;
    }
    return !naming->exact ||
           (parent && parent->alias && fat_node_is_directory(naming->node));
}

/* The name that it had goes to @ret_stale: the kernel may have cached it. */
static void call_locked(struct fat_numbered *entry, fuse_ino_t parent, char *name,
        struct fat_stale_name *ret_stale)
{
    ret_stale->parent = entry->parent;
    ret_stale->name = entry->name;
    ret_stale->believed = entry->remembered;
    entry->remembered = false;
    entry->parent = parent;
    entry->name = name;
}

static struct fat_numbered *find_alias_locked(
        const struct fat_inodes *inodes, const struct fat_naming *naming)
{
    struct fat_numbered *entry = fat_numbers_first(&inodes->numbers, naming->node);

    while (entry && (!entry->alias || !fat_numbered_is_called(
                                              entry, naming->parent, naming->name))) {
        entry = fat_numbers_next(entry);
    }
    return entry;
}

static struct fat_numbered *name_alias_locked(struct fat_inodes *inodes,
        const struct fat_naming *naming, struct fat_stale_name *ret_stale)
{
    struct fat_numbered *main_entry = fat_numbers_main(&inodes->numbers, naming->node);
    struct fat_numbered *entry = find_alias_locked(inodes, naming);

    if (entry) {
        return entry;
    }
    /* files are changed by their main number only, directories by any */
    if (main_entry && fat_node_is_directory(naming->node)) {
        ret_stale->id = main_entry->id;
    }
    return add_locked(inodes, naming->parent, take_entry(naming), naming->node, true);
}

static struct fat_numbered *name_main_locked(struct fat_inodes *inodes,
        const struct fat_naming *naming, struct fat_stale_name *ret_stale)
{
    struct fat_numbered *entry = fat_numbers_main(&inodes->numbers, naming->node);
    const struct fat_numbered *parent;
    char *name;

    if (!entry) {
        return add_locked(
                inodes, naming->parent, take_entry(naming), naming->node, false);
    }
    parent = fat_numbers_find(&inodes->numbers, naming->parent);
    /* neither the root nor what was removed has a name; below an alias directory
       nothing is cached */
    if (entry->name && naming->exact && parent && !parent->alias &&
            !fat_numbered_is_called(entry, naming->parent, naming->name)) {
        name = strdup(naming->name);
        if (name) {
            call_locked(entry, naming->parent, name, ret_stale);
        }
    }
    return entry;
}

/* Once it is allowed, whoever changes the name by another one has to take it back. */
static bool allow_remembering_locked(const struct fat_inodes *inodes,
        const struct fat_naming *naming, struct fat_numbered *entry)
{
    const struct fat_numbered *parent =
            fat_numbers_find(&inodes->numbers, naming->parent);

    if (!naming->exact || entry->alias ||
            fat_numbers_is_shared(&inodes->numbers, entry->node) || !parent ||
            parent->alias || fat_numbers_is_shared(&inodes->numbers, parent->node) ||
            !fat_numbered_is_called(entry, naming->parent, naming->name)) {
        return false;
    }
    entry->remembered = true;
    return true;
}

bool fat_inodes_name(struct fat_inodes *inodes, const struct fat_naming *naming,
        struct fat_named *ret, struct fat_stale_name *ret_stale)
{
    struct fat_numbered *entry;
    bool known = false;

    *ret_stale = (struct fat_stale_name){.name = NULL};
    pthread_mutex_lock(&inodes->lock);
    entry = wants_alias_locked(inodes, naming)
                    ? name_alias_locked(inodes, naming, ret_stale)
                    : name_main_locked(inodes, naming, ret_stale);
    if (entry) {
        known = entry->lookups > 0;
        entry->lookups++;
        if (known && entry->id != FUSE_ROOT_ID) {
            fat_numbers_renew(&inodes->numbers, entry);
        }
        ret->cacheable = allow_remembering_locked(inodes, naming, entry);
        ret->inode = use_locked(inodes, entry);
    }
    pthread_mutex_unlock(&inodes->lock);
    fat_inode_room_free(naming->room);
    /* a new entry keeps the caller's reference, a known one has its own */
    if (!entry || known) {
        fat_node_unref(naming->node);
    }
    return entry != NULL;
}

void fat_inodes_renamed(struct fat_inodes *inodes, const struct fat_node *node,
        const struct fat_called *was, fuse_ino_t parent, char *name,
        struct fat_stale_name *ret_stale)
{
    struct fat_numbered *entry;

    *ret_stale = (struct fat_stale_name){.name = NULL};
    pthread_mutex_lock(&inodes->lock);
    entry = fat_numbers_main(&inodes->numbers, node);
    if (entry && fat_numbered_is_called(entry, was->parent, was->name)) {
        free(entry->name);
        entry->parent = parent;
        entry->name = name;
    } else if (entry) {
        call_locked(entry, parent, name, ret_stale);
    }
    pthread_mutex_unlock(&inodes->lock);
    if (!entry) {
        free(name);
    }
}

/* What the request has called it is the kernel's own business. */
static bool has_other_name(
        const struct fat_numbered *entry, const struct fat_called *was)
{
    return entry->name && !fat_numbered_is_called(entry, was->parent, was->name);
}

bool fat_inodes_removed(struct fat_inodes *inodes, const struct fat_node *node,
        const struct fat_called *was, struct fat_stale_name *ret_stale)
{
    struct fat_numbered *entry;

    pthread_mutex_lock(&inodes->lock);
    entry = fat_numbers_first(&inodes->numbers, node);
    while (entry && !has_other_name(entry, was)) {
        entry = fat_numbers_next(entry);
    }
    if (entry) {
        *ret_stale = (struct fat_stale_name){.id = entry->alias ? 0 : entry->id,
                .parent = entry->parent,
                .name = entry->name,
                .believed = entry->remembered};
        entry->name = NULL;
    }
    pthread_mutex_unlock(&inodes->lock);
    return entry != NULL;
}

void fat_inodes_retire(struct fat_inodes *inodes, const struct fat_node *node,
        const struct fat_called *to)
{
    struct fat_numbered *entry;

    pthread_mutex_lock(&inodes->lock);
    entry = fat_numbers_first(&inodes->numbers, node);
    for (; entry; entry = fat_numbers_next(entry)) {
        if (fat_numbered_is_called(entry, to->parent, to->name)) {
            fat_numbers_retire(&inodes->numbers, entry);
        }
    }
    pthread_mutex_unlock(&inodes->lock);
}

fuse_ino_t fat_inodes_next(
        struct fat_inodes *inodes, const struct fat_node *node, fuse_ino_t after)
{
    const struct fat_numbered *entry;
    fuse_ino_t next = 0;

    pthread_mutex_lock(&inodes->lock);
    entry = fat_numbers_first(&inodes->numbers, node);
    for (; entry; entry = fat_numbers_next(entry)) {
        if (entry->id > after && (!next || entry->id < next)) {
            next = entry->id;
        }
    }
    pthread_mutex_unlock(&inodes->lock);
    return next;
}

bool fat_inodes_has_aliases(struct fat_inodes *inodes)
{
    return atomic_load(&inodes->numbers.aliases) > 0;
}

size_t fat_inodes_oldest(struct fat_inodes *inodes, fuse_ino_t ids[FAT_PRUNE_MOST])
{
    struct fat_numbers *numbers = &inodes->numbers;
    size_t count = 0;

    pthread_mutex_lock(&inodes->lock);
    if (numbers->count > inodes->most && inodes->to_prune == 0) {
        /* twice as many as come: those in use stay, and so they go to the end */
        inodes->to_prune = FAT_PRUNE_MOST / 2;
        while (count < FAT_PRUNE_MOST && count < numbers->count - 1) {
            ids[count++] = numbers->oldest->id;
            fat_numbers_renew(numbers, numbers->oldest);
        }
    }
    pthread_mutex_unlock(&inodes->lock);
    return count;
}

fuse_ino_t fat_inodes_main(struct fat_inodes *inodes, const struct fat_node *node)
{
    const struct fat_numbered *entry;
    fuse_ino_t id;

    pthread_mutex_lock(&inodes->lock);
    entry = fat_numbers_main(&inodes->numbers, node);
    id = entry ? entry->id : 0;
    pthread_mutex_unlock(&inodes->lock);
    return id;
}

void fat_inodes_forget(struct fat_inodes *inodes, fuse_ino_t id, uint64_t times)
{
    struct fat_numbered *entry;
    bool gone = false;

    pthread_mutex_lock(&inodes->lock);
    entry = fat_numbers_find(&inodes->numbers, id);
    if (entry && id != FUSE_ROOT_ID) {
        entry->lookups -= times < entry->lookups ? times : entry->lookups;
        if (entry->lookups == 0) {
            fat_numbers_remove(&inodes->numbers, entry);
            gone = entry->users == 0;
        }
    }
    pthread_mutex_unlock(&inodes->lock);
    if (gone) {
        fat_numbered_free(entry);
    }
}

void fat_stale_name_done(struct fat_stale_name *stale)
{
    free(stale->name);
    stale->name = NULL;
}
