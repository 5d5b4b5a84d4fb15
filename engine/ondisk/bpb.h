/* SPDX-License-Identifier: MIT */
/*
 * The boot sector: bytes to fields, and fields against the specification.
 * Pure. MSFAT 3.1 to 3.3; what is accepted follows the Linux kernel, which mounts
 * more than the specification allows.
 */
#ifndef FAT_ONDISK_BPB_H
#define FAT_ONDISK_BPB_H

#include <stdbool.h>
#include <stdint.h>

#include <fatward/error.h>

/* Offsets in the boot sector, with the specification's names; sizes behind. */
enum {
    BS_JMP_BOOT = 0,       /* 3 */
    BS_OEM_NAME = 3,       /* 8 */
    BPB_BYTS_PER_SEC = 11, /* 2 */
    BPB_SEC_PER_CLUS = 13, /* 1 */
    BPB_RSVD_SEC_CNT = 14, /* 2 */
    BPB_NUM_FATS = 16,     /* 1 */
    BPB_ROOT_ENT_CNT = 17, /* 2 */
    BPB_TOT_SEC16 = 19,    /* 2 */
    BPB_MEDIA = 21,        /* 1 */
    BPB_FATSZ16 = 22,      /* 2 */
    BPB_SEC_PER_TRK = 24,  /* 2 */
    BPB_NUM_HEADS = 26,    /* 2 */
    BPB_HIDD_SEC = 28,     /* 4 */
    BPB_TOT_SEC32 = 32,    /* 4 */

    /* FAT12 and FAT16 */
    BS16_DRV_NUM = 36,      /* 1 */
    BS16_STATE = 37,        /* 1: bit 0 dirty, bit 1 surface test wanted */
    BS16_BOOT_SIG = 38,     /* 1: 0x28 serial, 0x29 serial, label and type */
    BS16_VOL_ID = 39,       /* 4 */
    BS16_VOL_LAB = 43,      /* 11 */
    BS16_FIL_SYS_TYPE = 54, /* 8 */
    BS16_BOOT_CODE = 62,    /* up to BS_SIGNATURE */

    /* FAT32 */
    BPB_FATSZ32 = 36,       /* 4 */
    BPB_EXT_FLAGS = 40,     /* 2: bit 7 mirroring off, bits 0..3 active FAT */
    BPB_FS_VER = 42,        /* 2 */
    BPB_ROOT_CLUS = 44,     /* 4 */
    BPB_FS_INFO = 48,       /* 2 */
    BPB_BK_BOOT_SEC = 50,   /* 2 */
    BS32_DRV_NUM = 64,      /* 1 */
    BS32_STATE = 65,        /* 1 */
    BS32_BOOT_SIG = 66,     /* 1 */
    BS32_VOL_ID = 67,       /* 4 */
    BS32_VOL_LAB = 71,      /* 11 */
    BS32_FIL_SYS_TYPE = 82, /* 8 */
    BS32_BOOT_CODE = 90,    /* up to BS_SIGNATURE */

    BS_SIGNATURE = 510, /* 2: 0x55 0xAA */

    FAT_BOOT_BYTES = 512, /* what has a meaning, whatever the sector size */
    FAT_LABEL_BYTES = 11,
};

enum { FAT_STATE_DIRTY = 1, FAT_STATE_SURFACE_TEST = 2 };

struct fat_bpb {
    uint16_t sector_bytes;
    uint8_t cluster_sectors;
    uint16_t reserved_sectors;
    uint8_t fat_count;
    uint16_t root_entries;
    uint16_t total_sectors_16;
    uint8_t media;
    uint16_t fat_sectors_16;
    uint16_t track_sectors, heads;
    uint32_t hidden_sectors;
    uint32_t total_sectors_32;
    uint32_t fat_sectors_32; /* FAT32 only, like the next five; else 0 */
    uint16_t ext_flags;
    uint16_t version;
    uint32_t root_cluster;
    uint16_t fsinfo_sector;
    uint16_t backup_sector;
    uint8_t drive;
    uint8_t state;
    uint8_t boot_signature;
    uint32_t serial;                /* meaningful for boot_signature 0x28, 0x29 */
    uint8_t label[FAT_LABEL_BYTES]; /* meaningful for 0x29 */
    uint8_t type_name[8];           /* likewise; a remark that decides nothing */
    uint8_t oem_name[8];
    bool is_fat32;      /* BPB_FATSz16 is 0, as Linux and Windows decide */
    bool has_signature; /* 55 AA */
};

/* Bytes to fields; cannot fail. @raw holds FAT_BOOT_BYTES. */
void fat_bpb_decode(const uint8_t *raw, struct fat_bpb *ret);

/*
 * Fields to bytes, for a new volume: fills in all FAT_BOOT_BYTES of @raw, with the
 * jump and the signature 55 AA, and zeros where boot code goes.
 */
void fat_bpb_encode(const struct fat_bpb *bpb, uint8_t *raw);

/*
 * Fields against the specification, each on its own, in the kernel's order.
 *
 * @ret_rule   on failure, the broken rule as constant text that names the field
 *
 * FAT_E_NOTFAT   this is no FAT boot sector
 */
FAT_MUST_CHECK fat_err fat_bpb_validate(
        const struct fat_bpb *bpb, const char **ret_rule);

#endif
