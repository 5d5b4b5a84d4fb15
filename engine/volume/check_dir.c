/* SPDX-License-Identifier: MIT */
/*
 * The slots of one directory in the order they are on disk: which entries there
 * are, which long-name slots belong to them, and what lies behind the end mark.
 */
#include <string.h>

#include "volume/check_state.h"

static bool is_zero_slot(const uint8_t *raw)
{
    static const uint8_t zero[FAT_SLOT_BYTES];

    return memcmp(raw, zero, sizeof(zero)) == 0;
}

/*
 * Linux reads on behind the end mark, so a slot there that looks like an entry is
 * a file on one system and none on the others. Anything else there hurts nobody.
 */
static void check_after_end(struct fat_check *c, uint32_t end)
{
    struct fat_finding seed = {.kind = FAT_FINDING_AFTER_END};
    uint32_t live = 0;

    for (uint32_t slot = end + 1; slot < c->slot_count; slot++) {
        const uint8_t *raw = fat_check_slot(c, slot);

        if (is_zero_slot(raw)) {
            continue;
        }
        if (seed.first == 0) {
            seed.first = slot;
            seed.offset = fat_check_slot_offset(c, slot);
        }
        live += fat_slot_classify(raw) == FAT_SLOT_SHORT;
    }
    if (seed.first == 0) {
        return;
    }
    seed.second = live;
    if (live != 0) {
        fat_check_say(c, &seed, "%u entries behind the end mark in slot %u",
                (unsigned)live, (unsigned)end);
    } else {
        fat_check_say_as(c, FAT_WEIGHT_NOTE, &seed,
                "slot %u, behind the end mark in slot %u, is not zero",
                (unsigned)seed.first, (unsigned)end);
    }
}

/* "." and ".." where they belong were judged by fat_check_dots(). */
static bool is_dots(
        struct fat_check *c, uint32_t index, const struct fat_check_entry *e)
{
    const bool dot = fat_short_is_dot(e->dirent.name);
    const bool dotdot = fat_short_is_dotdot(e->dirent.name);
    const bool in_place = (dot && e->slot == 0) || (dotdot && e->slot == 1);

    if (!dot && !dotdot) {
        return false;
    }
    if (index == 0 || !in_place) {
        fat_check_say(c,
                &(struct fat_finding){.kind = FAT_FINDING_DIR_DOT, .first = e->slot},
                "an entry named \"%s\" in slot %u", dot ? "." : "..",
                (unsigned)e->slot);
    }
    return true;
}

static fat_err check_directory(
        struct fat_check *c, uint32_t index, const struct fat_dirent *dirent)
{
    uint32_t length;

    c->sum.directories++;
    if (dirent->size_bytes != 0) {
        fat_check_say(c,
                &(struct fat_finding){.kind = FAT_FINDING_DIR_SIZE,
                        .cluster = dirent->first_cluster,
                        .first = dirent->size_bytes},
                "a directory with size %u, it should be 0",
                (unsigned)dirent->size_bytes);
    }
    length = fat_check_claim(c, dirent->first_cluster, true, 0);
    return length == 0 ? FAT_OK
                       : fat_check_push_dir(c, index, dirent->first_cluster, length);
}

static fat_err check_short(struct fat_check *c, uint32_t index, uint32_t slot)
{
    struct fat_check_entry entry = {.slot = slot};
    fat_err err;

    fat_dirent_decode(c->g.type, fat_check_slot(c, slot), &entry.dirent);
    c->entry = &entry;
    fat_check_long_name(c, &entry);
    if (is_dots(c, index, &entry)) {
        c->entry = NULL;
        return FAT_OK;
    }
    fat_check_entry_fields(c, &entry);
    err = fat_check_name_add(c, &entry);
    if (err == FAT_OK && entry.dirent.attributes & FAT_ATTR_DIRECTORY) {
        err = check_directory(c, index, &entry.dirent);
    } else if (err == FAT_OK) {
        c->sum.files++;
        (void)fat_check_claim(
                c, entry.dirent.first_cluster, false, entry.dirent.size_bytes);
    }
    c->entry = NULL;
    return err;
}

static void check_label(struct fat_check *c, uint32_t slot)
{
    struct fat_check_entry entry = {.slot = slot};

    fat_dirent_decode(c->g.type, fat_check_slot(c, slot), &entry.dirent);
    c->entry = &entry;
    fat_check_label_entry(c, &entry);
    c->entry = NULL;
}

/* Long-name slots in front of @slot, which is no short entry, belong to nothing. */
static void end_long_run(struct fat_check *c, uint32_t slot)
{
    if (c->long_run != 0) {
        fat_check_long_orphan(c, slot, c->long_run);
        c->long_run = 0;
        fat_lfn_reset(&c->lfn);
    }
}

static fat_err check_slot(struct fat_check *c, uint32_t index, uint32_t slot)
{
    const uint8_t *raw = fat_check_slot(c, slot);
    const enum fat_slot_kind kind = fat_slot_classify(raw);

    if (kind == FAT_SLOT_LONG) {
        fat_lfn_push(&c->lfn, raw);
        c->long_run++;
        return FAT_OK;
    }
    if (kind == FAT_SLOT_SHORT) {
        return check_short(c, index, slot);
    }
    end_long_run(c, slot);
    if (kind == FAT_SLOT_LABEL) {
        check_label(c, slot);
    } else if (kind == FAT_SLOT_END) {
        check_after_end(c, slot);
        return FAT_END;
    }
    return FAT_OK;
}

fat_err fat_check_slots(struct fat_check *c, uint32_t index)
{
    fat_err err = FAT_OK;

    c->long_run = 0;
    c->name_count = 0;
    fat_lfn_reset(&c->lfn);
    if (index != 0 && !c->slots_unread) {
        fat_check_dots(c, index);
    }
    for (uint32_t slot = 0; err == FAT_OK && slot < c->slot_count; slot++) {
        err = check_slot(c, index, slot);
    }
    if (err == FAT_OK) {
        end_long_run(c, c->slot_count);
    }
    if (err == FAT_END) {
        err = FAT_OK;
    }
    if (err == FAT_OK) {
        fat_check_name_twins(c);
    }
    return err;
}
