/* SPDX-License-Identifier: MIT */
/*
 * A tree of files the plainest way: what a volume should look like after the same
 * steps. Names are kept as spelled and compared without case (ASCII and Latin-1).
 */
#ifndef TEST_SUPPORT_REFERENCE_H
#define TEST_SUPPORT_REFERENCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct fat_node;

struct ref_node;

struct ref_entry {
    char *name;
    struct ref_node *node;
};

struct ref_node {
    bool is_directory;
    bool removed;
    uint8_t attributes;
    uint8_t *bytes;
    uint32_t size;
    struct ref_entry *entries;
    unsigned count;
    struct ref_node *parent; /* NULL: the root, or removed               */
    struct fat_node *handle; /* the engine's, while the test holds it    */
    unsigned handles;
};

struct ref_node *ref_new(bool is_directory);
void ref_free_tree(struct ref_node *node);
/* Free it if it has neither a name nor a handle. */
void ref_collect(struct ref_node *node);

bool ref_same_name(const char *a, const char *b);
/* Index of the entry called so, or -1. */
int ref_find(const struct ref_node *directory, const char *name);
void ref_add(struct ref_node *directory, const char *name, struct ref_node *node);
struct ref_node *ref_take(struct ref_node *directory, int index);
void ref_spell(struct ref_node *directory, int index, const char *name);
int ref_index_of(const struct ref_node *directory, const struct ref_node *node);
bool ref_is_below(const struct ref_node *node, const struct ref_node *ancestor);
unsigned ref_depth(const struct ref_node *node);

/* What is gained is zeros. */
void ref_resize(struct ref_node *file, uint32_t size);
void ref_write(
        struct ref_node *file, uint32_t offset, const uint8_t *bytes, uint32_t length);

#endif
