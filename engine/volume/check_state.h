/* SPDX-License-Identifier: MIT */
/*
 * What the passes of the checker share, and the passes themselves. Each pass
 * returns an error only for what ends the check (memory, a boot sector that can't
 * be read); what is wrong with the volume is said through fat_check_say().
 */
#ifndef FAT_VOLUME_CHECK_STATE_H
#define FAT_VOLUME_CHECK_STATE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <fatward/check.h>

#include "ondisk/bpb.h"
#include "ondisk/dirent.h"
#include "ondisk/geometry.h"
#include "ondisk/lfn.h"

/* One FAT entry in four bytes: 0 free, 1 reserved, the next cluster, or these. */
#define FAT_CHECK_END    UINT32_C(0xffffffff)
#define FAT_CHECK_UNREAD UINT32_C(0xfffffffe) /* no copy of the FAT could be read */
#define FAT_CHECK_BAD    UINT32_C(0xfffffff7)

enum { FAT_CHECK_FREE = 0, FAT_CHECK_RESERVED = 1 };

/* What is known of a cluster, in a bit of its own for each. */
enum fat_check_mark {
    FAT_MARK_TAKEN,   /* a chain that some entry names has it            */
    FAT_MARK_DIR,     /* that entry is a directory                       */
    FAT_MARK_HEAD,    /* and it is the first cluster                     */
    FAT_MARK_ON_PATH, /* head of the directory being read or an ancestor */
    FAT_MARK_FOLLOWS, /* lost, and another lost cluster leads to it      */
    FAT_MARK_COUNT
};

/* Part of the FAT: entries @first .. @first + @count - 1, as bytes of a copy. */
struct fat_check_piece {
    uint32_t first, count;
    uint64_t offset; /* in the copy */
    size_t length;
};

/* Parts of a piece are read alone where the whole can't be; even, for FAT12's sake. */
enum { FAT_CHECK_PART_ENTRIES = 256, FAT_CHECK_PARTS_MAX = 64 };

/* Which part of the FAT is in a place of view_bytes. */
struct fat_check_view {
    uint32_t after; /* the number of the next part; 0: none is              */
    bool unread;    /* no copy gave it                                       */
};

/* A directory that waits to be read, or is being read with what is below it. */
struct fat_check_dir {
    uint32_t parent;        /* place on the stack; the root is its own         */
    uint32_t first_cluster; /* 0: the fixed root of FAT12 and FAT16            */
    uint32_t length;        /* clusters of its chain that are its own          */
    bool open;              /* it has been read: what is above it is below it  */
    char *name;             /* UTF-8; NULL for the root                        */
};

/* The entry in the directory being read that findings are about. */
struct fat_check_entry {
    uint32_t slot;       /* of the short entry                                */
    uint32_t long_slots; /* in front of it, of a valid long name              */
    struct fat_dirent dirent;
};

/* One name of an entry, for finding two of one name. */
struct fat_check_name {
    uint32_t hash;
    uint32_t slot, long_slots;
    uint32_t twin; /* slot of the first entry with the same name        */
    bool is_long;
};

enum { FAT_CHECK_PATH_BYTES = 4096, FAT_CHECK_NO_DIR = -1 };

/*
 * What the stack may take, so that no volume can want more memory than there is. Some
 * 600,000 directories, all above, beside or below each other: ten full ones in a row.
 */
enum { FAT_CHECK_DIRS_BYTES = 32 << 20 };

struct fat_check {
    struct fat_blkdev *dev;
    const atomic_bool *stop; /* somebody wants an end of it; NULL: nobody can     */
    fat_finding_fn *found;
    void *context;
    struct fat_check_summary sum;

    uint8_t boot[FAT_BOOT_BYTES];
    struct fat_bpb bpb;
    struct fat_geometry g;  /* .cluster_count: what the device really has    */
    uint32_t claimed_count; /* clusters as the boot sector has it            */
    uint8_t label[FAT_LABEL_BYTES];
    bool has_root;  /* the root directory was there to be read           */
    bool has_label; /* and has a label entry                             */

    struct fat_check_view *views; /* of the FAT, see check_link.c              */
    uint8_t *view_bytes;
    size_t part_bytes;
    bool fat_unread;                /* that it can't be read has been said     */
    uint8_t *marks[FAT_MARK_COUNT]; /* a bit per cluster, 0 and 1 included     */
    uint32_t unread_count;          /* clusters whose entries can't be read    */
    uint32_t taken_count;           /* clusters taken by chains, less these    */
    uint64_t alias_steps;           /* links that may still be followed twice  */

    struct fat_check_dir *dirs; /* a stack                                       */
    size_t dir_count, dir_capacity;
    size_t dir_bytes; /* that it takes, with its names                           */

    /* The directory being read: all its slots, and where they came from. */
    uint8_t *slots;
    size_t slots_bytes; /* room                                              */
    uint32_t slot_count;
    uint32_t *slot_clusters;
    size_t cluster_capacity;
    bool slots_unread; /* some could not be read and look free               */
    struct fat_lfn lfn;
    uint32_t long_run; /* LONG slots right before the slot under judgement   */
    struct fat_check_name *names;
    size_t name_count, name_capacity;

    /* What findings are about: nothing, a directory, or an entry in it. */
    int64_t dir;
    const struct fat_check_entry *entry;
    char path[FAT_CHECK_PATH_BYTES];
};

/* Asked before every read and in every loop over what a volume has many of. */
static inline bool fat_check_is_stopped(const struct fat_check *c)
{
    return c->stop && atomic_load_explicit(c->stop, memory_order_relaxed);
}

/* check_report.c */

/*
 * Tell about a finding. @seed has kind, cluster, offset, first and second; path
 * (from c->dir and c->entry), text and weight are filled in.
 */
void fat_check_say(struct fat_check *c, const struct fat_finding *seed,
        const char *format, ...) __attribute__((format(printf, 3, 4)));

/* The same with a weight of its own, where one kind has two faces. */
void fat_check_say_as(struct fat_check *c, enum fat_finding_weight weight,
        const struct fat_finding *seed, const char *format, ...)
        __attribute__((format(printf, 4, 5)));

/* All of @length bytes; beyond the device is an error like any other. */
FAT_MUST_CHECK fat_err fat_check_read(
        struct fat_check *c, uint64_t offset, void *buffer, size_t length);

/*
 * Room for @needed objects of @size bytes in *@array, which grows by doubling.
 * FAT_E_NOMEM: *@array and *@capacity are unchanged.
 */
FAT_MUST_CHECK fat_err fat_check_reserve(
        void **array, size_t *capacity, size_t needed, size_t size);

/* check_boot.c */

/* Reads the boot sector; fills in bpb, g and claimed_count. */
FAT_MUST_CHECK fat_err fat_check_boot(struct fat_check *c);

/* FSInfo, once the free clusters are counted; the label, once the root is read. */
void fat_check_fsinfo(struct fat_check *c);
void fat_check_boot_label(struct fat_check *c);

/* The 11 bytes are a volume label; blanks alone are not. */
bool fat_check_label_is_legal(const uint8_t label[FAT_LABEL_BYTES]);

/* check_piece.c */

uint64_t fat_check_copy_offset(const struct fat_check *c, uint32_t copy);

/* @count entries from @first on, less those that the FAT does not have. */
struct fat_check_piece fat_check_piece(
        const struct fat_check *c, uint32_t first, uint32_t count);
/* Part number @index of it. */
struct fat_check_piece fat_check_part(
        const struct fat_check *c, const struct fat_check_piece *whole, uint32_t index);
uint32_t fat_check_count_parts(const struct fat_check_piece *whole);

/* Entries of one copy that can't be read, in parts of a piece. */
struct fat_check_unread {
    uint32_t count, first;
};

/* From one copy; false: it can't be read. */
bool fat_check_read_piece(struct fat_check *c, const struct fat_check_piece *piece,
        uint32_t copy, uint8_t *bytes);
/* The same of a part; what can't be read is added to @unread. */
bool fat_check_read_part(struct fat_check *c, const struct fat_check_piece *part,
        uint32_t copy, uint8_t *bytes, struct fat_check_unread *unread);
/*
 * From the active copy, and what it can't give, which is added to @unread, from any
 * other that is kept up to date. Returns a bit for each part that no copy could give; it
 * is zero in @bytes.
 */
uint64_t fat_check_read_any(struct fat_check *c, const struct fat_check_piece *piece,
        uint8_t *bytes, struct fat_check_unread *unread);

/* The entry of @cluster, which is in @piece. */
uint32_t fat_check_piece_entry(const struct fat_check *c,
        const struct fat_check_piece *piece, const uint8_t *bytes, uint32_t cluster);

/* check_link.c */

/* Memory for views and marks. FAT_E_NOMEM */
FAT_MUST_CHECK fat_err fat_check_links(struct fat_check *c);
void fat_check_links_free(struct fat_check *c);

/* Once: that @piece of the FAT can't be read, which could be read before. */
void fat_check_say_unread(struct fat_check *c, const struct fat_check_piece *piece);

/* FAT_CHECK_..., or the next cluster; of what is no cluster FAT_CHECK_RESERVED. */
uint32_t fat_check_link(struct fat_check *c, uint32_t cluster);

static inline bool fat_check_has(
        const struct fat_check *c, uint32_t cluster, enum fat_check_mark mark)
{
    return c->marks[mark][cluster / 8] >> cluster % 8 & 1;
}

static inline void fat_check_mark(
        struct fat_check *c, uint32_t cluster, enum fat_check_mark mark)
{
    c->marks[mark][cluster / 8] |= (uint8_t)(1U << cluster % 8);
}

static inline void fat_check_unmark(
        struct fat_check *c, uint32_t cluster, enum fat_check_mark mark)
{
    c->marks[mark][cluster / 8] &= (uint8_t) ~(1U << cluster % 8);
}

/* check_fat.c: reads the FAT once, counts its entries, compares its copies. */
FAT_MUST_CHECK fat_err fat_check_fat(struct fat_check *c);

/* check_chain.c */

/*
 * Take the chain of the entry (or root) that findings are about, and say what is
 * wrong with it; the size too, if it is a file.
 *
 * Returns the number of clusters that are this chain's alone.
 */
uint32_t fat_check_claim(
        struct fat_check *c, uint32_t first, bool is_directory, uint32_t size_bytes);

/* Chains that nobody claimed, and the counts of the summary. */
void fat_check_lost(struct fat_check *c);

/* check_tree.c: all directories, from the root. */
FAT_MUST_CHECK fat_err fat_check_tree(struct fat_check *c);

/* FAT_E_NOMEM, also where the stack would take more than FAT_CHECK_DIRS_BYTES */
FAT_MUST_CHECK fat_err fat_check_push_dir(
        struct fat_check *c, uint32_t parent, uint32_t first, uint32_t length);

/* check_dir.c: the slots of the directory at @index of the stack, read already. */
FAT_MUST_CHECK fat_err fat_check_slots(struct fat_check *c, uint32_t index);

/* Byte on the device of a slot of the directory being read. */
uint64_t fat_check_slot_offset(const struct fat_check *c, uint32_t slot);

static inline const uint8_t *fat_check_slot(const struct fat_check *c, uint32_t slot)
{
    return c->slots + (size_t)slot * FAT_SLOT_BYTES;
}

/* check_dots.c: "." and ".." of a directory that is not the root. */
void fat_check_dots(struct fat_check *c, uint32_t index);

/* check_entry.c: what a short entry or a label says about itself. */
void fat_check_label_entry(struct fat_check *c, const struct fat_check_entry *entry);
void fat_check_entry_fields(struct fat_check *c, const struct fat_check_entry *entry);

/* Long-name slots before @slot that belong to no entry; @run of them. */
void fat_check_long_orphan(struct fat_check *c, uint32_t slot, uint32_t run);
/* Ends the set under way at a short entry; fills in @entry->long_slots. */
void fat_check_long_name(struct fat_check *c, struct fat_check_entry *entry);

/* check_names.c */

/* Units of an entry's name, the long one if it has one. */
size_t fat_check_name_units(const struct fat_check *c, uint32_t slot,
        uint32_t long_slots, uint16_t units[FAT_LFN_SLOTS_MAX * FAT_LFN_UNITS]);

/* The same in UTF-8 that a terminal survives. */
void fat_check_name_text(const struct fat_check *c, uint32_t slot, uint32_t long_slots,
        char text[FAT_NAME_BYTES_MAX + 1]);

/* A copy of it to be freed; NULL: no memory. */
char *fat_check_name_copy(const char *text);

/* Remember an entry's names; FAT_E_NOMEM. */
FAT_MUST_CHECK fat_err fat_check_name_add(
        struct fat_check *c, const struct fat_check_entry *entry);
/* Say which of them are there twice, and forget them. */
void fat_check_name_twins(struct fat_check *c);

#endif
