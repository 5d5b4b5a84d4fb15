/* SPDX-License-Identifier: MIT */
/*
 * The boot sector as it lies on the medium: every field by the name the
 * specification gives it, whether or not it makes sense.
 *
 * What the fields mean together is the engine's business; this prints bytes.
 * It is what remains to be shown when the engine refuses a volume.
 */
#ifndef FATWARD_INSPECT_BOOT_FIELDS_H
#define FATWARD_INSPECT_BOOT_FIELDS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

enum { BOOT_BYTES = 512 };

struct boot_marks {
    bool dirty;        /* not unmounted cleanly          */
    bool surface_test; /* somebody met a hard read error */
};

/* Every field of the 512 bytes at @boot, one a line. */
void boot_fields_print(FILE *out, const uint8_t *boot);

/* BPB_FATSz16 is 0: what Linux and Windows go by. */
bool boot_fields_is_fat32(const uint8_t *boot);

struct boot_marks boot_fields_marks(const uint8_t *boot);

/* The eleven bytes of BS_VolLab, without trailing spaces. */
void boot_fields_label(const uint8_t *boot, char ret[12]);

/* A little-endian number of @size bytes, 1 to 4. */
uint32_t boot_fields_number(const uint8_t *raw, unsigned size);

#endif
