/* SPDX-License-Identifier: MIT */
/*
 * The way in from systemd: a mount helper opens the image and mounts, this process only
 * gets descriptors. It has no path, no privilege, and does not know who the caller is.
 */
#ifndef FAT_FUSE_BY_SERVICE_H
#define FAT_FUSE_BY_SERVICE_H

#include <stdbool.h>

/*
 * Serve the connection that systemd has started this process for.
 *
 * @ret_status   the exit status: 0 or 1
 * False: it was not started for one.
 */
bool fat_by_service(int argc, char **argv, int *ret_status);

#endif
