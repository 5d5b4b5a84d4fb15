/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE /* close_range */
#include "by_hand.h"

#include <limits.h>
#include <stdio.h>
#include <unistd.h>

#include "medium.h"
#include "ops.h"
#include "sandbox.h"
#include "server.h"
#include "unmounter.h"

/*
 * libfuse unmounts by the directory's name, and would take off whatever lies on top
 * there. It is asked to only when the kernel has done so already: then it just closes.
 */
static int serve_and_close(struct fat_server *s, struct fat_unmounter *unmounter)
{
    bool left_over = true;
    bool ok = fat_server_start(s, unmounter) && fat_server_run(s, &left_over);

    if (fat_server_is_disconnected(s)) {
        fuse_session_unmount(s->session);
    }
    ok = fat_server_finish(s) && ok;
    if (left_over) {
        (void)fat_unmounter_left_over(unmounter);
    }
    fat_unmounter_free(unmounter);
    return ok ? EXIT_DONE : EXIT_SYSTEM;
}

static int detach_and_serve(struct fat_server *s)
{
    struct fat_unmounter *unmounter = NULL;

    if (fuse_daemonize(s->options->foreground) == 0) {
        if (!s->options->foreground) {
            fat_log_to_syslog(&s->log);
        }
        unmounter = fat_unmounter_new(s->options->directory);
        if (!unmounter) {
            fat_log_say(&s->log, true, "out of memory or processes");
        }
    }
    if (!unmounter) {
        fuse_session_unmount(s->session);
        (void)fat_server_finish(s);
        return EXIT_SYSTEM;
    }
    return serve_and_close(s, unmounter);
}

static int mount_and_serve(struct fat_server *s, const struct fat_medium *medium)
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
        return EXIT_MOUNT;
    }
    return detach_and_serve(s);
}

/* What the caller has open is no business of a server that others may take over. */
static void drop_descriptors(const struct fat_options *options)
{
    if (options->sandbox != FAT_SANDBOX_OFF) {
        (void)close_range(STDERR_FILENO + 1, UINT_MAX, 0); /* Linux 5.9 */
    }
}

static int run(struct fat_options *options)
{
    struct fat_server s = {.options = options};
    struct fat_medium medium;
    int status;

    if (!fat_options_locate(options)) {
        return EXIT_MOUNT;
    }
    s.log.image = options->image;
    fat_sandbox_init(&s.sandbox, options->sandbox);
    if (!fat_sandbox_suffices(&s.sandbox, &s.log)) {
        return EXIT_SYSTEM;
    }
    drop_descriptors(options);
    if (!fat_signals_block()) {
        return EXIT_SYSTEM;
    }
    if (!fat_medium_open(&s.mount, options, &s.log, &medium)) {
        return EXIT_MOUNT;
    }
    status = mount_and_serve(&s, &medium);
    (void)fat_server_finish(&s);
    return status;
}

static void print_versions(void)
{
    (void)printf("fatward %s, libfuse %s, sandbox: %s\n", FAT_VERSION,
            fuse_pkgversion(), fat_sandbox_built_in());
}

int fat_by_hand(int argc, char **argv)
{
    struct fat_options options;
    int status = EXIT_DONE;

    fat_options_init(&options, FAT_MOUNTER_IS_CALLER);
    options.mounter_is_root = geteuid() == 0;
    if (!fat_options_parse(&options, argc, argv)) {
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
