/* SPDX-License-Identifier: MIT */
/*
 * What an entry says about itself: its 8.3 name, its long name, its attributes,
 * its times; and the label, which is an entry too.
 */
#include <string.h>

#include "ondisk/shortname.h"
#include "volume/check_state.h"

void fat_check_long_orphan(struct fat_check *c, uint32_t slot, uint32_t run)
{
    const struct fat_check_entry *about = c->entry;

    /* They are the directory's, not the entry's that happens to follow. */
    c->entry = NULL;
    fat_check_say(c,
            &(struct fat_finding){.kind = FAT_FINDING_LFN_ORPHAN,
                    .offset = fat_check_slot_offset(c, slot - run),
                    .cluster = c->dirs[c->dir].first_cluster,
                    .first = slot - run,
                    .second = run},
            "%u long-name slots from slot %u on belong to no entry", (unsigned)run,
            (unsigned)(slot - run));
    c->entry = about;
}

/*
 * Slots that make no name, right in front of a short entry: its own if the last
 * of them says so by number and checksum, else what is left of a removed name.
 */
static bool are_its_own(const struct fat_check *c, const struct fat_check_entry *entry)
{
    const uint8_t *last = fat_check_slot(c, entry->slot - 1);

    return (last[LDIR_ORD] & ~LDIR_LAST) == 1 &&
           last[LDIR_CHKSUM] == fat_lfn_checksum(entry->dirent.name);
}

static bool is_forbidden(uint16_t unit)
{
    return unit < 0x20 || (unit < 0x80 && strchr("\"*/:<>?\\|", unit));
}

static void check_long_units(struct fat_check *c, const uint16_t *units, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        if (is_forbidden(units[i])) {
            fat_check_say(c,
                    &(struct fat_finding){
                            .kind = FAT_FINDING_LFN_BROKEN, .first = units[i]},
                    "the long name has the illegal character U+%04X",
                    (unsigned)units[i]);
            return;
        }
    }
}

void fat_check_long_name(struct fat_check *c, struct fat_check_entry *entry)
{
    const uint32_t run = c->long_run;
    size_t length = 0;
    unsigned slots = 0;

    c->long_run = 0;
    if (run == 0) {
        return;
    }
    /* Whether other slots were seen, the count of the run says as well. */
    (void)fat_lfn_finish(&c->lfn, entry->dirent.name, &length, &slots);
    entry->long_slots = length == 0 ? 0 : slots;
    if (length == 0 && are_its_own(c, entry)) {
        fat_check_say(c,
                &(struct fat_finding){.kind = FAT_FINDING_LFN_BROKEN, .first = run},
                "its %u long-name slots make no name", (unsigned)run);
    } else if (run > entry->long_slots) {
        fat_check_long_orphan(
                c, entry->slot - entry->long_slots, run - entry->long_slots);
    }
    check_long_units(c, c->lfn.units, length);
}

static void check_time(struct fat_check *c, struct fat_stamp stamp, const char *which)
{
    if (!fat_stamp_is_valid(stamp)) {
        fat_check_say(c,
                &(struct fat_finding){.kind = FAT_FINDING_TIME,
                        .first = stamp.date,
                        .second = stamp.time},
                "impossible time of %s: date 0x%04x, time 0x%04x", which,
                (unsigned)stamp.date, (unsigned)stamp.time);
    }
}

/* One finding per entry, of the time that matters most. */
static void check_times(struct fat_check *c, const struct fat_dirent *dirent)
{
    if (!fat_stamp_is_valid(dirent->written)) {
        check_time(c, dirent->written, "last write");
    } else if (!fat_stamp_is_valid(dirent->created)) {
        check_time(c, dirent->created, "creation");
    } else {
        check_time(c, dirent->accessed, "last access");
    }
}

void fat_check_entry_fields(struct fat_check *c, const struct fat_check_entry *entry)
{
    const struct fat_dirent *dirent = &entry->dirent;

    if (!fat_short_is_legal(dirent->name)) {
        fat_check_say(c, &(struct fat_finding){.kind = FAT_FINDING_SHORT_NAME},
                "illegal bytes in the 8.3 name");
    }
    if (dirent->attributes & FAT_ATTR_VOLUME_ID) {
        fat_check_say(c,
                &(struct fat_finding){
                        .kind = FAT_FINDING_ATTRIBUTES, .first = dirent->attributes},
                "attributes 0x%02x: directory and volume label at once",
                (unsigned)dirent->attributes);
    }
    check_times(c, dirent);
}

static const char *label_fault(
        const struct fat_check *c, const struct fat_dirent *dirent)
{
    if (c->dir != 0) {
        return "a volume label that is not in the root directory";
    }
    if (c->has_label) {
        return "a second volume label";
    }
    if (!fat_check_label_is_legal(dirent->name)) {
        return "a volume label that is blank or has illegal bytes";
    }
    if (dirent->first_cluster != 0 || dirent->size_bytes != 0) {
        return "a volume label with a first cluster or a size";
    }
    return NULL;
}

void fat_check_label_entry(struct fat_check *c, const struct fat_check_entry *entry)
{
    const struct fat_dirent *dirent = &entry->dirent;
    const char *fault = label_fault(c, dirent);

    if (c->dir == 0 && !c->has_label) {
        c->has_label = true;
        memcpy(c->label, dirent->name, FAT_LABEL_BYTES);
        if (c->label[0] == FAT_SLOT_KANJI_BYTE) {
            c->label[0] = FAT_SLOT_FREE_BYTE;
        }
    }
    if (fault) {
        fat_check_say(c, &(struct fat_finding){.kind = FAT_FINDING_LABEL}, "%s", fault);
    }
    if (dirent->attributes & (FAT_ATTR_READ_ONLY | FAT_ATTR_HIDDEN | FAT_ATTR_SYSTEM)) {
        fat_check_say(c,
                &(struct fat_finding){
                        .kind = FAT_FINDING_ATTRIBUTES, .first = dirent->attributes},
                "attributes 0x%02x on a volume label", (unsigned)dirent->attributes);
    }
    check_times(c, dirent);
}
