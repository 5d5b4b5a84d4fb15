/* SPDX-License-Identifier: MIT */
#include "ondisk/dirent.h"

#include <string.h>

#include "support/cmocka.h"

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

struct kind_case {
    const char *name;
    uint8_t first, attributes;
    enum fat_slot_kind want;
};

static const struct kind_case kind_cases[] = {
        {"nothing from here on", 0, FAT_ATTR_ARCHIVE, FAT_SLOT_END},
        {"the end beats the attributes", 0, FAT_ATTR_LONG_NAME, FAT_SLOT_END},
        {"a free slot", 0xe5, FAT_ATTR_ARCHIVE, FAT_SLOT_FREE},
        {"a free long-name slot", 0xe5, FAT_ATTR_LONG_NAME, FAT_SLOT_FREE},
        {"a file", 'A', FAT_ATTR_ARCHIVE, FAT_SLOT_SHORT},
        {"a file without attributes", 'A', 0, FAT_SLOT_SHORT},
        {"a file that starts with 0xE5", 0x05, 0, FAT_SLOT_SHORT},
        {"a directory", 'A', FAT_ATTR_DIRECTORY, FAT_SLOT_SHORT},
        {"a file with every harmless bit", 'A', 0xe7, FAT_SLOT_SHORT},
        {"a label", 'A', FAT_ATTR_VOLUME_ID, FAT_SLOT_LABEL},
        {"a label that has been archived", 'A', 0x28, FAT_SLOT_LABEL},
        {"a long-name slot", 0x41, FAT_ATTR_LONG_NAME, FAT_SLOT_LONG},
        {"a long-name slot with the unused bits", 0x41, 0xcf, FAT_SLOT_LONG},
        {"0x0F with the archive bit is a label", 'A', 0x2f, FAT_SLOT_LABEL},
        {"volume and directory at once", 'A', 0x18, FAT_SLOT_SHORT},
        {"all bits", 'A', 0xff, FAT_SLOT_SHORT},
};

static void a_slot_is_what_its_first_byte_and_attributes_say(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(kind_cases); i++) {
        const struct kind_case *c = &kind_cases[i];
        const uint8_t raw[FAT_SLOT_BYTES] = {
                [DIR_NAME] = c->first, [DIR_ATTR] = c->attributes};

        if (fat_slot_classify(raw) != c->want) {
            fail_msg("%s: got kind %d", c->name, (int)fat_slot_classify(raw));
        }
    }
}

/* A file of 0x12345678 bytes at cluster 0x0ABCDEF1, all fields different. */
static const uint8_t golden[FAT_SLOT_BYTES] = {
        'R', 'E', 'A', 'D', 'M', 'E', ' ', ' ', 'T', 'X', 'T', /* name */
        0x21, 0x18, 0xc7,                                      /* attr, nt, tenths */
        0x7d, 0xbf, 0x21, 0x00,                                /* created */
        0x5d, 0x28,                                            /* accessed */
        0xbc, 0x0a,                                            /* cluster, high */
        0x02, 0x08, 0x5c, 0x50,                                /* written */
        0xf1, 0xde,                                            /* cluster, low */
        0x78, 0x56, 0x34, 0x12,                                /* size */
};

static const struct fat_dirent golden_fields = {
        .name = {'R', 'E', 'A', 'D', 'M', 'E', ' ', ' ', 'T', 'X', 'T'},
        .attributes = FAT_ATTR_READ_ONLY | FAT_ATTR_ARCHIVE,
        .nt_flags = FAT_NT_LOWER_BASE | FAT_NT_LOWER_EXT,
        .created = {.date = 0x0021, .time = 0xbf7d, .hundredths = 199},
        .accessed = {.date = 0x285d},
        .written = {.date = 0x505c, .time = 0x0802},
        .first_cluster = 0x0abcdef1,
        .size_bytes = 0x12345678,
};

static void assert_same_fields(const struct fat_dirent *a, const struct fat_dirent *b)
{
    assert_memory_equal(a->name, b->name, FAT_SHORT_BYTES);
    assert_int_equal(a->attributes, b->attributes);
    assert_int_equal(a->nt_flags, b->nt_flags);
    assert_int_equal(a->created.date, b->created.date);
    assert_int_equal(a->created.time, b->created.time);
    assert_int_equal(a->created.hundredths, b->created.hundredths);
    assert_int_equal(a->accessed.date, b->accessed.date);
    assert_int_equal(a->accessed.time, b->accessed.time);
    assert_int_equal(a->accessed.hundredths, b->accessed.hundredths);
    assert_int_equal(a->written.date, b->written.date);
    assert_int_equal(a->written.time, b->written.time);
    assert_int_equal(a->written.hundredths, b->written.hundredths);
    assert_int_equal(a->first_cluster, b->first_cluster);
    assert_int_equal(a->size_bytes, b->size_bytes);
}

static void decode_reads_every_field_of_the_golden_slot(void **state)
{
    struct fat_dirent got;

    (void)state;
    memset(&got, 0xaa, sizeof(got));
    fat_dirent_decode(FAT_TYPE_32, golden, &got);
    assert_same_fields(&got, &golden_fields);
}

static void encode_writes_every_byte_of_the_golden_slot(void **state)
{
    uint8_t raw[FAT_SLOT_BYTES];

    (void)state;
    memset(raw, 0xaa, sizeof(raw));
    fat_dirent_encode(FAT_TYPE_32, &golden_fields, raw);
    assert_memory_equal(raw, golden, FAT_SLOT_BYTES);
}

static void the_high_half_is_not_a_cluster_on_the_small_types(void **state)
{
    static const enum fat_type types[] = {FAT_TYPE_12, FAT_TYPE_16};

    (void)state;
    for (size_t i = 0; i < COUNT(types); i++) {
        struct fat_dirent entry;
        uint8_t raw[FAT_SLOT_BYTES];

        memcpy(raw, golden, sizeof(raw));
        fat_dirent_decode(types[i], raw, &entry);
        assert_int_equal(entry.first_cluster, 0xdef1);

        entry.first_cluster = 0x0203;
        fat_dirent_encode(types[i], &entry, raw);
        assert_int_equal(raw[DIR_FST_CLUS_HI], 0xbc);
        assert_int_equal(raw[DIR_FST_CLUS_HI + 1], 0x0a);
        assert_int_equal(raw[DIR_FST_CLUS_LO], 0x03);
        assert_int_equal(raw[DIR_FST_CLUS_LO + 1], 0x02);
    }
}

static void decode_then_encode_gives_back_any_slot(void **state)
{
    uint32_t seed = 1;

    (void)state;
    for (unsigned round = 0; round < 20000; round++) {
        static const enum fat_type types[] = {FAT_TYPE_12, FAT_TYPE_16, FAT_TYPE_32};
        uint8_t raw[FAT_SLOT_BYTES], back[FAT_SLOT_BYTES];
        struct fat_dirent entry;

        for (size_t i = 0; i < sizeof(raw); i++) {
            seed = seed * 1664525 + 1013904223;
            raw[i] = (uint8_t)(seed >> 24);
        }
        memset(back, 0, sizeof(back));
        memcpy(back + DIR_FST_CLUS_HI, raw + DIR_FST_CLUS_HI, 2);
        fat_dirent_decode(types[round % 3], raw, &entry);
        fat_dirent_encode(types[round % 3], &entry, back);
        assert_memory_equal(back, raw, FAT_SLOT_BYTES);
    }
}

static void dot_names_are_one_or_two_dots_and_padding(void **state)
{
    static const uint8_t dot[] = ".          ";
    static const uint8_t dotdot[] = "..         ";
    static const uint8_t dotted[] = ".      .   ";
    static const uint8_t three[] = "...        ";

    (void)state;
    assert_true(fat_short_is_dot(dot));
    assert_false(fat_short_is_dot(dotdot));
    assert_false(fat_short_is_dot(dotted));
    assert_true(fat_short_is_dotdot(dotdot));
    assert_false(fat_short_is_dotdot(dot));
    assert_false(fat_short_is_dotdot(three));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(a_slot_is_what_its_first_byte_and_attributes_say),
            cmocka_unit_test(decode_reads_every_field_of_the_golden_slot),
            cmocka_unit_test(encode_writes_every_byte_of_the_golden_slot),
            cmocka_unit_test(the_high_half_is_not_a_cluster_on_the_small_types),
            cmocka_unit_test(decode_then_encode_gives_back_any_slot),
            cmocka_unit_test(dot_names_are_one_or_two_dots_and_padding),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
