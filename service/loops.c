/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE /* O_PATH */
#include "loops.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/loop.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "locks.h"
#include "mountinfo.h"

enum { SYS_SECTOR_BYTES = 512 }; /* whatever the device's own sectors are */

/* A part of a file. */
struct part {
    dev_t device; /* the file, with @inode */
    ino_t inode;
    uint64_t start, end; /* [bytes] */
};

/* Who asks. */
struct question {
    struct part part;
    dev_t own; /* the loop device, or its partition's disk; 0: it is a file */
    bool writing;
};

/* A line of the file @name in @directory, without its end. */
static bool read_line(const char *directory, const char *name, char *line, size_t size)
{
    char path[PATH_MAX];
    FILE *file;
    bool ok;

    if (snprintf(path, sizeof(path), "%s/%s", directory, name) >= (int)sizeof(path)) {
        return false;
    }
    file = fopen(path, "re");
    if (!file) {
        return false;
    }
    ok = fgets(line, (int)size, file) != NULL;
    (void)fclose(file);
    if (ok) {
        line[strcspn(line, "\n")] = '\0';
    }
    return ok;
}

static uint64_t read_number(const char *directory, const char *name)
{
    char line[32];

    return read_line(directory, name, line, sizeof(line)) ? strtoull(line, NULL, 10)
                                                          : 0;
}

static bool read_device(const char *directory, dev_t *ret)
{
    char line[32];

    if (!read_line(directory, "dev", line, sizeof(line))) {
        return false;
    }
    *ret = fat_mountinfo_device(line);
    return true;
}

/*
 * What of which file is behind the loop device whose folder in sysfs is @directory.
 * The name may be of another root directory, or of a file that is deleted: then there
 * is none, or another one, which has another number.
 */
static bool read_part(const char *directory, struct part *ret, char *path)
{
    struct stat status;

    if (!read_line(directory, "loop/backing_file", path, PATH_MAX) ||
            stat(path, &status) != 0) {
        return false;
    }
    ret->device = status.st_dev;
    ret->inode = status.st_ino;
    ret->start = read_number(directory, "loop/offset");
    ret->end = ret->start + read_number(directory, "size") * SYS_SECTOR_BYTES;
    return true;
}

static bool do_overlap(const struct part *a, const struct part *b)
{
    return a->device == b->device && a->inode == b->inode && a->start < b->end &&
           b->start < a->end;
}

/* Whether somebody has a lock that would keep us, if @writing, from ours. */
static bool is_locked(int fd, bool writing)
{
    const bool locked = flock(fd, (writing ? LOCK_EX : LOCK_SH) | LOCK_NB) != 0 &&
                        errno == EWOULDBLOCK;

    if (!locked) {
        (void)flock(fd, LOCK_UN);
    }
    return locked;
}

static bool is_node(const struct stat *status, dev_t device)
{
    return S_ISBLK(status->st_mode) && status->st_rdev == device;
}

/* The claim lasts no longer than the question. */
static bool is_device_in_use(const char *node, dev_t device, bool writing)
{
    const int fd = open(node, O_RDONLY | O_EXCL | O_NONBLOCK | O_CLOEXEC);
    struct stat status;
    bool used;

    if (fd < 0) {
        /* those who may not open the device can ask for its mounts and locks */
        return errno == EBUSY || fat_mountinfo_has(device) ||
               (stat(node, &status) == 0 && is_node(&status, device) &&
                       fat_locks_has(status.st_dev, status.st_ino, writing));
    }
    used = fstat(fd, &status) == 0 && is_node(&status, device) &&
           is_locked(fd, writing);
    close(fd);
    return used;
}

/* Whether the loop device @name ("loop3") is in the way. */
static bool is_in_the_way(
        const struct question *question, const char *name, struct fat_loops_user *ret)
{
    char directory[sizeof("/sys/block/") + NAME_MAX];
    char path[PATH_MAX];
    struct part part;
    dev_t device;

    (void)snprintf(directory, sizeof(directory), "/sys/block/%s", name);
    if (!read_device(directory, &device) || device == question->own ||
            !read_part(directory, &part, path) || !do_overlap(&part, &question->part)) {
        return false;
    }
    /* nobody writes through that one */
    if (!question->writing && read_number(directory, "ro")) {
        return false;
    }
    (void)snprintf(ret->name, sizeof(ret->name), "/dev/%s", name);
    return is_device_in_use(ret->name, device, question->writing);
}

static int ask_devices(const struct question *question, struct fat_loops_user *ret)
{
    DIR *folder = opendir("/sys/block");
    const struct dirent *entry;
    bool found = false;

    if (!folder) {
        return 0;
    }
    /* NOLINTNEXTLINE(concurrency-mt-unsafe): nobody else has this folder open */
    while (!found && (entry = readdir(folder)) != NULL) {
        found = strncmp(entry->d_name, "loop", strlen("loop")) == 0 &&
                is_in_the_way(question, entry->d_name, ret);
    }
    (void)closedir(folder);
    return found ? EBUSY : 0;
}

/* The file below a loop device: to open what is no file could be to use it. */
static int open_file(const char *path, const struct part *part)
{
    const int pinned = open(path, O_PATH | O_CLOEXEC);
    char name[32];
    struct stat status;
    int fd = -1;

    if (pinned < 0) {
        return -1;
    }
    if (fstat(pinned, &status) == 0 && S_ISREG(status.st_mode) &&
            status.st_dev == part->device && status.st_ino == part->inode) {
        (void)snprintf(name, sizeof(name), "/proc/self/fd/%d", pinned);
        fd = open(name, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    }
    close(pinned);
    return fd;
}

static bool is_file_locked(const char *path, const struct question *question)
{
    const int fd = open_file(path, &question->part);
    bool locked;

    if (fd < 0) {
        return fat_locks_has(
                question->part.device, question->part.inode, question->writing);
    }
    locked = is_locked(fd, question->writing);
    close(fd);
    return locked;
}

static int ask_about_file(
        const struct stat *status, bool writing, struct fat_loops_user *ret)
{
    const struct question question = {.part = {.device = status->st_dev,
                                              .inode = status->st_ino,
                                              .end = UINT64_MAX},
            .writing = writing};

    return ask_devices(&question, ret);
}

/* Which file a loop device is over tells the device itself, whatever its name is now. */
static bool ask_driver(int pinned, struct part *ret)
{
    char name[32];
    struct loop_info64 info;
    bool told;
    int fd;

    (void)snprintf(name, sizeof(name), "/proc/self/fd/%d", pinned);
    fd = open(name, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0) {
        return false;
    }
    told = ioctl(fd, LOOP_GET_STATUS64, &info) == 0;
    close(fd);
    if (told) {
        ret->device = (dev_t)info.lo_device; /* in 32 bits, which dev_t begins with */
        ret->inode = (ino_t)info.lo_inode;
    }
    return told;
}

/* For a partition of a loop device, the file is its disk's. */
static bool find_own_part(
        int fd, const char *directory, struct question *question, char *path)
{
    char disk[PATH_MAX];
    struct part *part = &question->part;

    (void)snprintf(disk, sizeof(disk), "%s", directory);
    if (!read_line(disk, "loop/backing_file", path, PATH_MAX)) {
        (void)snprintf(disk, sizeof(disk), "%s/..", directory);
        if (!read_line(disk, "loop/backing_file", path, PATH_MAX)) {
            return false;
        }
    }
    part->start = read_number(disk, "loop/offset") +
                  read_number(directory, "start") * SYS_SECTOR_BYTES;
    part->end = part->start + read_number(directory, "size") * SYS_SECTOR_BYTES;
    return read_device(disk, &question->own) && ask_driver(fd, part);
}

static int ask_about_device(
        int fd, dev_t device, bool writing, struct fat_loops_user *ret)
{
    struct question question = {.writing = writing};
    char directory[64];

    (void)snprintf(directory, sizeof(directory), "/sys/dev/block/%u:%u", major(device),
            minor(device));
    if (!find_own_part(fd, directory, &question, ret->name)) {
        return 0;
    }
    return is_file_locked(ret->name, &question) ? EBUSY : ask_devices(&question, ret);
}

int fat_loops_find_user(int fd, bool writing, struct fat_loops_user *ret)
{
    struct stat status;

    if (fstat(fd, &status) != 0) {
        return 0;
    }
    if (S_ISREG(status.st_mode)) {
        return ask_about_file(&status, writing, ret);
    }
    return S_ISBLK(status.st_mode) ? ask_about_device(fd, status.st_rdev, writing, ret)
                                   : 0;
}
