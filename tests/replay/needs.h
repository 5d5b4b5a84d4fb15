/* SPDX-License-Identifier: MIT */
/*
 * What a flush of a log is there for: does something that was written after it need
 * something that was written before it? Read off the bytes of the volume and the book
 * of promises, by rules of its own: it never makes a state and asks the judge.
 *
 * Sector S, changed before the flush, is needed if, S being as it was before:
 *
 *   chain     an entry written after it names clusters that S claims or links
 *   content   an entry written after it shows bytes that S holds
 *   link      a chain in use goes on, after it, into clusters that S claims or fills
 *   name      a short entry written after it has its long name in S
 *   free      it frees or cuts off clusters that an entry or a link in S still leads to
 *   last      a name removed after it is the only one of a file that has to be there
 *   twice     a name made after it is still another file's in S
 *   promise   a promise given after it is about what S holds
 *   marks     what it leaves over wants the dirty mark, which S sets
 *   count     FSInfo gives a number of free clusters that S makes true
 *   clean     the volume is called clean after it, and is not without S
 *
 * If none of these, nothing needs that flush where it is, and nobody can miss it.
 */
#ifndef REPLAY_NEEDS_H
#define REPLAY_NEEDS_H

#include <stdbool.h>

#include "judge.h"
#include "recording.h"
#include "view.h"

/* What could be done to that flush. */
enum needs_lie {
    NEEDS_LEFT_OUT,
    NEEDS_SWAPPED, /* the epochs around it; a sector that both write holds both */
};

struct needs {
    const struct recording *recording;
    struct view before, between, after; /* the epoch, the flush, the next epoch */
    unsigned flush;                     /* the one between them */
    size_t positions[4]; /* of the two epochs' events, and of their ends */
    uint8_t *first_wrote, *then_wrote; /* by sector: changed by that epoch  */
    size_t sectors;
    struct judge_bounds bounds; /* at the end of the second epoch */
    enum needs_lie lie;
    char found[200]; /* what was found last */
};

/* At the first flush. Release with needs_done(). False: the volume can't be read. */
bool needs_init(struct needs *needs, const struct recording *recording);
void needs_done(struct needs *needs);

/* The next flush. False: that was the last, or the volume can't be read. */
bool needs_next(struct needs *needs);

/* Why somebody has to notice; NULL: nobody can. Valid until the next call. */
const char *needs_why(struct needs *needs, enum needs_lie lie);

/* What the epoch before it did, for those that nobody needs. */
enum needs_deed {
    NEEDS_NOTHING, /* no sector is other than before      */
    NEEDS_COPIES,  /* other copies of the FAT, and counts */
    NEEDS_FREED,   /* only FAT entries that are free now  */
    NEEDS_CHAINS,  /* other FAT entries                   */
    NEEDS_NAMES,   /* names made or changed               */
    NEEDS_OLD,     /* names removed, and none made        */
    NEEDS_SLOTS,   /* end marks, times, or data           */
    NEEDS_DEEDS,
};

enum needs_deed needs_deed(const struct needs *needs);

const char *needs_deed_text(enum needs_deed deed);

#endif
