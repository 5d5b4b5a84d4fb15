/* SPDX-License-Identifier: MIT */
#include "inspect/boot_fields.h"

#include <stddef.h>
#include <string.h>

#include "text/escape.h"

enum base { DECIMAL, HEX, RAW, TEXT };

struct field {
    const char *name;
    uint16_t offset;
    uint8_t size;
    enum base base;
};

/* MSFAT 3.1 */
static const struct field common[] = {
        {"BS_jmpBoot", 0, 3, RAW},
        {"BS_OEMName", 3, 8, TEXT},
        {"BPB_BytsPerSec", 11, 2, DECIMAL},
        {"BPB_SecPerClus", 13, 1, DECIMAL},
        {"BPB_RsvdSecCnt", 14, 2, DECIMAL},
        {"BPB_NumFATs", 16, 1, DECIMAL},
        {"BPB_RootEntCnt", 17, 2, DECIMAL},
        {"BPB_TotSec16", 19, 2, DECIMAL},
        {"BPB_Media", 21, 1, HEX},
        {"BPB_FATSz16", 22, 2, DECIMAL},
        {"BPB_SecPerTrk", 24, 2, DECIMAL},
        {"BPB_NumHeads", 26, 2, DECIMAL},
        {"BPB_HiddSec", 28, 4, DECIMAL},
        {"BPB_TotSec32", 32, 4, DECIMAL},
};

/* MSFAT 3.2 */
static const struct field fat16[] = {
        {"BS_DrvNum", 36, 1, HEX},
        {"BS_Reserved1", 37, 1, HEX},
        {"BS_BootSig", 38, 1, HEX},
        {"BS_VolID", 39, 4, HEX},
        {"BS_VolLab", 43, 11, TEXT},
        {"BS_FilSysType", 54, 8, TEXT},
};

/* MSFAT 3.3 */
static const struct field fat32[] = {
        {"BPB_FATSz32", 36, 4, DECIMAL},
        {"BPB_ExtFlags", 40, 2, HEX},
        {"BPB_FSVer", 42, 2, HEX},
        {"BPB_RootClus", 44, 4, DECIMAL},
        {"BPB_FSInfo", 48, 2, DECIMAL},
        {"BPB_BkBootSec", 50, 2, DECIMAL},
        {"BPB_Reserved", 52, 12, RAW},
        {"BS_DrvNum", 64, 1, HEX},
        {"BS_Reserved1", 65, 1, HEX},
        {"BS_BootSig", 66, 1, HEX},
        {"BS_VolID", 67, 4, HEX},
        {"BS_VolLab", 71, 11, TEXT},
        {"BS_FilSysType", 82, 8, TEXT},
};

static const struct field signature[] = {
        {"Signature_word", 510, 2, HEX},
};

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

uint32_t boot_fields_number(const uint8_t *raw, unsigned size)
{
    uint32_t number = 0;

    while (size-- > 0) {
        number = number << 8 | raw[size];
    }
    return number;
}

static void print_text(FILE *out, const uint8_t *raw, size_t size)
{
    char text[16];

    memcpy(text, raw, size);
    text[size] = '\0';
    fputc('"', out);
    escape_print(out, text);
    if (strlen(text) < size) {
        fputs("\" and NUL", out);
    } else {
        fputc('"', out);
    }
}

static void print_raw(FILE *out, const uint8_t *raw, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        fprintf(out, "%s%02X", i > 0 ? " " : "", (unsigned)raw[i]);
    }
}

static void print_field(FILE *out, const struct field *field, const uint8_t *boot)
{
    const uint8_t *raw = boot + field->offset;

    fprintf(out, "  %-15s %3u %2u  ", field->name, (unsigned)field->offset,
            (unsigned)field->size);
    switch (field->base) {
    case DECIMAL:
        fprintf(out, "%lu", (unsigned long)boot_fields_number(raw, field->size));
        break;
    case HEX:
        fprintf(out, "0x%0*lX", 2 * field->size,
                (unsigned long)boot_fields_number(raw, field->size));
        break;
    case RAW:
        print_raw(out, raw, field->size);
        break;
    case TEXT:
        print_text(out, raw, field->size);
        break;
    }
    fputc('\n', out);
}

static void print_table(
        FILE *out, const struct field *table, size_t count, const uint8_t *boot)
{
    for (size_t i = 0; i < count; i++) {
        print_field(out, &table[i], boot);
    }
}

bool boot_fields_is_fat32(const uint8_t *boot)
{
    return boot_fields_number(boot + 22, 2) == 0;
}

void boot_fields_print(FILE *out, const uint8_t *boot)
{
    fputs("boot sector (field, offset, bytes, value)\n", out);
    print_table(out, common, COUNT(common), boot);
    if (boot_fields_is_fat32(boot)) {
        print_table(out, fat32, COUNT(fat32), boot);
    } else {
        print_table(out, fat16, COUNT(fat16), boot);
    }
    print_table(out, signature, COUNT(signature), boot);
}

struct boot_marks boot_fields_marks(const uint8_t *boot)
{
    const uint8_t state = boot[boot_fields_is_fat32(boot) ? 65 : 37];

    return (struct boot_marks){
            .dirty = (state & 1) != 0, .surface_test = (state & 2) != 0};
}

void boot_fields_label(const uint8_t *boot, char ret[12])
{
    memcpy(ret, boot + (boot_fields_is_fat32(boot) ? 71 : 43), 11);
    ret[11] = '\0';
    for (size_t i = strlen(ret); i > 0 && ret[i - 1] == ' '; i--) {
        ret[i - 1] = '\0';
    }
}
