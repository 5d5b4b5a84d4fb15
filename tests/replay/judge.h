/* SPDX-License-Identifier: MIT */
/*
 * The judge of a state that a power cut could have left: what the checker says of it,
 * and whether everything is there that was promised, and nothing else.
 *
 *   - damage is never there; leftovers only on a volume that is marked dirty
 *   - a file or directory that was durable has its old name, or one it was given later
 *   - its content is, cell by cell, the durable one or a later one of the same file, of
 *     one generation; its size is one it has had since
 *   - no name that was neither there nor asked for, and none whose removal was durable
 *   - a durable name that has only changed hands since, as by a rename onto it, is there
 *   - after recovery nothing has two names, but a file that was empty when renamed
 *   - no byte of another file, of a deleted one, or of what a cluster held before
 *
 * Of objects that are everybody's (is_common) only the first, the last and the names
 * after recovery: they may be anywhere but in a directory that isn't everybody's.
 */
#ifndef REPLAY_JUDGE_H
#define REPLAY_JUDGE_H

#include "book.h"
#include "reader.h"
#include "support/replay.h"

/* Which kinds of findings came together, and how often. */
struct judge_kind {
    uint64_t findings;
    unsigned seen;
};

/* What other programs, run by a command (dump.h), have said of states dumped. */
struct judge_others {
    const char *command;         /* NULL: what is dumped stays where it is */
    uint64_t waiting;            /* dumped, and not judged yet             */
    uint64_t states, files, bad; /* files: compared                        */
};

struct judge {
    const struct book *book;
    struct recdev *rec;
    uint32_t sector_bytes; /* what is never torn; 0 means 512 */
    unsigned
            recover_every; /* mount, mend and judge again: one state in so many; 0: none */
    unsigned cut_every;    /* ... and cut that once more: one in so many of these    */
    const char *dump_directory;
    unsigned dump_every; /* write one state in so many there */
    unsigned dump_alike; /* ... and so many of each kind that the checker tells apart */
    bool dump_found;     /* ... and every one with a finding that is not a mark */
    struct judge_others *others;  /* of what is dumped; NULL: nobody is asked */
    const char *mended_directory; /* what recovery has made of a state goes there */

    uint64_t states, recovered, repaired, cut_again, dumped;
    uint64_t finding_kinds; /* of the state at hand: a bit for each */
    struct judge_kind *kinds;
    size_t kind_count;
    char reason[400]; /* of the first bad state */

    struct reader reader;
    uint8_t *content;
    size_t content_bytes;
    uint32_t *seen; /* per object: 0 no name of it, else its first cluster, plus one */
};

/* The names of a volume that has been mounted since. */
enum judge_after { JUDGE_CUT, JUDGE_RECOVERY_CUT, JUDGE_RECOVERED };

/* What is promised, and what has begun. */
struct judge_bounds {
    size_t promises;  /* of book->promises */
    uint32_t reached; /* step              */
    uint32_t note;    /* the highest of MARK_NOTE                */
    bool closed;      /* it was closed: nothing may be left over */
    enum judge_after after;
};

/* replay_judge_fn; the context is a struct judge */
int judge_state(
        struct fat_blkdev *dev, const struct replay_state *state, void *context);

/* The same for a device that stands alone. Zero: good. Else judge->reason. */
int judge_volume(
        struct judge *judge, struct fat_blkdev *dev, const struct judge_bounds *bounds);

/* In judge->reason, unless something is there already. Returns 1. */
int judge_complain(struct judge *judge, const char *format, ...)
        __attribute__((format(printf, 2, 3)));

void judge_done(struct judge *judge);

/* A name that @object had for certain, and that was only handed over since, is there. */
int judge_lasting_names(
        struct judge *judge, uint32_t object, uint32_t durable, uint32_t reached);

/*
 * May it have two names after recovery? A file that was empty when it was renamed: it
 * has no cluster by which anybody could tell that the two are one.
 */
bool judge_may_have_two_names(
        const struct book_object *object, uint32_t durable, uint32_t reached);

/* An entry of an object that is everybody's. Zero: good. */
int judge_common(struct judge *judge, size_t entry);

/* The same for its second name, after recovery: only what is empty may have one. */
bool judge_common_may_be_two(const struct judge *judge, size_t entry);

/* For who judges entries: complain of one; of a cell; and read all that it has into
   judge->content, with a cell of zeros behind. Zero: good. */
int judge_complain_at(struct judge *judge, size_t entry, const char *what);
int judge_complain_of_cell(
        struct judge *judge, size_t entry, uint32_t object, uint32_t cell);
int judge_load(struct judge *judge, size_t entry);

/* The step whose outcome is certain for @object. */
uint32_t judge_durable(
        const struct book *book, uint32_t object, const struct judge_bounds *bounds);

/* What the first @marks of the log's marks say. */
struct judge_bounds judge_bounds_of(const struct recdev *rec, size_t marks);

/* May it show there? @durable, @reached: steps */
bool judge_may_be_at(const struct book_object *object, uint32_t durable,
        uint32_t reached, uint32_t parent, const char *name);

/* Was it there for certain, and nobody has begun to remove it? */
bool judge_must_be(
        const struct book_object *object, uint32_t durable, uint32_t reached);

#define JUDGE_RECOVERY_NAME "recovery.tmp"

#endif
