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

/*
 * Read the sectors that the marks are in and keep them: then only a write or a flush can
 * make MARK fail, and another program's marks can be told from ours.
 *
 * The device's errors, FAT_E_NOMEM: call it again, or fat_marks_unload()
 */
FAT_MUST_CHECK fat_err fat_marks_load(struct fat_volume *volume);
void fat_marks_unload(struct fat_volume *volume);

/*
 * Are these sectors still what they were when we read or wrote them last? Whoever mounts,
 * formats, checks or labels a volume writes to one of them.
 *
 * FAT_E_CHANGED   no: another program has written to the volume
 */
FAT_MUST_CHECK fat_err fat_marks_prove(struct fat_volume *volume);

FAT_MUST_CHECK fat_err fat_marks_set(struct fat_volume *volume);
FAT_MUST_CHECK fat_err fat_marks_clear(struct fat_volume *volume);
FAT_MUST_CHECK fat_err fat_marks_write_free_count(struct fat_volume *volume);

#endif
