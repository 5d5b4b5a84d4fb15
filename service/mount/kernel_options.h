/* SPDX-License-Identifier: MIT */
/*
 * The options that a server asks the kernel for. A server that has been taken over
 * must not get more out of it than a sound one.
 *
 * Pure: no I/O.
 */
#ifndef FAT_SERVICE_MOUNT_KERNEL_OPTIONS_H
#define FAT_SERVICE_MOUNT_KERNEL_OPTIONS_H

#include <stdbool.h>

enum { FAT_KERNEL_OPTIONS_MOST = 16 };

struct fat_kernel_option {
    const char *name;
    const char *value; /* NULL: it is a flag */
};

struct fat_kernel_options {
    char *text; /* what the options point into */
    struct fat_kernel_option options[FAT_KERNEL_OPTIONS_MOST];
    unsigned count;
};

struct fat_kernel_rights {
    bool root;
    bool may_open_to_others; /* root, too, may have said that he does not want it */
    bool fuseblk;
    const char *list; /* the command line's: a context must stand there; may be NULL */
};

/*
 * Read a list separated by commas; a value in double quotes may hold commas. Words
 * that are flags of a mount are skipped, since a flag comes by another way. What is open
 * to others always has default_permissions: it is not for the server to judge them.
 *
 * 0 and fat_kernel_options_done() is owed, or EINVAL, EPERM, ENOMEM and nothing is.
 */
int fat_kernel_options_read(const char *list, const struct fat_kernel_rights *rights,
        struct fat_kernel_options *ret);

/* As one text again, for mount(2), beginning with a comma unless empty; NULL without
   memory; for free() */
char *fat_kernel_options_join(const struct fat_kernel_options *options);

void fat_kernel_options_done(struct fat_kernel_options *options);

#endif
