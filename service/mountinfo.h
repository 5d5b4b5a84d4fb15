/* SPDX-License-Identifier: MIT */
/* Devices in the kernel's table of mounts. */
#ifndef FAT_SERVICE_MOUNTINFO_H
#define FAT_SERVICE_MOUNTINFO_H

#include <stdbool.h>
#include <sys/types.h>

/* "major:minor", as the kernel prints it there and below /sys. */
dev_t fat_mountinfo_device(const char *text);

/* Whether anything of that number is mounted, wherever. */
bool fat_mountinfo_has(dev_t device);

#endif
