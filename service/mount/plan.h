/* SPDX-License-Identifier: MIT */
/*
 * What a server has asked for so far, message by message, and whether it may. When
 * all is together, the mount is made in one go.
 *
 * Pure: no I/O.
 */
#ifndef FAT_SERVICE_MOUNT_PLAN_H
#define FAT_SERVICE_MOUNT_PLAN_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "kernel_options.h"
#include "service/wire.h"

/* What is known before the server says anything. */
struct fat_plan_bounds {
    const char *const *words; /* the command line as the server sees it: type, source,
                                 directory, and maybe "-o" and a list           */
    unsigned word_count;      /* 3 or 5                                         */
    const char *directory;    /* one of the words                               */
    mode_t mountpoint_type;   /* S_IFDIR or S_IFREG                             */
    bool root;
    bool may_open_to_others;
    uint32_t forced_flags; /* MS_*: the mount has them whatever it says      */
};

struct fat_plan {
    struct fat_plan_bounds bounds;
    bool typed, fuseblk;
    bool placed;  /* the mountpoint has been named                               */
    bool mounted; /* whoever makes the mount sets it                             */
    char *source;
    struct fat_kernel_options kernel;
    bool has_kernel;
    char *table; /* x-* words for mount(8)'s table; NULL: nothing for it        */
    bool has_table;
    uint32_t flags;
};

/*
 * Take a TYPE, SOURCE, MOUNTPOINT, OPTIONS, TABLE_OPTIONS or MOUNT. A refused one
 * changes nothing.
 *
 * 0; for MOUNT that means: make it now.
 * EINVAL   makes no sense, was sent before, comes too late, or something is missing
 * EPERM    not for this caller
 * ENOTDIR, EISDIR   the mountpoint is not of that kind
 * EBUSY    a MOUNT after the mount was made
 * ENOMEM
 */
int fat_plan_take(struct fat_plan *plan, const struct fat_wire_message *message);

/*
 * Whether an OPEN or OPEN_DEVICE is in order: files come before the mountpoint, must
 * be the source or an absolute path as the value of an option, and are never made or
 * changed by opening them; of a mount that was asked to be read-only, not for writing.
 *
 * 0, EINVAL, EPERM, EROFS
 */
int fat_plan_allows_open(
        const struct fat_plan *plan, const struct fat_wire_message *message);

void fat_plan_done(struct fat_plan *plan);

#endif
