/* SPDX-License-Identifier: MIT */
#include "ondisk/fsinfo.h"

#include <string.h>

#include "base/bytes.h"

#define LEAD_SIGNATURE  UINT32_C(0x41615252)
#define STRUC_SIGNATURE UINT32_C(0x61417272)
#define TRAIL_SIGNATURE UINT32_C(0xaa550000)

enum { FSINFO_BYTES = 512 };

bool fat_fsinfo_is_valid(const uint8_t *raw)
{
    return fat_get32(raw, FSI_LEAD_SIG) == LEAD_SIGNATURE &&
           fat_get32(raw, FSI_STRUC_SIG) == STRUC_SIGNATURE &&
           fat_get32(raw, FSI_TRAIL_SIG) == TRAIL_SIGNATURE;
}

struct fat_fsinfo fat_fsinfo_decode(const uint8_t *raw, uint32_t cluster_count)
{
    struct fat_fsinfo info = {
            .free_count = fat_get32(raw, FSI_FREE_COUNT),
            .next_free = fat_get32(raw, FSI_NXT_FREE),
    };

    if (info.free_count > cluster_count) {
        info.free_count = FAT_FSINFO_UNKNOWN;
    }
    /* The first cluster is 2. */
    if (info.next_free < 2 || info.next_free - 2 >= cluster_count) {
        info.next_free = FAT_FSINFO_UNKNOWN;
    }
    return info;
}

void fat_fsinfo_encode(struct fat_fsinfo info, uint8_t *raw)
{
    fat_put32(raw, FSI_FREE_COUNT, info.free_count);
    fat_put32(raw, FSI_NXT_FREE, info.next_free);
}

void fat_fsinfo_make(struct fat_fsinfo info, uint8_t *raw)
{
    memset(raw, 0, FSINFO_BYTES);
    fat_put32(raw, FSI_LEAD_SIG, LEAD_SIGNATURE);
    fat_put32(raw, FSI_STRUC_SIG, STRUC_SIGNATURE);
    fat_put32(raw, FSI_TRAIL_SIG, TRAIL_SIGNATURE);
    fat_fsinfo_encode(info, raw);
}
