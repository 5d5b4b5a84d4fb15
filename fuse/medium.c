/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE /* O_PATH */
#include "medium.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "service/loops.h"

/* A server that is just leaving still commits and holds its lock for a moment. */
enum { WAIT_MS = 5000, STEP_MS = 20 };

/* Only root can make the kernel hold a device, and umount(2) wait for us. */
static bool can_be_held(const char *path)
{
    struct stat status;

    return geteuid() == 0 && stat(path, &status) == 0 && S_ISBLK(status.st_mode);
}

static fat_err open_device(const struct fat_options *options, struct fat_log *log,
        struct fat_medium *medium, struct fat_blkdev **ret)
{
    const enum fat_blkdev_mode mode = options->read_only       ? FAT_BLKDEV_READ
                                      : medium->held_by_kernel ? FAT_BLKDEV_WRITE_HELD
                                                               : FAT_BLKDEV_WRITE;
    fat_err err = fat_blkdev_file_open(options->image, mode, WAIT_MS, ret);

    if (err != FAT_E_READONLY || options->read_only) {
        return err;
    }
    err = fat_blkdev_file_open(options->image, FAT_BLKDEV_READ, WAIT_MS, ret);
    if (err == FAT_OK) {
        fat_log_say(log, false, "the medium can't be written: mounting it read-only");
        medium->read_only = true;
    }
    return err;
}

static fat_err open_volume(
        struct fat_mount *mount, struct fat_log *log, struct fat_medium *medium)
{
    const struct fat_volume_options options = {
            .flags = (medium->read_only ? FAT_VOLUME_READ_ONLY : 0u) |
                     (medium->continues ? FAT_VOLUME_CONTINUE : 0u),
            .report = fat_log_report,
            .report_context = log,
    };
    const fat_err err = fat_volume_open(mount->device, &options, &mount->volume);

    if (err < 0) {
        return err;
    }
    if (!medium->read_only && fat_volume_is_read_only(mount->volume)) {
        const char *reason = fat_volume_read_only_reason(mount->volume);
        char text[512];

        (void)snprintf(text, sizeof(text), "mounting it read-only: %s",
                reason ? reason : "the volume can't be written");
        fat_log_say(log, false, text);
        medium->read_only = true;
    }
    return FAT_OK;
}

static bool cannot_open(struct fat_log *log, fat_err err)
{
    if (err == FAT_E_INVAL) {
        fat_log_say(log, true, "is neither a regular file nor a block device");
    } else {
        fat_log_say_err(log, "can't be opened", err);
    }
    return false;
}

static fat_err watch_and_open_volume(
        struct fat_mount *mount, struct fat_log *log, struct fat_medium *medium)
{
    if (!fat_patience_read(&mount->patience)) {
        fat_log_say(log, true,
                "FATWARD_PATIENCE must be three numbers of seconds, such as 10,120,3600");
        return FAT_E_INVAL;
    }
    mount->watched = fat_watched_new(mount->device, &mount->patience);
    if (!mount->watched) {
        return FAT_E_NOMEM;
    }
    mount->device = fat_watched_device(mount->watched);
    return open_volume(mount, log, medium);
}

static bool open_volume_or_close(
        struct fat_mount *mount, struct fat_log *log, struct fat_medium *medium)
{
    const fat_err err = watch_and_open_volume(mount, log, medium);

    if (err < 0) {
        fat_log_say_err(log, "can't be mounted", err);
        fat_blkdev_close(mount->device);
        mount->device = NULL;
        fat_watched_free(mount->watched);
        mount->watched = NULL;
    }
    return err == FAT_OK;
}

/*
 * Neither a lock on a file nor a claim of a device tells of loop devices. A helper has
 * asked this already for a descriptor that comes from one.
 */
static bool is_ours_alone(const char *image, bool writing, struct fat_log *log)
{
    const struct timespec step = {.tv_nsec = STEP_MS * 1000000L};
    const int fd = open(image, O_PATH | O_CLOEXEC);
    struct fat_loops_user user;
    char text[sizeof(user.name) + 32];
    int error;

    if (fd < 0) {
        return true; /* it is open already: what matters is there, not at the name */
    }
    error = fat_loops_find_user(fd, writing, &user);
    for (int waited = 0; error && waited < WAIT_MS; waited += STEP_MS) {
        (void)nanosleep(&step, NULL); /* waking early only asks sooner */
        error = fat_loops_find_user(fd, writing, &user);
    }
    close(fd);
    if (error) {
        (void)snprintf(text, sizeof(text), "is also in use as %s", user.name);
        fat_log_say(log, true, text);
    }
    return !error;
}

bool fat_medium_open(struct fat_mount *mount, const struct fat_options *options,
        struct fat_log *log, struct fat_medium *ret)
{
    fat_err err;

    *ret = (struct fat_medium){
            .read_only = options->read_only,
            .held_by_kernel = can_be_held(options->image),
            .continues = options->continues,
    };
    err = open_device(options, log, ret, &mount->device);
    if (err < 0) {
        return cannot_open(log, err);
    }
    if (!is_ours_alone(options->image, !ret->read_only, log)) {
        fat_blkdev_close(mount->device);
        mount->device = NULL;
        return false;
    }
    return open_volume_or_close(mount, log, ret);
}

bool fat_medium_take(
        struct fat_mount *mount, int fd, struct fat_log *log, struct fat_medium *medium)
{
    const enum fat_blkdev_mode mode = medium->read_only        ? FAT_BLKDEV_READ
                                      : medium->held_by_kernel ? FAT_BLKDEV_WRITE_HELD
                                                               : FAT_BLKDEV_WRITE;
    const fat_err err = fat_blkdev_file_take_fd(fd, mode, WAIT_MS, &mount->device);

    if (err < 0) {
        close(fd);
        return cannot_open(log, err);
    }
    return open_volume_or_close(mount, log, medium);
}
