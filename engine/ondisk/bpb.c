/* SPDX-License-Identifier: MIT */
#include "ondisk/bpb.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>

#include "base/bytes.h"

enum { SECTOR_BYTES_MIN = 512, SECTOR_BYTES_MAX = 4096 };

/* FAT32 moved this block of fields behind its own; MSFAT 3.2 and 3.3. */
struct tail_offsets {
    size_t drive, state, boot_signature, serial, label, type_name;
};

static const struct tail_offsets tail_16 = {BS16_DRV_NUM, BS16_STATE, BS16_BOOT_SIG,
        BS16_VOL_ID, BS16_VOL_LAB, BS16_FIL_SYS_TYPE};
static const struct tail_offsets tail_32 = {BS32_DRV_NUM, BS32_STATE, BS32_BOOT_SIG,
        BS32_VOL_ID, BS32_VOL_LAB, BS32_FIL_SYS_TYPE};

static void decode_fat32(const uint8_t *raw, struct fat_bpb *ret)
{
    ret->fat_sectors_32 = fat_get32(raw, BPB_FATSZ32);
    ret->ext_flags = fat_get16(raw, BPB_EXT_FLAGS);
    ret->version = fat_get16(raw, BPB_FS_VER);
    ret->root_cluster = fat_get32(raw, BPB_ROOT_CLUS);
    ret->fsinfo_sector = fat_get16(raw, BPB_FS_INFO);
    ret->backup_sector = fat_get16(raw, BPB_BK_BOOT_SEC);
}

static void decode_tail(
        const uint8_t *raw, const struct tail_offsets *at, struct fat_bpb *ret)
{
    ret->drive = raw[at->drive];
    ret->state = raw[at->state];
    ret->boot_signature = raw[at->boot_signature];
    ret->serial = fat_get32(raw, at->serial);
    memcpy(ret->label, raw + at->label, sizeof(ret->label));
    memcpy(ret->type_name, raw + at->type_name, sizeof(ret->type_name));
}

void fat_bpb_decode(const uint8_t *raw, struct fat_bpb *ret)
{
    *ret = (struct fat_bpb){
            .sector_bytes = fat_get16(raw, BPB_BYTS_PER_SEC),
            .cluster_sectors = raw[BPB_SEC_PER_CLUS],
            .reserved_sectors = fat_get16(raw, BPB_RSVD_SEC_CNT),
            .fat_count = raw[BPB_NUM_FATS],
            .root_entries = fat_get16(raw, BPB_ROOT_ENT_CNT),
            .total_sectors_16 = fat_get16(raw, BPB_TOT_SEC16),
            .media = raw[BPB_MEDIA],
            .fat_sectors_16 = fat_get16(raw, BPB_FATSZ16),
            .track_sectors = fat_get16(raw, BPB_SEC_PER_TRK),
            .heads = fat_get16(raw, BPB_NUM_HEADS),
            .hidden_sectors = fat_get32(raw, BPB_HIDD_SEC),
            .total_sectors_32 = fat_get32(raw, BPB_TOT_SEC32),
            .is_fat32 = fat_get16(raw, BPB_FATSZ16) == 0,
            .has_signature = raw[BS_SIGNATURE] == 0x55 && raw[BS_SIGNATURE + 1] == 0xaa,
    };
    memcpy(ret->oem_name, raw + BS_OEM_NAME, sizeof(ret->oem_name));
    if (ret->is_fat32) {
        decode_fat32(raw, ret);
    }
    decode_tail(raw, ret->is_fat32 ? &tail_32 : &tail_16, ret);
}

/* A short jump over the fields to where boot code begins, MSFAT 3.1. */
static void encode_jump(bool is_fat32, uint8_t *raw)
{
    const size_t target = is_fat32 ? BS32_BOOT_CODE : BS16_BOOT_CODE;

    raw[BS_JMP_BOOT] = 0xeb;
    raw[BS_JMP_BOOT + 1] = (uint8_t)(target - 2);
    raw[BS_JMP_BOOT + 2] = 0x90;
}

static void encode_common(const struct fat_bpb *bpb, uint8_t *raw)
{
    memcpy(raw + BS_OEM_NAME, bpb->oem_name, sizeof(bpb->oem_name));
    fat_put16(raw, BPB_BYTS_PER_SEC, bpb->sector_bytes);
    raw[BPB_SEC_PER_CLUS] = bpb->cluster_sectors;
    fat_put16(raw, BPB_RSVD_SEC_CNT, bpb->reserved_sectors);
    raw[BPB_NUM_FATS] = bpb->fat_count;
    fat_put16(raw, BPB_ROOT_ENT_CNT, bpb->root_entries);
    fat_put16(raw, BPB_TOT_SEC16, bpb->total_sectors_16);
    raw[BPB_MEDIA] = bpb->media;
    fat_put16(raw, BPB_FATSZ16, bpb->fat_sectors_16);
    fat_put16(raw, BPB_SEC_PER_TRK, bpb->track_sectors);
    fat_put16(raw, BPB_NUM_HEADS, bpb->heads);
    fat_put32(raw, BPB_HIDD_SEC, bpb->hidden_sectors);
    fat_put32(raw, BPB_TOT_SEC32, bpb->total_sectors_32);
}

static void encode_fat32(const struct fat_bpb *bpb, uint8_t *raw)
{
    fat_put32(raw, BPB_FATSZ32, bpb->fat_sectors_32);
    fat_put16(raw, BPB_EXT_FLAGS, bpb->ext_flags);
    fat_put16(raw, BPB_FS_VER, bpb->version);
    fat_put32(raw, BPB_ROOT_CLUS, bpb->root_cluster);
    fat_put16(raw, BPB_FS_INFO, bpb->fsinfo_sector);
    fat_put16(raw, BPB_BK_BOOT_SEC, bpb->backup_sector);
}

static void encode_tail(
        const struct fat_bpb *bpb, const struct tail_offsets *at, uint8_t *raw)
{
    raw[at->drive] = bpb->drive;
    raw[at->state] = bpb->state;
    raw[at->boot_signature] = bpb->boot_signature;
    fat_put32(raw, at->serial, bpb->serial);
    memcpy(raw + at->label, bpb->label, sizeof(bpb->label));
    memcpy(raw + at->type_name, bpb->type_name, sizeof(bpb->type_name));
}

void fat_bpb_encode(const struct fat_bpb *bpb, uint8_t *raw)
{
    assert(bpb->is_fat32 == (bpb->fat_sectors_16 == 0));

    memset(raw, 0, FAT_BOOT_BYTES);
    encode_jump(bpb->is_fat32, raw);
    encode_common(bpb, raw);
    if (bpb->is_fat32) {
        encode_fat32(bpb, raw);
    }
    encode_tail(bpb, bpb->is_fat32 ? &tail_32 : &tail_16, raw);
    raw[BS_SIGNATURE] = 0x55;
    raw[BS_SIGNATURE + 1] = 0xaa;
}

static bool is_power_of_two(unsigned number)
{
    return number != 0 && (number & (number - 1)) == 0;
}

static bool is_sector_size(unsigned bytes)
{
    return is_power_of_two(bytes) && bytes >= SECTOR_BYTES_MIN &&
           bytes <= SECTOR_BYTES_MAX;
}

static const char *broken_rule(const struct fat_bpb *bpb)
{
    if (bpb->reserved_sectors == 0) {
        return "BPB_RsvdSecCnt (reserved sectors) is 0";
    }
    if (bpb->fat_count == 0) {
        return "BPB_NumFATs (number of FATs) is 0";
    }
    if (bpb->media != 0xf0 && bpb->media < 0xf8) {
        return "BPB_Media is neither 0xF0 nor 0xF8 to 0xFF";
    }
    if (!is_sector_size(bpb->sector_bytes)) {
        return "BPB_BytsPerSec (sector size) is not 512, 1024, 2048 or 4096";
    }
    if (!is_power_of_two(bpb->cluster_sectors)) {
        return "BPB_SecPerClus (sectors per cluster) is not a power of two";
    }
    if (bpb->fat_sectors_16 == 0 && bpb->fat_sectors_32 == 0) {
        return "BPB_FATSz16 and BPB_FATSz32 (sectors per FAT) are both 0";
    }
    return NULL;
}

fat_err fat_bpb_validate(const struct fat_bpb *bpb, const char **ret_rule)
{
    const char *rule = broken_rule(bpb);

    if (rule) {
        *ret_rule = rule;
        return FAT_E_NOTFAT;
    }
    return FAT_OK;
}
