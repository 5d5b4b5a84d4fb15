/* SPDX-License-Identifier: MIT */
/* The boot sector, the FAT and the chains; directories are in test_check_dir.c. */
#include <stdlib.h>

#include "support/cmocka.h"
#include "volume/check_image.h"
#include "volume/check_rows.h"

static void break_jump(struct image *i)
{
    image_put_boot_byte(i, 0, 0);
}

static void break_backup(struct image *i)
{
    image_put_byte(i, i->g.backup_sector * (uint64_t)i->g.sector_bytes + 3, 'x');
}

static void set_state(struct image *i, unsigned bits)
{
    image_put_byte(i, i->g.type == FAT_TYPE_32 ? BS32_STATE : BS16_STATE, bits);
}

static void set_dirty(struct image *i)
{
    set_state(i, FAT_STATE_DIRTY);
}

static void set_surface_test(struct image *i)
{
    set_state(i, FAT_STATE_SURFACE_TEST);
}

static void clear_clean_bit(struct image *i)
{
    image_put_fat(i, 1, 0x0fffffff & ~fat_ent_clean_bit(i->g.type));
}

static void clear_no_error_bit(struct image *i)
{
    image_put_fat(i, 1, 0x0fffffff & ~fat_ent_no_error_bit(i->g.type));
}

static void break_media(struct image *i)
{
    image_put_fat(i, 0, 0);
}

static void break_second_fat(struct image *i)
{
    image_put_fat_copy(i, 1, HELLO, VALUE_END);
}

static void put_fsinfo(struct image *i, unsigned field, uint32_t value)
{
    uint8_t raw[4];

    fat_put32(raw, 0, value);
    image_put(i, i->g.fsinfo_sector * (uint64_t)i->g.sector_bytes + field, raw, 4);
}

static void break_fsinfo_signature(struct image *i)
{
    put_fsinfo(i, FSI_STRUC_SIG, 0);
}

static void forget_free_count(struct image *i)
{
    put_fsinfo(i, FSI_FREE_COUNT, FAT_FSINFO_UNKNOWN);
}

static void miscount_free(struct image *i)
{
    put_fsinfo(i, FSI_FREE_COUNT, 5);
}

static void overcount_free(struct image *i)
{
    put_fsinfo(i, FSI_FREE_COUNT, 0x10000000);
}

static void break_hint(struct image *i)
{
    put_fsinfo(i, FSI_NXT_FREE, i->g.cluster_count + 2);
}

/* Its head is not its lowest cluster. */
static void lose_chain(struct image *i)
{
    image_put_fat(i, UNUSED + 2, UNUSED);
    image_put_fat(i, UNUSED, UNUSED + 1);
    image_put_fat(i, UNUSED + 1, VALUE_END);
}

static void lose_two_chains_that_meet(struct image *i)
{
    lose_chain(i);
    image_put_fat(i, UNUSED + 5, UNUSED + 1);
}

static void lose_ring(struct image *i)
{
    lose_chain(i);
    image_put_fat(i, UNUSED + 1, UNUSED + 2);
}

static void lose_reserved(struct image *i)
{
    image_put_fat(i, UNUSED, 1);
}

static void mark_bad_cluster(struct image *i)
{
    image_put_fat(i, UNUSED, VALUE_BAD);
}

static void lengthen_chain(struct image *i)
{
    image_put_fat(i, HELLO + 2, UNUSED);
    image_put_fat(i, UNUSED, VALUE_END);
}

static void shorten_chain(struct image *i)
{
    image_put_fat(i, HELLO + 1, VALUE_END);
    image_put_fat(i, HELLO + 2, VALUE_FREE);
}

static void size_without_chain(struct image *i)
{
    image_put_size(i, 0, ROOT_EMPTY, 1);
}

static void loop_chain(struct image *i)
{
    image_put_fat(i, HELLO + 2, HELLO + 1);
}

static void lead_to_free(struct image *i)
{
    image_put_fat(i, HELLO + 2, UNUSED);
}

static void start_at_free(struct image *i)
{
    image_put_fat(i, LONG, VALUE_FREE);
}

static void lead_to_bad(struct image *i)
{
    image_put_fat(i, UNUSED, VALUE_BAD);
    image_put_fat(i, HELLO + 2, UNUSED);
}

static void lead_to_reserved(struct image *i)
{
    image_put_fat(i, HELLO + 2, 1);
}

static void lead_out(struct image *i)
{
    image_put_fat(i, HELLO + 2, i->g.cluster_count + 2);
}

static void start_outside(struct image *i)
{
    image_put_start(i, 0, ROOT_EMPTY, i->g.cluster_count + 2);
}

static void start_at_one(struct image *i)
{
    image_put_start(i, 0, ROOT_EMPTY, 1);
}

static void directory_without_cluster(struct image *i)
{
    image_put_entry(i, SUB, SUB_END, "NOWHERE    ", FAT_ATTR_DIRECTORY, 0);
}

static void join_chains(struct image *i)
{
    image_put_fat(i, LONG, HELLO + 1);
}

static void start_inside_another(struct image *i)
{
    image_put_start(i, 0, ROOT_EMPTY, HELLO + 1);
}

static void file_on_directory(struct image *i)
{
    image_put_entry(i, SUB, SUB_END, "FILE       ", FAT_ATTR_ARCHIVE, SUB);
    image_put_size(i, SUB, SUB_END, 1);
}

static void two_names(struct image *i)
{
    image_put_entry(i, SUB, SUB_END, "HELLO2  TXT", FAT_ATTR_ARCHIVE, HELLO);
    image_put_size(i, SUB, SUB_END, i->g.cluster_bytes);
}

static void two_names_one_too_large(struct image *i)
{
    two_names(i);
    image_put_size(i, SUB, SUB_END, 4 * i->g.cluster_bytes);
}

static void two_directory_names(struct image *i)
{
    image_put_entry(i, 0, ROOT_END, "DEEPER     ", FAT_ATTR_DIRECTORY, DEEP);
}

static void empty_with_chain(struct image *i)
{
    image_put_start(i, 0, ROOT_EMPTY, UNUSED);
    image_put_fat(i, UNUSED, VALUE_END);
}

static const struct row rows[] = {
        {"a jump that is none", ON_ALL, break_jump, {FAT_FINDING_BOOT}, 1, NULL, false},
        {"a backup that differs", ON_32, break_backup, {FAT_FINDING_BACKUP_BOOT}, 1,
                NULL, false},
        {"the dirty byte", ON_ALL, set_dirty, {FAT_FINDING_DIRTY}, 1, NULL, false},
        {"the surface-test bit", ON_ALL, set_surface_test, {FAT_FINDING_HARD_ERROR}, 1,
                NULL, false},
        {"the clean bit", ON_16 | ON_32, clear_clean_bit, {FAT_FINDING_DIRTY_FAT}, 1,
                NULL, false},
        {"the no-error bit", ON_16 | ON_32, clear_no_error_bit,
                {FAT_FINDING_HARD_ERROR}, 1, NULL, false},
        {"FAT[0] is zero", ON_ALL, break_media, {FAT_FINDING_MEDIA}, 1, NULL, false},
        {"the second FAT differs", ON_ALL, break_second_fat, {FAT_FINDING_FAT_DIFFERS},
                1, NULL, false},
        {"no FSInfo signature", ON_32, break_fsinfo_signature,
                {FAT_FINDING_FSINFO_SIGNATURE}, 1, NULL, true},
        {"an unknown count", ON_32, forget_free_count, {FAT_FINDING_FSINFO_UNKNOWN}, 1,
                NULL, true},
        {"a wrong count", ON_32, miscount_free, {FAT_FINDING_FSINFO_COUNT}, 1, NULL,
                true},
        {"a count above the clusters", ON_32, overcount_free,
                {FAT_FINDING_FSINFO_COUNT}, 1, NULL, true},
        {"a hint outside", ON_32, break_hint, {FAT_FINDING_FSINFO_HINT}, 1, NULL, true},
        {"a lost chain is one", ON_ALL, lose_chain, {FAT_FINDING_LOST_CHAIN}, 1, NULL,
                false},
        {"two lost chains that meet are two", ON_ALL, lose_two_chains_that_meet,
                {FAT_FINDING_LOST_CHAIN, FAT_FINDING_LOST_CHAIN}, 2, NULL, false},
        {"a lost ring is one", ON_ALL, lose_ring, {FAT_FINDING_LOST_CHAIN}, 1, NULL,
                false},
        {"a lost cluster that leads to 1", ON_ALL, lose_reserved,
                {FAT_FINDING_LOST_CHAIN}, 1, NULL, false},
        {"a bad cluster is nothing", ON_ALL, mark_bad_cluster, {0}, 0, NULL, false},
        {"a chain longer than the size", ON_ALL, lengthen_chain,
                {FAT_FINDING_CHAIN_LONG}, 1, "/HELLO.TXT", false},
        {"a size longer than the chain", ON_ALL, shorten_chain,
                {FAT_FINDING_CHAIN_SHORT}, 1, "/HELLO.TXT", false},
        {"a size without a chain", ON_ALL, size_without_chain,
                {FAT_FINDING_CHAIN_SHORT}, 1, "/EMPTY.BIN", false},
        {"a chain in a ring", ON_ALL, loop_chain, {FAT_FINDING_CHAIN_LOOP}, 1,
                "/HELLO.TXT", false},
        {"a chain into a free cluster behind its size", ON_ALL, lead_to_free,
                {FAT_FINDING_CHAIN_FREE}, 1, "/HELLO.TXT", false},
        {"a first cluster that is free", ON_ALL, start_at_free,
                {FAT_FINDING_CHAIN_FREE}, 1, "/A rather long name.txt", false},
        {"a chain into a bad cluster", ON_ALL, lead_to_bad, {FAT_FINDING_CHAIN_BAD}, 1,
                "/HELLO.TXT", false},
        {"a chain into 1", ON_ALL, lead_to_reserved, {FAT_FINDING_CHAIN_BAD}, 1,
                "/HELLO.TXT", false},
        {"a chain out of the volume", ON_ALL, lead_out, {FAT_FINDING_CHAIN_RANGE}, 1,
                "/HELLO.TXT", false},
        {"a first cluster outside", ON_ALL, start_outside, {FAT_FINDING_START}, 1,
                "/EMPTY.BIN", false},
        {"a first cluster of 1", ON_ALL, start_at_one, {FAT_FINDING_START}, 1,
                "/EMPTY.BIN", false},
        {"a directory at cluster 0", ON_ALL, directory_without_cluster,
                {FAT_FINDING_START}, 1, "/SUB/NOWHERE", false},
        {"a chain that joins another", ON_ALL, join_chains, {FAT_FINDING_CROSS_LINK}, 1,
                "/A rather long name.txt", false},
        {"a chain that starts inside another", ON_ALL, start_inside_another,
                {FAT_FINDING_CROSS_LINK}, 1, "/EMPTY.BIN", false},
        {"a file and a directory at one cluster", ON_ALL, file_on_directory,
                {FAT_FINDING_CROSS_LINK}, 1, "/SUB/FILE", false},
        {"two names of one file, sizes apart", ON_ALL, two_names, {FAT_FINDING_ALIAS},
                1, "/SUB/HELLO2.TXT", false},
        {"a second name larger than the chain", ON_ALL, two_names_one_too_large,
                {FAT_FINDING_ALIAS, FAT_FINDING_CHAIN_SHORT}, 2, "/SUB/HELLO2.TXT",
                false},
        {"two names of one directory: the one visited last is the alias, and the "
         "parent of the other is the one that .. is compared with",
                ON_ALL, two_directory_names,
                {FAT_FINDING_ALIAS, FAT_FINDING_DIR_DOTDOT_CLUSTER}, 2, "/SUB/DEEP",
                false},
        {"size 0 with a chain", ON_ALL, empty_with_chain,
                {FAT_FINDING_EMPTY_WITH_CHAIN}, 1, "/EMPTY.BIN", false},
};

static void each_defect_is_named_and_nothing_else(void **state)
{
    (void)state;
    run_rows(rows, sizeof(rows) / sizeof(*rows));
}

static void a_clean_volume_has_no_findings_and_is_counted(void **state)
{
    (void)state;
    for (unsigned type = 12; type <= 32; type = type == 12 ? 16 : type * 2) {
        struct fat_check_summary sum;
        struct log log = {0};
        struct image image;

        image_make(&image, type);
        assert_int_equal(fat_check(image.dev, note_finding, &log, &sum), FAT_OK);
        if (log.count != 0) {
            fail_msg("FAT%u: %s %s", type, fat_finding_name(log.kinds[0]),
                    log.first_text);
        }
        assert_int_equal(sum.type, type);
        assert_int_equal(sum.files, 4);
        assert_int_equal(sum.directories, 2);
        assert_int_equal(sum.clusters_used, type == 32 ? 8 : 7);
        assert_int_equal(sum.clusters_free, image.g.cluster_count - sum.clusters_used);
        assert_int_equal(sum.cluster_count, image.g.cluster_count);
        assert_int_equal(sum.cluster_bytes, image.g.cluster_bytes);
        assert_int_equal(sum.clusters_lost, 0);
        fat_blkdev_close(image.dev);
    }
}

static void lost_and_bad_clusters_are_counted(void **state)
{
    struct fat_check_summary sum;
    struct image image;

    (void)state;
    image_make(&image, 16);
    lose_ring(&image);
    image_put_fat(&image, UNUSED + 9, VALUE_BAD);
    assert_int_equal(fat_check(image.dev, NULL, NULL, &sum), FAT_OK);
    assert_int_equal(sum.clusters_lost, 3);
    assert_int_equal(sum.clusters_bad, 1);
    assert_int_equal(sum.clusters_used, 10);
    assert_int_equal(sum.findings[FAT_FINDING_LOST_CHAIN], 1);
    assert_int_equal(sum.leftovers, 1);
    fat_blkdev_close(image.dev);
}

/* Free entries between what is used are passed over in parts, and none is left out. */
static void the_last_entry_is_counted_and_compared_too(void **state)
{
    (void)state;
    for (unsigned type = 12; type <= 32; type = type == 12 ? 16 : type * 2) {
        struct fat_check_summary before;
        struct fat_check_summary sum;
        struct log log = {0};
        struct image image;
        uint32_t last;

        image_make(&image, type);
        last = image.g.cluster_count + 1;
        assert_int_equal(fat_check(image.dev, NULL, NULL, &before), FAT_OK);
        image_put_fat_copy(&image, 0, UNUSED, VALUE_END);
        image_put_fat_copy(&image, 0, last, VALUE_END);
        image_put_fat_copy(&image, 1, last - 1, VALUE_END);
        assert_int_equal(fat_check(image.dev, note_finding, &log, &sum), FAT_OK);
        assert_int_equal(sum.clusters_used, before.clusters_used + 2);
        assert_int_equal(sum.clusters_free, before.clusters_free - 2);
        assert_int_equal(sum.findings[FAT_FINDING_LOST_CHAIN], 2);
        assert_string_equal(log.first_text,
                "FAT 1 differs from FAT 0 in 3 entries, the first is 40");
        fat_blkdev_close(image.dev);
    }
}

static void text_names_the_numbers(void **state)
{
    struct log log = {0};
    struct image image;

    (void)state;
    image_make(&image, 16);
    lengthen_chain(&image);
    assert_int_equal(fat_check(image.dev, note_finding, &log, NULL), FAT_OK);
    assert_string_equal(log.first_text,
            "size 4101 needs 3 clusters of 2048 bytes, the chain has 4");
    fat_blkdev_close(image.dev);
}

static void every_kind_has_a_name_of_its_own(void **state)
{
    (void)state;
    for (int kind = 0; kind < FAT_FINDING_KIND_COUNT; kind++) {
        const char *name = fat_finding_name((enum fat_finding_kind)kind);

        assert_non_null(name);
        for (int other = 0; other < kind; other++) {
            assert_string_not_equal(
                    name, fat_finding_name((enum fat_finding_kind)other));
        }
    }
    assert_string_equal(fat_finding_name(FAT_FINDING_KIND_COUNT), "unknown");
    assert_int_equal(fat_finding_weigh(FAT_FINDING_KIND_COUNT), FAT_WEIGHT_DAMAGE);
}

static void leftovers_are_exactly_what_the_order_of_writes_may_leave(void **state)
{
    static const enum fat_finding_kind leftovers[] = {FAT_FINDING_DIRTY,
            FAT_FINDING_DIRTY_FAT, FAT_FINDING_FAT_DIFFERS, FAT_FINDING_FSINFO_UNKNOWN,
            FAT_FINDING_LOST_CHAIN, FAT_FINDING_CHAIN_LONG, FAT_FINDING_ALIAS,
            FAT_FINDING_EMPTY_WITH_CHAIN, FAT_FINDING_DIR_DOTDOT_CLUSTER,
            FAT_FINDING_LFN_ORPHAN};
    size_t found = 0;

    (void)state;
    for (int kind = 0; kind < FAT_FINDING_KIND_COUNT; kind++) {
        if (fat_finding_weigh((enum fat_finding_kind)kind) == FAT_WEIGHT_LEFTOVER) {
            assert_true(found < sizeof(leftovers) / sizeof(*leftovers));
            assert_int_equal(kind, leftovers[found]);
            found++;
        }
    }
    assert_int_equal(found, sizeof(leftovers) / sizeof(*leftovers));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(a_clean_volume_has_no_findings_and_is_counted),
            cmocka_unit_test(each_defect_is_named_and_nothing_else),
            cmocka_unit_test(lost_and_bad_clusters_are_counted),
            cmocka_unit_test(the_last_entry_is_counted_and_compared_too),
            cmocka_unit_test(text_names_the_numbers),
            cmocka_unit_test(every_kind_has_a_name_of_its_own),
            cmocka_unit_test(leftovers_are_exactly_what_the_order_of_writes_may_leave),
    };

    return cmocka_run_group_tests_name("volume/check", tests, NULL, NULL);
}
