/* SPDX-License-Identifier: MIT */
/*
 * fatward-inspect: what a FAT image is, and whether it is sound.
 *
 * The command line and the way in; what the two subcommands do is in info.c, check.c
 * and repair.c. An image is read under a shared lock, repaired under an exclusive one.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <fatward/blkdev.h>
#include <fatward/error.h>

#include "inspect/commands.h"
#include "text/escape.h"
#include "text/streams.h"

static const char help[] =
        "usage: fatward-inspect info IMAGE\n"
        "       fatward-inspect check [-v | -q] [-n] IMAGE\n"
        "       fatward-inspect check [-v | -q] --repair [--save-lost] [--cut-sizes] IMAGE\n"
        "\n"
        "info    print what the boot sector says and what follows from it\n"
        "check   look for everything that is wrong with the volume\n"
        "  -n, --no-change change nothing: so it is without --repair\n"
        "  -r, --repair    mend what can be mended without loss; nobody may be using it\n"
        "      --save-lost lost clusters become files FSCK0000.REC... in the root\n"
        "                  directory; without it they become free\n"
        "      --cut-sizes a file that is larger than its chain is cut down to that;\n"
        "                  without it nothing is repaired beside such a file\n"
        "  -v, --verbose   also the geometry, and how often each kind was found\n"
        "  -q, --quiet     only the exit status, and errors\n"
        "\n"
        "  -h, --help      print this\n"
        "  -V, --version   print the version\n"
        "\n"
        "Exit status, as of fsck(8): 0 clean, 1 errors were mended, 4 errors were left\n"
        "as they are (5: some of them), 8 the image could not be read or written, is in\n"
        "use, or is no FAT volume, 16 wrong usage.\n";

enum { SAVE_LOST = 256, CUT_SIZES };

static const struct option long_options[] = {
        {"help", no_argument, NULL, 'h'},
        {"version", no_argument, NULL, 'V'},
        {"verbose", no_argument, NULL, 'v'},
        {"quiet", no_argument, NULL, 'q'},
        {"no-change", no_argument, NULL, 'n'},
        {"repair", no_argument, NULL, 'r'},
        {"save-lost", no_argument, NULL, SAVE_LOST},
        {"cut-sizes", no_argument, NULL, CUT_SIZES},
        {NULL, 0, NULL, 0},
};

enum { NOT_DONE = -1 };

struct arguments {
    enum check_verbosity verbosity;
    bool verbosity_given;
    bool no_change, repair;
    struct repair_wishes wishes;
    const char *command, *image;
};

void inspect_complain(const char *image, const char *what, const char *detail)
{
    fputs("fatward-inspect: ", stderr);
    if (image) {
        escape_print(stderr, image);
        fputs(": ", stderr);
    }
    fputs(what, stderr);
    if (detail) {
        fputs(": ", stderr);
        escape_print(stderr, detail);
    }
    fputc('\n', stderr);
}

static int misuse(const char *what, const char *detail)
{
    inspect_complain(NULL, what, detail);
    fputs("Try 'fatward-inspect --help'.\n", stderr);
    return INSPECT_USAGE;
}

static int parse_options(int argc, char **argv, struct arguments *ret)
{
    int option;

    while ((option = getopt_long(argc, argv, "hVvqnr", long_options, NULL)) != -1) {
        switch (option) {
        case 'h':
            fputs(help, stdout);
            return INSPECT_CLEAN;
        case 'V':
            puts("fatward-inspect " FATWARD_VERSION);
            return INSPECT_CLEAN;
        case 'v':
        case 'q':
            ret->verbosity = option == 'v' ? CHECK_VERBOSE : CHECK_QUIET;
            ret->verbosity_given = true;
            break;
        case 'n':
            ret->no_change = true;
            break;
        case 'r':
            ret->repair = true;
            break;
        case SAVE_LOST:
            ret->wishes.save_lost = true;
            break;
        case CUT_SIZES:
            ret->wishes.cut_sizes = true;
            break;
        default: /* getopt_long has said what is wrong */
            fputs("Try 'fatward-inspect --help'.\n", stderr);
            return INSPECT_USAGE;
        }
    }
    return NOT_DONE;
}

/* Do the options go with the command, and with each other? */
static int check_options(const struct arguments *a)
{
    const bool is_check = strcmp(a->command, "check") == 0;

    if (a->verbosity_given && !is_check) {
        return misuse("-v and -q are for check", NULL);
    }
    if ((a->repair || a->no_change) && !is_check) {
        return misuse("--repair and -n are for check", NULL);
    }
    if (a->repair && a->no_change) {
        return misuse("--repair or -n?", NULL);
    }
    if ((a->wishes.save_lost || a->wishes.cut_sizes) && !a->repair) {
        return misuse("--save-lost and --cut-sizes go with --repair", NULL);
    }
    return NOT_DONE;
}

static int parse(int argc, char **argv, struct arguments *ret)
{
    const int done = parse_options(argc, argv, ret);

    if (done != NOT_DONE) {
        return done;
    }
    if (optind >= argc) {
        return misuse("info or check?", NULL);
    }
    ret->command = argv[optind];
    if (strcmp(ret->command, "info") != 0 && strcmp(ret->command, "check") != 0) {
        return misuse("there is no such command", ret->command);
    }
    if (argc - optind != 2) {
        return misuse("one image is needed", NULL);
    }
    ret->image = argv[optind + 1];
    return check_options(ret);
}

static int run_command(const struct arguments *a, struct fat_blkdev *dev)
{
    if (strcmp(a->command, "info") == 0) {
        return inspect_info(a->image, dev);
    }
    return a->repair ? inspect_repair(a->image, dev, a->verbosity, &a->wishes)
                     : inspect_check(a->image, dev, a->verbosity);
}

static const char *why_not_opened(fat_err err, bool repair)
{
    switch ((int)err) {
    case FAT_E_BUSY:
        return repair ? "is in use by another program"
                      : "is in use by another program that writes to it";
    case FAT_E_INVAL:
        return "is neither a regular file nor a block device";
    case FAT_E_READONLY:
        return "can't be opened for writing";
    default:
        return fat_err_text(err);
    }
}

static int run(const struct arguments *arguments)
{
    const bool repair = arguments->repair;
    struct fat_blkdev *dev;
    const fat_err err = fat_blkdev_file_open(
            arguments->image, repair ? FAT_BLKDEV_WRITE : FAT_BLKDEV_READ, 0, &dev);
    int status;

    if (err) {
        inspect_complain(arguments->image, why_not_opened(err, repair), NULL);
        return INSPECT_FAILED;
    }
    status = run_command(arguments, dev);
    fat_blkdev_close(dev);
    return status;
}

int main(int argc, char **argv)
{
    struct arguments arguments = {.verbosity = CHECK_FINDINGS};
    int status;

    if (!streams_begin()) {
        return INSPECT_FAILED;
    }
    status = parse(argc, argv, &arguments);
    if (status == NOT_DONE) {
        status = run(&arguments);
    }
    /* A report that did not arrive must not look like a clean one. */
    if (!streams_end()) {
        inspect_complain(NULL, "the output could not be written", NULL);
        return status | INSPECT_FAILED;
    }
    return status;
}
