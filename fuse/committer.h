/* SPDX-License-Identifier: MIT */
/*
 * The thread that commits what has waited long enough; at first it has a volume scanned
 * that was not closed, so that its first change need not wait for that.
 *
 * A second without a change, or so many seconds after the first change that is not
 * yet on the medium, whichever comes first: sync(1) never reaches a plain fuse
 * server, and a card may be pulled out.
 */
#ifndef FAT_FUSE_COMMITTER_H
#define FAT_FUSE_COMMITTER_H

#include <stdbool.h>

#include <fatward/volume.h>

struct fat_committer;

/* NULL without memory or without a thread. @volume outlives the committer. */
struct fat_committer *fat_committer_new(struct fat_volume *volume, unsigned seconds);

/*
 * Stop; what waits is not committed, and a scan is given up. From one thread only.
 *
 * False: it did not end within @seconds, since the medium does not answer.
 */
bool fat_committer_stop(struct fat_committer *committer, unsigned seconds);

/* NULL is a no-op; any other must have stopped. */
void fat_committer_free(struct fat_committer *committer);

/* Something has changed. Cheap enough for every write. */
void fat_committer_kick(struct fat_committer *committer);

#endif
