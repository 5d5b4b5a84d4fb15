/* SPDX-License-Identifier: MIT */
/*
 * Mount options, one word each, sorted by who they are for: the kernel's flags, the
 * kernel's FUSE options, and mount(8)'s own table.
 */
#ifndef FAT_SERVICE_WORDS_H
#define FAT_SERVICE_WORDS_H

#include <stdbool.h>
#include <stdint.h>

struct fat_words {
    uint32_t flags; /* MS_*; begins as MS_NOSUID | MS_NODEV             */
    char *kernel;   /* "default_permissions,max_read=65536"; NULL: none */
    char *table;    /* "x-gvfs-show"; NULL: none                        */
    char *rest;     /* what is neither, for nobody; NULL: none          */
};

/*
 * Sort a list of words separated by commas. A backslash before a comma or a backslash
 * takes away its meaning, as in fuse_opt_add_opt_escaped(). A word for the kernel is
 * written without these backslashes, since the kernel knows none. So it may hold a comma
 * only in a context, and there only inside quotes, which also keep such a comma from
 * separating words here; one that breaks this rule is for nobody. The other lists keep
 * their words as they are written.
 *
 * Flags:  ro rw suid nosuid dev nodev exec noexec sync async dirsync noatime atime
 *         nodiratime diratime nosymfollow symfollow; the last of a pair counts.
 * Kernel: allow_other default_permissions max_read= blksize= context= fscontext=
 *         defcontext= rootcontext=
 * Table:  x-* and X-*, user=
 * The rest: everything else. fd=, rootmode=, user_id= and group_id= are there too:
 *         whoever mounts sets these himself.
 *
 * May be called again to add the words of another list. False without memory: @words
 * only needs fat_words_done() then.
 */
bool fat_words_sort(struct fat_words *words, const char *list);

/* Flags as at the beginning, no words. */
void fat_words_init(struct fat_words *words);
void fat_words_done(struct fat_words *words);

#endif
