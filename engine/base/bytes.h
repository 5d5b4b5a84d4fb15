/* SPDX-License-Identifier: MIT */
/*
 * Little-endian numbers at a byte offset: the only way the engine touches
 * multi-byte fields on disk. Fields of FAT are misaligned (BPB_BytsPerSec is at
 * 11), so there are no packed structs and no byte-order conditionals.
 */
#ifndef FAT_BASE_BYTES_H
#define FAT_BASE_BYTES_H

#include <stddef.h>
#include <stdint.h>

static inline uint16_t fat_get16(const uint8_t *bytes, size_t offset)
{
    return (uint16_t)(bytes[offset] | bytes[offset + 1] << 8);
}

static inline uint32_t fat_get32(const uint8_t *bytes, size_t offset)
{
    return fat_get16(bytes, offset) | (uint32_t)fat_get16(bytes, offset + 2) << 16;
}

static inline void fat_put16(uint8_t *bytes, size_t offset, uint16_t value)
{
    bytes[offset] = (uint8_t)(value & 0xff);
    bytes[offset + 1] = (uint8_t)(value >> 8);
}

static inline void fat_put32(uint8_t *bytes, size_t offset, uint32_t value)
{
    fat_put16(bytes, offset, (uint16_t)(value & 0xffff));
    fat_put16(bytes, offset + 2, (uint16_t)(value >> 16));
}

#endif
