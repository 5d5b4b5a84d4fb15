/* SPDX-License-Identifier: MIT */
#include "base/casefold.h"

#include "support/cmocka.h"

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

struct upcase_case {
    const char *name;
    uint16_t unit, want;
};

static const struct upcase_case upcase_cases[] = {
        {"a", 'a', 'A'},
        {"z", 'z', 'Z'},
        {"the sign before a", '`', '`'},
        {"the sign after z", '{', '{'},
        {"A stays", 'A', 'A'},
        {"a digit", '7', '7'},
        {"a umlaut", 0xe4, 0xc4},
        {"the division sign amid letters", 0xf7, 0xf7},
        {"the multiplication sign", 0xd7, 0xd7},
        {"y diaeresis leaves Latin-1", 0xff, 0x178},
        {"sharp s would become two letters", 0xdf, 0xdf},
        {"capital sharp s is no pair of it", 0x1e9e, 0x1e9e},
        {"micro sign is not mu", 0xb5, 0xb5},
        {"a of a stepped run", 0x101, 0x100},
        {"a capital inside a stepped run", 0x102, 0x102},
        {"dotted capital I", 0x130, 0x130},
        {"dotless i is not i", 0x131, 0x131},
        {"long s is not s", 0x17f, 0x17f},
        {"dz digraph", 0x1c6, 0x1c4},
        {"its title case is left alone", 0x1c5, 0x1c5},
        {"alpha", 0x3b1, 0x391},
        {"sigma", 0x3c3, 0x3a3},
        {"final sigma is left alone", 0x3c2, 0x3c2},
        {"Cyrillic ya", 0x44f, 0x42f},
        {"Cyrillic io", 0x451, 0x401},
        {"Armenian ayb", 0x561, 0x531},
        {"Georgian is younger than Windows' table", 0x10d0, 0x10d0},
        {"omega with iota", 0x1ff3, 0x1ffc},
        {"small roman one", 0x2170, 0x2160},
        {"circled a", 0x24d0, 0x24b6},
        {"Kelvin is a capital", 0x212a, 0x212a},
        {"Angstrom is a capital", 0x212b, 0x212b},
        {"far away: turned a", 0x250, 0x2c6f},
        {"insular g", 0x1d79, 0xa77d},
        {"a Han character", 0x4e00, 0x4e00},
        {"a high surrogate", 0xd801, 0xd801},
        {"a low surrogate", 0xdc28, 0xdc28},
        {"fullwidth a", 0xff41, 0xff21},
        {"the last unit", 0xffff, 0xffff},
};

static void upcase_knows_the_letters_of_windows(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(upcase_cases); i++) {
        const struct upcase_case *c = &upcase_cases[i];
        const uint16_t got = fat_upcase(c->unit);

        if (got != c->want) {
            fail_msg("%s: got U+%04X", c->name, (unsigned)got);
        }
    }
}

static void upcase_of_a_capital_is_itself_for_every_unit(void **state)
{
    (void)state;
    for (uint32_t unit = 0; unit < 0x10000; unit++) {
        const uint16_t upper = fat_upcase((uint16_t)unit);

        if (fat_upcase(upper) != upper) {
            fail_msg("U+%04X", (unsigned)unit);
        }
    }
}

static void no_two_small_letters_share_a_capital(void **state)
{
    static uint8_t small_letters[0x10000];
    unsigned pairs = 0;

    (void)state;
    for (uint32_t unit = 0; unit < 0x10000; unit++) {
        const uint16_t upper = fat_upcase((uint16_t)unit);

        if (upper != unit) {
            pairs++;
            assert_int_equal(small_letters[upper]++, 0);
        }
    }
    /* As many as Windows 7's own table has. */
    assert_int_equal(pairs, 973);
}

static void surrogates_are_no_letters(void **state)
{
    (void)state;
    for (uint16_t unit = 0xd800; unit < 0xe000; unit++) {
        assert_int_equal(fat_upcase(unit), unit);
    }
}

static const uint16_t small[] = {'r', 0xe9, 's', 'u', 'm', 0xe9, 0xdf, 0x3c3};
static const uint16_t capital[] = {'R', 0xc9, 'S', 'U', 'M', 0xc9, 0xdf, 0x3a3};

static void names_that_differ_in_case_are_equal_and_hash_alike(void **state)
{
    (void)state;
    assert_true(fat_casefold_equal(small, COUNT(small), capital, COUNT(capital)));
    assert_true(fat_casefold_equal(small, 0, capital, 0));
    assert_int_equal(fat_casefold_hash(small, COUNT(small)),
            fat_casefold_hash(capital, COUNT(capital)));
}

static void names_of_other_length_or_letters_differ(void **state)
{
    static const uint16_t plain[] = {'r', 'e', 's', 'u', 'm', 0xe9, 0xdf, 0x3c3};

    (void)state;
    assert_false(fat_casefold_equal(small, COUNT(small), capital, COUNT(capital) - 1));
    assert_false(fat_casefold_equal(small, 3, capital, COUNT(capital)));
    assert_false(fat_casefold_equal(small, COUNT(small), plain, COUNT(plain)));
    assert_int_not_equal(fat_casefold_hash(small, COUNT(small)),
            fat_casefold_hash(plain, COUNT(plain)));
    assert_int_not_equal(
            fat_casefold_hash(small, COUNT(small)), fat_casefold_hash(small, 3));
}

static void the_hash_never_changes(void **state)
{
    static const uint16_t name[] = {'a', 0x20ac};

    (void)state;
    /* Short names on disk are made from it: FNV-1a of 41 00 ac 20. */
    assert_int_equal(fat_casefold_hash(name, 0), UINT32_C(0x811c9dc5));
    assert_int_equal(fat_casefold_hash(name, COUNT(name)), UINT32_C(0xe951f528));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(upcase_knows_the_letters_of_windows),
            cmocka_unit_test(upcase_of_a_capital_is_itself_for_every_unit),
            cmocka_unit_test(no_two_small_letters_share_a_capital),
            cmocka_unit_test(surrogates_are_no_letters),
            cmocka_unit_test(names_that_differ_in_case_are_equal_and_hash_alike),
            cmocka_unit_test(names_of_other_length_or_letters_differ),
            cmocka_unit_test(the_hash_never_changes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
