/* SPDX-License-Identifier: MIT */
#include "tree.h"

#include <string.h>

#include <fatward/file.h>
#include <fatward/namei.h>

#include "fuzz.h"

enum { LEARN_FOLDERS = 64, ENTRIES_MAX = 1000, BYTES_MAX = 8 * TREE_SIZE_MAX };

int tree_find(const struct ref_node *folder, const char *name)
{
    for (unsigned i = 0; i < folder->count; i++) {
        if (strcmp(folder->entries[i].name, name) == 0) {
            return (int)i;
        }
    }
    return -1;
}

void tree_compare_file(const struct ref_node *ref, struct fat_node *node)
{
    uint8_t *bytes = malloc((size_t)ref->size + 1);
    size_t done = 0;

    PROMISE(bytes);
    PROMISE(fat_file_read(node, 0, bytes, (size_t)ref->size + 1, &done) == FAT_OK);
    PROMISE(done == ref->size);
    PROMISE(done == 0 || memcmp(bytes, ref->bytes, done) == 0);
    free(bytes);
}

static void learn_file(struct ref_node *ref, struct fat_node *node)
{
    struct fat_stat st;
    size_t done = 0;

    PROMISE(fat_node_stat(node, &st) == FAT_OK);
    ref_resize(ref, (uint32_t)st.size_bytes);
    PROMISE(fat_file_read(node, 0, ref->bytes, ref->size, &done) == FAT_OK);
    PROMISE(done == ref->size);
}

struct pair {
    struct fat_node *node; /* with a reference */
    struct ref_node *ref;
};

struct ref_node *tree_learn(struct fat_node *root)
{
    struct pair folders[LEARN_FOLDERS];
    unsigned count = 1;
    unsigned entries = 0;
    uint64_t bytes = 0;
    struct ref_node *ref;

    ref = ref_new(true);
    folders[0] = (struct pair){fat_node_ref(root), ref};
    for (unsigned i = 0; i < count; i++) {
        struct fat_dir_entry entry;
        uint32_t cookie = 0;

        while (fat_dir_next(folders[i].node, &cookie, &entry) == FAT_OK) {
            struct ref_node *child = ref_new(entry.is_directory);
            struct fat_node *node;
            struct fat_stat st;

            PROMISE(fat_dir_node(folders[i].node, &entry, &node) == FAT_OK);
            PROMISE(fat_node_stat(node, &st) == FAT_OK);
            ref_add(folders[i].ref, entry.name, child);
            bytes += entry.is_directory ? 0 : st.size_bytes;
            entries++;
            if (entry.is_directory && count < LEARN_FOLDERS) {
                folders[count++] = (struct pair){fat_node_ref(node), child};
            } else if (!entry.is_directory && bytes < BYTES_MAX) {
                learn_file(child, node);
            }
            fat_node_unref(node);
        }
        fat_node_unref(folders[i].node);
    }
    if (count == LEARN_FOLDERS || entries >= ENTRIES_MAX || bytes >= BYTES_MAX) {
        ref_free_tree(ref);
        return NULL;
    }
    return ref;
}

void tree_compare(struct fat_node *root, struct ref_node *ref)
{
    struct pair folders[LEARN_FOLDERS + TREE_MORE_FOLDERS];
    unsigned count = 1;

    folders[0] = (struct pair){fat_node_ref(root), ref};
    for (unsigned i = 0; i < count; i++) {
        const struct pair at = folders[i];
        struct fat_dir_entry entry;
        unsigned seen = 0;
        uint32_t cookie = 0;

        while (fat_dir_next(at.node, &cookie, &entry) == FAT_OK) {
            const int index = tree_find(at.ref, entry.name);
            struct fat_found found;

            if (index < 0) {
                (void)fprintf(stderr, "unexpected: %s\n", entry.name);
            }
            PROMISE(index >= 0);
            PROMISE(fat_lookup(at.node, entry.name, &found) == FAT_OK && found.exact);
            seen++;
            if (entry.is_directory) {
                folders[count++] =
                        (struct pair){found.node, at.ref->entries[index].node};
            } else {
                tree_compare_file(at.ref->entries[index].node, found.node);
                fat_node_unref(found.node);
            }
        }
        PROMISE(seen == at.ref->count);
        fat_node_unref(at.node);
    }
}
