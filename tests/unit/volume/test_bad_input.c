/* SPDX-License-Identifier: MIT */
/*
 * Volumes that somebody broke, by accident or on purpose: an error, never a crash,
 * never an endless walk, and read-only nothing is written.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/cmocka.h"
#include "support/epoch.h"
#include "support/image.h"
#include "support/steady.h"
#include "support/surgery.h"

enum { VISITS_MAX = 3000, DEPTH_MAX = 6, CHUNK = 65536, CORRUPTIONS = 3000 };

/* --- a volume with something in it, as bytes --- */

struct pristine {
    uint8_t *bytes;
    uint64_t size;
    struct fat_volume_info info;
};

static void populate(struct fat_node *root)
{
    struct fat_node *sub = image_mkdir(root, "A directory with a long name");
    struct fat_node *deep = image_mkdir(sub, "deep");
    char name[32];

    image_put(root, "first.txt", 1, 3000);
    image_put(root, "second file with a long name", 2, 9000);
    image_touch(root, "empty");
    for (unsigned i = 0; i < 20; i++) {
        (void)snprintf(name, sizeof(name), "number %u of many", i);
        image_put(sub, name, i, i * 100 + 1);
    }
    image_put(deep, "bottom", 3, 1500);
    assert_int_equal(fat_unlink(sub, "number 3 of many"), FAT_OK);
    assert_int_equal(fat_unlink(root, "first.txt"), FAT_OK);
    image_put(root, "third", 4, 5000);
    fat_node_unref(deep);
    fat_node_unref(sub);
}

static struct pristine make_pristine(const struct image_spec *spec)
{
    struct pristine p;
    struct image img;

    image_make(&img, spec);
    populate(img.root);
    image_close(&img);
    p.bytes = image_bytes(img.dev);
    p.size = img.dev->size_bytes;
    image_open(&img);
    fat_volume_info(img.volume, &p.info);
    image_done(&img);
    return p;
}

static struct fat_blkdev *device_of(const uint8_t *bytes, uint64_t size)
{
    struct fat_blkdev *dev;

    assert_int_equal(fat_blkdev_mem_new(size, &dev), FAT_OK);
    if (size > 0) {
        assert_int_equal(dev->ops->write(dev, 0, bytes, (size_t)size), FAT_OK);
    }
    return dev;
}

/* --- using all of it --- */

struct walk {
    unsigned visits;
    unsigned errors;
    uint8_t *chunk;
};

static void read_all(struct walk *w, struct fat_node *file)
{
    uint64_t offset = 0;
    size_t done = 1;
    fat_err err = FAT_OK;

    while (err == FAT_OK && done > 0 && offset < 64 * CHUNK) {
        err = fat_file_read(file, offset, w->chunk, CHUNK, &done);
        offset += done;
    }
    w->errors += err != FAT_OK;
}

static void walk_directory(struct walk *w, struct fat_node *directory, unsigned depth)
{
    struct fat_dir_entry entry;
    uint32_t cookie = 0;
    fat_err err;

    while ((err = fat_dir_next(directory, &cookie, &entry)) == FAT_OK &&
            w->visits++ < VISITS_MAX) {
        struct fat_found found;
        struct fat_node *node;
        struct fat_stat st;
        const fat_err got = fat_dir_node(directory, &entry, &node);

        if (fat_lookup(directory, entry.name, &found) == FAT_OK) {
            fat_node_unref(found.node);
        }
        if (got != FAT_OK) {
            w->errors++;
            continue;
        }
        w->errors += fat_node_stat(node, &st) != FAT_OK;
        if (!fat_node_is_directory(node)) {
            read_all(w, node);
        } else if (depth < DEPTH_MAX) {
            walk_directory(w, node, depth + 1);
        }
        fat_node_unref(node);
    }
    w->errors += err < 0;
}

static unsigned walk_volume(struct fat_volume *volume)
{
    struct walk w = {.chunk = steady_alloc(CHUNK)};
    struct fat_node *root = fat_volume_root(volume);
    uint32_t clusters;

    walk_directory(&w, root, 0);
    w.errors += fat_volume_free_clusters(volume, &clusters) != FAT_OK;
    fat_node_unref(root);
    free(w.chunk);
    return w.errors;
}

static void let_go(struct fat_found *found, fat_err err)
{
    if (err == FAT_OK) {
        fat_node_unref(found->node);
    }
}

/* Change what can be changed; whatever it answers. */
static void change_volume(struct fat_volume *volume)
{
    struct fat_node *root = fat_volume_root(volume);
    struct fat_dir_entry entry;
    struct fat_found found;
    uint32_t cookie = 0;
    uint8_t bytes[5000] = {1};
    size_t done;
    fat_err err = fat_create(root, "a new file with a long name", 0, &found);

    if (err == FAT_OK) {
        (void)!fat_file_write(found.node, 100, bytes, sizeof(bytes), &done);
    }
    let_go(&found, err);
    err = fat_mkdir(root, "new directory", 0, &found);
    if (err == FAT_OK) {
        (void)!fat_rename(root, "third", found.node, "moved", 0);
    }
    let_go(&found, err);
    while (fat_dir_next(root, &cookie, &entry) == FAT_OK && cookie < 400) {
        err = fat_lookup(root, entry.name, &found);
        if (err == FAT_OK) {
            (void)!fat_file_append(found.node, bytes, sizeof(bytes), &done);
            (void)!fat_file_truncate(found.node, 600);
        }
        let_go(&found, err);
    }
    (void)!fat_rename(root, "second file with a long name", root, "third", 0);
    (void)!fat_rename(root, "A directory with a long name", root, "short", 0);
    (void)!fat_unlink(root, "third");
    (void)!fat_unlink(root, "empty");
    (void)!fat_volume_commit(volume);
    (void)!fat_rmdir(root, "short");
    fat_node_unref(root);
}

/* Read-only, then read-write. Returns what opening said. */
static fat_err try_bytes(const uint8_t *bytes, uint64_t size)
{
    const struct fat_volume_options read_only = {.flags = FAT_VOLUME_READ_ONLY};
    struct fat_blkdev *dev = device_of(bytes, size);
    struct fat_volume *volume;
    const fat_err err = fat_volume_open(dev, &read_only, &volume);

    if (err == FAT_OK) {
        uint8_t *after;

        (void)walk_volume(volume);
        change_volume(volume);
        assert_int_equal(fat_volume_close(volume), FAT_OK);
        after = image_bytes(dev);
        assert_memory_equal(after, bytes, (size_t)size);
        free(after);
        assert_int_equal(fat_volume_open(dev, NULL, &volume), FAT_OK);
        change_volume(volume);
        (void)walk_volume(volume);
        (void)fat_volume_close(volume);
    }
    (void)!fat_check(dev, NULL, NULL, NULL);
    fat_blkdev_close(dev);
    return err;
}

/* --- no volume at all --- */

static void what_is_no_volume_is_refused(void **state)
{
    static const struct {
        const char *name;
        uint64_t size;
        uint8_t byte;
    } rows[] = {
            {"an empty file", 0, 0},
            {"one byte", 1, 0},
            {"half a sector", 256, 0},
            {"a sector of zeros", 512, 0},
            {"a megabyte of zeros", 1 << 20, 0},
            {"a megabyte of ones", 1 << 20, 0xff},
            {"a megabyte of 0x55", 1 << 20, 0x55},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        uint8_t *bytes = steady_alloc((size_t)rows[i].size + 1);
        fat_err err;

        memset(bytes, rows[i].byte, (size_t)rows[i].size);
        err = try_bytes(bytes, rows[i].size);
        if (err != FAT_E_NOTFAT) {
            fail_msg("%s: %s", rows[i].name, fat_err_text(err));
        }
        free(bytes);
    }
}

static void random_bytes_are_refused(void **state)
{
    uint8_t bytes[4096];

    (void)state;
    for (uint32_t seed = 0; seed < 200; seed++) {
        image_fill(seed, bytes, sizeof(bytes));
        bytes[510] = 0x55;
        bytes[511] = 0xaa;
        assert_int_not_equal(try_bytes(bytes, sizeof(bytes)), FAT_OK);
    }
}

/* --- a boot sector that lies --- */

static void each_lie_of_the_boot_sector_is_refused_or_harmless(void **state)
{
    static const struct {
        const char *name;
        unsigned offset, length;
        uint32_t value;
        bool must_fail;
    } rows[] = {
            {"no bytes in a sector", 11, 2, 0, true},
            {"a sector of 513 bytes", 11, 2, 513, true},
            {"a sector of 8192 bytes", 11, 2, 8192, true},
            {"a sector of 32768 bytes", 11, 2, 32768, true},
            {"no sectors in a cluster", 13, 1, 0, true},
            {"three sectors in a cluster", 13, 1, 3, true},
            {"no reserved sectors", 14, 2, 0, true},
            {"all sectors reserved", 14, 2, 0xffff, true},
            {"no FAT", 16, 1, 0, true},
            {"255 FATs", 16, 1, 255, true},
            {"a root with 65535 entries", 17, 2, 65535, true},
            {"seven root entries", 17, 2, 7, false},
            {"three sectors in all", 19, 2, 3, true},
            {"a FAT of one sector too few", 22, 2, 1, false},
            {"a FAT of 65535 sectors", 22, 2, 65535, true},
            {"the medium is 0", 21, 1, 0, true},
            {"FAT32's FAT has no sectors", 36, 4, 0, false},
            {"FAT32's FAT has 2^32 - 1 sectors", 36, 4, 0xffffffff, false},
            {"the root begins at cluster 0", 44, 4, 0, false},
            {"the root begins behind the end", 44, 4, 0x0ffffff0, false},
            {"FSInfo is sector 65534", 48, 2, 65534, false},
            {"the version is 1.1", 42, 2, 0x101, false},
            {"the active FAT is number 15", 40, 2, 0x8f, false},
            {"2^32 - 1 sectors in all", 32, 4, 0xffffffff, false},
    };
    static const struct image_spec specs[] = {{.type = 12}, {.type = 16}, {.type = 32}};

    (void)state;
    for (size_t s = 0; s < 3; s++) {
        struct pristine p = make_pristine(&specs[s]);

        for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
            uint8_t *bytes = steady_alloc((size_t)p.size);
            fat_err err;

            memcpy(bytes, p.bytes, (size_t)p.size);
            for (unsigned b = 0; b < rows[i].length; b++) {
                bytes[rows[i].offset + b] = (uint8_t)(rows[i].value >> (8 * b));
            }
            err = try_bytes(bytes, p.size);
            if (err == FAT_OK && rows[i].must_fail && p.info.type != 32) {
                fail_msg("FAT%u, %s: opened", p.info.type, rows[i].name);
            }
            free(bytes);
        }
        free(p.bytes);
    }
}

/* --- less device than volume --- */

static void a_volume_that_was_cut_off_opens_read_only(void **state)
{
    struct pristine p = make_pristine(&(struct image_spec){.type = 12});
    const uint64_t data = p.info.data_start * p.info.sector_bytes;
    const uint64_t end = data + (uint64_t)p.info.cluster_count * p.info.cluster_bytes;

    (void)state;
    for (uint64_t size = 512; size < end; size += 512 * 7) {
        struct fat_blkdev *dev = device_of(p.bytes, size);
        struct fat_volume *volume;
        const fat_err err = fat_volume_open(dev, NULL, &volume);

        if (size >= data) {
            assert_int_equal(err, FAT_OK);
        }
        if (err == FAT_OK) {
            assert_true(fat_volume_is_read_only(volume));
            assert_non_null(fat_volume_read_only_reason(volume));
            (void)walk_volume(volume);
            assert_int_equal(fat_volume_close(volume), FAT_OK);
        }
        fat_blkdev_close(dev);
        (void)try_bytes(p.bytes, size);
    }
    free(p.bytes);
}

/* --- random damage --- */

static uint32_t roll(uint64_t *state, uint32_t sides)
{
    *state += UINT64_C(0x9e3779b97f4a7c15);
    return (uint32_t)(epoch_mix(*state) >> 16) % sides;
}

/* Most of it where it hurts: boot sector, FAT, directories. */
static void corrupt(const struct pristine *p, uint8_t *bytes, uint64_t seed)
{
    static const uint8_t values[] = {0, 0xff, 0xe5, 1, 2, 3, 0xf7, 0x0f, '.', 0x10};
    const uint64_t metadata = p->info.data_start * p->info.sector_bytes;
    uint64_t state = seed * 31337;
    const uint32_t count = 1 + roll(&state, 12);

    for (uint32_t i = 0; i < count; i++) {
        const uint32_t where = roll(&state, 20);
        uint64_t from = p->info.fat_start * p->info.sector_bytes;
        uint64_t length = 700;

        if (where == 0) {
            from = 0;
            length = 512;
        } else if (where < 8) {
            from = metadata;
            length = 12000;
        } else if (where < 13) {
            from = metadata > 4096 ? metadata - p->info.root_entries * 32 : metadata;
            length = 800;
        }
        bytes[(from + roll(&state, (uint32_t)length)) % p->size] =
                roll(&state, 3) ? values[roll(&state, sizeof(values))]
                                : (uint8_t)roll(&state, 256);
    }
}

static void random_damage_is_survived(void **state)
{
    static const struct image_spec specs[] = {{.type = 12, .clusters = 150},
            {.type = 32, .clusters = 150, .fat_count = 1},
            {.type = 12, .clusters = 60, .sector_bytes = 1024, .root_entries = 128}};
    const char *chosen = getenv("FATWARD_SEED");
    const uint64_t only = chosen ? strtoull(chosen, NULL, 10) : 0;

    (void)state;
    for (size_t s = 0; s < 3; s++) {
        struct pristine p = make_pristine(&specs[s]);
        uint8_t *bytes = steady_alloc((size_t)p.size);

        for (uint64_t seed = s + 1; seed <= CORRUPTIONS; seed += 3) {
            if (chosen && seed != only) {
                continue;
            }
            memcpy(bytes, p.bytes, (size_t)p.size);
            corrupt(&p, bytes, seed);
            (void)try_bytes(bytes, p.size);
        }
        free(bytes);
        free(p.bytes);
    }
}

/* Its index would cost the square of that, at every lookup. */
static void a_directory_full_of_one_name_is_listed_and_not_searched(void **state)
{
    enum { COPIES = 1500 };
    struct image img;
    struct fat_node *dir;
    struct fat_found found;
    uint8_t raw[32];
    uint64_t slots;

    (void)state;
    image_make(&img,
            &(struct image_spec){.type = 12, .clusters = 20, .cluster_sectors = 128});
    dir = image_mkdir(img.root, "dir");
    image_touch(dir, "SAME");
    fat_node_unref(dir);
    slots = surgery_first_of(img.root, "dir");
    image_close(&img);
    slots = surgery_cluster(&img, (uint32_t)slots);
    surgery_read(&img, slots + 64, raw, sizeof(raw));
    for (uint64_t i = 0; i < COPIES; i++) {
        surgery_write(&img, slots + 64 + i * sizeof(raw), raw, sizeof(raw));
    }
    image_open(&img);
    dir = image_lookup(img.root, "dir");
    assert_int_equal(image_count(dir), COPIES);
    assert_int_equal(fat_lookup(dir, "SAME", &found), FAT_E_CORRUPT);
    assert_int_equal(fat_create(dir, "new", 0, &found), FAT_E_READONLY);
    assert_int_equal(img.damage_reports, 1);
    fat_node_unref(dir);
    image_close(&img);
    image_drop(&img);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(what_is_no_volume_is_refused),
            cmocka_unit_test(a_directory_full_of_one_name_is_listed_and_not_searched),
            cmocka_unit_test(random_bytes_are_refused),
            cmocka_unit_test(each_lie_of_the_boot_sector_is_refused_or_harmless),
            cmocka_unit_test(a_volume_that_was_cut_off_opens_read_only),
            cmocka_unit_test(random_damage_is_survived),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
