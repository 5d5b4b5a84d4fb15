/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE /* syscall */
#include "sandbox_landlock.h"

#include <stddef.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

/*
 * As <linux/landlock.h> has it, which many systems don't have or have in an old version.
 * A kernel that knows less of the structure takes the rest if it is zero.
 */
struct ruleset {
    uint64_t files;
    uint64_t network;
    uint64_t scopes;
};

enum { ASK_VERSION = 1 };

enum {
    FILES_1 = 0x1fff, /* execute, write, read, list, remove (2), make (7)  */
    FILES_2 = 0x3fff, /* and link and rename between folders               */
    FILES_3 = 0x7fff, /* and truncate                                      */
    FILES_5 = 0xffff, /* and ioctl on a device that is opened              */
    NETWORK_4 = 0x3,  /* bind and connect TCP                              */
    SCOPES_6 = 0x3,   /* abstract sockets and signals, of and to others    */
};

unsigned fat_landlock_version(void)
{
    const long version = syscall(SYS_landlock_create_ruleset, NULL, 0, ASK_VERSION);

    return version > 0 ? (unsigned)version : 0;
}

static struct ruleset everything(unsigned version)
{
    return (struct ruleset){
            .files = version >= 5   ? FILES_5
                     : version >= 3 ? FILES_3
                     : version == 2 ? FILES_2
                                    : FILES_1,
            .network = version >= 4 ? NETWORK_4 : 0,
            .scopes = version >= 6 ? SCOPES_6 : 0,
    };
}

bool fat_landlock_enter(unsigned version)
{
    const struct ruleset rights = everything(version);
    const int fd =
            (int)syscall(SYS_landlock_create_ruleset, &rights, sizeof(rights), 0);
    bool ok;

    if (fd < 0) {
        return false;
    }
    /* no rule is added that would allow any of it */
    ok = syscall(SYS_landlock_restrict_self, fd, 0) == 0;
    close(fd);
    return ok;
}
