/* SPDX-License-Identifier: MIT */
#include "base/utf16.h"

#include <string.h>

#include "support/cmocka.h"

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

struct pair_case {
    const char *name;
    const char *bytes;
    uint16_t units[4];
    size_t length;
};

static const struct pair_case pair_cases[] = {
        {"nothing", "", {0}, 0},
        {"ASCII", "az", {'a', 'z'}, 2},
        {"the last one-byte character", "\x7f", {0x7f}, 1},
        {"the first two-byte character", "\xc2\x80", {0x80}, 1},
        {"the last two-byte character", "\xdf\xbf", {0x7ff}, 1},
        {"the first three-byte character", "\xe0\xa0\x80", {0x800}, 1},
        {"just below the surrogates", "\xed\x9f\xbf", {0xd7ff}, 1},
        {"just above the surrogates", "\xee\x80\x80", {0xe000}, 1},
        {"the last of the BMP", "\xef\xbf\xbf", {0xffff}, 1},
        {"the first pair", "\xf0\x90\x80\x80", {0xd800, 0xdc00}, 2},
        {"an emoji between letters", "a\xf0\x9f\x98\x80z", {'a', 0xd83d, 0xde00, 'z'},
                4},
        {"the last code point", "\xf4\x8f\xbf\xbf", {0xdbff, 0xdfff}, 2},
};

static void utf8_becomes_the_documented_units(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(pair_cases); i++) {
        const struct pair_case *c = &pair_cases[i];
        uint16_t units[4] = {0};
        size_t length = 99;

        if (fat_utf8_to_utf16(c->bytes, strlen(c->bytes), units, 4, &length) ||
                length != c->length ||
                memcmp(units, c->units, length * sizeof(*units)) != 0) {
            fail_msg("%s: got %zu units", c->name, length);
        }
    }
}

static void units_become_the_documented_utf8_with_a_nul(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(pair_cases); i++) {
        const struct pair_case *c = &pair_cases[i];
        char bytes[13];
        size_t length = 99;

        memset(bytes, 'x', sizeof(bytes));
        if (fat_utf16_to_utf8(c->units, c->length, bytes, sizeof(bytes), &length) ||
                length != strlen(c->bytes) || strcmp(bytes, c->bytes) != 0) {
            fail_msg("%s: got %zu bytes", c->name, length);
        }
    }
}

struct bad_bytes_case {
    const char *name;
    const char *bytes;
};

static const struct bad_bytes_case bad_bytes_cases[] = {
        {"a continuation byte first", "\x80"},
        {"overlong slash in two bytes", "\xc0\xaf"},
        {"overlong DEL in two bytes", "\xc1\xbf"},
        {"overlong in three bytes", "\xe0\x9f\xbf"},
        {"overlong in four bytes", "\xf0\x8f\xbf\xbf"},
        {"the first surrogate", "\xed\xa0\x80"},
        {"the last surrogate", "\xed\xbf\xbf"},
        {"beyond the last code point", "\xf4\x90\x80\x80"},
        {"a lead byte of five", "\xf8\x88\x80\x80\x80"},
        {"0xff", "\xff"},
        {"cut after the lead byte", "a\xc3"},
        {"cut in three", "\xe2\x82"},
        {"cut in four", "\xf0\x9f\x98"},
        {"a lead byte instead of a continuation", "\xe2\x82\xe2"},
        {"ASCII instead of a continuation", "\xc3z"},
};

static void what_is_not_utf8_is_a_bad_name_and_leaves_the_length_alone(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(bad_bytes_cases); i++) {
        const struct bad_bytes_case *c = &bad_bytes_cases[i];
        uint16_t units[8];
        size_t length = 99;

        if (fat_utf8_to_utf16(c->bytes, strlen(c->bytes), units, 8, &length) !=
                        FAT_E_NAME ||
                length != 99) {
            fail_msg("%s: was accepted", c->name);
        }
    }
}

static void a_sequence_cut_by_length_is_not_read_beyond_it(void **state)
{
    uint16_t units[2];
    size_t length = 99;

    (void)state;
    assert_int_equal(fat_utf8_to_utf16("\xc3\xa4", 1, units, 2, &length), FAT_E_NAME);
    assert_int_equal(length, 99);
}

static void a_lone_surrogate_is_a_bad_name(void **state)
{
    static const uint16_t lone[][2] = {{0xd800, 'a'}, {0xdc00, 'a'}, {0xd800, 0xd800},
            {0xdc00, 0xd800}, {0xdc00, 0xdc00}, {'a', 0xdbff}, {'a', 0xdfff},
            {0xd800, 0xe000}};
    char bytes[16];

    (void)state;
    for (size_t i = 0; i < COUNT(lone); i++) {
        size_t length = 99;

        assert_int_equal(fat_utf16_to_utf8(lone[i], 2, bytes, sizeof(bytes), &length),
                FAT_E_NAME);
        assert_int_equal(length, 99);
    }
}

static void a_pair_cut_by_length_is_not_read_beyond_it(void **state)
{
    static const uint16_t pair[] = {0xd83d, 0xde00};
    char bytes[8];
    size_t length = 99;

    (void)state;
    assert_int_equal(
            fat_utf16_to_utf8(pair, 1, bytes, sizeof(bytes), &length), FAT_E_NAME);
    assert_int_equal(length, 99);
}

static void a_full_unit_buffer_is_a_name_too_long(void **state)
{
    uint16_t units[3] = {7, 7, 7};
    size_t length = 99;

    (void)state;
    assert_int_equal(fat_utf8_to_utf16("ab", 2, units, 2, &length), FAT_OK);
    assert_int_equal(fat_utf8_to_utf16("abc", 3, units, 2, &length), FAT_E_NAMETOOLONG);
    assert_int_equal(fat_utf8_to_utf16("a\xf0\x9f\x98\x80", 5, units, 2, &length),
            FAT_E_NAMETOOLONG);
    assert_int_equal(units[2], 7);
    assert_int_equal(length, 2);
}

static void a_byte_buffer_needs_room_for_the_nul(void **state)
{
    static const uint16_t units[] = {'a', 0x20ac};
    char bytes[6] = "?????";
    size_t length = 99;

    (void)state;
    for (size_t capacity = 0; capacity < 5; capacity++) {
        assert_int_equal(fat_utf16_to_utf8(units, 2, bytes, capacity, &length),
                FAT_E_NAMETOOLONG);
        assert_int_equal(bytes[capacity], '?');
    }
    assert_int_equal(length, 99);
    assert_int_equal(fat_utf16_to_utf8(units, 2, bytes, 5, &length), FAT_OK);
    assert_int_equal(length, 4);
    assert_int_equal(fat_utf16_to_utf8(units, 0, bytes, 0, &length), FAT_E_NAMETOOLONG);
}

static void every_code_point_survives_the_round_trip(void **state)
{
    (void)state;
    for (uint32_t point = 0; point < 0x110000; point++) {
        uint16_t units[2] = {(uint16_t)point, 0}, back[2];
        size_t length = 1, bytes_length, back_length;
        char bytes[8];

        if (point >= 0xd800 && point < 0xe000) {
            continue;
        }
        if (point >= 0x10000) {
            units[0] = (uint16_t)(0xd800 + ((point - 0x10000) >> 10));
            units[1] = (uint16_t)(0xdc00 + (point & 0x3ff));
            length = 2;
        }
        if (fat_utf16_to_utf8(units, length, bytes, 3 * length + 1, &bytes_length) ||
                fat_utf8_to_utf16(bytes, bytes_length, back, 2, &back_length) ||
                back_length != length || back[0] != units[0] ||
                (length == 2 && back[1] != units[1])) {
            fail_msg("U+%04X does not survive", (unsigned)point);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(utf8_becomes_the_documented_units),
            cmocka_unit_test(units_become_the_documented_utf8_with_a_nul),
            cmocka_unit_test(
                    what_is_not_utf8_is_a_bad_name_and_leaves_the_length_alone),
            cmocka_unit_test(a_sequence_cut_by_length_is_not_read_beyond_it),
            cmocka_unit_test(a_lone_surrogate_is_a_bad_name),
            cmocka_unit_test(a_pair_cut_by_length_is_not_read_beyond_it),
            cmocka_unit_test(a_full_unit_buffer_is_a_name_too_long),
            cmocka_unit_test(a_byte_buffer_needs_room_for_the_nul),
            cmocka_unit_test(every_code_point_survives_the_round_trip),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
