/* SPDX-License-Identifier: MIT */
#include "service/wire.h"

#include <assert.h>
#include <stdbool.h>
#include <string.h>

#define MEMBER(member) offsetof(struct fat_wire_message, member)
#define HALF(member)   2, MEMBER(member)
#define WORD(member)   4, MEMBER(member)

enum { IDENTIFIER_BYTES = 4, MOST_FIELDS = 4 };

/* A number of a message. Fields follow each other without gaps. */
struct field {
    uint8_t bytes;  /* on the wire: 2 or 4, 0 behind the last one    */
    uint8_t member; /* where it is in struct fat_wire_message        */
};

struct kind {
    char name[IDENTIFIER_BYTES + 1];
    struct field fields[MOST_FIELDS];
    uint8_t padding; /* zeros behind the fields              [bytes] */
    bool has_text;   /* behind the padding, up to the packet's end   */
};

static const struct kind kinds[FAT_WIRE_KINDS] = {
        [FAT_WIRE_HELLO] = {"SAFT",
                {{HALF(min_version)}, {HALF(version)}, {WORD(flags)}}, 0, false},
        [FAT_WIRE_HELLO_REPLY] = {"LAST", {{HALF(version)}}, 2, false},
        [FAT_WIRE_FILE] = {"FILE", {{WORD(error)}}, 0, true},
        [FAT_WIRE_OPEN] = {"OPEN",
                {{WORD(open_flags)}, {WORD(create_mode)}, {WORD(flags)},
                        {WORD(block_bytes)}},
                0, true},
        [FAT_WIRE_OPEN_DEVICE] = {"BDEV",
                {{WORD(open_flags)}, {WORD(create_mode)}, {WORD(flags)},
                        {WORD(block_bytes)}},
                0, true},
        [FAT_WIRE_TYPE] = {"TYPE", {{WORD(flags)}}, 0, false},
        [FAT_WIRE_SOURCE] = {"NAME", {{0}}, 0, true},
        [FAT_WIRE_MOUNTPOINT] = {"MNTP", {{HALF(format)}}, 2, true},
        [FAT_WIRE_OPTIONS] = {"OPTS", {{0}}, 0, true},
        [FAT_WIRE_TABLE_OPTIONS] = {"MTAB", {{0}}, 0, true},
        [FAT_WIRE_MOUNT] = {"DOIT", {{WORD(flags)}}, 0, false},
        [FAT_WIRE_GOODBYE] = {"BYEE", {{WORD(error)}}, 0, false},
        [FAT_WIRE_REPLY] = {"REPL", {{WORD(error)}}, 0, false},
};

static const char *const fault_texts[] = {
        [FAT_WIRE_SOUND] = "is sound",
        [FAT_WIRE_UNKNOWN] = "is of no known kind",
        [FAT_WIRE_LENGTH] = "has the wrong length",
        [FAT_WIRE_NO_TEXT] = "has an empty text",
        [FAT_WIRE_NO_END] = "has a text without its final NUL",
        [FAT_WIRE_TWO_ENDS] = "has a text with a NUL inside",
        [FAT_WIRE_PADDING] = "has padding that isn't zero",
};

static_assert(sizeof(struct fat_wire_message) <= UINT8_MAX, "offsets are 8 bits");

static const struct field *fields_end(const struct kind *kind)
{
    const struct field *field = kind->fields;

    while (field < kind->fields + MOST_FIELDS && field->bytes > 0) {
        field++;
    }
    return field;
}

/* Of everything but the text. */
static size_t fixed_bytes(const struct kind *kind)
{
    size_t length = IDENTIFIER_BYTES + (size_t)kind->padding;

    for (const struct field *f = kind->fields; f < fields_end(kind); f++) {
        length += f->bytes;
    }
    return length;
}

static void get_number(struct fat_wire_message *message, const struct field *field,
        const unsigned char *from)
{
    unsigned char *const member = (unsigned char *)message + field->member;

    if (field->bytes == 2) {
        const uint16_t half = (uint16_t)(from[0] << 8 | from[1]);

        memcpy(member, &half, sizeof(half));
    } else {
        const uint32_t word = (uint32_t)from[0] << 24 | (uint32_t)from[1] << 16 |
                              (uint32_t)from[2] << 8 | (uint32_t)from[3];

        memcpy(member, &word, sizeof(word));
    }
}

static void put_number(const struct fat_wire_message *message,
        const struct field *field, unsigned char *to)
{
    const unsigned char *const member = (const unsigned char *)message + field->member;
    uint32_t number;

    if (field->bytes == 2) {
        uint16_t half;

        memcpy(&half, member, sizeof(half));
        number = half;
    } else {
        memcpy(&number, member, sizeof(number));
    }
    for (unsigned i = field->bytes; i-- > 0; number >>= 8) {
        to[i] = (unsigned char)number;
    }
}

static const struct kind *find_kind(const unsigned char *identifier)
{
    for (unsigned i = 0; i < FAT_WIRE_KINDS; i++) {
        if (memcmp(identifier, kinds[i].name, IDENTIFIER_BYTES) == 0) {
            return &kinds[i];
        }
    }
    return NULL;
}

static bool has_zero_padding(const struct kind *kind, const unsigned char *packet)
{
    const size_t end = fixed_bytes(kind);

    for (size_t i = end - kind->padding; i < end; i++) {
        if (packet[i] != 0) {
            return false;
        }
    }
    return true;
}

static enum fat_wire_fault judge_text(const unsigned char *text, size_t length)
{
    if (text[length - 1] != '\0') {
        return FAT_WIRE_NO_END;
    }
    if (length == 1) {
        return FAT_WIRE_NO_TEXT;
    }
    return memchr(text, '\0', length - 1) ? FAT_WIRE_TWO_ENDS : FAT_WIRE_SOUND;
}

static enum fat_wire_fault judge(
        const struct kind *kind, const unsigned char *packet, size_t length)
{
    const size_t fixed = fixed_bytes(kind);

    /* even an empty text has its NUL */
    if (kind->has_text ? length <= fixed : length != fixed) {
        return FAT_WIRE_LENGTH;
    }
    if (!has_zero_padding(kind, packet)) {
        return FAT_WIRE_PADDING;
    }
    return kind->has_text ? judge_text(packet + fixed, length - fixed) : FAT_WIRE_SOUND;
}

enum fat_wire_fault fat_wire_decode(
        const void *packet, size_t length, struct fat_wire_message *ret)
{
    const unsigned char *const bytes = packet;
    const unsigned char *at = bytes + IDENTIFIER_BYTES;
    const struct kind *kind = NULL;
    enum fat_wire_fault fault;

    if (length >= IDENTIFIER_BYTES && length <= FAT_WIRE_LARGEST) {
        kind = find_kind(bytes);
    }
    if (!kind) {
        return FAT_WIRE_UNKNOWN;
    }
    ret->kind = (enum fat_wire_kind)(kind - kinds);
    fault = judge(kind, bytes, length);
    if (fault != FAT_WIRE_SOUND) {
        return fault;
    }
    *ret = (struct fat_wire_message){.kind = ret->kind};
    for (const struct field *f = kind->fields; f < fields_end(kind); f++) {
        get_number(ret, f, at);
        at += f->bytes;
    }
    if (kind->has_text) {
        ret->text = (const char *)at + kind->padding;
    }
    return FAT_WIRE_SOUND;
}

size_t fat_wire_encode(
        const struct fat_wire_message *message, void *packet, size_t size)
{
    unsigned char *at = packet;
    const struct kind *kind;
    size_t text_bytes = 0;
    size_t length;

    if ((unsigned)message->kind >= FAT_WIRE_KINDS) {
        return 0;
    }
    kind = &kinds[message->kind];
    if (kind->has_text) {
        if (!message->text || !*message->text) {
            return 0;
        }
        text_bytes = strnlen(message->text, FAT_WIRE_LARGEST) + 1;
    }
    length = fixed_bytes(kind) + text_bytes;
    if (length > size || length > FAT_WIRE_LARGEST) {
        return 0;
    }
    memcpy(at, kind->name, IDENTIFIER_BYTES);
    at += IDENTIFIER_BYTES;
    for (const struct field *f = kind->fields; f < fields_end(kind); f++) {
        put_number(message, f, at);
        at += f->bytes;
    }
    memset(at, 0, kind->padding);
    if (kind->has_text) {
        memcpy(at + kind->padding, message->text, text_bytes);
    }
    return length;
}

const char *fat_wire_name(enum fat_wire_kind kind)
{
    return (unsigned)kind < FAT_WIRE_KINDS ? kinds[kind].name : "?";
}

const char *fat_wire_fault_text(enum fat_wire_fault fault)
{
    const unsigned count = sizeof(fault_texts) / sizeof(*fault_texts);

    return (unsigned)fault < count ? fault_texts[fault] : "?";
}
