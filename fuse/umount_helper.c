/* SPDX-License-Identifier: MIT */
/*
 * /sbin/umount.fuse.fatward, .vfat, .msdos and .fat, which umount(8) runs by itself.
 *
 * It is installed as /sbin/umount.fuse too: for root and an absolute path, libmount
 * knows from statfs(2) that it is a fuse mount and doesn't look for the subtype. So
 * it is run for the mounts of other fuse servers, and these it unmounts as umount(8)
 * would have, without touching them first.
 *
 * umount(2) on a plain fuse mount returns before the server has written what it
 * holds. So: have it commit while it can still say that it failed, unmount, and wait
 * until it has let go of the image.
 */
#define _GNU_SOURCE /* setns, strerrordesc_np */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#include "mounts.h"
#include "unmount.h"

#define PROGRAM "umount.fuse.fatward"

/* umount(8)'s */
enum { EXIT_DONE = 0, EXIT_USAGE = 1, EXIT_SYSTEM = 2, EXIT_UNMOUNT = 32 };

enum { LONGEST_WAIT_MS = 30000, STEP_MS = 20 };

struct request {
    char *directory;
    bool lazy, force, verbose;
};

static bool enter_namespace(const char *where)
{
    char path[64];
    int fd;
    bool ok;

    /* a process number or a path, as umount(8) takes it */
    if (where[0] != '/') {
        (void)snprintf(path, sizeof(path), "/proc/%.20s/ns/mnt", where);
        where = path;
    }
    fd = open(where, O_RDONLY | O_CLOEXEC);
    ok = fd >= 0 && setns(fd, CLONE_NEWNS) == 0;
    if (!ok) {
        (void)fprintf(stderr, PROGRAM ": %s: %s\n", where, strerrordesc_np(errno));
    }
    if (fd >= 0) {
        close(fd);
    }
    return ok;
}

/* False: said why. -n and -r have no meaning here and are accepted. */
static bool parse(int argc, char **argv, struct request *ret)
{
    int option;

    /* NOLINTNEXTLINE(concurrency-mt-unsafe): there is only one thread */
    while ((option = getopt(argc, argv, "flnrvN:t:")) != -1) {
        switch (option) {
        case 'f':
            ret->force = true;
            break;
        case 'l':
            ret->lazy = true;
            break;
        case 'v':
            ret->verbose = true;
            break;
        case 'N':
            if (!enter_namespace(optarg)) {
                return false;
            }
            break;
        case 'n':
        case 'r':
        case 't':
            break;
        default:
            return false;
        }
    }
    /* umount(8) puts the directory before the options; getopt() moved it behind */
    if (optind + 1 != argc) {
        (void)fprintf(
                stderr, "usage: " PROGRAM " DIRECTORY [-flnrv] [-N PID] [-t TYPE]\n");
        return false;
    }
    ret->directory = argv[optind];
    return true;
}

/* A server that is gone has nothing to commit; one that fails must be heard. */
static void commit(const struct request *request)
{
    const int fd = open(request->directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd < 0) {
        return;
    }
    if (fsync(fd) != 0 && errno != ENOTCONN && errno != EROFS) {
        (void)fprintf(stderr,
                PROGRAM ": %s: changes may be missing on the medium: %s\n",
                request->directory, strerrordesc_np(errno));
    }
    close(fd);
}

static void pause_ms(long milliseconds)
{
    const struct timespec length = {
            .tv_sec = milliseconds / 1000, .tv_nsec = milliseconds % 1000 * 1000000};

    (void)nanosleep(&length, NULL); /* waking early only asks sooner */
}

/* The server holds its lock until all is written and closed. */
static int wait_for_server(const struct request *request, const char *image)
{
    const int fd = open(image, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    int waited = 0;
    int result;

    if (fd < 0) {
        (void)fprintf(stderr, PROGRAM ": not waiting for the server of %s: %s: %s\n",
                request->directory, image, strerrordesc_np(errno));
        return EXIT_DONE;
    }
    do {
        result = flock(fd, LOCK_SH | LOCK_NB);
        if (result != 0 && waited < LONGEST_WAIT_MS) {
            pause_ms(STEP_MS);
        }
        waited += STEP_MS;
    } while (result != 0 && waited <= LONGEST_WAIT_MS);
    close(fd);
    if (result != 0) {
        (void)fprintf(stderr,
                PROGRAM ": %s is unmounted, but its server has not let go of %s "
                        "after %d seconds: do not remove the medium yet\n",
                request->directory, image, LONGEST_WAIT_MS / 1000);
        return EXIT_SYSTEM;
    }
    if (request->verbose) {
        (void)printf(
                PROGRAM ": %s unmounted, %s is complete\n", request->directory, image);
    }
    return EXIT_DONE;
}

static int take_off(const struct request *request)
{
    const int error = fat_unmount(request->directory, request->lazy, request->force);

    if (error) {
        (void)fprintf(stderr, PROGRAM ": %s: %s\n", request->directory,
                strerrordesc_np(error));
        return EXIT_UNMOUNT;
    }
    return EXIT_DONE;
}

static int unmount(const struct request *request, const struct fat_mounted *mounted)
{
    int status;

    if (!request->force) {
        commit(request);
    }
    status = take_off(request);
    /* a lazy unmount ends when its last user does, and nobody can wait for that */
    return status != EXIT_DONE || request->lazy
                   ? status
                   : wait_for_server(request, mounted->source);
}

/* By hand it is fatward; the service has a type for each name of the file system. */
static bool is_ours(const char *type)
{
    static const char *const types[] = {"fatward", "vfat", "msdos", "fat"};
    const char *dot = strchr(type, '.');

    for (size_t i = 0; dot && i < sizeof(types) / sizeof(types[0]); i++) {
        if (strcmp(dot + 1, types[i]) == 0) {
            return strncmp(type, "fuse.", 5) == 0 || strncmp(type, "fuseblk.", 8) == 0;
        }
    }
    return false;
}

static bool is_fuse(const char *type)
{
    return strcmp(type, "fuse") == 0 || strcmp(type, "fuseblk") == 0 ||
           strncmp(type, "fuse.", 5) == 0 || strncmp(type, "fuseblk.", 8) == 0;
}

/* umount(8) passes the path as the kernel knows it: only others need resolving. */
static bool find_mount(struct request *request, struct fat_mounted *ret)
{
    char *absolute;

    if (fat_mounts_find(request->directory, ret)) {
        return true;
    }
    absolute = realpath(request->directory, NULL);
    if (!absolute) {
        return false;
    }
    request->directory = absolute;
    return fat_mounts_find(absolute, ret);
}

static int unmount_directory(struct request *request)
{
    char *const given = request->directory;
    struct fat_mounted mounted = {.type = NULL};
    int status = EXIT_USAGE;

    if (!find_mount(request, &mounted)) {
        (void)fprintf(stderr, PROGRAM ": %s: not mounted\n", request->directory);
    } else if (is_ours(mounted.type)) {
        status = unmount(request, &mounted);
    } else if (is_fuse(mounted.type)) {
        status = take_off(request);
    } else {
        (void)fprintf(stderr, PROGRAM ": %s: a mount of type %s is not ours\n",
                request->directory, mounted.type);
    }
    fat_mounted_done(&mounted);
    if (request->directory != given) {
        free(request->directory);
    }
    return status;
}

int main(int argc, char **argv)
{
    struct request request = {.directory = NULL};

    return parse(argc, argv, &request) ? unmount_directory(&request) : EXIT_USAGE;
}
