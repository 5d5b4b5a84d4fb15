/* SPDX-License-Identifier: MIT */
#include "ondisk/dirent.h"

#include <assert.h>
#include <string.h>

#include "base/bytes.h"

/* The two highest attribute bits have no meaning and must not hide a long-name slot. */
enum { ATTR_MASK = 0x3f };

enum fat_slot_kind fat_slot_classify(const uint8_t *raw)
{
    const uint8_t attributes = raw[DIR_ATTR] & ATTR_MASK;

    if (raw[DIR_NAME] == 0) {
        return FAT_SLOT_END;
    }
    if (raw[DIR_NAME] == FAT_SLOT_FREE_BYTE) {
        return FAT_SLOT_FREE;
    }
    if (attributes == FAT_ATTR_LONG_NAME) {
        return FAT_SLOT_LONG;
    }
    if ((attributes & (FAT_ATTR_VOLUME_ID | FAT_ATTR_DIRECTORY)) ==
            FAT_ATTR_VOLUME_ID) {
        return FAT_SLOT_LABEL;
    }
    return FAT_SLOT_SHORT;
}

void fat_dirent_decode(enum fat_type type, const uint8_t *raw, struct fat_dirent *ret)
{
    uint32_t cluster = fat_get16(raw, DIR_FST_CLUS_LO);

    if (type == FAT_TYPE_32) {
        cluster |= (uint32_t)fat_get16(raw, DIR_FST_CLUS_HI) << 16;
    }
    *ret = (struct fat_dirent){
            .attributes = raw[DIR_ATTR],
            .nt_flags = raw[DIR_NTRES],
            .created = {.date = fat_get16(raw, DIR_CRT_DATE),
                    .time = fat_get16(raw, DIR_CRT_TIME),
                    .hundredths = raw[DIR_CRT_TIME_TENTH]},
            .accessed = {.date = fat_get16(raw, DIR_LST_ACC_DATE)},
            .written = {.date = fat_get16(raw, DIR_WRT_DATE),
                    .time = fat_get16(raw, DIR_WRT_TIME)},
            .first_cluster = cluster,
            .size_bytes = fat_get32(raw, DIR_FILE_SIZE),
    };
    memcpy(ret->name, raw + DIR_NAME, FAT_SHORT_BYTES);
}

void fat_dirent_encode(enum fat_type type, const struct fat_dirent *entry, uint8_t *raw)
{
    memcpy(raw + DIR_NAME, entry->name, FAT_SHORT_BYTES);
    raw[DIR_ATTR] = entry->attributes;
    raw[DIR_NTRES] = entry->nt_flags;
    raw[DIR_CRT_TIME_TENTH] = entry->created.hundredths;
    fat_put16(raw, DIR_CRT_TIME, entry->created.time);
    fat_put16(raw, DIR_CRT_DATE, entry->created.date);
    fat_put16(raw, DIR_LST_ACC_DATE, entry->accessed.date);
    fat_put16(raw, DIR_WRT_TIME, entry->written.time);
    fat_put16(raw, DIR_WRT_DATE, entry->written.date);
    fat_put16(raw, DIR_FST_CLUS_LO, (uint16_t)(entry->first_cluster & 0xffff));
    if (type == FAT_TYPE_32) {
        fat_put16(raw, DIR_FST_CLUS_HI, (uint16_t)(entry->first_cluster >> 16));
    } else {
        /* FAT12 and FAT16 have no cluster that needs the high half. */
        assert(entry->first_cluster <= 0xffff);
    }
    fat_put32(raw, DIR_FILE_SIZE, entry->size_bytes);
}

bool fat_short_is_dot(const uint8_t name[FAT_SHORT_BYTES])
{
    return memcmp(name, ".          ", FAT_SHORT_BYTES) == 0;
}

bool fat_short_is_dotdot(const uint8_t name[FAT_SHORT_BYTES])
{
    return memcmp(name, "..         ", FAT_SHORT_BYTES) == 0;
}

void fat_dirent_set_case(struct fat_dirent *entry, uint8_t nt_flags)
{
    const unsigned mask = FAT_NT_LOWER_BASE | FAT_NT_LOWER_EXT;

    entry->nt_flags = (uint8_t)((entry->nt_flags & ~mask) | (nt_flags & mask));
}
