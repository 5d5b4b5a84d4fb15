/* SPDX-License-Identifier: MIT */
#include "ondisk/fsinfo.h"

#include <string.h>

#include "support/cmocka.h"

#define COUNT(table) (sizeof(table) / sizeof(*(table)))

static void a_new_sector_has_three_signatures_and_zeros(void **state)
{
    static const uint8_t lead[] = {'R', 'R', 'a', 'A'};
    static const uint8_t rest[] = {'r', 'r', 'A', 'a', 0x34, 0x12, 0, 0, 3, 0, 0, 0};
    uint8_t raw[512], want[512] = {0};

    (void)state;
    memcpy(want, lead, sizeof(lead));
    memcpy(want + 484, rest, sizeof(rest));
    want[510] = 0x55;
    want[511] = 0xaa;
    memset(raw, 0x5a, sizeof(raw));
    fat_fsinfo_make((struct fat_fsinfo){0x1234, 3}, raw);
    assert_memory_equal(raw, want, sizeof(raw));
    assert_true(fat_fsinfo_is_valid(raw));
}

static void each_byte_of_each_signature_counts(void **state)
{
    static const size_t bytes[] = {0, 1, 2, 3, 484, 485, 486, 487, 508, 509, 510, 511};
    uint8_t raw[512];

    (void)state;
    fat_fsinfo_make((struct fat_fsinfo){1, 2}, raw);
    for (size_t i = 0; i < COUNT(bytes); i++) {
        raw[bytes[i]] ^= 0x10;
        assert_false(fat_fsinfo_is_valid(raw));
        raw[bytes[i]] ^= 0x10;
    }
    assert_true(fat_fsinfo_is_valid(raw));
}

static void encode_leaves_everything_else_alone(void **state)
{
    static const uint8_t numbers[] = {0xff, 0xff, 0xff, 0xff, 0x78, 0x56, 0x34, 0x12};
    uint8_t raw[512], want[512];

    (void)state;
    memset(raw, 0x5a, sizeof(raw));
    memset(want, 0x5a, sizeof(want));
    memcpy(want + 488, numbers, sizeof(numbers));
    fat_fsinfo_encode((struct fat_fsinfo){FAT_FSINFO_UNKNOWN, 0x12345678}, raw);
    assert_memory_equal(raw, want, sizeof(raw));
}

struct decode_case {
    const char *name;
    uint32_t free_count, next_free;
    struct fat_fsinfo want;
};

#define CLUSTERS UINT32_C(100)

static const struct decode_case decode_cases[] = {
        {"plausible numbers are taken", 40, 50, {40, 50}},
        {"a full volume has none free", 0, 2, {0, 2}},
        {"an empty volume has all free", 100, 101, {100, 101}},
        {"more free than there are is unknown", 101, 2, {FAT_FSINFO_UNKNOWN, 2}},
        {"all ones is unknown", 0xffffffff, 0xffffffff,
                {FAT_FSINFO_UNKNOWN, FAT_FSINFO_UNKNOWN}},
        {"a hint behind the last cluster is unknown", 1, 102, {1, FAT_FSINFO_UNKNOWN}},
        {"a hint of 0 is unknown", 1, 0, {1, FAT_FSINFO_UNKNOWN}},
        {"a hint of 1 is unknown", 1, 1, {1, FAT_FSINFO_UNKNOWN}},
};

static void decode_believes_only_what_the_volume_can_have(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(decode_cases); i++) {
        const struct decode_case *c = &decode_cases[i];
        uint8_t raw[512];
        struct fat_fsinfo got;

        fat_fsinfo_make((struct fat_fsinfo){c->free_count, c->next_free}, raw);
        got = fat_fsinfo_decode(raw, CLUSTERS);
        if (got.free_count != c->want.free_count ||
                got.next_free != c->want.next_free) {
            fail_msg("%s: got %u, %u", c->name, got.free_count, got.next_free);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(a_new_sector_has_three_signatures_and_zeros),
            cmocka_unit_test(each_byte_of_each_signature_counts),
            cmocka_unit_test(encode_leaves_everything_else_alone),
            cmocka_unit_test(decode_believes_only_what_the_volume_can_have),
    };

    return cmocka_run_group_tests_name("fsinfo", tests, NULL, NULL);
}
