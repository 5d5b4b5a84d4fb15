/* SPDX-License-Identifier: MIT */
#include "volume/model.h"

#include <stdlib.h>
#include <string.h>

#include "support/epoch.h"
#include "support/steady.h"

uint32_t model_roll(struct model *p, uint32_t sides)
{
    p->state += UINT64_C(0x9e3779b97f4a7c15);
    return (uint32_t)(epoch_mix(p->state) >> 16) % sides;
}
static const char *const NAMES[] = {"a", "B.TXT", "readme.txt", "LOWER.up", "x.y.z",
        "Mixed Case Name.text", "A long name with many characters.document",
        "A long name with many other characters.document",
        "\xc3\xa4\xc3\xb6\xc3\xbc.txt", "smile \xf0\x9f\x98\x80",
        "\xe6\xbc\xa2\xe5\xad\x97", "n1", "n2", "n3", "plus+comma,", ".hidden",
        "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz"
        "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz"
        "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz",
        "ALONGN~1.DOC", "ALONGN~2.DOC", "MIXEDC~1.TEX", "HIDDEN~1"};

enum { NAME_COUNT = sizeof(NAMES) / sizeof(NAMES[0]), TILDES = 4 };

/* Some name in some spelling, as it would be stored. */
void model_pick_name(struct model *p, char *name)
{
    const char *chosen = NAMES[model_roll(p, NAME_COUNT - (p->tilde ? 0 : TILDES))];
    const uint32_t how = model_roll(p, 4);
    size_t i = 0;

    for (; chosen[i]; i++) {
        char c = chosen[i];

        if (how == 1 && c >= 'A' && c <= 'Z') {
            c = (char)(c + 32);
        } else if (how == 2 && c >= 'a' && c <= 'z') {
            c = (char)(c - 32);
        } else if (how == 3 && c >= 'a' && c <= 'z' && model_roll(p, 2)) {
            c = (char)(c - 32);
        }
        name[i] = c;
    }
    name[i] = '\0';
}

/* The same name in the way somebody may type it. */
const char *model_typed(struct model *p, const char *name, char *room)
{
    strcpy(room, name);
    if (model_roll(p, 8) == 0) {
        strcat(room, "..");
    }
    return room;
}

/* The node of @ref, as a reference of the caller's. */
struct fat_node *model_node_of(struct model *p, struct ref_node *ref)
{
    struct fat_node *parent;
    struct fat_found found;
    fat_err err;

    if (ref->handle && model_roll(p, 2)) {
        return fat_node_ref(ref->handle);
    }
    if (ref == p->root) {
        return fat_node_ref(p->img.root);
    }
    if (ref->removed) {
        return fat_node_ref(ref->handle);
    }
    parent = model_node_of(p, ref->parent);
    err = fat_lookup(
            parent, ref->parent->entries[ref_index_of(ref->parent, ref)].name, &found);
    if (err != FAT_OK) {
        MODEL_WRONG(p, "a file that is there isn't found: %s", fat_err_text(err));
    }
    fat_node_unref(parent);
    if (!found.exact || (ref->handle && ref->handle != found.node)) {
        MODEL_WRONG(p, "not the spelling, or another node for the same file");
    }
    return found.node;
}

struct ref_node *model_pick_directory(struct model *p)
{
    struct ref_node *at = p->root;
    struct ref_node *held = p->held[model_roll(p, MODEL_HELD_MAX)];

    if (held && held->is_directory && model_roll(p, 4) == 0) {
        return held;
    }
    while (model_roll(p, 3) != 0 && at->count > 0) {
        struct ref_node *next = at->entries[model_roll(p, at->count)].node;

        if (!next->is_directory) {
            break;
        }
        at = next;
    }
    return at;
}

/* A file, or NULL. */
struct ref_node *model_pick_file(struct model *p)
{
    for (int i = 0; i < 4; i++) {
        struct ref_node *held = p->held[model_roll(p, MODEL_HELD_MAX)];
        struct ref_node *directory = model_pick_directory(p);
        struct ref_node *entry;

        if (held && !held->is_directory && model_roll(p, 2)) {
            return held;
        }
        entry = directory->count > 0
                        ? directory->entries[model_roll(p, directory->count)].node
                        : NULL;
        if (entry && !entry->is_directory) {
            return entry;
        }
    }
    return NULL;
}

/* Who is called so; the short names that the engine made up, the engine may tell. */
int model_find(struct model *p, struct ref_node *directory, const char *name)
{
    const int known = ref_find(directory, name);
    struct fat_node *node;
    struct fat_dir_entry entry;
    struct fat_found found;
    uint32_t cookie = 0;
    int index = -1;

    if (known >= 0 || !strchr(name, '~') || directory->removed) {
        return known;
    }
    node = model_node_of(p, directory);
    if (fat_lookup(node, name, &found) == FAT_OK) {
        while (index < 0 && fat_dir_next(node, &cookie, &entry) == FAT_OK) {
            struct fat_node *listed;

            assert_int_equal(fat_dir_node(node, &entry, &listed), FAT_OK);
            index = listed == found.node ? ref_find(directory, entry.name) : -1;
            fat_node_unref(listed);
        }
        assert_true(index >= 0);
        assert_false(found.exact);
        fat_node_unref(found.node);
    }
    fat_node_unref(node);
    return index;
}

uint32_t model_cluster_bytes(const struct model *p)
{
    return p->img.spec.cluster_sectors * p->img.spec.sector_bytes;
}

uint32_t model_clusters(const struct model *p, uint64_t bytes)
{
    return (uint32_t)((bytes + model_cluster_bytes(p) - 1) / model_cluster_bytes(p));
}

/* A full volume is an excuse only if there is not that much room. */
bool model_excused(struct model *p, fat_err err, uint32_t needed)
{
    if (err != FAT_E_NOSPC) {
        return false;
    }
    p->refused++;
    if (image_free(&p->img) >= needed) {
        MODEL_WRONG(
                p, "no room for %u clusters, %u are free", needed, image_free(&p->img));
    }
    return true;
}

void model_expect(struct model *p, fat_err got, fat_err wanted)
{
    if (got != wanted) {
        MODEL_WRONG(p, "got \"%s\", wanted \"%s\"", fat_err_text(got),
                fat_err_text(wanted));
    }
}
void model_compare_file(
        struct model *p, const struct ref_node *file, struct fat_node *node)
{
    uint8_t *bytes = steady_alloc(file->size + 1);
    struct fat_stat st;
    size_t done = 0;

    assert_int_equal(fat_node_stat(node, &st), FAT_OK);
    assert_int_equal(
            fat_file_read(node, 0, bytes, (size_t)file->size + 1, &done), FAT_OK);
    if (done != file->size || st.size_bytes != file->size) {
        MODEL_WRONG(p, "%zu bytes read, size %llu, wanted %u", done,
                (unsigned long long)st.size_bytes, file->size);
    }
    for (uint32_t i = 0; i < file->size; i++) {
        if (bytes[i] != file->bytes[i]) {
            MODEL_WRONG(p, "byte %u of %u (%p) is %02x, wanted %02x", i, file->size,
                    (const void *)file, bytes[i], file->bytes[i]);
        }
    }
    if (st.links != (file->removed ? 0U : 1U) || st.is_directory) {
        MODEL_WRONG(p, "links %u", st.links);
    }
    free(bytes);
}

void model_compare_directory(
        struct model *p, const struct ref_node *directory, struct fat_node *node)
{
    struct fat_dir_entry entry;
    uint32_t cookie = 0;
    unsigned seen = 0;
    unsigned directories = 0;
    fat_err err;

    while ((err = fat_dir_next(node, &cookie, &entry)) == FAT_OK) {
        const int index = ref_find(directory, entry.name);

        if (index < 0 || strcmp(directory->entries[index].name, entry.name) != 0 ||
                directory->entries[index].node->is_directory != entry.is_directory) {
            MODEL_WRONG(p, "unexpected entry %s in %p", entry.name,
                    (const void *)directory);
        }
        seen++;
        directories += entry.is_directory;
    }
    model_expect(p, err, FAT_END);
    if (seen != directory->count) {
        MODEL_WRONG(p, "%u entries, wanted %u", seen, directory->count);
    }
    if (!directory->removed) {
        struct fat_stat st;

        assert_int_equal(fat_node_stat(node, &st), FAT_OK);
        assert_int_equal(st.links, 2 + directories);
    }
}

static void compare_tree(struct model *p, struct ref_node *at, struct fat_node *node)
{
    if (!at->is_directory) {
        model_compare_file(p, at, node);
        return;
    }
    model_compare_directory(p, at, node);
    for (unsigned i = 0; i < at->count; i++) {
        struct fat_node *child = image_lookup(node, at->entries[i].name);

        compare_tree(p, at->entries[i].node, child);
        fat_node_unref(child);
    }
}

void model_compare_all(struct model *p)
{
    compare_tree(p, p->root, p->img.root);
    for (int i = 0; i < MODEL_HELD_MAX; i++) {
        struct ref_node *held = p->held[i];

        if (held && !held->is_directory) {
            model_compare_file(p, held, held->handle);
        }
    }
}
