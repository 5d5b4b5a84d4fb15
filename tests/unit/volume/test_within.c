/* SPDX-License-Identifier: MIT */
/*
 * A commit of another thread's in the middle of an operation: behind its first edits,
 * while it writes data. What it edits after that belongs to the next commit.
 */
#include <pthread.h>

#include "base/bytes.h"
#include "ondisk/dirent.h"
#include "support/cmocka.h"
#include "support/surgery.h"

static const struct image_spec SPECS[] = {{.type = 12}, {.type = 16}, {.type = 32},
        {.type = 12, .sector_bytes = 4096, .fat_count = 3}};

enum { SPEC_COUNT = sizeof(SPECS) / sizeof(SPECS[0]) };

/* A device on which a commit comes before the next write. */
struct busy {
    struct fat_blkdev dev; /* first member */
    struct image img;
    bool commits; /* still to come */
    fat_err err;
};

static void *commit(void *context)
{
    struct busy *busy = context;

    busy->err = fat_volume_commit(busy->img.volume);
    return NULL;
}

static fat_err busy_read(
        struct fat_blkdev *dev, uint64_t offset, void *buffer, size_t length)
{
    struct fat_blkdev *under = ((struct busy *)(void *)dev)->img.dev;

    return under->ops->read(under, offset, buffer, length);
}

static fat_err busy_write(
        struct fat_blkdev *dev, uint64_t offset, const void *buffer, size_t length)
{
    struct busy *busy = (struct busy *)(void *)dev;
    pthread_t thread;

    if (busy->commits) {
        busy->commits = false;
        assert_int_equal(pthread_create(&thread, NULL, commit, busy), 0);
        assert_int_equal(pthread_join(thread, NULL), 0);
    }
    return busy->img.dev->ops->write(busy->img.dev, offset, buffer, length);
}

static fat_err busy_flush(struct fat_blkdev *dev)
{
    struct fat_blkdev *under = ((struct busy *)(void *)dev)->img.dev;

    return under->ops->flush(under);
}

static const struct fat_blkdev_ops BUSY = {
        .read = busy_read, .write = busy_write, .flush = busy_flush};

/* The image opened anew, and something changed: its marks are set. */
static void busy_open(struct busy *busy)
{
    const struct fat_volume_options options = image_options(&busy->img);

    image_close(&busy->img);
    busy->dev = *busy->img.dev;
    busy->dev.ops = &BUSY;
    busy->err = FAT_E_RANGE;
    assert_int_equal(fat_volume_open(&busy->dev, &options, &busy->img.volume), FAT_OK);
    busy->img.root = fat_volume_root(busy->img.volume);
    image_touch(busy->img.root, "first change");
    assert_int_equal(fat_volume_commit(busy->img.volume), FAT_OK);
}

static void write_it(struct fat_node *file)
{
    size_t done;

    assert_int_equal(fat_file_write(file, 0, "data", 4, &done), FAT_OK);
}

static void append_to_it(struct fat_node *file)
{
    size_t done;

    assert_int_equal(fat_file_append(file, "data", 4, &done), FAT_OK);
}

static void make_it_longer(struct fat_node *file)
{
    assert_int_equal(fat_file_truncate(file, 700), FAT_OK);
}

static void allocate_it(struct fat_node *file)
{
    assert_int_equal(fat_file_allocate(file, 0, 700, 0), FAT_OK);
}

static const struct row {
    const char *name;
    void (*grow)(struct fat_node *file);
} ROWS[] = {
        {"a write", write_it},
        {"an append", append_to_it},
        {"a truncate", make_it_longer},
        {"an allocation", allocate_it},
};

enum { ROW_COUNT = sizeof(ROWS) / sizeof(ROWS[0]) };

/* "A" has no cluster on disk, or is not there at all, when it begins to grow. */
static void rename_after_growing(
        const struct image_spec *spec, const struct row *row, bool is_new, bool is_held)
{
    struct busy busy = {.commits = false};
    struct fat_node *file, *dir;
    uint64_t entry;
    uint8_t raw[32];

    image_make(&busy.img, spec);
    dir = image_mkdir(busy.img.root, "dir");
    fat_node_unref(dir);
    if (!is_new) {
        image_touch(busy.img.root, "A");
    }
    busy_open(&busy);
    dir = image_lookup(busy.img.root, "dir");
    if (is_new) {
        image_touch(busy.img.root, "A");
    }
    entry = surgery_entry_of(busy.img.root, "A");
    file = image_lookup(busy.img.root, "A");
    busy.commits = true;
    row->grow(file);
    assert_int_equal(busy.err, FAT_OK);
    if (!is_held) {
        fat_node_unref(file);
    }
    assert_int_equal(fat_rename(busy.img.root, "A", dir, "B", 0), FAT_OK);
    file = is_held ? file : image_lookup(dir, "B");
    surgery_read(&busy.img, entry, raw, sizeof(raw));
    if (raw[0] != 'A' || fat_get16(raw, DIR_FST_CLUS_LO) != surgery_first(file)) {
        fail_msg("%s: renamed before its first cluster was on disk", row->name);
    }
    fat_node_unref(file);
    fat_node_unref(dir);
    image_done(&busy.img);
}

/* Else a power cut could leave both names, and nothing would tell that they are one. */
static void the_first_cluster_is_on_disk_before_a_rename_whenever_it_was_claimed(
        void **state)
{
    (void)state;
    for (size_t i = 0; i < SPEC_COUNT * ROW_COUNT; i++) {
        const struct image_spec *spec = &SPECS[i / ROW_COUNT];

        for (unsigned how = 0; how < 4; how++) {
            rename_after_growing(spec, &ROWS[i % ROW_COUNT], how & 1, how & 2);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(
                    the_first_cluster_is_on_disk_before_a_rename_whenever_it_was_claimed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
