/* SPDX-License-Identifier: MIT */
#include "image.h"

#include <string.h>

#include "base/bytes.h"
#include "fuzz.h"
#include "ondisk/bpb.h"
#include "ondisk/dirent.h"
#include "ondisk/geometry.h"
#include "presets.h"
#include "support/overlay.h"

enum { SECTOR = 512, PIECES_MAX = 64, CHAIN_MAX = 16 };

/* Enough for what an input touches; the usual 8 MiB take longer to set up than to use. */
enum { CACHE_BYTES = 1 << 18 };

/* Where the structures are, for the patches that name one. */
struct layout {
    bool known, sound;
    struct fat_geometry g;
    struct piece {
        uint64_t offset;
        uint32_t slots;
    } pieces[PIECES_MAX]; /* of directories */
    unsigned piece_count;
};

static void read_at(struct fat_blkdev *dev, uint64_t at, void *bytes, size_t length)
{
    memset(bytes, 0, length);
    if (at < dev->size_bytes && dev->size_bytes - at >= length) {
        PROMISE(dev->ops->read(dev, at, bytes, length) == FAT_OK);
    }
}

/* What lies outside is left out. */
static void write_at(
        struct fat_blkdev *dev, uint64_t at, const uint8_t *bytes, size_t length)
{
    if (at >= dev->size_bytes) {
        return;
    }
    if (length > dev->size_bytes - at) {
        length = (size_t)(dev->size_bytes - at);
    }
    PROMISE(dev->ops->write(dev, at, bytes, length) == FAT_OK);
}

static uint64_t cluster_at(const struct layout *l, uint32_t cluster)
{
    return fat_geometry_sector(&l->g, cluster) * l->g.sector_bytes;
}

static void add_piece(struct layout *l, uint64_t offset, uint64_t bytes)
{
    if (l->piece_count < PIECES_MAX) {
        l->pieces[l->piece_count++] = (struct piece){
                .offset = offset, .slots = (uint32_t)(bytes / FAT_SLOT_BYTES)};
    }
}

static void add_chain(struct layout *l, struct fat_blkdev *dev, uint32_t cluster)
{
    uint8_t raw[FAT_ENT_BYTES_MAX];

    for (int i = 0; i < CHAIN_MAX && fat_geometry_holds(&l->g, cluster); i++) {
        const struct fat_ent_span span = fat_ent_locate(l->g.type, cluster);

        add_piece(l, cluster_at(l, cluster), l->g.cluster_bytes);
        read_at(dev, l->g.fat_start * l->g.sector_bytes + span.offset, raw,
                span.length);
        cluster = fat_ent_decode(l->g.type, cluster, raw).cluster;
    }
}

static void add_folders(struct layout *l, struct fat_blkdev *dev, struct piece piece)
{
    for (uint32_t slot = 0; slot < piece.slots && slot < 256; slot++) {
        uint8_t raw[FAT_SLOT_BYTES];
        struct fat_dirent entry;

        read_at(dev, piece.offset + (uint64_t)slot * FAT_SLOT_BYTES, raw, sizeof(raw));
        if (fat_slot_classify(raw) == FAT_SLOT_SHORT && raw[0] != '.') {
            fat_dirent_decode(l->g.type, raw, &entry);
            if (entry.attributes & FAT_ATTR_DIRECTORY) {
                add_chain(l, dev, entry.first_cluster);
            }
        }
    }
}

static void learn(struct layout *l, struct fat_blkdev *dev)
{
    uint8_t raw[FAT_BOOT_BYTES];
    struct fat_bpb bpb;
    const char *rule;

    l->known = true;
    read_at(dev, 0, raw, sizeof(raw));
    fat_bpb_decode(raw, &bpb);
    l->sound = fat_bpb_validate(&bpb, &rule) == FAT_OK &&
               fat_geometry_derive(&bpb, &l->g, &rule) == FAT_OK;
    if (!l->sound) {
        return;
    }
    if (l->g.root_cluster) {
        add_chain(l, dev, l->g.root_cluster);
    } else {
        add_piece(l, l->g.root_start * l->g.sector_bytes,
                (uint64_t)l->g.root_entries * FAT_SLOT_BYTES);
    }
    for (unsigned i = 0; i < l->piece_count; i++) {
        add_folders(l, dev, l->pieces[i]);
    }
}

static void patch_one_link(const struct layout *l, struct fat_blkdev *dev,
        uint32_t copy, uint32_t cluster, uint32_t value)
{
    const struct fat_ent_span span = fat_ent_locate(l->g.type, cluster);
    const uint64_t at = (l->g.fat_start + copy * l->g.fat_sectors) * l->g.sector_bytes +
                        span.offset;
    uint8_t raw[FAT_ENT_BYTES_MAX];

    read_at(dev, at, raw, span.length);
    if (l->g.type == FAT_TYPE_12) {
        const uint32_t old = fat_get16(raw, 0);

        value = cluster & 1 ? (old & 0xf) | value << 4
                            : (old & 0xf000) | (value & 0xfff);
    }
    if (span.length == 2) {
        fat_put16(raw, 0, (uint16_t)value);
    } else {
        fat_put32(raw, 0, value);
    }
    write_at(dev, at, raw, span.length);
}

static void patch_link(
        const struct layout *l, struct fat_blkdev *dev, uint32_t where, uint32_t value)
{
    const uint32_t cluster = (where & UINT32_C(0x0fffffff)) % (l->g.cluster_count + 2);
    const uint32_t which = where >> 28;

    for (uint32_t copy = 0; copy < l->g.fat_count; copy++) {
        if (which == 15 || which % l->g.fat_count == copy) {
            patch_one_link(l, dev, copy, cluster, value);
        }
    }
}

/* Byte @where of all the slots of all directories in a row. */
static uint64_t find_slot(const struct layout *l, uint32_t where)
{
    uint64_t all = 0;
    uint64_t slot = where / FAT_SLOT_BYTES;

    for (unsigned i = 0; i < l->piece_count; i++) {
        all += l->pieces[i].slots;
    }
    slot = all > 0 ? slot % all : UINT64_MAX;
    for (unsigned i = 0; i < l->piece_count; i++) {
        if (slot < l->pieces[i].slots) {
            return l->pieces[i].offset + slot * FAT_SLOT_BYTES + where % FAT_SLOT_BYTES;
        }
        slot -= l->pieces[i].slots;
    }
    return UINT64_MAX;
}

static void patch_structure(const struct layout *l, struct fat_blkdev *dev, int kind,
        uint32_t where, const uint8_t *bytes, size_t length)
{
    uint8_t value[4] = {0};
    uint64_t at;

    switch (kind) {
    case FUZZ_PATCH_FSINFO:
        at = (uint64_t)l->g.fsinfo_sector * l->g.sector_bytes + where % SECTOR;
        break;
    case FUZZ_PATCH_LINK:
        memcpy(value, bytes, length < sizeof(value) ? length : sizeof(value));
        patch_link(l, dev, where, fat_get32(value, 0));
        return;
    case FUZZ_PATCH_SLOT:
        at = find_slot(l, where);
        break;
    default:
        at = cluster_at(l, where >> 12 > 2 ? where >> 12 : 2) + (where & 0xfff);
        break;
    }
    write_at(dev, at, bytes, length);
}

static void patch(struct fat_blkdev *dev, const uint8_t *bytes, size_t length)
{
    struct layout layout = {.known = false};

    while (length >= FUZZ_PATCH_HEAD) {
        const int kind = bytes[0] % FUZZ_PATCH_KINDS;
        const uint32_t where = fat_get32(bytes, 1);
        size_t count = fat_get16(bytes, 5);

        bytes += FUZZ_PATCH_HEAD;
        length -= FUZZ_PATCH_HEAD;
        count = count < length ? count : length;
        if (kind == FUZZ_PATCH_BYTES || kind == FUZZ_PATCH_BOOT) {
            write_at(dev, kind == FUZZ_PATCH_BOOT ? where % SECTOR : where, bytes,
                    count);
        } else {
            /* where things were before anything of this kind was patched */
            if (!layout.known) {
                learn(&layout, dev);
            }
            if (layout.sound) {
                patch_structure(&layout, dev, kind, where, bytes, count);
            }
        }
        bytes += count;
        length -= count;
    }
}

/* Counts down to the call that fails. */
static bool fails(struct fuzz_image *image, int call)
{
    struct fuzz_fault *fault = &image->fault;

    if ((int)fault->call != call || fault->nth == 0) {
        return false;
    }
    if (fault->nth > 1) {
        fault->nth--;
        return false;
    }
    fault->nth = fault->always;
    return true;
}

static fat_err count_read(
        struct fat_blkdev *dev, uint64_t offset, void *buffer, size_t length)
{
    struct fuzz_image *image = (struct fuzz_image *)dev;

    image->reads++;
    if (offset > dev->size_bytes || length > dev->size_bytes - offset) {
        return FAT_E_RANGE;
    }
    if (fails(image, FUZZ_FAIL_READ)) {
        return FAT_E_IO;
    }
    return image->under->ops->read(image->under, offset, buffer, length);
}

static fat_err count_write(
        struct fat_blkdev *dev, uint64_t offset, const void *buffer, size_t length)
{
    struct fuzz_image *image = (struct fuzz_image *)dev;

    PROMISE(!dev->read_only && !(image->how & FUZZ_READ_ONLY));
    image->writes++;
    if (offset > dev->size_bytes || length > dev->size_bytes - offset) {
        return FAT_E_RANGE;
    }
    if (fails(image, FUZZ_FAIL_WRITE)) {
        return FAT_E_IO;
    }
    return image->under->ops->write(image->under, offset, buffer, length);
}

static fat_err count_flush(struct fat_blkdev *dev)
{
    return fails((struct fuzz_image *)dev, FUZZ_FAIL_FLUSH) ? FAT_E_IO : FAT_OK;
}

static struct fat_blkdev *overlay_of(unsigned preset)
{
    static struct overlay overlays[FUZZ_PRESETS];

    if (!overlays[preset].under) {
        PROMISE(overlay_init(&overlays[preset], fuzz_preset(preset)) == FAT_OK);
    }
    return &overlays[preset].dev;
}

void fuzz_image_open(struct fuzz_image *image, const uint8_t *bytes, size_t length)
{
    static const struct fat_blkdev_ops ops = {
            .read = count_read, .write = count_write, .flush = count_flush};
    uint8_t head[FUZZ_HEAD_BYTES] = {0};
    const size_t head_length = length < sizeof(head) ? length : sizeof(head);
    size_t body;

    memcpy(head, bytes, head_length);
    body = length - head_length;
    *image = (struct fuzz_image){.dev = {.ops = &ops, .block_bytes = SECTOR}};
    image->how = head[1];
    image->program_length = fat_get16(head, 2) < body ? fat_get16(head, 2) : body;
    image->program = bytes + length - image->program_length;
    body -= image->program_length;
    if (head[0] == FUZZ_RAW || head[0] == FUZZ_BLANK) {
        const uint64_t sectors = head[0] == FUZZ_RAW
                                         ? (body + SECTOR - 1) / SECTOR
                                         : fat_get32(head, 4) % FUZZ_SECTORS_MAX;

        PROMISE(fat_blkdev_mem_new(sectors * SECTOR, &image->under) == FAT_OK);
    } else {
        image->under = overlay_of(head[0] % FUZZ_PRESETS);
    }
    if (head[0] == FUZZ_RAW) {
        write_at(image->under, 0, bytes + head_length, body);
    } else {
        patch(image->under, bytes + head_length, body);
    }
    image->dev.size_bytes = image->under->size_bytes;
    if (image->how & FUZZ_CUT_SHORT) {
        image->dev.size_bytes = image->dev.size_bytes * 3 / 4;
    }
    image->dev.read_only = (image->how & FUZZ_FROZEN) != 0;
}

void fuzz_image_close(struct fuzz_image *image)
{
    if (image->under->ops->close) {
        fat_blkdev_close(image->under);
    } else {
        overlay_forget((struct overlay *)image->under);
    }
}

static struct fat_time stand_still(void *context)
{
    (void)context;
    return (struct fat_time){.seconds = 1700000000};
}

struct fat_volume_options fuzz_image_options(const struct fuzz_image *image)
{
    return (struct fat_volume_options){
            .flags = image->how & FUZZ_READ_ONLY ? FAT_VOLUME_READ_ONLY : 0,
            .cache_bytes = image->how & FUZZ_SMALL_CACHE ? 16384 : CACHE_BYTES,
            .clock = stand_still};
}

bool fuzz_image_check(struct fuzz_image *image, struct fat_check_summary *ret)
{
    const uint64_t writes = image->writes;
    const fat_err err = fat_check(&image->dev, NULL, NULL, ret);

    PROMISE(image->writes == writes);
    if (err != FAT_OK) {
        *ret = (struct fat_check_summary){0};
        return false;
    }
    return ret->leftovers == 0 && ret->damages == 0;
}

static void say(void *context, const struct fat_finding *finding)
{
    (void)context;
    (void)fprintf(stderr, "%s: %s: %s (cluster %u, byte %llu, %u %u)\n",
            finding->path ? finding->path : "-", fat_finding_name(finding->kind),
            finding->text, finding->cluster, (unsigned long long)finding->offset,
            finding->first, finding->second);
}

void fuzz_image_explain(struct fuzz_image *image)
{
    const fat_err err = fat_check(&image->dev, say, NULL, NULL);

    (void)fprintf(stderr, "the checker: %s\n", fat_err_text(err));
}
