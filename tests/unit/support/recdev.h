/* SPDX-License-Identifier: MIT */
/*
 * The recording device: a device in memory on top of a base image, that logs
 * every write and flush, fails on request, and can lie in the ways that the
 * replay ("support/replay.h") has to notice.
 *
 * The base is any device (fat_blkdev_mem_new() as a rule; the state a replay shows
 * works too) and is never written. It has to outlive the recorder and must not
 * change. What it costs is what is written.
 *
 * Log:      a row of events. A write enters it when it has been done, a flush when
 *           it begins: a write that another thread makes during a flush comes after
 *           it. Calls that were made to fail do nothing and leave no event.
 * Position: the number of events before something. The first event has position 0.
 * Marks:    what the test promises itself, at a position, in words of its own; see
 *           "support/replay.h" for how they are used.
 * Threads:  the device's methods and recdev_mark() from any thread; all else while
 *           no other thread uses the device.
 * Memory:   never from malloc, so that failalloc leaves it alone.
 */
#ifndef TEST_SUPPORT_RECDEV_H
#define TEST_SUPPORT_RECDEV_H

#include <fatward/blkdev.h>

struct recdev;

enum recdev_call { RECDEV_READ, RECDEV_WRITE, RECDEV_FLUSH };

enum recdev_lasting {
    RECDEV_ONCE,   /* the Nth call fails and the next is as before */
    RECDEV_ALWAYS, /* the Nth call and all later ones fail         */
};

struct recdev_event {
    enum recdev_call call; /* RECDEV_WRITE or RECDEV_FLUSH      */
    uint64_t offset;       /* of a write, as length and bytes are */
    size_t length;
    uint8_t *bytes; /* the log's: to be read only */
};

struct recdev_mark {
    size_t position; /* events that were in the log when it was set */
    int tag;         /* the test's own                              */
    uintptr_t value; /* the test's own: a number, or a pointer      */
};

/* Calls of the device's methods, failed ones included, and bytes of the others. */
struct recdev_counts {
    unsigned reads;
    unsigned writes;
    unsigned flushes;
    uint64_t bytes_read;
    uint64_t bytes_written;
};

/* FAT_E_NOMEM. Release with recdev_free(). */
FAT_MUST_CHECK fat_err recdev_new(struct fat_blkdev *base, struct recdev **ret);

void recdev_free(struct recdev *rec); /* NULL is a no-op */

/* What the engine gets. It lives as long as @rec and has no close of its own. */
struct fat_blkdev *recdev_blkdev(struct recdev *rec);

/*
 * Empty the log: what the device holds now becomes what a replay starts from.
 * For tests that want the first steps out of the way. Marks go, counts stay.
 *
 * FAT_E_NOMEM
 */
FAT_MUST_CHECK fat_err recdev_restart(struct recdev *rec);

/* Set a mark at the end of the log. FAT_E_NOMEM */
FAT_MUST_CHECK fat_err recdev_mark(struct recdev *rec, int tag, uintptr_t value);

/* The log, to be read when nobody writes. Pointers last until the next write. */
size_t recdev_event_count(const struct recdev *rec);
const struct recdev_event *recdev_event(const struct recdev *rec, size_t position);
size_t recdev_mark_count(const struct recdev *rec);
const struct recdev_mark *recdev_mark_at(const struct recdev *rec, size_t index);

struct recdev_counts recdev_counts(const struct recdev *rec);
void recdev_reset_counts(struct recdev *rec);

/*
 * Let a call fail with @err. It does nothing and leaves no event; a flush that
 * failed has not made anything durable.
 *
 * @nth   1 is the next call of this kind, 0 takes the order back
 */
void recdev_fail(struct recdev *rec, enum recdev_call call, unsigned nth, fat_err err,
        enum recdev_lasting lasting);

/* How many calls were made to fail since recdev_new(). */
unsigned recdev_failures(const struct recdev *rec);

/*
 * Lies, to test the tests: the @nth flush from now (1 is the next) says FAT_OK and
 * isn't in the log: the two epochs around it are one.
 */
void recdev_hide_flush(struct recdev *rec, unsigned nth);

/* The @nth write from now says FAT_OK, is read back, and isn't in the log. */
void recdev_lose_write(struct recdev *rec, unsigned nth);

/*
 * What the device held when its log began: what a replay starts from. Nobody may
 * write to it.
 */
struct fat_blkdev *recdev_start(struct recdev *rec);

#endif
