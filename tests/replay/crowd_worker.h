/* SPDX-License-Identifier: MIT */
/* The inner side of a crowd (crowd.h): what its threads share, and what each has. */
#ifndef REPLAY_CROWD_WORKER_H
#define REPLAY_CROWD_WORKER_H

#include <pthread.h>
#include <stdatomic.h>

#include <fatward/namei.h>
#include <fatward/volume.h>

#include "crowd.h"
#include "crowd_pace.h"

enum {
    CROWD_HALLS = 4,
    CROWD_THREADS_MAX = 8,
    CROWD_LEAVES = 4, /* names of files of one's own, in each hall and each home */
    CROWD_OBJECTS_MAX = 8192,
};

/* A mark in the log for each line, beside those of world.h. */
enum { MARK_LINE = 100 };

struct crowd_hall {
    struct fat_node *node;
    uint32_t object;
    const char *name;
};

/* What there is to know about an object that the book hasn't got. */
struct crowd_object {
    struct crowd_worker *owner; /* NULL: nobody in particular                        */
    uint32_t changed;           /* the step that began to change it last             */
    uint32_t promised;          /* the last step of it that was promised             */
};

struct crowd {
    struct fat_volume *volume;
    struct pace pace;
    uint32_t cluster_bytes;
    bool tight; /* room may run out */
    struct crowd_hall halls[CROWD_HALLS];
    struct crowd_worker *workers;
    unsigned worker_count;
    pthread_barrier_t start;
    atomic_uint progress; /* steps done         */
    atomic_uint at_work;  /* workers            */
    atomic_bool stop;     /* something is wrong */
    atomic_uint on_show;  /* crowd_show(); 0: nothing is */
    pthread_mutex_t lock; /* what follows, the record, and every busy_step */
    struct crowd_record *record;
    size_t line_capacity;
    struct crowd_object objects[CROWD_OBJECTS_MAX];
};

struct crowd_worker {
    struct crowd *crowd;
    unsigned number;
    pthread_t thread;
    uint64_t dice;
    uint32_t busy_step; /* of the book, which has begun; 0: none           */
    uint32_t steps[CROWD_OBJECTS_MAX]; /* of a commit under way: what it promises */
    uint32_t last;                     /* of its own files, the one that it used last */
    uint32_t spare[2]; /* numbers for a common file, a directory; 0: none */
    uint8_t bytes[64 * BOOK_CELL_BYTES];
};

uint32_t crowd_roll(struct crowd_worker *worker, uint32_t sides);

/* The first reason counts; everybody stops. Not with the lock held. */
void crowd_complain(struct crowd *crowd, const char *format, ...)
        __attribute__((format(printf, 2, 3)));

/* What begins now, in words. Not with the lock held. */
void crowd_say(struct crowd_worker *worker, const char *format, ...)
        __attribute__((format(printf, 2, 3)));

/*
 * A step of the book about things of the worker's own. From begin to go the lock is held,
 * for the book to be told what will be; behind go that may happen, and no power cut
 * before can show it. It is over with crowd_end().
 */
void crowd_begin(struct crowd_worker *worker, const char *format, ...)
        __attribute__((format(printf, 2, 3)));
void crowd_change(struct crowd_worker *worker, uint32_t object); /* this is its own */
void crowd_go(struct crowd_worker *worker);
void crowd_end(struct crowd_worker *worker);

/* What the clock says to this thread: the hour of that object's birth; 0: any other. */
void crowd_set_clock(uint32_t object);

/* @object as it is now: to be called without the lock, by its owner. */
void crowd_sync(struct crowd_worker *worker, struct fat_node *node, uint32_t object);

/* A commit promises all that anybody's finished steps have made. */
void crowd_commit(struct crowd_worker *worker);

/* FAT_OK, or no room where there may be none, which is counted. Else it complains. */
fat_err crowd_expect(struct crowd_worker *worker, const char *what, fat_err err);

/* Every cell that @node has now, wherever it came from, is its own or zeros. */
void crowd_read_through(struct crowd_worker *worker, struct fat_node *node);

/* A file of somebody's own that changes again and again: others had better look at it. */
struct crowd_show {
    unsigned hall, number, leaf;
};

static inline unsigned crowd_show(struct crowd_show show)
{
    return 1 + show.leaf + CROWD_LEAVES * (show.number + CROWD_THREADS_MAX * show.hall);
}

static inline struct crowd_show crowd_shown(unsigned on_show)
{
    on_show--;
    return (struct crowd_show){.leaf = on_show % CROWD_LEAVES,
            .number = on_show / CROWD_LEAVES % CROWD_THREADS_MAX,
            .hall = on_show / CROWD_LEAVES / CROWD_THREADS_MAX};
}

/* One step, of the kind that the file is about: crowd_own.c, crowd_common.c. */
void crowd_own_step(struct crowd_worker *worker);
void crowd_common_step(struct crowd_worker *worker);

/* Look up a file of somebody's own, again and again: what is on show, or any. */
void crowd_stare(struct crowd_worker *worker);

/* The name of a file of worker @number's own, and of its directory in each hall. */
void crowd_name_leaf(unsigned number, unsigned leaf, char name[BOOK_NAME_BYTES]);
void crowd_name_home(unsigned number, char name[BOOK_NAME_BYTES]);

#endif
