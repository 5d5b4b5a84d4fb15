/* SPDX-License-Identifier: MIT */
#include "ondisk/fatent.h"

#include <assert.h>
#include <stdbool.h>

#include "base/bytes.h"

/* The bits of an entry that are ours; on FAT32 four more belong to nobody. */
static uint32_t mask_of(enum fat_type type)
{
    switch (type) {
    case FAT_TYPE_12:
        return UINT32_C(0x00000fff);
    case FAT_TYPE_16:
        return UINT32_C(0x0000ffff);
    case FAT_TYPE_32:
        return UINT32_C(0x0fffffff);
    }
    assert(false && "enum fat_type");
    return 0;
}

/* ..F7 of every width, MSFAT 4.1 */
static uint32_t bad_of(enum fat_type type)
{
    return mask_of(type) - 8;
}

static bool is_upper_nibbles(enum fat_type type, uint32_t cluster)
{
    return type == FAT_TYPE_12 && cluster % 2 == 1;
}

struct fat_ent_span fat_ent_locate(enum fat_type type, uint32_t cluster)
{
    const uint64_t index = cluster;

    switch (type) {
    case FAT_TYPE_12:
        return (struct fat_ent_span){index + index / 2, 2};
    case FAT_TYPE_16:
        return (struct fat_ent_span){index * 2, 2};
    case FAT_TYPE_32:
        return (struct fat_ent_span){index * 4, 4};
    }
    assert(false && "enum fat_type");
    return (struct fat_ent_span){0, 2};
}

uint64_t fat_ent_table_bytes(enum fat_type type, uint32_t cluster_count)
{
    const uint64_t entries = (uint64_t)cluster_count + 2;

    switch (type) {
    case FAT_TYPE_12:
        return (entries * 3 + 1) / 2;
    case FAT_TYPE_16:
        return entries * 2;
    case FAT_TYPE_32:
        return entries * 4;
    }
    assert(false && "enum fat_type");
    return 0;
}

static uint32_t value_of(enum fat_type type, uint32_t cluster, const uint8_t *raw)
{
    if (type == FAT_TYPE_32) {
        return fat_get32(raw, 0) & mask_of(type);
    }
    if (is_upper_nibbles(type, cluster)) {
        return (uint32_t)fat_get16(raw, 0) >> 4;
    }
    return fat_get16(raw, 0) & mask_of(type);
}

struct fat_link fat_ent_decode(enum fat_type type, uint32_t cluster, const uint8_t *raw)
{
    const uint32_t value = value_of(type, cluster, raw);

    if (value == 0) {
        return (struct fat_link){FAT_LINK_FREE, 0};
    }
    if (value == 1) {
        return (struct fat_link){FAT_LINK_RESERVED, 0};
    }
    if (value > bad_of(type)) {
        return (struct fat_link){FAT_LINK_END, 0};
    }
    if (value == bad_of(type)) {
        return (struct fat_link){FAT_LINK_BAD, 0};
    }
    return (struct fat_link){FAT_LINK_NEXT, value};
}

static uint32_t number_of(enum fat_type type, struct fat_link link)
{
    switch (link.kind) {
    case FAT_LINK_FREE:
        return 0;
    case FAT_LINK_NEXT:
        assert(link.cluster > 1 && link.cluster < bad_of(type));
        return link.cluster;
    case FAT_LINK_END:
        return mask_of(type);
    case FAT_LINK_BAD:
        return bad_of(type);
    case FAT_LINK_RESERVED:
        break;
    }
    assert(false && "reserved values are never written");
    return 0;
}

void fat_ent_encode(enum fat_type type, uint32_t cluster, struct fat_link link,
        uint8_t value[FAT_ENT_BYTES_MAX], uint8_t mask[FAT_ENT_BYTES_MAX])
{
    const unsigned shift = is_upper_nibbles(type, cluster) ? 4 : 0;

    /* A 16-bit entry leaves two zero bytes, which change nothing. */
    fat_put32(value, 0, number_of(type, link) << shift);
    fat_put32(mask, 0, mask_of(type) << shift);
}

uint32_t fat_ent_clean_bit(enum fat_type type)
{
    switch (type) {
    case FAT_TYPE_12:
        return 0;
    case FAT_TYPE_16:
        return UINT32_C(1) << 15;
    case FAT_TYPE_32:
        return UINT32_C(1) << 27;
    }
    assert(false && "enum fat_type");
    return 0;
}

uint32_t fat_ent_no_error_bit(enum fat_type type)
{
    return fat_ent_clean_bit(type) >> 1;
}
