/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE /* O_PATH */
#include "open_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/fs.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

static int judge(int fd, bool device)
{
    struct stat status;

    if (fstat(fd, &status) != 0) {
        return errno;
    }
    if (device) {
        return S_ISBLK(status.st_mode) ? 0 : ENOTBLK;
    }
    if (S_ISDIR(status.st_mode)) {
        return EISDIR;
    }
    if (S_ISLNK(status.st_mode)) {
        return ELOOP;
    }
    return S_ISREG(status.st_mode) || S_ISBLK(status.st_mode) ? 0 : EINVAL;
}

static int set_block_size(int fd, uint32_t bytes)
{
    const int size = (int)bytes;

    if (bytes == 0) {
        return 0;
    }
    if (bytes > INT_MAX) {
        return EINVAL;
    }
    return ioctl(fd, BLKBSZSET, &size) == 0 ? 0 : errno;
}

/* Open once more what the descriptor @pinned leads to, for reading or writing. */
static int open_pinned(int pinned, const struct fat_wire_message *message, int *ret_fd)
{
    const bool device = message->kind == FAT_WIRE_OPEN_DEVICE;
    const uint32_t flags = (message->open_flags & ~(uint32_t)O_NOFOLLOW) | O_CLOEXEC;
    char name[32];
    int error = judge(pinned, device);
    int fd;

    if (error) {
        return error;
    }
    (void)snprintf(name, sizeof(name), "/proc/self/fd/%d", pinned);
    fd = open(name, (int)flags | O_NOCTTY);
    if (fd < 0) {
        return errno;
    }
    error = device ? set_block_size(fd, message->block_bytes) : 0;
    if (error) {
        close(fd);
        return error;
    }
    *ret_fd = fd;
    return 0;
}

int fat_open_file(const struct fat_wire_message *message, int *ret_fd)
{
    const int follow = (int)(message->open_flags & (uint32_t)O_NOFOLLOW);
    const int pinned = open(message->text, O_PATH | O_CLOEXEC | follow);
    int error;

    if (pinned < 0) {
        return errno;
    }
    error = open_pinned(pinned, message, ret_fd);
    close(pinned);
    return error;
}

int fat_open_fuse(int *ret_fd)
{
    const int fd = open("/dev/fuse", O_RDWR | O_CLOEXEC);

    if (fd < 0) {
        return errno;
    }
    *ret_fd = fd;
    return 0;
}
