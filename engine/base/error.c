/* SPDX-License-Identifier: MIT */
/*
 * What each code is called, and the errno that a user of a kernel vfat mount
 * would have seen. One table, so that no adapter has a second opinion.
 */
#include <errno.h>
#include <stddef.h>

#include <fatward/error.h>

struct meaning {
    int posix;
    const char *text;
};

/* Indexed by the code's distance below zero. */
static const struct meaning failures[] = {
        [-FAT_OK] = {0, "success"},
        [-FAT_E_IO] = {EIO, "block device error"},
        [-FAT_E_NOMEM] = {ENOMEM, "out of memory"},
        /* Damage is EIO as on vfat: few programs know EUCLEAN. */
        [-FAT_E_CORRUPT] = {EIO, "volume is damaged"},
        /* mount(2) says EINVAL of a device without the file system. */
        [-FAT_E_NOTFAT] = {EINVAL, "not a FAT volume"},
        [-FAT_E_NOSPC] = {ENOSPC, "no space left on volume"},
        /* Only an image can lead outside; requests are checked before: FBIG, INVAL. */
        [-FAT_E_RANGE] = {EIO, "address outside the volume"},
        [-FAT_E_READONLY] = {EROFS, "volume is read-only"},
        [-FAT_E_NOENT] = {ENOENT, "no such file or directory"},
        [-FAT_E_EXIST] = {EEXIST, "name already exists"},
        [-FAT_E_NOTDIR] = {ENOTDIR, "not a directory"},
        [-FAT_E_ISDIR] = {EISDIR, "is a directory"},
        [-FAT_E_NOTEMPTY] = {ENOTEMPTY, "directory is not empty"},
        [-FAT_E_NAMETOOLONG] = {ENAMETOOLONG, "name is too long"},
        [-FAT_E_NAME] = {EINVAL, "not a legal FAT name"},
        [-FAT_E_INVAL] = {EINVAL, "invalid request"},
        [-FAT_E_FBIG] = {EFBIG, "file would grow beyond 4 GiB - 1"},
        [-FAT_E_BUSY] = {EBUSY, "in use"},
        [-FAT_E_STALE] = {ESTALE, "file has been removed"},
        [-FAT_E_UNSUPPORTED] = {EOPNOTSUPP, "not supported on FAT"},
        [-FAT_E_PERM] = {EPERM, "permission denied"},
        [-FAT_E_NODEV] = {ENODEV, "device has vanished"},
        [-FAT_E_AGAIN] = {EAGAIN, "a commit has to come first"},
        [-FAT_E_CHANGED] = {EIO, "volume was changed by another program"},
        /* Other file systems that are being shut down say so too. */
        [-FAT_E_STOPPED] = {EIO, "stopped"},
};

static const struct meaning end = {0, "nothing more"};
static const struct meaning unknown = {EIO, "unknown error"};

/* Adapters forward whatever they were given, so any int has to be survived. */
static const struct meaning *look_up(fat_err err)
{
    const long long distance = -(long long)err;

    if (err == FAT_END) {
        return &end;
    }
    if (distance < 0 || (size_t)distance >= sizeof(failures) / sizeof(*failures)) {
        return &unknown;
    }
    return &failures[distance];
}

const char *fat_err_text(fat_err err)
{
    return look_up(err)->text;
}

int fat_err_errno(fat_err err)
{
    return look_up(err)->posix;
}
