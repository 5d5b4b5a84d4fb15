/* SPDX-License-Identifier: MIT */
#include "numbers.h"

#include <stdlib.h>
#include <string.h>

enum { FIRST_BUCKETS = 256 };

bool fat_numbers_init(struct fat_numbers *numbers)
{
    *numbers = (struct fat_numbers){.buckets = FIRST_BUCKETS};
    numbers->by_id = calloc(FIRST_BUCKETS, sizeof(struct fat_numbered *));
    numbers->by_node = calloc(FIRST_BUCKETS, sizeof(struct fat_numbered *));
    if (!numbers->by_id || !numbers->by_node) {
        free(numbers->by_id);
        free(numbers->by_node);
        return false;
    }
    return true;
}

void fat_numbers_done(struct fat_numbers *numbers)
{
    for (size_t i = 0; i < numbers->buckets; i++) {
        while (numbers->by_id[i]) {
            struct fat_numbered *entry = numbers->by_id[i];

            numbers->by_id[i] = entry->next_by_id;
            fat_numbered_free(entry);
        }
    }
    free(numbers->by_id);
    free(numbers->by_node);
}

struct fat_numbered *fat_numbered_new(const char *name)
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

void fat_numbered_free(struct fat_numbered *entry)
{
    fat_node_unref(entry->node);
    free(entry->name);
    free(entry);
}

bool fat_numbered_is_called(
        const struct fat_numbered *entry, fuse_ino_t parent, const char *name)
{
    return entry->name && entry->parent == parent && strcmp(entry->name, name) == 0;
}

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

static void insert(struct fat_numbers *numbers, struct fat_numbered *entry)
{
    struct fat_numbered **id =
            &numbers->by_id[bucket_of_id(numbers->buckets, entry->id)];
    struct fat_numbered **node =
            &numbers->by_node[bucket_of_node(numbers->buckets, entry->node)];

    entry->next_by_id = *id;
    *id = entry;
    entry->next_by_node = *node;
    *node = entry;
}

/* Without memory the tables stay as they are, only slower. */
static void grow(struct fat_numbers *numbers)
{
    const size_t old_buckets = numbers->buckets;
    struct fat_numbered **old_by_id = numbers->by_id;
    struct fat_numbered **by_id =
            calloc(old_buckets * 2, sizeof(struct fat_numbered *));
    struct fat_numbered **by_node =
            calloc(old_buckets * 2, sizeof(struct fat_numbered *));

    if (!by_id || !by_node) {
        free(by_id);
        free(by_node);
        return;
    }
    free(numbers->by_node);
    numbers->by_id = by_id;
    numbers->by_node = by_node;
    numbers->buckets = old_buckets * 2;
    for (size_t i = 0; i < old_buckets; i++) {
        struct fat_numbered *entry = old_by_id[i];

        while (entry) {
            struct fat_numbered *next = entry->next_by_id;

            insert(numbers, entry);
            entry = next;
        }
    }
    free(old_by_id);
}

static void age(struct fat_numbers *numbers, struct fat_numbered *entry)
{
    entry->older = numbers->newest;
    entry->newer = NULL;
    *(entry->older ? &entry->older->newer : &numbers->oldest) = entry;
    numbers->newest = entry;
}

static void unage(struct fat_numbers *numbers, struct fat_numbered *entry)
{
    *(entry->older ? &entry->older->newer : &numbers->oldest) = entry->newer;
    *(entry->newer ? &entry->newer->older : &numbers->newest) = entry->older;
}

void fat_numbers_add(struct fat_numbers *numbers, struct fat_numbered *entry)
{
    if (numbers->count >= numbers->buckets) {
        grow(numbers);
    }
    numbers->last_id++;
    numbers->count++;
    numbers->aliases += entry->alias;
    entry->id = numbers->last_id;
    insert(numbers, entry);
    if (entry->id != FUSE_ROOT_ID) {
        age(numbers, entry);
    }
}

void fat_numbers_remove(struct fat_numbers *numbers, struct fat_numbered *entry)
{
    struct fat_numbered **link =
            &numbers->by_id[bucket_of_id(numbers->buckets, entry->id)];

    while (*link != entry) {
        link = &(*link)->next_by_id;
    }
    *link = entry->next_by_id;
    link = &numbers->by_node[bucket_of_node(numbers->buckets, entry->node)];
    while (*link != entry) {
        link = &(*link)->next_by_node;
    }
    *link = entry->next_by_node;
    numbers->count--;
    numbers->aliases -= entry->alias;
    unage(numbers, entry);
}

void fat_numbers_renew(struct fat_numbers *numbers, struct fat_numbered *entry)
{
    unage(numbers, entry);
    age(numbers, entry);
}

void fat_numbers_retire(struct fat_numbers *numbers, struct fat_numbered *entry)
{
    numbers->aliases += !entry->alias;
    entry->alias = true;
    free(entry->name);
    entry->name = NULL;
}

struct fat_numbered *fat_numbers_find(const struct fat_numbers *numbers, fuse_ino_t id)
{
    struct fat_numbered *entry = numbers->by_id[bucket_of_id(numbers->buckets, id)];

    while (entry && entry->id != id) {
        entry = entry->next_by_id;
    }
    return entry;
}

static struct fat_numbered *same_node(
        struct fat_numbered *entry, const struct fat_node *node)
{
    while (entry && entry->node != node) {
        entry = entry->next_by_node;
    }
    return entry;
}

struct fat_numbered *fat_numbers_first(
        const struct fat_numbers *numbers, const struct fat_node *node)
{
    return same_node(numbers->by_node[bucket_of_node(numbers->buckets, node)], node);
}

struct fat_numbered *fat_numbers_next(const struct fat_numbered *entry)
{
    return same_node(entry->next_by_node, entry->node);
}

struct fat_numbered *fat_numbers_main(
        const struct fat_numbers *numbers, const struct fat_node *node)
{
    struct fat_numbered *entry = fat_numbers_first(numbers, node);

    while (entry && entry->alias) {
        entry = fat_numbers_next(entry);
    }
    return entry;
}

bool fat_numbers_is_shared(
        const struct fat_numbers *numbers, const struct fat_node *node)
{
    const struct fat_numbered *entry = fat_numbers_first(numbers, node);

    while (entry && !entry->alias) {
        entry = fat_numbers_next(entry);
    }
    return entry != NULL;
}
