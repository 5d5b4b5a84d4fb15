/* SPDX-License-Identifier: MIT */
/*
 * Another program writes to the volume while it is open: that is noticed before
 * anything is written over, and from then on nothing is.
 */
#include <string.h>

#include "support/cmocka.h"
#include "support/surgery.h"

/* Where the other program writes one byte. */
struct place {
    const char *name;
    unsigned type;
    uint64_t (*find)(struct image *img);
};

static uint64_t in_the_boot_sector(struct image *img)
{
    (void)img;
    return 3; /* the OEM name */
}

static struct fat_volume_info info_of(struct image *img)
{
    struct fat_volume_info info;

    fat_volume_info(img->volume, &info);
    return info;
}

static uint64_t in_the_first_fat_sector(struct image *img)
{
    const struct fat_volume_info info = info_of(img);

    return info.fat_start * info.sector_bytes + 300;
}

static uint64_t in_fsinfo(struct image *img)
{
    const struct fat_volume_info info = info_of(img);

    return (uint64_t)info.fsinfo_sector * info.sector_bytes + 488; /* the free count */
}

static const struct place marks[] = {
        {"the boot sector of FAT12", 12, in_the_boot_sector},
        {"the boot sector of FAT16", 16, in_the_boot_sector},
        {"the boot sector of FAT32", 32, in_the_boot_sector},
        {"the first FAT sector of FAT12", 12, in_the_first_fat_sector},
        {"the first FAT sector of FAT16", 16, in_the_first_fat_sector},
        {"the first FAT sector of FAT32", 32, in_the_first_fat_sector},
        {"FSInfo", 32, in_fsinfo},
};

enum { MARKS = sizeof(marks) / sizeof(marks[0]) };

static void change(struct image *img, uint64_t offset)
{
    uint8_t byte;

    surgery_read(img, offset, &byte, 1);
    byte ^= 0x10;
    surgery_write(img, offset, &byte, 1);
}

static void open_volume(struct image *img, unsigned type)
{
    image_make(img, &(struct image_spec){.type = type, .cache_bytes = 1});
    image_put(img->root, "F", 1, 3000);
    image_reopen(img);
}

/* The other program comes behind a commit of ours. */
static void open_and_change(struct image *img, const struct place *place)
{
    open_volume(img, place->type);
    image_touch(img->root, "before");
    assert_int_equal(fat_volume_commit(img->volume), FAT_OK);
    change(img, place->find(img));
}

/* It said so once, it is read-only, and what it holds can still be read. */
static void expect_noticed(struct image *img, const char *name)
{
    struct fat_found found;

    if (img->damage_reports != 1 || img->damage != FAT_E_CHANGED) {
        fail_msg("%s: %u reports, the last of %d", name, img->damage_reports,
                (int)img->damage);
    }
    assert_true(fat_volume_is_read_only(img->volume));
    assert_int_equal(fat_create(img->root, "later", 0, &found), FAT_E_READONLY);
    image_expect(img->root, "F", 1, 3000);
}

static void the_first_change_is_not_begun(void **state)
{
    (void)state;
    for (size_t i = 0; i < MARKS; i++) {
        struct image img;
        struct fat_found found;

        open_volume(&img, marks[i].type);
        change(&img, marks[i].find(&img));
        recdev_reset_counts(img.rec);
        if (fat_create(img.root, "new", 0, &found) != FAT_E_CHANGED) {
            fail_msg("%s: it goes on", marks[i].name);
        }
        expect_noticed(&img, marks[i].name);
        assert_int_equal(recdev_counts(img.rec).writes, 0);
        image_drop(&img);
    }
}

static void no_commit_writes_over_it(void **state)
{
    (void)state;
    for (size_t i = 0; i < MARKS; i++) {
        struct image img;

        open_and_change(&img, &marks[i]);
        image_touch(img.root, "after");
        recdev_reset_counts(img.rec);
        if (fat_volume_commit(img.volume) != FAT_E_IO) {
            fail_msg("%s: the commit goes on", marks[i].name);
        }
        expect_noticed(&img, marks[i].name);
        assert_int_equal(fat_volume_commit(img.volume), FAT_E_IO);
        assert_int_equal(recdev_counts(img.rec).writes, 0);
        image_drop(&img);
    }
}

static void closing_leaves_the_marks(void **state)
{
    (void)state;
    for (size_t i = 0; i < MARKS; i++) {
        struct image img;

        open_and_change(&img, &marks[i]);
        recdev_reset_counts(img.rec);
        fat_node_unref(img.root);
        img.root = NULL;
        if (fat_volume_close(img.volume) != FAT_E_CHANGED) {
            fail_msg("%s: it closes as if nothing were", marks[i].name);
        }
        img.volume = NULL;
        assert_int_equal(img.damage_reports, 1);
        assert_int_equal(recdev_counts(img.rec).writes, 0);
        assert_true(surgery_is_dirty(&img));
        image_drop(&img);
    }
}

/* The marks look as we left them, but not what would be written over. */
static void a_changed_directory_is_not_written_over(void **state)
{
    static const unsigned types[] = {12, 16, 32};

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        struct image img;
        uint64_t entry;
        uint8_t before[512];
        uint8_t after[512];

        open_volume(&img, types[i]);
        entry = surgery_entry_of(img.root, "F");
        image_touch(img.root, "beside");
        change(&img, entry + 11 + 2); /* creation time's tenths */
        surgery_read(&img, entry / 512 * 512, before, sizeof(before));
        assert_int_equal(fat_volume_commit(img.volume), FAT_E_IO);
        surgery_read(&img, entry / 512 * 512, after, sizeof(after));
        assert_memory_equal(before, after, sizeof(before));
        expect_noticed(&img, "a directory");
        image_drop(&img);
    }
}

enum { FAR = 300 * 512 };

/* Clusters of another program's file in the FAT sector where ours are to be freed. */
static void a_changed_fat_sector_is_not_freed_in(void **state)
{
    struct image img;
    uint64_t last;
    uint8_t before[512];
    uint8_t after[512];

    (void)state;
    image_make(&img, &(struct image_spec){.type = 16, .cache_bytes = 1});
    image_put(img.root, "F", 1, 3000);
    image_put(img.root, "far", 2, FAR);
    last = in_the_first_fat_sector(&img) / 512 * 512 + 512;
    image_reopen(&img);
    assert_int_equal(fat_unlink(img.root, "far"), FAT_OK);
    change(&img, last + 400);
    surgery_read(&img, last, before, sizeof(before));
    assert_int_equal(fat_volume_commit(img.volume), FAT_E_IO);
    surgery_read(&img, last, after, sizeof(after));
    assert_memory_equal(before, after, sizeof(before));
    expect_noticed(&img, "the FAT");
    image_drop(&img);
}

/* What can't be read was not written by anybody: our own changes go on, with a warning. */
static void a_failed_look_is_no_proof(void **state)
{
    struct image img;

    (void)state;
    open_volume(&img, 16);
    image_touch(img.root, "before");
    assert_int_equal(fat_volume_commit(img.volume), FAT_OK);
    image_touch(img.root, "after");
    recdev_fail(img.rec, RECDEV_READ, 1, FAT_E_IO, RECDEV_ALWAYS);
    assert_int_equal(fat_volume_commit(img.volume), FAT_OK);
    assert_int_equal(img.warnings, 1);
    image_touch(img.root, "later");
    assert_int_equal(fat_volume_commit(img.volume), FAT_OK);
    assert_int_equal(img.warnings, 1);
    recdev_fail(img.rec, RECDEV_READ, 0, FAT_OK, RECDEV_ONCE);
    image_done(&img);
}

/* A window on another device in which some bytes can be written, but not read. */
struct worn_device {
    struct fat_blkdev dev;
    struct fat_blkdev *below;
    uint64_t offset, length; /* of what can't be read                           */
    unsigned failed;         /* reads                                           */
};

static fat_err worn_read(
        struct fat_blkdev *dev, uint64_t offset, void *buffer, size_t length)
{
    struct worn_device *worn = (struct worn_device *)dev;

    if (worn->length > 0 && offset < worn->offset + worn->length &&
            worn->offset < offset + length) {
        worn->failed++;
        return FAT_E_IO;
    }
    return worn->below->ops->read(worn->below, offset, buffer, length);
}

static fat_err worn_write(
        struct fat_blkdev *dev, uint64_t offset, const void *buffer, size_t length)
{
    const struct worn_device *worn = (const struct worn_device *)dev;

    return worn->below->ops->write(worn->below, offset, buffer, length);
}

static fat_err worn_flush(struct fat_blkdev *dev)
{
    const struct worn_device *worn = (const struct worn_device *)dev;

    return worn->below->ops->flush(worn->below);
}

static const struct fat_blkdev_ops worn_ops = {
        .read = worn_read, .write = worn_write, .flush = worn_flush};

enum { PER_SECTOR = 512 / 32, ROW = 3 };

/*
 * New names in the first @sectors of the root, which one write is to bring to the disk;
 * the second of them can't be read by then. Returns where the row begins.
 */
static uint64_t fill_a_row(
        struct image *img, struct worn_device *worn, unsigned sectors)
{
    uint64_t row;

    image_make(img, &(struct image_spec){.type = 16, .root_entries = 2048});
    image_close(img);
    *worn = (struct worn_device){.dev = *img->dev, .below = img->dev};
    worn->dev.ops = &worn_ops;
    img->dev = &worn->dev;
    image_open(img);
    image_touch(img->root, "FIRST");
    assert_int_equal(fat_volume_commit(img->volume), FAT_OK);
    row = surgery_entry_of(img->root, "FIRST") / 512 * 512;
    for (unsigned i = 0; i < sectors * PER_SECTOR - 1; i++) {
        const char name[3] = {(char)('A' + i / 26), (char)('A' + i % 26), '\0'};

        image_touch(img->root, name);
    }
    worn->offset = row + 512;
    worn->length = 512;
    return row;
}

static void a_sector_that_cannot_be_read_hides_no_change_beside_it(void **state)
{
    static const uint64_t sectors[] = {0, 2};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct worn_device worn;
        struct image img;
        const uint64_t row = fill_a_row(&img, &worn, ROW);

        change(&img, row + sectors[i] * 512 + 500);
        recdev_reset_counts(img.rec);
        assert_int_equal(fat_volume_commit(img.volume), FAT_E_IO);
        assert_int_equal(img.damage_reports, 1);
        assert_int_equal(img.damage, FAT_E_CHANGED);
        assert_int_equal(recdev_counts(img.rec).writes, 0);
        assert_int_equal(worn.failed, sectors[i] < 1 ? 1 : 2);
        image_drop(&img);
    }
}

static void only_the_sector_that_cannot_be_read_stays_unproven(void **state)
{
    struct worn_device worn;
    struct image img;
    const uint64_t row = fill_a_row(&img, &worn, ROW);

    (void)state;
    assert_int_equal(fat_volume_commit(img.volume), FAT_OK);
    assert_int_equal(img.warnings, 1);
    assert_int_equal(img.warned_sector, row / 512 + 1);
    assert_int_equal(
            worn.failed, 4); /* in FILL and PUBLISH: with the row, then alone */
    worn.length = 0;
    image_done(&img);
}

/* Each read may take seconds, and a commit is waited for. */
static void a_medium_that_reads_nothing_is_not_asked_for_every_sector(void **state)
{
    enum { UNREAD_MAX = 16, MANY = 40 };
    struct worn_device worn;
    struct image img;
    const uint64_t row = fill_a_row(&img, &worn, MANY);

    (void)state;
    worn.offset = row;
    worn.length = (uint64_t)MANY * 512;
    assert_int_equal(fat_volume_commit(img.volume), FAT_OK);
    assert_int_equal(img.warnings, 1);
    assert_int_equal(img.warned_sector, row / 512);
    assert_int_equal(worn.failed, 2 * (1 + UNREAD_MAX));
    worn.length = 0;
    image_done(&img);
}

/* The program that has written there is the user's own, over a damaged volume. */
static void a_file_that_shares_a_directory_is_named_and_nobody_accused(void **state)
{
    static const unsigned types[] = {12, 16, 32};

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        struct image img;
        struct fat_node *folder;
        struct fat_node *file;
        uint32_t cluster;
        uint64_t entry;
        uint8_t data[512];

        open_volume(&img, types[i]);
        folder = image_mkdir(img.root, "FOLDER");
        cluster = surgery_first(folder);
        entry = surgery_entry_of(img.root, "F");
        fat_node_unref(folder);
        image_close(&img);
        surgery_point(&img, entry, cluster, sizeof(data));
        image_open(&img);
        folder = image_lookup(img.root, "FOLDER");
        file = image_lookup(img.root, "F");
        image_touch(folder, "before");
        assert_int_equal(fat_volume_commit(img.volume), FAT_OK);

        memset(data, 0xda, sizeof(data));
        image_write(file, 0, data, sizeof(data));
        image_touch(folder, "after");
        assert_int_equal(fat_volume_commit(img.volume), FAT_E_IO);
        assert_int_equal(img.damage_reports, 1);
        assert_int_equal(img.damage, FAT_E_CORRUPT);
        assert_int_equal(img.damaged_cluster, cluster);
        assert_non_null(strstr(
                fat_volume_read_only_reason(img.volume), "a file shares a cluster"));
        surgery_read(&img, surgery_cluster(&img, cluster), data, sizeof(data));
        assert_int_equal(data[0], 0xda); /* what the user wrote is not written over */
        fat_node_unref(file);
        fat_node_unref(folder);
        image_drop(&img);
    }
}

/* A card whose FSInfo can't be read has files that can. */
static void marks_that_cannot_be_read_open_it_read_only(void **state)
{
    struct image img;
    struct fat_volume_options options;

    (void)state;
    open_volume(&img, 16);
    image_close(&img);
    options = image_options(&img);
    /* the BPB is the first read, the first FAT sector the second */
    recdev_fail(img.rec, RECDEV_READ, 3, FAT_E_IO, RECDEV_ONCE);
    assert_int_equal(fat_volume_open(img.dev, &options, &img.volume), FAT_OK);
    img.root = fat_volume_root(img.volume);
    assert_true(fat_volume_is_read_only(img.volume));
    assert_non_null(fat_volume_read_only_reason(img.volume));
    image_expect(img.root, "F", 1, 3000);
    image_done(&img);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(the_first_change_is_not_begun),
            cmocka_unit_test(no_commit_writes_over_it),
            cmocka_unit_test(closing_leaves_the_marks),
            cmocka_unit_test(a_changed_directory_is_not_written_over),
            cmocka_unit_test(a_changed_fat_sector_is_not_freed_in),
            cmocka_unit_test(a_failed_look_is_no_proof),
            cmocka_unit_test(a_sector_that_cannot_be_read_hides_no_change_beside_it),
            cmocka_unit_test(only_the_sector_that_cannot_be_read_stays_unproven),
            cmocka_unit_test(a_medium_that_reads_nothing_is_not_asked_for_every_sector),
            cmocka_unit_test(
                    a_file_that_shares_a_directory_is_named_and_nobody_accused),
            cmocka_unit_test(marks_that_cannot_be_read_open_it_read_only),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
