/* SPDX-License-Identifier: MIT */
/*
 * What is read from a sector, an entry or a slot keeps what the headers promise, and is
 * the same when written and read again.
 */
#include <string.h>

#include "base/bytes.h"
#include "base/fattime.h"
#include "fuzz.h"
#include "ondisk/bpb.h"
#include "ondisk/dirent.h"
#include "ondisk/fsinfo.h"
#include "ondisk/geometry.h"

static enum fat_type type_of(uint8_t byte)
{
    static const enum fat_type types[] = {FAT_TYPE_12, FAT_TYPE_16, FAT_TYPE_32};

    return types[byte % 3];
}

static void check_geometry(const struct fat_bpb *bpb)
{
    struct fat_geometry g;
    const char *rule = NULL;

    if (fat_geometry_derive(bpb, &g, &rule) != FAT_OK) {
        PROMISE(rule);
        return;
    }
    PROMISE(g.cluster_count >= 1 && g.cluster_count <= FAT32_CLUSTERS_MAX);
    PROMISE(g.cluster_bytes == g.sector_bytes * g.cluster_sectors);
    PROMISE(g.fat_count >= 1 && g.active_fat < g.fat_count);
    PROMISE(g.fat_start >= 1);
    PROMISE(g.fat_start + g.fat_count * g.fat_sectors <= g.data_start);
    PROMISE(fat_ent_table_bytes(g.type, g.cluster_count) <=
            g.fat_sectors * g.sector_bytes);
    PROMISE(g.root_start == 0 ||
            g.root_start + g.root_entries / (g.sector_bytes / 32) <= g.data_start);
    PROMISE(fat_geometry_sector(&g, g.cluster_count + 1) + g.cluster_sectors <=
            g.total_sectors);
    PROMISE(g.type != FAT_TYPE_32 || (g.root_entries == 0 && g.root_start == 0));
    PROMISE(g.type != FAT_TYPE_32 || fat_geometry_holds(&g, g.root_cluster));
    PROMISE(fat_geometry_end(&g) == g.total_sectors * g.sector_bytes);
}

static void check_boot(const uint8_t *raw)
{
    struct fat_bpb bpb;
    struct fat_bpb again;
    uint8_t written[FAT_BOOT_BYTES];
    const char *rule = NULL;

    memset(&bpb, 0, sizeof(bpb));
    memset(&again, 0, sizeof(again));
    fat_bpb_decode(raw, &bpb);
    if (fat_bpb_validate(&bpb, &rule) != FAT_OK) {
        PROMISE(rule);
        return;
    }
    check_geometry(&bpb);
    fat_bpb_encode(&bpb, written);
    fat_bpb_decode(written, &again);
    again.has_signature = bpb.has_signature;
    PROMISE(memcmp(&bpb, &again, sizeof(bpb)) == 0);
}

static void check_fsinfo(const uint8_t *raw)
{
    const uint32_t count = fat_get32(raw, 200) % FAT32_CLUSTERS_MAX + 1;
    const struct fat_fsinfo info = fat_fsinfo_decode(raw, count);
    uint8_t written[512];

    PROMISE(info.free_count == FAT_FSINFO_UNKNOWN || info.free_count <= count);
    PROMISE(info.next_free == FAT_FSINFO_UNKNOWN ||
            (info.next_free >= 2 && info.next_free - 2 < count));
    fat_fsinfo_make(info, written);
    PROMISE(fat_fsinfo_is_valid(written));
    PROMISE(fat_get32(written, FSI_FREE_COUNT) == info.free_count);
    PROMISE(fat_get32(written, FSI_NXT_FREE) == info.next_free);
    (void)fat_fsinfo_is_valid(raw); /* reads it all */
}

static void check_entry(const uint8_t *raw)
{
    const enum fat_type type = type_of(raw[0]);
    const uint32_t cluster = fat_get32(raw, 1) & UINT32_C(0x0fffffff);
    const struct fat_ent_span span = fat_ent_locate(type, cluster);
    const struct fat_link link = fat_ent_decode(type, cluster, raw + 5);
    uint8_t value[FAT_ENT_BYTES_MAX] = {0};
    uint8_t mask[FAT_ENT_BYTES_MAX] = {0};
    uint8_t entry[FAT_ENT_BYTES_MAX] = {0};
    struct fat_link again;

    PROMISE(span.length == 2 || span.length == 4);
    PROMISE(span.offset + span.length <= fat_ent_table_bytes(type, cluster + 1) ||
            cluster < 2);
    PROMISE((link.kind == FAT_LINK_NEXT) == (link.cluster >= 2));
    if (link.kind == FAT_LINK_RESERVED) {
        return;
    }
    fat_ent_encode(type, cluster, link, value, mask);
    for (uint32_t i = 0; i < span.length; i++) {
        entry[i] = (uint8_t)((raw[9 + i] & ~mask[i]) | (value[i] & mask[i]));
    }
    again = fat_ent_decode(type, cluster, entry);
    PROMISE(again.kind == link.kind && again.cluster == link.cluster);
}

static void check_stamp(struct fat_stamp stamp, int utc_offset)
{
    const struct fat_time time = fat_stamp_decode(stamp, utc_offset);
    const struct fat_stamp again = fat_stamp_encode(time, utc_offset);
    const struct fat_time same = fat_stamp_decode(again, utc_offset);

    PROMISE(time.nanoseconds < 1000000000);
    PROMISE(fat_stamp_is_valid(again));
    PROMISE(same.seconds == time.seconds && same.nanoseconds == time.nanoseconds);
    if (fat_stamp_is_valid(stamp) && stamp.date != 0) {
        PROMISE(again.date == stamp.date && again.time == stamp.time &&
                again.hundredths == stamp.hundredths);
    }
}

static void check_slot(const uint8_t *raw)
{
    const enum fat_type type = type_of(raw[32]);
    uint8_t written[FAT_SLOT_BYTES];
    struct fat_dirent entry;
    struct fat_dirent again;

    memset(&entry, 0, sizeof(entry));
    memset(&again, 0, sizeof(again));
    (void)fat_slot_classify(raw);
    fat_dirent_decode(type, raw, &entry);
    PROMISE(type == FAT_TYPE_32 || entry.first_cluster <= UINT16_MAX);
    memcpy(written, raw, sizeof(written));
    fat_dirent_encode(type, &entry, written);
    PROMISE(memcmp(written, raw, sizeof(written)) == 0);
    fat_dirent_decode(type, written, &again);
    PROMISE(memcmp(&again, &entry, sizeof(entry)) == 0);
    check_stamp(entry.created, fat_get16(raw, 33) % 2881 - 1440);
}

static void check_time(const uint8_t *raw)
{
    const struct fat_time time = {
            .seconds = (int64_t)((uint64_t)fat_get32(raw, 0) |
                                 (uint64_t)fat_get32(raw, 4) << (raw[14] & 1 ? 32 : 0)),
            .nanoseconds = fat_get32(raw, 8) % 1000000000};
    const int utc_offset = fat_get16(raw, 12) % 2881 - 1440;
    const struct fat_stamp stamp = fat_stamp_encode(time, utc_offset);
    const struct fat_time kept = fat_stamp_decode(stamp, utc_offset);

    PROMISE(fat_stamp_is_valid(stamp));
    /* a stamp is never later, unless the time is before any */
    if (time.seconds >= 315532800 + 86400 &&
            time.seconds < INT64_C(4354819199) - 86400) {
        PROMISE(kept.seconds == time.seconds);
        PROMISE(kept.nanoseconds == time.nanoseconds / 10000000 * 10000000);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    uint8_t raw[FAT_BOOT_BYTES] = {0};

    if (length == 0) {
        return 0;
    }
    memcpy(raw, bytes + 1, length - 1 < sizeof(raw) ? length - 1 : sizeof(raw));
    switch (bytes[0] % 5) {
    case 0:
        check_boot(raw);
        break;
    case 1:
        check_fsinfo(raw);
        break;
    case 2:
        check_entry(raw);
        break;
    case 3:
        check_slot(raw);
        break;
    default:
        check_time(raw);
        break;
    }
    return 0;
}
