/* SPDX-License-Identifier: MIT */
/*
 * Names of a directory: as text for findings, and sorted to find two of one name.
 * Sorted, not hashed into buckets: names chosen to have one hash cost no more.
 */
#include <string.h>

#include "base/casefold.h"
#include "base/utf16.h"
#include "ondisk/shortname.h"
#include "volume/check_state.h"

enum { NAME_UNITS = FAT_LFN_SLOTS_MAX * FAT_LFN_UNITS };

static size_t long_units(
        const struct fat_check *c, uint32_t slot, uint32_t long_slots, uint16_t *units)
{
    struct fat_lfn lfn;
    size_t length = 0;
    unsigned slots = 0;

    fat_lfn_reset(&lfn);
    for (uint32_t i = slot - long_slots; i < slot; i++) {
        fat_lfn_push(&lfn, fat_check_slot(c, i));
    }
    (void)fat_lfn_finish(&lfn, fat_check_slot(c, slot), &length, &slots);
    memcpy(units, lfn.units, length * sizeof(*units));
    return length;
}

size_t fat_check_name_units(const struct fat_check *c, uint32_t slot,
        uint32_t long_slots, uint16_t units[FAT_LFN_SLOTS_MAX * FAT_LFN_UNITS])
{
    const uint8_t *raw = fat_check_slot(c, slot);

    if (long_slots != 0) {
        return long_units(c, slot, long_slots, units);
    }
    return fat_short_units(raw, raw[DIR_NTRES], units);
}

static bool is_unprintable(uint16_t unit)
{
    return unit < 0x20 || (unit >= 0x7f && unit < 0xa0) || unit == '/';
}

static bool is_surrogate(uint16_t unit)
{
    return (unit & 0xf800) == 0xd800;
}

void fat_check_name_text(const struct fat_check *c, uint32_t slot, uint32_t long_slots,
        char text[FAT_NAME_BYTES_MAX + 1])
{
    uint16_t units[NAME_UNITS];
    size_t length = fat_check_name_units(c, slot, long_slots, units);
    size_t written = 0;

    if (length > FAT_NAME_UNITS_MAX) {
        length = FAT_NAME_UNITS_MAX;
    }
    if (length == 0) {
        units[length++] = '?';
    }
    for (size_t i = 0; i < length; i++) {
        units[i] = is_unprintable(units[i]) ? '?' : units[i];
    }
    if (fat_utf16_to_utf8(units, length, text, FAT_NAME_BYTES_MAX + 1, &written) ==
            FAT_OK) {
        return;
    }
    for (size_t i = 0; i < length; i++) {
        units[i] = is_surrogate(units[i]) ? '?' : units[i];
    }
    if (fat_utf16_to_utf8(units, length, text, FAT_NAME_BYTES_MAX + 1, &written) !=
            FAT_OK) {
        text[0] = '\0';
    }
}

/* Trailing spaces removed. */
static size_t put_field(uint16_t *units, const uint8_t *bytes, size_t length)
{
    while (length > 0 && bytes[length - 1] == ' ') {
        length--;
    }
    for (size_t i = 0; i < length; i++) {
        /*
         * The code page that wrote the name is not known, so two bytes above 0x7F
         * are one letter only if they are one byte: a place of their own each.
         */
        units[i] = bytes[i] < 0x80 ? bytes[i] : (uint16_t)(0xf000 | bytes[i]);
    }
    return length;
}

static size_t short_units(const uint8_t *raw, uint16_t *units)
{
    size_t length = put_field(units, raw, 8);
    size_t extension;

    units[length] = '.';
    extension = put_field(units + length + 1, raw + 8, 3);
    return extension == 0 ? length : length + 1 + extension;
}

static size_t key_units(
        const struct fat_check *c, const struct fat_check_name *name, uint16_t *units)
{
    return name->is_long ? long_units(c, name->slot, name->long_slots, units)
                         : short_units(fat_check_slot(c, name->slot), units);
}

static int compare_units(const struct fat_check *c, const struct fat_check_name *a,
        const struct fat_check_name *b)
{
    uint16_t left[NAME_UNITS], right[NAME_UNITS];
    const size_t left_length = key_units(c, a, left);
    const size_t right_length = key_units(c, b, right);

    if (left_length != right_length) {
        return left_length < right_length ? -1 : 1;
    }
    for (size_t i = 0; i < left_length; i++) {
        const uint16_t x = fat_upcase(left[i]);
        const uint16_t y = fat_upcase(right[i]);

        if (x != y) {
            return x < y ? -1 : 1;
        }
    }
    return 0;
}

typedef int compare_fn(const struct fat_check *c, const struct fat_check_name *a,
        const struct fat_check_name *b);

static int by_slot(const struct fat_check *c, const struct fat_check_name *a,
        const struct fat_check_name *b)
{
    (void)c;
    return a->slot < b->slot ? -1 : a->slot > b->slot;
}

static int by_name(const struct fat_check *c, const struct fat_check_name *a,
        const struct fat_check_name *b)
{
    int order = a->hash < b->hash ? -1 : a->hash > b->hash;

    if (order == 0) {
        order = compare_units(c, a, b);
    }
    return order != 0 ? order : by_slot(c, a, b);
}

static void sift_down(
        struct fat_check *c, compare_fn *compare, size_t root, size_t count)
{
    struct fat_check_name *names = c->names;

    for (size_t child = 2 * root + 1; child < count; child = 2 * root + 1) {
        const struct fat_check_name moved = names[root];

        if (child + 1 < count && compare(c, &names[child], &names[child + 1]) < 0) {
            child++;
        }
        if (compare(c, &moved, &names[child]) >= 0) {
            return;
        }
        names[root] = names[child];
        names[child] = moved;
        root = child;
    }
}

/* Heapsort: no memory, and no order of names that makes it slow. */
static void sort(struct fat_check *c, compare_fn *compare, size_t count)
{
    for (size_t i = count / 2; i > 0; i--) {
        sift_down(c, compare, i - 1, count);
    }
    for (size_t end = count; end > 1; end--) {
        const struct fat_check_name last = c->names[end - 1];

        c->names[end - 1] = c->names[0];
        c->names[0] = last;
        sift_down(c, compare, 0, end - 1);
    }
}

static fat_err add_key(
        struct fat_check *c, const struct fat_check_entry *entry, bool is_long)
{
    struct fat_check_name name = {
            .slot = entry->slot, .long_slots = entry->long_slots, .is_long = is_long};
    uint16_t units[NAME_UNITS];
    const size_t length = key_units(c, &name, units);
    void *names = c->names;
    const fat_err err = fat_check_reserve(
            &names, &c->name_capacity, c->name_count + 1, sizeof(*c->names));

    c->names = names;
    if (err == FAT_OK) {
        name.hash = fat_casefold_hash(units, length);
        c->names[c->name_count++] = name;
    }
    return err;
}

fat_err fat_check_name_add(struct fat_check *c, const struct fat_check_entry *entry)
{
    const fat_err err = add_key(c, entry, false);

    return err == FAT_OK && entry->long_slots != 0 ? add_key(c, entry, true) : err;
}

/* Moves the names that were there before to the front; returns how many. */
static size_t collect_twins(struct fat_check *c)
{
    size_t twins = 0;
    struct fat_check_name first = c->names[0];

    for (size_t i = 1; i < c->name_count; i++) {
        struct fat_check_name name = c->names[i];

        if (name.hash != first.hash || compare_units(c, &first, &name) != 0) {
            first = name;
        } else if (name.slot != first.slot) {
            name.twin = first.slot;
            c->names[twins++] = name;
        }
    }
    return twins;
}

static void say_twin(struct fat_check *c, const struct fat_check_name *name)
{
    const struct fat_check_entry entry = {
            .slot = name->slot, .long_slots = name->long_slots};

    c->entry = &entry;
    fat_check_say(c,
            &(struct fat_finding){.kind = FAT_FINDING_DUPLICATE_NAME,
                    .first = name->twin,
                    .second = name->slot},
            "its %s name is taken already by the entry in slot %u",
            name->is_long ? "long" : "8.3", (unsigned)name->twin);
    c->entry = NULL;
}

void fat_check_name_twins(struct fat_check *c)
{
    size_t twins;

    if (c->name_count == 0) {
        return;
    }
    sort(c, by_name, c->name_count);
    twins = collect_twins(c);
    sort(c, by_slot, twins);
    for (size_t i = 0; i < twins; i++) {
        if (i == 0 || c->names[i].slot != c->names[i - 1].slot) {
            say_twin(c, &c->names[i]);
        }
    }
    c->name_count = 0;
}

char *fat_check_name_copy(const char *text)
{
    return strdup(text);
}
