/* SPDX-License-Identifier: MIT */
#include "mkimage/output.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mkimage/complain.h"

static bool complain_errno(const char *path)
{
    complain(path, "%s", strerror(errno));
    return false;
}

static bool complain_err(const char *path, fat_err err)
{
    complain(path, "%s",
            err == FAT_E_BUSY ? "is in use by another program" : fat_err_text(err));
    return false;
}

static bool open_either(struct output *output)
{
    output->fd = open(output->path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (output->fd >= 0) {
        output->created = true;
        return true;
    }
    if (errno == EEXIST) {
        output->fd = open(output->path, O_RDWR | O_CLOEXEC | O_NONBLOCK);
    }
    return output->fd >= 0 || complain_errno(output->path);
}

/* The device is opened anew, by the engine, which claims it. */
static bool open_device(struct output *output)
{
    fat_err err;

    close(output->fd);
    output->fd = -1;
    err = fat_blkdev_file_open(output->path, FAT_BLKDEV_WRITE, 0, &output->dev);
    if (err) {
        return complain_err(output->path, err);
    }
    output->size_bytes = output->dev->size_bytes;
    return true;
}

/* Locked before it is cut: another program's volume must not lose its end. */
static bool lock_file(struct output *output)
{
    if (flock(output->fd, LOCK_EX | LOCK_NB) == 0) {
        return true;
    }
    return errno == EWOULDBLOCK ? complain_err(output->path, FAT_E_BUSY)
                                : complain_errno(output->path);
}

static bool judge(struct output *output, bool force)
{
    struct stat st;

    if (fstat(output->fd, &st) != 0) {
        return complain_errno(output->path);
    }
    output->device = st.st_dev;
    output->inode = st.st_ino;
    output->size_bytes = (uint64_t)st.st_size;
    if (S_ISBLK(st.st_mode)) {
        if (!force) {
            complain(output->path, "is a block device; --force formats it");
            return false;
        }
        return open_device(output);
    }
    if (!S_ISREG(st.st_mode)) {
        complain(output->path, "is neither a file nor a block device");
        return false;
    }
    if (st.st_size > 0 && !force) {
        complain(output->path, "exists and is not empty; --force overwrites it");
        return false;
    }
    return lock_file(output);
}

bool output_open(const char *path, bool force, struct output *ret)
{
    *ret = (struct output){.path = path, .fd = -1};
    if (!open_either(ret)) {
        return false;
    }
    if (!judge(ret, force)) {
        output_close(ret, false);
        return false;
    }
    return true;
}

bool output_prepare(struct output *output, uint64_t size_bytes)
{
    fat_err err;

    if (output->dev) {
        return true;
    }
    if (ftruncate(output->fd, 0) != 0 ||
            ftruncate(output->fd, (off_t)size_bytes) != 0) {
        return complain_errno(output->path);
    }
    err = fat_blkdev_file_take_fd(output->fd, FAT_BLKDEV_WRITE, 0, &output->dev);
    if (err) {
        return complain_err(output->path, err);
    }
    output->fd = -1;
    return true;
}

void output_close(struct output *output, bool keep)
{
    if (!keep && output->created) {
        unlink(output->path); /* while it is still locked */
    }
    fat_blkdev_close(output->dev);
    if (output->fd >= 0) {
        close(output->fd);
    }
    output->dev = NULL;
    output->fd = -1;
}
