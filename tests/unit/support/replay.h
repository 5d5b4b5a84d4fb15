/* SPDX-License-Identifier: MIT */
/*
 * The replay: every state that a power cut could have left on the medium while a
 * recorded log was written, shown to a judge.
 *
 * The fault model: what was written before a completed flush is on the medium. Of
 * an *epoch*, the writes between two flushes, any part may be there, in any order;
 * a sector is written whole or not at all. So an epoch is cut into *sector writes*
 * and its states are subsets of them, on top of everything before the epoch:
 *
 *   up to all_subsets_up_to of them    all subsets
 *   more                               none, all, every prefix, the first missing,
 *                                      the last missing, each single one missing,
 *                                      each single one present, and random subsets
 *
 * Every plain prefix of the log is among them, at each sector. Two writes to one
 * sector in one epoch: the sector holds what it held before the epoch, or what it
 * held after the first, or after the second; that is what the last one present says,
 * so the orders in which a drive could have taken them are covered too. A write that
 * covers part of a sector counts as the whole sector with the rest as it was. A
 * sector write that changes nothing is left out. A state that looks like an
 * earlier one of its epoch isn't shown again.
 *
 * Epochs and flushes are numbered from 1: flush N ends epoch N. What follows the last
 * flush is an epoch too, even with no write in it: then it has one state.
 *
 * Which promises hold in a state is the judge's to say; it gets two numbers of marks
 * (see recdev_mark()), and for each the rule is:
 *
 *   marks_durable  the marks set before the epoch began. What was *written* before such
 *                  a mark is on the medium. (Say "create returned": once a flush came
 *                  after it, and no earlier, everything it had written is there.)
 *   marks_reached  also those set while the epoch was open. The power may have failed at
 *                  the very end of the epoch, so in *every* of its states all these steps
 *                  may have been taken. A promise given by such a mark ("fsync
 *                  returned": durable from now on) has to hold; and the effects of all
 *                  operations begun up to there may show ("rename begins").
 *
 * So a test sets a mark with what is about to change before each operation, and
 * one with what is promised after each fsync, and judges by marks_reached.
 */
#ifndef TEST_SUPPORT_REPLAY_H
#define TEST_SUPPORT_REPLAY_H

#include <stdbool.h>

#include "support/recdev.h"

enum replay_shape {
    REPLAY_SUBSET, /* one of all subsets */
    REPLAY_PREFIX, /* none and all are prefixes too */
    REPLAY_SINGLE_MISSING,
    REPLAY_SINGLE_PRESENT,
    REPLAY_RANDOM,
};

/* What a state is made of. Valid during the judge's call only. */
struct replay_state {
    unsigned epoch;          /* all earlier ones are on the medium completely        */
    size_t first_position;   /* of the epoch: the earliest event that isn't certain  */
    size_t end_position;     /* of the flush that ended it, or the log's length      */
    size_t marks_durable;    /* marks with position <= first_position                */
    size_t marks_reached;    /* marks with position <= end_position                  */
    size_t write_count;      /* sector writes of the epoch, in the order of the log  */
    const bool *present;     /* which of them are on the medium                      */
    const uint64_t *sectors; /* where each of them goes                              */
    enum replay_shape shape;
    uint64_t seed; /* of the run */
};

/*
 * Judge a state: nonzero means it breaks a promise.
 *
 * @dev   the state, writable; what is written is forgotten when the judge returns.
 *        A recorder on top of it (recdev_new) can cut the recovery once more.
 */
typedef int replay_judge_fn(
        struct fat_blkdev *dev, const struct replay_state *state, void *context);

enum replay_on_bad { REPLAY_STOP, REPLAY_GO_ON };

/* Every field may be left zero. */
struct replay_options {
    uint32_t sector_bytes;      /* 0 means 512; a power of two, at most 4096          */
    unsigned all_subsets_up_to; /* 0 means 10; at most 20                             */
    unsigned random_subsets;    /* 0 means 64                                         */
    unsigned most_of_a_shape;   /* long epochs: that many prefixes and singles, evenly
                                   spread; 0 means all                                */
    uint64_t seed;
    enum replay_on_bad on_bad;
    unsigned first_epoch; /* judge from this one on; 0 and 1 mean all             */
    unsigned epoch_count; /* judge so many; 0 means all                           */
    char *report;         /* gets a line on the first bad state; may be NULL      */
    size_t report_bytes;

    /* Lies, to see the judge turn red; 0 means none. */
    unsigned leave_out_flush; /* flush N never happened: epochs N and N+1 are one   */
    unsigned swap_epoch;      /* N+1 reaches the medium before N; a sector that both
                                 write keeps what N+1 wrote                         */
    unsigned drop_write;      /* write N of the log never arrives                   */
};

struct replay_stats {
    unsigned epochs;  /* judged, empty ones included           */
    unsigned flushes; /* in the log, without one left out      */
    uint64_t states;  /* shown to the judge                    */
    uint64_t same;    /* not shown: they looked like another   */
    uint64_t bad;     /* the judge returned nonzero            */
};

/*
 * Show every state of @rec's log to @judge. Nobody may use the recorder meanwhile.
 *
 * @options   NULL means all zero
 * @stats     set on success, and if it stopped at a bad state, which is success too:
 *            look at stats.bad
 *
 * FAT_E_INVAL   options out of range: sector size, a lie about what the log doesn't
 *               have, a device that isn't whole sectors
 * FAT_E_NOMEM
 */
FAT_MUST_CHECK fat_err recdev_replay(struct recdev *rec,
        const struct replay_options *options, replay_judge_fn *judge, void *context,
        struct replay_stats *stats);

/* One line: epoch, shape, seed, and the sectors present or missing. Cut to fit. */
void replay_describe(const struct replay_state *state, char *text, size_t text_bytes);

#endif
