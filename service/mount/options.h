/* SPDX-License-Identifier: MIT */
/*
 * The list behind -o: what of it goes to the server, and what an ordinary user may ask
 * for. The server can't know who mounts, so it is told here whose the files are.
 *
 * Pure: no I/O.
 */
#ifndef FAT_SERVICE_MOUNT_OPTIONS_H
#define FAT_SERVICE_MOUNT_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Who asks. */
struct fat_asker {
    uid_t uid; /* 0: everything is allowed */
    gid_t gid;
    const gid_t *groups; /* supplementary */
    size_t group_count;
    bool may_open_to_others; /* the administrator lets users have allow_other */
    bool sloppy;             /* words that no server of ours knows are dropped */
};

struct fat_options {
    char *list;            /* for the server; "" for none                         */
    uint32_t forced_flags; /* MS_*: the mount has them whatever the server says   */
    bool closed;           /* "noallow_other": nobody but the caller gets in      */
    bool service_only;     /* "service": never the program without its jail       */
    bool weakened;         /* an ordinary user asked for suid or dev: not granted */
};

struct fat_refusal {
    const char *reason; /* a sentence's end */
    char word[80];      /* which word it is */
};

/*
 * Sort the words of @list. A backslash takes away the meaning of the character behind
 * it, as for the server.
 *
 * False: refused, and @ret_refusal says why. Else fat_options_done() is owed.
 */
bool fat_options_read(const char *list, const struct fat_asker *asker,
        struct fat_options *ret, struct fat_refusal *ret_refusal);

void fat_options_done(struct fat_options *options);

#endif
