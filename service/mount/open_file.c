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

static int judge(int fd, bool device, dev_t *ret_device)
{
    struct stat status;

    if (fstat(fd, &status) != 0) {
        return errno;
    }
    *ret_device = S_ISBLK(status.st_mode) ? status.st_rdev : 0;
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

static int check_opened(
        const struct fat_wire_message *message, struct fat_opened *opened)
{
    const bool writing = (message->open_flags & O_ACCMODE) != O_RDONLY;
    const int error = fat_loops_find_user(opened->fd, writing, &opened->user);

    if (error) {
        return error;
    }
    opened->user.name[0] = '\0';
    return message->kind == FAT_WIRE_OPEN_DEVICE
                   ? set_block_size(opened->fd, message->block_bytes)
                   : 0;
}

/* Open once more what the descriptor @pinned leads to, for reading or writing. */
static int open_pinned(
        int pinned, const struct fat_wire_message *message, struct fat_opened *opened)
{
    const uint32_t flags = (message->open_flags & ~(uint32_t)O_NOFOLLOW) | O_CLOEXEC;
    char name[32];
    int error;

    (void)snprintf(name, sizeof(name), "/proc/self/fd/%d", pinned);
    opened->fd = open(name, (int)flags | O_NOCTTY);
    if (opened->fd < 0) {
        return errno;
    }
    error = check_opened(message, opened);
    if (error) {
        close(opened->fd);
        opened->fd = -1;
    }
    return error;
}

int fat_open_file(const struct fat_wire_message *message, struct fat_opened *ret)
{
    const int follow = (int)(message->open_flags & (uint32_t)O_NOFOLLOW);
    const int pinned = open(message->text, O_PATH | O_CLOEXEC | follow);
    int error;

    *ret = (struct fat_opened){.fd = -1};
    if (pinned < 0) {
        return errno;
    }
    error = judge(pinned, message->kind == FAT_WIRE_OPEN_DEVICE, &ret->device);
    error = error ? error : open_pinned(pinned, message, ret);
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
