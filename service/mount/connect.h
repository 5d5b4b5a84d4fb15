/* SPDX-License-Identifier: MIT */
/* Finding the service for a type of file system. */
#ifndef FAT_SERVICE_MOUNT_CONNECT_H
#define FAT_SERVICE_MOUNT_CONNECT_H

#include <stdbool.h>

/*
 * Connect to the service for @type, with the caller's rights.
 *
 * @ret_fd   a SOCK_SEQPACKET socket
 *
 * 0 or a positive errno. ENOENT, ECONNREFUSED: there is no service. EACCES: it is not
 * for this caller. ENAMETOOLONG: no socket can have that name.
 */
int fat_connect(const char *type, unsigned limit_ms, int *ret_fd);

/* Whether there is a socket for @type that the caller may write to. */
bool fat_connect_may_work(const char *type);

#endif
