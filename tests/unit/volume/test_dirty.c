/* SPDX-License-Identifier: MIT */
/*
 * Volumes that were not closed: readable at once, scanned before the first change,
 * what a power cut leaves mended, and read-only where somebody could lose by it.
 */
#include <stdlib.h>

#include "support/cmocka.h"
#include "support/surgery.h"

static const struct image_spec SPECS[] = {{.type = 12}, {.type = 16}, {.type = 32},
        {.type = 12, .sector_bytes = 4096, .fat_count = 3}};

enum { SPEC_COUNT = sizeof(SPECS) / sizeof(SPECS[0]) };

/* A volume with two files, two directories and a file in one of them, closed. */
struct patient {
    struct image img;
    uint32_t file, other, dir, sub; /* first clusters          */
    uint64_t file_entry, other_entry, dir_entry, sub_entry;
    uint32_t free_clusters;
};

static void make_patient(struct patient *p, const struct image_spec *spec)
{
    struct fat_node *dir;

    image_make(&p->img, spec);
    image_put(p->img.root, "file", 1, 10000);
    image_put(p->img.root, "other", 2, 9000);
    image_touch(p->img.root, "spare");
    dir = image_mkdir(p->img.root, "dir");
    image_put(dir, "inner", 3, 100);
    fat_node_unref(image_mkdir(dir, "sub"));
    p->file = surgery_first_of(p->img.root, "file");
    p->other = surgery_first_of(p->img.root, "other");
    p->dir = surgery_first(dir);
    p->sub = surgery_first_of(dir, "sub");
    p->file_entry = surgery_entry_of(p->img.root, "file");
    p->other_entry = surgery_entry_of(p->img.root, "other");
    p->dir_entry = surgery_entry_of(p->img.root, "dir");
    p->sub_entry = surgery_entry_of(dir, "sub");
    fat_node_unref(dir);
    p->free_clusters = image_free(&p->img);
    image_close(&p->img);
    surgery_make_dirty(&p->img);
}

static void first_change(struct patient *p)
{
    image_touch(p->img.root, "first change");
}

static void assert_refused(struct patient *p)
{
    struct fat_found found;

    assert_int_equal(fat_create(p->img.root, "refused", 0, &found), FAT_E_READONLY);
    assert_true(fat_volume_is_read_only(p->img.volume));
    assert_non_null(fat_volume_read_only_reason(p->img.volume));
    assert_int_equal(p->img.damage_reports, 1);
    assert_int_equal(fat_create(p->img.root, "refused", 0, &found), FAT_E_READONLY);
    assert_int_equal(p->img.damage_reports, 1);
}

static void reading_leaves_every_bit_alone(void **state)
{
    (void)state;
    for (size_t i = 0; i < SPEC_COUNT; i++) {
        for (unsigned how = 0; how < 4; how++) {
            struct patient p;
            uint8_t *before;
            uint8_t *after;

            make_patient(&p, &SPECS[i]);
            if (how & 1) { /* clean */
                const uint8_t clean = 0;

                surgery_write(&p.img, SPECS[i].type == 32 ? 0x41 : 0x25, &clean, 1);
            }
            before = image_bytes(p.img.dev);
            if (how & 2) {
                image_open(&p.img);
            } else {
                image_open_read_only(&p.img);
            }
            image_expect(p.img.root, "file", 1, 10000);
            assert_int_equal(image_count(p.img.root), 4);
            (void)image_free(&p.img);
            assert_int_equal(fat_volume_commit(p.img.volume), FAT_OK);
            image_close(&p.img);
            after = image_bytes(p.img.dev);
            assert_memory_equal(before, after, (size_t)p.img.dev->size_bytes);
            free(before);
            free(after);
            image_drop(&p.img);
        }
    }
}

static void it_recovers_without_a_change(void **state)
{
    (void)state;
    for (size_t i = 0; i < SPEC_COUNT; i++) {
        struct patient p;
        unsigned writes;

        make_patient(&p, &SPECS[i]);
        surgery_point(&p.img, p.file_entry, 0, 0); /* its chain is lost */
        image_open(&p.img);
        assert_int_equal(fat_volume_recover(p.img.volume), FAT_OK);
        assert_int_equal(fat_volume_commit(p.img.volume), FAT_OK);
        assert_true(image_free(&p.img) > p.free_clusters);
        image_expect(p.img.root, "other", 2, 9000);
        writes = recdev_counts(p.img.rec).writes;
        assert_int_equal(fat_volume_recover(p.img.volume), FAT_OK);
        assert_int_equal(recdev_counts(p.img.rec).writes, writes);
        image_close(&p.img);
        assert_false(surgery_is_dirty(&p.img));
        image_open(&p.img);
        writes = recdev_counts(p.img.rec).writes;
        assert_int_equal(fat_volume_recover(p.img.volume), FAT_OK); /* a clean one */
        assert_int_equal(recdev_counts(p.img.rec).writes, writes);
        image_done(&p.img);
    }
}

static void what_is_read_only_does_not_recover(void **state)
{
    (void)state;
    for (size_t i = 0; i < SPEC_COUNT; i++) {
        struct patient p;
        unsigned writes;

        make_patient(&p, &SPECS[i]);
        image_open_read_only(&p.img);
        writes = recdev_counts(p.img.rec).writes;
        assert_int_equal(fat_volume_recover(p.img.volume), FAT_E_READONLY);
        assert_int_equal(recdev_counts(p.img.rec).writes, writes);
        image_close(&p.img);
        surgery_link(
                &p.img, -1, p.other, p.file + 1); /* clusters that two files share */
        image_open(&p.img);
        assert_int_equal(fat_volume_recover(p.img.volume), FAT_E_READONLY);
        assert_int_equal(p.img.damage_reports, 1);
        image_close(&p.img);
        image_drop(&p.img);
    }
}

static void a_change_leaves_it_clean(void **state)
{
    (void)state;
    for (size_t i = 0; i < SPEC_COUNT; i++) {
        struct patient p;

        make_patient(&p, &SPECS[i]);
        image_open(&p.img);
        first_change(&p);
        assert_true(surgery_is_dirty(&p.img));
        image_close(&p.img);
        assert_false(surgery_is_dirty(&p.img));
        image_check_clean(p.img.dev);
        image_open(&p.img);
        image_done(&p.img);
    }
}

static void lost_chains_are_given_back(void **state)
{
    (void)state;
    for (size_t i = 0; i < SPEC_COUNT; i++) {
        struct patient p;
        const uint8_t gone = 0xe5;
        uint32_t freed;

        make_patient(&p, &SPECS[i]);
        surgery_write(&p.img, p.file_entry, &gone, 1);
        /* and one that nobody ever owned */
        surgery_link(&p.img, SURGERY_ALL, 300, 301);
        surgery_link(&p.img, SURGERY_ALL, 301, SURGERY_END);
        freed = (10000 + p.img.spec.cluster_sectors * p.img.spec.sector_bytes - 1) /
                (p.img.spec.cluster_sectors * p.img.spec.sector_bytes);
        image_open(&p.img);
        first_change(&p);
        assert_int_equal(image_free(&p.img), p.free_clusters + freed);
        image_expect(p.img.root, "other", 2, 9000);
        image_done(&p.img);
    }
}

static void lost_chains_can_be_used_by_the_first_change(void **state)
{
    struct patient p;
    struct fat_node *file;
    const uint8_t gone = 0xe5;

    (void)state;
    make_patient(&p, &(struct image_spec){.type = 12, .clusters = 60});
    surgery_write(&p.img, p.file_entry, &gone, 1);
    image_open(&p.img);
    file = image_lookup(p.img.root, "spare");
    image_write(file, 0, (const uint8_t[512]){1}, 512);
    assert_int_equal(
            fat_file_truncate(file, (uint64_t)(p.free_clusters + 15) * 512), FAT_OK);
    fat_node_unref(file);
    image_done(&p.img);
}

static void fat_copies_are_made_equal(void **state)
{
    (void)state;
    for (size_t i = 0; i < SPEC_COUNT; i++) {
        struct patient p;

        make_patient(&p, &SPECS[i]);
        surgery_link(&p.img, 1, p.file, 0);
        surgery_link(&p.img, 1, 200, SURGERY_END);
        image_open(&p.img);
        first_change(&p);
        image_close(&p.img);
        assert_int_equal(surgery_get_link(&p.img, 0, p.file),
                surgery_get_link(&p.img, 1, p.file));
        assert_int_equal(surgery_get_link(&p.img, 1, 200), 0);
        image_open(&p.img);
        image_expect(p.img.root, "file", 1, 10000);
        image_done(&p.img);
    }
}

/* "spare" becomes a second name of the chain of "file". */
static void make_alias(struct patient *p)
{
    uint64_t entry;

    image_open(&p->img);
    entry = surgery_entry_of(p->img.root, "spare");
    image_close(&p->img);
    surgery_point(&p->img, entry, p->file, 10000);
}

static void of_two_names_of_a_file_one_is_kept(void **state)
{
    (void)state;
    for (size_t i = 0; i < SPEC_COUNT; i++) {
        struct patient p;
        const char *kept;

        make_patient(&p, &SPECS[i]);
        make_alias(&p);
        image_open(&p.img);
        image_expect(p.img.root, "file", 1, 10000);
        image_expect(p.img.root, "spare", 1, 10000);
        first_change(&p);
        kept = image_try_lookup(p.img.root, "file") == FAT_OK ? "file" : "spare";
        image_expect(p.img.root, kept, 1, 10000);
        assert_int_equal(image_count(p.img.root), 4);
        assert_int_equal(image_free(&p.img), p.free_clusters);
        image_reopen(&p.img);
        image_expect(p.img.root, kept, 1, 10000);
        image_expect(p.img.root, "other", 2, 9000);
        image_done(&p.img);
    }
}

/* Rename marks its new entry: DIR_CrtTimeTenth is larger than the old one's. */
static void set_hundredths(struct image *img, uint64_t entry, uint8_t value)
{
    surgery_write(img, entry + 13, &value, 1);
}

static void the_name_that_a_rename_had_just_published_is_kept(void **state)
{
    static const struct {
        uint8_t file, spare;
        const char *kept;
    } rows[] = {{0, 1, "spare"}, {1, 0, "file"}, {199, 0, "spare"}, {0, 199, "file"},
            {0, 3, "spare"}, {3, 0, "file"}, {198, 1, "spare"}, {255, 56, "spare"}};

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct patient p;

        make_patient(&p, &SPECS[0]);
        make_alias(&p);
        image_open(&p.img);
        const uint64_t spare = surgery_entry_of(p.img.root, "spare");
        image_close(&p.img);
        set_hundredths(&p.img, p.file_entry, rows[i].file);
        set_hundredths(&p.img, spare, rows[i].spare);
        image_open(&p.img);
        first_change(&p);
        image_expect(p.img.root, rows[i].kept, 1, 10000);
        assert_int_equal(image_count(p.img.root), 4);
        image_done(&p.img);
    }
}

/* A growth that was cut before its size was published. */
static void what_a_chain_has_beyond_its_size_is_cut(void **state)
{
    (void)state;
    for (size_t i = 0; i < SPEC_COUNT; i++) {
        struct patient p;

        make_patient(&p, &SPECS[i]);
        surgery_point(&p.img, p.file_entry, p.file, 1);
        image_open(&p.img);
        first_change(&p);
        image_expect(p.img.root, "file", 1, 1);
        image_done(&p.img); /* and nothing is left over */
    }
}

/* Somebody has both open when the scan finds that they are one. */
static void two_names_of_a_file_in_use_become_one(void **state)
{
    (void)state;
    for (size_t i = 0; i < SPEC_COUNT; i++) {
        struct patient p;
        struct fat_node *a, *b;
        struct fat_stat st;

        make_patient(&p, &SPECS[i]);
        make_alias(&p);
        image_open(&p.img);
        a = image_lookup(p.img.root, "file");
        b = image_lookup(p.img.root, "spare");
        image_write(a, 10000, "x", 1); /* the first change */
        assert_int_equal(fat_node_stat(b, &st), FAT_E_STALE);
        fat_node_unref(b);
        fat_node_unref(a);
        image_done(&p.img);
    }
}

/* A directory has two names after a rename to another directory was cut short. */
static void make_directory_alias(struct patient *p, uint64_t *second)
{
    image_open(&p->img);
    fat_node_unref(image_mkdir(p->img.root, "sub again"));
    *second = surgery_entry_of(p->img.root, "sub again");
    image_close(&p->img);
    surgery_point(&p->img, *second, p->sub, 0);
}

static void of_two_names_of_a_directory_the_parents_is_kept(void **state)
{
    for (size_t i = 0; i < SPEC_COUNT * 2; i++) {
        const bool moved = i % 2;
        struct patient p;
        struct fat_node *dir;
        uint64_t second;

        (void)state;
        make_patient(&p, &SPECS[i / 2]);
        make_directory_alias(&p, &second);
        if (moved) { /* ".." says the root already */
            surgery_point(&p.img, surgery_cluster(&p.img, p.sub) + 32, 0, 0);
        }
        surgery_make_dirty(&p.img);
        image_open(&p.img);
        dir = image_lookup(p.img.root, "dir");
        first_change(&p);
        assert_int_equal(image_try_lookup(dir, "sub"), moved ? FAT_E_NOENT : FAT_OK);
        assert_int_equal(image_try_lookup(p.img.root, "sub again"),
                moved ? FAT_OK : FAT_E_NOENT);
        assert_int_equal(image_count(dir), moved ? 1 : 2);
        fat_node_unref(dir);
        image_done(&p.img);
    }
}

/* It may have taken the place of an empty directory, which must not be without a name. */
static void of_two_names_of_a_directory_the_newer_is_kept_whatever_dotdot_says(
        void **state)
{
    (void)state;
    for (size_t i = 0; i < SPEC_COUNT * 4; i++) {
        const bool moved = i % 2;
        const bool is_new = i / 2 % 2; /* the name in the root */
        struct patient p;
        struct fat_node *dir;
        uint64_t first;
        uint64_t second;

        make_patient(&p, &SPECS[i / 4]);
        make_directory_alias(&p, &second);
        image_open(&p.img);
        dir = image_lookup(p.img.root, "dir");
        first = surgery_entry_of(dir, "sub");
        fat_node_unref(dir);
        image_close(&p.img);
        if (moved) {
            surgery_point(&p.img, surgery_cluster(&p.img, p.sub) + 32, 0, 0);
        }
        set_hundredths(&p.img, is_new ? second : first, 101);
        set_hundredths(&p.img, is_new ? first : second, 100);
        surgery_make_dirty(&p.img);
        image_open(&p.img);
        dir = image_lookup(p.img.root, "dir");
        first_change(&p);
        assert_int_equal(image_try_lookup(dir, "sub"), is_new ? FAT_E_NOENT : FAT_OK);
        assert_int_equal(image_try_lookup(p.img.root, "sub again"),
                is_new ? FAT_OK : FAT_E_NOENT);
        fat_node_unref(dir);
        image_done(&p.img); /* looks for a ".." that names another parent, too */
    }
}

static void a_stale_dotdot_is_mended(void **state)
{
    (void)state;
    for (size_t i = 0; i < SPEC_COUNT; i++) {
        struct patient p;

        make_patient(&p, &SPECS[i]);
        surgery_point(&p.img, surgery_cluster(&p.img, p.sub) + 32, 0, 0);
        image_open(&p.img);
        first_change(&p);
        image_done(&p.img);
    }
}

static void leftovers_of_every_kind_go_in_one_commit(void **state)
{
    (void)state;
    for (size_t i = 0; i < SPEC_COUNT; i++) {
        struct patient p;
        uint64_t second;

        make_patient(&p, &SPECS[i]);
        make_alias(&p);
        make_directory_alias(&p, &second);
        surgery_link(&p.img, SURGERY_ALL, 300, 301);
        surgery_link(&p.img, SURGERY_ALL, 301, SURGERY_END);
        surgery_link(&p.img, 1, 250, SURGERY_END);
        surgery_make_dirty(&p.img);
        image_open(&p.img);
        first_change(&p);
        assert_int_equal(fat_volume_commit(p.img.volume), FAT_OK);
        assert_int_equal(image_check(p.img.dev, FAT_WEIGHT_DAMAGE).damages, 0);
        image_done(&p.img);
    }
}

static void long_name_slots_without_an_entry_go(void **state)
{
    (void)state;
    for (size_t i = 0; i < SPEC_COUNT; i++) {
        struct patient p;
        const uint8_t gone = 0xe5;
        uint64_t entry;

        make_patient(&p, &SPECS[i]);
        image_open(&p.img);
        image_touch(p.img.root, "some name with many a slot");
        image_touch(p.img.root, "another");
        entry = surgery_entry_of(p.img.root, "some name with many a slot");
        image_close(&p.img);
        surgery_write(&p.img, entry, &gone, 1);
        surgery_make_dirty(&p.img);
        image_open(&p.img);
        first_change(&p);
        assert_int_equal(image_count(p.img.root), 6);
        image_done(&p.img);
    }
}

static void cross_links_make_it_read_only(void **state)
{
    static const struct {
        const char *name;
        uint32_t from_file, to_other; /* clusters into the chain */
    } rows[] = {
            {"the second half of one is the second half of the other", 1, 2},
            {"a tail joins the head of another", 1, 0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct patient p;
        uint8_t *before;
        uint8_t *after;

        make_patient(&p, &SPECS[0]);
        surgery_link(&p.img, SURGERY_ALL, p.file + rows[i].from_file,
                p.other + rows[i].to_other);
        image_open(&p.img);
        image_expect(p.img.root, "other", 2, 9000);
        before = image_bytes(p.img.dev);
        assert_refused(&p);
        image_expect(p.img.root, "other", 2, 9000);
        (void)!fat_volume_commit(p.img.volume);
        fat_node_unref(p.img.root);
        (void)fat_volume_close(p.img.volume);
        p.img.volume = NULL;
        p.img.root = NULL;
        after = image_bytes(p.img.dev);
        before[0x25] |= 1;
        assert_memory_equal(before, after, (size_t)p.img.dev->size_bytes);
        free(before);
        free(after);
        image_drop(&p.img);
    }
}

static void other_damage_makes_it_read_only(void **state)
{
    static const struct {
        const char *name;
        uint32_t value; /* of the file's second FAT entry; 0: its own first cluster */
    } rows[] = {
            {"a chain that runs into itself", 0},
            {"a chain into a bad cluster", SURGERY_BAD},
            {"a chain that leaves the volume", 0xeee},
            {"a chain into a free cluster", 350},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct patient p;

        make_patient(&p, &SPECS[0]);
        surgery_link(&p.img, SURGERY_ALL, p.file + 1,
                rows[i].value ? rows[i].value : p.file);
        image_open(&p.img);
        assert_refused(&p);
        image_expect(p.img.root, "other", 2, 9000);
        image_drop(&p.img);
    }
}

static void a_scan_that_cannot_read_is_tried_again(void **state)
{
    (void)state;
    for (unsigned nth = 1; nth < 200; nth++) {
        struct patient p;
        struct fat_found found;
        fat_err err;
        bool fired;
        unsigned failures;

        make_patient(&p, &SPECS[0]);
        make_alias(&p);
        surgery_make_dirty(&p.img);
        image_open(&p.img);
        failures = recdev_failures(p.img.rec);
        recdev_fail(p.img.rec, RECDEV_READ, nth, FAT_E_IO, RECDEV_ONCE);
        err = fat_create(p.img.root, "first change", 0, &found);
        fired = recdev_failures(p.img.rec) > failures;
        recdev_fail(p.img.rec, RECDEV_READ, 0, FAT_E_IO, RECDEV_ONCE);
        if (err == FAT_OK) {
            fat_node_unref(found.node);
        }
        if (!fat_volume_is_read_only(p.img.volume)) {
            if (err != FAT_OK) {
                first_change(&p);
            }
            image_done(&p.img);
        } else {
            assert_true(fired);
            assert_int_equal(image_check(p.img.dev, FAT_WEIGHT_DAMAGE).damages, 0);
            image_drop(&p.img);
        }
        if (!fired) {
            assert_int_equal(err, FAT_OK);
            return;
        }
    }
    fail_msg("there is no end to the reads of a scan");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(reading_leaves_every_bit_alone),
            cmocka_unit_test(it_recovers_without_a_change),
            cmocka_unit_test(what_is_read_only_does_not_recover),
            cmocka_unit_test(a_change_leaves_it_clean),
            cmocka_unit_test(lost_chains_are_given_back),
            cmocka_unit_test(lost_chains_can_be_used_by_the_first_change),
            cmocka_unit_test(fat_copies_are_made_equal),
            cmocka_unit_test(of_two_names_of_a_file_one_is_kept),
            cmocka_unit_test(two_names_of_a_file_in_use_become_one),
            cmocka_unit_test(the_name_that_a_rename_had_just_published_is_kept),
            cmocka_unit_test(what_a_chain_has_beyond_its_size_is_cut),
            cmocka_unit_test(of_two_names_of_a_directory_the_parents_is_kept),
            cmocka_unit_test(
                    of_two_names_of_a_directory_the_newer_is_kept_whatever_dotdot_says),
            cmocka_unit_test(a_stale_dotdot_is_mended),
            cmocka_unit_test(leftovers_of_every_kind_go_in_one_commit),
            cmocka_unit_test(long_name_slots_without_an_entry_go),
            cmocka_unit_test(cross_links_make_it_read_only),
            cmocka_unit_test(other_damage_makes_it_read_only),
            cmocka_unit_test(a_scan_that_cannot_read_is_tried_again),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
