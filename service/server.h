/* SPDX-License-Identifier: MIT */
/*
 * The server's side of the service protocol: how a program that systemd started for
 * one connection learns what is to be mounted, is handed the descriptors it needs, and
 * has the mount made for it.
 *
 * Two files implement this; CMake takes one of them. server_libfuse.c is for a libfuse
 * that brings the protocol (3.19 and a service_socket_dir), server_own.c for those that
 * people have today.
 *
 * Every int is 0 or a positive errno. One conversation per process, one thread.
 */
#ifndef FAT_SERVICE_SERVER_H
#define FAT_SERVICE_SERVER_H

#include <stdbool.h>

struct fuse_args;
struct fuse_session;
struct fat_service;

/*
 * Whether systemd has started this process for a connection (LISTEN_FDS, LISTEN_PID,
 * and an AF_UNIX socket of type SOCK_SEQPACKET as descriptor 3), and the greeting.
 *
 * @ret   NULL with 0: not so, the program was started by hand. Else release it with
 *        fat_service_free().
 *
 * An error: so, but the peer makes no sense; descriptor 3 is closed.
 * E2BIG (more than one descriptor), ENOTSOCK, EAFNOSUPPORT, EPROTOTYPE, EBADMSG,
 * EPROTONOSUPPORT (no common version), ETIMEDOUT, ECONNRESET, ENOMEM
 */
int fat_service_accept(struct fat_service **ret);

/* What the caller may have: others on his mount; fuseblk, which only root may. */
bool fat_service_can_allow_other(const struct fat_service *service);
bool fat_service_can_fuseblk(const struct fat_service *service);

/*
 * Append the helper's command line, without its argument 0, to @args. What stands there
 * already comes from the unit file. Once.
 */
int fat_service_append_arguments(struct fat_service *service, struct fuse_args *args);

/*
 * Have the helper open @path, which must be a word of its own command line, with the
 * rights of whoever called it. As often as needed, before fat_service_mount().
 *
 * @flags    O_*
 * @ret_fd   the caller's to close
 *
 * What open(2) said, or what became of the conversation.
 */
int fat_service_open(
        struct fat_service *service, const char *path, int flags, int *ret_fd);

struct fat_service_mount {
    const char *source;    /* what mount(8) shows                                   */
    const char *directory; /* word for word as on the helper's command line         */
    const char *words;     /* the options, as given to fuse_session_new()           */
    bool fuseblk;          /* @source is a block device that nobody holds with
                              O_EXCL; the kernel claims it                          */
};

/*
 * Bind the FUSE descriptor that the helper has opened to @session, and have the mount
 * made. Afterwards the current directory is "/".
 *
 * What mounting said, or what became of the conversation. EBUSY: with fuseblk also that
 * somebody holds the device.
 */
int fat_service_mount(struct fat_service *service, struct fuse_session *session,
        const struct fat_service_mount *mount);

/*
 * End the conversation: all is well and requests are about to be served, or not. The
 * first call counts. Must be last before the loop, since the helper then leaves.
 */
void fat_service_goodbye(struct fat_service *service, bool ok);

/* Says goodbye with a failure if nobody has. NULL is a no-op. */
void fat_service_free(struct fat_service *service);

#endif
