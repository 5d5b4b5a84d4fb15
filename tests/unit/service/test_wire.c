/* SPDX-License-Identifier: MIT */
#include "service/wire.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "support/cmocka.h"

#define COUNT(array)   (sizeof(array) / sizeof(*(array)))
#define BYTES(literal) (literal), sizeof(literal) - 1

/* With the NUL that C adds to a literal, where the message has a text. */
#define WITH_NUL(literal) (literal), sizeof(literal)

struct golden_case {
    const char *name;
    const char *bytes;
    size_t length;
    struct fat_wire_message message;
};

static const struct golden_case golden_cases[] = {
        {"SAFT", BYTES("SAFT\x00\x01\x02\x03\x00\x00\x00\x03"),
                {.kind = FAT_WIRE_HELLO,
                        .min_version = 1,
                        .version = 0x203,
                        .flags = FAT_WIRE_MAY_ALLOW_OTHER | FAT_WIRE_MAY_FUSEBLK}},
        {"LAST", BYTES("LAST\x00\x01\x00\x00"),
                {.kind = FAT_WIRE_HELLO_REPLY, .version = 1}},
        {"FILE", WITH_NUL("FILE\x00\x00\x00\x02/img"),
                {.kind = FAT_WIRE_FILE, .error = 2, .text = "/img"}},
        {"FILE, as upstream answers a malformed OPEN",
                WITH_NUL("FILE\x00\x00\x00\x16?"),
                {.kind = FAT_WIRE_FILE, .error = 22, .text = "?"}},
        {"OPEN",
                WITH_NUL("OPEN\x00\x00\x00\x82\x00\x00\x01\xa4\x00\x00\x00\x01"
                         "\x00\x00\x00\x00/x"),
                {.kind = FAT_WIRE_OPEN,
                        .open_flags = 0x82,
                        .create_mode = 0644,
                        .flags = FAT_WIRE_QUIET,
                        .text = "/x"}},
        {"OPEN of the shortest name", WITH_NUL("OPEN\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0a"),
                {.kind = FAT_WIRE_OPEN, .text = "a"}},
        {"BDEV",
                WITH_NUL("BDEV\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c"
                         "\xf0\xf1\xf2\xf3/dev/sda1"),
                {.kind = FAT_WIRE_OPEN_DEVICE,
                        .open_flags = 0x01020304,
                        .create_mode = 0x05060708,
                        .flags = 0x090a0b0c,
                        .block_bytes = 0xf0f1f2f3,
                        .text = "/dev/sda1"}},
        {"TYPE", BYTES("TYPE\x00\x00\x00\x01"),
                {.kind = FAT_WIRE_TYPE, .flags = FAT_WIRE_FUSEBLK}},
        {"NAME", WITH_NUL("NAME/dev/sda1"),
                {.kind = FAT_WIRE_SOURCE, .text = "/dev/sda1"}},
        {"MNTP", WITH_NUL("MNTP\x40\x00\x00\x00/mnt"),
                {.kind = FAT_WIRE_MOUNTPOINT, .format = 0x4000, .text = "/mnt"}},
        {"OPTS", WITH_NUL("OPTSdefault_permissions"),
                {.kind = FAT_WIRE_OPTIONS, .text = "default_permissions"}},
        {"MTAB", WITH_NUL("MTABx-foo=1"),
                {.kind = FAT_WIRE_TABLE_OPTIONS, .text = "x-foo=1"}},
        {"DOIT", BYTES("DOIT\x00\x00\x00\x06"), {.kind = FAT_WIRE_MOUNT, .flags = 6}},
        {"BYEE", BYTES("BYEE\x00\x00\x00\x01"), {.kind = FAT_WIRE_GOODBYE, .error = 1}},
        {"REPL", BYTES("REPL\x00\x00\x00\x10"), {.kind = FAT_WIRE_REPLY, .error = 16}},
};

static const enum fat_wire_kind no_kind = (enum fat_wire_kind)FAT_WIRE_KINDS;

/* A copy of exactly that length, so that a sanitizer sees whoever reads on. */
static void *exact_copy(const void *bytes, size_t length)
{
    void *const copy = malloc(length > 0 ? length : 1);

    assert_non_null(copy);
    memcpy(copy, bytes, length);
    return copy;
}

static enum fat_wire_fault decode(
        const void *bytes, size_t length, struct fat_wire_message *ret)
{
    void *const copy = exact_copy(bytes, length);
    const enum fat_wire_fault fault = fat_wire_decode(copy, length, ret);

    ret->text = NULL;
    free(copy);
    return fault;
}

static bool is_same(const struct fat_wire_message *a, const struct fat_wire_message *b)
{
    return a->kind == b->kind && a->min_version == b->min_version &&
           a->version == b->version && a->flags == b->flags && a->error == b->error &&
           a->open_flags == b->open_flags && a->create_mode == b->create_mode &&
           a->block_bytes == b->block_bytes && a->format == b->format &&
           !a->text == !b->text && (!a->text || strcmp(a->text, b->text) == 0);
}

static void every_kind_has_a_golden_message(void **state)
{
    bool seen[FAT_WIRE_KINDS] = {false};

    (void)state;
    for (size_t i = 0; i < COUNT(golden_cases); i++) {
        seen[golden_cases[i].message.kind] = true;
    }
    for (size_t i = 0; i < FAT_WIRE_KINDS; i++) {
        assert_true(seen[i]);
    }
}

static void golden_bytes_are_read_field_by_field(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(golden_cases); i++) {
        const struct golden_case *c = &golden_cases[i];
        char *const copy = exact_copy(c->bytes, c->length);
        struct fat_wire_message message;

        memset(&message, 0xa5, sizeof(message));
        if (fat_wire_decode(copy, c->length, &message) != FAT_WIRE_SOUND ||
                !is_same(&message, &c->message)) {
            fail_msg("%s: read otherwise", c->name);
        }
        if (message.text && (message.text < copy || message.text >= copy + c->length)) {
            fail_msg("%s: the text isn't in the packet", c->name);
        }
        free(copy);
    }
}

static void messages_are_written_as_golden_bytes(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(golden_cases); i++) {
        const struct golden_case *c = &golden_cases[i];
        char *const packet = exact_copy(c->bytes, c->length);

        memset(packet, 0xa5, c->length);
        if (fat_wire_encode(&c->message, packet, c->length) != c->length ||
                memcmp(packet, c->bytes, c->length) != 0) {
            fail_msg("%s: written otherwise", c->name);
        }
        free(packet);
    }
}

static void must_not_fit(const struct golden_case *c, size_t size)
{
    char *const packet = exact_copy(c->bytes, size);

    if (fat_wire_encode(&c->message, packet, size) != 0 ||
            memcmp(packet, c->bytes, size) != 0) {
        fail_msg("%s: went into %zu bytes", c->name, size);
    }
    free(packet);
}

static void one_byte_too_few_is_not_written_to(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(golden_cases); i++) {
        for (size_t size = 0; size < golden_cases[i].length; size++) {
            must_not_fit(&golden_cases[i], size);
        }
    }
}

static void a_missing_or_empty_text_is_not_written(void **state)
{
    char packet[64];

    (void)state;
    for (size_t i = 0; i < COUNT(golden_cases); i++) {
        struct fat_wire_message message = golden_cases[i].message;

        if (message.text) {
            message.text = NULL;
            assert_int_equal(fat_wire_encode(&message, packet, sizeof(packet)), 0);
            message.text = "";
            assert_int_equal(fat_wire_encode(&message, packet, sizeof(packet)), 0);
        }
    }
}

static void what_is_no_kind_is_not_written(void **state)
{
    const struct fat_wire_message message = {.kind = no_kind, .text = "x"};
    char packet[64];

    (void)state;
    assert_int_equal(fat_wire_encode(&message, packet, sizeof(packet)), 0);
    assert_string_equal(fat_wire_name(no_kind), "?");
}

/* OPTS and a text so that the packet has @length bytes. */
static char *large_packet(size_t length)
{
    char *const packet = malloc(length);

    assert_non_null(packet);
    memset(packet, 'o', length);
    memcpy(packet, "OPTS", 4);
    packet[length - 1] = '\0';
    return packet;
}

static void the_largest_message_has_65536_bytes(void **state)
{
    char *const fits = large_packet(FAT_WIRE_LARGEST);
    char *const too_large = large_packet(FAT_WIRE_LARGEST + 1);
    char *const room = malloc(FAT_WIRE_LARGEST + 64);
    struct fat_wire_message message = {.kind = FAT_WIRE_REPLY};

    (void)state;
    assert_non_null(room);
    assert_int_equal(fat_wire_decode(too_large, FAT_WIRE_LARGEST + 1, &message),
            FAT_WIRE_UNKNOWN);
    assert_int_equal(message.kind, FAT_WIRE_REPLY);
    assert_int_equal(fat_wire_decode(fits, FAT_WIRE_LARGEST, &message), FAT_WIRE_SOUND);
    assert_int_equal(strlen(message.text), FAT_WIRE_LARGEST - 5);
    assert_int_equal(
            fat_wire_encode(&message, room, FAT_WIRE_LARGEST + 64), FAT_WIRE_LARGEST);
    assert_memory_equal(room, fits, FAT_WIRE_LARGEST);
    message.text = too_large + 4;
    assert_int_equal(fat_wire_encode(&message, room, FAT_WIRE_LARGEST + 64), 0);
    free(room);
    free(too_large);
    free(fits);
}

struct fault_case {
    const char *name;
    const char *bytes;
    size_t length;
    enum fat_wire_fault fault;
};

static const struct fault_case unknown_cases[] = {
        {"nothing", BYTES(""), FAT_WIRE_UNKNOWN},
        {"three letters", BYTES("SAF"), FAT_WIRE_UNKNOWN},
        {"small letters", BYTES("saft\0\1\0\1\0\0\0\0"), FAT_WIRE_UNKNOWN},
        {"letters that there aren't", BYTES("UMNT\0\0\0\0"), FAT_WIRE_UNKNOWN},
        {"NULs", BYTES("\0\0\0\0\0\0\0\0"), FAT_WIRE_UNKNOWN},
};

static void what_is_of_no_kind_leaves_the_message_alone(void **state)
{
    const struct fat_wire_message untouched = {
            .kind = no_kind, .flags = 1, .text = "x"};

    (void)state;
    for (size_t i = 0; i < COUNT(unknown_cases); i++) {
        const struct fault_case *c = &unknown_cases[i];
        struct fat_wire_message message = untouched;
        void *const copy = exact_copy(c->bytes, c->length);

        if (fat_wire_decode(copy, c->length, &message) != c->fault ||
                !is_same(&message, &untouched)) {
            fail_msg("%s: was read", c->name);
        }
        free(copy);
    }
}

#define OPEN_HEAD "OPEN\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
#define BDEV_HEAD "BDEV\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"

static const struct fault_case fault_cases[] = {
        {"SAFT of 8", BYTES("SAFT\0\1\0\1"), FAT_WIRE_LENGTH},
        {"SAFT of 13", BYTES("SAFT\0\1\0\1\0\0\0\0\0"), FAT_WIRE_LENGTH},
        {"LAST of 9", BYTES("LAST\0\1\0\0\0"), FAT_WIRE_LENGTH},
        {"LAST of 6", BYTES("LAST\0\1"), FAT_WIRE_LENGTH},
        {"LAST, first padding", BYTES("LAST\0\1\1\0"), FAT_WIRE_PADDING},
        {"LAST, last padding", BYTES("LAST\0\1\0\1"), FAT_WIRE_PADDING},
        {"TYPE of 9", BYTES("TYPE\0\0\0\0\0"), FAT_WIRE_LENGTH},
        {"DOIT of 9", BYTES("DOIT\0\0\0\0\0"), FAT_WIRE_LENGTH},
        {"BYEE of 9", BYTES("BYEE\0\0\0\0\0"), FAT_WIRE_LENGTH},
        {"REPL of 9", BYTES("REPL\0\0\0\0\0"), FAT_WIRE_LENGTH},
        {"FILE without any text", BYTES("FILE\0\0\0\0"), FAT_WIRE_LENGTH},
        {"FILE, empty", BYTES("FILE\0\0\0\0\0"), FAT_WIRE_NO_TEXT},
        {"FILE, no NUL", BYTES("FILE\0\0\0\0argv"), FAT_WIRE_NO_END},
        {"FILE, two NULs", BYTES("FILE\0\0\0\0argv\0\0"), FAT_WIRE_TWO_ENDS},
        {"OPEN without any text", BYTES(OPEN_HEAD), FAT_WIRE_LENGTH},
        {"OPEN, empty", BYTES(OPEN_HEAD "\0"), FAT_WIRE_NO_TEXT},
        {"OPEN, no NUL", BYTES(OPEN_HEAD "/x"), FAT_WIRE_NO_END},
        {"OPEN, a NUL inside", BYTES(OPEN_HEAD "/x\0/y\0"), FAT_WIRE_TWO_ENDS},
        {"BDEV without any text", BYTES(BDEV_HEAD), FAT_WIRE_LENGTH},
        {"BDEV, empty", BYTES(BDEV_HEAD "\0"), FAT_WIRE_NO_TEXT},
        {"BDEV, no NUL", BYTES(BDEV_HEAD "/x"), FAT_WIRE_NO_END},
        {"BDEV, a NUL first", BYTES(BDEV_HEAD "\0x\0"), FAT_WIRE_TWO_ENDS},
        {"NAME without any text", BYTES("NAME"), FAT_WIRE_LENGTH},
        {"NAME, empty", BYTES("NAME\0"), FAT_WIRE_NO_TEXT},
        {"NAME, no NUL", BYTES("NAMEa"), FAT_WIRE_NO_END},
        {"NAME, a NUL inside", BYTES("NAMEa\0b\0"), FAT_WIRE_TWO_ENDS},
        {"MNTP without any text", BYTES("MNTP\x40\0\0\0"), FAT_WIRE_LENGTH},
        {"MNTP, empty", BYTES("MNTP\x40\0\0\0\0"), FAT_WIRE_NO_TEXT},
        {"MNTP, no NUL", BYTES("MNTP\x40\0\0\0/m"), FAT_WIRE_NO_END},
        {"MNTP, two NULs", BYTES("MNTP\x40\0\0\0/m\0\0"), FAT_WIRE_TWO_ENDS},
        {"MNTP, first padding", BYTES("MNTP\x40\0\1\0/m\0"), FAT_WIRE_PADDING},
        {"MNTP, last padding", BYTES("MNTP\x40\0\0\1/m\0"), FAT_WIRE_PADDING},
        {"OPTS without any text", BYTES("OPTS"), FAT_WIRE_LENGTH},
        {"OPTS, empty", BYTES("OPTS\0"), FAT_WIRE_NO_TEXT},
        {"OPTS, no NUL", BYTES("OPTSro"), FAT_WIRE_NO_END},
        {"OPTS, two NULs", BYTES("OPTSro\0\0"), FAT_WIRE_TWO_ENDS},
        {"MTAB without any text", BYTES("MTAB"), FAT_WIRE_LENGTH},
        {"MTAB, empty", BYTES("MTAB\0"), FAT_WIRE_NO_TEXT},
        {"MTAB, no NUL", BYTES("MTABx-a"), FAT_WIRE_NO_END},
        {"MTAB, two NULs", BYTES("MTABx-a\0\0"), FAT_WIRE_TWO_ENDS},
};

static void each_fault_of_each_kind_is_named(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(fault_cases); i++) {
        const struct fault_case *c = &fault_cases[i];
        struct fat_wire_message message = {.kind = no_kind};
        const enum fat_wire_fault fault = decode(c->bytes, c->length, &message);

        if (fault != c->fault) {
            fail_msg("%s: it %s", c->name, fat_wire_fault_text(fault));
        }
        if (memcmp(fat_wire_name(message.kind), c->bytes, 4) != 0) {
            fail_msg("%s: taken for %s", c->name, fat_wire_name(message.kind));
        }
    }
}

static void of_a_faulty_message_only_the_kind_is_set(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(fault_cases); i++) {
        const struct fault_case *c = &fault_cases[i];
        struct fat_wire_message message = {.min_version = 1, .version = 2, .flags = 3};
        struct fat_wire_message before;

        message.error = message.open_flags = message.create_mode = 4;
        message.block_bytes = message.format = 5;
        before = message;
        (void)decode(c->bytes, c->length, &message);
        before.kind = message.kind;
        if (!is_same(&message, &before)) {
            fail_msg("%s: more than its kind was set", c->name);
        }
    }
}

static void must_not_be_sound(const struct golden_case *c, size_t length)
{
    struct fat_wire_message message;

    if (decode(c->bytes, length, &message) == FAT_WIRE_SOUND) {
        fail_msg("%s: sound with %zu bytes", c->name, length);
    }
}

static void no_message_survives_being_cut(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(golden_cases); i++) {
        for (size_t length = 0; length < golden_cases[i].length; length++) {
            must_not_be_sound(&golden_cases[i], length);
        }
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

/* A golden message with a few bytes changed and another end. */
static size_t make_damaged(uint32_t *seed, unsigned char *packet, size_t size)
{
    const struct golden_case *c =
            &golden_cases[next_random(seed) % COUNT(golden_cases)];
    size_t length = c->length;

    for (size_t i = 0; i < size; i++) {
        packet[i] = (unsigned char)next_random(seed);
    }
    memcpy(packet, c->bytes, length);
    for (unsigned i = next_random(seed) % 4; i > 0; i--) {
        packet[next_random(seed) % length] = (unsigned char)next_random(seed);
    }
    if (next_random(seed) % 4 == 0) {
        length = next_random(seed) % (size + 1);
    }
    return length;
}

static void what_is_sound_is_written_back_as_it_was(void **state)
{
    uint32_t seed = 1;
    unsigned sound = 0;

    (void)state;
    for (unsigned i = 0; i < 100000; i++) {
        unsigned char bytes[48];
        const size_t length = make_damaged(&seed, bytes, sizeof(bytes));
        unsigned char *const copy = exact_copy(bytes, length);
        unsigned char again[sizeof(bytes)];
        struct fat_wire_message message;

        if (fat_wire_decode(copy, length, &message) == FAT_WIRE_SOUND) {
            sound++;
            assert_int_equal(fat_wire_encode(&message, again, sizeof(again)), length);
            assert_memory_equal(again, copy, length);
        }
        free(copy);
    }
    assert_in_range(sound, 10000, 90000);
}

static void random_bytes_are_survived(void **state)
{
    uint32_t seed = 7;

    (void)state;
    for (unsigned i = 0; i < 20000; i++) {
        unsigned char bytes[32];
        struct fat_wire_message message;

        for (size_t j = 0; j < sizeof(bytes); j++) {
            bytes[j] = (unsigned char)next_random(&seed);
        }
        assert_int_equal(decode(bytes, next_random(&seed) % sizeof(bytes), &message),
                FAT_WIRE_UNKNOWN);
    }
}

static void each_fault_has_a_text_of_its_own(void **state)
{
    (void)state;
    for (int i = FAT_WIRE_SOUND; i <= FAT_WIRE_PADDING; i++) {
        for (int j = FAT_WIRE_SOUND; j < i; j++) {
            assert_string_not_equal(fat_wire_fault_text((enum fat_wire_fault)i),
                    fat_wire_fault_text((enum fat_wire_fault)j));
        }
    }
    assert_string_equal(
            fat_wire_fault_text(FAT_WIRE_NO_END), "has a text without its final NUL");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(every_kind_has_a_golden_message),
            cmocka_unit_test(golden_bytes_are_read_field_by_field),
            cmocka_unit_test(messages_are_written_as_golden_bytes),
            cmocka_unit_test(one_byte_too_few_is_not_written_to),
            cmocka_unit_test(a_missing_or_empty_text_is_not_written),
            cmocka_unit_test(what_is_no_kind_is_not_written),
            cmocka_unit_test(the_largest_message_has_65536_bytes),
            cmocka_unit_test(what_is_of_no_kind_leaves_the_message_alone),
            cmocka_unit_test(each_fault_of_each_kind_is_named),
            cmocka_unit_test(of_a_faulty_message_only_the_kind_is_set),
            cmocka_unit_test(no_message_survives_being_cut),
            cmocka_unit_test(what_is_sound_is_written_back_as_it_was),
            cmocka_unit_test(random_bytes_are_survived),
            cmocka_unit_test(each_fault_has_a_text_of_its_own),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
