/* SPDX-License-Identifier: MIT */
/*
 * The server's side by libfuse itself, 3.19 and later. It knows the options already,
 * from fuse_session_new(); its errors are negative; its time limits are none, so the
 * socket gets ours.
 */
#define _GNU_SOURCE
#include "service/server.h"

#include <errno.h>
#include <fuse_lowlevel.h>
#include <fuse_service.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

enum { ACTIVATED = 3, LIMIT_SECONDS = 30 };

struct fat_service {
    struct fuse_service *libfuse;
    bool parted; /* goodbye was said */
};

/* Whether descriptor 3 is a connection that systemd has started this process for. */
static bool is_activated(void)
{
    /* NOLINTBEGIN(concurrency-mt-unsafe): the only thread */
    const char *pid = getenv("LISTEN_PID");
    const bool has_descriptors = getenv("LISTEN_FDS") != NULL;
    /* NOLINTEND(concurrency-mt-unsafe) */

    return has_descriptors && pid && strtol(pid, NULL, 10) == (long)getpid();
}

/* A helper that hangs must not take us with it. Not a socket: libfuse will say so. */
static void limit_waiting(void)
{
    const struct timeval limit = {.tv_sec = LIMIT_SECONDS};

    (void)setsockopt(ACTIVATED, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
    (void)setsockopt(ACTIVATED, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
}

int fat_service_accept(struct fat_service **ret)
{
    struct fat_service *s = calloc(1, sizeof(*s));
    int error;

    *ret = NULL;
    if (!s) {
        return ENOMEM;
    }
    if (is_activated()) {
        limit_waiting();
    }
    error = -fuse_service_accept(&s->libfuse);
    if (!error && fuse_service_accepted(s->libfuse)) {
        *ret = s;
        return 0;
    }
    fuse_service_destroy(&s->libfuse);
    free(s);
    if (error) {
        /* libfuse may leave it open, and the helper would wait for our end */
        (void)close(ACTIVATED);
    }
    return error;
}

bool fat_service_can_allow_other(const struct fat_service *service)
{
    return fuse_service_can_allow_other(service->libfuse);
}

bool fat_service_can_fuseblk(const struct fat_service *service)
{
    return fuse_service_can_fuseblk(service->libfuse);
}

int fat_service_append_arguments(struct fat_service *service, struct fuse_args *args)
{
    return -fuse_service_append_args(service->libfuse, args);
}

int fat_service_open(
        struct fat_service *service, const char *path, int flags, int *ret_fd)
{
    int fd = -1;
    int error = -fuse_service_request_file(service->libfuse, path, flags, 0, 0);

    if (!error) {
        error = -fuse_service_receive_file(service->libfuse, path, &fd);
    }
    if (error) {
        return error;
    }
    if (fd < 0) {
        return -fd; /* what open(2) said */
    }
    *ret_fd = fd;
    return 0;
}

int fat_service_mount(struct fat_service *service, struct fuse_session *session,
        const struct fat_service_mount *mount)
{
    struct fuse_cmdline_opts options = {.mountpoint = strdup(mount->directory)};
    int error = options.mountpoint ? 0 : ENOMEM;

    if (!error) {
        error = -fuse_service_finish_file_requests(service->libfuse);
    }
    if (!error) {
        error = -fuse_service_session_mount(
                service->libfuse, session, S_IFDIR, &options);
    }
    free(options.mountpoint);
    return error;
}

void fat_service_goodbye(struct fat_service *service, bool ok)
{
    if (!service->parted) {
        (void)fuse_service_send_goodbye(service->libfuse, ok ? 0 : 1);
        service->parted = true;
    }
}

void fat_service_free(struct fat_service *service)
{
    if (service) {
        fat_service_goodbye(service, false);
        fuse_service_destroy(&service->libfuse);
        free(service);
    }
}
