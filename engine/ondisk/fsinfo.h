/* SPDX-License-Identifier: MIT */
/*
 * The FSInfo sector of FAT32: 512 bytes of meaning in a sector of any size.
 * Pure. MSFAT 5.
 */
#ifndef FAT_ONDISK_FSINFO_H
#define FAT_ONDISK_FSINFO_H

#include <stdbool.h>
#include <stdint.h>

enum {
    FSI_LEAD_SIG = 0,     /* 4 */
    FSI_STRUC_SIG = 484,  /* 4 */
    FSI_FREE_COUNT = 488, /* 4 */
    FSI_NXT_FREE = 492,   /* 4 */
    FSI_TRAIL_SIG = 508,  /* 4 */
};

#define FAT_FSINFO_UNKNOWN UINT32_C(0xffffffff)

struct fat_fsinfo {
    uint32_t free_count; /* FAT_FSINFO_UNKNOWN, or at most the cluster count */
    uint32_t next_free;  /* FAT_FSINFO_UNKNOWN, or a cluster of the volume   */
};

/* All three signatures are there. @raw holds 512 bytes. */
bool fat_fsinfo_is_valid(const uint8_t *raw);

/* Read with suspicion: numbers the volume can't have become UNKNOWN. */
struct fat_fsinfo fat_fsinfo_decode(const uint8_t *raw, uint32_t cluster_count);

/* Writes the two numbers and nothing else of @raw. */
void fat_fsinfo_encode(struct fat_fsinfo info, uint8_t *raw);

/* A new sector: signatures, zeros and @info. */
void fat_fsinfo_make(struct fat_fsinfo info, uint8_t *raw);

#endif
