/* SPDX-License-Identifier: MIT */
/*
 * A reader of FAT volumes that shares nothing with the engine: what is named where,
 * and which bytes it has. Written to be obvious, not to be tolerant: names are ASCII,
 * and a volume that leads it astray is reported, since no power cut may leave one.
 */
#ifndef REPLAY_READER_H
#define REPLAY_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <fatward/blkdev.h>

#define READER_NONE SIZE_MAX

struct reader_entry {
    size_t parent; /* index of the directory's entry, READER_NONE: the root          */
    char name[256];
    bool is_directory;
    uint8_t attributes;
    uint32_t first_cluster;
    uint32_t size; /* [bytes] */
    uint32_t born; /* created so many two-second steps after READER_EPOCH            */
    unsigned depth;
    uint32_t slot;       /* of its short entry, in its directory */
    uint32_t long_slots; /* right before that                    */
};

/* 2000-01-01 00:00:00 UTC, a day that is long enough for any test. [seconds] */
#define READER_EPOCH INT64_C(946684800)

struct reader {
    struct fat_blkdev *dev;
    unsigned type;
    uint32_t sector_bytes, cluster_bytes, cluster_count, fat_bytes, root_cluster;
    uint64_t fat_offset, root_offset, data_offset;
    uint32_t root_bytes; /* FAT12 and FAT16 */
    uint8_t *fat;        /* the first one   */
    struct reader_entry *entries;
    size_t entry_count, entry_capacity;
    uint8_t *scratch; /* a directory being read */
    size_t scratch_bytes;
    const char *complaint; /* NULL: nothing wrong */
};

/*
 * Read every name of the volume. @reader is all zero or was used before; its memory
 * is used again. False: see reader->complaint.
 */
bool reader_read(struct reader *reader, struct fat_blkdev *dev);

void reader_done(struct reader *reader);

/* The entry of its chain: 0 free, 1 the end (whatever is no cluster), else the next. */
uint32_t reader_next(const struct reader *reader, uint32_t cluster);

uint64_t reader_cluster_offset(const struct reader *reader, uint32_t cluster);

/* The first @length bytes of the chain; false if it has fewer. */
bool reader_chain_bytes(
        struct reader *reader, uint32_t first, uint8_t *bytes, uint32_t length);

/* "D/f" into @path. */
void reader_path(
        const struct reader *reader, size_t entry, char *path, size_t path_bytes);

/* Slots in use up to the end mark of a directory; READER_NONE: the root. */
size_t reader_slots(struct reader *reader, size_t directory);

#endif
