/* SPDX-License-Identifier: MIT */
#include "presets.h"

#include <string.h>

#include <fatward/file.h>
#include <fatward/format.h>
#include <fatward/namei.h>
#include <fatward/volume.h>

#include "fuzz.h"
#include "image.h"

#define KIB UINT64_C(1024)

static const struct {
    uint64_t size_bytes;
    struct fat_format_options options;
} presets[FUZZ_PRESETS] = {
        {96 * KIB, {.type = 12, .cluster_sectors = 1, .root_entries = 64}},
        {160 * KIB, {.type = 12, .cluster_sectors = 4, .fat_count = 1}},
        {400 * KIB, {.type = 12, .sector_bytes = 4096, .cluster_sectors = 1}},
        {2120 * KIB, {.type = 16, .cluster_sectors = 1, .root_entries = 32}},
        {5000 * KIB, {.type = 16, .cluster_sectors = 2, .fat_count = 1}},
        {160 * KIB, {.type = 32, .cluster_sectors = 1, .allow_ambiguous = true}},
        {300 * KIB, {.type = 32,
                            .cluster_sectors = 2,
                            .fat_count = 3,
                            .allow_ambiguous = true}},
        {1200 * KIB, {.type = 32,
                             .sector_bytes = 4096,
                             .cluster_sectors = 1,
                             .allow_ambiguous = true}},
};

const char *const fuzz_names[FUZZ_NAMES] = {"EMPTY", "one.txt",
        "A long name with dots.text", "woven", "Woven.2", "D", "deep", "many", "n",
        "new", "NEW", "new file number one.txt", "ALONGN~1.TEX", "NEWFIL~1.TXT",
        "\xc3\xa4\xc3\x96.TXT", "x.y.z", "lower.UP", "smile \xf0\x9f\x98\x80",
        "\xe6\xbc\xa2\xe5\xad\x97", "trailing..", "plus+comma,",
        "A name of fifty-two units, which is four slots long.",
        "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz"
        "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz"
        "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz",
        "ABCDEF~1"};

static struct fat_time stand_still(void *context)
{
    (void)context;
    return (struct fat_time){.seconds = 1600000000};
}

static struct fat_node *make(struct fat_node *directory, const char *name, bool folder)
{
    struct fat_found found;

    PROMISE((folder ? fat_mkdir : fat_create)(directory, name, 0, &found) == FAT_OK);
    return found.node;
}

static void append(struct fat_node *file, unsigned from, size_t length)
{
    uint8_t bytes[4096];
    size_t done;

    for (size_t i = 0; i < length; i++) {
        bytes[i] = (uint8_t)(from + i * 7);
    }
    PROMISE(fat_file_append(file, bytes, length, &done) == FAT_OK && done == length);
}

static void put(struct fat_node *directory, const char *name, size_t length)
{
    struct fat_node *file = make(directory, name, false);

    if (length > 0) {
        append(file, (unsigned)length, length);
    }
    fat_node_unref(file);
}

/* Two files whose clusters alternate. */
static void weave(struct fat_node *directory)
{
    struct fat_node *one = make(directory, fuzz_names[3], false);
    struct fat_node *two = make(directory, fuzz_names[4], false);

    for (unsigned i = 0; i < 4; i++) {
        append(one, i, 700);
        fat_file_closed(one); /* no room ahead */
        append(two, i, 600);
        fat_file_closed(two);
    }
    fat_node_unref(two);
    fat_node_unref(one);
}

static void fill(struct fat_node *root)
{
    struct fat_node *folder;
    struct fat_node *deep;
    char name[] = "many 00";

    put(root, fuzz_names[0], 0);
    put(root, fuzz_names[1], 1500);
    put(root, fuzz_names[2], 100);
    weave(root);
    folder = make(root, fuzz_names[5], true);
    deep = make(folder, fuzz_names[6], true);
    put(deep, fuzz_names[7], 513);
    fat_node_unref(deep);
    for (int i = 0; i < 10; i++) {
        name[6] = (char)('0' + i);
        put(folder, name, i == 3 ? 2000 : 0);
    }
    PROMISE(fat_unlink(folder, "many 04") == FAT_OK);
    PROMISE(fat_unlink(folder, "many 03") == FAT_OK);
    fat_node_unref(folder);
}

static struct fat_blkdev *make_preset(unsigned number)
{
    const struct fat_volume_options options = {.clock = stand_still};
    struct fat_blkdev *dev;
    struct fat_volume *volume;
    struct fat_node *root;

    PROMISE(fat_blkdev_mem_new(presets[number].size_bytes, &dev) == FAT_OK);
    PROMISE(fat_format(dev, &presets[number].options, NULL) == FAT_OK);
    PROMISE(fat_volume_open(dev, &options, &volume) == FAT_OK);
    root = fat_volume_root(volume);
    fill(root);
    fat_node_unref(root);
    PROMISE(fat_volume_close(volume) == FAT_OK);
    return dev;
}

struct fat_blkdev *fuzz_preset(unsigned number)
{
    static struct fat_blkdev *made[FUZZ_PRESETS];

    if (!made[number]) {
        made[number] = make_preset(number);
    }
    return made[number];
}
