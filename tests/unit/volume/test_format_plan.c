/* SPDX-License-Identifier: MIT */
#include "volume/format_plan.h"

#include <stdio.h>
#include <string.h>

#include "support/cmocka.h"

#define COUNT(table) (sizeof(table) / sizeof(*(table)))
#define KIB          UINT64_C(1024)
#define MIB          (UINT64_C(1) << 20)
#define GIB          (UINT64_C(1) << 30)
#define TIB          (UINT64_C(1) << 40)

/* What two formatters may disagree about. */
struct shape {
    uint32_t type, cluster_sectors, reserved_sectors, fat_sectors, root_entries;
    uint64_t total_sectors, cluster_count;
    uint32_t media, track_sectors, heads, backup_sector;
};

struct mkfs_case {
    uint64_t size_bytes;
    uint32_t sector_bytes;
    unsigned type; /* as asked for; 0 by size */
    struct shape want;
};

/* What mkfs.fat 4.2 made of sparse files of these sizes (-S, -F), measured. */
static const struct mkfs_case mkfs_cases[] = {
        {64 * KIB, 512, 0, {12, 4, 1, 1, 512, 128, 23, 0xf8, 16, 2, 0}},
        {180 * KIB, 512, 0, {12, 4, 1, 1, 512, 352, 79, 0xf8, 16, 2, 0}},
        {360 * KIB, 512, 0, {12, 2, 1, 2, 112, 720, 354, 0xfd, 9, 2, 0}},
        {720 * KIB, 512, 0, {12, 2, 1, 3, 112, 1440, 713, 0xf9, 9, 2, 0}},
        {1200 * KIB, 512, 0, {12, 1, 1, 7, 224, 2400, 2371, 0xf9, 15, 2, 0}},
        {1440 * KIB, 512, 0, {12, 1, 1, 9, 224, 2880, 2847, 0xf0, 18, 2, 0}},
        {2880 * KIB, 512, 0, {12, 2, 1, 9, 224, 5760, 2863, 0xf0, 36, 2, 0}},
        {4 * MIB, 512, 0, {12, 4, 1, 6, 512, 8192, 2036, 0xf8, 32, 2, 0}},
        {4097 * KIB, 512, 0, {12, 4, 1, 6, 512, 8192, 2036, 0xf8, 32, 2, 0}},
        {5 * MIB, 512, 0, {12, 4, 4, 8, 512, 10240, 2547, 0xf8, 32, 2, 0}},
        {8 * MIB, 512, 0, {12, 4, 4, 12, 512, 16384, 4081, 0xf8, 32, 2, 0}},
        {8704 * KIB, 512, 0, {16, 4, 4, 20, 512, 17408, 4333, 0xf8, 32, 2, 0}},
        {8704 * KIB, 512, 12, {12, 8, 8, 8, 512, 17408, 2169, 0xf8, 32, 2, 0}},
        {16383 * KIB, 512, 0, {16, 4, 4, 32, 512, 32736, 8159, 0xf8, 32, 2, 0}},
        {16 * MIB, 512, 12, {12, 16, 16, 16, 512, 32768, 2043, 0xf8, 32, 2, 0}},
        {32 * MIB, 512, 0, {16, 4, 4, 64, 512, 65536, 16343, 0xf8, 32, 4, 0}},
        {128 * MIB, 512, 0, {16, 4, 4, 256, 512, 262144, 65399, 0xf8, 32, 8, 0}},
        {129 * MIB, 512, 0, {16, 8, 8, 136, 512, 264192, 32985, 0xf8, 32, 16, 0}},
        {256 * MIB, 512, 0, {16, 8, 8, 256, 512, 524288, 65467, 0xf8, 32, 16, 0}},
        {257 * MIB, 512, 0, {16, 16, 16, 144, 512, 526302, 32872, 0xf8, 63, 16, 0}},
        {524287 * KIB, 512, 0, {16, 16, 16, 256, 512, 1048572, 65500, 0xf8, 63, 32, 0}},
        {512 * MIB, 512, 0, {32, 8, 32, 1024, 0, 1048572, 130811, 0xf8, 63, 32, 6}},
        {512 * MIB, 512, 16, {16, 16, 16, 256, 512, 1048572, 65500, 0xf8, 63, 32, 0}},
        {40 * MIB, 512, 32, {32, 1, 32, 630, 0, 81920, 80628, 0xf8, 32, 8, 6}},
        {260 * MIB, 512, 32, {32, 1, 32, 4096, 0, 532476, 524252, 0xf8, 63, 16, 6}},
        {261 * MIB, 512, 32, {32, 8, 32, 528, 0, 534492, 66675, 0xf8, 63, 16, 6}},
        {1 * GIB, 512, 0, {32, 8, 32, 2048, 0, 2097144, 261627, 0xf8, 63, 64, 6}},
        {1 * GIB, 512, 16, {16, 32, 32, 256, 512, 2097144, 65517, 0xf8, 63, 64, 0}},
        {4 * GIB, 512, 0, {32, 8, 32, 8176, 0, 8388576, 1046524, 0xf8, 63, 255, 6}},
        {8 * GIB, 512, 0, {32, 8, 32, 16360, 0, 16777215, 2093057, 0xf8, 63, 255, 6}},
        {8193 * MIB, 512, 0,
                {32, 16, 32, 8192, 0, 16779231, 1047675, 0xf8, 63, 255, 6}},
        {16385 * MIB, 512, 0,
                {32, 32, 32, 8192, 0, 33556446, 1048125, 0xf8, 63, 255, 6}},
        {32 * GIB, 512, 0, {32, 32, 32, 16384, 0, 67108860, 2096126, 0xf8, 63, 255, 6}},
        {32769 * MIB, 512, 0,
                {32, 64, 64, 8192, 0, 67110876, 1048350, 0xf8, 63, 255, 6}},
        {1 * TIB, 512, 0,
                {32, 64, 64, 262144, 0, 2147483646, 33546238, 0xf8, 63, 255, 6}},
        {2 * TIB, 512, 0,
                {32, 64, 64, 524224, 0, 4294967292, 67092480, 0xf8, 63, 255, 6}},
        {3 * TIB, 512, 0,
                {32, 64, 64, 524224, 0, 4294967292, 67092480, 0xf8, 63, 255, 6}},
        {8 * TIB, 512, 0,
                {32, 64, 64, 524224, 0, 4294967292, 67092480, 0xf8, 63, 255, 6}},
        {64 * KIB, 4096, 0, {12, 4, 1, 1, 512, 16, 2, 0xf8, 16, 2, 0}},
        {16 * MIB, 4096, 0, {12, 4, 1, 1, 512, 4096, 1022, 0xf8, 16, 2, 0}},
        {64 * MIB, 4096, 0, {16, 4, 4, 4, 512, 16384, 4092, 0xf8, 32, 2, 0}},
        {511 * MIB, 4096, 0, {16, 4, 4, 16, 512, 130816, 32694, 0xf8, 32, 8, 0}},
        {512 * MIB, 4096, 0, {32, 1, 32, 128, 0, 131072, 130784, 0xf8, 32, 8, 6}},
        {2 * GIB, 4096, 0, {32, 1, 32, 511, 0, 524288, 523234, 0xf8, 32, 16, 6}},
        {3 * GIB, 4096, 0, {32, 8, 32, 96, 0, 786429, 98275, 0xf8, 63, 16, 6}},
        {256 * GIB, 4096, 0,
                {32, 32, 32, 2048, 0, 67108860, 2097022, 0xf8, 63, 255, 6}},
        {8 * TIB, 4096, 0,
                {32, 64, 64, 32768, 0, 2147483646, 33553406, 0xf8, 63, 255, 6}},
        {300 * MIB, 1024, 0, {16, 8, 8, 80, 512, 307200, 38377, 0xf8, 32, 16, 0}},
        {700 * MIB, 1024, 0, {32, 8, 32, 352, 0, 716751, 89501, 0xf8, 63, 16, 6}},
        {1 * GIB, 2048, 0, {32, 1, 32, 1020, 0, 524288, 522216, 0xf8, 32, 16, 6}},
};

static struct shape shape_of(const struct fat_format_plan *plan)
{
    const struct fat_geometry *g = &plan->geometry;

    return (struct shape){(uint32_t)g->type, g->cluster_sectors, (uint32_t)g->fat_start,
            (uint32_t)g->fat_sectors, g->root_entries, g->total_sectors,
            g->cluster_count, plan->bpb.media, plan->bpb.track_sectors, plan->bpb.heads,
            g->backup_sector};
}

static void describe(const struct shape *s, char *text, size_t length)
{
    (void)snprintf(text, length,
            "FAT%u, %u sectors/cluster, %u reserved, FAT of %u, root %u, total %llu, "
            "%llu clusters, media %x, %u/%u, backup %u",
            s->type, s->cluster_sectors, s->reserved_sectors, s->fat_sectors,
            s->root_entries, (unsigned long long)s->total_sectors,
            (unsigned long long)s->cluster_count, s->media, s->track_sectors, s->heads,
            s->backup_sector);
}

static bool same_shape(const struct shape *a, const struct shape *b)
{
    char text_a[256], text_b[256];

    describe(a, text_a, sizeof(text_a));
    describe(b, text_b, sizeof(text_b));
    return strcmp(text_a, text_b) == 0;
}

static void a_default_volume_is_the_one_mkfs_fat_makes(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(mkfs_cases); i++) {
        const struct mkfs_case *c = &mkfs_cases[i];
        const struct fat_format_options options = {
                .type = c->type, .sector_bytes = c->sector_bytes};
        struct fat_format_plan plan;
        struct shape got;
        char text[256];

        if (fat_format_plan_make(&options, c->size_bytes, &plan) != FAT_OK) {
            fail_msg("%llu bytes: refused", (unsigned long long)c->size_bytes);
        }
        got = shape_of(&plan);
        describe(&got, text, sizeof(text));
        if (!same_shape(&got, &c->want)) {
            fail_msg("%llu bytes, row %zu: got %s", (unsigned long long)c->size_bytes,
                    i, text);
        }
    }
}

struct option_case {
    const char *name;
    uint64_t size_bytes;
    struct fat_format_options options; /* sector_bytes 0 means 512 here */
    fat_err want;
    unsigned type;
    uint32_t cluster_sectors;
    uint64_t cluster_count; /* 0: any */
};

#define GIVEN(...)  \
    {               \
        __VA_ARGS__ \
    }

static const struct option_case option_cases[] = {
        {"type 13", 16 * MIB, GIVEN(.type = 13), FAT_E_INVAL, 0, 0, 0},
        {"sectors of 256 bytes", 16 * MIB, GIVEN(.sector_bytes = 256), FAT_E_INVAL, 0,
                0, 0},
        {"sectors of 1000 bytes", 16 * MIB, GIVEN(.sector_bytes = 1000), FAT_E_INVAL, 0,
                0, 0},
        {"sectors of 8192 bytes", 16 * MIB, GIVEN(.sector_bytes = 8192), FAT_E_INVAL, 0,
                0, 0},
        {"3 sectors in a cluster", 16 * MIB, GIVEN(.cluster_sectors = 3), FAT_E_INVAL,
                0, 0, 0},
        {"256 sectors in a cluster", 16 * MIB, GIVEN(.cluster_sectors = 256),
                FAT_E_INVAL, 0, 0, 0},
        {"256 FATs", 16 * MIB, GIVEN(.fat_count = 256), FAT_E_INVAL, 0, 0, 0},
        {"65536 reserved sectors", 64 * MIB, GIVEN(.reserved_sectors = 65536),
                FAT_E_INVAL, 0, 0, 0},
        {"65535 root entries", 64 * MIB, GIVEN(.root_entries = 65535), FAT_E_INVAL, 0,
                0, 0},
        {"65520 root entries", 64 * MIB, GIVEN(.root_entries = 65520), FAT_OK, 16, 4,
                0},
        {"media 00 is the default", 16 * MIB, GIVEN(.media = 0), FAT_OK, 16, 4, 8167},
        {"media F1", 16 * MIB, GIVEN(.media = 0xf1), FAT_E_INVAL, 0, 0, 0},
        {"media F7", 16 * MIB, GIVEN(.media = 0xf7), FAT_E_INVAL, 0, 0, 0},
        {"FAT32 with a fixed root", 64 * MIB, GIVEN(.type = 32, .root_entries = 512),
                FAT_E_INVAL, 0, 0, 0},
        {"FAT32 without room for FSInfo", 64 * MIB,
                GIVEN(.type = 32, .reserved_sectors = 1), FAT_E_INVAL, 0, 0, 0},
        {"an empty device", 0, GIVEN(.type = 0), FAT_E_NOSPC, 0, 0, 0},
        {"less than a sector", 511, GIVEN(.type = 0), FAT_E_NOSPC, 0, 0, 0},
        {"no room behind the root", 17 * KIB, GIVEN(.type = 12), FAT_E_NOSPC, 0, 0, 0},
        {"no room in whole tracks", 18 * KIB, GIVEN(.type = 12), FAT_E_NOSPC, 0, 0, 0},
        {"room for three clusters", 24 * KIB, GIVEN(.type = 12), FAT_OK, 12, 4, 3},
        {"FAT16 on a floppy takes smaller clusters", 2880 * KIB, GIVEN(.type = 16),
                FAT_OK, 16, 1, 5699},
        {"FAT16 on a small floppy", 1440 * KIB, GIVEN(.type = 16), FAT_E_NOSPC, 0, 0,
                0},
        {"FAT12 has no clusters that large", 600 * MIB, GIVEN(.type = 12), FAT_E_FBIG,
                0, 0, 0},
        {"FAT12 with the largest clusters", 240 * MIB, GIVEN(.type = 12), FAT_OK, 12,
                128, 0},
        {"FAT16 has no clusters that large", 5 * GIB, GIVEN(.type = 16), FAT_E_FBIG, 0,
                0, 0},
        {"FAT12 with a cluster given", 16 * MIB,
                GIVEN(.type = 12, .cluster_sectors = 1), FAT_E_FBIG, 0, 0, 0},
        {"FAT32 needs 65525 clusters", 16 * MIB, GIVEN(.type = 32), FAT_E_RANGE, 0, 0,
                0},
        {"or permission", 16 * MIB, GIVEN(.type = 32, .allow_ambiguous = true), FAT_OK,
                32, 1, 32232},
        {"permission without a type changes nothing", 16 * MIB,
                GIVEN(.allow_ambiguous = true), FAT_OK, 16, 4, 8167},
        {"a given cluster too small for FAT16 makes FAT32", 400 * MIB,
                GIVEN(.cluster_sectors = 1), FAT_OK, 32, 1, 0},
        {"a given cluster too large for FAT32 makes FAT16", 600 * MIB,
                GIVEN(.cluster_sectors = 64), FAT_OK, 16, 64, 0},
        {"as many clusters as 28 bits can count", 1 * TIB - 1 * GIB,
                GIVEN(.sector_bytes = 4096, .cluster_sectors = 1), FAT_OK, 32, 1, 0},
        {"and more than that", 2 * TIB,
                GIVEN(.sector_bytes = 4096, .cluster_sectors = 1), FAT_E_FBIG, 0, 0, 0},
        {"255 FATs", 64 * MIB, GIVEN(.type = 16, .fat_count = 255), FAT_OK, 16, 4, 0},
};

static fat_err make(const struct option_case *c, struct fat_format_plan *ret)
{
    struct fat_format_options options = c->options;

    if (options.sector_bytes == 0) {
        options.sector_bytes = 512;
    }
    return fat_format_plan_make(&options, c->size_bytes, ret);
}

static void options_are_refused_or_followed(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(option_cases); i++) {
        const struct option_case *c = &option_cases[i];
        struct fat_format_plan plan = {.geometry = {.cluster_sectors = 0}};
        const struct fat_geometry *g = &plan.geometry;
        const fat_err err = make(c, &plan);

        if (err != c->want) {
            fail_msg("%s: got %d", c->name, (int)err);
        }
        if ((unsigned)g->type != c->type || g->cluster_sectors != c->cluster_sectors) {
            fail_msg("%s: got FAT%d, %u sectors/cluster", c->name, (int)g->type,
                    g->cluster_sectors);
        }
        if (c->cluster_count != 0 && g->cluster_count != c->cluster_count) {
            fail_msg("%s: got %u clusters", c->name, g->cluster_count);
        }
    }
}

static bool is_safe(const struct fat_geometry *g)
{
    switch (g->type) {
    case FAT_TYPE_12:
        return g->cluster_count <= 4084;
    case FAT_TYPE_16:
        return g->cluster_count >= 4087 && g->cluster_count <= 65524;
    case FAT_TYPE_32:
        return g->cluster_count >= 65525 && g->cluster_count <= 0x0ffffff5;
    }
    return false;
}

/* Every sector around the sizes where the count meets a border, one cluster size. */
static void sweep_sizes(struct fat_format_options options, uint64_t from, uint64_t to)
{
    for (uint64_t sectors = from; sectors < to; sectors++) {
        struct fat_format_plan plan;
        const fat_err err = fat_format_plan_make(&options, sectors * 512, &plan);

        if (err == FAT_OK && !is_safe(&plan.geometry)) {
            fail_msg("%llu sectors: FAT%d with %u clusters",
                    (unsigned long long)sectors, (int)plan.geometry.type,
                    plan.geometry.cluster_count);
        }
        if (err != FAT_OK && err != FAT_E_RANGE && err != FAT_E_FBIG) {
            fail_msg("%llu sectors: got %d", (unsigned long long)sectors, (int)err);
        }
    }
}

static void no_size_gives_a_count_that_systems_read_differently(void **state)
{
    const struct fat_format_options automatic = {.sector_bytes = 512};
    const struct fat_format_options fixed = {.sector_bytes = 512, .cluster_sectors = 1};

    (void)state;
    sweep_sizes(automatic, 16000, 18000);
    sweep_sizes(automatic, 261000, 264000);
    sweep_sizes(automatic, 1047000, 1050000);
    sweep_sizes(fixed, 4000, 4300);
    sweep_sizes(fixed, 65400, 67500);
    for (uint32_t fats = 1; fats < 256; fats += 13) {
        const struct fat_format_options many = {
                .sector_bytes = 512, .cluster_sectors = 1, .fat_count = fats};
        const struct fat_format_options allowed = {
                .sector_bytes = 512, .fat_count = fats, .allow_ambiguous = true};

        sweep_sizes(many, 4128, 6000);
        sweep_sizes(allowed, 16000, 18000);
    }
}

static void the_unread_counts_are_refused_one_by_one(void **state)
{
    /* One reserved sector, one root sector, one FAT of 16 sectors; no whole tracks
     * are lost as the media has 32 sectors per track: 4128 = 129 * 32. */
    struct fat_format_options options = {.sector_bytes = 512,
            .type = 16,
            .cluster_sectors = 1,
            .fat_count = 1,
            .root_entries = 16};
    struct fat_format_plan plan;

    (void)state;
    options.reserved_sectors = 4128 - 1 - 16 - 4085;
    assert_int_equal(
            fat_format_plan_make(&options, UINT64_C(4128) * 512, &plan), FAT_E_RANGE);
    options.allow_ambiguous = true;
    assert_int_equal(
            fat_format_plan_make(&options, UINT64_C(4128) * 512, &plan), FAT_OK);
    assert_int_equal(plan.geometry.cluster_count, 4085);
    assert_int_equal(plan.geometry.type, FAT_TYPE_16);
    options.allow_ambiguous = false;
    options.reserved_sectors -= 1;
    assert_int_equal(
            fat_format_plan_make(&options, UINT64_C(4128) * 512, &plan), FAT_E_RANGE);
    options.reserved_sectors -= 1;
    assert_int_equal(
            fat_format_plan_make(&options, UINT64_C(4128) * 512, &plan), FAT_OK);
    assert_int_equal(plan.geometry.cluster_count, 4087);
    options.reserved_sectors += 3;
    assert_int_equal(
            fat_format_plan_make(&options, UINT64_C(4128) * 512, &plan), FAT_E_NOSPC);
    options.allow_ambiguous = true; /* would be read as FAT12 by everybody */
    assert_int_equal(
            fat_format_plan_make(&options, UINT64_C(4128) * 512, &plan), FAT_E_NOSPC);
    options.type = 12;
    options.allow_ambiguous = false;
    options.reserved_sectors = 4128 - 1 - 12 - 4084;
    assert_int_equal(
            fat_format_plan_make(&options, UINT64_C(4128) * 512, &plan), FAT_OK);
    assert_int_equal(plan.geometry.cluster_count, 4084);
    options.reserved_sectors -= 1;
    assert_int_equal(
            fat_format_plan_make(&options, UINT64_C(4128) * 512, &plan), FAT_E_FBIG);
}

static void fat32_begins_with_65525_clusters(void **state)
{
    /* One FAT of 512 sectors, and 66080 sectors are whole tracks. */
    struct fat_format_options options = {.sector_bytes = 512,
            .type = 32,
            .cluster_sectors = 1,
            .fat_count = 1,
            .reserved_sectors = 66080 - 512 - 65525};
    struct fat_format_plan plan;

    (void)state;
    assert_int_equal(
            fat_format_plan_make(&options, UINT64_C(66080) * 512, &plan), FAT_OK);
    assert_int_equal(plan.geometry.cluster_count, 65525);
    options.reserved_sectors += 1;
    assert_int_equal(
            fat_format_plan_make(&options, UINT64_C(66080) * 512, &plan), FAT_E_RANGE);
    options.allow_ambiguous = true;
    assert_int_equal(
            fat_format_plan_make(&options, UINT64_C(66080) * 512, &plan), FAT_OK);
    assert_int_equal(plan.geometry.cluster_count, 65524);
    assert_int_equal(plan.geometry.type, FAT_TYPE_32);
}

static void an_exact_number_of_reserved_sectors_is_kept(void **state)
{
    struct fat_format_options options = {.sector_bytes = 512, .type = 32};
    static const struct {
        uint32_t reserved_sectors, fsinfo, backup;
    } cases[] = {{2, 1, 0}, {3, 1, 2}, {6, 1, 5}, {7, 1, 6}, {8, 1, 6}, {6284, 1, 6}};

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct fat_format_plan plan;

        options.reserved_sectors = cases[i].reserved_sectors;
        assert_int_equal(fat_format_plan_make(&options, 64 * MIB, &plan), FAT_OK);
        assert_int_equal(plan.geometry.fat_start, cases[i].reserved_sectors);
        assert_int_equal(plan.geometry.fsinfo_sector, cases[i].fsinfo);
        assert_int_equal(plan.geometry.backup_sector, cases[i].backup);
    }
}

static void root_entries_fill_whole_sectors(void **state)
{
    struct fat_format_options options = {.sector_bytes = 512, .root_entries = 17};
    struct fat_format_plan plan;

    (void)state;
    assert_int_equal(fat_format_plan_make(&options, 16 * MIB, &plan), FAT_OK);
    assert_int_equal(plan.geometry.root_entries, 32);
    options = (struct fat_format_options){.sector_bytes = 4096};
    assert_int_equal(fat_format_plan_make(&options, 1440 * KIB, &plan), FAT_OK);
    assert_int_equal(plan.geometry.root_entries, 256); /* mkfs.fat: 224 */
}

struct label_case {
    const char *name;
    char label[12];
    const char *want; /* NULL: refused */
};

static const struct label_case label_cases[] = {
        {"none", "", "NO NAME    "},
        {"padded", "DISK", "DISK       "},
        {"upper-cased", "my disk", "MY DISK    "},
        {"all eleven", "abcdefghijk", "ABCDEFGHIJK"},
        {"no NUL", {'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j', 'k', 'l'}, NULL},
        {"a leading space", " A", NULL},
        {"a dot", "A.B", NULL},
        {"a star", "A*B", NULL},
        {"a control character", "A\tB", NULL},
        {"DEL", "A\177B", NULL},
        {"not ASCII", "A\303\244", NULL},
};

static void labels_are_padded_upper_cased_and_checked(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(label_cases); i++) {
        const struct label_case *c = &label_cases[i];
        struct fat_format_options options = {.sector_bytes = 512};
        struct fat_format_plan plan;
        fat_err err;

        memcpy(options.label, c->label, sizeof(options.label));
        err = fat_format_plan_make(&options, 16 * MIB, &plan);
        if (err != (c->want ? FAT_OK : FAT_E_INVAL)) {
            fail_msg("%s: got %d", c->name, (int)err);
        }
        if (c->want && memcmp(plan.bpb.label, c->want, sizeof(plan.bpb.label)) != 0) {
            fail_msg("%s: got \"%.11s\"", c->name, (const char *)plan.bpb.label);
        }
    }
}

static void the_serial_is_the_one_given_or_the_moment(void **state)
{
    struct fat_format_options options = {.sector_bytes = 512, .now = {1700000000, 1}};
    struct fat_format_plan one, two;

    (void)state;
    assert_int_equal(fat_format_plan_make(&options, 16 * MIB, &one), FAT_OK);
    options.now.nanoseconds = 2;
    assert_int_equal(fat_format_plan_make(&options, 16 * MIB, &two), FAT_OK);
    assert_int_not_equal(one.bpb.serial, two.bpb.serial);
    options.serial = 0x12345678;
    options.has_serial = true;
    assert_int_equal(fat_format_plan_make(&options, 16 * MIB, &one), FAT_OK);
    assert_int_equal(one.bpb.serial, 0x12345678);
    options.serial = 0;
    assert_int_equal(fat_format_plan_make(&options, 16 * MIB, &one), FAT_OK);
    assert_int_equal(one.bpb.serial, 0);
}

static void the_rest_of_the_boot_sector_is_what_others_expect(void **state)
{
    struct fat_format_options options = {
            .sector_bytes = 512, .hidden_sectors = 8192, .media = 0xf0};
    struct fat_format_plan plan;

    (void)state;
    assert_int_equal(fat_format_plan_make(&options, 16 * MIB, &plan), FAT_OK);
    assert_int_equal(plan.bpb.hidden_sectors, 8192);
    assert_int_equal(plan.bpb.media, 0xf0);
    assert_int_equal(plan.bpb.drive, 0);
    assert_int_equal(plan.bpb.boot_signature, 0x29);
    assert_int_equal(plan.bpb.total_sectors_16, 32768);
    assert_int_equal(plan.bpb.total_sectors_32, 0);
    assert_memory_equal(plan.bpb.type_name, "FAT16   ", 8);
    assert_int_equal(fat_format_plan_make(&options, 600 * MIB, &plan), FAT_OK);
    assert_int_equal(plan.bpb.total_sectors_16, 0);
    assert_memory_equal(plan.bpb.type_name, "FAT32   ", 8);
    options.media = 0;
    options.type = 32;
    options.allow_ambiguous = true;
    assert_int_equal(fat_format_plan_make(&options, 20 * MIB, &plan), FAT_OK);
    assert_int_equal(plan.bpb.total_sectors_16, 0); /* FAT32 has none, MSFAT 3.3 */
    assert_int_equal(plan.bpb.drive, 0x80);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(a_default_volume_is_the_one_mkfs_fat_makes),
            cmocka_unit_test(options_are_refused_or_followed),
            cmocka_unit_test(no_size_gives_a_count_that_systems_read_differently),
            cmocka_unit_test(the_unread_counts_are_refused_one_by_one),
            cmocka_unit_test(fat32_begins_with_65525_clusters),
            cmocka_unit_test(an_exact_number_of_reserved_sectors_is_kept),
            cmocka_unit_test(root_entries_fill_whole_sectors),
            cmocka_unit_test(labels_are_padded_upper_cased_and_checked),
            cmocka_unit_test(the_serial_is_the_one_given_or_the_moment),
            cmocka_unit_test(the_rest_of_the_boot_sector_is_what_others_expect),
    };

    return cmocka_run_group_tests_name("format_plan", tests, NULL, NULL);
}
