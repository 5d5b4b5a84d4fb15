/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE /* syncfs */
#include "unmount.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#define FUSERMOUNT "fusermount3"

extern char **environ;

void fat_unmount_write_back(const char *directory)
{
    const int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd >= 0) {
        (void)syncfs(fd); /* writers have been told of errors by their own calls */
        close(fd);
    }
}

/* posix_spawnp() takes its arguments without const and leaves them alone. */
static bool ask_fusermount(const char *directory, bool lazy)
{
    const char *arguments[] = {
            FUSERMOUNT, "-u", lazy ? "-z" : "--", lazy ? "--" : NULL, NULL, NULL};
    union {
        const char **from;
        char **to;
    } vector = {.from = arguments};
    pid_t child;
    int status = 0;

    arguments[lazy ? 4 : 3] = directory;
    if (posix_spawnp(&child, FUSERMOUNT, NULL, NULL, vector.to, environ) != 0) {
        return false;
    }
    while (waitpid(child, &status, 0) < 0) {
        if (errno != EINTR) {
            return false;
        }
    }
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

int fat_unmount(const char *directory, bool lazy, bool force)
{
    const int flags = (lazy ? MNT_DETACH : 0) | (force ? MNT_FORCE : 0);

    if (umount2(directory, flags | UMOUNT_NOFOLLOW) == 0) {
        return 0;
    }
    if (errno != EPERM) {
        return errno;
    }
    return ask_fusermount(directory, lazy) ? 0 : EPERM;
}
