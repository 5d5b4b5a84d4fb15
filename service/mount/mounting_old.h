/* SPDX-License-Identifier: MIT */
/* The same through mount(2), for kernels and sandboxes without fsopen(2). */
#ifndef FAT_SERVICE_MOUNT_MOUNTING_OLD_H
#define FAT_SERVICE_MOUNT_MOUNTING_OLD_H

#include "mounting.h"

/*
 * As fat_mounting_make(), for directories that the caller can search. If the mount is
 * made and can't be found again, it is left, that is said, and @ret_fd is -1.
 */
int fat_mounting_old_make(const struct fat_mounting *mounting, int *ret_fd);

#endif
