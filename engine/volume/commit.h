/* SPDX-License-Identifier: MIT */
/*
 * Commits: the six stages in their order, with a flush after each that wrote
 * something; MARK before the first change, CLEAR after the last. docs/crash-order.md
 */
#ifndef FAT_VOLUME_COMMIT_H
#define FAT_VOLUME_COMMIT_H

#include <fatward/error.h>

#include "volume/state.h"

/*
 * Before an operation that changes something, with no lock held: refuses on a
 * read-only volume, scans a volume found dirty, writes MARK, and makes a commit when
 * too much is waiting.
 *
 * FAT_E_READONLY, FAT_E_IO, FAT_E_NOMEM
 */
FAT_MUST_CHECK fat_err fat_commit_before_change(struct fat_volume *volume);

/* Make everything finished so far durable; with no lock held. FAT_E_IO */
FAT_MUST_CHECK fat_err fat_commit_run(struct fat_volume *volume);

/*
 * Run @operation until it no longer asks for a commit first (FAT_E_AGAIN), with what
 * fat_commit_before_change() does before each try.
 *
 * FAT_E_NOSPC   there is no room, or it asks although nothing has happened since it was
 *               tried: no change, no commit
 */
FAT_MUST_CHECK fat_err fat_commit_around(
        struct fat_volume *volume, fat_err (*operation)(void *context), void *context);

/* Before close: everything durable, the free count written, the marks cleared. */
FAT_MUST_CHECK fat_err fat_commit_last(struct fat_volume *volume);

#endif
