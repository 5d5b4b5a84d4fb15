/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE /* fsopen and its kin */
#include "mounting.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mount_table.h"
#include "mounting_old.h"
#include "rights.h"
#include "say.h"

enum { MOST_UPON = 64 };

enum { NO_SYMLINKS = 256 /* MS_NOSYMFOLLOW, which glibc knows since 2.37 */ };

/* What a flag of mount(2) is for a mount, and what for the file system. */
static const struct {
    uint32_t flag;
    unsigned attribute;
    const char *parameter;
} translations[] = {
        {MS_RDONLY, MOUNT_ATTR_RDONLY, "ro"},
        {MS_NOSUID, MOUNT_ATTR_NOSUID, NULL},
        {MS_NODEV, MOUNT_ATTR_NODEV, NULL},
        {MS_NOEXEC, MOUNT_ATTR_NOEXEC, NULL},
        {MS_SYNCHRONOUS, 0, "sync"},
        {MS_DIRSYNC, 0, "dirsync"},
        {MS_LAZYTIME, 0, "lazytime"},
        {MS_NOATIME, MOUNT_ATTR_NOATIME, NULL},
        {MS_STRICTATIME, MOUNT_ATTR_STRICTATIME, NULL},
        {MS_NODIRATIME, MOUNT_ATTR_NODIRATIME, NULL},
        {NO_SYMLINKS, MOUNT_ATTR_NOSYMFOLLOW, NULL},
};

enum { TRANSLATIONS = sizeof(translations) / sizeof(translations[0]) };

/* The kernel's own words about a failure, one message a read: "e fuse: ..." */
static void say_why(int context)
{
    char text[512];
    ssize_t length = read(context, text, sizeof(text) - 1);

    while (length > 0) {
        text[length] = '\0';
        text[strcspn(text, "\n")] = '\0';
        fat_say("the kernel: %s", length > 2 && text[1] == ' ' ? text + 2 : text);
        length = read(context, text, sizeof(text) - 1);
    }
}

static int set(int context, const char *name, const char *value)
{
    const int result = value ? fsconfig(context, FSCONFIG_SET_STRING, name, value, 0)
                             : fsconfig(context, FSCONFIG_SET_FLAG, name, NULL, 0);

    return result == 0 ? 0 : errno;
}

static int set_number(int context, const char *name, unsigned number)
{
    char text[16];

    (void)snprintf(text, sizeof(text), "%u", number);
    return set(context, name, text);
}

static int set_octal(int context, const char *name, unsigned number)
{
    char text[16];

    (void)snprintf(text, sizeof(text), "%o", number);
    return set(context, name, text);
}

static int set_flags(int context, uint32_t flags)
{
    int error = 0;

    for (size_t i = 0; i < TRANSLATIONS && !error; i++) {
        if ((flags & translations[i].flag) && translations[i].parameter) {
            error = set(context, translations[i].parameter, NULL);
        }
    }
    return error;
}

static int set_options(int context, const struct fat_kernel_options *options)
{
    int error = 0;

    for (unsigned i = 0; i < options->count && !error; i++) {
        error = set(context, options->options[i].name, options->options[i].value);
    }
    return error;
}

/* What is ours to say comes last, so that no option can say otherwise. */
static int configure(int context, const struct fat_mounting *m)
{
    int error = set(context, "source", m->source);

    error = error ? error : set_options(context, m->options);
    error = error ? error : set_flags(context, m->flags);
    error = error ? error : set(context, "subtype", m->type);
    error = error ? error : set_number(context, "fd", (unsigned)m->fuse_fd);
    error = error ? error : set_octal(context, "rootmode", m->mountpoint->type);
    error = error ? error : set_number(context, "user_id", m->uid);
    error = error ? error : set_number(context, "group_id", m->gid);
    if (!error && fsconfig(context, FSCONFIG_CMD_CREATE, NULL, NULL, 0) != 0) {
        error = errno;
    }
    return error;
}

static unsigned find_attributes(uint32_t flags)
{
    unsigned attributes = 0;

    for (size_t i = 0; i < TRANSLATIONS; i++) {
        if (flags & translations[i].flag) {
            attributes |= translations[i].attribute;
        }
    }
    /* these two are one field of the kernel's */
    if (attributes & MOUNT_ATTR_NOATIME) {
        attributes &= ~(unsigned)MOUNT_ATTR_STRICTATIME;
    }
    return attributes;
}

/* A mount that is not attached goes when its descriptor is closed. */
static int attach(int context, const struct fat_mounting *mounting, int *ret_fd)
{
    const int fd = fsmount(context, FSMOUNT_CLOEXEC, find_attributes(mounting->flags));
    int error;

    if (fd < 0) {
        return errno;
    }
    if (move_mount(fd, "", mounting->mountpoint->fd, "",
                MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) != 0) {
        error = errno;
        close(fd);
        return error;
    }
    *ret_fd = fd;
    return 0;
}

/* @ret_context, if not -1, has the kernel's words about it, and is to be closed. */
static int make(const struct fat_mounting *mounting, int *ret_fd, int *ret_context)
{
    const int context = fsopen(mounting->fuseblk ? "fuseblk" : "fuse", FSOPEN_CLOEXEC);
    int error;

    *ret_context = context;
    if (context < 0) {
        return errno;
    }
    error = configure(context, mounting);
    return error ? error : attach(context, mounting, ret_fd);
}

int fat_mounting_make(const struct fat_mounting *mounting, int *ret_fd)
{
    int context;
    int error;

    if (!fat_rights_raise()) {
        return errno;
    }
    error = make(mounting, ret_fd, &context);
    fat_rights_lower();
    if (context < 0) {
        return error == ENOSYS ? fat_mounting_old_make(mounting, ret_fd) : error;
    }
    if (error) {
        say_why(context);
    }
    close(context);
    return error;
}

/*
 * umount2() takes what lies uppermost, which somebody may have put upon the mount by
 * now. It would have gone with the mount, so it goes first.
 */
static int take_off(int fd)
{
    const struct fat_mount_marks marks = {
            .id = fat_mount_find_id(fd), .parent = FAT_MOUNT_UNKNOWN};
    char name[32];
    unsigned tries = 0;

    (void)snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
    do {
        if (umount2(name, MNT_DETACH) != 0) {
            return errno;
        }
    } while (fat_mount_is_listed(&marks) && ++tries < MOST_UPON);
    return tries < MOST_UPON ? 0 : EBUSY;
}

int fat_mounting_undo(int fd)
{
    int error;

    if (!fat_rights_raise()) {
        return errno;
    }
    error = take_off(fd);
    fat_rights_lower();
    return error;
}
