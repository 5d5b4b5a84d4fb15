/* SPDX-License-Identifier: MIT */
#include "by_service.h"

#include <errno.h>
#include <fcntl.h>
#include <fuse_opt.h>
#include <linux/fs.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "medium.h"
#include "ops.h"
#include "server.h"
#include "service/server.h"

/* A server that is just leaving still commits and holds the medium for a moment. */
enum { BUSY_LIMIT_MS = 5000, BUSY_STEP_MS = 50 };

struct activated {
    struct fat_server server;
    struct fat_service *service;
    char *words;    /* for the kernel and its flags      */
    bool read_only; /* wanted, or all that could be had */
    bool fuseblk;   /* the kernel is to claim the device */
};

static void pause_ms(long milliseconds)
{
    const struct timespec length = {.tv_nsec = milliseconds * 1000000};

    (void)nanosleep(&length, NULL); /* waking early only asks sooner */
}

/* EBUSY is worth another try, for a while. */
static int open_patiently(const struct activated *a, int flags, int *ret_fd)
{
    int error;
    int waited_ms = 0;

    do {
        error = fat_service_open(a->service, a->server.options->image, flags, ret_fd);
        if (error == EBUSY) {
            pause_ms(BUSY_STEP_MS);
            waited_ms += BUSY_STEP_MS;
        }
    } while (error == EBUSY && waited_ms < BUSY_LIMIT_MS);
    return error;
}

static bool is_refusal(int error)
{
    return error == EACCES || error == EPERM || error == EROFS;
}

/* A block device opens for writing and refuses every write. */
static bool is_write_protected(int fd)
{
    int read_only = 0;

    return ioctl(fd, BLKROGET, &read_only) == 0 && read_only;
}

static int open_for_writing(struct activated *a, int claim, int *ret_fd)
{
    const int error = open_patiently(a, O_RDWR | claim, ret_fd);

    if (!error && is_write_protected(*ret_fd)) {
        close(*ret_fd);
        return EROFS;
    }
    return error;
}

static int open_image(struct activated *a, int claim, int *ret_fd)
{
    int error = a->read_only ? EROFS : open_for_writing(a, claim, ret_fd);

    if (!is_refusal(error)) {
        return error;
    }
    if (!a->read_only) {
        fat_log_say(&a->server.log, false,
                "the medium can't be written: mounting it read-only");
        a->read_only = true;
    }
    return open_patiently(a, O_RDONLY | claim, ret_fd);
}

/*
 * O_EXCL claims a block device and means nothing for a file. With fuseblk it is the
 * kernel that claims the device, which it cannot while we do: open it again without.
 */
static int open_claimed(struct activated *a, int *ret_fd)
{
    struct stat status, again;
    int error = open_image(a, O_EXCL, ret_fd);

    if (error || !fat_service_can_fuseblk(a->service)) {
        return error;
    }
    if (fstat(*ret_fd, &status) != 0) {
        error = errno;
        close(*ret_fd);
        return error;
    }
    if (!S_ISBLK(status.st_mode)) {
        return 0;
    }
    a->fuseblk = true;
    close(*ret_fd);
    error = open_image(a, 0, ret_fd);
    if (!error && (fstat(*ret_fd, &again) != 0 || again.st_rdev != status.st_rdev)) {
        close(*ret_fd);
        return ESTALE; /* the name leads to another device by now */
    }
    return error;
}

static bool open_medium(struct activated *a)
{
    struct fat_server *server = &a->server;
    struct fat_medium medium;
    int fd = -1;
    int error;

    a->read_only = server->options->read_only;
    error = open_claimed(a, &fd);
    if (error) {
        fat_log_say_errno(&server->log, "can't be opened", error);
        return false;
    }
    medium = (struct fat_medium){.read_only = a->read_only,
            .held_by_kernel = a->fuseblk,
            .continues = server->options->continues};
    if (!fat_medium_take(&server->mount, fd, &server->log, &medium)) {
        return false;
    }
    a->read_only = medium.read_only;
    return true;
}

static bool make_session(struct activated *a)
{
    struct fat_server *server = &a->server;
    const unsigned block_bytes = a->fuseblk ? server->mount.device->block_bytes : 0;

    if (fat_options_forward(server->options, a->read_only, block_bytes)) {
        a->words = fat_options_words(server->options);
    }
    if (!a->words) {
        fat_log_say(&server->log, true, "out of memory");
        return false;
    }
    /* libfuse takes out of the list what it knows, and says what it doesn't like */
    server->session = fuse_session_new(
            &server->options->forwarded, fat_ops(), sizeof(*fat_ops()), &server->mount);
    return server->session != NULL;
}

static bool mount(struct activated *a)
{
    struct fat_server *server = &a->server;
    struct fat_options *options = server->options;
    const struct fat_service_mount request = {
            .source = fat_options_source(options, a->fuseblk),
            .directory = options->directory,
            .words = a->words,
            .fuseblk = a->fuseblk,
    };
    const int error = fat_service_mount(a->service, server->session, &request);

    if (error) {
        fat_log_say_errno(&server->log, "mounting failed", error);
    }
    return !error;
}

static bool may_have_what_it_wants(struct activated *a)
{
    if (a->server.options->allow_other && !fat_service_can_allow_other(a->service)) {
        fat_log_say(&a->server.log, true,
                "option 'allow_other': only with user_allow_other in /etc/fuse.conf");
        return false;
    }
    return true;
}

/* Signals are blocked while all is set up. */
static bool may_stay(struct activated *a)
{
    sigset_t pending;

    if (sigpending(&pending) != 0 ||
            (!sigismember(&pending, SIGTERM) && !sigismember(&pending, SIGINT))) {
        return true;
    }
    fat_log_say(&a->server.log, true, "told to leave before it was served");
    return false;
}

/* All that may fail comes before the goodbye: the helper undoes a mount until then. */
static bool set_up(struct activated *a)
{
    return may_have_what_it_wants(a) && open_medium(a) && make_session(a) && mount(a) &&
           may_stay(a) && fat_server_start(&a->server, NULL);
}

static bool serve(struct activated *a)
{
    struct fat_server *server = &a->server;
    bool left_over;
    bool ok;

    fat_sandbox_init(&server->sandbox, server->options->sandbox);
    ok = fat_signals_block() && set_up(a);
    fat_service_goodbye(a->service, ok);
    fat_service_free(a->service);
    free(a->words);
    a->service = NULL;
    a->words = NULL;
    ok = ok && fat_server_run(server, &left_over);
    return fat_server_finish(server) && ok;
}

/* The unit's words first, then the caller's. */
static bool parse(
        struct fat_service *service, struct fat_options *options, int argc, char **argv)
{
    struct fuse_args args = FUSE_ARGS_INIT(argc, argv);
    bool ok = fat_service_append_arguments(service, &args) == 0 &&
              fat_options_parse(options, args.argc, args.argv);

    fuse_opt_free_args(&args);
    options->mounter_is_root = fat_service_can_fuseblk(service);
    if (ok && (options->want_help || options->want_version || options->foreground)) {
        (void)fprintf(stderr, "<3>fatward: -d, -f, -h and -V are for the command line; "
                              "fatward@.service(8) tells how to debug\n");
        ok = false;
    }
    return ok;
}

static bool run(struct fat_service *service, int argc, char **argv)
{
    struct fat_options options;
    struct activated a = {.server = {.options = &options}, .service = service};
    bool ok = false;

    fat_options_init(&options, FAT_MOUNTER_IS_UNKNOWN);
    if (parse(service, &options, argc, argv)) {
        a.server.log.image = options.image;
        fat_log_to_journal(&a.server.log);
        /* NOLINTNEXTLINE(concurrency-mt-unsafe): no thread has been started yet */
        options.debug = getenv("FATWARD_DEBUG") != NULL;
        ok = serve(&a);
    } else {
        fat_service_free(service);
    }
    fat_options_done(&options);
    return ok;
}

bool fat_by_service(int argc, char **argv, int *ret_status)
{
    struct fat_service *service;
    const int error = fat_service_accept(&service);

    if (!error && !service) {
        return false;
    }
    *ret_status = !error && run(service, argc, argv) ? 0 : 1;
    return true;
}
