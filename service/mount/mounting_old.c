/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE /* O_PATH */
#include "mounting_old.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mount_table.h"
#include "rights.h"
#include "say.h"

enum { TYPE_SIZE = 96 };

static bool is_ours(int fd, int below, const char *type)
{
    const struct fat_mount_marks marks = {.id = fat_mount_find_id(fd),
            .parent = fat_mount_find_id(below),
            .type = type};

    return marks.id != FAT_MOUNT_UNKNOWN && marks.parent != FAT_MOUNT_UNKNOWN &&
           fat_mount_is_listed(&marks);
}

/*
 * A descriptor from before leads below the new mount. The way into it is by name,
 * and a name may lead elsewhere by now: so what is found there is looked at.
 */
static int enter(int parent, int below)
{
    char name[32];
    char path[PATH_MAX];
    ssize_t length;

    (void)snprintf(name, sizeof(name), "/proc/self/fd/%d", below);
    length = readlink(name, path, sizeof(path) - 1);
    if (length <= 0) {
        return -1;
    }
    path[length] = '\0';
    return openat(parent, strrchr(path, '/') + 1, O_PATH | O_NOFOLLOW | O_CLOEXEC);
}

static int find_mount(int parent, int below, const char *type)
{
    int fd = enter(parent, below);

    if (fd >= 0 && !is_ours(fd, below, type)) {
        close(fd);
        fd = -1;
    }
    return fd;
}

/* The folder that @below is in, if the caller can find his way from there to it. */
static int open_parent(int below, int *ret)
{
    const int parent = openat(below, "..", O_PATH | O_DIRECTORY | O_CLOEXEC);
    int fd;
    int error;

    if (parent < 0) {
        return errno;
    }
    fd = enter(parent, below);
    if (fd < 0) {
        error = errno;
        close(parent);
        return error;
    }
    close(fd);
    *ret = parent;
    return 0;
}

static int mount_directory(const struct fat_mounting *mounting, const char *type)
{
    char *options = fat_kernel_options_join(mounting->options);
    char place[32];
    char *data = NULL;
    int error = 0;

    if (!options) {
        return ENOMEM;
    }
    /* the last of two that contradict each other counts: ours come last */
    if (asprintf(&data, "%s%sfd=%d,rootmode=%o,user_id=%u,group_id=%u",
                options[0] ? options + 1 : "", options[0] ? "," : "", mounting->fuse_fd,
                mounting->mountpoint->type, mounting->uid, mounting->gid) < 0) {
        free(options);
        return ENOMEM;
    }
    (void)snprintf(place, sizeof(place), "/proc/self/fd/%d", mounting->mountpoint->fd);
    if (!fat_rights_raise()) {
        error = errno;
    } else {
        error = mount(mounting->source, place, type, mounting->flags, data) == 0
                        ? 0
                        : errno;
        fat_rights_lower();
    }
    free(data);
    free(options);
    return error;
}

int fat_mounting_old_make(const struct fat_mounting *mounting, int *ret_fd)
{
    const int below = mounting->mountpoint->fd;
    char type[TYPE_SIZE];
    int parent = -1;
    int error;

    /* which mount it was could not be told afterwards */
    if (mounting->mountpoint->type != S_IFDIR) {
        return EOPNOTSUPP;
    }
    (void)snprintf(type, sizeof(type), "%s.%s", mounting->fuseblk ? "fuseblk" : "fuse",
            mounting->type);
    error = open_parent(below, &parent);
    if (error) {
        return error;
    }
    error = mount_directory(mounting, type);
    if (!error) {
        *ret_fd = find_mount(parent, below, type);
        if (*ret_fd < 0) {
            fat_say("the mount was made and can't be found again");
        }
    }
    close(parent);
    return error;
}
