/* SPDX-License-Identifier: MIT */
/*
 * The command line: as mount(8) calls its helpers, SRC DIR [-sfnv] -o OPTS [-t TYPE],
 * or as a person types it. Without -t, the type is what follows "mount." in the name
 * that the program was called by.
 *
 * Pure: no I/O.
 */
#ifndef FAT_SERVICE_MOUNT_ARGUMENTS_H
#define FAT_SERVICE_MOUNT_ARGUMENTS_H

#include <stdbool.h>

enum { FAT_TYPE_LONGEST = 63, FAT_TIMEOUT_MOST = 600, FAT_TIMEOUT_DEFAULT = 30 };

enum fat_task { FAT_TASK_MOUNT, FAT_TASK_CHECK, FAT_TASK_HELP, FAT_TASK_VERSION };

struct fat_arguments {
    enum fat_task task;
    char type[FAT_TYPE_LONGEST + 1]; /* "vfat", without "fuse." or "fuseblk." */
    const char *source;              /* as typed, of the caller's argv        */
    const char *directory;           /* as typed                              */
    char *options;                   /* of every -o, with commas between      */
    unsigned timeout_seconds;        /* 1 to FAT_TIMEOUT_MOST                 */
    bool sloppy, fake, no_table, verbose;
};

/*
 * Read the command line. NULL, or what is wrong with it as a sentence. Either way,
 * fat_arguments_done() is owed.
 */
const char *fat_arguments_parse(int argc, char *const *argv, struct fat_arguments *ret);

void fat_arguments_done(struct fat_arguments *arguments);

#endif
