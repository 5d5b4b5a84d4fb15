/* SPDX-License-Identifier: MIT */
#include "by_hand.h"

#include <stdio.h>
#include <unistd.h>

#include "medium.h"
#include "ops.h"
#include "server.h"

/*
 * libfuse unmounts by the directory's name, so not when a signal has unmounted already
 * and an open file keeps the connection: it would take off whatever was mounted there
 * before us.
 */
static int serve_and_close(struct fat_server *s)
{
    bool left_over = true;
    bool ok =
            fat_server_start(s, s->options->directory) && fat_server_run(s, &left_over);

    if (left_over) {
        fuse_session_unmount(s->session);
    }
    ok = fat_server_finish(s) && ok;
    return ok ? EXIT_DONE : EXIT_SYSTEM;
}

static int detach_and_serve(struct fat_server *s)
{
    if (fuse_daemonize(s->options->foreground) != 0) {
        fuse_session_unmount(s->session);
        (void)fat_server_finish(s);
        return EXIT_SYSTEM;
    }
    if (!s->options->foreground) {
        fat_log_to_syslog(&s->log);
    }
    return serve_and_close(s);
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

static int run(struct fat_options *options)
{
    struct fat_server s = {.options = options};
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
    (void)fat_server_finish(&s);
    return status;
}

static void print_versions(void)
{
    (void)printf("fatward %s, libfuse %s\n", FAT_VERSION, fuse_pkgversion());
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
