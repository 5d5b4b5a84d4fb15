/* SPDX-License-Identifier: MIT */
/*
 * Entries that others wrote, or that two steps share: names that change places in one
 * interval, sizes that promise too much, the archive bit, and what stat costs.
 */
#include <stdio.h>
#include <string.h>

#include "support/cmocka.h"
#include "support/count.h"
#include "support/replay.h"
#include "support/surgery.h"
#include "tree/contents.h"

/* Files F00, F01, ... of one slot each. */
static void touch_many(struct fat_node *directory, const char *prefix, unsigned count)
{
    for (unsigned k = 0; k < count; k++) {
        char name[13];

        (void)snprintf(name, sizeof(name), "%s%02u", prefix, k);
        image_touch(directory, name);
    }
}

/* No power cut may leave damage. */
static int judge_damage(
        struct fat_blkdev *dev, const struct replay_state *state, void *context)
{
    struct fat_check_summary summary;

    (void)state;
    (void)context;
    return fat_check(dev, NULL, NULL, &summary) != FAT_OK || summary.damages > 0;
}

/* What is left of a cut is gone after the first change, and no file is lost or twice. */
static int judge_recovery(
        struct fat_blkdev *dev, const struct replay_state *state, void *context)
{
    const unsigned *files = context;
    struct fat_check_summary summary;
    struct fat_volume *volume;
    struct fat_node *root;
    struct fat_found found;
    fat_err err;

    (void)state;
    if (fat_volume_open(dev, NULL, &volume) != FAT_OK) {
        return 1;
    }
    root = fat_volume_root(volume);
    err = fat_create(root, "first change", 0, &found);
    if (err == FAT_OK) {
        fat_node_unref(found.node);
    }
    fat_node_unref(root);
    if (fat_volume_close(volume) != FAT_OK || err != FAT_OK) {
        return 2;
    }
    err = fat_check(dev, NULL, NULL, &summary);
    return err != FAT_OK || summary.damages + summary.leftovers > 0 ||
           summary.files != *files + 1;
}

static void assert_every_cut(
        struct image *img, const char *name, replay_judge_fn *judge, unsigned files)
{
    char report[256] = "";
    const struct replay_options options = {
            .report = report, .report_bytes = sizeof(report)};
    struct replay_stats stats;

    assert_int_equal(recdev_replay(img->rec, &options, judge, &files, &stats), FAT_OK);
    assert_true(stats.states > 1);
    count_add(COUNT_STATES, stats.states);
    if (stats.bad > 0) {
        fail_msg("%s: a power cut is not survived: %s", name, report);
    }
}

static void start_log(struct image *img)
{
    assert_int_equal(fat_volume_commit(img->volume), FAT_OK);
    assert_int_equal(recdev_restart(img->rec), FAT_OK);
}

static void a_name_left_for_its_own_alias_is_not_given_away_before_a_commit(
        void **state)
{
    struct image img;

    (void)state;
    image_make(&img, &(struct image_spec){.type = 16});
    image_put(img.root, "longname.text", 1, 700);
    touch_many(img.root, "F", 20); /* so that new slots are in another sector */
    start_log(&img);
    assert_int_equal(
            fat_rename(img.root, "longname.text", img.root, "longna~1.tex", 0), FAT_OK);
    image_put(img.root, "longname.text", 2, 900);
    assert_int_equal(fat_volume_commit(img.volume), FAT_OK);
    assert_every_cut(&img, "to its alias", judge_damage, 0);
    image_expect(img.root, "longna~1.tex", 1, 700);
    image_expect(img.root, "longname.text", 2, 900);
    image_done(&img);
}

/* One slot in front of where the engine put it: over a sector border. */
static void put_over_a_border(
        struct image *img, const char *name, size_t length, uint64_t *ret_entry)
{
    const uint8_t gone = 0xe5;
    uint8_t set[2][32];
    uint64_t entry;

    touch_many(img->root, "F", 15);
    image_put(img->root, name, 1, length);
    entry = surgery_entry_of(img->root, name);
    image_close(img);
    assert_int_equal(entry % 512, 32); /* the sector before has one slot left */
    surgery_read(img, entry - 32, set, sizeof(set));
    surgery_write(img, entry - 64, set, sizeof(set));
    surgery_write(img, entry, &gone, 1);
    *ret_entry = entry - 32;
    image_open(img);
}

static void a_case_change_of_a_set_over_a_sector_border_shows_one_name(void **state)
{
    static const struct {
        const char *name, *to;
        size_t length;
    } rows[] = {
            {"it fits 8.3 now", "MIXED.TXT", 700},
            {"it fits 8.3 in small letters", "mixed.txt", 700},
            {"it doesn't", "mixED.txt", 700},
            {"an empty file, it fits 8.3 now", "MIXED.TXT", 0},
            {"an empty file, it doesn't", "mixED.txt", 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct image img;
        struct fat_dir_entry shown = {.slot = 0};
        uint32_t cookie = 0;
        unsigned seen = 0;
        uint64_t entry;

        image_make(&img, &(struct image_spec){.type = 16});
        put_over_a_border(&img, "Mixed.txt", rows[i].length, &entry);
        touch_many(img.root, "G", 15); /* the rest of that sector */
        assert_int_equal(surgery_entry_of(img.root, "Mixed.txt"), entry);
        start_log(&img);
        assert_int_equal(
                fat_rename(img.root, "Mixed.txt", img.root, rows[i].to, 0), FAT_OK);
        assert_int_equal(fat_volume_commit(img.volume), FAT_OK);
        assert_every_cut(&img, rows[i].name, judge_recovery, 31);
        while (fat_dir_next(img.root, &cookie, &shown) == FAT_OK) {
            seen += strcmp(shown.name, rows[i].to) == 0;
        }
        if (seen != 1) {
            fail_msg("%s: it shows %u times", rows[i].name, seen);
        }
        image_expect(img.root, rows[i].to, 1, rows[i].length);
        image_done(&img);
    }
}

enum { PROMISED = 60000 };

struct liar {
    const char *name;
    size_t length; /* bytes it really has */
};

static const struct liar LIARS[] = {{"no cluster at all", 0}, {"one cluster", 512}};

enum { LIAR_COUNT = sizeof(LIARS) / sizeof(LIARS[0]) };

/* "liar" promises more than its chain has; what was deleted lies all around. */
static struct fat_node *make_liar(struct image *img, const struct liar *liar)
{
    uint64_t entry;
    uint32_t first;

    image_make(img, &(struct image_spec){.type = 16});
    image_put(img->root, "liar", 1, liar->length);
    image_put(img->root, "secret", 2, 100000);
    assert_int_equal(fat_unlink(img->root, "secret"), FAT_OK);
    entry = surgery_entry_of(img->root, "liar");
    first = surgery_first_of(img->root, "liar");
    image_close(img);
    surgery_point(img, entry, first, PROMISED);
    image_open(img);
    return image_lookup(img->root, "liar");
}

static fat_err by_append(struct fat_node *file)
{
    size_t done;

    return fat_file_append(file, "x", 1, &done);
}

static fat_err by_write(struct fat_node *file)
{
    size_t done;

    return fat_file_write(file, PROMISED + 5000, "x", 1, &done);
}

static fat_err by_overwrite(struct fat_node *file)
{
    size_t done;

    return fat_file_write(file, 1024, "x", 1, &done);
}

static fat_err by_truncate(struct fat_node *file)
{
    return fat_file_truncate(file, PROMISED + 5000);
}

static fat_err by_cut(struct fat_node *file)
{
    return fat_file_truncate(file, PROMISED - 5000);
}

static fat_err by_allocate(struct fat_node *file)
{
    return fat_file_allocate(file, 0, PROMISED + 5000, 0);
}

static void a_file_shorter_than_its_size_never_grows_into_what_was_deleted(void **state)
{
    static const struct {
        const char *name;
        fat_err (*change)(struct fat_node *file);
    } rows[] = {
            {"append", by_append},
            {"a write behind the end", by_write},
            {"a write within the size", by_overwrite},
            {"a truncate to more", by_truncate},
            {"a truncate to less, but more than there is", by_cut},
            {"allocate", by_allocate},
    };

    (void)state;
    for (size_t i = 0; i < LIAR_COUNT * (sizeof(rows) / sizeof(rows[0])); i++) {
        struct image img;
        struct fat_node *file = make_liar(&img, &LIARS[i % LIAR_COUNT]);
        const char *name = rows[i / LIAR_COUNT].name;
        uint8_t bytes[512];
        size_t done = 77;

        if (rows[i / LIAR_COUNT].change(file) != FAT_E_CORRUPT) {
            fail_msg("%s, %s: not seen", name, LIARS[i % LIAR_COUNT].name);
        }
        assert_true(fat_volume_is_read_only(img.volume));
        assert_int_equal(image_size(file), PROMISED);
        assert_int_equal(fat_file_read(file, 512, bytes, 512, &done), FAT_E_CORRUPT);
        assert_int_equal(done, 77);
        fat_node_unref(file);
        image_drop(&img);
    }
}

static void a_file_shorter_than_its_size_can_be_cut_to_what_it_has(void **state)
{
    (void)state;
    for (size_t i = 0; i < LIAR_COUNT; i++) {
        struct image img;
        struct fat_node *file = make_liar(&img, &LIARS[i]);

        assert_int_equal(fat_file_truncate(file, LIARS[i].length), FAT_OK);
        fat_node_unref(file);
        image_expect(img.root, "liar", 1, LIARS[i].length);
        image_done(&img);
    }
}

static uint8_t checksum_of(const uint8_t *name)
{
    uint8_t sum = 0;

    for (unsigned i = 0; i < 11; i++) {
        sum = (uint8_t)((sum >> 1 | sum << 7) + name[i]);
    }
    return sum;
}

/* The short name behind a long one gets @byte, and the long one stays valid. */
static void spoil_short_name(
        struct image *img, uint64_t entry, unsigned longs, uint8_t byte)
{
    uint8_t raw[32];
    uint8_t sum;

    surgery_read(img, entry, raw, sizeof(raw));
    raw[1] = byte;
    sum = checksum_of(raw);
    surgery_write(img, entry, raw, sizeof(raw));
    for (unsigned i = 1; i <= longs; i++) {
        surgery_write(img, entry - i * 32 + 13, &sum, 1);
    }
}

static void a_short_name_that_has_to_be_mended_keeps_its_place_in_the_index(
        void **state)
{
    static const uint8_t bytes[] = {'/', 0x01, 0x1f, '"', '*', 'x', 0x7f, 0x80};

    (void)state;
    for (size_t i = 0; i < sizeof(bytes); i++) {
        struct image img;
        uint64_t entry;

        image_make(&img, &(struct image_spec){.type = 16});
        image_put(img.root, "Some long name", 1, 600);
        entry = surgery_entry_of(img.root, "Some long name");
        image_close(&img);
        spoil_short_name(&img, entry, 2, bytes[i]);
        image_open(&img);
        assert_int_equal(
                fat_rename(img.root, "Some long name", img.root, "SOME long name", 0),
                FAT_OK);
        image_expect(img.root, "some long name", 1, 600);
        assert_int_equal(fat_unlink(img.root, "some long name"), FAT_OK);
        assert_int_equal(image_count(img.root), 0);
        image_touch(img.root, "Some long name");
        image_done(&img);
    }
}

static void writing_over_a_file_sets_its_archive_bit_on_disk(void **state)
{
    static const unsigned types[] = {12, 16, 32};

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        const struct fat_node_changes changes = {
                .which = FAT_SET_ATTRIBUTES, .attributes = FAT_NODE_HIDDEN};
        struct image img;
        struct fat_node *file;
        struct fat_stat st;

        image_make(&img, &(struct image_spec){.type = types[i]});
        image_put(img.root, "F", 1, 1000);
        file = image_lookup(img.root, "F");
        assert_int_equal(fat_node_change(file, &changes), FAT_OK);
        fat_node_unref(file);
        image_reopen(&img);
        file = image_lookup(img.root, "F");
        assert_int_equal(fat_node_stat(file, &st), FAT_OK);
        assert_int_equal(st.attributes, FAT_NODE_HIDDEN);
        image_write(file, 0, "hey", 3);
        fat_node_unref(file);
        image_reopen(&img);
        file = image_lookup(img.root, "F");
        assert_int_equal(fat_node_stat(file, &st), FAT_OK);
        assert_int_equal(st.attributes, FAT_NODE_HIDDEN | FAT_NODE_ARCHIVE);
        fat_node_unref(file);
        image_done(&img);
    }
}

static void extending_never_cuts(void **state)
{
    static const uint32_t sizes[] = {0, 1, 1000, 2999, 3000};
    struct image img;
    struct fat_node *file;

    (void)state;
    image_make(&img, &(struct image_spec){.type = 12});
    image_put(img.root, "F", 1, 3000);
    file = image_lookup(img.root, "F");
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        /* What is tried again after a commit, when others have made it grow. */
        assert_int_equal(fat_contents_extend(file, sizes[i]), FAT_OK);
        assert_int_equal(fat_file_allocate(file, 0, sizes[i] + 1, 0),
                FAT_OK); /* the last makes it grow by one byte */
    }
    assert_int_equal(image_size(file), 3001);
    assert_int_equal(fat_file_truncate(file, 3000), FAT_OK);
    fat_node_unref(file);
    image_expect(img.root, "F", 1, 3000);
    image_done(&img);
}

static void stat_of_a_file_reads_nothing(void **state)
{
    static const uint64_t sizes[] = {1, 512, 100000, 20000000};

    (void)state;
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        struct image img;
        struct fat_node *file;
        struct fat_stat st;

        image_make(&img, &(struct image_spec){.type = 16, .clusters = 60000});
        file = image_create(img.root, "F");
        assert_int_equal(fat_file_truncate(file, sizes[i]), FAT_OK);
        fat_node_unref(file);
        image_reopen(&img);
        file = image_lookup(img.root, "F");
        recdev_reset_counts(img.rec);
        assert_int_equal(fat_node_stat(file, &st), FAT_OK);
        assert_int_equal(recdev_counts(img.rec).reads, 0);
        assert_int_equal(st.size_bytes, sizes[i]);
        assert_int_equal(st.allocated_bytes, (sizes[i] + 511) / 512 * 512);
        fat_node_unref(file);
        image_done(&img);
    }
}

static void stat_of_a_broken_file_harms_nobody(void **state)
{
    struct image img;
    struct fat_node *file;
    struct fat_stat st;
    uint32_t first;

    (void)state;
    image_make(&img, &(struct image_spec){.type = 16});
    image_put(img.root, "F", 1, 3000);
    first = surgery_first_of(img.root, "F");
    image_close(&img);
    surgery_link(&img, SURGERY_ALL, first, SURGERY_BAD);
    image_open(&img);
    file = image_lookup(img.root, "F");
    assert_int_equal(fat_node_stat(file, &st), FAT_OK);
    assert_int_equal(st.size_bytes, 3000);
    assert_false(fat_volume_is_read_only(img.volume));
    fat_node_unref(file);
    image_drop(&img);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(
                    a_name_left_for_its_own_alias_is_not_given_away_before_a_commit),
            cmocka_unit_test(
                    a_case_change_of_a_set_over_a_sector_border_shows_one_name),
            cmocka_unit_test(
                    a_file_shorter_than_its_size_never_grows_into_what_was_deleted),
            cmocka_unit_test(a_file_shorter_than_its_size_can_be_cut_to_what_it_has),
            cmocka_unit_test(
                    a_short_name_that_has_to_be_mended_keeps_its_place_in_the_index),
            cmocka_unit_test(writing_over_a_file_sets_its_archive_bit_on_disk),
            cmocka_unit_test(extending_never_cuts),
            cmocka_unit_test(stat_of_a_file_reads_nothing),
            cmocka_unit_test(stat_of_a_broken_file_harms_nobody),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
