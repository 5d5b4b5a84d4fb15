/* SPDX-License-Identifier: MIT */
#include "ondisk/fatent.h"

#include <string.h>

#include "support/cmocka.h"

#define COUNT(table) (sizeof(table) / sizeof(*(table)))

static const enum fat_type types[] = {FAT_TYPE_12, FAT_TYPE_16, FAT_TYPE_32};

/* What the engine does with an encoded entry: merge it into what is there. */
static void merge(enum fat_type type, uint32_t cluster, struct fat_link link,
        uint8_t raw[FAT_ENT_BYTES_MAX])
{
    uint8_t value[FAT_ENT_BYTES_MAX], mask[FAT_ENT_BYTES_MAX];

    fat_ent_encode(type, cluster, link, value, mask);
    for (size_t i = 0; i < fat_ent_locate(type, cluster).length; i++) {
        raw[i] = (uint8_t)((raw[i] & ~mask[i]) | (value[i] & mask[i]));
    }
}

struct decode_case {
    const char *name;
    enum fat_type type;
    uint32_t cluster;
    uint8_t raw[FAT_ENT_BYTES_MAX];
    struct fat_link want;
};

static const struct decode_case decode_cases[] = {
        {"12: an even cluster has the low 12 bits", FAT_TYPE_12, 2, {0x34, 0xf2},
                {FAT_LINK_NEXT, 0x234}},
        {"12: an odd cluster has the high 12 bits", FAT_TYPE_12, 3, {0x3f, 0x12},
                {FAT_LINK_NEXT, 0x123}},
        {"12: 0 is free whatever the neighbour's nibble", FAT_TYPE_12, 2, {0, 0xf0},
                {FAT_LINK_FREE, 0}},
        {"12: an odd 0 is free too", FAT_TYPE_12, 3, {0x0f, 0}, {FAT_LINK_FREE, 0}},
        {"12: 1 is reserved", FAT_TYPE_12, 2, {1, 0}, {FAT_LINK_RESERVED, 0}},
        {"12: FEF is a cluster", FAT_TYPE_12, 2, {0xef, 0x0f}, {FAT_LINK_NEXT, 0xfef}},
        {"12: FF0 is a cluster of a full volume", FAT_TYPE_12, 2, {0xf0, 0x0f},
                {FAT_LINK_NEXT, 0xff0}},
        {"12: FF5 is a cluster of a full volume", FAT_TYPE_12, 2, {0xf5, 0x0f},
                {FAT_LINK_NEXT, 0xff5}},
        {"12: FF6 is for the geometry to refuse", FAT_TYPE_12, 2, {0xf6, 0x0f},
                {FAT_LINK_NEXT, 0xff6}},
        {"12: FF7 is bad", FAT_TYPE_12, 2, {0xf7, 0x0f}, {FAT_LINK_BAD, 0}},
        {"12: an odd FF7 is bad", FAT_TYPE_12, 3, {0x70, 0xff}, {FAT_LINK_BAD, 0}},
        {"12: FF8 is an end", FAT_TYPE_12, 2, {0xf8, 0x0f}, {FAT_LINK_END, 0}},
        {"12: FFF is an end", FAT_TYPE_12, 3, {0xf0, 0xff}, {FAT_LINK_END, 0}},
        {"16: little-endian", FAT_TYPE_16, 9, {0x34, 0x12}, {FAT_LINK_NEXT, 0x1234}},
        {"16: 0 is free", FAT_TYPE_16, 9, {0, 0}, {FAT_LINK_FREE, 0}},
        {"16: 1 is reserved", FAT_TYPE_16, 9, {1, 0}, {FAT_LINK_RESERVED, 0}},
        {"16: FFF5 is a cluster of a full volume", FAT_TYPE_16, 9, {0xf5, 0xff},
                {FAT_LINK_NEXT, 0xfff5}},
        {"16: FFF7 is bad", FAT_TYPE_16, 9, {0xf7, 0xff}, {FAT_LINK_BAD, 0}},
        {"16: FFF8 is an end", FAT_TYPE_16, 9, {0xf8, 0xff}, {FAT_LINK_END, 0}},
        {"32: the top nibble does not count", FAT_TYPE_32, 9, {5, 0, 0, 0xa0},
                {FAT_LINK_NEXT, 5}},
        {"32: only the top nibble set is free", FAT_TYPE_32, 9, {0, 0, 0, 0xf0},
                {FAT_LINK_FREE, 0}},
        {"32: 1 is reserved", FAT_TYPE_32, 9, {1, 0, 0, 0x30}, {FAT_LINK_RESERVED, 0}},
        {"32: 0FFFFFF6 is for the geometry to refuse", FAT_TYPE_32, 9,
                {0xf6, 0xff, 0xff, 0x0f}, {FAT_LINK_NEXT, 0x0ffffff6}},
        {"32: 0FFFFFF7 is bad", FAT_TYPE_32, 9, {0xf7, 0xff, 0xff, 0x0f},
                {FAT_LINK_BAD, 0}},
        {"32: 0FFFFFF8 is an end", FAT_TYPE_32, 9, {0xf8, 0xff, 0xff, 0x0f},
                {FAT_LINK_END, 0}},
        {"32: FFFFFFFF is an end", FAT_TYPE_32, 9, {0xff, 0xff, 0xff, 0xff},
                {FAT_LINK_END, 0}},
};

static void decode_reads_the_documented_value(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(decode_cases); i++) {
        const struct decode_case *c = &decode_cases[i];
        const struct fat_link got = fat_ent_decode(c->type, c->cluster, c->raw);

        if (got.kind != c->want.kind || got.cluster != c->want.cluster) {
            fail_msg("%s: got kind %d cluster %u", c->name, (int)got.kind, got.cluster);
        }
    }
}

struct encode_case {
    const char *name;
    enum fat_type type;
    uint32_t cluster;
    struct fat_link link;
    uint8_t before[FAT_ENT_BYTES_MAX], after[FAT_ENT_BYTES_MAX];
};

static const struct encode_case encode_cases[] = {
        {"12: the nibble above an even cluster survives", FAT_TYPE_12, 2,
                {FAT_LINK_NEXT, 0x123}, {0xab, 0xcd}, {0x23, 0xc1}},
        {"12: the nibble below an odd cluster survives", FAT_TYPE_12, 3,
                {FAT_LINK_NEXT, 0x123}, {0xab, 0xcd}, {0x3b, 0x12}},
        {"12: an end is FFF", FAT_TYPE_12, 2, {FAT_LINK_END, 0}, {0, 0}, {0xff, 0x0f}},
        {"12: bad is FF7", FAT_TYPE_12, 3, {FAT_LINK_BAD, 0}, {0, 0}, {0x70, 0xff}},
        {"12: freeing clears 12 bits", FAT_TYPE_12, 2, {FAT_LINK_FREE, 0}, {0xff, 0xff},
                {0x00, 0xf0}},
        {"16: an end is FFFF", FAT_TYPE_16, 2, {FAT_LINK_END, 0}, {0, 0}, {0xff, 0xff}},
        {"16: bad is FFF7", FAT_TYPE_16, 2, {FAT_LINK_BAD, 0}, {0, 0}, {0xf7, 0xff}},
        {"16: two bytes and no more", FAT_TYPE_16, 3, {FAT_LINK_NEXT, 0x1234},
                {9, 9, 9, 9}, {0x34, 0x12, 9, 9}},
        {"32: the top nibble survives", FAT_TYPE_32, 2, {FAT_LINK_NEXT, 0x01234567},
                {0, 0, 0, 0xa0}, {0x67, 0x45, 0x23, 0xa1}},
        {"32: an end is 0FFFFFFF", FAT_TYPE_32, 2, {FAT_LINK_END, 0}, {0, 0, 0, 0},
                {0xff, 0xff, 0xff, 0x0f}},
        {"32: freeing leaves the top nibble", FAT_TYPE_32, 2, {FAT_LINK_FREE, 0},
                {0xff, 0xff, 0xff, 0xff}, {0, 0, 0, 0xf0}},
        {"32: bad is 0FFFFFF7", FAT_TYPE_32, 2, {FAT_LINK_BAD, 0}, {0, 0, 0, 0x50},
                {0xf7, 0xff, 0xff, 0x5f}},
};

static void encode_changes_its_own_bits_only(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(encode_cases); i++) {
        const struct encode_case *c = &encode_cases[i];
        uint8_t raw[FAT_ENT_BYTES_MAX];

        memcpy(raw, c->before, sizeof(raw));
        merge(c->type, c->cluster, c->link, raw);
        if (memcmp(raw, c->after, sizeof(raw)) != 0) {
            fail_msg("%s: got %02x %02x %02x %02x", c->name, raw[0], raw[1], raw[2],
                    raw[3]);
        }
    }
}

static void two_byte_entries_have_no_mask_beyond(void **state)
{
    (void)state;
    for (size_t t = 0; t < 2; t++) {
        uint8_t value[FAT_ENT_BYTES_MAX], mask[FAT_ENT_BYTES_MAX];

        memset(value, 0xff, sizeof(value));
        memset(mask, 0xff, sizeof(mask));
        fat_ent_encode(types[t], 3, (struct fat_link){FAT_LINK_END, 0}, value, mask);
        assert_int_equal(mask[2] | mask[3] | value[2] | value[3], 0);
    }
}

static void encode_then_decode_is_identity_over_a_whole_fat12(void **state)
{
    (void)state;
    for (size_t t = 0; t < COUNT(types); t++) {
        for (uint32_t next = 2; next < 0xff7; next++) {
            uint8_t raw[FAT_ENT_BYTES_MAX] = {0x5a, 0x5a, 0x5a, 0x5a};
            struct fat_link got;

            merge(types[t], next, (struct fat_link){FAT_LINK_NEXT, next}, raw);
            got = fat_ent_decode(types[t], next, raw);
            assert_int_equal(got.kind, FAT_LINK_NEXT);
            assert_int_equal(got.cluster, next);
        }
    }
}

static void neighbours_in_a_fat12_table_do_not_disturb_each_other(void **state)
{
    uint8_t table[18] = {0}; /* 12 entries */

    (void)state;
    for (uint32_t cluster = 0; cluster < 12; cluster++) {
        merge(FAT_TYPE_12, cluster, (struct fat_link){FAT_LINK_NEXT, 0x700 + cluster},
                table + fat_ent_locate(FAT_TYPE_12, cluster).offset);
    }
    for (uint32_t cluster = 0; cluster < 12; cluster++) {
        const uint8_t *raw = table + fat_ent_locate(FAT_TYPE_12, cluster).offset;

        assert_int_equal(
                fat_ent_decode(FAT_TYPE_12, cluster, raw).cluster, 0x700 + cluster);
    }
}

struct locate_case {
    const char *name;
    enum fat_type type;
    uint32_t cluster;
    struct fat_ent_span want;
};

static const struct locate_case locate_cases[] = {
        {"12: one and a half bytes each", FAT_TYPE_12, 2, {3, 2}},
        {"12: odd clusters start in the shared byte", FAT_TYPE_12, 3, {4, 2}},
        {"12: cluster 341 lies across the first sector's end", FAT_TYPE_12, 341,
                {511, 2}},
        {"16: two bytes", FAT_TYPE_16, 65525, {131050, 2}},
        {"32: four bytes", FAT_TYPE_32, 2, {8, 4}},
        {"32: the last cluster of all is past 2^30", FAT_TYPE_32, 268435447,
                {UINT64_C(1073741788), 4}},
        {"32: no number overflows", FAT_TYPE_32, UINT32_MAX,
                {UINT64_C(17179869180), 4}},
        {"12: nor here", FAT_TYPE_12, UINT32_MAX, {UINT64_C(6442450942), 2}},
};

static void locate_finds_the_bytes(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(locate_cases); i++) {
        const struct locate_case *c = &locate_cases[i];
        const struct fat_ent_span got = fat_ent_locate(c->type, c->cluster);

        if (got.offset != c->want.offset || got.length != c->want.length) {
            fail_msg("%s: got %llu, %u", c->name, (unsigned long long)got.offset,
                    got.length);
        }
    }
}

static void a_table_is_as_long_as_its_last_entry_needs(void **state)
{
    (void)state;
    for (size_t t = 0; t < COUNT(types); t++) {
        for (uint32_t count = 1; count < 3000; count++) {
            const struct fat_ent_span last = fat_ent_locate(types[t], count + 1);

            assert_int_equal(
                    fat_ent_table_bytes(types[t], count), last.offset + last.length);
        }
    }
    assert_int_equal(
            fat_ent_table_bytes(FAT_TYPE_32, UINT32_MAX), UINT64_C(17179869188));
}

static void clean_and_error_marks_are_where_windows_has_them(void **state)
{
    (void)state;
    assert_int_equal(fat_ent_clean_bit(FAT_TYPE_12), 0);
    assert_int_equal(fat_ent_no_error_bit(FAT_TYPE_12), 0);
    assert_int_equal(fat_ent_clean_bit(FAT_TYPE_16), 0x8000);
    assert_int_equal(fat_ent_no_error_bit(FAT_TYPE_16), 0x4000);
    assert_int_equal(fat_ent_clean_bit(FAT_TYPE_32), 0x08000000);
    assert_int_equal(fat_ent_no_error_bit(FAT_TYPE_32), 0x04000000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(decode_reads_the_documented_value),
            cmocka_unit_test(encode_changes_its_own_bits_only),
            cmocka_unit_test(two_byte_entries_have_no_mask_beyond),
            cmocka_unit_test(encode_then_decode_is_identity_over_a_whole_fat12),
            cmocka_unit_test(neighbours_in_a_fat12_table_do_not_disturb_each_other),
            cmocka_unit_test(locate_finds_the_bytes),
            cmocka_unit_test(a_table_is_as_long_as_its_last_entry_needs),
            cmocka_unit_test(clean_and_error_marks_are_where_windows_has_them),
    };

    return cmocka_run_group_tests_name("fatent", tests, NULL, NULL);
}
