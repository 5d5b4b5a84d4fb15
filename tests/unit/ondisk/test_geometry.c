/* SPDX-License-Identifier: MIT */
#include "ondisk/geometry.h"

#include <string.h>

#include "support/cmocka.h"

#define COUNT(table) (sizeof(table) / sizeof(*(table)))
#define TIB          (UINT64_C(1) << 40)

/* One reserved sector, two FATs of 12 sectors, 32 slots of root, clusters of 512. */
static struct fat_bpb small(uint32_t cluster_count)
{
    return (struct fat_bpb){.sector_bytes = 512,
            .cluster_sectors = 1,
            .reserved_sectors = 1,
            .fat_count = 2,
            .root_entries = 32,
            .total_sectors_32 = 1 + 2 * 12 + 2 + cluster_count,
            .media = 0xf8,
            .fat_sectors_16 = 12};
}

/* As small(), with FATs that have room for every FAT16 cluster and more. */
static struct fat_bpb roomy(uint32_t cluster_count)
{
    struct fat_bpb bpb = small(cluster_count);

    bpb.total_sectors_32 += 2 * (300 - 12);
    bpb.fat_sectors_16 = 300;
    return bpb;
}

static struct fat_bpb fat32(uint32_t cluster_count)
{
    return (struct fat_bpb){.sector_bytes = 512,
            .cluster_sectors = 8,
            .reserved_sectors = 32,
            .fat_count = 2,
            .total_sectors_32 = 32 + 2 * 1024 + 8 * cluster_count,
            .media = 0xf8,
            .fat_sectors_32 = 1024,
            .root_cluster = 2,
            .fsinfo_sector = 1,
            .backup_sector = 6,
            .is_fat32 = true};
}

static struct fat_geometry derived(const struct fat_bpb *bpb)
{
    struct fat_geometry g = {0};
    const char *rule = "no rule";

    if (fat_geometry_derive(bpb, &g, &rule) != FAT_OK) {
        fail_msg("refused: %s", rule);
    }
    return g;
}

static void a_fat12_volume_lies_where_its_fields_say(void **state)
{
    const struct fat_bpb bpb = small(100);
    const struct fat_geometry g = derived(&bpb);

    (void)state;
    assert_int_equal(g.type, FAT_TYPE_12);
    assert_int_equal(g.sector_bytes, 512);
    assert_int_equal(g.cluster_bytes, 512);
    assert_int_equal(g.cluster_count, 100);
    assert_int_equal(g.fat_start, 1);
    assert_int_equal(g.fat_sectors, 12);
    assert_int_equal(g.root_start, 25);
    assert_int_equal(g.root_entries, 32);
    assert_int_equal(g.root_cluster, 0);
    assert_int_equal(g.data_start, 27);
    assert_int_equal(g.fsinfo_sector, 0);
    assert_int_equal(g.backup_sector, 0);
    assert_int_equal(g.media, 0xf8);
    assert_true(g.mirrored);
    assert_false(g.fat_clamped);
    assert_int_equal(fat_geometry_end(&g), 127 * 512);
    assert_false(fat_geometry_holds(&g, 0));
    assert_false(fat_geometry_holds(&g, 1));
    assert_true(fat_geometry_holds(&g, 2));
    assert_true(fat_geometry_holds(&g, 101));
    assert_false(fat_geometry_holds(&g, 102));
    assert_int_equal(fat_geometry_sector(&g, 2), 27);
    assert_int_equal(fat_geometry_sector(&g, 101), 126);
}

static void a_fat32_volume_lies_where_its_fields_say(void **state)
{
    const struct fat_bpb bpb = fat32(70000);
    const struct fat_geometry g = derived(&bpb);

    (void)state;
    assert_int_equal(g.type, FAT_TYPE_32);
    assert_int_equal(g.cluster_bytes, 4096);
    assert_int_equal(g.cluster_count, 70000);
    assert_int_equal(g.root_start, 0);
    assert_int_equal(g.root_entries, 0);
    assert_int_equal(g.root_cluster, 2);
    assert_int_equal(g.data_start, 32 + 2048);
    assert_int_equal(g.fsinfo_sector, 1);
    assert_int_equal(g.backup_sector, 6);
    assert_int_equal(g.active_fat, 0);
    assert_true(g.mirrored);
    assert_int_equal(fat_geometry_sector(&g, 3), 32 + 2048 + 8);
}

static void trailing_sectors_belong_to_no_cluster(void **state)
{
    struct fat_bpb bpb = fat32(70000);

    (void)state;
    bpb.total_sectors_32 += 7;
    assert_int_equal(derived(&bpb).cluster_count, 70000);
    bpb.total_sectors_32 += 1;
    assert_int_equal(derived(&bpb).cluster_count, 70001);
}

struct border_case {
    const char *name;
    uint32_t cluster_count; /* of a volume that is not FAT32 */
    enum fat_type want;     /* 0: refused */
};

static const struct border_case border_cases[] = {
        {"one cluster is FAT12", 1, FAT_TYPE_12},
        {"4084 is the last FAT12", 4084, FAT_TYPE_12},
        {"4085 is FAT16", 4085, FAT_TYPE_16},
        {"4086 is FAT16", 4086, FAT_TYPE_16},
        {"4087 is FAT16", 4087, FAT_TYPE_16},
        {"65524 is the last FAT16", 65524, FAT_TYPE_16},
        {"65525 is too many, FAT32 is not decided by count", 65525, 0},
        {"70000 is too many", 70000, 0},
};

static void type_goes_by_the_cluster_count_as_in_linux(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(border_cases); i++) {
        const struct border_case *c = &border_cases[i];
        const struct fat_bpb bpb = roomy(c->cluster_count);
        struct fat_geometry g = {0};
        const char *rule = "";
        const fat_err err = fat_geometry_derive(&bpb, &g, &rule);

        if (err != (c->want ? FAT_OK : FAT_E_CORRUPT) || g.type != c->want) {
            fail_msg("%s: got %d, type %d", c->name, (int)err, (int)g.type);
        }
        if (c->want && g.cluster_count != c->cluster_count) {
            fail_msg("%s: got %u clusters", c->name, g.cluster_count);
        }
    }
}

struct clamp_case {
    const char *name;
    uint32_t cluster_count; /* by the data area */
    uint16_t fat_sectors;
    enum fat_type type;
    uint32_t want;
};

static const struct clamp_case clamp_cases[] = {
        {"12: 512 bytes have 341 entries", 400, 1, FAT_TYPE_12, 339},
        {"12: 1024 bytes have 682 entries", 4084, 2, FAT_TYPE_12, 680},
        {"12: 1536 bytes have 1024 entries", 4084, 3, FAT_TYPE_12, 1022},
        {"12: exactly enough", 1022, 3, FAT_TYPE_12, 1022},
        {"16: a clamped FAT16 stays FAT16 below the border", 5000, 1, FAT_TYPE_16, 254},
        {"16: too many for the type are fine once clamped", 70000, 255, FAT_TYPE_16,
                65278},
};

static void count_is_clamped_to_the_entries_of_the_fat(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(clamp_cases); i++) {
        const struct clamp_case *c = &clamp_cases[i];
        struct fat_bpb bpb = small(0);
        struct fat_geometry g;

        bpb.fat_sectors_16 = c->fat_sectors;
        bpb.total_sectors_32 = 1 + 2 * (uint32_t)c->fat_sectors + 2 + c->cluster_count;
        g = derived(&bpb);
        if (g.type != c->type || g.cluster_count != c->want ||
                g.fat_clamped != (c->want < c->cluster_count)) {
            fail_msg("%s: got type %d, %u clusters, clamped %d", c->name, (int)g.type,
                    g.cluster_count, g.fat_clamped);
        }
    }
}

static void a_fat32_table_is_clamped_too(void **state)
{
    struct fat_bpb bpb = fat32(200000);
    struct fat_geometry g;

    (void)state;
    g = derived(&bpb);
    assert_int_equal(g.cluster_count, 1024 * 128 - 2);
    assert_true(g.fat_clamped);
    bpb.root_cluster = 1024 * 128;
    assert_int_equal(
            fat_geometry_derive(&bpb, &g, &(const char *){NULL}), FAT_E_CORRUPT);
    bpb.root_cluster = 1024 * 128 - 1;
    assert_int_equal(derived(&bpb).root_cluster, 1024 * 128 - 1);
}

static void the_16_bit_total_wins_when_it_is_not_zero(void **state)
{
    struct fat_bpb bpb = small(100);

    (void)state;
    bpb.total_sectors_16 = 27 + 50;
    assert_int_equal(derived(&bpb).cluster_count, 50);
}

static void a_fixed_root_without_slots_is_accepted_as_in_linux(void **state)
{
    struct fat_bpb bpb = small(100);

    (void)state;
    bpb.root_entries = 0;
    assert_int_equal(derived(&bpb).root_entries, 0);
    assert_int_equal(derived(&bpb).data_start, 25);
}

static void a_stray_fixed_root_on_fat32_is_skipped(void **state)
{
    struct fat_bpb bpb = fat32(70000);

    (void)state;
    bpb.root_entries = 256;
    assert_int_equal(derived(&bpb).data_start, 32 + 2048 + 16);
    assert_int_equal(derived(&bpb).root_entries, 0);
    assert_int_equal(derived(&bpb).root_start, 0);
}

struct error_case {
    const char *name, *field;
    struct fat_bpb bpb;
};

#define FAT12(bytes, fats, length, root, total)                             \
    {                                                                       \
        .sector_bytes = bytes, .cluster_sectors = 1, .reserved_sectors = 1, \
        .fat_count = fats, .root_entries = root, .total_sectors_32 = total, \
        .media = 0xf8, .fat_sectors_16 = length                             \
    }
#define FAT32(reserved, fats, length, root, total, flags)                        \
    {                                                                            \
        .sector_bytes = 512, .cluster_sectors = 8, .reserved_sectors = reserved, \
        .fat_count = fats, .total_sectors_32 = total, .media = 0xf8,             \
        .fat_sectors_32 = length, .ext_flags = flags, .root_cluster = root,      \
        .is_fat32 = true                                                         \
    }

static const struct error_case error_cases[] = {
        {"no total", "BPB_TotSec16 and", FAT12(512, 2, 1, 32, 0)},
        {"a total of one sector", "BPB_TotSec16/32", FAT12(512, 2, 1, 32, 1)},
        {"a total that ends inside the FATs", "BPB_TotSec16/32",
                FAT12(512, 2, 9, 32, 12)},
        {"a total that ends inside the fixed root", "BPB_TotSec16/32",
                FAT12(512, 2, 1, 32, 4)},
        {"a total that ends with the fixed root", "no room", FAT12(512, 2, 1, 32, 5)},
        {"a total one sector short of a cluster", "no room",
                FAT32(32, 2, 1024, 2, 32 + 2048 + 7, 0)},
        {"a root that ends inside a sector", "BPB_RootEntCnt",
                FAT12(512, 2, 1, 17, 100)},
        {"a root that ends inside a large sector", "BPB_RootEntCnt",
                FAT12(4096, 2, 1, 64, 100)},
        {"255 FATs of 65535 sectors", "BPB_TotSec16/32",
                FAT12(512, 255, 65535, 32, 100000)},
        {"255 FATs of 2^32 - 1 sectors do not wrap round", "BPB_TotSec16/32",
                FAT32(32, 255, UINT32_MAX, 2, UINT32_MAX, 0)},
        {"FATs whose sum is 2^32 and a little", "BPB_TotSec16/32",
                FAT32(32, 2, UINT32_C(0x80000010), 2, 100000, 0)},
        {"65535 reserved sectors on a small volume", "BPB_TotSec16/32",
                FAT32(65535, 2, 1024, 2, 65536, 0)},
        {"an active FAT behind the last", "BPB_ExtFlags",
                FAT32(32, 2, 1024, 2, 100000, 0x82)},
        {"a root at cluster 0", "BPB_RootClus", FAT32(32, 2, 1024, 0, 100000, 0)},
        {"a root at cluster 1", "BPB_RootClus", FAT32(32, 2, 1024, 1, 100000, 0)},
        {"a root behind the last cluster", "BPB_RootClus",
                FAT32(32, 2, 1024, (100000 - 2080) / 8 + 2, 100000, 0)},
        {"more clusters than 28 bits can count", "more clusters",
                FAT32(32, 1, 2097153, 2, UINT32_MAX, 0)},
};

static void fields_that_contradict_each_other_are_named(void **state)
{
    struct fat_geometry untouched, g;

    (void)state;
    memset(&untouched, 0x5a, sizeof(untouched));
    for (size_t i = 0; i < COUNT(error_cases); i++) {
        const struct error_case *c = &error_cases[i];
        const char *rule = "";
        fat_err err;

        g = untouched;
        err = fat_geometry_derive(&c->bpb, &g, &rule);
        if (err != FAT_E_CORRUPT || !strstr(rule, c->field)) {
            fail_msg("%s: got %d, \"%s\"", c->name, (int)err, rule);
        }
        assert_memory_equal(&g, &untouched, sizeof(g));
    }
}

struct reserved_case {
    const char *name;
    uint16_t reserved_sectors, fsinfo, backup;
    uint32_t want_fsinfo, want_backup;
};

static const struct reserved_case reserved_cases[] = {
        {"as usual", 32, 1, 6, 1, 6},
        {"FSInfo at 0 means 1", 32, 0, 6, 1, 6},
        {"FSInfo at 0 with one reserved sector is none", 1, 0, 0, 0, 0},
        {"FFFF is none", 32, 0xffff, 0xffff, 0, 0},
        {"backup at 0 is none", 32, 1, 0, 1, 0},
        {"the last reserved sector counts", 32, 31, 31, 31, 31},
        {"behind the reserved sectors is none", 32, 32, 32, 0, 0},
        {"FFFF is none even when it is reserved", 0xffff, 0xffff, 0xffff, 0, 0},
        {"FFFE can be", 0xffff, 0xfffe, 0xfffe, 0xfffe, 0xfffe},
};

static void fsinfo_and_backup_must_be_reserved_sectors(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(reserved_cases); i++) {
        const struct reserved_case *c = &reserved_cases[i];
        struct fat_bpb bpb = fat32(90000);
        struct fat_geometry g;

        bpb.reserved_sectors = c->reserved_sectors;
        bpb.fsinfo_sector = c->fsinfo;
        bpb.backup_sector = c->backup;
        g = derived(&bpb);
        if (g.fsinfo_sector != c->want_fsinfo || g.backup_sector != c->want_backup) {
            fail_msg("%s: got %u, %u", c->name, g.fsinfo_sector, g.backup_sector);
        }
    }
}

static void without_mirroring_the_active_fat_is_the_one_named(void **state)
{
    struct fat_bpb bpb = fat32(70000);

    (void)state;
    bpb.ext_flags = 0x81;
    assert_int_equal(derived(&bpb).active_fat, 1);
    assert_false(derived(&bpb).mirrored);
    bpb.ext_flags = 0x0f; /* the number means nothing while mirroring is on */
    assert_int_equal(derived(&bpb).active_fat, 0);
    assert_true(derived(&bpb).mirrored);
}

static void the_largest_volume_of_all_is_16_tib(void **state)
{
    struct fat_bpb bpb = {.sector_bytes = 4096,
            .cluster_sectors = 128,
            .reserved_sectors = 128,
            .fat_count = 2,
            .total_sectors_32 = UINT32_MAX,
            .media = 0xf8,
            .fat_sectors_32 = 32768,
            .root_cluster = 2,
            .is_fat32 = true};
    struct fat_geometry g = derived(&bpb);
    const uint32_t last = g.cluster_count + 1;

    (void)state;
    assert_int_equal(fat_geometry_end(&g), 16 * TIB - 4096);
    assert_int_equal(g.cluster_bytes, 512 * 1024);
    assert_int_equal(g.cluster_count, (UINT32_MAX - UINT32_C(65664)) / 128);
    assert_true(fat_geometry_sector(&g, last) > 15 * TIB / 4096);
    assert_true(fat_geometry_sector(&g, last) + 128 <= g.total_sectors);
}

static void the_most_clusters_of_all_fit_in_28_bits(void **state)
{
    struct fat_bpb bpb = {.sector_bytes = 4096,
            .cluster_sectors = 8,
            .reserved_sectors = 32,
            .fat_count = 2,
            .media = 0xf8,
            .fat_sectors_32 = 262144,
            .root_cluster = 2,
            .is_fat32 = true};
    struct fat_geometry g;

    (void)state;
    bpb.total_sectors_32 = 32 + 2 * 262144 + UINT32_C(8) * FAT32_CLUSTERS_MAX;
    g = derived(&bpb);
    assert_true(fat_geometry_holds(&g, 0x0ffffff6));
    assert_false(fat_geometry_holds(&g, 0x0ffffff7)); /* the bad mark */
    assert_false(g.fat_clamped);
    bpb.total_sectors_32 += 8;
    assert_int_equal(
            fat_geometry_derive(&bpb, &g, &(const char *){NULL}), FAT_E_CORRUPT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(a_fat12_volume_lies_where_its_fields_say),
            cmocka_unit_test(a_fat32_volume_lies_where_its_fields_say),
            cmocka_unit_test(trailing_sectors_belong_to_no_cluster),
            cmocka_unit_test(type_goes_by_the_cluster_count_as_in_linux),
            cmocka_unit_test(count_is_clamped_to_the_entries_of_the_fat),
            cmocka_unit_test(a_fat32_table_is_clamped_too),
            cmocka_unit_test(the_16_bit_total_wins_when_it_is_not_zero),
            cmocka_unit_test(a_fixed_root_without_slots_is_accepted_as_in_linux),
            cmocka_unit_test(a_stray_fixed_root_on_fat32_is_skipped),
            cmocka_unit_test(fields_that_contradict_each_other_are_named),
            cmocka_unit_test(fsinfo_and_backup_must_be_reserved_sectors),
            cmocka_unit_test(without_mirroring_the_active_fat_is_the_one_named),
            cmocka_unit_test(the_largest_volume_of_all_is_16_tib),
            cmocka_unit_test(the_most_clusters_of_all_fit_in_28_bits),
    };

    return cmocka_run_group_tests_name("geometry", tests, NULL, NULL);
}
