/* SPDX-License-Identifier: MIT */
#ifndef FAT_BLKDEV_H
#define FAT_BLKDEV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <fatward/error.h>

/*
 * Where a volume lives: a row of bytes with a flush.
 *
 * Whoever opens a volume keeps the device alive until fat_volume_close() has
 * returned. The methods are called from any thread at once. Partial transfers
 * do not exist: all of @length bytes, or an error. An implementation may be
 * the user's own: put struct fat_blkdev first and fill in @ops.
 */
struct fat_blkdev;

struct fat_blkdev_ops {
    fat_err (*read)(
            struct fat_blkdev *dev, uint64_t offset, void *buffer, size_t length);
    fat_err (*write)(
            struct fat_blkdev *dev, uint64_t offset, const void *buffer, size_t length);
    fat_err (*flush)(struct fat_blkdev *dev); /* earlier writes are durable after it */
    void (*close)(struct fat_blkdev *dev);    /* frees @dev; may be NULL             */
};

struct fat_blkdev {
    const struct fat_blkdev_ops *ops;
    uint64_t size_bytes;  /* constant while a volume is open                      */
    uint32_t block_bytes; /* smallest unit the medium writes, 512 if unknown      */
    bool read_only;       /* every write is refused with FAT_E_READONLY           */
};

/* The device's access mode and the lock that goes with it. */
enum fat_blkdev_mode {
    FAT_BLKDEV_READ,       /* shared lock: other readers are welcome             */
    FAT_BLKDEV_WRITE,      /* exclusive lock; a block device is claimed (O_EXCL) */
    FAT_BLKDEV_WRITE_HELD, /* as WRITE, but the kernel holds the block device
                              already (fuseblk): no O_EXCL of ours               */
};

/*
 * Open an image file or a block device with pread, pwrite and fdatasync.
 *
 * Takes flock on it at once (LOCK_SH to read, LOCK_EX to write) and keeps it
 * until fat_blkdev_close(), so that no image is ever written by two programs.
 *
 * @wait_ms   how long to wait for somebody else's lock to go [milliseconds]
 * @ret       release with fat_blkdev_close()
 *
 * FAT_E_BUSY       another program holds the image or device
 * FAT_E_READONLY   WRITE was wanted and the medium or the permissions refuse it
 * FAT_E_NOENT, FAT_E_PERM, FAT_E_ISDIR, FAT_E_NODEV, FAT_E_IO, FAT_E_NOMEM
 */
FAT_API FAT_MUST_CHECK fat_err fat_blkdev_file_open(const char *path,
        enum fat_blkdev_mode mode, unsigned wait_ms, struct fat_blkdev **ret);

/*
 * The same on a descriptor that is already open; it is taken over on success
 * and stays the caller's on failure. Errors as above.
 */
FAT_API FAT_MUST_CHECK fat_err fat_blkdev_file_take_fd(
        int fd, enum fat_blkdev_mode mode, unsigned wait_ms, struct fat_blkdev **ret);

/*
 * A device in memory, all zero, for tests and for trying things out. Memory is
 * taken only for the 4 KiB pages that were written.
 *
 * FAT_E_NOMEM
 */
FAT_API FAT_MUST_CHECK fat_err fat_blkdev_mem_new(
        uint64_t size_bytes, struct fat_blkdev **ret);

FAT_API void fat_blkdev_close(struct fat_blkdev *dev); /* NULL is a no-op */

#endif
