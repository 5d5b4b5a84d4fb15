/* SPDX-License-Identifier: MIT */
#include "volume/label.h"

#include <string.h>

#include "base/codepage.h"
#include "base/utf16.h"
#include "tree/dir.h"

/* The root's label entry, as stored; FAT_E_NOENT: none. */
static fat_err find_entry(struct fat_volume *volume, uint8_t *ret_label)
{
    struct fat_node *root = volume->tree.root;
    uint8_t raw[FAT_SLOT_BYTES];
    uint32_t slot = 0;
    fat_err err;

    for (;;) {
        err = fat_dir_read_slot(root, slot++, raw);
        if (err != FAT_OK || fat_slot_classify(raw) == FAT_SLOT_END) {
            return err < 0 ? err : FAT_E_NOENT;
        }
        if (fat_slot_classify(raw) == FAT_SLOT_LABEL) {
            memcpy(ret_label, raw, FAT_LABEL_BYTES);
            return FAT_OK;
        }
    }
}

static size_t trimmed_length(const uint8_t *label)
{
    size_t length = FAT_LABEL_BYTES;

    while (length > 0 && label[length - 1] == ' ') {
        length--;
    }
    return length;
}

static void decode(const uint8_t *label, char *text, size_t capacity)
{
    const size_t length = trimmed_length(label);
    uint16_t units[FAT_LABEL_BYTES];
    size_t bytes;

    for (size_t i = 0; i < length; i++) {
        const bool kanji = i == 0 && label[i] == FAT_SLOT_KANJI_BYTE;

        units[i] = fat_oem_to_unit(kanji ? FAT_SLOT_FREE_BYTE : label[i]);
    }
    if (fat_utf16_to_utf8(units, length, text, capacity, &bytes) != FAT_OK) {
        text[0] = '\0';
    }
}

void fat_label_read(struct fat_volume *volume, char *text, size_t capacity)
{
    static const uint8_t none[] = "NO NAME    ";
    uint8_t label[FAT_LABEL_BYTES];
    fat_err err;

    text[0] = '\0';
    fat_rwlock_read(&volume->tree.names);
    err = find_entry(volume, label);
    fat_rwlock_read_end(&volume->tree.names);
    if (err != FAT_OK && volume->bpb.boot_signature == 0x29 &&
            memcmp(volume->bpb.label, none, FAT_LABEL_BYTES) != 0) {
        memcpy(label, volume->bpb.label, FAT_LABEL_BYTES);
        err = FAT_OK;
    }
    if (err == FAT_OK) {
        decode(label, text, capacity);
    }
}
