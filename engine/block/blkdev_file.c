/* SPDX-License-Identifier: MIT */
/*
 * A device that is an image file or a block device: plain pread, pwrite and
 * fdatasync, so that tools which watch or disturb a program from outside see
 * every transfer. Never mapped: a file cut short under a mapping is SIGBUS.
 *
 * The lock is flock and not fcntl: it belongs to the open file, survives being
 * handed to another process, and isn't lost when somebody closes a copy.
 */
#define _GNU_SOURCE /* O_PATH, O_DIRECT */

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <fatward/blkdev.h>

#include "base/scope.h"

enum {
    RETRY_MS = 20,                /* between two tries to get what others hold  */
    TRANSFER_BYTES_MAX = 1 << 30, /* Linux moves a little less than 2 GiB a call */
    BLOCK_BYTES_IF_UNKNOWN = 512,
};

struct file_device {
    struct fat_blkdev dev;
    int fd;
};

FAT_DEFINE_CLEANUP(struct file_device, free);

/* What a failed transfer or flush means. */
static fat_err transfer_failed(int error)
{
    switch (error) {
    case ENOSPC:
    case EDQUOT:
        return FAT_E_NOSPC;
    case ENODEV:
    case ENXIO:
    case ENOMEDIUM:
        return FAT_E_NODEV;
    case EROFS:
    case EPERM: /* a block device that turned read-only after it was opened */
        return FAT_E_READONLY;
    case ENOMEM:
        return FAT_E_NOMEM;
    default:
        return FAT_E_IO;
    }
}

/* What a failed open, stat, ioctl or flock means. */
static fat_err open_failed(int error, enum fat_blkdev_mode mode)
{
    switch (error) {
    case ENOENT:
    case ENOTDIR:
        return FAT_E_NOENT;
    case EROFS:
        return FAT_E_READONLY;
    case EACCES:
    case EPERM:
        return mode == FAT_BLKDEV_READ ? FAT_E_PERM : FAT_E_READONLY;
    case EISDIR:
        return FAT_E_ISDIR;
    case EBUSY:
    case ETXTBSY:
        return FAT_E_BUSY;
    case ENODEV:
    case ENXIO:
    case ENOMEDIUM:
        return FAT_E_NODEV;
    case EMFILE:
    case ENFILE:
    case ENOLCK:
    case ENOMEM:
        return FAT_E_NOMEM;
    case EBADF:
    case EINVAL:
    case ELOOP:
    case ENAMETOOLONG:
        return FAT_E_INVAL;
    case EOPNOTSUPP:
        return FAT_E_UNSUPPORTED;
    default:
        return FAT_E_IO;
    }
}

/* A file, a block device, or what nobody can keep a volume on. */
static fat_err check_kind(const struct stat *st)
{
    if (S_ISREG(st->st_mode) || S_ISBLK(st->st_mode)) {
        return FAT_OK;
    }
    return S_ISDIR(st->st_mode) ? FAT_E_ISDIR : FAT_E_INVAL;
}

static uint64_t now_ms(void)
{
    struct timespec now = {0};

    (void)clock_gettime(CLOCK_MONOTONIC, &now); /* can't fail on Linux */
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* Sleep until the next try is due. False: @deadline_ms has passed. */
static bool wait_before_retry(uint64_t deadline_ms)
{
    const uint64_t now = now_ms();
    uint64_t pause_ms = RETRY_MS;

    if (now >= deadline_ms) {
        return false;
    }
    if (deadline_ms - now < pause_ms) {
        pause_ms = deadline_ms - now;
    }
    /* A signal only makes the next try come early. */
    (void)nanosleep(&(struct timespec){.tv_nsec = (long)pause_ms * 1000000}, NULL);
    return true;
}

static fat_err lock_until(int fd, enum fat_blkdev_mode mode, uint64_t deadline_ms)
{
    const int kind = mode == FAT_BLKDEV_READ ? LOCK_SH : LOCK_EX;

    while (flock(fd, kind | LOCK_NB) != 0) {
        if (errno == EINTR) {
            continue;
        }
        if (errno != EWOULDBLOCK) {
            return open_failed(errno, mode);
        }
        if (!wait_before_retry(deadline_ms)) {
            return FAT_E_BUSY;
        }
    }
    return FAT_OK;
}

static bool is_outside(const struct fat_blkdev *dev, uint64_t offset, size_t length)
{
    return offset > dev->size_bytes || length > dev->size_bytes - offset;
}

static size_t one_transfer(size_t length)
{
    return length < TRANSFER_BYTES_MAX ? length : TRANSFER_BYTES_MAX;
}

static fat_err file_read(
        struct fat_blkdev *dev, uint64_t offset, void *buffer, size_t length)
{
    const struct file_device *file = (const struct file_device *)dev;
    uint8_t *at = buffer;

    if (is_outside(dev, offset, length)) {
        return FAT_E_RANGE;
    }
    while (length > 0) {
        const ssize_t got = pread(file->fd, at, one_transfer(length), (off_t)offset);

        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0) {
            return transfer_failed(errno);
        }
        if (got == 0) {
            return FAT_E_IO; /* cut short since it was opened */
        }
        at += got;
        offset += (uint64_t)got;
        length -= (size_t)got;
    }
    return FAT_OK;
}

static fat_err file_write(
        struct fat_blkdev *dev, uint64_t offset, const void *buffer, size_t length)
{
    const struct file_device *file = (const struct file_device *)dev;
    const uint8_t *at = buffer;

    if (dev->read_only) {
        return FAT_E_READONLY;
    }
    if (is_outside(dev, offset, length)) {
        return FAT_E_RANGE;
    }
    while (length > 0) {
        const ssize_t put = pwrite(file->fd, at, one_transfer(length), (off_t)offset);

        if (put < 0 && errno == EINTR) {
            continue;
        }
        if (put < 0) {
            return transfer_failed(errno);
        }
        if (put == 0) {
            return FAT_E_IO; /* or this loop would never end */
        }
        at += put;
        offset += (uint64_t)put;
        length -= (size_t)put;
    }
    return FAT_OK;
}

static fat_err file_flush(struct fat_blkdev *dev)
{
    const struct file_device *file = (const struct file_device *)dev;

    if (dev->read_only) {
        return FAT_OK;
    }
    while (fdatasync(file->fd) != 0) {
        /* Only an interrupted flush may be tried again: after any other failure
           the kernel may have dropped the pages, and a second one lies. */
        if (errno != EINTR) {
            return transfer_failed(errno);
        }
    }
    return FAT_OK;
}

static void file_close(struct fat_blkdev *dev)
{
    struct file_device *file = (struct file_device *)dev;

    /* A copy of the descriptor in another process would keep the lock. */
    (void)flock(file->fd, LOCK_UN);
    (void)close(file->fd); /* what had to be durable was flushed before */
    free(file);
}

static bool is_block_size(int bytes)
{
    return bytes >= BLOCK_BYTES_IF_UNKNOWN && (bytes & (bytes - 1)) == 0;
}

static fat_err measure_block_device(struct file_device *file, enum fat_blkdev_mode mode)
{
    uint64_t size_bytes = 0;
    int block_bytes = 0;
    int is_read_only = 0;

    if (ioctl(file->fd, BLKGETSIZE64, &size_bytes) != 0 ||
            ioctl(file->fd, BLKROGET, &is_read_only) != 0) {
        return open_failed(errno, mode);
    }
    if (is_read_only && mode != FAT_BLKDEV_READ) {
        return FAT_E_READONLY;
    }
    file->dev.size_bytes = size_bytes;
    if (ioctl(file->fd, BLKSSZGET, &block_bytes) == 0 && is_block_size(block_bytes)) {
        file->dev.block_bytes = (uint32_t)block_bytes;
    }
    return FAT_OK;
}

static fat_err measure(struct file_device *file, enum fat_blkdev_mode mode)
{
    struct stat st;

    if (fstat(file->fd, &st) != 0) {
        return open_failed(errno, mode);
    }
    if (S_ISBLK(st.st_mode)) {
        return measure_block_device(file, mode);
    }
    file->dev.size_bytes = (uint64_t)st.st_size;
    return FAT_OK;
}

/* Does @fd lead to a medium, and may it do what @mode wants? */
static fat_err check_descriptor(int fd, enum fat_blkdev_mode mode)
{
    struct stat st;
    const int flags = fcntl(fd, F_GETFL);
    fat_err err;

    if (flags < 0 || fstat(fd, &st) != 0) {
        return open_failed(errno, mode);
    }
    err = check_kind(&st);
    if (err != FAT_OK) {
        return err;
    }
    /* pwrite on O_APPEND ignores the offset; O_DIRECT wants aligned memory. */
    if (flags & (O_PATH | O_APPEND | O_DIRECT)) {
        return FAT_E_INVAL;
    }
    if (mode == FAT_BLKDEV_READ) {
        return (flags & O_ACCMODE) == O_WRONLY ? FAT_E_PERM : FAT_OK;
    }
    return (flags & O_ACCMODE) == O_RDWR ? FAT_OK : FAT_E_READONLY;
}

static fat_err take_fd_until(int fd, enum fat_blkdev_mode mode, uint64_t deadline_ms,
        struct fat_blkdev **ret)
{
    static const struct fat_blkdev_ops ops = {
            .read = file_read,
            .write = file_write,
            .flush = file_flush,
            .close = file_close,
    };
    FAT_CLEANUP(free) struct file_device *file = calloc(1, sizeof(*file));
    fat_err err;

    if (!file) {
        return FAT_E_NOMEM;
    }
    file->fd = fd;
    file->dev = (struct fat_blkdev){
            .ops = &ops,
            .block_bytes = BLOCK_BYTES_IF_UNKNOWN,
            .read_only = mode == FAT_BLKDEV_READ,
    };
    err = check_descriptor(fd, mode);
    if (err != FAT_OK) {
        return err;
    }
    err = lock_until(fd, mode, deadline_ms);
    if (err != FAT_OK) {
        return err;
    }
    /* Only now: whoever held the lock may have changed the size. */
    err = measure(file, mode);
    if (err == FAT_OK && fcntl(fd, F_SETFD, FD_CLOEXEC) != 0) {
        err = open_failed(errno, mode);
    }
    if (err != FAT_OK) {
        (void)flock(fd, LOCK_UN); /* the descriptor goes back as it came */
        return err;
    }
    *ret = &file->dev;
    file = NULL;
    return FAT_OK;
}

fat_err fat_blkdev_file_take_fd(
        int fd, enum fat_blkdev_mode mode, unsigned wait_ms, struct fat_blkdev **ret)
{
    return take_fd_until(fd, mode, now_ms() + wait_ms, ret);
}

/* The flags for open(2), by what the path leads to. */
static fat_err choose_flags(const char *path, enum fat_blkdev_mode mode, int *ret)
{
    int flags = O_CLOEXEC | O_NOCTTY;
    struct stat st;
    fat_err err;

    if (stat(path, &st) != 0) {
        return open_failed(errno, mode);
    }
    err = check_kind(&st);
    if (err != FAT_OK) {
        return err;
    }
    flags |= mode == FAT_BLKDEV_READ ? O_RDONLY : O_RDWR;
    if (S_ISREG(st.st_mode)) {
        /* A fifo put there in the meantime must not hang us. Not for a block
           device: drivers then let a drive without a medium be opened. */
        flags |= O_NONBLOCK;
    } else if (mode == FAT_BLKDEV_WRITE) {
        flags |= O_EXCL;
    }
    *ret = flags;
    return FAT_OK;
}

/* open(2), which a block device refuses while another program claims it. */
static fat_err open_until(
        const char *path, enum fat_blkdev_mode mode, uint64_t deadline_ms, int *ret)
{
    int flags = 0;
    int fd;
    const fat_err err = choose_flags(path, mode, &flags);

    if (err != FAT_OK) {
        return err;
    }
    while ((fd = open(path, flags)) < 0) {
        const int error = errno;

        if (error == EINTR) {
            continue;
        }
        if (error != EBUSY || !wait_before_retry(deadline_ms)) {
            return open_failed(error, mode);
        }
    }
    *ret = fd;
    return FAT_OK;
}

fat_err fat_blkdev_file_open(const char *path, enum fat_blkdev_mode mode,
        unsigned wait_ms, struct fat_blkdev **ret)
{
    const uint64_t deadline_ms = now_ms() + wait_ms;
    int fd = -1;
    fat_err err = open_until(path, mode, deadline_ms, &fd);

    if (err != FAT_OK) {
        return err;
    }
    err = take_fd_until(fd, mode, deadline_ms, ret);
    if (err != FAT_OK) {
        (void)close(fd);
    }
    return err;
}
