/* SPDX-License-Identifier: MIT */
#include "base/codepage.h"

#include "base/casefold.h"
#include "support/cmocka.h"

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

static void ascii_is_the_same_number_both_ways(void **state)
{
    (void)state;
    for (uint8_t byte = 0; byte < 0x80; byte++) {
        assert_int_equal(fat_oem_to_unit(byte), byte);
        assert_int_equal(fat_oem_from_unit(byte), byte);
    }
}

static void every_byte_survives_the_round_trip(void **state)
{
    (void)state;
    for (unsigned byte = 0; byte < 256; byte++) {
        assert_int_equal(fat_oem_from_unit(fat_oem_to_unit((uint8_t)byte)), byte);
    }
}

static void units_without_a_byte_give_0(void **state)
{
    unsigned found = 0;

    (void)state;
    for (uint32_t unit = 1; unit < 0x10000; unit++) {
        const uint8_t byte = fat_oem_from_unit((uint16_t)unit);

        if (byte != 0) {
            assert_int_equal(fat_oem_to_unit(byte), unit);
            found++;
        }
    }
    assert_int_equal(found, 255);
    assert_int_equal(fat_oem_from_unit(0x20ac), 0);
}

struct letter_case {
    const char *name;
    uint8_t byte;
    uint16_t unit;
    uint8_t upper;
};

static const struct letter_case letter_cases[] = {
        {"a", 'a', 'a', 'A'},
        {"underscore", '_', '_', '_'},
        {"u umlaut", 0x81, 0xfc, 0x9a},
        {"e acute", 0x82, 0xe9, 0x90},
        {"a circumflex has no capital here", 0x83, 0xe2, 0x83},
        {"y diaeresis has no capital here", 0x98, 0xff, 0x98},
        {"C cedilla is a capital", 0x80, 0xc7, 0x80},
        {"n tilde", 0xa4, 0xf1, 0xa5},
        {"a box corner", 0xc9, 0x2554, 0xc9},
        {"sharp s", 0xe1, 0xdf, 0xe1},
        {"sigma, whose number means a free slot", 0xe5, 0x3c3, 0xe4},
        {"micro sign", 0xe6, 0xb5, 0xe6},
        {"phi", 0xed, 0x3c6, 0xe8},
        {"no-break space", 0xff, 0xa0, 0xff},
};

static void letters_are_where_code_page_437_has_them(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(letter_cases); i++) {
        const struct letter_case *c = &letter_cases[i];

        if (fat_oem_to_unit(c->byte) != c->unit ||
                fat_oem_upcase(c->byte) != c->upper) {
            fail_msg("%s: got U+%04X, upper %02x", c->name,
                    (unsigned)fat_oem_to_unit(c->byte),
                    (unsigned)fat_oem_upcase(c->byte));
        }
    }
}

static void upcase_is_that_of_unicode_where_the_code_page_has_the_letter(void **state)
{
    (void)state;
    for (unsigned byte = 0; byte < 256; byte++) {
        const uint8_t want =
                fat_oem_from_unit(fat_upcase(fat_oem_to_unit((uint8_t)byte)));

        if (fat_oem_upcase((uint8_t)byte) != (want ? want : byte)) {
            fail_msg(
                    "%02x becomes %02x", byte, (unsigned)fat_oem_upcase((uint8_t)byte));
        }
    }
}

static void downcase_undoes_upcase_and_nothing_else(void **state)
{
    (void)state;
    for (unsigned byte = 0; byte < 256; byte++) {
        const uint8_t upper = fat_oem_upcase((uint8_t)byte);
        const uint8_t lower = fat_oem_downcase((uint8_t)byte);

        if (upper != byte) {
            assert_int_equal(fat_oem_downcase(upper), byte);
        }
        assert_true(lower == byte || fat_oem_upcase(lower) == byte);
    }
}

static void upcase_of_every_byte_is_the_same_name_and_final(void **state)
{
    (void)state;
    for (unsigned byte = 0; byte < 256; byte++) {
        const uint8_t upper = fat_oem_upcase((uint8_t)byte);

        assert_int_equal(fat_oem_upcase(upper), upper);
        assert_int_equal(fat_upcase(fat_oem_to_unit(upper)),
                fat_upcase(fat_oem_to_unit((uint8_t)byte)));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(ascii_is_the_same_number_both_ways),
            cmocka_unit_test(every_byte_survives_the_round_trip),
            cmocka_unit_test(units_without_a_byte_give_0),
            cmocka_unit_test(letters_are_where_code_page_437_has_them),
            cmocka_unit_test(
                    upcase_is_that_of_unicode_where_the_code_page_has_the_letter),
            cmocka_unit_test(downcase_undoes_upcase_and_nothing_else),
            cmocka_unit_test(upcase_of_every_byte_is_the_same_name_and_final),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
