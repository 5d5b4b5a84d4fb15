/* SPDX-License-Identifier: MIT */
#include "service/argv.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "support/cmocka.h"
#include "support/failalloc.h"

#define COUNT(array)   (sizeof(array) / sizeof(*(array)))
#define BYTES(literal) (literal), sizeof(literal) - 1

/*
 * As another helper writes it: it was called with five arguments, dropped two of them,
 * and left their slots behind.
 */
#define GOLDEN                         \
    "ARGS\0\0\0\3"                     \
    "\0\0\0\x30\0\0\0\x08"             \
    "\0\0\0\x38\0\0\0\x05"             \
    "\0\0\0\x3d\0\0\0\x05"             \
    "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0" \
    "fatward\0/img\0/mnt\0"

/* A copy of exactly that length, so that a sanitizer sees whoever reads on. */
static void *exact_copy(const void *bytes, size_t length)
{
    void *const copy = malloc(length > 0 ? length : 1);

    assert_non_null(copy);
    memcpy(copy, bytes, length);
    return copy;
}

static enum fat_argv_fault decode(const void *bytes, size_t length)
{
    void *const copy = exact_copy(bytes, length);
    const char **argv = NULL;
    unsigned count = 77;
    const enum fat_argv_fault fault = fat_argv_decode(copy, length, &argv, &count);

    if (fault == FAT_ARGV_SOUND) {
        for (unsigned i = 0; i < count; i++) {
            assert_true(strlen(argv[i]) < length);
        }
        assert_null(argv[count]);
    } else {
        assert_null(argv);
        assert_int_equal(count, 77);
    }
    free(argv);
    free(copy);
    return fault;
}

static void unused_slots_are_stepped_over(void **state)
{
    char *const file = exact_copy(BYTES(GOLDEN));
    const char **argv;
    unsigned count;

    (void)state;
    assert_int_equal(
            fat_argv_decode(file, sizeof(GOLDEN) - 1, &argv, &count), FAT_ARGV_SOUND);
    assert_int_equal(count, 3);
    assert_string_equal(argv[0], "fatward");
    assert_string_equal(argv[1], "/img");
    assert_string_equal(argv[2], "/mnt");
    assert_null(argv[3]);
    assert_ptr_equal(argv[0], file + 48);
    free(argv);
    free(file);
}

static void what_is_written_is_the_documented_bytes(void **state)
{
    static const char *const argv[] = {"fat", "", "-o", "a,b"};
    static const char expected[] = "ARGS\0\0\0\4"
                                   "\0\0\0\x28\0\0\0\4"
                                   "\0\0\0\x2c\0\0\0\1"
                                   "\0\0\0\x2d\0\0\0\3"
                                   "\0\0\0\x30\0\0\0\4"
                                   "fat\0\0-o\0a,b";
    void *file;
    size_t length;

    (void)state;
    assert_int_equal(fat_argv_encode(argv, 4, &file, &length), FAT_ARGV_SOUND);
    assert_int_equal(length, sizeof(expected));
    assert_memory_equal(file, expected, length);
    assert_int_equal(decode(file, length), FAT_ARGV_SOUND);
    free(file);
}

struct file_case {
    const char *name;
    const char *bytes;
    size_t length;
    enum fat_argv_fault fault;
};

#define ONE "ARGS\0\0\0\1"

static const struct file_case file_cases[] = {
        {"nothing", BYTES(""), FAT_ARGV_LENGTH},
        {"a magic alone", BYTES("ARGS"), FAT_ARGV_LENGTH},
        {"another magic", BYTES("ARGV\0\0\0\1\0\0\0\x10\0\0\0\2a"), FAT_ARGV_MAGIC},
        {"no argument", BYTES("ARGS\0\0\0\0"), FAT_ARGV_COUNT},
        {"257 arguments", BYTES("ARGS\0\0\1\1"), FAT_ARGV_COUNT},
        {"as many as can be said", BYTES("ARGS\xff\xff\xff\xff"), FAT_ARGV_COUNT},
        {"a table of 2^32 bytes", BYTES("ARGS\x20\0\0\0"), FAT_ARGV_COUNT},
        {"256 arguments and no table", BYTES("ARGS\0\0\1\0"), FAT_ARGV_LENGTH},
        {"half a slot", BYTES(ONE "\0\0\0\0"), FAT_ARGV_LENGTH},
        {"the shortest there is", BYTES(ONE "\0\0\0\x10\0\0\0\1\0"), FAT_ARGV_SOUND},
        {"one byte outside", BYTES(ONE "\0\0\0\x10\0\0\0\2\0"), FAT_ARGV_OUTSIDE},
        {"behind the file", BYTES(ONE "\0\0\0\x12\0\0\0\1\0"), FAT_ARGV_OUTSIDE},
        {"a sum of 2^32", BYTES(ONE "\xff\xff\xff\xff\0\0\0\1\0"), FAT_ARGV_OUTSIDE},
        {"a sum of 2^32 and 16", BYTES(ONE "\0\0\0\x11\xff\xff\xff\xff\0"),
                FAT_ARGV_OUTSIDE},
        {"a length of none", BYTES(ONE "\0\0\0\x10\0\0\0\0\0"), FAT_ARGV_NO_END},
        {"no length at the very end", BYTES(ONE "\0\0\0\x11\0\0\0\0\0"),
                FAT_ARGV_NO_END},
        {"no NUL", BYTES(ONE "\0\0\0\x10\0\0\0\1ab"), FAT_ARGV_NO_END},
        {"the NUL is behind it", BYTES(ONE "\0\0\0\x10\0\0\0\2ab\0"), FAT_ARGV_NO_END},
        {"a NUL inside", BYTES(ONE "\0\0\0\x10\0\0\0\4a\0b\0"), FAT_ARGV_NO_END},
        {"two NULs", BYTES(ONE "\0\0\0\x10\0\0\0\3a\0\0"), FAT_ARGV_NO_END},
        {"the second is bad",
                BYTES("ARGS\0\0\0\2\0\0\0\x18\0\0\0\2\0\0\0\x1a\0\0\0\2a\0b"),
                FAT_ARGV_OUTSIDE},
};

static void each_fault_is_named_and_sets_nothing(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(file_cases); i++) {
        const struct file_case *c = &file_cases[i];
        const enum fat_argv_fault fault = decode(c->bytes, c->length);

        if (fault != c->fault) {
            fail_msg("%s: %s", c->name, fat_argv_fault_text(fault));
        }
    }
}

static void no_file_survives_being_cut(void **state)
{
    (void)state;
    assert_int_equal(decode(BYTES(GOLDEN)), FAT_ARGV_SOUND);
    for (size_t length = 0; length < sizeof(GOLDEN) - 1; length++) {
        assert_int_not_equal(decode(GOLDEN, length), FAT_ARGV_SOUND);
    }
}

static void what_is_behind_the_limit_is_neither_read_nor_written(void **state)
{
    static const char small[] = ONE "\0\0\0\x10\0\0\0\1";
    const size_t too_large = (size_t)FAT_ARGV_LARGEST + 1;
    char *const file = calloc(1, too_large);
    char *const text = calloc(1, FAT_ARGV_LARGEST);
    const char *const argv[] = {text};
    void *bytes = NULL;
    size_t length = 77;

    (void)state;
    assert_non_null(file);
    assert_non_null(text);
    memcpy(file, small, sizeof(small) - 1);
    assert_int_equal(decode(file, too_large), FAT_ARGV_LENGTH);
    assert_int_equal(decode(file, too_large - 1), FAT_ARGV_SOUND);

    memset(text, 'a', FAT_ARGV_LARGEST - 16);
    assert_int_equal(fat_argv_encode(argv, 1, &bytes, &length), FAT_ARGV_LENGTH);
    assert_null(bytes);
    assert_int_equal(length, 77);
    text[FAT_ARGV_LARGEST - 17] = '\0';
    assert_int_equal(fat_argv_encode(argv, 1, &bytes, &length), FAT_ARGV_SOUND);
    assert_int_equal(length, FAT_ARGV_LARGEST);
    free(bytes);
    free(text);
    free(file);
}

static void from_1_to_256_arguments_go_there_and_back(void **state)
{
    const char *argv[FAT_ARGV_MOST + 1];
    void *file = NULL;
    size_t length = 77;

    (void)state;
    for (size_t i = 0; i < COUNT(argv); i++) {
        argv[i] = i % 2 ? "" : "word";
    }
    assert_int_equal(fat_argv_encode(argv, 0, &file, &length), FAT_ARGV_COUNT);
    assert_int_equal(fat_argv_encode(argv, 257, &file, &length), FAT_ARGV_COUNT);
    assert_null(file);
    assert_int_equal(length, 77);
    for (unsigned count = 1; count <= FAT_ARGV_MOST; count++) {
        const char **again;
        unsigned counted;

        assert_int_equal(fat_argv_encode(argv, count, &file, &length), FAT_ARGV_SOUND);
        assert_int_equal(
                fat_argv_decode(file, length, &again, &counted), FAT_ARGV_SOUND);
        assert_int_equal(counted, count);
        for (unsigned i = 0; i < count; i++) {
            assert_string_equal(again[i], argv[i]);
        }
        assert_null(again[count]);
        free(again);
        free(file);
    }
}

/* xorshift, so that a failure can be repeated */
static uint32_t next_random(uint32_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 17;
    *seed ^= *seed << 5;
    return *seed;
}

static void random_damage_is_survived(void **state)
{
    uint32_t seed = 3;
    unsigned sound = 0;

    (void)state;
    for (unsigned i = 0; i < 50000; i++) {
        unsigned char file[sizeof(GOLDEN) - 1];

        memcpy(file, GOLDEN, sizeof(file));
        for (unsigned j = 1 + next_random(&seed) % 3; j > 0; j--) {
            /* small numbers come close to being right */
            file[next_random(&seed) % sizeof(file)] =
                    (unsigned char)(next_random(&seed) % 80);
        }
        sound += decode(file, sizeof(file)) == FAT_ARGV_SOUND;
    }
    assert_in_range(sound, 5000, 45000);
}

static void each_fault_has_a_text_of_its_own(void **state)
{
    (void)state;
    for (int i = FAT_ARGV_SOUND; i <= FAT_ARGV_NO_MEMORY; i++) {
        for (int j = FAT_ARGV_SOUND; j < i; j++) {
            assert_string_not_equal(fat_argv_fault_text((enum fat_argv_fault)i),
                    fat_argv_fault_text((enum fat_argv_fault)j));
        }
    }
    assert_string_equal(
            fat_argv_fault_text(FAT_ARGV_OUTSIDE), "an argument lies outside the file");
}

static void without_memory_nothing_is_set(void **state)
{
    static const char *const words[] = {"fatward"};
    const char **argv = NULL;
    unsigned count = 77;
    void *file = NULL;
    size_t length = 77;
    enum fat_argv_fault fault;

    (void)state;
    failalloc_arm(1, FAILALLOC_ONCE);
    fault = fat_argv_decode(GOLDEN, sizeof(GOLDEN) - 1, &argv, &count);
    assert_true(failalloc_disarm());
    assert_int_equal(fault, FAT_ARGV_NO_MEMORY);
    assert_null(argv);
    assert_int_equal(count, 77);
    failalloc_arm(1, FAILALLOC_ONCE);
    fault = fat_argv_encode(words, 1, &file, &length);
    assert_true(failalloc_disarm());
    assert_int_equal(fault, FAT_ARGV_NO_MEMORY);
    assert_null(file);
    assert_int_equal(length, 77);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(unused_slots_are_stepped_over),
            cmocka_unit_test(what_is_written_is_the_documented_bytes),
            cmocka_unit_test(each_fault_is_named_and_sets_nothing),
            cmocka_unit_test(no_file_survives_being_cut),
            cmocka_unit_test(what_is_behind_the_limit_is_neither_read_nor_written),
            cmocka_unit_test(from_1_to_256_arguments_go_there_and_back),
            cmocka_unit_test(without_memory_nothing_is_set),
            cmocka_unit_test(random_damage_is_survived),
            cmocka_unit_test(each_fault_has_a_text_of_its_own),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
