/* SPDX-License-Identifier: MIT */
/*
 * Mutations that know what an input of image.h is made of: patches are added, dropped,
 * doubled and changed with values that mean something in a boot sector, a FAT entry or
 * a directory slot; chains are spliced, shared and looped. Now and then libFuzzer
 * changes the bytes in its own ways.
 */
#include <string.h>

#include "base/bytes.h"
#include "fuzz.h"
#include "image.h"
#include "ondisk/bpb.h"
#include "ondisk/dirent.h"
#include "ondisk/fsinfo.h"
#include "ondisk/lfn.h"

/* libFuzzer's names */
/* NOLINTBEGIN(readability-identifier-naming) */
size_t LLVMFuzzerMutate(uint8_t *bytes, size_t length, size_t size);
size_t LLVMFuzzerCustomMutator(
        uint8_t *bytes, size_t length, size_t size, unsigned seed);
/* NOLINTEND(readability-identifier-naming) */

enum { PATCHES_MAX = 256, CLUSTERS_TRIED = 48, SLOTS_TRIED = 96, NEW_BYTES_MAX = 64 };

struct input {
    uint8_t *bytes;
    size_t length, size;         /* in use, and room */
    size_t program;              /* where it begins  */
    size_t patches[PATCHES_MAX]; /* where each begins */
    unsigned patch_count;
    uint32_t random;
};

static uint32_t roll(struct input *in, uint32_t sides)
{
    in->random = in->random * UINT32_C(1664525) + UINT32_C(1013904223);
    return (uint32_t)((uint64_t)in->random * sides >> 32);
}

static void parse(struct input *in)
{
    const size_t body = in->length - FUZZ_HEAD_BYTES;
    size_t program = fat_get16(in->bytes, 2);
    size_t at = FUZZ_HEAD_BYTES;

    program = program < body ? program : body;
    in->program = in->length - program;
    in->patch_count = 0;
    while (in->bytes[0] != FUZZ_RAW && in->patch_count < PATCHES_MAX &&
            in->program - at >= FUZZ_PATCH_HEAD) {
        const size_t count = fat_get16(in->bytes, at + 5);
        const size_t left = in->program - at - FUZZ_PATCH_HEAD;

        in->patches[in->patch_count++] = at;
        at += FUZZ_PATCH_HEAD + (count < left ? count : left);
    }
}

static size_t patch_end(const struct input *in, unsigned which)
{
    return which + 1 < in->patch_count ? in->patches[which + 1] : in->program;
}

static bool insert(struct input *in, size_t at, const uint8_t *bytes, size_t count)
{
    if (count > in->size - in->length) {
        return false;
    }
    memmove(in->bytes + at + count, in->bytes + at, in->length - at);
    memcpy(in->bytes + at, bytes, count);
    in->length += count;
    return true;
}

static void drop(struct input *in, size_t at, size_t end)
{
    memmove(in->bytes + at, in->bytes + end, in->length - end);
    in->length -= end - at;
}

static uint32_t odd_number(struct input *in)
{
    static const uint32_t numbers[] = {0, 1, 2, 3, 4, 0x7f, 0x80, 0xff, 0x100, 0x1ff,
            0x200, 0xfff, 0x1000, 0x7fff, 0x8000, 0xffff, 0x10000, 0x7fffffff,
            0x80000000, 0xfffffffe, 0xffffffff};

    switch (roll(in, 3)) {
    case 0:
        return roll(in, 64);
    case 1:
        return in->random;
    default:
        return numbers[roll(in, sizeof(numbers) / sizeof(numbers[0]))];
    }
}

/* What a FAT entry may say. */
static uint32_t odd_link(struct input *in)
{
    static const uint32_t links[] = {0, 1, 0x0fffffff, 0xffffffff, 0x0ffffff8,
            0x0ffffff7, 0x0ffffff0, 0x0ffffff6, 0xff5, 0xffef, 0xf0000000, 0xf0000002};

    return roll(in, 3) ? 2 + roll(in, CLUSTERS_TRIED)
                       : links[roll(in, sizeof(links) / sizeof(links[0]))];
}

struct field {
    uint8_t offset, length;
};

static size_t make_number(struct input *in, const struct field *field, uint8_t *patch)
{
    uint8_t value[4];

    fat_put32(value, 0, odd_number(in));
    fat_put32(patch, 1, field->offset);
    memcpy(patch + FUZZ_PATCH_HEAD, value, field->length);
    return field->length;
}

static size_t make_boot(struct input *in, uint8_t *patch)
{
    static const struct field fields[] = {{BPB_BYTS_PER_SEC, 2}, {BPB_SEC_PER_CLUS, 1},
            {BPB_RSVD_SEC_CNT, 2}, {BPB_NUM_FATS, 1}, {BPB_ROOT_ENT_CNT, 2},
            {BPB_TOT_SEC16, 2}, {BPB_MEDIA, 1}, {BPB_FATSZ16, 2}, {BPB_TOT_SEC32, 4},
            {BS16_STATE, 1}, {BPB_FATSZ32, 4}, {BPB_EXT_FLAGS, 2}, {BPB_FS_VER, 2},
            {BPB_ROOT_CLUS, 4}, {BPB_FS_INFO, 2}, {BPB_BK_BOOT_SEC, 2},
            {BS32_STATE, 1}};

    return make_number(
            in, &fields[roll(in, sizeof(fields) / sizeof(fields[0]))], patch);
}

static size_t make_fsinfo(struct input *in, uint8_t *patch)
{
    static const uint16_t offsets[] = {
            FSI_LEAD_SIG, FSI_STRUC_SIG, FSI_FREE_COUNT, FSI_NXT_FREE, FSI_TRAIL_SIG};

    fat_put32(patch, 1, offsets[roll(in, 5)]);
    fat_put32(patch, FUZZ_PATCH_HEAD, odd_number(in));
    return 4;
}

static size_t make_link(struct input *in, uint8_t *patch)
{
    const uint32_t copy = roll(in, 4) ? 15 : roll(in, 3);

    fat_put32(patch, 1, roll(in, CLUSTERS_TRIED) | copy << 28);
    fat_put32(patch, FUZZ_PATCH_HEAD, odd_link(in));
    return 4;
}

static size_t make_slot_field(struct input *in, uint8_t *patch)
{
    static const struct field fields[] = {{DIR_NAME, 1}, {DIR_NAME, 2},
            {DIR_NAME + 8, 1}, {DIR_ATTR, 1}, {DIR_NTRES, 1}, {LDIR_CHKSUM, 1},
            {DIR_FST_CLUS_HI, 2}, {DIR_FILE_SIZE, 4}, {DIR_WRT_DATE, 2},
            {LDIR_NAME2, 2}, {LDIR_NAME3, 4}};
    static const uint8_t attributes[] = {
            0x00, 0x01, 0x08, 0x0f, 0x10, 0x18, 0x20, 0x3f};
    static const uint8_t firsts[] = {0x00, 0xe5, 0x05, 0x20, '.', 0x41, 0x42, 0x01};
    const struct field *field = &fields[roll(in, sizeof(fields) / sizeof(fields[0]))];
    const size_t length = make_number(in, field, patch);

    if (field->offset == DIR_ATTR && roll(in, 4)) {
        patch[FUZZ_PATCH_HEAD] = attributes[roll(in, sizeof(attributes))];
    } else if (field->offset == DIR_NAME && roll(in, 4)) {
        patch[FUZZ_PATCH_HEAD] = firsts[roll(in, sizeof(firsts))];
    }
    return length;
}

/* A whole short entry, of a file or a folder. */
static size_t make_slot(struct input *in, uint8_t *patch)
{
    uint8_t *slot = patch + FUZZ_PATCH_HEAD;
    const uint32_t slot_number = roll(in, SLOTS_TRIED) * FAT_SLOT_BYTES;
    size_t length = FAT_SLOT_BYTES;

    switch (roll(in, 3)) {
    case 0: /* its first cluster */
        fat_put32(patch, 1, slot_number + DIR_FST_CLUS_LO);
        fat_put16(slot, 0, (uint16_t)odd_link(in));
        return 2;
    case 1:
        memset(slot, 0, FAT_SLOT_BYTES);
        memcpy(slot, "F       TXT", FAT_SHORT_BYTES);
        slot[1] = (uint8_t)('A' + roll(in, 4));
        slot[DIR_ATTR] = roll(in, 2) ? FAT_ATTR_DIRECTORY : FAT_ATTR_ARCHIVE;
        fat_put16(slot, DIR_FST_CLUS_LO, (uint16_t)odd_link(in));
        fat_put32(slot, DIR_FILE_SIZE, slot[DIR_ATTR] & 16 ? 0 : odd_number(in));
        fat_put32(patch, 1, slot_number);
        return length;
    default:
        length = make_slot_field(in, patch);
        fat_put32(patch, 1, slot_number + fat_get32(patch, 1));
        return length;
    }
}

static void add_patch(struct input *in)
{
    uint8_t patch[FUZZ_PATCH_HEAD + NEW_BYTES_MAX];
    const size_t at = in->patch_count && roll(in, 2)
                              ? in->patches[roll(in, in->patch_count)]
                              : in->program;
    size_t count;

    switch (roll(in, 8)) {
    case 0:
        patch[0] = FUZZ_PATCH_BOOT;
        count = make_boot(in, patch);
        break;
    case 1:
        patch[0] = FUZZ_PATCH_FSINFO;
        count = make_fsinfo(in, patch);
        break;
    case 2:
    case 3:
    case 4:
        patch[0] = FUZZ_PATCH_LINK;
        count = make_link(in, patch);
        break;
    default:
        patch[0] = FUZZ_PATCH_SLOT;
        count = make_slot(in, patch);
        break;
    }
    fat_put16(patch, 5, (uint16_t)count);
    (void)insert(in, at, patch, FUZZ_PATCH_HEAD + count); /* no room: as it was */
}

static void double_patch(struct input *in)
{
    uint8_t patch[FUZZ_PATCH_HEAD + NEW_BYTES_MAX];
    const unsigned which = roll(in, in->patch_count);
    const size_t count = patch_end(in, which) - in->patches[which];

    if (count <= sizeof(patch)) {
        memcpy(patch, in->bytes + in->patches[which], count);
        fat_put32(patch, 1,
                fat_get32(patch, 1) +
                        (patch[0] == FUZZ_PATCH_SLOT ? FAT_SLOT_BYTES : 1));
        (void)insert(in, in->program, patch, count);
    }
}

static void change_patch(struct input *in)
{
    const unsigned which = roll(in, in->patch_count);
    uint8_t *patch = in->bytes + in->patches[which];
    const size_t count = patch_end(in, which) - in->patches[which] - FUZZ_PATCH_HEAD;

    switch (roll(in, 4)) {
    case 0:
        drop(in, in->patches[which], patch_end(in, which));
        break;
    case 1:
        fat_put32(patch, 1, fat_get32(patch, 1) + (roll(in, 2) ? 1 : UINT32_MAX));
        break;
    case 2:
        if (count >= 4) {
            fat_put32(patch, FUZZ_PATCH_HEAD, odd_link(in));
        }
        break;
    default:
        if (count > 0) {
            patch[FUZZ_PATCH_HEAD + roll(in, (uint32_t)count)] ^=
                    (uint8_t)(1 << roll(in, 8));
        }
        break;
    }
}

/* A few bytes into the program, which grows by them. */
static void add_step(struct input *in)
{
    uint8_t step[10];
    const size_t length = in->length - in->program;

    for (size_t i = 0; i < sizeof(step); i++) {
        step[i] = (uint8_t)(roll(in, 2) ? roll(in, 16) : roll(in, 256));
    }
    if (length + sizeof(step) <= UINT16_MAX &&
            insert(in, roll(in, 2) ? in->length : in->program, step, sizeof(step))) {
        fat_put16(in->bytes, 2, (uint16_t)(length + sizeof(step)));
    }
}

static void change_program(struct input *in)
{
    const size_t length = in->length - in->program;
    const size_t room = in->size - in->program;

    if (length == 0 || roll(in, 3) == 0) {
        add_step(in);
    } else {
        const size_t now = LLVMFuzzerMutate(
                in->bytes + in->program, length, room < UINT16_MAX ? room : UINT16_MAX);

        in->length = in->program + now;
        fat_put16(in->bytes, 2, (uint16_t)now);
    }
}

static void mutate(struct input *in)
{
    switch (roll(in, 12)) {
    case 0:
        in->bytes[0] = (uint8_t)roll(in, FUZZ_PRESETS);
        break;
    case 1:
        in->bytes[1] = (uint8_t)(roll(in, 3) ? 0 : roll(in, 16));
        break;
    case 2:
    case 3:
    case 4:
        add_patch(in);
        break;
    case 5:
    case 6:
    case 7:
        if (in->patch_count > 0) {
            (roll(in, 4) ? change_patch : double_patch)(in);
        } else {
            add_patch(in);
        }
        break;
    default:
        change_program(in);
        break;
    }
}

size_t LLVMFuzzerCustomMutator(
        uint8_t *bytes, size_t length, size_t size, unsigned seed)
{
    struct input in = {.bytes = bytes, .length = length, .size = size, .random = seed};

    if (size < FUZZ_HEAD_BYTES) {
        return LLVMFuzzerMutate(bytes, length, size);
    }
    if (length < FUZZ_HEAD_BYTES) {
        memset(bytes + length, 0, FUZZ_HEAD_BYTES - length);
        in.length = FUZZ_HEAD_BYTES;
    }
    (void)roll(&in, 2); /* a seed's neighbours begin alike */
    if (roll(&in, 6) == 0) {
        return LLVMFuzzerMutate(bytes, in.length, size);
    }
    for (uint32_t left = 1 + roll(&in, 3); left > 0; left--) {
        parse(&in);
        mutate(&in);
    }
    return in.length;
}
