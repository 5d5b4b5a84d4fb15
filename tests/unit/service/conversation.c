/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE /* memfd_create */
#include "conversation.h"

#include <fcntl.h>
#include <fuse_lowlevel.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#include "service/argv.h"
#include "service/channel.h"
#include "service/server.h"

#include "support/cmocka.h"
#include "support/descriptors.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

enum { PEER_LIMIT_SECONDS = 20, HURRIED_MS = 40 };

unsigned longest_limit_ms, shortest_limit_ms;

/* The message that never comes, and those that were waited for. */
static int silent_at;
static int waited;

/* NOLINTBEGIN(bugprone-reserved-identifier,readability-identifier-naming): the linker's --wrap= */
int __real_fat_channel_receive(
        int socket, unsigned limit_ms, struct fat_channel_packet *packet, int *ret_fd);
int __wrap_fat_channel_receive(
        int socket, unsigned limit_ms, struct fat_channel_packet *packet, int *ret_fd);

int __wrap_fat_channel_receive(
        int socket, unsigned limit_ms, struct fat_channel_packet *packet, int *ret_fd)
{
    longest_limit_ms = limit_ms > longest_limit_ms ? limit_ms : longest_limit_ms;
    shortest_limit_ms = limit_ms < shortest_limit_ms ? limit_ms : shortest_limit_ms;
    return __real_fat_channel_receive(
            socket, waited++ == silent_at ? HURRIED_MS : limit_ms, packet, ret_fd);
}
/* NOLINTEND(bugprone-reserved-identifier,readability-identifier-naming) */

int memory_file(const void *bytes, size_t length)
{
    const int fd = memfd_create("test", MFD_CLOEXEC);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes, length), length);
    return fd;
}

static int command_line(void)
{
    static const char *const words[] = {
            "vfat", IMAGE_PATH, DIRECTORY_PATH, "-o", "uid=7,x-a=1"};
    void *bytes = NULL;
    size_t length = 0;
    int fd;

    assert_int_equal(
            fat_argv_encode(words, COUNT(words), &bytes, &length), FAT_ARGV_SOUND);
    fd = memory_file(bytes, length);
    free(bytes);
    return fd;
}

/* Nothing else may be opened as number 3. */
void reserve_descriptor(void)
{
    const int fd = open("/dev/null", O_RDONLY);

    assert_true(fd >= 0);
    if (fd != ACTIVATED) {
        assert_int_equal(dup2(fd, ACTIVATED), ACTIVATED);
        assert_int_equal(close(fd), 0);
    }
}

/* NOLINTBEGIN(concurrency-mt-unsafe): the helper's thread knows no environment */
void activate(int socket)
{
    char pid[16];

    (void)snprintf(pid, sizeof(pid), "%ld", (long)getpid());
    assert_int_equal(dup2(socket, ACTIVATED), ACTIVATED);
    assert_int_equal(close(socket), 0);
    assert_int_equal(setenv("LISTEN_PID", pid, 1), 0);
    assert_int_equal(setenv("LISTEN_FDS", "1", 1), 0);
}
/* NOLINTEND(concurrency-mt-unsafe) */

static struct fuse_session *new_session(void)
{
    static const struct fuse_lowlevel_ops ops = {.init = NULL};
    char name[] = "test";
    char *argv[] = {name, NULL};
    struct fuse_args args = FUSE_ARGS_INIT(1, argv);
    struct fuse_session *const session =
            fuse_session_new(&args, &ops, sizeof(ops), NULL);

    assert_non_null(session);
    fuse_opt_free_args(&args);
    return session;
}

/* Whether @fd is the file that the helper passed, and nobody else's in a child. */
static bool is_same(int fd, int passed)
{
    struct stat one;
    struct stat other;

    return fstat(fd, &one) == 0 && fstat(passed, &other) == 0 &&
           one.st_ino == other.st_ino && fcntl(fd, F_GETFD) == FD_CLOEXEC;
}

static bool is_in_root(void)
{
    struct stat here;
    struct stat root;

    return stat(".", &here) == 0 && stat("/", &root) == 0 &&
           here.st_dev == root.st_dev && here.st_ino == root.st_ino;
}

static int take_words(struct fat_service *service, struct result *result)
{
    char name[] = "fatward";
    char word[] = "--unit";
    char *argv[] = {name, word, NULL};
    struct fuse_args args = FUSE_ARGS_INIT(2, argv);
    const int error = fat_service_append_arguments(service, &args);

    for (int i = 0; i < args.argc; i++) {
        const size_t used = strlen(result->words);

        (void)snprintf(result->words + used, sizeof(result->words) - used, "%s|",
                args.argv[i]);
    }
    fuse_opt_free_args(&args);
    return error;
}

/* As a server does it, up to its goodbye. */
static void serve(const struct peer *p, const struct wishes *wishes,
        struct fuse_session *session, struct result *result)
{
    const struct fat_service_mount mount = {.source = "the source",
            .directory = DIRECTORY_PATH,
            .words = wishes->options,
            .fuseblk = wishes->fuseblk};
    struct fat_service *service = NULL;
    int fd = -1;

    result->where = "accept";
    result->error = fat_service_accept(&service);
    if (!result->error) {
        result->where = "append_arguments";
        result->error = take_words(service, result);
    }
    if (!result->error) {
        result->where = "open";
        result->error = fat_service_open(service, IMAGE_PATH, wishes->open_flags, &fd);
    }
    if (!result->error) {
        result->has_image = is_same(fd, p->image_fd);
        (void)close(fd);
        result->where = "mount";
        result->error = fat_service_mount(service, session, &mount);
    }
    if (!result->error) {
        result->where = "";
        result->mounted = true;
        result->is_in_root = is_in_root();
        fat_service_goodbye(service, true);
    }
    fat_service_free(service);
}

static void serve_recorded(const struct peer *p, const struct wishes *wishes,
        struct fuse_session *session, struct result *result)
{
    const int before = dup(STDERR_FILENO);
    const int record = memfd_create("stderr", 0);
    ssize_t length;

    (void)fflush(stderr);
    (void)dup2(record, STDERR_FILENO);
    serve(p, wishes, session, result);
    (void)fflush(stderr);
    (void)dup2(before, STDERR_FILENO);
    (void)close(before);
    length = pread(record, result->said, sizeof(result->said) - 1, 0);
    result->said[length > 0 ? length : 0] = '\0';
    (void)close(record);
}

struct peer new_peer(void)
{
    return (struct peer){
            .at = NOWHERE,
            .hello = {.kind = FAT_WIRE_HELLO,
                    .min_version = 1,
                    .version = 1,
                    .flags = FAT_WIRE_MAY_ALLOW_OTHER},
            .argv_fd = command_line(),
            .fuse_fd = open("/dev/null", O_RDWR | O_CLOEXEC),
            .image_fd = memory_file(BYTES("image")),
    };
}

void done_peer(struct peer *p)
{
    assert_int_equal(close(p->argv_fd), 0);
    assert_int_equal(close(p->fuse_fd), 0);
    assert_int_equal(close(p->image_fd), 0);
}

/* The whole conversation. Nothing may leak, whatever becomes of it. */
struct result converse(struct peer *p, const struct wishes *wishes)
{
    const struct timeval limit = {.tv_sec = PEER_LIMIT_SECONDS};
    const unsigned open_before = count_descriptors();
    const int here = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
    struct fuse_session *const session = new_session();
    struct result result = {.where = ""};
    pthread_t thread;
    int ends[2];

    assert_true(here >= 0);
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
    assert_int_equal(
            setsockopt(ends[1], SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)), 0);
    p->socket = ends[1];
    activate(ends[0]);
    silent_at = p->how == SAYS_NOTHING ? p->at : NOWHERE;
    waited = 0;
    longest_limit_ms = 0;
    shortest_limit_ms = LIMIT_MS;
    assert_int_equal(pthread_create(&thread, NULL, peer_help, p), 0);
    serve_recorded(p, wishes, session, &result);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(fchdir(here), 0);
    /* the session's alone once there is a mount */
    assert_true(!result.mounted || is_same(fuse_session_fd(session), p->fuse_fd));
    fuse_session_destroy(session);
    assert_int_equal(close(here), 0);
    assert_int_equal(fcntl(ACTIVATED, F_GETFD), -1);
    reserve_descriptor();
    assert_int_equal(count_descriptors(), open_before);
    return result;
}
