/* SPDX-License-Identifier: MIT */
/* Lost clusters made into files, for those who would rather look at them first. */
#ifndef FAT_VOLUME_REPAIR_LOST_H
#define FAT_VOLUME_REPAIR_LOST_H

#include <stdint.h>

#include <fatward/error.h>

#include "volume/state.h"

/*
 * Make a file in the root directory of each of @lost, FSCK0000.REC and so on; of one
 * that is longer than a file can be, several. Where names or room run out the rest
 * stays lost, which is no error.
 *
 * @files, @clusters   are counted up
 *
 * FAT_E_IO, FAT_E_NOMEM, FAT_E_CORRUPT
 */
FAT_MUST_CHECK fat_err fat_repair_save_lost(struct fat_volume *volume,
        const struct fat_piece *lost, uint32_t *files, uint32_t *clusters);

#endif
