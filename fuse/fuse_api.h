/* SPDX-License-Identifier: MIT */
/* libfuse's low-level API, in the one version that all of this folder is written for. */
#ifndef FAT_FUSE_API_H
#define FAT_FUSE_API_H

/* libfuse's own header speaks of off_t and of shifts into the sign bit. */
#include <fuse_lowlevel.h>

#endif
