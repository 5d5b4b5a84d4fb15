/* SPDX-License-Identifier: MIT */
/* fatward IMAGE DIRECTORY: from the command line to a served mount, and back. */
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "log.h"
#include "loop.h"
#include "medium.h"
#include "mount.h"
#include "ops.h"
#include "options.h"
#include "signals.h"

/* mount(8)'s */
enum { EXIT_DONE = 0, EXIT_USAGE = 1, EXIT_SYSTEM = 2, EXIT_MOUNT = 32 };

struct server {
    struct fat_options *options;
    struct fat_log log;
    struct fat_mount mount;
    struct fuse_session *session;
};

/* Whether the kernel has ended the connection. */
static bool is_disconnected(struct fuse_session *session)
{
    struct pollfd fd = {.fd = fuse_session_fd(session)};

    return poll(&fd, 1, 0) == 1 && (fd.revents & POLLERR);
}

/*
 * Returns whether libfuse is to unmount. It goes by the directory's name, so not
 * when a signal has unmounted already and an open file keeps the connection: it
 * would take off whatever was mounted there before us.
 */
static bool serve(struct server *s, bool *ret_ok)
{
    struct fat_loop *loop = fat_loop_new(s->session, &s->mount);
    struct fat_signals *signals = NULL;
    bool left_over = true;

    *ret_ok = false;
    s->mount.notifier = fat_notifier_new(s->session);
    if (loop && s->mount.notifier && fat_mount_start(&s->mount, s->options)) {
        signals = fat_signals_new(loop, s->options->directory);
    }
    if (signals) {
        *ret_ok = fat_loop_run(loop, s->options->threads);
        left_over = !fat_signals_unmounted(signals) || is_disconnected(s->session);
    } else {
        fat_log_say(&s->log, true, "out of memory or threads");
    }
    fat_signals_free(signals);
    fat_loop_free(loop);
    return left_over;
}

static int serve_and_close(struct server *s)
{
    bool ok;

    if (serve(s, &ok)) {
        fuse_session_unmount(s->session);
    }
    fat_mount_finish(&s->mount);
    fat_notifier_free(s->mount.notifier);
    fuse_session_destroy(s->session);
    if (s->mount.last_err < 0) {
        fat_log_say_err(&s->log,
                "closing it failed, changes may be missing on the medium",
                s->mount.last_err);
    }
    return ok && s->mount.last_err == FAT_OK ? EXIT_DONE : EXIT_SYSTEM;
}

static int detach_and_serve(struct server *s)
{
    if (fuse_daemonize(s->options->foreground) != 0) {
        fuse_session_unmount(s->session);
        fuse_session_destroy(s->session);
        return EXIT_SYSTEM;
    }
    if (!s->options->foreground) {
        fat_log_detach(&s->log);
    }
    return serve_and_close(s);
}

static int mount_and_serve(struct server *s, const struct fat_medium *medium)
{
    const unsigned block_bytes =
            medium->held_by_kernel ? s->mount.device->block_bytes : 0;

    if (!fat_options_forward(s->options, medium->read_only, block_bytes)) {
        fat_log_say(&s->log, true, "out of memory");
        return EXIT_SYSTEM;
    }
    s->session = fuse_session_new(
            &s->options->forwarded, fat_ops(), sizeof(*fat_ops()), &s->mount);
    if (!s->session) {
        return EXIT_USAGE; /* libfuse has said why */
    }
    if (fuse_session_mount(s->session, s->options->directory) != 0) {
        fat_log_say(&s->log, true, "mounting failed");
        fuse_session_destroy(s->session);
        return EXIT_MOUNT;
    }
    return detach_and_serve(s);
}

static int run(struct fat_options *options)
{
    struct server s = {.options = options};
    struct fat_medium medium;
    int status;

    if (!fat_options_locate(options)) {
        return EXIT_MOUNT;
    }
    s.log.image = options->image;
    if (!fat_signals_block()) {
        return EXIT_SYSTEM;
    }
    if (!fat_medium_open(&s.mount, options, &s.log, &medium)) {
        return EXIT_MOUNT;
    }
    status = mount_and_serve(&s, &medium);
    fat_mount_finish(&s.mount);
    return status;
}

static void print_versions(void)
{
    (void)printf("fatward %s, libfuse %s\n", FAT_VERSION, fuse_pkgversion());
}

int main(int argc, char **argv)
{
    struct fat_options options;
    int status = EXIT_DONE;

    if (!fat_options_parse(argc, argv, &options)) {
        status = EXIT_USAGE;
    } else if (options.want_help) {
        fat_options_usage("fatward");
    } else if (options.want_version) {
        print_versions();
    } else {
        status = run(&options);
    }
    fat_options_done(&options);
    return status;
}
