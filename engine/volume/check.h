/* SPDX-License-Identifier: MIT */
/* The checker (fatward/check.h) with a way to end it early. */
#ifndef FAT_VOLUME_CHECK_H
#define FAT_VOLUME_CHECK_H

#include <stdatomic.h>

#include <fatward/check.h>

/*
 * fat_check(), until somebody sets *@stop.
 *
 * FAT_E_STOPPED   then; nothing is told through @found any more
 */
FAT_MUST_CHECK fat_err fat_check_until(struct fat_blkdev *dev, const atomic_bool *stop,
        fat_finding_fn *found, void *context, struct fat_check_summary *ret);

#endif
