/* SPDX-License-Identifier: MIT */
#include "mkimage/arguments.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "mkimage/complain.h"
#include "mkimage/quantity.h"

static const char help[] =
        "usage: fatward-mkimage OUT --size=SIZE[K|M|G|T] [OPTION...]\n"
        "\n"
        "Make a FAT volume in the file OUT, and fill it from a folder.\n"
        "\n"
        "      --size=SIZE          of the volume, in bytes or with a suffix\n"
        "      --type=12|16|32      width of the FAT; by size if not given\n"
        "      --label=TEXT         volume label, up to 11 characters\n"
        "      --sector-size=BYTES  512, 1024, 2048 or 4096; 512 if not given\n"
        "      --cluster-size=SIZE  a power of two, 1 to 128 sectors\n"
        "      --fats=COUNT         copies of the FAT; 2 if not given\n"
        "      --serial=HEX         volume serial number, as 1234-ABCD\n"
        "  -d, --directory=DIR      copy what is in DIR into the volume\n"
        "      --follow             copy what symbolic links in DIR lead to\n"
        "      --force              overwrite OUT, or format a block device\n"
        "  -v, --verbose            say what was made\n"
        "  -h, --help               print this\n"
        "  -V, --version            print the version\n"
        "\n"
        "SOURCE_DATE_EPOCH in the environment: no time in the volume is later than\n"
        "it, and the serial number follows from it.\n";

enum option_code {
    OPTION_SIZE = 256,
    OPTION_TYPE,
    OPTION_LABEL,
    OPTION_SECTOR_SIZE,
    OPTION_CLUSTER_SIZE,
    OPTION_FATS,
    OPTION_SERIAL,
    OPTION_FOLLOW,
    OPTION_FORCE,
};

static const struct option long_options[] = {
        {"size", required_argument, NULL, OPTION_SIZE},
        {"type", required_argument, NULL, OPTION_TYPE},
        {"label", required_argument, NULL, OPTION_LABEL},
        {"sector-size", required_argument, NULL, OPTION_SECTOR_SIZE},
        {"cluster-size", required_argument, NULL, OPTION_CLUSTER_SIZE},
        {"fats", required_argument, NULL, OPTION_FATS},
        {"serial", required_argument, NULL, OPTION_SERIAL},
        {"directory", required_argument, NULL, 'd'},
        {"follow", no_argument, NULL, OPTION_FOLLOW},
        {"force", no_argument, NULL, OPTION_FORCE},
        {"verbose", no_argument, NULL, 'v'},
        {"help", no_argument, NULL, 'h'},
        {"version", no_argument, NULL, 'V'},
        {NULL, 0, NULL, 0},
};

/* What can only be judged once all options are known. */
struct raw {
    uint64_t sector_bytes, cluster_bytes;
};

static bool parse_type(const char *text, unsigned *ret)
{
    static const struct {
        const char *text;
        unsigned type;
    } types[] = {{"12", 12}, {"16", 16}, {"32", 32}};

    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        if (strcmp(text, types[i].text) == 0) {
            *ret = types[i].type;
            return true;
        }
    }
    complain("--type", "12, 16 or 32");
    return false;
}

/* MSFAT 6.1: what an 8.3 name may hold, and spaces. */
static bool parse_label(const char *text, char ret[12])
{
    const size_t length = strlen(text);

    if (length > 11) {
        complain("--label", "at most 11 characters");
        return false;
    }
    for (size_t i = 0; i < length; i++) {
        if (text[i] < 0x20 || text[i] > 0x7E || strchr("\"*+,./:;<=>?[\\]|", text[i])) {
            complain("--label",
                    "plain ASCII, without a backslash and \" * + , . / : ; < = > ? [ ] |");
            return false;
        }
    }
    if (text[0] == ' ') {
        complain("--label", "a label can't begin with a space");
        return false;
    }
    memcpy(ret, text, length + 1);
    return true;
}

static bool parse_bytes(const char *option, const char *text, uint64_t *ret)
{
    if (quantity_parse(text, ret)) {
        return true;
    }
    complain(option, "a number of bytes above 0, or with K, M, G or T behind it");
    return false;
}

static bool parse_fats(const char *text, uint32_t *ret)
{
    uint64_t count;

    if (quantity_parse(text, &count) && count <= 255) {
        *ret = (uint32_t)count;
        return true;
    }
    complain("--fats", "1 to 255");
    return false;
}

static bool parse_serial(const char *text, struct fat_format_options *format)
{
    format->has_serial = quantity_parse_serial(text, &format->serial);
    if (!format->has_serial) {
        complain("--serial", "up to eight hexadecimal digits");
    }
    return format->has_serial;
}

static bool take_option(int code, struct arguments *ret, struct raw *raw)
{
    switch (code) {
    case OPTION_SIZE:
        return parse_bytes("--size", optarg, &ret->size_bytes);
    case OPTION_TYPE:
        return parse_type(optarg, &ret->format.type);
    case OPTION_LABEL:
        return parse_label(optarg, ret->format.label);
    case OPTION_SECTOR_SIZE:
        return parse_bytes("--sector-size", optarg, &raw->sector_bytes);
    case OPTION_CLUSTER_SIZE:
        return parse_bytes("--cluster-size", optarg, &raw->cluster_bytes);
    case OPTION_FATS:
        return parse_fats(optarg, &ret->format.fat_count);
    case OPTION_SERIAL:
        return parse_serial(optarg, &ret->format);
    case 'd':
        ret->folder = optarg;
        return true;
    case OPTION_FOLLOW:
        return ret->follow = true;
    case OPTION_FORCE:
        return ret->force = true;
    case 'v':
        return ret->verbose = true;
    default: /* getopt_long has said what is wrong */
        return false;
    }
}

static bool is_power_of_two(uint64_t number)
{
    return number != 0 && (number & (number - 1)) == 0;
}

static bool combine(const struct raw *raw, struct fat_format_options *ret)
{
    const uint64_t sector = raw->sector_bytes ? raw->sector_bytes : 512;

    if (!is_power_of_two(sector) || sector < 512 || sector > 4096) {
        complain("--sector-size", "512, 1024, 2048 or 4096");
        return false;
    }
    ret->sector_bytes = (uint32_t)sector;
    if (raw->cluster_bytes == 0) {
        return true;
    }
    if (!is_power_of_two(raw->cluster_bytes) || raw->cluster_bytes < sector ||
            raw->cluster_bytes > 128 * sector) {
        complain("--cluster-size",
                "a power of two from one sector (%u bytes) to 128 (%u bytes)",
                (unsigned)sector, (unsigned)(128 * sector));
        return false;
    }
    ret->cluster_sectors = (uint32_t)(raw->cluster_bytes / sector);
    return true;
}

/* https://reproducible-builds.org/specs/source-date-epoch/ */
static bool read_epoch(struct arguments *ret)
{
    const char *text = getenv("SOURCE_DATE_EPOCH");
    char *end;
    long long seconds;

    if (!text || *text == '\0') {
        ret->format.now.seconds = (int64_t)time(NULL);
        return true;
    }
    errno = 0;
    seconds = strtoll(text, &end, 10);
    if (errno != 0 || *end != '\0' || seconds < 0) {
        complain("SOURCE_DATE_EPOCH", "not a number of seconds");
        return false;
    }
    ret->format.now.seconds = seconds;
    ret->has_epoch = true;
    return true;
}

static bool misuse(int *ret_status)
{
    fputs("Try 'fatward-mkimage --help'.\n", stderr);
    *ret_status = MKIMAGE_USAGE;
    return false;
}

static bool take_out(int argc, char **argv, struct arguments *ret)
{
    if (argc - optind != 1) {
        complain(NULL, "%s", optind >= argc ? "OUT is missing" : "one OUT is enough");
        return false;
    }
    ret->out = argv[optind];
    return true;
}

static bool goes_together(const struct arguments *arguments)
{
    if (arguments->follow && !arguments->folder) {
        complain("--follow", "goes with -d");
        return false;
    }
    return true;
}

bool arguments_parse(int argc, char **argv, struct arguments *ret, int *ret_status)
{
    struct raw raw = {0, 0};
    int code;

    *ret = (struct arguments){0};
    while ((code = getopt_long(argc, argv, "d:vhV", long_options, NULL)) != -1) {
        if (code == 'h' || code == 'V') {
            fputs(code == 'h' ? help : "fatward-mkimage " FATWARD_VERSION "\n", stdout);
            *ret_status = MKIMAGE_DONE;
            return false;
        }
        if (!take_option(code, ret, &raw)) {
            return misuse(ret_status);
        }
    }
    if (!take_out(argc, argv, ret) || !goes_together(ret) ||
            !combine(&raw, &ret->format) || !read_epoch(ret)) {
        return misuse(ret_status);
    }
    return true;
}
