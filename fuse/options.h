/* SPDX-License-Identifier: MIT */
/*
 * What the command line asks for.
 *
 * Every word is either ours, one of libfuse's own, or one that mount(8) hands to
 * every file system; anything else is refused by name.
 */
#ifndef FAT_FUSE_OPTIONS_H
#define FAT_FUSE_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "fuse_api.h"

struct fat_options {
    struct fuse_args forwarded; /* what libfuse is to see                            */
    char *image;                /* as given; absolute once fat_options_locate() ran  */
    char *directory;            /* likewise                                          */
    char *fsname;               /* NULL means the image's path                       */
    char *subtype;              /* NULL means "fatward"                              */
    uid_t uid;
    gid_t gid;
    unsigned file_mask, directory_mask;
    unsigned commit_seconds;
    unsigned threads;
    bool read_only;
    bool sync, dirsync, flush; /* when a change is committed before its reply       */
    bool foreground, debug;
    bool allow_other, noallow_other;
    bool want_help, want_version;
};

/*
 * Read the command line; what is wrong with it is said on standard error.
 *
 * False: it makes no sense, and @ret only needs fat_options_done().
 */
bool fat_options_parse(int argc, char **argv, struct fat_options *ret);

/* Make both paths absolute; false after saying which one does not exist. */
bool fat_options_locate(struct fat_options *options);

/*
 * Add what libfuse needs to know of a mount: its name and type, who may use it, and
 * for a block device the kernel's own claim.
 *
 * @block_bytes   the block device's block size, 0 if it is none [bytes]
 */
bool fat_options_forward(
        struct fat_options *options, bool read_only, unsigned block_bytes);

void fat_options_done(struct fat_options *options);

void fat_options_usage(const char *program);

#endif
