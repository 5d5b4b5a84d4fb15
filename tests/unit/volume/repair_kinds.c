/* SPDX-License-Identifier: MIT */
#include "volume/repair_kinds.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "ondisk/dirent.h"
#include "ondisk/fatent.h"
#include "support/cmocka.h"

/* --- the volume --- */

static void note_places(struct patient *p, struct fat_node *dir)
{
    struct fat_node *root = p->img.root;

    p->file = surgery_first_of(root, "file");
    p->other = surgery_first_of(root, "other");
    p->dir = surgery_first(dir);
    p->sub = surgery_first_of(dir, "sub");
    p->moved = surgery_first_of(dir, "moved");
    p->file_entry = surgery_entry_of(root, "file");
    p->other_entry = surgery_entry_of(root, "other");
    p->spare_entry = surgery_entry_of(root, "spare");
    p->second_entry = surgery_entry_of(root, "second");
    p->some_entry = surgery_entry_of(root, "some name with many a slot");
    p->another_entry = surgery_entry_of(root, "another name with many a slot");
    p->inner_entry = surgery_entry_of(dir, "inner");
    p->sub_entry = surgery_entry_of(dir, "sub");
}

void patient_make(struct patient *p, unsigned type)
{
    struct fat_node *dir, *moved;

    *p = (struct patient){.file_size = 10000, .other_size = 9000, .inner_size = 100};
    image_make(&p->img, &(struct image_spec){.type = type});
    image_put(p->img.root, "file", 1, 10000);
    image_put(p->img.root, "other", 2, 9000);
    image_touch(p->img.root, "spare");
    image_touch(p->img.root, "second");
    image_touch(p->img.root, "some name with many a slot");
    image_touch(p->img.root, "another name with many a slot");
    dir = image_mkdir(p->img.root, "dir");
    image_put(dir, "inner", 3, 100);
    fat_node_unref(image_mkdir(dir, "sub"));
    moved = image_mkdir(dir, "moved");
    image_put(moved, "deep", 4, 700);
    fat_node_unref(moved);
    note_places(p, dir);
    fat_node_unref(dir);
    image_close(&p->img);
}

void patient_settle(struct patient *p)
{
    uint8_t *all = image_bytes(p->img.dev);
    struct fat_blkdev *base;

    assert_int_equal(fat_blkdev_mem_new(p->img.dev->size_bytes, &base), FAT_OK);
    assert_int_equal(base->ops->write(base, 0, all, (size_t)base->size_bytes), FAT_OK);
    free(all);
    recdev_free(p->img.rec);
    p->img.rec = NULL;
    fat_blkdev_close(p->img.base);
    p->img.base = base;
    patient_again(p);
}

void patient_again(struct patient *p)
{
    recdev_free(p->img.rec);
    assert_int_equal(recdev_new(p->img.base, &p->img.rec), FAT_OK);
    p->img.dev = recdev_blkdev(p->img.rec);
}

static void expect_either(struct fat_node *a, const char *a_name, struct fat_node *b,
        const char *b_name, uint32_t seed, size_t size)
{
    const bool is_a = image_try_lookup(a, a_name) == FAT_OK;

    image_expect(is_a ? a : b, is_a ? a_name : b_name, seed, size);
}

void patient_expect_all_on(struct patient *p, struct fat_blkdev *dev)
{
    const struct fat_volume_options options = {.flags = FAT_VOLUME_READ_ONLY};
    struct fat_volume *volume;
    struct fat_node *root, *dir, *moved;

    assert_int_equal(fat_volume_open(dev, &options, &volume), FAT_OK);
    root = fat_volume_root(volume);
    dir = image_lookup(root, "dir");
    expect_either(root, "file", root, "spare", 1, p->file_size);
    image_expect(root, "other", 2, p->other_size);
    image_expect(dir, "inner", 3, p->inner_size);
    moved = image_try_lookup(dir, "moved") == FAT_OK ? image_lookup(dir, "moved")
                                                     : image_lookup(root, "second");
    image_expect(moved, "deep", 4, 700);
    fat_node_unref(moved);
    fat_node_unref(dir);
    fat_node_unref(root);
    assert_int_equal(fat_volume_close(volume), FAT_OK);
}

void patient_expect_all(struct patient *p)
{
    patient_expect_all_on(p, p->img.dev);
}

/* --- what can be mended --- */

void kind_dirty(struct patient *p)
{
    surgery_make_dirty(&p->img);
}

void kind_lost(struct patient *p)
{
    surgery_link(&p->img, SURGERY_ALL, 300, 301);
    surgery_link(&p->img, SURGERY_ALL, 301, SURGERY_END);
}

static void lost_with_a_reserved_end(struct patient *p)
{
    surgery_link(&p->img, SURGERY_ALL, 304, 1);
}

static void lost_ring(struct patient *p)
{
    surgery_link(&p->img, SURGERY_ALL, 310, 311);
    surgery_link(&p->img, SURGERY_ALL, 311, 310);
}

static void lost_into_a_file(struct patient *p)
{
    surgery_link(&p->img, SURGERY_ALL, 320, p->other + 3);
}

static void lost_into_the_void(struct patient *p)
{
    surgery_link(&p->img, SURGERY_ALL, 330, 340);
    surgery_link(&p->img, SURGERY_ALL, 331, SURGERY_BAD - 1);
}

void kind_orphan(struct patient *p)
{
    const uint8_t gone = FAT_SLOT_FREE_BYTE;

    surgery_write(&p->img, p->some_entry, &gone, 1);
}

static void chain_too_long(struct patient *p)
{
    surgery_point(&p->img, p->other_entry, p->other, 100);
    p->other_size = 100;
}

static void chain_of_nothing(struct patient *p)
{
    uint8_t raw[FAT_SLOT_BYTES];

    surgery_read(&p->img, p->inner_entry, raw, sizeof(raw));
    fat_put32(raw, DIR_FILE_SIZE, 0);
    surgery_write(&p->img, p->inner_entry, raw, sizeof(raw));
    p->inner_size = 0;
}

static void old_dotdot(struct patient *p)
{
    surgery_point(&p->img, surgery_cluster(&p->img, p->moved) + 32, 0, 0);
}

static void wild_dotdot(struct patient *p)
{
    surgery_point(&p->img, surgery_cluster(&p->img, p->sub) + 32, 350, 0);
}

static void two_names_of_a_file(struct patient *p)
{
    kind_dirty(p); /* as a rename that was cut short leaves it; likewise below */
    surgery_point(&p->img, p->spare_entry, p->file, 10000);
}

static void two_names_of_a_directory(struct patient *p)
{
    const uint8_t directory = FAT_ATTR_DIRECTORY;

    kind_dirty(p);
    surgery_point(&p->img, p->second_entry, p->moved, 0);
    surgery_write(&p->img, p->second_entry + DIR_ATTR, &directory, 1);
}

/* Both wrong sizes of one chain that has two names. */
static void two_names_of_a_long_chain(struct patient *p)
{
    kind_dirty(p);
    surgery_point(&p->img, p->file_entry, p->file, 700);
    surgery_point(&p->img, p->spare_entry, p->file, 700);
    p->file_size = 700;
}

static void copies_differ(struct patient *p)
{
    surgery_link(&p->img, 1, p->file, 0);
    surgery_link(&p->img, 1, 200, SURGERY_END);
}

static void put_free_count(struct patient *p, uint32_t count)
{
    uint8_t raw[4];

    fat_put32(raw, 0, count);
    surgery_write(&p->img, 512 + 488, raw, sizeof(raw));
}

static void unknown_count(struct patient *p)
{
    put_free_count(p, UINT32_MAX);
}

static void wrong_count(struct patient *p)
{
    put_free_count(p, 7);
}

static void dirty_in_the_fat(struct patient *p)
{
    const unsigned type = p->img.spec.type;

    surgery_link(&p->img, SURGERY_ALL, 1,
            surgery_get_link(&p->img, 0, 1) & ~fat_ent_clean_bit((enum fat_type)type));
}

const struct kind mendable_kinds[] = {
        {"lost clusters", kind_lost, ON_ALL},
        {"a lost cluster with a reserved end", lost_with_a_reserved_end, ON_ALL},
        {"a lost ring", lost_ring, ON_ALL},
        {"lost clusters that lead into a file", lost_into_a_file, ON_ALL},
        {"lost clusters that lead nowhere", lost_into_the_void, ON_ALL},
        {"slots of a long name", kind_orphan, ON_ALL},
        {"a chain too long", chain_too_long, ON_ALL},
        {"a chain for no size", chain_of_nothing, ON_ALL},
        {"a .. of the old parent", old_dotdot, ON_ALL},
        {"a .. of no directory", wild_dotdot, ON_ALL},
        {"two names of a file", two_names_of_a_file, ON_ALL},
        {"two names of a directory", two_names_of_a_directory, ON_ALL},
        {"two names of a chain too long", two_names_of_a_long_chain, ON_ALL},
        {"FAT copies that differ", copies_differ, ON_ALL},
        {"an unknown count", unknown_count, ON_32},
        {"a wrong count", wrong_count, ON_32},
        {"the dirty mark", kind_dirty, ON_ALL},
        {"the dirty mark in the FAT", dirty_in_the_fat, ON_16 | ON_32},
};
const size_t mendable_count = sizeof(mendable_kinds) / sizeof(mendable_kinds[0]);

/* --- what forbids all writing --- */

static void loop(struct patient *p)
{
    surgery_link(&p->img, SURGERY_ALL, p->file + 19, p->file);
}

static void into_free(struct patient *p)
{
    surgery_link(&p->img, SURGERY_ALL, p->file + 1, 350);
}

static void into_bad(struct patient *p)
{
    surgery_link(&p->img, SURGERY_ALL, p->file + 1, SURGERY_BAD);
}

static void off_the_volume(struct patient *p)
{
    surgery_link(&p->img, SURGERY_ALL, p->file + 1, SURGERY_BAD - 1);
}

static void no_start(struct patient *p)
{
    surgery_point(&p->img, p->spare_entry, 0xfff0, 10);
}

static void cross_link(struct patient *p)
{
    surgery_link(&p->img, SURGERY_ALL, p->file + 1, p->other + 2);
}

static void directory_in_itself(struct patient *p)
{
    surgery_point(&p->img, p->sub_entry, p->dir, 0);
}

static void wrong_dot(struct patient *p)
{
    surgery_point(&p->img, surgery_cluster(&p->img, p->sub), p->other, 0);
}

static void no_dot(struct patient *p)
{
    const uint8_t gone = FAT_SLOT_FREE_BYTE;

    surgery_write(&p->img, surgery_cluster(&p->img, p->sub), &gone, 1);
}

static void entry_behind_the_end(struct patient *p)
{
    uint8_t raw[FAT_SLOT_BYTES];

    surgery_read(&p->img, p->spare_entry, raw, sizeof(raw));
    surgery_write(&p->img, surgery_cluster(&p->img, p->sub) + (uint64_t)5 * 32, raw,
            sizeof(raw));
}

void kind_short_chain(struct patient *p)
{
    surgery_point(&p->img, p->other_entry, p->other, 20000);
}

static void size_of_nothing(struct patient *p)
{
    surgery_point(&p->img, p->spare_entry, 0, 5);
}

const struct kind forbidding_kinds[] = {
        {"a loop", loop, ON_ALL},
        {"a chain into a free cluster", into_free, ON_ALL},
        {"a chain into a bad cluster", into_bad, ON_ALL},
        {"a chain that leaves the volume", off_the_volume, ON_ALL},
        {"a first cluster that is none", no_start, ON_ALL},
        {"a cross-link", cross_link, ON_ALL},
        {"a directory in itself", directory_in_itself, ON_ALL},
        {"a . that names another", wrong_dot, ON_ALL},
        {"no .", no_dot, ON_ALL},
        {"an entry behind the end", entry_behind_the_end, ON_ALL},
        {"a chain too short", kind_short_chain, ON_ALL},
        {"a size without a chain", size_of_nothing, ON_ALL},
};
const size_t forbidding_count = sizeof(forbidding_kinds) / sizeof(forbidding_kinds[0]);

/* --- names --- */

static void illegal_name(struct patient *p)
{
    surgery_write(&p->img, p->spare_entry + 2, "*", 1);
}

static void one_name_twice(struct patient *p)
{
    uint8_t name[FAT_SHORT_BYTES];

    surgery_read(&p->img, p->spare_entry, name, sizeof(name));
    surgery_write(&p->img, p->second_entry, name, sizeof(name));
}

static void broken_long_name(struct patient *p)
{
    const uint8_t wrong = 0x55;

    surgery_write(&p->img, p->another_entry - 32 + 12, &wrong, 1);
}

const struct kind name_kinds[] = {
        {"an illegal name", illegal_name, ON_ALL},
        {"one name twice", one_name_twice, ON_ALL},
        {"a broken long name", broken_long_name, ON_ALL},
};
const size_t name_count = sizeof(name_kinds) / sizeof(name_kinds[0]);
