/* SPDX-License-Identifier: MIT */
#include "ondisk/lfn.h"

#include <string.h>

#include "support/cmocka.h"

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

static const uint8_t vmlinux[] = "VMLINUX    ";

struct set {
    uint8_t raw[FAT_LFN_SLOTS_MAX][FAT_SLOT_BYTES]; /* as on disk, highest first */
    unsigned slots;
    uint16_t units[FAT_NAME_UNITS_MAX];
    size_t length;
};

/* A name of @length units, all different, for the short name VMLINUX. */
static void make_set(struct set *set, size_t length)
{
    set->length = length;
    set->slots = fat_lfn_slots(length);
    for (size_t i = 0; i < length; i++) {
        set->units[i] = (uint16_t)(0x4e00 + i);
    }
    for (unsigned i = 0; i < set->slots; i++) {
        fat_lfn_encode(set->units, length, set->slots - i, fat_lfn_checksum(vmlinux),
                set->raw[i]);
    }
}

static void push_set(struct fat_lfn *lfn, const struct set *set)
{
    for (unsigned i = 0; i < set->slots; i++) {
        fat_lfn_push(lfn, set->raw[i]);
    }
}

static void checksum_has_the_known_values(void **state)
{
    (void)state;
    assert_int_equal(fat_lfn_checksum(vmlinux), 44);
    assert_int_equal(fat_lfn_checksum((const uint8_t *)"README  TXT"), 115);
    assert_int_equal(fat_lfn_checksum((const uint8_t *)"ABCDEFGHA  "), 98);
}

static void slots_hold_thirteen_units_each(void **state)
{
    (void)state;
    assert_int_equal(fat_lfn_slots(1), 1);
    assert_int_equal(fat_lfn_slots(13), 1);
    assert_int_equal(fat_lfn_slots(14), 2);
    assert_int_equal(fat_lfn_slots(26), 2);
    assert_int_equal(fat_lfn_slots(247), 19);
    assert_int_equal(fat_lfn_slots(248), 20);
    assert_int_equal(fat_lfn_slots(255), 20);
}

/* "The quick brown.fox" for THEQUI~1FOX, the specification's own example. */
static const uint8_t golden[2][FAT_SLOT_BYTES] = {
        {0x42, 'w', 0, 'n', 0, '.', 0, 'f', 0, 'o', 0, 0x0f, 0, 0x07, 'x', 0, 0, 0,
                0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0xff, 0xff, 0xff,
                0xff},
        {0x01, 'T', 0, 'h', 0, 'e', 0, ' ', 0, 'q', 0, 0x0f, 0, 0x07, 'u', 0, 'i', 0,
                'c', 0, 'k', 0, ' ', 0, 'b', 0, 0, 0, 'r', 0, 'o', 0},
};
static const uint8_t golden_short[] = "THEQUI~1FOX";
static const char golden_name[] = "The quick brown.fox";

static void encode_writes_every_byte_of_the_golden_slots(void **state)
{
    uint16_t units[sizeof(golden_name) - 1];
    uint8_t raw[FAT_SLOT_BYTES];

    (void)state;
    for (size_t i = 0; i < COUNT(units); i++) {
        units[i] = (uint8_t)golden_name[i];
    }
    assert_int_equal(fat_lfn_checksum(golden_short), 0x07);
    for (unsigned ordinal = 1; ordinal <= 2; ordinal++) {
        memset(raw, 0xaa, sizeof(raw));
        fat_lfn_encode(units, COUNT(units), ordinal, 0x07, raw);
        assert_memory_equal(raw, golden[2 - ordinal], FAT_SLOT_BYTES);
    }
}

static void golden_slots_give_the_name(void **state)
{
    struct fat_lfn lfn;
    size_t length;
    unsigned slots;

    (void)state;
    fat_lfn_reset(&lfn);
    fat_lfn_push(&lfn, golden[0]);
    fat_lfn_push(&lfn, golden[1]);
    assert_true(fat_lfn_finish(&lfn, golden_short, &length, &slots));
    assert_int_equal(slots, 2);
    assert_int_equal(length, sizeof(golden_name) - 1);
    for (size_t i = 0; i < length; i++) {
        assert_int_equal(lfn.units[i], golden_name[i]);
    }
}

static void every_length_survives_the_round_trip(void **state)
{
    struct fat_lfn lfn;
    struct set set;

    (void)state;
    fat_lfn_reset(&lfn);
    for (size_t want = 1; want <= FAT_NAME_UNITS_MAX; want++) {
        size_t length;
        unsigned slots;

        make_set(&set, want);
        push_set(&lfn, &set);
        assert_true(fat_lfn_finish(&lfn, vmlinux, &length, &slots));
        assert_int_equal(length, want);
        assert_int_equal(slots, set.slots);
        assert_memory_equal(lfn.units, set.units, want * sizeof(uint16_t));
    }
}

static void a_name_that_fills_its_slots_has_no_nul(void **state)
{
    (void)state;
    for (size_t length = 13; length <= 247; length += 13) {
        struct set set;

        make_set(&set, length);
        assert_int_equal(set.raw[0][LDIR_ORD], set.slots | LDIR_LAST);
        assert_int_equal(set.raw[0][LDIR_NAME3 + 2], set.units[length - 1] & 0xff);
        assert_int_equal(set.raw[0][LDIR_NAME3 + 3], set.units[length - 1] >> 8);
    }
}

static void no_slots_are_no_name_and_no_fault(void **state)
{
    struct fat_lfn lfn;
    size_t length = 99;
    unsigned slots = 99;

    (void)state;
    fat_lfn_reset(&lfn);
    assert_true(fat_lfn_finish(&lfn, vmlinux, &length, &slots));
    assert_int_equal(length, 0);
    assert_int_equal(slots, 0);
}

/* One byte of a set of three slots is changed. */
struct fault_case {
    const char *name;
    unsigned slot, offset; /* slot 0 is the first on disk: the highest */
    uint8_t value;
};

static const struct fault_case fault_cases[] = {
        {"the last mark is missing", 0, LDIR_ORD, 3},
        {"number 0 with the last mark", 0, LDIR_ORD, LDIR_LAST},
        {"number 21", 0, LDIR_ORD, 21 | LDIR_LAST},
        {"a bit above the last mark", 0, LDIR_ORD, 0x80 | LDIR_LAST | 3},
        {"one slot too few for the number", 0, LDIR_ORD, 4 | LDIR_LAST},
        {"one slot too many for the number", 0, LDIR_ORD, 2 | LDIR_LAST},
        {"a number twice", 1, LDIR_ORD, 3},
        {"a gap", 1, LDIR_ORD, 1},
        {"a deleted number at the end", 2, LDIR_ORD, 0},
        {"another checksum in the first", 0, LDIR_CHKSUM, 45},
        {"another checksum in the middle", 1, LDIR_CHKSUM, 45},
        {"another checksum at the end", 2, LDIR_CHKSUM, 45},
        {"a type in the first", 0, LDIR_TYPE, 1},
        {"a type at the end", 2, LDIR_TYPE, 1},
        {"a start cluster, low byte", 1, LDIR_FST_CLUS_LO, 2},
        {"a start cluster, high byte", 1, LDIR_FST_CLUS_LO + 1, 2},
        {"text behind the NUL", 0, LDIR_NAME3, 'x'},
};

static void a_faulty_set_is_no_name_and_says_so(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(fault_cases); i++) {
        const struct fault_case *c = &fault_cases[i];
        struct fat_lfn lfn;
        struct set set;
        size_t length = 99;
        unsigned slots = 99;

        make_set(&set, 30);
        set.raw[c->slot][c->offset] = c->value;
        fat_lfn_reset(&lfn);
        push_set(&lfn, &set);
        if (fat_lfn_finish(&lfn, vmlinux, &length, &slots) || length != 0 ||
                slots != 0) {
            fail_msg("%s: gave %zu units of %u slots", c->name, length, slots);
        }
        /* And the next name doesn't suffer. */
        make_set(&set, 30);
        push_set(&lfn, &set);
        if (!fat_lfn_finish(&lfn, vmlinux, &length, &slots) || length != 30) {
            fail_msg("%s: spoils the next name", c->name);
        }
    }
}

static void a_set_that_stops_early_is_no_name(void **state)
{
    struct fat_lfn lfn;
    struct set set;
    size_t length;
    unsigned slots;

    (void)state;
    make_set(&set, 30);
    for (unsigned pushed = 1; pushed < set.slots; pushed++) {
        fat_lfn_reset(&lfn);
        for (unsigned i = 0; i < pushed; i++) {
            fat_lfn_push(&lfn, set.raw[i]);
        }
        assert_false(fat_lfn_finish(&lfn, vmlinux, &length, &slots));
        assert_int_equal(length, 0);
        assert_int_equal(slots, 0);
    }
}

static void a_nul_before_the_highest_slot_is_no_name(void **state)
{
    struct fat_lfn lfn;
    struct set set;
    size_t length;
    unsigned slots;

    (void)state;
    make_set(&set, 30);
    set.raw[1][LDIR_NAME3 + 2] = 0;
    set.raw[1][LDIR_NAME3 + 3] = 0;
    fat_lfn_reset(&lfn);
    push_set(&lfn, &set);
    assert_false(fat_lfn_finish(&lfn, vmlinux, &length, &slots));
    assert_int_equal(length, 0);
}

static void a_set_for_another_short_name_is_no_name(void **state)
{
    struct fat_lfn lfn;
    struct set set;
    size_t length;
    unsigned slots;

    (void)state;
    make_set(&set, 5);
    fat_lfn_reset(&lfn);
    push_set(&lfn, &set);
    assert_false(fat_lfn_finish(&lfn, (const uint8_t *)"README  TXT", &length, &slots));
    assert_int_equal(length, 0);
    assert_int_equal(slots, 0);
}

static void a_set_after_leftover_slots_is_a_name_and_they_are_told(void **state)
{
    struct fat_lfn lfn;
    struct set left_over, set;
    size_t length;
    unsigned slots;

    (void)state;
    make_set(&left_over, 40);
    make_set(&set, 20);
    for (unsigned left = 1; left <= left_over.slots; left++) {
        fat_lfn_reset(&lfn);
        for (unsigned i = 0; i < left; i++) {
            fat_lfn_push(&lfn, left_over.raw[i]);
        }
        push_set(&lfn, &set);
        assert_false(fat_lfn_finish(&lfn, vmlinux, &length, &slots));
        assert_int_equal(length, 20);
        assert_int_equal(slots, 2);
    }
}

static void reset_forgets_leftover_slots(void **state)
{
    struct fat_lfn lfn;
    struct set set;
    size_t length;
    unsigned slots;

    (void)state;
    make_set(&set, 40);
    fat_lfn_reset(&lfn);
    fat_lfn_push(&lfn, set.raw[0]);
    fat_lfn_push(&lfn, set.raw[2]);
    fat_lfn_reset(&lfn);
    assert_true(fat_lfn_finish(&lfn, vmlinux, &length, &slots));
    assert_int_equal(length, 0);
}

static void more_than_255_units_or_none_are_no_name(void **state)
{
    struct fat_lfn lfn;
    struct set set;
    size_t length;
    unsigned slots;

    (void)state;
    make_set(&set, 255);
    memset(set.raw[0] + LDIR_NAME2 + 6, 'x', 2); /* unit 255, where the NUL was */
    memset(set.raw[0] + LDIR_NAME2 + 8, 0, 2);
    fat_lfn_reset(&lfn);
    push_set(&lfn, &set);
    assert_false(fat_lfn_finish(&lfn, vmlinux, &length, &slots));
    assert_int_equal(length, 0);

    make_set(&set, 1);
    memset(set.raw[0] + LDIR_NAME1, 0, 2);
    memset(set.raw[0] + LDIR_NAME1 + 2, 0xff, 2);
    push_set(&lfn, &set);
    assert_false(fat_lfn_finish(&lfn, vmlinux, &length, &slots));
    assert_int_equal(length, 0);
}

static uint8_t next_random(uint32_t *seed)
{
    *seed = *seed * 1664525 + 1013904223;
    return (uint8_t)(*seed >> 24);
}

/* Slots of real sets, shuffled and with single bytes changed, and pure noise. */
static void random_slots_never_give_a_name_out_of_bounds(void **state)
{
    struct fat_lfn lfn;
    struct set set;
    uint32_t seed = 7;

    (void)state;
    fat_lfn_reset(&lfn);
    make_set(&set, 255);
    for (unsigned round = 0; round < 200000; round++) {
        uint8_t raw[FAT_SLOT_BYTES];
        const uint8_t what = next_random(&seed);

        memcpy(raw, set.raw[round % set.slots], sizeof(raw));
        if (what < 64) {
            for (size_t i = 0; i < sizeof(raw); i++) {
                raw[i] = next_random(&seed);
            }
        } else if (what < 80) {
            raw[next_random(&seed) % FAT_SLOT_BYTES] = next_random(&seed);
        }
        fat_lfn_push(&lfn, raw);
        if (what == 255) {
            size_t length;
            unsigned slots;

            (void)fat_lfn_finish(&lfn, raw, &length, &slots);
            assert_true(length <= FAT_NAME_UNITS_MAX);
            assert_int_equal(slots > 0, length > 0);
            assert_true(slots <= FAT_LFN_SLOTS_MAX);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(checksum_has_the_known_values),
            cmocka_unit_test(slots_hold_thirteen_units_each),
            cmocka_unit_test(encode_writes_every_byte_of_the_golden_slots),
            cmocka_unit_test(golden_slots_give_the_name),
            cmocka_unit_test(every_length_survives_the_round_trip),
            cmocka_unit_test(a_name_that_fills_its_slots_has_no_nul),
            cmocka_unit_test(no_slots_are_no_name_and_no_fault),
            cmocka_unit_test(a_faulty_set_is_no_name_and_says_so),
            cmocka_unit_test(a_set_that_stops_early_is_no_name),
            cmocka_unit_test(a_nul_before_the_highest_slot_is_no_name),
            cmocka_unit_test(a_set_for_another_short_name_is_no_name),
            cmocka_unit_test(a_set_after_leftover_slots_is_a_name_and_they_are_told),
            cmocka_unit_test(reset_forgets_leftover_slots),
            cmocka_unit_test(more_than_255_units_or_none_are_no_name),
            cmocka_unit_test(random_slots_never_give_a_name_out_of_bounds),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
