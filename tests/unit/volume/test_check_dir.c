/* SPDX-License-Identifier: MIT */
/* What the checker says about directories, names and labels. */
#include <stdlib.h>

#include "support/cmocka.h"
#include "volume/check_image.h"
#include "volume/check_rows.h"

static void size_on_directory(struct image *i)
{
    image_put_size(i, 0, ROOT_SUB, 512);
}

static void directory_in_itself(struct image *i)
{
    image_put_entry(i, DEEP, 2, "AGAIN      ", FAT_ATTR_DIRECTORY, SUB);
}

static void root_in_directory(struct image *i)
{
    image_put_entry(i, SUB, SUB_END, "ROOT       ", FAT_ATTR_DIRECTORY, 2);
}

static void drop_dot(struct image *i)
{
    image_put_byte(i, image_slot(i, DEEP, 0), FAT_SLOT_FREE_BYTE);
}

static void drop_both_dots(struct image *i)
{
    drop_dot(i);
    image_put_byte(i, image_slot(i, DEEP, 1), FAT_SLOT_FREE_BYTE);
}

static void dot_is_no_directory(struct image *i)
{
    image_put_byte(i, image_slot(i, DEEP, 1) + DIR_ATTR, FAT_ATTR_ARCHIVE);
}

static void misplace_dot(struct image *i)
{
    image_put_entry(i, DEEP, 2, "..         ", FAT_ATTR_DIRECTORY, SUB);
}

/* In the very slot where another directory has it. */
static void dot_in_root(struct image *i)
{
    uint8_t raw[FAT_SLOT_BYTES];

    image_get(i, image_slot(i, 0, ROOT_HELLO), raw, sizeof(raw));
    image_put(i, image_slot(i, 0, ROOT_END), raw, sizeof(raw));
    image_put_entry(i, 0, ROOT_HELLO, ".          ", FAT_ATTR_DIRECTORY, 0);
}

static void dotdot_to_nowhere(struct image *i)
{
    image_put_start(i, DEEP, 1, HELLO);
}

/* IN.TXT holds what once was a directory, somewhere else. */
static void dotdot_to_copy_of_directory(struct image *i)
{
    image_put_entry(i, IN, 0, ".          ", FAT_ATTR_DIRECTORY, UNUSED);
    image_put_start(i, DEEP, 1, IN);
}

static void dot_elsewhere(struct image *i)
{
    image_put_start(i, DEEP, 0, SUB);
}

static void dotdot_to_old_parent(struct image *i)
{
    image_put_start(i, DEEP, 1, 0);
}

static void dotdot_to_old_directory(struct image *i)
{
    image_put_start(i, SUB, 1, DEEP);
}

static void entry_after_end(struct image *i)
{
    image_put_entry(i, 0, ROOT_END + 3, "GHOST   TXT", FAT_ATTR_ARCHIVE, 0);
}

static void dust_after_end(struct image *i)
{
    image_put_byte(i, image_slot(i, 0, ROOT_END + 3) + 5, 1);
}

static void illegal_short_name(struct image *i)
{
    image_put_byte(i, image_slot(i, 0, ROOT_EMPTY) + 2, '*');
}

static void same_short_name(struct image *i)
{
    image_put_entry(i, 0, ROOT_END, "EMPTY   BIN", FAT_ATTR_ARCHIVE, 0);
}

static void same_long_name(struct image *i)
{
    image_put_long(i, 0, ROOT_END + 2, "a RATHER long NAME.txt", "ARATHE~2TXT");
    image_put_entry(i, 0, ROOT_END + 2, "ARATHE~2TXT", FAT_ATTR_ARCHIVE, 0);
}

static void long_name_is_another_short_one(struct image *i)
{
    image_put_long(i, 0, ROOT_END + 1, "empty.bin", "EMPTY~1 BIN");
    image_put_entry(i, 0, ROOT_END + 1, "EMPTY~1 BIN", FAT_ATTR_ARCHIVE, 0);
}

static void long_name_is_its_own_short_one(struct image *i)
{
    image_put_long(i, 0, ROOT_END + 1, "Own.bin", "OWN     BIN");
    image_put_entry(i, 0, ROOT_END + 1, "OWN     BIN", FAT_ATTR_ARCHIVE, 0);
}

static void orphan_before_free(struct image *i)
{
    image_put_long(i, SUB, SUB_END + 2, "Some thing removed", "SOMETH~1   ");
    image_put_byte(i, image_slot(i, SUB, SUB_END + 2), FAT_SLOT_FREE_BYTE);
}

static void orphan_at_end(struct image *i)
{
    image_put_long(i, SUB, SUB_END + 2, "Some thing removed", "SOMETH~1   ");
}

static void orphan_before_other_entry(struct image *i)
{
    image_put_long(i, SUB, SUB_END + 2, "Some thing removed", "SOMETH~1   ");
    image_put_entry(i, SUB, SUB_END + 2, "OTHER      ", FAT_ATTR_ARCHIVE, 0);
}

static void orphan_before_whole_set(struct image *i)
{
    image_put_long(i, SUB, SUB_END + 1, "removed", "REMOVED    ");
    image_put_long(i, SUB, SUB_END + 2, "Kept.x", "KEPT    X  ");
    image_put_entry(i, SUB, SUB_END + 2, "KEPT    X  ", FAT_ATTR_ARCHIVE, 0);
}

static void break_long_order(struct image *i)
{
    image_put_byte(i, image_slot(i, 0, ROOT_LONG_2), 0x43);
}

static void break_long_type(struct image *i)
{
    image_put_byte(i, image_slot(i, 0, ROOT_LONG_2) + LDIR_TYPE, 1);
}

static void illegal_long_name(struct image *i)
{
    image_put_byte(i, image_slot(i, 0, ROOT_LONG_1) + LDIR_NAME1, '/');
}

static void label_and_directory(struct image *i)
{
    image_put_byte(i, image_slot(i, 0, ROOT_SUB) + DIR_ATTR,
            FAT_ATTR_DIRECTORY | FAT_ATTR_VOLUME_ID);
}

static void label_in_directory(struct image *i)
{
    image_put_entry(i, SUB, SUB_END, "LABEL      ", FAT_ATTR_VOLUME_ID, 0);
}

static void put_root_label(struct image *i, const char *label)
{
    image_put_entry(i, 0, ROOT_END, label, FAT_ATTR_VOLUME_ID, 0);
}

static void one_label_in_both(struct image *i)
{
    const unsigned field = i->g.type == FAT_TYPE_32 ? BS32_VOL_LAB : BS16_VOL_LAB;

    put_root_label(i, "LABEL      ");
    for (unsigned k = 0; k < FAT_LABEL_BYTES; k++) {
        image_put_boot_byte(i, field + k, (unsigned char)"LABEL      "[k]);
    }
}

static void two_labels(struct image *i)
{
    one_label_in_both(i);
    image_put_entry(i, 0, ROOT_END + 1, "SECOND     ", FAT_ATTR_VOLUME_ID, 0);
}

static void label_in_root_only(struct image *i)
{
    put_root_label(i, "LABEL      ");
}

static void impossible_time(struct image *i)
{
    image_put_byte(i, image_slot(i, 0, ROOT_EMPTY) + DIR_WRT_TIME + 1, 0xf8);
}

static const struct row rows[] = {
        {"a directory with a size", ON_ALL, size_on_directory, {FAT_FINDING_DIR_SIZE},
                1, "/SUB", false},
        {"a directory below itself", ON_ALL, directory_in_itself,
                {FAT_FINDING_DIR_LOOP}, 1, "/SUB/DEEP/AGAIN", false},
        {"the root below itself", ON_32, root_in_directory, {FAT_FINDING_DIR_LOOP}, 1,
                "/SUB/ROOT", false},
        {"no . entry", ON_ALL, drop_dot, {FAT_FINDING_DIR_DOT}, 1, "/SUB/DEEP", false},
        {"neither . nor ..", ON_ALL, drop_both_dots, {FAT_FINDING_DIR_DOT}, 1,
                "/SUB/DEEP", false},
        {".. is a file", ON_ALL, dot_is_no_directory, {FAT_FINDING_DIR_DOT}, 1,
                "/SUB/DEEP", false},
        {".. a second time", ON_ALL, misplace_dot, {FAT_FINDING_DIR_DOT}, 1,
                "/SUB/DEEP/..", false},
        {". in the root", ON_ALL, dot_in_root, {FAT_FINDING_DIR_DOT}, 1, "/.", false},
        {".. names a file", ON_ALL, dotdot_to_nowhere, {FAT_FINDING_DIR_DOT}, 1,
                "/SUB/DEEP", false},
        {".. names a file with a directory in it", ON_ALL, dotdot_to_copy_of_directory,
                {FAT_FINDING_DIR_DOT}, 1, "/SUB/DEEP", false},
        {". names another directory", ON_ALL, dot_elsewhere,
                {FAT_FINDING_DIR_DOT_CLUSTER}, 1, "/SUB/DEEP", false},
        {".. names the root", ON_ALL, dotdot_to_old_parent,
                {FAT_FINDING_DIR_DOTDOT_CLUSTER}, 1, "/SUB/DEEP", false},
        {".. names another directory", ON_ALL, dotdot_to_old_directory,
                {FAT_FINDING_DIR_DOTDOT_CLUSTER}, 1, "/SUB", false},
        {"an entry behind the end", ON_ALL, entry_after_end, {FAT_FINDING_AFTER_END}, 1,
                "/", false},
        {"a byte behind the end", ON_ALL, dust_after_end, {FAT_FINDING_AFTER_END}, 1,
                "/", false},
        {"an illegal short name", ON_ALL, illegal_short_name, {FAT_FINDING_SHORT_NAME},
                1, "/EM*TY.BIN", false},
        {"one short name twice", ON_ALL, same_short_name, {FAT_FINDING_DUPLICATE_NAME},
                1, "/EMPTY.BIN", false},
        {"one long name twice, in two cases", ON_ALL, same_long_name,
                {FAT_FINDING_DUPLICATE_NAME}, 1, "/a RATHER long NAME.txt", false},
        {"a long name that is another's short name", ON_ALL,
                long_name_is_another_short_one, {FAT_FINDING_DUPLICATE_NAME}, 1,
                "/empty.bin", false},
        {"a long name that is its own short name is nothing", ON_ALL,
                long_name_is_its_own_short_one, {0}, 0, NULL, false},
        {"long slots before a free one", ON_ALL, orphan_before_free,
                {FAT_FINDING_LFN_ORPHAN}, 1, "/SUB", false},
        {"long slots before the end", ON_ALL, orphan_at_end, {FAT_FINDING_LFN_ORPHAN},
                1, "/SUB", false},
        {"long slots before another's entry", ON_ALL, orphan_before_other_entry,
                {FAT_FINDING_LFN_ORPHAN}, 1, "/SUB", false},
        {"long slots before a whole set", ON_ALL, orphan_before_whole_set,
                {FAT_FINDING_LFN_ORPHAN}, 1, "/SUB", false},
        {"a long name with a wrong number", ON_ALL, break_long_order,
                {FAT_FINDING_LFN_BROKEN}, 1, "/ARATHE~1.TXT", false},
        {"a long name with a wrong type", ON_ALL, break_long_type,
                {FAT_FINDING_LFN_BROKEN}, 1, "/ARATHE~1.TXT", false},
        {"a long name with a slash", ON_ALL, illegal_long_name,
                {FAT_FINDING_LFN_BROKEN}, 1, "/? rather long name.txt", false},
        {"a label that is a directory", ON_ALL, label_and_directory,
                {FAT_FINDING_ATTRIBUTES}, 1, "/SUB", false},
        {"a label below the root", ON_ALL, label_in_directory, {FAT_FINDING_LABEL}, 1,
                "/SUB/LABEL", false},
        {"one label in both places is nothing", ON_ALL, one_label_in_both, {0}, 0, NULL,
                false},
        {"a second label", ON_ALL, two_labels, {FAT_FINDING_LABEL}, 1, "/SECOND",
                false},
        {"a label in the root only", ON_ALL, label_in_root_only,
                {FAT_FINDING_LABEL_DIFFERS}, 1, NULL, false},
        {"an hour of 31", ON_ALL, impossible_time, {FAT_FINDING_TIME}, 1, "/EMPTY.BIN",
                false},
};

static void each_defect_is_named_and_nothing_else(void **state)
{
    (void)state;
    run_rows(rows, sizeof(rows) / sizeof(*rows));
}

static void what_is_behind_the_end_is_damage_only_if_it_could_be_seen(void **state)
{
    struct log log = {0};
    struct image image;

    (void)state;
    image_make(&image, 12);
    dust_after_end(&image);
    assert_int_equal(fat_check(image.dev, note_finding, &log, NULL), FAT_OK);
    assert_int_equal(log.weights[0], FAT_WEIGHT_NOTE);
    entry_after_end(&image);
    log.count = 0;
    assert_int_equal(fat_check(image.dev, note_finding, &log, NULL), FAT_OK);
    assert_int_equal(log.weights[0], FAT_WEIGHT_DAMAGE);
    fat_blkdev_close(image.dev);
}

static void one_name_twice_is_found_among_many(void **state)
{
    const unsigned count = 400;
    struct log log = {0};
    struct image image;

    (void)state;
    image_make(&image, 16);
    for (unsigned k = 0; k < count; k++) {
        const unsigned number = k == 3 ? 3 : k * 7919 % 1000 + 1000;
        char name[FAT_SHORT_BYTES + 1];

        (void)snprintf(name, sizeof(name), "N%06u TXT", number);
        image_put_entry(&image, 0, ROOT_END + k, name, FAT_ATTR_ARCHIVE, 0);
    }
    image_put_entry(&image, 0, ROOT_END + count, "N000003 TXT", FAT_ATTR_ARCHIVE, 0);
    assert_int_equal(fat_check(image.dev, note_finding, &log, NULL), FAT_OK);
    assert_int_equal(log.count, 1);
    assert_int_equal(log.kinds[0], FAT_FINDING_DUPLICATE_NAME);
    assert_string_equal(log.first_path, "/N000003.TXT");
    fat_blkdev_close(image.dev);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(each_defect_is_named_and_nothing_else),
            cmocka_unit_test(one_name_twice_is_found_among_many),
            cmocka_unit_test(what_is_behind_the_end_is_damage_only_if_it_could_be_seen),
    };

    return cmocka_run_group_tests_name("volume/check_dir", tests, NULL, NULL);
}
