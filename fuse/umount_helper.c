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
 * until it has let go of the image. Neither the server nor the name of the image need be
 * what they should: each wait has an end, and only a medium is opened.
 */
#define _GNU_SOURCE /* setns, strerrordesc_np, pipe2, O_PATH */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "mounts.h"
#include "service/mountinfo.h"
#include "tools/text/streams.h"
#include "unmount.h"

#define PROGRAM "umount.fuse.fatward"

/* umount(8)'s */
enum { EXIT_DONE = 0, EXIT_USAGE = 1, EXIT_SYSTEM = 2, EXIT_UNMOUNT = 32 };

enum {
    LONGEST_COMMIT_MS = 10000,
    LONGEST_DEATH_MS = 1000,
    LONGEST_WAIT_MS = 30000,
    LONGEST_WAIT_FOR_OTHERS_MS = 2000,
    STEP_MS = 20,
};

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

static bool misuse(void)
{
    (void)fprintf(
            stderr, "usage: " PROGRAM " DIRECTORY [-flnrv] [-N NAMESPACE] [-t TYPE]\n");
    return false;
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
            return misuse();
        }
    }
    /* umount(8) puts the directory before the options; getopt() moved it behind */
    if (optind + 1 != argc) {
        return misuse();
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

/* False: @fd, which a child holds the other end of, has not been closed in that time. */
static bool is_closed_within(int fd, int milliseconds)
{
    struct pollfd end = {.fd = fd, .events = POLLIN};

    return poll(&end, 1, milliseconds) != 0;
}

static void commit_in_child(const struct request *request, const int *ends)
{
    const pid_t child = fork();
    bool done;

    if (child == 0) {
        commit(request);
        _exit(EXIT_DONE);
    }
    close(ends[1]);
    if (child < 0) {
        return;
    }
    done = is_closed_within(ends[0], LONGEST_COMMIT_MS);
    if (!done) {
        (void)fprintf(stderr,
                PROGRAM ": %s: its server has not committed within %d seconds: changes "
                        "may be missing on the medium\n",
                request->directory, LONGEST_COMMIT_MS / 1000);
        (void)kill(child, SIGKILL);
        /* it keeps the mount busy; and not even that ends it at once in every state */
        done = is_closed_within(ends[0], LONGEST_DEATH_MS);
    }
    if (done) {
        (void)waitpid(child, NULL, 0);
    }
}

/* A server that does not answer would keep whoever asks it, and not only for a while. */
static void commit_for_a_while(const struct request *request)
{
    int ends[2];

    if (pipe2(ends, O_CLOEXEC) == 0) {
        commit_in_child(request, ends);
        close(ends[0]);
    }
}

static void pause_ms(long milliseconds)
{
    const struct timespec length = {
            .tv_sec = milliseconds / 1000, .tv_nsec = milliseconds % 1000 * 1000000};

    (void)nanosleep(&length, NULL); /* waking early only asks sooner */
}

/*
 * The source is a name that somebody chose, maybe not whoever unmounts: to open what is
 * no medium could be to use it, or to wait for ever. -1: errno tells.
 */
static int open_medium(const char *image)
{
    const int pinned = open(image, O_PATH | O_CLOEXEC);
    char name[32];
    struct stat status;
    int fd = -1;

    if (pinned < 0) {
        return -1;
    }
    if (fstat(pinned, &status) == 0) {
        if (S_ISREG(status.st_mode) || S_ISBLK(status.st_mode)) {
            (void)snprintf(name, sizeof(name), "/proc/self/fd/%d", pinned);
            fd = open(name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
        } else {
            errno = ENOTBLK;
        }
    }
    close(pinned); /* it can't fail, and errno stays */
    return fd;
}

static bool is_released_within(int fd, int milliseconds)
{
    int waited = 0;

    while (flock(fd, LOCK_SH | LOCK_NB) != 0) {
        if (waited >= milliseconds) {
            return false;
        }
        pause_ms(STEP_MS);
        waited += STEP_MS;
    }
    return true;
}

/* Whoever names another's image, or locks his own, must not keep others waiting. */
static bool is_to_be_believed(const struct fat_mounted *mounted)
{
    return mounted->has_user && (mounted->user == 0 || mounted->user == getuid());
}

/* The server holds its lock until all is written and closed. */
static int wait_for_server(
        const struct request *request, const struct fat_mounted *mounted)
{
    const bool believed = is_to_be_believed(mounted);
    const int limit_ms = believed ? LONGEST_WAIT_MS : LONGEST_WAIT_FOR_OTHERS_MS;
    const int fd = open_medium(mounted->source);
    bool released;

    if (fd < 0) {
        (void)fprintf(stderr, PROGRAM ": not waiting for the server of %s: %s: %s\n",
                request->directory, mounted->source, strerrordesc_np(errno));
        return EXIT_DONE;
    }
    released = is_released_within(fd, limit_ms);
    close(fd);
    if (!released) {
        (void)fprintf(stderr,
                PROGRAM ": %s is unmounted, but its server has not let go of %s "
                        "after %d seconds: do not remove the medium yet\n",
                request->directory, mounted->source, limit_ms / 1000);
        return believed ? EXIT_SYSTEM : EXIT_DONE;
    }
    if (request->verbose) {
        (void)printf(PROGRAM ": %s unmounted, %s is complete\n", request->directory,
                mounted->source);
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

    if (!request->force && !request->lazy) {
        commit_for_a_while(request);
    }
    status = take_off(request);
    /* a lazy unmount ends when its last user does, and nobody can wait for that */
    if (status != EXIT_DONE || request->lazy) {
        return status;
    }
    /* a bind mount, or what it was made from, is there still */
    if (fat_mountinfo_has(mounted->device)) {
        return EXIT_DONE;
    }
    return wait_for_server(request, mounted);
}

/* By hand it is fatward; the service has a type for each name of the file system. */
static bool is_ours(const char *type)
{
    static const char *const types[] = {"fatward", "vfat", "msdos", "fat"};
    const char *dot = strchr(type, '.');

    for (size_t i = 0; dot && i < sizeof(types) / sizeof(types[0]); i++) {
        if (strcmp(dot + 1, types[i]) == 0) {
            return fat_mountinfo_is_fuse(type);
        }
    }
    return false;
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
    } else if (fat_mountinfo_is_fuse(mounted.type)) {
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

    if (!streams_begin()) {
        return EXIT_SYSTEM;
    }
    return parse(argc, argv, &request) ? unmount_directory(&request) : EXIT_USAGE;
}
