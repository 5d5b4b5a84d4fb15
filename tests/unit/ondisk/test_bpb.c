/* SPDX-License-Identifier: MIT */
#include "ondisk/bpb.h"

#include <string.h>

#include "support/cmocka.h"

#define COUNT(table) (sizeof(table) / sizeof(*(table)))

/* The first 62 bytes mkfs.fat 4.2 writes for a 1.44 MB floppy, marked dirty since. */
static const uint8_t floppy[] = {0xeb, 0x3c, 0x90, 'm', 'k', 'f', 's', '.', 'f', 'a',
        't', 0x00, 0x02, 0x01, 0x01, 0x00, 0x02, 0xe0, 0x00, 0x40, 0x0b, 0xf0, 0x09,
        0x00, 0x12, 0x00, 0x02, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
        0x00, 0x01, 0x29, 0x45, 0xbb, 0x3c, 0xdb, 'N', 'O', ' ', 'N', 'A', 'M', 'E',
        ' ', ' ', ' ', ' ', 'F', 'A', 'T', '1', '2', ' ', ' ', ' '};

static void a_floppys_boot_sector_decodes_to_its_fields(void **state)
{
    uint8_t raw[FAT_BOOT_BYTES] = {0};
    struct fat_bpb got;

    (void)state;
    memcpy(raw, floppy, sizeof(floppy));
    fat_bpb_decode(raw, &got);
    assert_int_equal(got.sector_bytes, 512);
    assert_int_equal(got.cluster_sectors, 1);
    assert_int_equal(got.reserved_sectors, 1);
    assert_int_equal(got.fat_count, 2);
    assert_int_equal(got.root_entries, 224);
    assert_int_equal(got.total_sectors_16, 2880);
    assert_int_equal(got.media, 0xf0);
    assert_int_equal(got.fat_sectors_16, 9);
    assert_int_equal(got.track_sectors, 18);
    assert_int_equal(got.heads, 2);
    assert_int_equal(got.total_sectors_32, 0);
    assert_int_equal(got.state, FAT_STATE_DIRTY);
    assert_int_equal(got.boot_signature, 0x29);
    assert_int_equal(got.serial, 0xdb3cbb45);
    assert_memory_equal(got.label, "NO NAME    ", FAT_LABEL_BYTES);
    assert_memory_equal(got.type_name, "FAT12   ", 8);
    assert_memory_equal(got.oem_name, "mkfs.fat", 8);
    assert_false(got.is_fat32);
    assert_false(got.has_signature);
}

/* Each field has bytes of its own, so that a swapped offset shows. */
static struct fat_bpb distinct(bool is_fat32)
{
    struct fat_bpb bpb = {
            .sector_bytes = 0x0102,
            .cluster_sectors = 0x03,
            .reserved_sectors = 0x0405,
            .fat_count = 0x06,
            .root_entries = 0x0708,
            .total_sectors_16 = 0x090a,
            .media = 0x0b,
            .fat_sectors_16 = is_fat32 ? 0 : 0x0c0d,
            .track_sectors = 0x0e0f,
            .heads = 0x1011,
            .hidden_sectors = 0x12131415,
            .total_sectors_32 = 0x16171819,
            .drive = 0x2c,
            .state = 0x2d,
            .boot_signature = 0x2e,
            .serial = 0x2f303132,
            .is_fat32 = is_fat32,
            .has_signature = true,
    };

    memcpy(bpb.label, "ABCDEFGHIJK", sizeof(bpb.label));
    memcpy(bpb.type_name, "STUVWXYZ", sizeof(bpb.type_name));
    memcpy(bpb.oem_name, "abcdefgh", sizeof(bpb.oem_name));
    if (is_fat32) {
        bpb.fat_sectors_32 = 0x1a1b1c1d;
        bpb.ext_flags = 0x1e1f;
        bpb.version = 0x2021;
        bpb.root_cluster = 0x22232425;
        bpb.fsinfo_sector = 0x2627;
        bpb.backup_sector = 0x2829;
    }
    return bpb;
}

static void assert_same_fields(const struct fat_bpb *got, const struct fat_bpb *want)
{
    assert_int_equal(got->sector_bytes, want->sector_bytes);
    assert_int_equal(got->cluster_sectors, want->cluster_sectors);
    assert_int_equal(got->reserved_sectors, want->reserved_sectors);
    assert_int_equal(got->fat_count, want->fat_count);
    assert_int_equal(got->root_entries, want->root_entries);
    assert_int_equal(got->total_sectors_16, want->total_sectors_16);
    assert_int_equal(got->media, want->media);
    assert_int_equal(got->fat_sectors_16, want->fat_sectors_16);
    assert_int_equal(got->track_sectors, want->track_sectors);
    assert_int_equal(got->heads, want->heads);
    assert_int_equal(got->hidden_sectors, want->hidden_sectors);
    assert_int_equal(got->total_sectors_32, want->total_sectors_32);
    assert_int_equal(got->fat_sectors_32, want->fat_sectors_32);
    assert_int_equal(got->ext_flags, want->ext_flags);
    assert_int_equal(got->version, want->version);
    assert_int_equal(got->root_cluster, want->root_cluster);
    assert_int_equal(got->fsinfo_sector, want->fsinfo_sector);
    assert_int_equal(got->backup_sector, want->backup_sector);
    assert_int_equal(got->drive, want->drive);
    assert_int_equal(got->state, want->state);
    assert_int_equal(got->boot_signature, want->boot_signature);
    assert_int_equal(got->serial, want->serial);
    assert_memory_equal(got->label, want->label, sizeof(want->label));
    assert_memory_equal(got->type_name, want->type_name, sizeof(want->type_name));
    assert_memory_equal(got->oem_name, want->oem_name, sizeof(want->oem_name));
    assert_int_equal(got->is_fat32, want->is_fat32);
    assert_int_equal(got->has_signature, want->has_signature);
}

static void encode_then_decode_is_identity(void **state)
{
    (void)state;
    for (int is_fat32 = 0; is_fat32 < 2; is_fat32++) {
        const struct fat_bpb want = distinct(is_fat32 != 0);
        uint8_t raw[FAT_BOOT_BYTES];
        struct fat_bpb got;

        memset(raw, 0x5a, sizeof(raw));
        fat_bpb_encode(&want, raw);
        fat_bpb_decode(raw, &got);
        assert_same_fields(&got, &want);
    }
}

struct golden_byte {
    const char *name;
    bool is_fat32;
    size_t offset;
    uint8_t want;
};

static const struct golden_byte golden_bytes[] = {
        {"16: jump over the fields", false, 1, 0x3c},
        {"16: sectors per FAT", false, 22, 0x0d},
        {"16: drive", false, 36, 0x2c},
        {"16: state", false, 37, 0x2d},
        {"16: serial", false, 39, 0x32},
        {"16: label", false, 43, 'A'},
        {"16: type", false, 54, 'S'},
        {"16: no boot code", false, 62, 0},
        {"32: jump over the fields", true, 1, 0x58},
        {"32: sectors per FAT", true, 36, 0x1d},
        {"32: flags", true, 40, 0x1f},
        {"32: version", true, 42, 0x21},
        {"32: root cluster", true, 44, 0x25},
        {"32: FSInfo sector", true, 48, 0x27},
        {"32: backup boot sector", true, 50, 0x29},
        {"32: the reserved bytes are 0", true, 52, 0},
        {"32: drive", true, 64, 0x2c},
        {"32: state", true, 65, 0x2d},
        {"32: serial", true, 67, 0x32},
        {"32: label", true, 71, 'A'},
        {"32: type", true, 82, 'S'},
        {"32: no boot code", true, 90, 0},
        {"32: signature", true, 510, 0x55},
        {"32: signature, second byte", true, 511, 0xaa},
};

static void encode_puts_each_field_at_its_documented_offset(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(golden_bytes); i++) {
        const struct golden_byte *c = &golden_bytes[i];
        const struct fat_bpb bpb = distinct(c->is_fat32);
        uint8_t raw[FAT_BOOT_BYTES];

        memset(raw, 0x5a, sizeof(raw));
        fat_bpb_encode(&bpb, raw);
        if (raw[c->offset] != c->want) {
            fail_msg("%s: got %02x", c->name, raw[c->offset]);
        }
    }
}

static struct fat_bpb good(void)
{
    return (struct fat_bpb){.sector_bytes = 512,
            .cluster_sectors = 4,
            .reserved_sectors = 1,
            .fat_count = 2,
            .root_entries = 512,
            .total_sectors_32 = 204800,
            .media = 0xf8,
            .fat_sectors_16 = 200};
}

struct validate_case {
    const char *name;
    const char *field; /* in the broken rule; NULL: accepted */
    size_t offset;     /* of what is set to .value, in struct fat_bpb */
    size_t bytes;
    uint16_t value;
};

#define SET(field, value) \
    offsetof(struct fat_bpb, field), sizeof(((struct fat_bpb *)NULL)->field), value

static const struct validate_case validate_cases[] = {
        {"no reserved sectors", "BPB_RsvdSecCnt", SET(reserved_sectors, 0)},
        {"65535 reserved sectors", NULL, SET(reserved_sectors, 65535)},
        {"no FAT", "BPB_NumFATs", SET(fat_count, 0)},
        {"one FAT", NULL, SET(fat_count, 1)},
        {"255 FATs", NULL, SET(fat_count, 255)},
        {"media 00", "BPB_Media", SET(media, 0x00)},
        {"media EF", "BPB_Media", SET(media, 0xef)},
        {"media F0", NULL, SET(media, 0xf0)},
        {"media F1", "BPB_Media", SET(media, 0xf1)},
        {"media F7", "BPB_Media", SET(media, 0xf7)},
        {"media F8", NULL, SET(media, 0xf8)},
        {"media FF", NULL, SET(media, 0xff)},
        {"sector size 0", "BPB_BytsPerSec", SET(sector_bytes, 0)},
        {"sector size 256", "BPB_BytsPerSec", SET(sector_bytes, 256)},
        {"sector size 513", "BPB_BytsPerSec", SET(sector_bytes, 513)},
        {"sector size 1536", "BPB_BytsPerSec", SET(sector_bytes, 1536)},
        {"sector size 512", NULL, SET(sector_bytes, 512)},
        {"sector size 4096", NULL, SET(sector_bytes, 4096)},
        {"sector size 8192", "BPB_BytsPerSec", SET(sector_bytes, 8192)},
        {"no sectors in a cluster", "BPB_SecPerClus", SET(cluster_sectors, 0)},
        {"3 sectors in a cluster", "BPB_SecPerClus", SET(cluster_sectors, 3)},
        {"255 sectors in a cluster", "BPB_SecPerClus", SET(cluster_sectors, 255)},
        {"128 sectors in a cluster", NULL, SET(cluster_sectors, 128)},
        {"FATs of no sectors", "BPB_FATSz16", SET(fat_sectors_16, 0)},
        {"tracks without sectors", NULL, SET(track_sectors, 0)},
        {"no heads", NULL, SET(heads, 0)},
        {"an unknown version", NULL, SET(version, 0x0101)},
        {"a wrong signature", NULL, SET(has_signature, false)},
};

/* The members are of one or two bytes; little-endian hosts and others alike. */
static void set_member(struct fat_bpb *bpb, const struct validate_case *c)
{
    const uint8_t byte = (uint8_t)c->value;

    if (c->bytes == sizeof(byte)) {
        memcpy((char *)bpb + c->offset, &byte, sizeof(byte));
    } else {
        memcpy((char *)bpb + c->offset, &c->value, sizeof(c->value));
    }
}

static void validate_accepts_what_linux_mounts_and_names_what_it_does_not(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(validate_cases); i++) {
        const struct validate_case *c = &validate_cases[i];
        struct fat_bpb bpb = good();
        const char *rule = "untouched";
        fat_err err;

        set_member(&bpb, c);
        err = fat_bpb_validate(&bpb, &rule);
        if (err != (c->field ? FAT_E_NOTFAT : FAT_OK)) {
            fail_msg("%s: got %d", c->name, (int)err);
        }
        if (!strstr(rule, c->field ? c->field : "untouched")) {
            fail_msg("%s: got rule \"%s\"", c->name, rule);
        }
    }
}

static void fat32_length_makes_up_for_no_16_bit_length(void **state)
{
    struct fat_bpb bpb = good();
    const char *rule = NULL;

    (void)state;
    bpb.fat_sectors_16 = 0;
    bpb.fat_sectors_32 = 1;
    bpb.is_fat32 = true;
    assert_int_equal(fat_bpb_validate(&bpb, &rule), FAT_OK);
}

static void all_zeros_and_all_ones_are_no_boot_sector(void **state)
{
    uint8_t raw[FAT_BOOT_BYTES] = {0};
    struct fat_bpb bpb;
    const char *rule = NULL;

    (void)state;
    fat_bpb_decode(raw, &bpb);
    assert_int_equal(fat_bpb_validate(&bpb, &rule), FAT_E_NOTFAT);
    assert_non_null(rule);
    memset(raw, 0xff, sizeof(raw));
    fat_bpb_decode(raw, &bpb);
    assert_int_equal(fat_bpb_validate(&bpb, &rule), FAT_E_NOTFAT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(a_floppys_boot_sector_decodes_to_its_fields),
            cmocka_unit_test(encode_then_decode_is_identity),
            cmocka_unit_test(encode_puts_each_field_at_its_documented_offset),
            cmocka_unit_test(
                    validate_accepts_what_linux_mounts_and_names_what_it_does_not),
            cmocka_unit_test(fat32_length_makes_up_for_no_16_bit_length),
            cmocka_unit_test(all_zeros_and_all_ones_are_no_boot_sector),
    };

    return cmocka_run_group_tests_name("bpb", tests, NULL, NULL);
}
