/* SPDX-License-Identifier: MIT */
#include "support/reference.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "support/steady.h"

struct ref_node *ref_new(bool is_directory)
{
    struct ref_node *node = steady_zalloc(sizeof(*node));

    assert(node);
    node->is_directory = is_directory;
    return node;
}

static void free_one(struct ref_node *node)
{
    free(node->entries);
    free(node->bytes);
    free(node);
}

void ref_collect(struct ref_node *node)
{
    if (node->removed && node->handles == 0) {
        free_one(node);
    }
}

void ref_free_tree(struct ref_node *node)
{
    while (node->count > 0) {
        ref_free_tree(ref_take(node, 0));
    }
    free_one(node);
}

static unsigned char upper(const char *name, size_t i)
{
    const unsigned char c = (unsigned char)name[i];

    if (c >= 'a' && c <= 'z') {
        return (unsigned char)(c - 32);
    }
    /* U+00E0..U+00FE in UTF-8, save the division sign */
    if (i > 0 && (unsigned char)name[i - 1] == 0xc3 && c >= 0xa0 && c <= 0xbe &&
            c != 0xb7) {
        return (unsigned char)(c - 32);
    }
    return c;
}

bool ref_same_name(const char *a, const char *b)
{
    size_t i = 0;

    for (; a[i] && b[i]; i++) {
        if (upper(a, i) != upper(b, i)) {
            return false;
        }
    }
    return a[i] == b[i];
}

int ref_find(const struct ref_node *directory, const char *name)
{
    for (unsigned i = 0; i < directory->count; i++) {
        if (ref_same_name(directory->entries[i].name, name)) {
            return (int)i;
        }
    }
    return -1;
}

static char *copy(const char *name)
{
    const size_t length = strlen(name) + 1;

    return memcpy(steady_alloc(length), name, length);
}

void ref_add(struct ref_node *directory, const char *name, struct ref_node *node)
{
    const size_t old = directory->count * sizeof(*directory->entries);

    directory->entries =
            steady_grow(directory->entries, old, old + sizeof(*directory->entries));
    assert(directory->entries);
    directory->entries[directory->count++] =
            (struct ref_entry){.name = copy(name), .node = node};
    node->parent = directory;
    node->removed = false;
}

struct ref_node *ref_take(struct ref_node *directory, int index)
{
    struct ref_entry *entry = &directory->entries[index];
    struct ref_node *node = entry->node;

    free(entry->name);
    *entry = directory->entries[--directory->count];
    node->parent = NULL;
    node->removed = true;
    return node;
}

void ref_spell(struct ref_node *directory, int index, const char *name)
{
    struct ref_entry *entry = &directory->entries[index];
    char *spelled = copy(name);

    free(entry->name);
    entry->name = spelled;
}

int ref_index_of(const struct ref_node *directory, const struct ref_node *node)
{
    for (unsigned i = 0; i < directory->count; i++) {
        if (directory->entries[i].node == node) {
            return (int)i;
        }
    }
    return -1;
}

bool ref_is_below(const struct ref_node *node, const struct ref_node *ancestor)
{
    while (node && node != ancestor) {
        node = node->parent;
    }
    return node != NULL;
}

unsigned ref_depth(const struct ref_node *node)
{
    unsigned depth = 0;

    for (; node->parent; node = node->parent) {
        depth++;
    }
    return depth;
}

void ref_resize(struct ref_node *file, uint32_t size)
{
    uint8_t *bytes = steady_zalloc((size_t)size + 1);

    assert(bytes);
    if (file->bytes) {
        memcpy(bytes, file->bytes, file->size < size ? file->size : size);
    }
    free(file->bytes);
    file->bytes = bytes;
    file->size = size;
}

void ref_write(
        struct ref_node *file, uint32_t offset, const uint8_t *bytes, uint32_t length)
{
    if (offset + length > file->size) {
        ref_resize(file, offset + length);
    }
    memcpy(file->bytes + offset, bytes, length);
}
