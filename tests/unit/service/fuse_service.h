/* SPDX-License-Identifier: MIT */
/*
 * Stands in for libfuse's header of the same name, which comes with libfuse 3.19 and
 * only where that was built for services: no distribution has it yet. Declares, from
 * its documentation, no more than service/server_libfuse.c uses, so that this file is
 * compiled and tried before there is a system that takes it.
 *
 * Where it says "negative errno", 0 is success.
 */
#ifndef TEST_SERVICE_FUSE_SERVICE_H
#define TEST_SERVICE_FUSE_SERVICE_H

#include <stdbool.h>
#include <sys/types.h>

struct fuse_args;
struct fuse_cmdline_opts;
struct fuse_service;
struct fuse_session;

/*
 * Greet the mount helper that systemd has accepted a connection from, as descriptor 3.
 * NULL and 0: there is none. Negative errno; descriptor 3 is left open then.
 */
int fuse_service_accept(struct fuse_service **service);

bool fuse_service_accepted(struct fuse_service *service);

/* What the caller of the helper may have. */
bool fuse_service_can_allow_other(struct fuse_service *service);
bool fuse_service_can_fuseblk(struct fuse_service *service);

/*
 * Make new arguments: the type, those there are but the first, the helper's but the
 * first. Negative errno.
 */
int fuse_service_append_args(struct fuse_service *service, struct fuse_args *args);

/* Ask for a file, and receive it. Only the latter says what opening it came to: a
   descriptor or a negative errno in @fd. Both return a negative errno for themselves. */
int fuse_service_request_file(struct fuse_service *service, const char *path,
        int open_flags, mode_t create_mode, unsigned request_flags);
int fuse_service_receive_file(struct fuse_service *service, const char *path, int *fd);

/* From here on no file is received. Negative errno. */
int fuse_service_finish_file_requests(struct fuse_service *service);

/*
 * Give the session its descriptor and have the mount made, with the options that the
 * session was made with. @format is that of the mountpoint, which is taken verbatim
 * from @options. The current directory is "/" afterwards. Negative errno.
 */
int fuse_service_session_mount(struct fuse_service *service,
        struct fuse_session *session, mode_t format, struct fuse_cmdline_opts *options);

/* Tell the helper how it went, and close the connection. Once; then it does nothing. */
int fuse_service_send_goodbye(struct fuse_service *service, int status);

/* Close and free everything; NULL inside is fine, and is left there. */
void fuse_service_destroy(struct fuse_service **service);

#endif
