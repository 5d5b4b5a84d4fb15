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
#include "sandbox.h"

struct fat_options {
    struct fuse_args forwarded; /* what libfuse is to see                            */
    char *image;                /* as given; absolute once fat_options_locate() ran  */
    char *directory;            /* likewise                                          */
    char *fsname;               /* NULL means the image's path                       */
    char *subtype;              /* NULL means "fatward"                              */
    char *table_words;          /* x-* and X-*; NULL means none                      */
    uid_t uid;
    gid_t gid;
    unsigned file_mask, directory_mask;
    unsigned commit_seconds;
    unsigned threads;
    unsigned max_read, max_readahead; /* of one request; 0: our own choice   [bytes] */
    unsigned max_background;          /* requests nobody waits for; 0: libfuse's     */
    enum fat_sandbox_mode sandbox;
    bool read_only;
    bool continues; /* errors=continue                                              */
    bool sync, dirsync, flush; /* when a change is committed before its reply       */
    bool foreground, debug;
    bool allow_other, noallow_other;
    bool is_by_service; /* whoever mounts is another process                           */
    bool mounter_is_root; /* his mount is open to others; for the caller to set        */
    bool want_help, want_version;
};

/* Whose the files are, and which permissions they get, if nothing else is said. */
enum fat_mounter {
    FAT_MOUNTER_IS_CALLER,  /* this process' user, and its umask   */
    FAT_MOUNTER_IS_UNKNOWN, /* root, and 022: what is safe to show */
};

/* Nothing is said yet. Release with fat_options_done(). */
void fat_options_init(struct fat_options *ret, enum fat_mounter mounter);

/*
 * Read the command line; what is wrong with it is said on standard error.
 *
 * False: it makes no sense, and @options only needs fat_options_done().
 */
bool fat_options_parse(struct fat_options *options, int argc, char **argv);

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

/*
 * These words, and those for mount(8)'s table, in one list separated by commas, for
 * whoever mounts in our place. Before fuse_session_new(), which uses them up.
 *
 * For free(); NULL without memory.
 */
char *fat_options_words(const struct fat_options *options);

/* What mount(8) is to show; a fuseblk mount has to name its device. */
const char *fat_options_source(const struct fat_options *options, bool is_fuseblk);

void fat_options_done(struct fat_options *options);

void fat_options_usage(const char *program);

#endif
