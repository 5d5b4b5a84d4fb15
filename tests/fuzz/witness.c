/* SPDX-License-Identifier: MIT */
#include "witness.h"

#include <string.h>

#include <fatward/file.h>
#include <fatward/namei.h>

#include "fuzz.h"
#include "tree/node.h"

enum { FOLDERS_MAX = 48, FILE_MAX = 1 << 18, ENTRIES_MAX = 2000 };

typedef void visit(void *context, const struct testimony *seen);

/* False: not all of it can be read, or it is too large to bother. */
static bool hash_file(struct fat_node *file, struct testimony *ret)
{
    static uint8_t room[FILE_MAX + 1];
    struct fat_stat st;
    size_t got = 0;

    if (fat_node_stat(file, &st) != FAT_OK || st.size_bytes > FILE_MAX ||
            fat_file_read(file, 0, room, sizeof(room), &got) != FAT_OK) {
        return false;
    }
    *ret = (struct testimony){.ino = st.ino,
            .size_bytes = got,
            .hash = UINT64_C(0xcbf29ce484222325),
            .cluster = file->entry.first_cluster,
            .age = file->entry.created.hundredths};
    for (size_t i = 0; i < got; i++) {
        ret->hash = (ret->hash ^ room[i]) * UINT64_C(0x100000001b3);
    }
    return true;
}

/* False: there is more than was looked at. */
static bool walk(struct fat_volume *volume, visit *call, void *context)
{
    struct fat_node *folders[FOLDERS_MAX] = {fat_volume_root(volume)};
    unsigned count = 1;
    unsigned entries = 0;
    bool full = false;

    for (unsigned i = 0; i < count; i++) {
        struct fat_dir_entry entry;
        uint32_t cookie = 0;

        while (entries++ < ENTRIES_MAX &&
                fat_dir_next(folders[i], &cookie, &entry) == FAT_OK) {
            struct testimony seen;
            struct fat_node *node;

            if (fat_dir_node(folders[i], &entry, &node) != FAT_OK) {
                continue;
            }
            full |= entry.is_directory && count == FOLDERS_MAX;
            if (entry.is_directory && count < FOLDERS_MAX) {
                folders[count++] = fat_node_ref(node);
            } else if (!entry.is_directory && hash_file(node, &seen)) {
                call(context, &seen);
            }
            fat_node_unref(node);
        }
        fat_node_unref(folders[i]);
    }
    return !full && entries < ENTRIES_MAX;
}

static bool look(struct fuzz_image *image, visit *call, void *context)
{
    struct fat_volume_options options = fuzz_image_options(image);
    struct fat_volume *volume;
    bool all = false;

    options.flags |= FAT_VOLUME_READ_ONLY;
    if (fat_volume_open(&image->dev, &options, &volume) == FAT_OK) {
        all = walk(volume, call, context);
        (void)fat_volume_close(volume); /* was only read */
    }
    return all;
}

static void remember(void *context, const struct testimony *seen)
{
    struct witness *w = context;

    if (w->count < WITNESS_FILES) {
        w->files[w->count++] = *seen;
    }
}

void witness_look(struct witness *w, struct fuzz_image *image,
        const struct fat_check_summary *summary)
{
    static const enum fat_finding_kind shared[] = {FAT_FINDING_CROSS_LINK,
            FAT_FINDING_ALIAS, FAT_FINDING_DIR_LOOP, FAT_FINDING_CHAIN_LOOP,
            FAT_FINDING_DUPLICATE_NAME, FAT_FINDING_FAT_DIFFERS,
            FAT_FINDING_DEVICE_SHORT};

    w->count = w->touched_count = w->shared_count = 0;
    for (size_t i = 0; i < sizeof(shared) / sizeof(shared[0]); i++) {
        if (summary->findings[shared[i]] > 0) {
            return;
        }
    }
    (void)look(image, remember, w); /* what was seen is what is asked for */
}

void witness_look_at_all(struct witness *w, struct fuzz_image *image)
{
    static const struct fat_check_summary sound;

    witness_look(w, image, &sound);
}

void witness_share(struct witness *w, uint32_t cluster)
{
    if (w->shared_count == WITNESS_TOUCHED) {
        w->count = 0;
    } else {
        w->shared[w->shared_count++] = cluster;
    }
}

void witness_touch(struct witness *w, struct fat_node *node)
{
    struct fat_stat st;

    if (w->count == 0) {
        return;
    }
    if (w->touched_count == WITNESS_TOUCHED || fat_node_stat(node, &st) != FAT_OK) {
        w->count = 0; /* it can't be told any more what is to be as it was */
    } else {
        w->touched[w->touched_count++] = st.ino;
    }
}

static bool is_touched(const struct witness *w, uint64_t ino)
{
    for (unsigned i = 0; i < w->touched_count; i++) {
        if (w->touched[i] == ino) {
            return true;
        }
    }
    return false;
}

static bool is_shared(const struct witness *w, uint32_t cluster)
{
    for (unsigned i = 0; i < w->shared_count; i++) {
        if (w->shared[i] == cluster) {
            return true;
        }
    }
    return false;
}

struct comparison {
    const struct witness *witness;
    bool found[WITNESS_FILES];
};

static void compare(void *context, const struct testimony *seen)
{
    struct comparison *c = context;

    for (unsigned i = 0; i < c->witness->count; i++) {
        const struct testimony *before = &c->witness->files[i];

        if (is_shared(c->witness, before->cluster)) {
            c->found[i] |= before->size_bytes == seen->size_bytes &&
                           before->hash == seen->hash;
        } else if (before->ino == seen->ino && !is_touched(c->witness, seen->ino)) {
            PROMISE(before->size_bytes == seen->size_bytes);
            PROMISE(before->hash == seen->hash);
            c->found[i] = true;
        }
    }
}

/* It, or another name of its chain: a newer one, or one that has no fewer bytes. */
static bool is_found(const struct comparison *c, unsigned which)
{
    const struct testimony *files = c->witness->files;
    bool found = c->found[which];

    if (is_shared(c->witness, files[which].cluster)) {
        for (unsigned i = 0; i < c->witness->count; i++) {
            found |= files[i].cluster == files[which].cluster && c->found[i] &&
                     (files[i].age != files[which].age ||
                             files[i].size_bytes >= files[which].size_bytes);
        }
    }
    return found;
}

void witness_compare(const struct witness *w, struct fuzz_image *image)
{
    struct comparison c = {.witness = w};

    if (w->count == 0) {
        return;
    }
    if (!look(image, compare, &c)) {
        return; /* some were out of sight */
    }
    for (unsigned i = 0; i < w->count; i++) {
        PROMISE(is_found(&c, i) || is_touched(w, w->files[i].ino));
    }
}
