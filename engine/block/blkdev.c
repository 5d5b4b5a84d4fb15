/* SPDX-License-Identifier: MIT */
/*
 * What every block device shares, whoever implements it: the end of its life.
 */
#include <fatward/blkdev.h>

void fat_blkdev_close(struct fat_blkdev *dev)
{
    if (dev && dev->ops->close) {
        dev->ops->close(dev);
    }
}
