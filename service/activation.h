/* SPDX-License-Identifier: MIT */
/* Whether systemd has started this process for one connection: sd_listen_fds(3). */
#ifndef FAT_SERVICE_ACTIVATION_H
#define FAT_SERVICE_ACTIVATION_H

/*
 * Take over descriptor 3 if LISTEN_FDS and LISTEN_PID say that it is ours, and forget
 * both. It is close-on-exec then.
 *
 * @ret_socket   -1 with 0: nobody has handed us one
 *
 * E2BIG (more than one descriptor), EBADF, ENOTSOCK, EAFNOSUPPORT (not AF_UNIX),
 * EPROTOTYPE (not SOCK_SEQPACKET), EINVAL (LISTEN_FDS makes no sense); descriptor 3 is
 * closed then.
 */
int fat_activation_socket(int *ret_socket);

#endif
