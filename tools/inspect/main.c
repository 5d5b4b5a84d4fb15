/* SPDX-License-Identifier: MIT */
/*
 * fatward-inspect: what a FAT image is, and whether it is sound.
 *
 * The command line and the way in; what the two subcommands do is in info.c and
 * check.c. An image is only ever read, under a shared lock.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <fatward/blkdev.h>
#include <fatward/error.h>

#include "inspect/commands.h"
#include "text/escape.h"

static const char help[] =
        "usage: fatward-inspect info IMAGE\n"
        "       fatward-inspect check [-v | -q] IMAGE\n"
        "\n"
        "info    print what the boot sector says and what follows from it\n"
        "check   look for everything that is wrong with the volume; change nothing\n"
        "  -v, --verbose   also the geometry, and how often each kind was found\n"
        "  -q, --quiet     only the exit status, and errors\n"
        "\n"
        "  -h, --help      print this\n"
        "  -V, --version   print the version\n"
        "\n"
        "Exit status, as of fsck(8): 0 clean, 4 errors were found and left as they\n"
        "are, 8 the image could not be read or is no FAT volume, 16 wrong usage.\n";

static const struct option long_options[] = {
        {"help", no_argument, NULL, 'h'},
        {"version", no_argument, NULL, 'V'},
        {"verbose", no_argument, NULL, 'v'},
        {"quiet", no_argument, NULL, 'q'},
        {"repair", no_argument, NULL, 'r'},
        {NULL, 0, NULL, 0},
};

enum { NOT_DONE = -1 };

struct arguments {
    enum check_verbosity verbosity;
    bool verbosity_given;
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

    while ((option = getopt_long(argc, argv, "hVvqr", long_options, NULL)) != -1) {
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
        case 'r':
            return misuse("this version can't repair; check only reports", NULL);
        default: /* getopt_long has said what is wrong */
            fputs("Try 'fatward-inspect --help'.\n", stderr);
            return INSPECT_USAGE;
        }
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
    if (ret->verbosity_given && strcmp(ret->command, "check") != 0) {
        return misuse("-v and -q are for check", NULL);
    }
    ret->image = argv[optind + 1];
    return NOT_DONE;
}

static int run(const struct arguments *arguments)
{
    struct fat_blkdev *dev;
    const fat_err err =
            fat_blkdev_file_open(arguments->image, FAT_BLKDEV_READ, 0, &dev);
    int status;

    if (err == FAT_E_BUSY) {
        inspect_complain(arguments->image,
                "is in use by another program that writes to it", NULL);
        return INSPECT_FAILED;
    }
    if (err) {
        inspect_complain(arguments->image, fat_err_text(err), NULL);
        return INSPECT_FAILED;
    }
    status = strcmp(arguments->command, "info") == 0
                     ? inspect_info(arguments->image, dev)
                     : inspect_check(arguments->image, dev, arguments->verbosity);
    fat_blkdev_close(dev);
    return status;
}

int main(int argc, char **argv)
{
    struct arguments arguments = {.verbosity = CHECK_FINDINGS};
    int status = parse(argc, argv, &arguments);

    if (status == NOT_DONE) {
        status = run(&arguments);
    }
    /* A report that did not arrive must not look like a clean one. */
    if (fflush(stdout) != 0 || ferror(stdout)) {
        inspect_complain(NULL, "the output could not be written", NULL);
        return status | INSPECT_FAILED;
    }
    return status;
}
