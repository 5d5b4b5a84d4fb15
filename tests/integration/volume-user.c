/* SPDX-License-Identifier: MIT */
/*
 * usage: volume-user IMAGE...
 *
 * Does with each volume what one does with volumes, in memory and through the library's
 * door: checks it, walks it and reads all of it, writes to it where it can be written,
 * and repairs it with every choice of options, before and after it was written to. The
 * image itself is only read.
 *
 * A sanitizer watches; beside that: who only looks, or refuses, has not written, a sound
 * volume is sound afterwards, and a repair takes no file's bytes.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <fatward/check.h>
#include <fatward/file.h>
#include <fatward/namei.h>
#include <fatward/repair.h>
#include <fatward/volume.h>

enum {
    FOLDERS_MAX = 400,
    ENTRIES_MAX = 5000,
    LOOKUPS_MAX = 100, /* a damaged folder is read again for each */
    TOUCHED_MAX = 20,  /* names that are changed, in each folder */
    PIECE = 65536,
    PAGE = 4096,
    BYTES_MAX = 1 << 26
};

#define PROMISE(holds)                                                                \
    do {                                                                              \
        if (!(holds)) {                                                               \
            (void)fprintf(stderr, "%s:%d: broken: %s\n", __FILE__, __LINE__, #holds); \
            abort();                                                                  \
        }                                                                             \
    } while (0)

/* --- a device in memory that counts what is written --- */

struct medium {
    struct fat_blkdev dev; /* first member */
    struct fat_blkdev *under;
    uint64_t writes;
};

static fat_err medium_read(
        struct fat_blkdev *dev, uint64_t offset, void *buffer, size_t length)
{
    struct fat_blkdev *under = ((struct medium *)dev)->under;

    return under->ops->read(under, offset, buffer, length);
}

static fat_err medium_write(
        struct fat_blkdev *dev, uint64_t offset, const void *buffer, size_t length)
{
    struct medium *medium = (struct medium *)dev;

    medium->writes++;
    return medium->under->ops->write(medium->under, offset, buffer, length);
}

static fat_err medium_flush(struct fat_blkdev *dev)
{
    struct fat_blkdev *under = ((struct medium *)dev)->under;

    return under->ops->flush(under);
}

static bool is_zero(const uint8_t *bytes, size_t length)
{
    size_t i = 0;

    while (i < length && bytes[i] == 0) {
        i++;
    }
    return i == length;
}

/* What @from holds; pages of zeros take no memory. */
static void medium_copy(struct medium *m, struct fat_blkdev *from)
{
    static const struct fat_blkdev_ops ops = {
            .read = medium_read, .write = medium_write, .flush = medium_flush};
    static uint8_t page[PAGE];

    *m = (struct medium){.dev = {.ops = &ops,
                                 .size_bytes = from->size_bytes,
                                 .block_bytes = from->block_bytes}};
    PROMISE(fat_blkdev_mem_new(from->size_bytes, &m->under) == FAT_OK);
    for (uint64_t at = 0; at < from->size_bytes; at += PAGE) {
        const uint64_t left = from->size_bytes - at;
        const size_t length = left < PAGE ? (size_t)left : PAGE;

        PROMISE(from->ops->read(from, at, page, length) == FAT_OK);
        PROMISE(is_zero(page, length) ||
                m->under->ops->write(m->under, at, page, length) == FAT_OK);
    }
}

static void medium_drop(struct medium *m)
{
    fat_blkdev_close(m->under);
}

/* On damage anything may fail, and the user goes on; the engine's own code gets nowhere. */
static void attempt(fat_err err)
{
    PROMISE(err <= FAT_OK && err != FAT_E_AGAIN);
}

/* --- looking --- */

struct seen {
    uint64_t path, size, bytes; /* hashes, and the size */
};

struct look {
    struct seen *files; /* those that could be read */
    size_t count;
    unsigned entries, lookups;
    uint64_t bytes;
    bool all; /* nothing was left out */
};

static uint64_t hash(uint64_t seed, const void *bytes, size_t length)
{
    const uint8_t *p = bytes;

    for (size_t i = 0; i < length; i++) {
        seed = (seed ^ p[i]) * UINT64_C(0x100000001b3);
    }
    return seed;
}

static void read_file(struct look *look, struct fat_node *file, uint64_t path)
{
    static uint8_t piece[PIECE];
    struct seen seen = {.path = path, .bytes = UINT64_C(0xcbf29ce484222325)};
    size_t got = PIECE;

    while (got == PIECE) {
        if (look->bytes > BYTES_MAX) {
            look->all = false;
            return;
        }
        if (fat_file_read(file, seen.size, piece, PIECE, &got) != FAT_OK) {
            return;
        }
        seen.size += got;
        seen.bytes = hash(seen.bytes, piece, got);
        look->bytes += got;
    }
    if (look->count < ENTRIES_MAX) {
        look->files[look->count++] = seen;
    }
}

struct folder {
    struct fat_node *node; /* with a reference */
    uint64_t path;
};

static void look_at(struct look *look, const struct folder *parent,
        const struct fat_dir_entry *entry, struct folder *folders, unsigned *count)
{
    const uint64_t path =
            hash(hash(parent->path, "/", 1), entry->name, strlen(entry->name));
    struct fat_found found;
    struct fat_node *node;
    struct fat_stat st;

    if (look->lookups < LOOKUPS_MAX &&
            fat_lookup(parent->node, entry->name, &found) == FAT_OK) {
        fat_node_unref(found.node);
    }
    look->lookups++;
    if (fat_dir_node(parent->node, entry, &node) != FAT_OK) {
        return;
    }
    attempt(fat_node_stat(node, &st));
    if (!entry->is_directory) {
        read_file(look, node, path);
    } else if (*count < FOLDERS_MAX) {
        folders[(*count)++] = (struct folder){fat_node_ref(node), path};
    } else {
        look->all = false;
    }
    fat_node_unref(node);
}

static void walk(struct look *look, struct fat_volume *volume)
{
    static struct folder folders[FOLDERS_MAX];
    unsigned count = 1;
    uint32_t clusters;

    folders[0] = (struct folder){fat_volume_root(volume), 0};
    attempt(fat_volume_free_clusters(volume, &clusters));
    for (unsigned i = 0; i < count; i++) {
        struct fat_dir_entry entry;
        uint32_t cookie = 0;

        while (look->entries < ENTRIES_MAX &&
                fat_dir_next(folders[i].node, &cookie, &entry) == FAT_OK) {
            look->entries++;
            look_at(look, &folders[i], &entry, folders, &count);
        }
        fat_node_unref(folders[i].node);
    }
    look->all &= look->entries < ENTRIES_MAX;
}

/* @look is to be freed with look_done(). */
static bool look_over(struct medium *m, struct look *look)
{
    const struct fat_volume_options options = {.flags = FAT_VOLUME_READ_ONLY};
    const uint64_t writes = m->writes;
    struct fat_volume *volume;
    bool opened;

    *look = (struct look){
            .files = calloc(ENTRIES_MAX, sizeof(struct seen)), .all = true};
    PROMISE(look->files);
    opened = fat_volume_open(&m->dev, &options, &volume) == FAT_OK;
    if (opened) {
        walk(look, volume);
        (void)fat_volume_close(volume); /* was only read */
    }
    PROMISE(m->writes == writes);
    return opened;
}

static void look_done(struct look *look)
{
    free(look->files);
}

/* Every file that was there is there. */
static void compare(const struct look *before, const struct look *after)
{
    for (size_t i = 0; i < before->count && before->all && after->all; i++) {
        bool found = false;

        for (size_t k = 0; k < after->count && !found; k++) {
            found = memcmp(&before->files[i], &after->files[k], sizeof(struct seen)) ==
                    0;
        }
        PROMISE(found);
    }
}

/* --- writing: what fails, fails --- */

static void put(struct fat_node *folder, const char *name, size_t length)
{
    static const uint8_t bytes[8192] = "x";
    struct fat_found found;
    size_t done;

    if (fat_create(folder, name, 0, &found) == FAT_OK) {
        attempt(fat_file_append(found.node, bytes, length, &done));
        attempt(fat_node_sync(found.node));
        attempt(fat_file_truncate(found.node, length / 2));
        fat_file_closed(found.node);
        fat_node_unref(found.node);
    }
}

static void change_file(struct fat_node *folder, const char *name)
{
    static const uint8_t bytes[3000] = "y";
    struct fat_found found;
    size_t done;

    if (fat_lookup(folder, name, &found) == FAT_OK) {
        attempt(fat_file_write(found.node, 100, bytes, sizeof(bytes), &done));
        attempt(fat_file_append(found.node, bytes, sizeof(bytes), &done));
        attempt(fat_file_truncate(found.node, 10));
        fat_node_unref(found.node);
    }
}

static void change_name(struct fat_node *root, struct fat_node *folder,
        const struct fat_dir_entry *entry, unsigned number)
{
    char name[32];

    (void)snprintf(name, sizeof(name), "moved %u", number);
    if (!entry->is_directory) {
        change_file(folder, entry->name);
    }
    attempt(fat_rename(folder, entry->name, folder, "a new name for it", 0));
    attempt(fat_rename(folder, "a new name for it", root, name, FAT_RENAME_NOREPLACE));
    if (number % 2) {
        attempt(fat_unlink(root, name));
        attempt(fat_rmdir(root, name));
    }
}

static void change_folder(struct fat_node *root, struct fat_node *folder)
{
    static unsigned number;
    struct fat_dir_entry entry;
    struct fat_found found;
    uint32_t cookie = 0;

    put(folder, "another new file", 700);
    if (fat_mkdir(folder, "new folder", 0, &found) == FAT_OK) {
        put(found.node, "x", 1);
        fat_node_unref(found.node);
    }
    for (int i = 0; i < TOUCHED_MAX; i++) {
        if (fat_dir_next(folder, &cookie, &entry) != FAT_OK) {
            break;
        }
        change_name(root, folder, &entry, number++);
    }
}

static void change_all(struct fat_volume *volume)
{
    struct fat_node *folders[FOLDERS_MAX] = {fat_volume_root(volume)};
    struct fat_dir_entry entry;
    unsigned count = 1;
    uint32_t cookie = 0;

    put(folders[0], "a new file of ours", 5000);
    while (count < FOLDERS_MAX / 8 &&
            fat_dir_next(folders[0], &cookie, &entry) == FAT_OK) {
        if (entry.is_directory &&
                fat_dir_node(folders[0], &entry, &folders[count]) == FAT_OK) {
            count++;
        }
    }
    for (unsigned i = count; i > 0; i--) {
        change_folder(folders[0], folders[i - 1]);
    }
    attempt(fat_volume_commit(volume));
    for (unsigned i = 0; i < count; i++) {
        fat_node_unref(folders[i]);
    }
}

/* --- the five --- */

static bool is_sound(const struct fat_check_summary *sum)
{
    return sum->leftovers == 0 && sum->damages == 0;
}

static void say(void *context, const struct fat_finding *finding)
{
    printf("    %s%s: %s\n", (const char *)context, finding->path ? finding->path : "",
            finding->text);
}

static fat_err check(struct medium *m, struct fat_check_summary *ret)
{
    const uint64_t writes = m->writes;
    fat_err err;

    *ret = (struct fat_check_summary){.damages = 0};
    err = fat_check(&m->dev, NULL, NULL, ret);
    PROMISE(m->writes == writes);
    return err;
}

/* Returns whether it could be written. */
static bool write_to(struct medium *m)
{
    struct fat_check_summary before, after;
    const bool sound = check(m, &before) == FAT_OK && is_sound(&before);
    struct fat_volume *volume;
    fat_err err;

    if (fat_volume_open(&m->dev, NULL, &volume) != FAT_OK) {
        PROMISE(!sound && m->writes == 0);
        return false;
    }
    change_all(volume);
    err = fat_volume_close(volume);
    if (sound) {
        PROMISE(err == FAT_OK && check(m, &after) == FAT_OK);
        if (!is_sound(&after)) {
            PROMISE(fat_check(&m->dev, say, NULL, NULL) == FAT_OK);
        }
        PROMISE(is_sound(&after));
    }
    return m->writes > 0;
}

static int repair_once(struct medium *m, uint32_t flags)
{
    const struct fat_repair_options options = {.flags = flags};
    const uint64_t writes = m->writes;
    struct fat_repair_summary s = {.outcome = FAT_REPAIR_CLEAN};
    const fat_err err = fat_repair(&m->dev, &options, &s);

    if (err != FAT_OK) {
        PROMISE(err == FAT_E_NOTFAT || err == FAT_E_CORRUPT);
        PROMISE(m->writes == writes);
        return -1;
    }
    if (s.outcome == FAT_REPAIR_CLEAN || s.outcome == FAT_REPAIR_REFUSED) {
        PROMISE(m->writes == writes);
    }
    PROMISE(is_sound(&s.after) ==
            (s.outcome == FAT_REPAIR_CLEAN || s.outcome == FAT_REPAIR_MENDED));
    return (int)s.outcome;
}

static int repair(struct medium *m, uint32_t flags)
{
    struct fat_check_summary before;
    struct look was, is;
    int outcome, again;

    (void)check(m, &before); /* what is none holds no files either */
    (void)look_over(m, &was);
    outcome = repair_once(m, flags);
    again = repair_once(m, flags);
    PROMISE(again == (outcome == FAT_REPAIR_MENDED ? (int)FAT_REPAIR_CLEAN : outcome) ||
            outcome == FAT_REPAIR_PARTLY);
    (void)look_over(m, &is);
    if (before.findings[FAT_FINDING_ALIAS] == 0) { /* else one name of two is gone */
        compare(&was, &is);
    }
    look_done(&was);
    look_done(&is);
    return outcome;
}

static void try(const char *path, struct fat_blkdev *image)
{
    static const char *const outcomes[] = {
            "refused", "clean", "mended", "mended in part", "left alone"};
    struct fat_check_summary summary;
    struct medium original, copy;
    struct look look;
    bool opened, written;
    int outcome = -1;

    medium_copy(&original, image);
    (void)check(&original, &summary); /* zero where there is no volume */
    opened = look_over(&original, &look);
    medium_copy(&copy, &original.dev);
    written = write_to(&copy);
    for (uint32_t flags = 0; flags < 4; flags++) {
        struct medium sick, used;

        medium_copy(&used, &copy.dev);
        (void)repair(&used, flags); /* asks for all it promises */
        medium_drop(&used);
        medium_copy(&sick, &original.dev);
        outcome = flags == 0 ? repair(&sick, 0) : (repair(&sick, flags), outcome);
        medium_drop(&sick);
    }
    printf("%s: %s, %u entries, %" PRIu64 " damages, %" PRIu64 " leftovers, %s, %s\n",
            path, opened ? "opened" : "not opened", look.entries, summary.damages,
            summary.leftovers, written ? "written to" : "not written to",
            outcomes[outcome + 1]);
    look_done(&look);
    medium_drop(&copy);
    medium_drop(&original);
}

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        struct fat_blkdev *image;

        if (fat_blkdev_file_open(argv[i], FAT_BLKDEV_READ, 0, &image) != FAT_OK) {
            (void)fprintf(stderr, "%s: can't be opened\n", argv[i]);
            return EXIT_FAILURE;
        }
        (void)fflush(stdout);
        try(argv[i], image);
        fat_blkdev_close(image);
    }
    printf("count: %d images tried\n", argc - 1);
    return EXIT_SUCCESS;
}
