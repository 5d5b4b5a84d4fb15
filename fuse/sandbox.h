/* SPDX-License-Identifier: MIT */
/*
 * The jail that the server locks itself into, since what it reads was made by others:
 * once it serves, it keeps the descriptors it has and can get at nothing else.
 *
 * Three walls: no capabilities, no new privileges and no memory for others to look at;
 * Landlock, in a kernel that has it, so that no path leads anywhere; and a list of the
 * system calls that serving needs (seccomp). A wall that cannot be had is named in the
 * log; in strict mode nothing is mounted then.
 *
 * Two files implement this; CMake takes sandbox_none.c for builds with sanitizers,
 * which want to open, trace and start what no server may.
 */
#ifndef FAT_FUSE_SANDBOX_H
#define FAT_FUSE_SANDBOX_H

#include <stdbool.h>

#include "log.h"

enum fat_sandbox_mode { FAT_SANDBOX_ON, FAT_SANDBOX_OFF, FAT_SANDBOX_STRICT };

struct fat_sandbox {
    enum fat_sandbox_mode mode;
    bool kills;        /* a call that is not on the list ends the process          */
    bool has_filter;   /* seccomp can be had                                       */
    unsigned landlock; /* version of the kernel's interface; 0: there is none      */
};

/* The walls that this build knows, for people: "seccomp, Landlock", or "none". */
const char *fat_sandbox_built_in(void);

/*
 * See what can be had. Calls are refused with EPERM, or, if FATWARD_SANDBOX_KILL is in
 * the environment, with the end of the process; before any thread is started.
 */
void fat_sandbox_init(struct fat_sandbox *ret, enum fat_sandbox_mode mode);

/* False, after saying what is missing: strict mode, and not every wall can be had. */
bool fat_sandbox_suffices(const struct fat_sandbox *sandbox, struct fat_log *log);

/*
 * The first two walls, around the calling thread and all that it starts: so before the
 * others. Nothing can be opened afterwards. False after saying what failed.
 */
bool fat_sandbox_enter(const struct fat_sandbox *sandbox, struct fat_log *log);

/*
 * The third wall, around the whole process, and one line in the log about what holds.
 * False after saying what failed.
 */
bool fat_sandbox_close(const struct fat_sandbox *sandbox, struct fat_log *log);

#endif
