/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE /* O_PATH */
#include "mountpoint.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "say.h"

/* Over /proc or /sys, a user's files would be taken for the kernel's. */
static const unsigned long file_systems[] = {
        0x0000ADF5, /* adfs */
        0x0000ADFF, /* affs */
        0x5346414F, /* afs */
        0x6B414653, /* openafs */
        0x61756673, /* aufs */
        0xCA451A4E, /* bcachefs */
        0x9123683E, /* btrfs */
        0x00C36400, /* ceph */
        0xFF534D42, /* cifs */
        0xFE534D42, /* smb2 */
        0x0000F15F, /* ecryptfs */
        0x2011BAB0, /* exfat */
        0x0000EF53, /* ext2 to ext4 */
        0xF2F52010, /* f2fs */
        0x65735546, /* fuse */
        0x01161970, /* gfs2 */
        0x47504653, /* gpfs */
        0x0000482B, /* hfsplus */
        0x000072B6, /* jffs2 */
        0x3153464A, /* jfs */
        0x0BD00BD0, /* lustre */
        0x00004D44, /* msdos, vfat */
        0x00006969, /* nfs */
        0x00003434, /* nilfs */
        0x5346544E, /* ntfs */
        0x7366746E, /* ntfs3 */
        0x794C7630, /* overlay */
        0x52654973, /* reiserfs */
        0x01021994, /* tmpfs */
        0x24051905, /* ubifs */
        0x00011954, /* ufs */
        0x58465342, /* xfs */
        0x2FC12FC1, /* zfs */
};

bool fat_mountpoint_lies_well(unsigned long magic)
{
    for (size_t i = 0; i < sizeof(file_systems) / sizeof(file_systems[0]); i++) {
        if (file_systems[i] == (magic & 0xFFFFFFFF)) {
            return true;
        }
    }
    return false;
}

static void name_descriptor(int fd, char *ret, size_t size)
{
    (void)snprintf(ret, size, "/proc/self/fd/%d", fd);
}

/* The process has the caller's rights just now, effective and real. */
static const char *check_for_user(int fd, const struct stat *status, uid_t uid)
{
    char name[32];
    struct statfs below;

    name_descriptor(fd, name, sizeof(name));
    if ((status->st_mode & S_ISVTX) && status->st_uid != uid) {
        return "is a sticky directory of somebody else";
    }
    if (access(name, W_OK) != 0) {
        return "is not writable for you";
    }
    if (fstatfs(fd, &below) != 0) {
        return fat_error_text(errno);
    }
    /* f_type is signed on some machines and may have been widened */
    return fat_mountpoint_lies_well((unsigned long)below.f_type)
                   ? NULL
                   : "lies on a file system where users may not mount";
}

static const char *check(int fd, uid_t uid, struct fat_mountpoint *mountpoint)
{
    struct stat status;

    if (fstat(fd, &status) != 0) {
        return errno == ENOTCONN
                       ? "is a mount, and its server has gone: unmount it first"
                       : fat_error_text(errno);
    }
    mountpoint->type = status.st_mode & S_IFMT;
    if (S_ISLNK(status.st_mode)) {
        return "is a symbolic link";
    }
    if (!S_ISDIR(status.st_mode) && !S_ISREG(status.st_mode)) {
        return "is neither a directory nor a file";
    }
    return uid == 0 ? NULL : check_for_user(fd, &status, uid);
}

const char *fat_mountpoint_check(const struct fat_mountpoint *mountpoint, uid_t uid)
{
    struct stat status;

    if (uid == 0) {
        return NULL;
    }
    return fstat(mountpoint->fd, &status) == 0
                   ? check_for_user(mountpoint->fd, &status, uid)
                   : fat_error_text(errno);
}

static char *find_path(int fd)
{
    char name[32];
    char path[PATH_MAX];
    ssize_t length;

    name_descriptor(fd, name, sizeof(name));
    length = readlink(name, path, sizeof(path) - 1);
    if (length <= 0) {
        return NULL;
    }
    path[length] = '\0';
    return strdup(path);
}

const char *fat_mountpoint_pin(
        const char *directory, uid_t uid, struct fat_mountpoint *ret)
{
    struct fat_mountpoint mountpoint = {
            .fd = open(directory, O_PATH | O_NOFOLLOW | O_CLOEXEC)};
    const char *wrong;

    if (mountpoint.fd < 0) {
        return fat_error_text(errno);
    }
    wrong = check(mountpoint.fd, uid, &mountpoint);
    if (!wrong) {
        mountpoint.path = find_path(mountpoint.fd);
        wrong = mountpoint.path ? NULL : "has no path in /proc";
    }
    if (wrong) {
        fat_mountpoint_done(&mountpoint);
    } else {
        *ret = mountpoint;
    }
    return wrong;
}

void fat_mountpoint_done(struct fat_mountpoint *mountpoint)
{
    if (mountpoint->fd >= 0) {
        close(mountpoint->fd);
    }
    free(mountpoint->path);
    *mountpoint = (struct fat_mountpoint){.fd = -1};
}
