/* SPDX-License-Identifier: MIT */
/*
 * Whatever a volume holds can be looked at: everything is listed, asked for by name and
 * read, and nothing is written. Where the checker finds nothing, nothing fails.
 */
#include <string.h>

#include <fatward/file.h>
#include <fatward/namei.h>

#include "fuzz.h"
#include "image.h"

enum {
    FOLDERS_MAX = 48,
    ENTRIES_MAX = 2000,
    LOOKUPS_MAX = 100,
    BYTES_MAX = 1 << 20,
    PIECE = 8192
};

struct walk {
    bool sound;
    struct fat_node *waiting[FOLDERS_MAX]; /* folders, each with a reference */
    unsigned first, count;
    unsigned entries; /* left to look at */
    unsigned lookups; /* left to ask: a damaged folder is read again for each */
    size_t bytes;     /* left to read    */
};

/* With a sound volume nothing may fail. */
static bool went_well(const struct walk *w, fat_err err)
{
    PROMISE(!w->sound || err == FAT_OK || err == FAT_END);
    return err == FAT_OK;
}

static void read_all(struct walk *w, struct fat_node *file, uint64_t size)
{
    static uint8_t room[PIECE];
    uint64_t offset = 0;
    size_t got = PIECE;

    while (w->bytes > 0 && got == PIECE &&
            went_well(w, fat_file_read(file, offset, room, sizeof(room), &got))) {
        PROMISE(got <= PIECE && offset + got <= FAT_FILE_SIZE_MAX);
        PROMISE(!w->sound || got == (size - offset < PIECE ? size - offset : PIECE));
        offset += got;
        w->bytes -= got < w->bytes ? got : w->bytes;
    }
    /* the far end of a large one: behind a budget lies a bug */
    if (size > PIECE &&
            went_well(w, fat_file_read(file, size - PIECE, room, PIECE, &got))) {
        PROMISE(got == PIECE);
    }
}

static void ask_by_name(struct walk *w, struct fat_node *folder, const char *name,
        const struct fat_node *node)
{
    struct fat_found found;

    if (w->lookups == 0) {
        return;
    }
    w->lookups--;
    if (went_well(w, fat_lookup(folder, name, &found))) {
        PROMISE(!w->sound || (found.node == node && found.exact));
        fat_node_unref(found.node);
    }
}

static void look_at(struct walk *w, struct fat_node *folder, struct fat_node *node,
        const struct fat_dir_entry *entry)
{
    struct fat_node *parent = fat_node_parent(node);
    struct fat_stat st;

    PROMISE(parent == folder || !w->sound);
    fat_node_unref(parent);
    PROMISE(fat_node_is_directory(node) == entry->is_directory);
    ask_by_name(w, folder, entry->name, node);
    if (!went_well(w, fat_node_stat(node, &st))) {
        return;
    }
    PROMISE(st.is_directory == entry->is_directory && st.ino == entry->ino);
    if (!entry->is_directory) {
        PROMISE(st.size_bytes <= FAT_FILE_SIZE_MAX);
        read_all(w, node, st.size_bytes);
    } else if (w->first + w->count < FOLDERS_MAX) {
        w->waiting[w->first + w->count++] = fat_node_ref(node);
    }
}

static void list(struct walk *w, struct fat_node *folder)
{
    struct fat_dir_entry entry;
    uint32_t cookie = 0;

    while (w->entries > 0 && went_well(w, fat_dir_next(folder, &cookie, &entry))) {
        struct fat_node *node;

        w->entries--;
        PROMISE(strlen(entry.name) > 0 && strlen(entry.name) < sizeof(entry.name));
        if (went_well(w, fat_dir_node(folder, &entry, &node))) {
            look_at(w, folder, node, &entry);
            fat_node_unref(node);
        }
    }
}

static void walk(struct fat_volume *volume, bool sound)
{
    struct walk w = {.sound = sound,
            .entries = ENTRIES_MAX,
            .lookups = LOOKUPS_MAX,
            .bytes = BYTES_MAX};

    w.waiting[w.count++] = fat_volume_root(volume);
    while (w.count > 0) {
        struct fat_node *folder = w.waiting[w.first++];

        w.count--;
        list(&w, folder);
        fat_node_unref(folder);
    }
}

static void ask(
        struct fat_volume *volume, const struct fat_check_summary *summary, bool sound)
{
    struct fat_volume_info info;
    uint32_t clusters;

    fat_volume_info(volume, &info);
    PROMISE(strlen(info.label) < sizeof(info.label));
    PROMISE(!sound || (summary->type == info.type &&
                              summary->cluster_count == info.cluster_count));
    if (fat_volume_free_clusters(volume, &clusters) == FAT_OK) {
        PROMISE(clusters <= info.cluster_count);
        PROMISE(!sound || clusters == summary->clusters_free);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    struct fuzz_image image;
    struct fat_volume_options options;
    struct fat_check_summary summary;
    struct fat_volume *volume;
    bool sound;

    fuzz_image_open(&image, bytes, length);
    options = fuzz_image_options(&image);
    sound = fuzz_image_check(&image, &summary);
    if (fat_volume_open(&image.dev, &options, &volume) == FAT_OK) {
        ask(volume, &summary, sound);
        walk(volume, sound);
        PROMISE(fat_volume_commit(volume) == FAT_OK || !sound);
        PROMISE(fat_volume_close(volume) == FAT_OK || !sound);
    } else {
        PROMISE(!sound);
    }
    PROMISE(image.writes == 0);
    fuzz_image_close(&image);
    return 0;
}
