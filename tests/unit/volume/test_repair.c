/* SPDX-License-Identifier: MIT */
/*
 * Repair: what a power cut can leave is mended, alone and in pairs; what can't be
 * mended without loss is left, with every byte of the volume beside it.
 */
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "ondisk/dirent.h"
#include "support/cmocka.h"
#include "volume/repair_kinds.h"

static const unsigned types[] = {12, 16, 32};

static struct fat_repair_summary repair(struct patient *p, uint32_t flags)
{
    const struct fat_repair_options options = {.flags = flags};
    struct fat_repair_summary summary;

    assert_int_equal(fat_repair(p->img.dev, &options, &summary), FAT_OK);
    return summary;
}

static void expect_outcome(const char *a, const char *b, unsigned type,
        enum fat_repair_outcome outcome, enum fat_repair_outcome wanted)
{
    if (outcome != wanted) {
        fail_msg("%s, %s, FAT%u: outcome %d, not %d", a, b, type, (int)outcome,
                (int)wanted);
    }
}

/* Nothing is written, as the outcome says. */
static void expect_untouched(
        struct patient *p, const char *name, enum fat_repair_outcome wanted)
{
    uint8_t *before = image_bytes(p->img.dev);
    const unsigned writes = recdev_counts(p->img.rec).writes;
    uint8_t *after;

    expect_outcome(name, "alone", p->img.spec.type, repair(p, 0).outcome, wanted);
    after = image_bytes(p->img.dev);
    assert_memory_equal(before, after, (size_t)p->img.dev->size_bytes);
    assert_int_equal(recdev_counts(p->img.rec).writes, writes);
    free(before);
    free(after);
}

static void a_sound_volume_is_not_written_to(void **state)
{
    (void)state;
    for (size_t t = 0; t < 3; t++) {
        struct patient p;

        patient_make(&p, types[t]);
        expect_untouched(&p, "sound", FAT_REPAIR_CLEAN);
        image_drop(&p.img);
    }
}

static void mend_two(const struct kind *a, const struct kind *b, unsigned type)
{
    struct fat_repair_summary summary;
    struct patient p;

    if (!(a->types & b->types & type_bit(type))) {
        return;
    }
    patient_make(&p, type);
    a->make(&p);
    if (b != a) {
        b->make(&p);
    }
    summary = repair(&p, 0);
    expect_outcome(a->name, b->name, type, summary.outcome, FAT_REPAIR_MENDED);
    assert_true(summary.before.leftovers + summary.before.damages > 0);
    image_check_clean(p.img.dev);
    patient_expect_all(&p);
    image_open(&p.img);
    image_done(&p.img);
}

static void each_leftover_is_mended_alone_and_with_each_other(void **state)
{
    (void)state;
    for (size_t t = 0; t < 3; t++) {
        for (size_t i = 0; i < mendable_count; i++) {
            for (size_t k = i; k < mendable_count; k++) {
                mend_two(&mendable_kinds[i], &mendable_kinds[k], types[t]);
            }
        }
    }
}

static void all_of_them_at_once_are_mended(void **state)
{
    (void)state;
    for (size_t t = 0; t < 3; t++) {
        struct patient p;

        patient_make(&p, types[t]);
        for (size_t i = 0; i < mendable_count; i++) {
            if (mendable_kinds[i].types & type_bit(types[t])) {
                mendable_kinds[i].make(&p);
            }
        }
        assert_int_equal(repair(&p, 0).outcome, FAT_REPAIR_MENDED);
        image_check_clean(p.img.dev);
        patient_expect_all(&p);
        expect_untouched(&p, "mended", FAT_REPAIR_CLEAN);
        image_drop(&p.img);
    }
}

static void leave_alone(
        const struct kind *damage, const struct kind *beside, unsigned type)
{
    struct patient p;

    patient_make(&p, type);
    if (beside && (beside->types & type_bit(type))) {
        beside->make(&p);
    }
    damage->make(&p);
    expect_untouched(&p, damage->name, FAT_REPAIR_REFUSED);
    image_drop(&p.img);
}

static void damage_is_left_with_all_that_is_beside_it(void **state)
{
    (void)state;
    for (size_t t = 0; t < 3; t++) {
        for (size_t i = 0; i < forbidding_count; i++) {
            leave_alone(&forbidding_kinds[i], NULL, types[t]);
            for (size_t k = 0; k < mendable_count; k++) {
                leave_alone(&forbidding_kinds[i], &mendable_kinds[k], types[t]);
            }
        }
    }
}

/* Whoever made that, it was no rename that a power cut left unfinished. */
static void two_names_on_a_volume_marked_clean_are_left(void **state)
{
    (void)state;
    for (size_t t = 0; t < 3; t++) {
        for (size_t i = 0; i < mendable_count; i++) {
            const uint8_t clean = 0;
            struct patient p;

            if (strncmp(mendable_kinds[i].name, "two names", 9) != 0) {
                continue;
            }
            patient_make(&p, types[t]);
            mendable_kinds[i].make(&p);
            surgery_write(&p.img, types[t] == 32 ? 0x41 : 0x25, &clean, 1);
            expect_untouched(&p, mendable_kinds[i].name, FAT_REPAIR_REFUSED);
            kind_lost(&p);
            expect_untouched(&p, mendable_kinds[i].name, FAT_REPAIR_REFUSED);
            image_drop(&p.img);
        }
    }
}

static void damage_in_names_alone_is_left(void **state)
{
    (void)state;
    for (size_t t = 0; t < 3; t++) {
        for (size_t i = 0; i < name_count; i++) {
            struct patient p;

            patient_make(&p, types[t]);
            name_kinds[i].make(&p);
            expect_untouched(&p, name_kinds[i].name, FAT_REPAIR_REFUSED);
            kind_dirty(&p);
            kind_lost(&p); /* may be what the damage has cut off */
            expect_untouched(&p, name_kinds[i].name, FAT_REPAIR_REFUSED);
            image_drop(&p.img);
        }
    }
}

static void beside_damage_in_names_the_rest_is_mended(void **state)
{
    (void)state;
    for (size_t t = 0; t < 3; t++) {
        for (size_t i = 0; i < name_count; i++) {
            struct fat_repair_summary s;
            struct patient p;

            patient_make(&p, types[t]);
            name_kinds[i].make(&p);
            kind_dirty(&p);
            kind_lost(&p);
            kind_orphan(&p);
            s = repair(&p, FAT_REPAIR_SAVE_LOST);
            expect_outcome(name_kinds[i].name, "and others", types[t], s.outcome,
                    FAT_REPAIR_PARTLY);
            assert_int_equal(s.after.findings[FAT_FINDING_LFN_ORPHAN], 0);
            assert_int_equal(s.after.clusters_lost, 2);
            assert_int_equal(s.after.damages,
                    s.before.damages - s.before.findings[FAT_FINDING_FSINFO_COUNT]);
            assert_true(surgery_is_dirty(&p.img));
            patient_expect_all(&p);
            image_drop(&p.img);
        }
    }
}

/* --- options --- */

static void put_cluster(struct patient *p, uint32_t cluster, uint32_t seed)
{
    uint8_t bytes[512];

    image_fill(seed, bytes, sizeof(bytes));
    surgery_write(&p->img, surgery_cluster(&p->img, cluster), bytes, sizeof(bytes));
}

static void lost_clusters_become_files(void **state)
{
    static const struct {
        const char *name;
        size_t kind; /* of mendable_kinds */
        uint32_t first, clusters, files;
    } rows[] = {
            {"a chain", 0, 300, 2, 1},
            {"one with a reserved end", 1, 304, 1, 1},
            {"a ring", 2, 310, 2, 1},
            {"one that leads into a file", 3, 320, 1, 1},
            {"two that lead nowhere", 4, 330, 1, 2},
    };

    (void)state;
    for (size_t i = 0; i < 3 * sizeof(rows) / sizeof(rows[0]); i++) {
        const size_t row = i / 3;
        struct fat_repair_summary s;
        struct patient p;
        uint8_t all[2 * 512];
        uint8_t read[sizeof(all) + 1];
        struct fat_node *file;
        size_t done = 0;

        patient_make(&p, types[i % 3]);
        mendable_kinds[rows[row].kind].make(&p);
        put_cluster(&p, rows[row].first, 50);
        put_cluster(&p, rows[row].first + 1, 51);
        surgery_read(
                &p.img, surgery_cluster(&p.img, rows[row].first), all, sizeof(all));
        s = repair(&p, FAT_REPAIR_SAVE_LOST);
        expect_outcome(
                rows[row].name, "saved", types[i % 3], s.outcome, FAT_REPAIR_MENDED);
        assert_int_equal(s.files_saved, rows[row].files);
        assert_int_equal(s.clusters_saved, s.before.clusters_lost);
        image_check_clean(p.img.dev);
        patient_expect_all(&p);
        image_open(&p.img);
        file = image_lookup(
                p.img.root, rows[row].files == 2 ? "FSCK0001.REC" : "FSCK0000.REC");
        assert_int_equal(fat_file_read(file, 0, read, sizeof(read), &done), FAT_OK);
        assert_int_equal(done, rows[row].clusters * 512);
        assert_memory_equal(read, all, done);
        fat_node_unref(file);
        image_done(&p.img);
    }
}

static void no_file_is_taken_for_lost_clusters(void **state)
{
    struct patient p;

    (void)state;
    patient_make(&p, 16);
    image_open(&p.img);
    image_put(p.img.root, "fsck0000.rec", 8, 600);
    image_close(&p.img);
    kind_lost(&p);
    assert_int_equal(repair(&p, FAT_REPAIR_SAVE_LOST).files_saved, 1);
    image_open(&p.img);
    image_expect(p.img.root, "fsck0000.rec", 8, 600);
    assert_int_equal(image_try_lookup(p.img.root, "FSCK0001.REC"), FAT_OK);
    image_done(&p.img);
}

static void what_has_no_room_in_the_root_stays_lost(void **state)
{
    struct fat_repair_summary s;
    struct patient p;

    (void)state;
    p = (struct patient){0};
    image_make(&p.img, &(struct image_spec){.type = 12, .root_entries = 16});
    image_put(p.img.root, "file", 1, 10000);
    for (char name[] = "a"; name[0] <= 'n'; name[0]++) {
        image_touch(p.img.root, name);
    }
    image_close(&p.img);
    mendable_kinds[0].make(&p);
    mendable_kinds[2].make(&p);
    surgery_make_dirty(&p.img);
    s = repair(&p, FAT_REPAIR_SAVE_LOST);
    assert_int_equal(s.outcome, FAT_REPAIR_PARTLY);
    assert_int_equal(s.files_saved, 1);
    assert_int_equal(s.after.clusters_lost, 2);
    assert_int_equal(s.after.damages, 0);
    assert_int_equal(repair(&p, 0).outcome, FAT_REPAIR_MENDED);
    image_open(&p.img);
    image_expect(p.img.root, "file", 1, 10000);
    image_done(&p.img);
}

static void a_size_is_cut_to_its_chain_when_asked(void **state)
{
    (void)state;
    for (size_t i = 0; i < 3 * mendable_count; i++) {
        const struct kind *kind = &mendable_kinds[i / 3];
        struct patient p;

        if (!(kind->types & type_bit(types[i % 3]))) {
            continue;
        }
        patient_make(&p, types[i % 3]);
        kind->make(&p);
        surgery_point(&p.img, p.other_entry, p.other, 20000);
        p.other_size = 9000;
        if (strcmp(kind->name, "two names of a file") != 0 &&
                strcmp(kind->name, "two names of a chain too long") != 0) {
            surgery_point(&p.img, p.spare_entry, 0, 5);
        }
        assert_int_equal(repair(&p, FAT_REPAIR_CUT_SIZES).outcome, FAT_REPAIR_MENDED);
        image_check_clean(p.img.dev);
        image_open(&p.img);
        {
            struct fat_node *other = image_lookup(p.img.root, "other");

            assert_int_equal(image_size(other), 9216);
            assert_int_equal(fat_file_truncate(other, 9000), FAT_OK);
            fat_node_unref(other);
        }
        image_close(&p.img);
        patient_expect_all(&p);
        image_open(&p.img);
        image_done(&p.img);
    }
}

/* --- the door --- */

static void count_finding(void *context, const struct fat_finding *finding)
{
    unsigned *counts = context;

    counts[finding->weight]++;
}

static void what_is_found_and_what_is_left_is_told(void **state)
{
    unsigned found[3] = {0};
    struct fat_repair_options options = {
            .found = count_finding, .finding_context = found};
    struct fat_repair_summary s;
    struct patient p;

    (void)state;
    patient_make(&p, 12);
    name_kinds[0].make(&p);
    kind_orphan(&p);
    assert_int_equal(fat_repair(p.img.dev, &options, NULL), FAT_OK);
    assert_int_equal(found[FAT_WEIGHT_DAMAGE], 1);
    assert_int_equal(found[FAT_WEIGHT_LEFTOVER], 1);
    kind_orphan(&p);
    image_drop(&p.img);

    patient_make(&p, 12);
    name_kinds[0].make(&p);
    kind_orphan(&p);
    memset(found, 0, sizeof(found));
    options.found = NULL;
    options.left = count_finding;
    assert_int_equal(fat_repair(p.img.dev, &options, &s), FAT_OK);
    assert_int_equal(found[FAT_WEIGHT_DAMAGE], s.after.damages);
    assert_int_equal(found[FAT_WEIGHT_LEFTOVER], 1); /* dirty */
    image_drop(&p.img);
}

static void a_read_only_device_is_refused(void **state)
{
    struct fat_repair_summary summary;
    struct patient p;

    (void)state;
    patient_make(&p, 12);
    p.img.dev->read_only = true;
    recdev_reset_counts(p.img.rec);
    assert_int_equal(fat_repair(p.img.dev, NULL, &summary), FAT_E_READONLY);
    assert_int_equal(recdev_counts(p.img.rec).reads, 0);
    image_drop(&p.img);
}

static void what_is_no_volume_is_refused(void **state)
{
    struct fat_blkdev *dev;

    (void)state;
    assert_int_equal(fat_blkdev_mem_new(1 << 20, &dev), FAT_OK);
    assert_int_equal(fat_repair(dev, NULL, NULL), FAT_E_NOTFAT);
    fat_blkdev_close(dev);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(a_sound_volume_is_not_written_to),
            cmocka_unit_test(each_leftover_is_mended_alone_and_with_each_other),
            cmocka_unit_test(all_of_them_at_once_are_mended),
            cmocka_unit_test(damage_is_left_with_all_that_is_beside_it),
            cmocka_unit_test(two_names_on_a_volume_marked_clean_are_left),
            cmocka_unit_test(damage_in_names_alone_is_left),
            cmocka_unit_test(beside_damage_in_names_the_rest_is_mended),
            cmocka_unit_test(lost_clusters_become_files),
            cmocka_unit_test(no_file_is_taken_for_lost_clusters),
            cmocka_unit_test(what_has_no_room_in_the_root_stays_lost),
            cmocka_unit_test(a_size_is_cut_to_its_chain_when_asked),
            cmocka_unit_test(what_is_found_and_what_is_left_is_told),
            cmocka_unit_test(a_read_only_device_is_refused),
            cmocka_unit_test(what_is_no_volume_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
