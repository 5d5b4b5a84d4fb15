/* SPDX-License-Identifier: MIT */
/*
 * fatward-mkimage: a FAT volume in a file, filled from a folder.
 *
 * In this order, so that a refusal costs nothing: look at the command line, at what
 * is there already, at the size, at the folder and all its names; then write.
 */
#include <inttypes.h>
#include <stdio.h>

#include <fatward/error.h>
#include <fatward/format.h>
#include <fatward/volume.h>

#include "mkimage/arguments.h"
#include "mkimage/complain.h"
#include "mkimage/discard.h"
#include "mkimage/fill.h"
#include "mkimage/output.h"
#include "mkimage/quantity.h"
#include "mkimage/scan.h"
#include "mkimage/signals.h"
#include "text/streams.h"

static bool choose_size(
        const struct arguments *arguments, const struct output *output, uint64_t *ret)
{
    if (output->dev && arguments->size_bytes != 0 &&
            arguments->size_bytes != output->size_bytes) {
        complain(output->path, "is a device of %" PRIu64 " bytes; leave --size out",
                output->size_bytes);
        return false;
    }
    *ret = arguments->size_bytes ? arguments->size_bytes : output->size_bytes;
    if (*ret == 0) {
        complain(output->path, "--size is needed");
        return false;
    }
    return true;
}

static const char *format_refusal(fat_err err)
{
    switch ((int)err) {
    case FAT_E_NOSPC:
        return "too small for such a volume";
    case FAT_E_FBIG:
        return "too large for such a volume";
    case FAT_E_RANGE:
        return "some systems would read a volume of this size and cluster size as "
               "another type";
    default:
        return fat_err_text(err);
    }
}

static void complain_about_size(
        uint64_t size, const struct fat_format_options *options, fat_err err)
{
    char wanted[QUANTITY_TEXT], least[QUANTITY_TEXT], most[QUANTITY_TEXT];
    struct size_range range;

    quantity_format(size, wanted);
    complain(NULL, "%s: %s", wanted, format_refusal(err));
    if (err != FAT_E_NOSPC && err != FAT_E_FBIG && err != FAT_E_RANGE) {
        return;
    }
    if (discard_size_range(options, &range)) {
        complain(NULL, "no size is possible with these options");
        return;
    }
    quantity_format(range.least, least);
    quantity_format(range.most, most);
    complain(NULL, "possible with these options: %s to %s", least, most);
}

/* The volume has been tried out: what is too small is the disk below it. */
static bool complain_of_medium(const char *path, fat_err err)
{
    complain(path, "%s",
            err == FAT_E_NOSPC ? "the disk that it is written to is full"
                               : fat_err_text(err));
    return false;
}

static fat_err close_volume(struct fat_volume *volume, const char *path, bool filled)
{
    const fat_err err = fat_volume_close(volume);

    if (err && filled) {
        (void)complain_of_medium(path, err);
    }
    return err;
}

static void pass_on(void *context, const struct fat_report *report)
{
    const struct output *output = context;

    complain(output->path, "%s", report->text);
}

static struct fat_time tell_time(void *context)
{
    const struct fat_time *now = context;

    return *now;
}

/* One moment for the whole run: the time a file takes to write is not its age. */
static bool fill(struct output *output, const struct arguments *arguments,
        const struct source_rules *rules)
{
    struct fat_time now = arguments->format.now;
    const struct fat_time never = {INT64_MAX, 0};
    const struct fat_volume_options options = {
            .clock = tell_time,
            .clock_context = &now,
            .report = pass_on,
            .report_context = output,
    };
    struct fat_volume *volume;
    fat_err err = fat_volume_open(output->dev, &options, &volume);
    bool filled;

    if (err) {
        complain(output->path, "%s", fat_err_text(err));
        return false;
    }
    filled = fill_volume(
            volume, arguments->folder, rules, arguments->has_epoch ? now : never);
    err = close_volume(volume, output->path, filled);
    return filled && !err;
}

static void describe(const struct output *output, const struct fat_format_result *made,
        const struct scan_totals *totals)
{
    printf("FAT%u, %" PRIu32 " clusters of %" PRIu32 " bytes, serial %04" PRIX32
           "-%04" PRIX32 ", %" PRIu64 " files, %" PRIu64 " folders, %" PRIu64
           " bytes\n",
            made->type, made->cluster_count, made->cluster_sectors * made->sector_bytes,
            made->serial >> 16, made->serial & 0xFFFF, totals->files, totals->folders,
            output->dev->size_bytes);
}

/* A boot sector counts no more than 2^32-1 sectors. */
static void warn_of_waste(
        const char *path, uint64_t size, const struct fat_format_result *made)
{
    char used[QUANTITY_TEXT];

    if (size / made->sector_bytes > UINT32_MAX) {
        quantity_format((uint64_t)made->total_sectors * made->sector_bytes, used);
        complain(path,
                "only the first %s are used: FAT has no more than 4294967295 "
                "sectors; larger sectors (--sector-size) hold more",
                used);
    }
}

/* All that can be refused has been. */
static bool write_image(struct output *output, const struct arguments *arguments,
        const struct source_rules *rules, uint64_t size)
{
    fat_err err;

    if (signals_pending() || !output_prepare(output, size)) {
        return false;
    }
    err = fat_format(output->dev, &arguments->format, NULL);
    if (err) {
        return complain_of_medium(output->path, err);
    }
    return !arguments->folder || fill(output, arguments, rules);
}

static bool make(const struct arguments *arguments, struct output *output)
{
    const struct source_rules rules = {.follow = arguments->follow,
            .image_device = output->device,
            .image_inode = output->inode};
    struct fat_format_result geometry;
    const struct trial trial = {&arguments->format, &geometry};
    struct scan_totals totals = {0, 0, 0};
    uint64_t size;
    fat_err err;

    if (!choose_size(arguments, output, &size)) {
        return false;
    }
    err = discard_format(size, &arguments->format, &geometry);
    if (err) {
        complain_about_size(size, &arguments->format, err);
        return false;
    }
    if (arguments->folder && !scan_source(arguments->folder, &rules, &trial, &totals)) {
        return false;
    }
    warn_of_waste(output->path, size, &geometry);
    if (!write_image(output, arguments, &rules, size)) {
        return false;
    }
    if (arguments->verbose) {
        describe(output, &geometry, &totals);
    }
    return true;
}

static int run(int argc, char **argv)
{
    struct arguments arguments;
    struct output output;
    int status;
    bool made;

    if (!arguments_parse(argc, argv, &arguments, &status)) {
        return status;
    }
    signals_hold();
    if (!output_open(arguments.out, arguments.force, &output)) {
        return MKIMAGE_FAILED;
    }
    made = make(&arguments, &output);
    output_close(&output, made);
    signals_release();
    return made ? MKIMAGE_DONE : MKIMAGE_FAILED;
}

int main(int argc, char **argv)
{
    int status;

    if (!streams_begin()) {
        return MKIMAGE_FAILED;
    }
    status = run(argc, argv);
    if (!streams_end()) {
        complain(NULL, "the output could not be written");
        return MKIMAGE_FAILED;
    }
    return status;
}
