/* SPDX-License-Identifier: MIT */
/*
 * The boot sector, its backup, the marks in it, FSInfo and the label.
 */
#include <string.h>

#include "base/bytes.h"
#include "ondisk/fsinfo.h"
#include "volume/check_state.h"

enum { SMALLEST_FAT32 = 65525, FAT16_BY_WINDOWS = 4087 };

static const uint8_t no_name[FAT_LABEL_BYTES + 1] = "NO NAME    ";

static void say_odd(struct fat_check *c, unsigned field, const char *text)
{
    fat_check_say(c, &(struct fat_finding){.kind = FAT_FINDING_BOOT, .offset = field},
            "%s", text);
}

bool fat_check_label_is_legal(const uint8_t label[FAT_LABEL_BYTES])
{
    bool blank = true;

    for (size_t i = 0; i < FAT_LABEL_BYTES; i++) {
        const uint8_t byte = label[i];
        const bool kanji = i == 0 && byte == FAT_SLOT_KANJI_BYTE;

        if ((byte < 0x20 && !kanji) || byte == 0x7f ||
                (byte < 0x80 && strchr("\"*+,./:;<=>?[\\]|", byte))) {
            return false;
        }
        blank = blank && byte == ' ';
    }
    return !blank;
}

static bool has_boot_label(const struct fat_check *c)
{
    return c->bpb.boot_signature == 0x29;
}

/* A count on which systems do not agree how wide the FAT's entries are. */
static bool is_ambiguous(const struct fat_check *c)
{
    if (c->g.type == FAT_TYPE_32) {
        return c->claimed_count < SMALLEST_FAT32;
    }
    return c->claimed_count > FAT12_CLUSTERS_MAX && c->claimed_count < FAT16_BY_WINDOWS;
}

static bool is_jump(const uint8_t *boot)
{
    return boot[0] == 0xe9 || (boot[0] == 0xeb && boot[2] == 0x90);
}

static bool fsinfo_is_outside(const struct fat_bpb *bpb)
{
    return bpb->is_fat32 && bpb->fsinfo_sector != 0xffff &&
           bpb->fsinfo_sector >= bpb->reserved_sectors;
}

static void check_fields(struct fat_check *c)
{
    const struct fat_bpb *bpb = &c->bpb;
    const bool fat32 = bpb->is_fat32;
    const struct {
        bool odd;
        unsigned field;
        const char *text;
    } rules[] = {
            {!is_jump(c->boot), BS_JMP_BOOT, "BS_jmpBoot is no jump (EB xx 90 or E9)"},
            {!bpb->has_signature, BS_SIGNATURE, "the signature 55 AA is missing"},
            {bpb->total_sectors_16 && bpb->total_sectors_32 &&
                            bpb->total_sectors_16 != bpb->total_sectors_32,
                    BPB_TOT_SEC32, "BPB_TotSec16 and BPB_TotSec32 disagree"},
            {bpb->fat_count > 2, BPB_NUM_FATS,
                    "BPB_NumFATs is above 2, which some systems refuse"},
            {fat32 && bpb->root_entries, BPB_ROOT_ENT_CNT,
                    "BPB_RootEntCnt is not 0 on FAT32"},
            {!fat32 && bpb->root_entries % (bpb->sector_bytes / FAT_SLOT_BYTES) != 0,
                    BPB_ROOT_ENT_CNT, "BPB_RootEntCnt does not fill its last sector"},
            {fat32 && bpb->version, BPB_FS_VER,
                    "BPB_FSVer is not 0.0, which Windows refuses"},
            {!c->g.mirrored, BPB_EXT_FLAGS,
                    "mirroring is off, which Windows refuses; one FAT is active"},
            {fsinfo_is_outside(bpb), BPB_FS_INFO,
                    "BPB_FSInfo lies outside the reserved sectors"},
            {c->g.fat_clamped, fat32 ? BPB_FATSZ32 : BPB_FATSZ16,
                    "the FAT has fewer entries than the data area has clusters"},
            {is_ambiguous(c), BPB_SEC_PER_CLUS,
                    "systems disagree about the FAT type of this cluster count"},
            {has_boot_label(c) && !fat_check_label_is_legal(bpb->label),
                    fat32 ? BS32_VOL_LAB : BS16_VOL_LAB,
                    "BS_VolLab is blank or has illegal bytes"},
    };

    for (size_t i = 0; i < sizeof(rules) / sizeof(*rules); i++) {
        if (rules[i].odd) {
            say_odd(c, rules[i].field, rules[i].text);
        }
    }
}

/* Bytes that differ in the two sectors, the dirty byte aside. */
static unsigned count_differences(
        const uint8_t *boot, const uint8_t *backup, unsigned *ret_first)
{
    unsigned count = 0;

    for (unsigned i = 0; i < FAT_BOOT_BYTES; i++) {
        if (boot[i] != backup[i] && i != BS32_STATE) {
            *ret_first = count == 0 ? i : *ret_first;
            count++;
        }
    }
    return count;
}

static void check_backup(struct fat_check *c)
{
    const uint64_t offset = (uint64_t)c->g.backup_sector * c->g.sector_bytes;
    uint8_t backup[FAT_BOOT_BYTES];
    unsigned first = 0, count;

    if (c->g.type != FAT_TYPE_32 || c->g.backup_sector == 0) {
        return;
    }
    if (fat_check_read(c, offset, backup, sizeof(backup)) != FAT_OK) {
        fat_check_say(c,
                &(struct fat_finding){.kind = FAT_FINDING_READ_ERROR, .offset = offset},
                "the backup boot sector in sector %u can't be read",
                (unsigned)c->g.backup_sector);
        return;
    }
    count = count_differences(c->boot, backup, &first);
    if (count != 0) {
        fat_check_say(c,
                &(struct fat_finding){.kind = FAT_FINDING_BACKUP_BOOT,
                        .offset = offset + first,
                        .first = count,
                        .second = first},
                "the backup boot sector in sector %u differs in %u bytes, the first at "
                "%u",
                (unsigned)c->g.backup_sector, count, first);
    }
}

static void check_state_byte(struct fat_check *c)
{
    const unsigned field = c->bpb.is_fat32 ? BS32_STATE : BS16_STATE;

    if (c->bpb.state & FAT_STATE_DIRTY) {
        fat_check_say(c,
                &(struct fat_finding){.kind = FAT_FINDING_DIRTY, .offset = field},
                "the boot sector says the volume was not unmounted");
    }
    if (c->bpb.state & FAT_STATE_SURFACE_TEST) {
        fat_check_say(c,
                &(struct fat_finding){.kind = FAT_FINDING_HARD_ERROR, .offset = field},
                "the boot sector asks for a surface test");
    }
}

/* Clusters that lie on the device whole. */
static uint32_t count_real_clusters(const struct fat_check *c)
{
    const uint64_t data = c->g.data_start * c->g.sector_bytes;
    const uint64_t size = c->dev->size_bytes;
    const uint64_t room = size > data ? (size - data) / c->g.cluster_bytes : 0;

    return room < c->claimed_count ? (uint32_t)room : c->claimed_count;
}

/* What of the volume would have to be on the device and is not; NULL if it is. */
static const char *missing_part(const struct fat_check *c)
{
    const struct fat_geometry *g = &c->g;
    const uint64_t fat = g->fat_start + g->active_fat * g->fat_sectors;
    const uint64_t sectors = c->dev->size_bytes / g->sector_bytes;

    if (fat >= sectors) {
        return "the FAT";
    }
    return count_real_clusters(c) == 0 ? "the data area" : NULL;
}

/* Trusts the device, not the boot sector: from here on g has what is really there. */
static fat_err fit_to_device(struct fat_check *c)
{
    const uint64_t end = fat_geometry_end(&c->g);
    const uint64_t size = c->dev->size_bytes;
    const char *missing;

    c->claimed_count = c->g.cluster_count;
    if (end <= size) {
        return FAT_OK;
    }
    missing = missing_part(c);
    fat_check_say(c, &(struct fat_finding){.kind = FAT_FINDING_DEVICE_SHORT},
            "the boot sector claims %llu bytes, the device has %llu%s%s",
            (unsigned long long)end, (unsigned long long)size,
            missing ? "; nothing is there of " : "", missing ? missing : "");
    c->g.cluster_count = count_real_clusters(c);
    return missing ? FAT_E_CORRUPT : FAT_OK;
}

static fat_err refuse(struct fat_check *c, fat_err err, const char *rule)
{
    fat_check_say_as(c, FAT_WEIGHT_DAMAGE,
            &(struct fat_finding){.kind = FAT_FINDING_BOOT}, "%s", rule);
    return err;
}

static fat_err read_boot(struct fat_check *c)
{
    const char *rule = "";
    fat_err err;

    if (c->dev->size_bytes < sizeof(c->boot)) {
        return refuse(c, FAT_E_NOTFAT, "the device is smaller than a boot sector");
    }
    err = fat_check_read(c, 0, c->boot, sizeof(c->boot));
    if (err != FAT_OK) {
        fat_check_say(c, &(struct fat_finding){.kind = FAT_FINDING_READ_ERROR},
                "the boot sector can't be read");
        return err;
    }
    fat_bpb_decode(c->boot, &c->bpb);
    err = fat_bpb_validate(&c->bpb, &rule);
    if (err == FAT_OK) {
        err = fat_geometry_derive(&c->bpb, &c->g, &rule);
    }
    return err == FAT_OK ? FAT_OK : refuse(c, err, rule);
}

fat_err fat_check_boot(struct fat_check *c)
{
    fat_err err = read_boot(c);

    if (err == FAT_OK) {
        err = fit_to_device(c);
    }
    if (err == FAT_OK) {
        check_fields(c);
        check_backup(c);
        check_state_byte(c);
        c->sum.type = (unsigned)c->g.type;
        c->sum.cluster_bytes = c->g.cluster_bytes;
        c->sum.cluster_count = c->g.cluster_count;
        c->alias_steps = (uint64_t)c->g.cluster_count * 2 + 1024;
    }
    return err;
}

static void check_free_count(struct fat_check *c, uint64_t offset, uint32_t count)
{
    if (count == FAT_FSINFO_UNKNOWN) {
        fat_check_say(c,
                &(struct fat_finding){.kind = FAT_FINDING_FSINFO_UNKNOWN,
                        .offset = offset + FSI_FREE_COUNT,
                        .second = c->sum.clusters_free},
                "FSInfo's free count is unknown, %u clusters are free",
                (unsigned)c->sum.clusters_free);
    } else if (count != c->sum.clusters_free &&
               c->claimed_count == c->g.cluster_count) {
        fat_check_say(c,
                &(struct fat_finding){.kind = FAT_FINDING_FSINFO_COUNT,
                        .offset = offset + FSI_FREE_COUNT,
                        .first = count,
                        .second = c->sum.clusters_free},
                "FSInfo says %u clusters are free, %u are", (unsigned)count,
                (unsigned)c->sum.clusters_free);
    }
}

void fat_check_fsinfo(struct fat_check *c)
{
    const uint64_t offset = (uint64_t)c->g.fsinfo_sector * c->g.sector_bytes;
    uint8_t raw[FAT_BOOT_BYTES];
    uint32_t hint;

    if (c->g.type != FAT_TYPE_32 || c->g.fsinfo_sector == 0) {
        return;
    }
    if (fat_check_read(c, offset, raw, sizeof(raw)) != FAT_OK) {
        fat_check_say(c,
                &(struct fat_finding){.kind = FAT_FINDING_READ_ERROR, .offset = offset},
                "FSInfo in sector %u can't be read", (unsigned)c->g.fsinfo_sector);
        return;
    }
    if (!fat_fsinfo_is_valid(raw)) {
        fat_check_say(c,
                &(struct fat_finding){
                        .kind = FAT_FINDING_FSINFO_SIGNATURE, .offset = offset},
                "sector %u is no FSInfo, a signature is wrong",
                (unsigned)c->g.fsinfo_sector);
        return;
    }
    check_free_count(c, offset, fat_get32(raw, FSI_FREE_COUNT));
    hint = fat_get32(raw, FSI_NXT_FREE);
    if (hint != FAT_FSINFO_UNKNOWN &&
            (hint < FAT_CLUSTER_FIRST ||
                    hint - FAT_CLUSTER_FIRST >= c->claimed_count)) {
        fat_check_say(c,
                &(struct fat_finding){.kind = FAT_FINDING_FSINFO_HINT,
                        .offset = offset + FSI_NXT_FREE,
                        .first = hint},
                "FSInfo's hint %u is no cluster of this volume", (unsigned)hint);
    }
}

static bool is_no_label(const uint8_t *label)
{
    return memcmp(label, no_name, FAT_LABEL_BYTES) == 0 ||
           !fat_check_label_is_legal(label);
}

void fat_check_boot_label(struct fat_check *c)
{
    const unsigned field = c->bpb.is_fat32 ? BS32_VOL_LAB : BS16_VOL_LAB;
    const bool boot_has = !is_no_label(c->bpb.label);
    const struct fat_finding seed = {
            .kind = FAT_FINDING_LABEL_DIFFERS, .offset = field};

    if (!has_boot_label(c) || !c->has_root) {
        return;
    }
    if (boot_has && !c->has_label) {
        fat_check_say(c, &seed, "the boot sector has a label, the root has none");
    } else if (!boot_has && c->has_label) {
        fat_check_say(c, &seed, "the root has a label, the boot sector has none");
    } else if (c->has_label && memcmp(c->label, c->bpb.label, FAT_LABEL_BYTES) != 0) {
        fat_check_say(c, &seed, "the boot sector's label is not the root's");
    }
}
