/* SPDX-License-Identifier: MIT */
#include "ondisk/shortname.h"

#include <string.h>

#include "base/casefold.h"
#include "base/utf16.h"
#include "support/cmocka.h"

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

/* UTF-8 to units without the rules of fat_name_parse(). */
static size_t to_units(const char *text, uint16_t units[FAT_NAME_UNITS_MAX])
{
    size_t length = 0;

    assert_int_equal(
            fat_utf8_to_utf16(text, strlen(text), units, FAT_NAME_UNITS_MAX, &length),
            FAT_OK);
    return length;
}

struct show_case {
    const char *name;
    const char *stored;
    uint8_t nt_flags;
    const char *want;
};

static const struct show_case show_cases[] = {
        {"base and extension", "README  TXT", 0, "README.TXT"},
        {"no extension, no dot", "VMLINUX    ", 0, "VMLINUX"},
        {"all bytes used", "ABCDEFGHIJK", 0, "ABCDEFGH.IJK"},
        {"lower-case base", "README  TXT", FAT_NT_LOWER_BASE, "readme.TXT"},
        {"lower-case extension", "README  TXT", FAT_NT_LOWER_EXT, "README.txt"},
        {"both lower", "README~1TXT", 0x18, "readme~1.txt"},
        {"other flags mean nothing here", "README  TXT", 0xe7, "README.TXT"},
        {"spaces in the middle stay", "A B     C D", 0, "A B.C D"},
        {"an extension alone keeps its dot", "        TXT", 0, ".TXT"},
        {"nothing but spaces", "           ", 0, ""},
        {"dot", ".          ", 0, "."},
        {"dot-dot", "..         ", 0, ".."},
        {"first byte 0x05 is 0xE5, sigma",
                "\x05"
                "BC        ",
                0,
                "\xcf\x83"
                "BC"},
        {"0x05 elsewhere is itself", "A\x05         ", 0, "A\x05"},
        {"code page 437", "\x8e\x99\x9a     \x80  ", 0,
                "\xc3\x84\xc3\x96\xc3\x9c.\xc3\x87"},
        {"lower case of code page 437", "\x8e\x99\x9a     \x80  ", 0x18,
                "\xc3\xa4\xc3\xb6\xc3\xbc.\xc3\xa7"},
        {"what has no lower case stays", "1_\x9b        ", 0x18, "1_\xc2\xa2"},
        {"stored in lower case", "readme  txt", 0, "readme.txt"},
};

static void short_entries_show_the_documented_names(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(show_cases); i++) {
        const struct show_case *c = &show_cases[i];
        uint16_t got[FAT_SHORT_UNITS_MAX], want[FAT_NAME_UNITS_MAX];
        const size_t want_length = to_units(c->want, want);
        const size_t length =
                fat_short_units((const uint8_t *)c->stored, c->nt_flags, got);

        if (length != want_length || memcmp(got, want, length * sizeof(*got)) != 0) {
            fail_msg("%s: got %zu units", c->name, length);
        }
    }
}

static void a_nul_ends_a_part(void **state)
{
    static const uint8_t stored[] = {'A', 'B', 0, 'C', ' ', ' ', ' ', ' ', 'T', 0, 'X'};
    static const uint16_t want[] = {'A', 'B', '.', 'T'};
    uint16_t got[FAT_SHORT_UNITS_MAX];

    (void)state;
    assert_int_equal(fat_short_units(stored, 0, got), COUNT(want));
    assert_memory_equal(got, want, sizeof(want));
}

struct parse_case {
    const char *name;
    const char *bytes;
    const char *want;
};

static const struct parse_case parse_cases[] = {
        {"an ordinary name", "Read me.txt", "Read me.txt"},
        {"trailing dots go", "name...", "name"},
        {"inner and leading dots stay", "..a.b", "..a.b"},
        {"a leading space stays", " a", " a"},
        {"what only short names forbid", "[];,+=", "[];,+="},
        {"DEL", "a\x7f", "a\x7f"},
        {"an emoji", "\xf0\x9f\x98\x80", "\xf0\x9f\x98\x80"},
        {"reserved on DOS only", "CON", "CON"},
};

struct refused_case {
    const char *name;
    const char *bytes;
};

static const struct refused_case refused_cases[] = {
        {"nothing", ""},
        {"a dot", "."},
        {"dots", "..."},
        {"a space", " "},
        {"dots and spaces", " . ."},
        {"a trailing space", "a "},
        {"a trailing space behind dots", "a ."},
        {"a quotation mark", "a\""},
        {"an asterisk", "*"},
        {"a slash", "a/b"},
        {"a colon", "a:b"},
        {"less than", "<"},
        {"greater than", ">"},
        {"a question mark", "a?"},
        {"a backslash", "a\\b"},
        {"a bar", "a|b"},
        {"a tab", "a\tb"},
        {"the last control character", "\x1f"},
        {"not UTF-8", "a\xff"},
};

static void parse_takes_what_a_volume_can_hold(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(parse_cases); i++) {
        const struct parse_case *c = &parse_cases[i];
        uint16_t got[FAT_NAME_UNITS_MAX], want[FAT_NAME_UNITS_MAX];
        size_t length = 0;
        const size_t want_length = to_units(c->want, want);
        const fat_err err = fat_name_parse(c->bytes, strlen(c->bytes), got, &length);

        if (err || length != want_length ||
                memcmp(got, want, length * sizeof(*got)) != 0) {
            fail_msg("%s: gave %d, %zu units", c->name, (int)err, length);
        }
    }
}

static void parse_refuses_other_names_and_leaves_the_outputs_alone(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(refused_cases); i++) {
        const struct refused_case *c = &refused_cases[i];
        uint16_t got[FAT_NAME_UNITS_MAX] = {7};
        size_t length = 999;
        const fat_err err = fat_name_parse(c->bytes, strlen(c->bytes), got, &length);

        if (err != FAT_E_NAME || length != 999 || got[0] != 7) {
            fail_msg("%s: gave %d", c->name, (int)err);
        }
    }
}

static void parse_refuses_a_nul_inside_a_name(void **state)
{
    uint16_t units[FAT_NAME_UNITS_MAX];
    size_t length;

    (void)state;
    assert_int_equal(fat_name_parse("a\0b", 3, units, &length), FAT_E_NAME);
}

static void parse_counts_255_units_without_trailing_dots(void **state)
{
    static const char emoji[4] = {'\xf0', '\x9f', '\x98', '\x80'};
    char bytes[sizeof(emoji) * 128];
    uint16_t units[FAT_NAME_UNITS_MAX];
    size_t length;

    (void)state;
    memset(bytes, 'a', 256);
    memset(bytes + 255, '.', 8);
    assert_int_equal(fat_name_parse(bytes, 255 + 8, units, &length), FAT_OK);
    assert_int_equal(length, 255);
    bytes[255] = 'a';
    assert_int_equal(fat_name_parse(bytes, 256, units, &length), FAT_E_NAMETOOLONG);

    /* 127 emoji are 254 units, 128 are 256. */
    for (size_t i = 0; i < 128; i++) {
        memcpy(bytes + sizeof(emoji) * i, emoji, sizeof(emoji));
    }
    assert_int_equal(
            fat_name_parse(bytes, sizeof(emoji) * 127, units, &length), FAT_OK);
    assert_int_equal(length, 254);
    assert_int_equal(fat_name_parse(bytes, sizeof(emoji) * 128, units, &length),
            FAT_E_NAMETOOLONG);
}

struct basis_case {
    const char *name;
    const char *text;
    enum fat_short_fit fit;
    uint8_t nt_flags;
    const char *stored;
};

static const struct basis_case basis_cases[] = {
        {"upper case", "README.TXT", FAT_SHORT_FITS, 0, "README  TXT"},
        {"lower case", "readme.txt", FAT_SHORT_FITS, 0x18, "README  TXT"},
        {"lower base", "readme.TXT", FAT_SHORT_FITS, 0x08, "README  TXT"},
        {"lower extension", "README.txt", FAT_SHORT_FITS, 0x10, "README  TXT"},
        {"lower, no extension", "makefile", FAT_SHORT_FITS, 0x08, "MAKEFILE   "},
        {"digits have no case", "123.456", FAT_SHORT_FITS, 0, "123     456"},
        {"digits and lower case", "file1.c", FAT_SHORT_FITS, 0x18, "FILE1   C  "},
        {"one character", "a", FAT_SHORT_FITS, 0x08, "A          "},
        {"full length", "abcdefgh.ijk", FAT_SHORT_FITS, 0x18, "ABCDEFGHIJK"},
        {"every odd legal character", "$%'-_@~`.!()", FAT_SHORT_FITS, 0, "$%'-_@~`!()"},
        {"mixed base", "Readme.txt", FAT_SHORT_CASE, 0, "README  TXT"},
        {"mixed extension", "README.Txt", FAT_SHORT_CASE, 0, "README  TXT"},
        {"a capital umlaut depends on the code page", "\xc3\x84.TXT", FAT_SHORT_CASE, 0,
                "\x8e       TXT"},
        {"a small umlaut", "\xc3\xa4.txt", FAT_SHORT_CASE, 0, "\x8e       TXT"},
        {"an umlaut in the extension", "a.\xc3\xa4", FAT_SHORT_CASE, 0,
                "A       \x8e  "},
        {"a letter whose capital the code page lacks", "\xc3\xa2", FAT_SHORT_CASE, 0,
                "\x83          "},
        {"DEL", "A\x7f", FAT_SHORT_CASE, 0, "A\x7f         "},
        {"a sigma never makes a free slot", "\xcf\x83", FAT_SHORT_CASE, 0,
                "\xe4          "},
        {"not in the code page", "\xe2\x82\xac.txt", FAT_SHORT_LOSSY, 0, "_       TXT"},
        {"a surrogate pair is two", "a\xf0\x9f\x98\x80", FAT_SHORT_LOSSY, 0,
                "A__        "},
        {"base too long", "abcdefghi.txt", FAT_SHORT_LOSSY, 0, "ABCDEFGHTXT"},
        {"extension too long", "a.html", FAT_SHORT_LOSSY, 0, "A       HTM"},
        {"a space inside", "a b.txt", FAT_SHORT_LOSSY, 0, "AB      TXT"},
        {"a space in the extension", "a.b c", FAT_SHORT_LOSSY, 0, "A       BC "},
        {"a space before the dot", "a .txt", FAT_SHORT_LOSSY, 0, "A       TXT"},
        {"the last dot splits", "archive.tar.gz", FAT_SHORT_LOSSY, 0, "ARCHIVETGZ "},
        {"a leading dot", ".bashrc", FAT_SHORT_LOSSY, 0, "BASHRC     "},
        {"a leading dot and an extension", ".a.txt", FAT_SHORT_LOSSY, 0, "A       TXT"},
        {"leading dots", "...test", FAT_SHORT_LOSSY, 0, "TEST       "},
        {"dots and spaces in front", " . .test", FAT_SHORT_LOSSY, 0, "TEST       "},
        {"brackets and others", "[];,+=.a,b", FAT_SHORT_LOSSY, 0, "______  A_B"},
        {"plus, upper case", "C+.TXT", FAT_SHORT_LOSSY, 0, "C_      TXT"},
        {"many spaces still count", "abcdefgh  .txt", FAT_SHORT_LOSSY, 0,
                "ABCDEFGHTXT"},
        {"a trailing dot", "abc.", FAT_SHORT_LOSSY, 0, "ABC        "},
        {"what no name may have", "a/b?.c*", FAT_SHORT_LOSSY, 0, "A_B_    C_ "},
        {"nothing that can be shown", ". .", FAT_SHORT_LOSSY, 0, "_          "},
        {"nothing", "", FAT_SHORT_LOSSY, 0, "_          "},
};

static void names_are_squeezed_as_documented(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(basis_cases); i++) {
        const struct basis_case *c = &basis_cases[i];
        uint16_t units[FAT_NAME_UNITS_MAX];
        const size_t length = to_units(c->text, units);
        const struct fat_short_basis got = fat_short_basis(units, length);

        if (got.fit != c->fit || got.nt_flags != c->nt_flags ||
                memcmp(got.name, c->stored, FAT_SHORT_BYTES) != 0) {
            fail_msg("%s: got fit %d, flags %02x, '%.11s'", c->name, (int)got.fit,
                    (unsigned)got.nt_flags, (const char *)got.name);
        }
    }
}

struct tail_case {
    const char *name;
    const char *stored;
    uint32_t n;
    const char *want;
};

static const struct tail_case tail_cases[] = {
        {"the first, on a long base", "ABCDEFGHTXT", 0, "ABCDEF~1TXT"},
        {"the ninth", "ABCDEFGHTXT", 8, "ABCDEF~9TXT"},
        {"on seven characters", "ABCDEFG    ", 1, "ABCDEF~2   "},
        {"on six characters", "ABCDEF  TXT", 0, "ABCDEF~1TXT"},
        {"on a short base", "AB      TXT", 0, "AB~1    TXT"},
        {"on one character", "_          ", 2, "_~3        "},
        {"the first with a hash", "ABCDEFGHTXT", 9, "ABBEF0~1TXT"},
        {"nine of one hash", "ABCDEFGHTXT", 17, "ABBEF0~9TXT"},
        {"the next hash", "ABCDEFGHTXT", 18, "ABBEF1~1TXT"},
        {"a hash on one character", "_          ", 9, "_BEF0~1    "},
        {"a hash on two characters", "AB      TXT", 9, "ABBEF0~1TXT"},
        {"the hash wraps round", "ABCDEFGHTXT", 9 * (0x10000 - 0xbeef), "AB0000~1TXT"},
        {"the last", "ABCDEFGHTXT", FAT_SHORT_TAILS - 1, "ABBEEF~9TXT"},
        {"a first byte of 0x05 stays",
                "\x05"
                "BCDEFGHTXT",
                0,
                "\x05"
                "BCDEF~1TXT"},
};

static void tails_are_put_where_there_is_room(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(tail_cases); i++) {
        const struct tail_case *c = &tail_cases[i];
        struct fat_short_basis basis = {.fit = FAT_SHORT_LOSSY, .hash = 0xdeadbeef};
        uint8_t got[FAT_SHORT_BYTES];

        memcpy(basis.name, c->stored, FAT_SHORT_BYTES);
        fat_short_with_tail(&basis, c->n, got);
        if (memcmp(got, c->want, FAT_SHORT_BYTES) != 0) {
            fail_msg("%s: got '%.11s'", c->name, (const char *)got);
        }
    }
}

static unsigned hex_digit(uint8_t digit)
{
    return (unsigned)(digit <= '9' ? digit - '0' : digit - 'A' + 10);
}

static void all_tails_of_a_name_differ_and_are_legal(void **state)
{
    static uint8_t seen[0x10000][9];
    uint16_t units[FAT_NAME_UNITS_MAX];
    const size_t length = to_units("A rather long name.txt", units);
    const struct fat_short_basis basis = fat_short_basis(units, length);

    (void)state;
    for (uint32_t n = 0; n < FAT_SHORT_TAILS; n++) {
        uint8_t name[FAT_SHORT_BYTES];
        unsigned hash = 0;

        fat_short_with_tail(&basis, n, name);
        assert_true(fat_short_is_legal(name));
        if (n < 9) {
            assert_memory_equal(name, "ARATHE~", 7);
            assert_int_equal(name[7], '1' + n);
            continue;
        }
        for (size_t i = 2; i < 6; i++) {
            hash = hash << 4 | hex_digit(name[i]);
        }
        assert_memory_equal(name, "AR", 2);
        assert_int_equal(seen[hash][name[7] - '1']++, 0);
    }
}

static void the_same_name_in_another_case_gets_the_same_tails(void **state)
{
    uint16_t lower[FAT_NAME_UNITS_MAX], upper[FAT_NAME_UNITS_MAX];
    const size_t length = to_units("a rather long n\xc3\xa4me.txt", lower);

    (void)state;
    assert_int_equal(to_units("A Rather LONG n\xc3\x84me.tXt", upper), length);
    assert_int_equal(
            fat_short_basis(lower, length).hash, fat_short_basis(upper, length).hash);
}

static void legal_is_what_the_specification_allows(void **state)
{
    static const char illegal[] = "\"*+,./:;<=>?[\\]|abcz\x01\x1f";

    (void)state;
    assert_true(fat_short_is_legal((const uint8_t *)"README  TXT"));
    assert_true(fat_short_is_legal((const uint8_t *)"A B~1\x7f\xe5\xff   "));
    assert_true(fat_short_is_legal((const uint8_t *)"\x05"
                                                    "BC        "));
    assert_false(fat_short_is_legal((const uint8_t *)"\xe5"
                                                     "BC        "));
    assert_false(fat_short_is_legal((const uint8_t *)" BC        "));
    assert_false(fat_short_is_legal((const uint8_t *)"A\x05         "));
    for (size_t i = 0; i < sizeof(illegal); i++) {
        for (size_t place = 0; place < FAT_SHORT_BYTES; place++) {
            uint8_t name[] = "AAAAAAAAAAA";

            name[place] = (uint8_t)illegal[i];
            assert_false(fat_short_is_legal(name));
        }
    }
}

static uint32_t next_random(uint32_t *seed)
{
    *seed = *seed * 1664525 + 1013904223;
    return *seed >> 16;
}

/* Mostly letters and troublemakers, sometimes any unit at all. */
static size_t random_name(uint32_t *seed, uint16_t units[FAT_NAME_UNITS_MAX])
{
    static const uint16_t alphabet[] = {'a', 'b', 'z', 'A', 'B', 'Z', '0', '.', '.',
            ' ', '_', '~', '+', '/', 0x1f, 0x7f, 0xe4, 0xc4, 0xe2, 0x3c3, 0xdf, 0x20ac,
            0xd83d, 0xe5, 0xff};
    const bool plain = next_random(seed) % 2 == 0;
    const size_t length = next_random(seed) % 15;

    for (size_t i = 0; i < length; i++) {
        const uint32_t choice = next_random(seed);

        if (choice % 64 == 0) {
            units[i] = (uint16_t)next_random(seed);
        } else {
            units[i] = alphabet[choice % (plain ? 8 : COUNT(alphabet))];
        }
    }
    return length;
}

static void a_name_that_fits_reads_back_the_same_and_others_never_pretend(void **state)
{
    unsigned fits = 0, cases = 0;
    uint32_t seed = 3;

    (void)state;
    for (unsigned round = 0; round < 500000; round++) {
        uint16_t units[FAT_NAME_UNITS_MAX], shown[FAT_SHORT_UNITS_MAX];
        const size_t length = random_name(&seed, units);
        const struct fat_short_basis basis = fat_short_basis(units, length);
        const size_t shown_length = fat_short_units(basis.name, basis.nt_flags, shown);

        assert_true(fat_short_is_legal(basis.name));
        switch (basis.fit) {
        case FAT_SHORT_FITS:
            assert_int_equal(shown_length, length);
            assert_memory_equal(shown, units, length * sizeof(*units));
            fits++;
            break;
        case FAT_SHORT_CASE:
            /* It goes without a tail because it is the same name. */
            assert_true(fat_casefold_equal(shown, shown_length, units, length));
            assert_int_equal(basis.nt_flags, 0);
            cases++;
            break;
        case FAT_SHORT_LOSSY:
            assert_int_equal(basis.nt_flags, 0);
            break;
        }
    }
    assert_true(fits > 10000);
    assert_true(cases > 10000);
}

static void every_legal_upper_case_name_fits_itself(void **state)
{
    uint32_t seed = 5;

    (void)state;
    for (unsigned round = 0; round < 100000; round++) {
        static const uint8_t alphabet[] = "ABCXYZ019_~-!#$%&'()@^`{}";
        const size_t base = 1 + next_random(&seed) % 8, ext = next_random(&seed) % 4;
        uint8_t name[FAT_SHORT_BYTES];
        const uint8_t flags = (uint8_t)(next_random(&seed) & 0x18);
        uint16_t units[FAT_SHORT_UNITS_MAX];
        struct fat_short_basis basis;
        size_t length;

        memset(name, ' ', sizeof(name));
        for (size_t i = 0; i < base + ext; i++) {
            name[i < base ? i : 8 + i - base] =
                    alphabet[next_random(&seed) % (sizeof(alphabet) - 1)];
        }
        length = fat_short_units(name, flags, units);
        basis = fat_short_basis(units, length);
        assert_int_equal(basis.fit, FAT_SHORT_FITS);
        assert_memory_equal(basis.name, name, FAT_SHORT_BYTES);
        assert_int_equal(basis.nt_flags & ~flags, 0);
    }
}

static void any_eleven_bytes_show_at_most_twelve_units(void **state)
{
    uint32_t seed = 9;

    (void)state;
    for (unsigned round = 0; round < 200000; round++) {
        uint8_t name[FAT_SHORT_BYTES];
        uint16_t units[FAT_SHORT_UNITS_MAX];

        for (size_t i = 0; i < sizeof(name); i++) {
            name[i] = (uint8_t)next_random(&seed);
        }
        assert_true(fat_short_units(name, (uint8_t)next_random(&seed), units) <=
                    FAT_SHORT_UNITS_MAX);
        (void)fat_short_is_legal(name);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(short_entries_show_the_documented_names),
            cmocka_unit_test(a_nul_ends_a_part),
            cmocka_unit_test(parse_takes_what_a_volume_can_hold),
            cmocka_unit_test(parse_refuses_other_names_and_leaves_the_outputs_alone),
            cmocka_unit_test(parse_refuses_a_nul_inside_a_name),
            cmocka_unit_test(parse_counts_255_units_without_trailing_dots),
            cmocka_unit_test(names_are_squeezed_as_documented),
            cmocka_unit_test(tails_are_put_where_there_is_room),
            cmocka_unit_test(all_tails_of_a_name_differ_and_are_legal),
            cmocka_unit_test(the_same_name_in_another_case_gets_the_same_tails),
            cmocka_unit_test(legal_is_what_the_specification_allows),
            cmocka_unit_test(
                    a_name_that_fits_reads_back_the_same_and_others_never_pretend),
            cmocka_unit_test(every_legal_upper_case_name_fits_itself),
            cmocka_unit_test(any_eleven_bytes_show_at_most_twelve_units),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
