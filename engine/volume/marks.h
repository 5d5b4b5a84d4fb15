/* SPDX-License-Identifier: MIT */
/*
 * The dirty marks, in the boot sector and in FAT[1], and FSInfo's free count: MARK
 * and CLEAR. None of them flushes. The commit lock is held.
 */
#ifndef FAT_VOLUME_MARKS_H
#define FAT_VOLUME_MARKS_H

#include <stdbool.h>

#include <fatward/error.h>

#include "volume/state.h"

/* Was the volume in use when it was last seen? Reads the first FAT sector. */
FAT_MUST_CHECK fat_err fat_marks_are_set(struct fat_volume *volume, bool *ret);

/* Read what the marks are in: then only a write or a flush can make MARK fail. */
FAT_MUST_CHECK fat_err fat_marks_load(struct fat_volume *volume);

FAT_MUST_CHECK fat_err fat_marks_set(struct fat_volume *volume);
FAT_MUST_CHECK fat_err fat_marks_clear(struct fat_volume *volume);
FAT_MUST_CHECK fat_err fat_marks_write_free_count(struct fat_volume *volume);

#endif
