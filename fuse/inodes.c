/* SPDX-License-Identifier: MIT */
#include "inodes.h"

#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_BUCKETS = 256 };

struct fat_numbered {
    fuse_ino_t id;
    fuse_ino_t parent; /* directory it is in, as far as the kernel was told */
    struct fat_node *node;
    char *name;       /* and its name there; NULL: the root's, or removed */
    uint64_t lookups; /* 0: it is in no table any more              */
    uint64_t users;   /* requests that hold it                      */
    bool alias;
    bool remembered; /* the kernel may have cached that name */
    struct fat_numbered *next_by_id;
    struct fat_numbered *next_by_node;
    struct fat_numbered *older, *newer; /* by when it was last named; not the root */
};

struct fat_inode_room {
    struct fat_numbered *entry; /* NULL once it is in use */
};

struct fat_inodes {
    pthread_mutex_t lock; /* over everything below */
    struct fat_numbered **by_id;
    struct fat_numbered **by_node;
    size_t buckets; /* of each table; a power of two */
    size_t count;
    atomic_size_t aliases; /* of them, also read without the lock */
    fuse_ino_t last_id;
    struct fat_numbered *oldest, *newest;
    size_t most;     /* beyond so many the kernel is asked to forget some */
    size_t to_prune; /* numbers to be given until it is asked again       */
};

static size_t bucket_of_id(size_t buckets, fuse_ino_t id)
{
    return (size_t)id & (buckets - 1);
}

/* Fibonacci hashing: addresses differ in their middle bits only. */
static size_t bucket_of_node(size_t buckets, const struct fat_node *node)
{
    const uint64_t mixed = (uint64_t)(uintptr_t)node * UINT64_C(0x9e3779b97f4a7c15);

    return (size_t)(mixed >> 32) & (buckets - 1);
}

static struct fat_numbered *find_locked(const struct fat_inodes *inodes, fuse_ino_t id)
{
    struct fat_numbered *entry = inodes->by_id[bucket_of_id(inodes->buckets, id)];

    while (entry && entry->id != id) {
        entry = entry->next_by_id;
    }
    return entry;
}

static struct fat_numbered *find_main_locked(
        const struct fat_inodes *inodes, const struct fat_node *node)
{
    struct fat_numbered *entry = inodes->by_node[bucket_of_node(inodes->buckets, node)];

    while (entry && (entry->node != node || entry->alias)) {
        entry = entry->next_by_node;
    }
    return entry;
}

static bool is_called(
        const struct fat_numbered *entry, fuse_ino_t parent, const char *name)
{
    return entry->name && entry->parent == parent && strcmp(entry->name, name) == 0;
}

static struct fat_numbered *find_alias_locked(
        const struct fat_inodes *inodes, const struct fat_naming *naming)
{
    struct fat_numbered *entry =
            inodes->by_node[bucket_of_node(inodes->buckets, naming->node)];

    while (entry && (entry->node != naming->node || !entry->alias ||
                            !is_called(entry, naming->parent, naming->name))) {
        entry = entry->next_by_node;
    }
    return entry;
}

static bool is_shared_locked(
        const struct fat_inodes *inodes, const struct fat_node *node)
{
    const struct fat_numbered *entry =
            inodes->by_node[bucket_of_node(inodes->buckets, node)];

    while (entry && (entry->node != node || !entry->alias)) {
        entry = entry->next_by_node;
    }
    return entry != NULL;
}

static void link_locked(struct fat_inodes *inodes, struct fat_numbered *entry)
{
    struct fat_numbered **id = &inodes->by_id[bucket_of_id(inodes->buckets, entry->id)];
    struct fat_numbered **node =
            &inodes->by_node[bucket_of_node(inodes->buckets, entry->node)];

    entry->next_by_id = *id;
    *id = entry;
    entry->next_by_node = *node;
    *node = entry;
}

static void age_locked(struct fat_inodes *inodes, struct fat_numbered *entry)
{
    entry->older = inodes->newest;
    entry->newer = NULL;
    *(entry->older ? &entry->older->newer : &inodes->oldest) = entry;
    inodes->newest = entry;
}

static void unage_locked(struct fat_inodes *inodes, struct fat_numbered *entry)
{
    *(entry->older ? &entry->older->newer : &inodes->oldest) = entry->newer;
    *(entry->newer ? &entry->newer->older : &inodes->newest) = entry->older;
}

static void unlink_locked(struct fat_inodes *inodes, struct fat_numbered *entry)
{
    struct fat_numbered **link =
            &inodes->by_id[bucket_of_id(inodes->buckets, entry->id)];

    while (*link != entry) {
        link = &(*link)->next_by_id;
    }
    *link = entry->next_by_id;
    link = &inodes->by_node[bucket_of_node(inodes->buckets, entry->node)];
    while (*link != entry) {
        link = &(*link)->next_by_node;
    }
    *link = entry->next_by_node;
    inodes->count--;
    inodes->aliases -= entry->alias;
    unage_locked(inodes, entry);
}

/* Without memory the tables stay as they are, only slower. */
static void grow_locked(struct fat_inodes *inodes)
{
    const size_t old_buckets = inodes->buckets;
    struct fat_numbered **old_by_id = inodes->by_id;
    struct fat_numbered **by_id =
            calloc(old_buckets * 2, sizeof(struct fat_numbered *));
    struct fat_numbered **by_node =
            calloc(old_buckets * 2, sizeof(struct fat_numbered *));

    if (!by_id || !by_node) {
        free(by_id);
        free(by_node);
        return;
    }
    free(inodes->by_node);
    inodes->by_id = by_id;
    inodes->by_node = by_node;
    inodes->buckets = old_buckets * 2;
    for (size_t i = 0; i < old_buckets; i++) {
        struct fat_numbered *entry = old_by_id[i];

        while (entry) {
            struct fat_numbered *next = entry->next_by_id;

            link_locked(inodes, entry);
            entry = next;
        }
    }
    free(old_by_id);
}

static struct fat_numbered *new_entry(const char *name)
{
    struct fat_numbered *entry = calloc(1, sizeof(*entry));

    if (!entry) {
        return NULL;
    }
    entry->name = name ? strdup(name) : NULL;
    if (name && !entry->name) {
        free(entry);
        return NULL;
    }
    return entry;
}

struct fat_inode_room *fat_inodes_room(const char *name)
{
    struct fat_inode_room *room = calloc(1, sizeof(*room));

    if (room) {
        room->entry = new_entry(name);
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
        return new_entry(naming->name);
    }
    naming->room->entry = NULL;
    return entry;
}

/* @entry as it is new, or NULL, which is what becomes of it then. */
static struct fat_numbered *add_locked(struct fat_inodes *inodes, fuse_ino_t parent,
        struct fat_numbered *entry, struct fat_node *node, bool alias)
{
    if (!entry) {
        return NULL;
    }
    if (inodes->count >= inodes->buckets) {
        grow_locked(inodes);
    }
    inodes->last_id++;
    inodes->count++;
    inodes->aliases += alias;
    entry->id = inodes->last_id;
    entry->parent = parent;
    entry->node = node;
    entry->alias = alias;
    link_locked(inodes, entry);
    if (entry->id != FUSE_ROOT_ID) {
        age_locked(inodes, entry);
    }
    inodes->to_prune -= inodes->to_prune > 0;
    return entry;
}

static void free_entry(struct fat_numbered *entry)
{
    fat_node_unref(entry->node);
    free(entry->name);
    free(entry);
}

struct fat_inodes *fat_inodes_new(struct fat_node *root, size_t most)
{
    struct fat_inodes *inodes = calloc(1, sizeof(*inodes));
    struct fat_numbered *entry = NULL;

    if (inodes) {
        inodes->buckets = FIRST_BUCKETS;
        inodes->most = most;
        inodes->by_id = calloc(FIRST_BUCKETS, sizeof(struct fat_numbered *));
        inodes->by_node = calloc(FIRST_BUCKETS, sizeof(struct fat_numbered *));
        if (inodes->by_id && inodes->by_node) {
            entry = add_locked(inodes, FUSE_ROOT_ID, new_entry(NULL), root, false);
        }
    }
    if (!entry || pthread_mutex_init(&inodes->lock, NULL) != 0) {
        if (inodes) {
            free(entry);
            free(inodes->by_id);
            free(inodes->by_node);
        }
        free(inodes);
        fat_node_unref(root);
        return NULL;
    }
    assert(entry->id == FUSE_ROOT_ID);
    entry->lookups = 1;
    return inodes;
}

void fat_inodes_free(struct fat_inodes *inodes)
{
    if (!inodes) {
        return;
    }
    for (size_t i = 0; i < inodes->buckets; i++) {
        while (inodes->by_id[i]) {
            struct fat_numbered *entry = inodes->by_id[i];

            inodes->by_id[i] = entry->next_by_id;
            free_entry(entry);
        }
    }
    pthread_mutex_destroy(&inodes->lock);
    free(inodes->by_id);
    free(inodes->by_node);
    free(inodes);
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
            .shared = is_shared_locked(inodes, entry->node),
    };
}

bool fat_inodes_find(struct fat_inodes *inodes, fuse_ino_t id, struct fat_inode *ret)
{
    struct fat_numbered *entry;

    pthread_mutex_lock(&inodes->lock);
    entry = find_locked(inodes, id);
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
        free_entry(entry);
    }
    return gone;
}

/* A directory below an alias directory needs a place of its own in the kernel. */
static bool wants_alias_locked(
        const struct fat_inodes *inodes, const struct fat_naming *naming)
{
    const struct fat_numbered *parent = find_locked(inodes, naming->parent);

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

static struct fat_numbered *name_alias_locked(struct fat_inodes *inodes,
        const struct fat_naming *naming, struct fat_stale_name *ret_stale)
{
    struct fat_numbered *main_entry = find_main_locked(inodes, naming->node);
    struct fat_numbered *entry = find_alias_locked(inodes, naming);

    if (entry) {
        return entry;
    }
    ret_stale->id = main_entry ? main_entry->id : 0;
    return add_locked(inodes, naming->parent, take_entry(naming), naming->node, true);
}

static struct fat_numbered *name_main_locked(struct fat_inodes *inodes,
        const struct fat_naming *naming, struct fat_stale_name *ret_stale)
{
    struct fat_numbered *entry = find_main_locked(inodes, naming->node);
    const struct fat_numbered *parent;
    char *name;

    if (!entry) {
        return add_locked(
                inodes, naming->parent, take_entry(naming), naming->node, false);
    }
    parent = find_locked(inodes, naming->parent);
    /* neither the root nor what was removed has a name; below an alias directory
       nothing is cached */
    if (entry->name && naming->exact && parent && !parent->alias &&
            !is_called(entry, naming->parent, naming->name)) {
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
    const struct fat_numbered *parent = find_locked(inodes, naming->parent);

    if (!naming->exact || entry->alias || is_shared_locked(inodes, entry->node) ||
            !parent || parent->alias || is_shared_locked(inodes, parent->node) ||
            !is_called(entry, naming->parent, naming->name)) {
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
            unage_locked(inodes, entry);
            age_locked(inodes, entry);
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
    entry = find_main_locked(inodes, node);
    if (entry && is_called(entry, was->parent, was->name)) {
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
    return entry->name && !is_called(entry, was->parent, was->name);
}

bool fat_inodes_removed(struct fat_inodes *inodes, const struct fat_node *node,
        const struct fat_called *was, struct fat_stale_name *ret_stale)
{
    struct fat_numbered *entry;

    pthread_mutex_lock(&inodes->lock);
    entry = inodes->by_node[bucket_of_node(inodes->buckets, node)];
    while (entry && (entry->node != node || !has_other_name(entry, was))) {
        entry = entry->next_by_node;
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
    entry = inodes->by_node[bucket_of_node(inodes->buckets, node)];
    while (entry) {
        if (entry->node == node && is_called(entry, to->parent, to->name)) {
            /* an alias without a name is found by its number only */
            inodes->aliases += !entry->alias;
            entry->alias = true;
            free(entry->name);
            entry->name = NULL;
        }
        entry = entry->next_by_node;
    }
    pthread_mutex_unlock(&inodes->lock);
}

fuse_ino_t fat_inodes_next(
        struct fat_inodes *inodes, const struct fat_node *node, fuse_ino_t after)
{
    const struct fat_numbered *entry;
    fuse_ino_t next = 0;

    pthread_mutex_lock(&inodes->lock);
    entry = inodes->by_node[bucket_of_node(inodes->buckets, node)];
    while (entry) {
        if (entry->node == node && entry->id > after && (!next || entry->id < next)) {
            next = entry->id;
        }
        entry = entry->next_by_node;
    }
    pthread_mutex_unlock(&inodes->lock);
    return next;
}

bool fat_inodes_has_aliases(struct fat_inodes *inodes)
{
    return atomic_load(&inodes->aliases) > 0;
}

size_t fat_inodes_oldest(struct fat_inodes *inodes, fuse_ino_t ids[FAT_PRUNE_MOST])
{
    size_t count = 0;

    pthread_mutex_lock(&inodes->lock);
    if (inodes->count > inodes->most && inodes->to_prune == 0) {
        /* twice as many as come: those in use stay, and so they go to the end */
        inodes->to_prune = FAT_PRUNE_MOST / 2;
        while (count < FAT_PRUNE_MOST && count < inodes->count - 1) {
            struct fat_numbered *entry = inodes->oldest;

            ids[count++] = entry->id;
            unage_locked(inodes, entry);
            age_locked(inodes, entry);
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
    entry = find_main_locked(inodes, node);
    id = entry ? entry->id : 0;
    pthread_mutex_unlock(&inodes->lock);
    return id;
}

void fat_inodes_forget(struct fat_inodes *inodes, fuse_ino_t id, uint64_t times)
{
    struct fat_numbered *entry;
    bool gone = false;

    pthread_mutex_lock(&inodes->lock);
    entry = find_locked(inodes, id);
    if (entry && id != FUSE_ROOT_ID) {
        entry->lookups -= times < entry->lookups ? times : entry->lookups;
        if (entry->lookups == 0) {
            unlink_locked(inodes, entry);
            gone = entry->users == 0;
        }
    }
    pthread_mutex_unlock(&inodes->lock);
    if (gone) {
        free_entry(entry);
    }
}

void fat_stale_name_done(struct fat_stale_name *stale)
{
    free(stale->name);
    stale->name = NULL;
}
