/* SPDX-License-Identifier: MIT */
/*
 * The list of system calls. Used by sandbox.c only.
 *
 * Two files implement this; CMake takes sandbox_seccomp_none.c where there is no
 * libseccomp.
 */
#ifndef FAT_FUSE_SANDBOX_SECCOMP_H
#define FAT_FUSE_SANDBOX_SECCOMP_H

#include <stdbool.h>

bool fat_seccomp_is_built_in(void);

/* Built in, and the kernel has it and lets us. */
bool fat_seccomp_is_there(void);

/*
 * Restrict every thread of the process to the list, and all that they start. After
 * no_new_privs.
 *
 * @kills   what is not on the list ends the process; else it fails with EPERM
 * 0 or an errno.
 */
int fat_seccomp_enter(bool kills);

#endif
