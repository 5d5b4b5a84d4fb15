/* SPDX-License-Identifier: MIT */
/*
 * Two names of one chain, while somebody uses them: on a volume that was not closed
 * the scan takes one of them away, on any other it is damage.
 */
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/bytes.h"
#include "ondisk/dirent.h"
#include "support/cmocka.h"
#include "support/surgery.h"
#include "tree/node.h"

static const struct image_spec SPECS[] = {{.type = 12}, {.type = 16}, {.type = 32},
        {.type = 12, .sector_bytes = 4096, .fat_count = 3}};

enum { SPEC_COUNT = sizeof(SPECS) / sizeof(SPECS[0]) };

/* Files "F" and "G" are one, on a volume that was not closed. */
static void make_twins(struct image *img, const struct image_spec *spec)
{
    uint64_t second;
    uint32_t first;

    image_make(img, spec);
    image_put(img->root, "F", 1, 3000);
    image_touch(img->root, "G");
    first = surgery_first_of(img->root, "F");
    second = surgery_entry_of(img->root, "G");
    image_close(img);
    surgery_point(img, second, first, 3000);
    surgery_make_dirty(img);
    image_open(img);
}

static bool is_there(struct image *img, const char *name)
{
    return image_try_lookup(img->root, name) == FAT_OK;
}

/* It refuses everything, whatever is asked of it. */
static void assert_stale_file(struct fat_node *file)
{
    const struct fat_node_changes changes = {
            .which = FAT_SET_ATTRIBUTES, .attributes = FAT_NODE_HIDDEN};
    uint8_t bytes[16] = {0};
    size_t done = 77;

    assert_int_equal(fat_file_read(file, 0, bytes, 16, &done), FAT_E_STALE);
    assert_int_equal(fat_file_write(file, 0, bytes, 16, &done), FAT_E_STALE);
    assert_int_equal(fat_file_append(file, bytes, 16, &done), FAT_E_STALE);
    assert_int_equal(done, 77);
    assert_int_equal(fat_file_truncate(file, 0), FAT_E_STALE);
    assert_int_equal(fat_file_truncate(file, 9000), FAT_E_STALE);
    assert_int_equal(fat_file_allocate(file, 0, 9000, 0), FAT_E_STALE);
    assert_int_equal(
            fat_file_allocate(file, 0, 9000, FAT_ALLOCATE_KEEP_SIZE), FAT_E_STALE);
    assert_int_equal(fat_node_change(file, &changes), FAT_E_STALE);
    assert_int_equal(fat_node_sync(file), FAT_OK);
}

static void a_file_whose_name_the_scan_took_away_is_stale(void **state)
{
    (void)state;
    for (size_t i = 0; i < SPEC_COUNT; i++) {
        struct image img;
        struct fat_node *f, *g;
        struct fat_stat st;
        bool kept;

        make_twins(&img, &SPECS[i]);
        f = image_lookup(img.root, "F");
        g = image_lookup(img.root, "G");
        image_touch(img.root, "first change");
        kept = is_there(&img, "F");
        assert_true(kept != is_there(&img, "G"));
        assert_stale_file(kept ? g : f);
        assert_int_equal(fat_node_stat(kept ? g : f, &st), FAT_E_STALE);
        assert_int_equal(image_size(kept ? f : g), 3000);
        image_write(kept ? f : g, 100, "here", 4);
        fat_node_unref(f);
        fat_node_unref(g);
        image_reopen(&img);
        assert_true(is_there(&img, kept ? "F" : "G"));
        image_done(&img);
    }
}

static void what_a_write_says_it_wrote_is_there_after_the_scan_it_brought(void **state)
{
    static const char *const names[] = {"F", "G"};

    (void)state;
    for (size_t i = 0; i < SPEC_COUNT * 2; i++) {
        const char *name = names[i % 2];
        struct image img;
        struct fat_node *twins[2];
        uint8_t bytes[5];
        size_t done;
        fat_err err;

        make_twins(&img, &SPECS[i / 2]);
        twins[0] = image_lookup(img.root, "F");
        twins[1] = image_lookup(img.root, "G");
        err = fat_file_append(twins[i % 2], "hello", 5, &done);
        assert_int_equal(err, is_there(&img, name) ? FAT_OK : FAT_E_STALE);
        assert_int_equal(fat_node_sync(twins[i % 2]), FAT_OK);
        fat_node_unref(twins[0]);
        fat_node_unref(twins[1]);
        image_reopen(&img);
        if (err == FAT_OK) {
            twins[0] = image_lookup(img.root, name);
            assert_int_equal(image_size(twins[0]), 3005);
            assert_int_equal(fat_file_read(twins[0], 3000, bytes, 5, &done), FAT_OK);
            assert_memory_equal(bytes, "hello", 5);
            fat_node_unref(twins[0]);
        }
        image_done(&img);
    }
}

static void nothing_done_to_a_stale_file_frees_a_cluster(void **state)
{
    (void)state;
    for (size_t i = 0; i < SPEC_COUNT; i++) {
        struct image img;
        struct fat_node *f, *g;
        uint32_t free_clusters;

        make_twins(&img, &SPECS[i]);
        f = image_lookup(img.root, "F");
        g = image_lookup(img.root, "G");
        image_touch(img.root, "first change");
        assert_int_equal(fat_volume_commit(img.volume), FAT_OK);
        free_clusters = image_free(&img);
        assert_int_equal(
                fat_file_truncate(is_there(&img, "F") ? g : f, 0), FAT_E_STALE);
        fat_node_unref(f);
        fat_node_unref(g);
        image_touch(img.root, "second change");
        assert_int_equal(fat_volume_commit(img.volume), FAT_OK);
        assert_int_equal(image_free(&img), free_clusters);
        image_expect(img.root, is_there(&img, "F") ? "F" : "G", 1, 3000);
        image_done(&img);
    }
}

/* "F" and "G" get these ages and sizes, and the scan finds them so. */
static void recover_twins(struct image *img, const struct image_spec *spec,
        const uint8_t age[2], const uint32_t size[2])
{
    uint64_t entries[2];

    make_twins(img, spec);
    entries[0] = surgery_entry_of(img->root, "F");
    entries[1] = surgery_entry_of(img->root, "G");
    image_close(img);
    for (size_t k = 0; k < 2; k++) {
        uint8_t raw[4];

        surgery_write(img, entries[k] + DIR_CRT_TIME_TENTH, &age[k], 1);
        fat_put32(raw, 0, size[k]);
        surgery_write(img, entries[k] + DIR_FILE_SIZE, raw, sizeof(raw));
    }
    image_open(img);
    assert_int_equal(fat_volume_recover(img->volume), FAT_OK);
}

/* No rename of ours has left these: one was cut or has grown under another system. */
static void of_two_names_of_one_age_the_larger_file_stays(void **state)
{
    static const uint32_t sizes[][2] = {
            {3000, 100}, {100, 3000}, {0, 3000}, {3000, 0}, {2999, 3000}};

    (void)state;
    for (size_t i = 0; i < SPEC_COUNT * 5; i++) {
        const uint32_t *size = sizes[i % 5];
        struct image img;

        recover_twins(&img, &SPECS[i / 5], (const uint8_t[]){7, 7}, size);
        assert_true(is_there(&img, "F") == (size[0] > size[1]));
        assert_true(is_there(&img, "G") == (size[1] > size[0]));
        image_expect(img.root, size[0] > size[1] ? "F" : "G", 1, 3000);
        image_done(&img);
    }
}

/* A rename and a truncation, or a growth, that one commit was to bring. */
static void what_is_beyond_the_size_under_the_name_that_stays_is_cut(void **state)
{
    static const uint32_t sizes[][2] = {
            {3000, 700}, {700, 3000}, {700, 700}, {3000, 1}};

    (void)state;
    for (size_t i = 0; i < SPEC_COUNT * 8; i++) {
        const uint32_t *size = sizes[i / 2 % 4];
        const bool second = i % 2; /* of the two is the newer */
        const uint8_t age[] = {7 + !second, 7 + second};
        struct image img;

        recover_twins(&img, &SPECS[i / 8], age, size);
        assert_true(is_there(&img, "F") != second);
        assert_true(is_there(&img, "G") == second);
        image_expect(img.root, second ? "G" : "F", 1, size[second]);
        image_close(&img);
        image_check_clean(img.dev);
        image_done(&img);
    }
}

/* What a cut in the middle of the commit leaves, when a large folder's files are moved. */
static void names_that_a_large_commit_leaves_twice_are_all_mended(void **state)
{
    enum { MANY = 6000 };
    struct image img;
    struct fat_node *from;
    struct fat_node *to;
    uint64_t *entries = calloc(MANY, sizeof(*entries));
    uint32_t *firsts = calloc(MANY, sizeof(*firsts));

    (void)state;
    assert_non_null(entries);
    assert_non_null(firsts);
    image_make(&img, &(struct image_spec){.type = 16, .clusters = 14000});
    from = image_mkdir(img.root, "from");
    to = image_mkdir(img.root, "to");
    for (uint32_t i = 0; i < MANY; i++) {
        char name[16];

        snprintf(name, sizeof(name), "F%u", (unsigned)i);
        image_put(from, name, 1, 1);
        image_touch(to, name);
        firsts[i] = surgery_first_of(from, name);
        entries[i] = surgery_entry_of(to, name);
    }
    fat_node_unref(from);
    fat_node_unref(to);
    image_close(&img);
    for (uint32_t i = 0; i < MANY; i++) {
        surgery_point(&img, entries[i], firsts[i], 1);
    }
    surgery_make_dirty(&img);
    image_open(&img);
    assert_int_equal(fat_volume_recover(img.volume), FAT_OK);
    assert_false(fat_volume_is_read_only(img.volume));
    from = image_lookup(img.root, "from");
    to = image_lookup(img.root, "to");
    assert_int_equal(image_count(from) + image_count(to), MANY);
    fat_node_unref(from);
    fat_node_unref(to);
    image_done(&img);
    free(entries);
    free(firsts);
}

/* What recovery knows two names by as one, and the newer one. */
static void change_creation(struct image *img, struct fat_node *file)
{
    const struct fat_node_changes changes = {
            .which = FAT_SET_CREATED, .created = {.seconds = img->now.seconds + 2}};

    assert_int_equal(fat_node_change(file, &changes), FAT_OK);
}

static void empty(struct image *img, struct fat_node *file)
{
    (void)img;
    assert_int_equal(fat_file_truncate(file, 0), FAT_OK);
}

static void begin_anew(struct image *img, struct fat_node *file)
{
    empty(img, file);
    image_write(file, 0, "new", 3);
}

static void lengthen(struct image *img, struct fat_node *file)
{
    (void)img;
    image_write(file, image_size(file), "more", 4);
}

static const struct recast_row {
    const char *name;
    void (*change)(struct image *img, struct fat_node *file);
    bool waits_before, waits_behind; /* done before the rename, or after it */
} RECASTS[] = {
        {"its creation time changes", change_creation, true, true},
        {"it is emptied", empty, true, true},
        {"it begins in another cluster", begin_anew, true, true},
        {"it grows", lengthen, false, false},
};

enum { RECAST_COUNT = sizeof(RECASTS) / sizeof(RECASTS[0]) };

static unsigned flushes(const struct image *img)
{
    return (unsigned)recdev_counts(img->rec).flushes;
}

/* "A" is renamed to "dir/B", and changed before or after that. Returns the commits. */
static bool rename_and_change(
        struct image *img, const struct recast_row *row, bool before, bool is_new)
{
    struct fat_node *dir = image_mkdir(img->root, "dir");
    struct fat_node *file;
    unsigned begun;

    if (!is_new) {
        image_put(img->root, "A", 1, 700);
    }
    assert_int_equal(fat_volume_commit(img->volume), FAT_OK);
    begun = flushes(img);
    if (is_new) {
        image_put(img->root, "A", 1, 700);
    }
    file = image_lookup(img->root, "A");
    if (before) {
        row->change(img, file);
    }
    assert_int_equal(fat_rename(img->root, "A", dir, "B", 0), FAT_OK);
    if (!before) {
        row->change(img, file);
    }
    fat_node_unref(file);
    fat_node_unref(dir);
    return flushes(img) > begun;
}

static void what_two_names_are_known_by_changes_in_another_commit_than_the_name(
        void **state)
{
    (void)state;
    for (size_t i = 0; i < SPEC_COUNT * RECAST_COUNT * 2; i++) {
        const struct recast_row *row = &RECASTS[i / 2 % RECAST_COUNT];
        const bool before = i % 2;
        struct image img;

        image_make(&img, &SPECS[i / 2 / RECAST_COUNT]);
        if (rename_and_change(&img, row, before, false) !=
                (before ? row->waits_before : row->waits_behind)) {
            fail_msg("%s %s it is renamed", row->name, before ? "before" : "after");
        }
        image_done(&img);
        image_make(&img, &SPECS[i / 2 / RECAST_COUNT]);
        if (rename_and_change(&img, row, before, true)) {
            fail_msg("a new file: %s", row->name);
        }
        image_done(&img);
    }
}

static void the_first_data_of_a_file_are_on_disk_before_it_is_renamed(void **state)
{
    (void)state;
    for (size_t i = 0; i < SPEC_COUNT; i++) {
        struct image img;
        struct fat_node *file, *dir;
        uint64_t entry;
        uint8_t raw[32];

        image_make(&img, &SPECS[i]);
        dir = image_mkdir(img.root, "dir");
        image_touch(img.root, "A");
        assert_int_equal(fat_volume_commit(img.volume), FAT_OK);
        entry = surgery_entry_of(img.root, "A");
        file = image_lookup(img.root, "A");
        image_write(file, 0, "data", 4);
        assert_int_equal(fat_rename(img.root, "A", dir, "B", 0), FAT_OK);
        surgery_read(&img, entry, raw, sizeof(raw));
        assert_int_equal(raw[0], 'A');
        assert_int_equal(fat_get16(raw, DIR_FST_CLUS_LO), surgery_first(file));
        fat_node_unref(file);
        fat_node_unref(dir);
        image_done(&img);
    }
}

/* Nothing can be made, found or taken away in it. */
static void assert_stale_directory(struct fat_node *dir)
{
    struct fat_found found;

    assert_int_equal(fat_create(dir, "new", 0, &found), FAT_E_STALE);
    assert_int_equal(fat_mkdir(dir, "new", 0, &found), FAT_E_STALE);
    assert_int_equal(fat_lookup(dir, "inner", &found), FAT_E_STALE);
    assert_int_equal(fat_unlink(dir, "inner"), FAT_E_STALE);
    assert_int_equal(fat_rmdir(dir, "sub"), FAT_E_STALE);
    assert_int_equal(fat_rename(dir, "inner", dir, "outer", 0), FAT_E_STALE);
    assert_int_equal(image_count(dir), 0);
}

/* The directories "D" and "P/E" are one, and somebody uses it by one of the names. */
struct pair {
    struct image img;
    struct fat_node *parent; /* "P" */
    struct fat_node *held, *inner, *sub;
};

struct pair_row {
    const char *name;
    bool moved;    /* ".." names P */
    bool by_moved; /* in use as P/E */
};

static const struct pair_row PAIRS[] = {
        {"in use by the name that stays, the first", false, false},
        {"in use by the name that goes, the first", true, false},
        {"in use by the name that stays, the second", true, true},
        {"in use by the name that goes, the second", false, true},
};

enum { PAIR_COUNT = sizeof(PAIRS) / sizeof(PAIRS[0]) };

static void make_pair(struct pair *p, const struct image_spec *spec, bool moved)
{
    struct image *img = &p->img;
    struct fat_node *dir;
    uint64_t second;
    uint32_t first, above;

    image_make(img, spec);
    dir = image_mkdir(img->root, "D");
    image_put(dir, "inner", 2, 700);
    fat_node_unref(image_mkdir(dir, "sub"));
    first = surgery_first(dir);
    fat_node_unref(dir);
    dir = image_mkdir(img->root, "P");
    fat_node_unref(image_mkdir(dir, "E"));
    second = surgery_entry_of(dir, "E");
    above = surgery_first(dir);
    fat_node_unref(dir);
    image_close(img);
    surgery_point(img, second, first, 0);
    if (moved) {
        surgery_point(img, surgery_cluster(img, first) + 32, above, 0);
    }
}

static void look_up_pair(struct pair *p, bool by_moved)
{
    p->parent = image_lookup(p->img.root, "P");
    p->held = by_moved ? image_lookup(p->parent, "E") : image_lookup(p->img.root, "D");
    p->inner = image_lookup(p->held, "inner");
    p->sub = image_lookup(p->held, "sub");
}

static void use_pair(struct pair *p, bool by_moved)
{
    image_open(&p->img);
    look_up_pair(p, by_moved);
}

static void leave_pair(struct pair *p)
{
    fat_node_unref(p->sub);
    fat_node_unref(p->inner);
    fat_node_unref(p->held);
    fat_node_unref(p->parent);
}

/* What is in use is the directory that is kept, or refuses everything. */
static void assert_one_directory(struct pair *p, struct fat_node *kept)
{
    struct fat_found found;

    if (p->held == kept) {
        image_touch(p->held, "by the one in use");
        image_write(p->inner, 700, "more", 4);
        image_touch(p->sub, "deep");
    } else {
        assert_stale_directory(p->held);
        assert_stale_file(p->inner);
        assert_int_equal(fat_create(p->sub, "deep", 0, &found), FAT_E_STALE);
    }
    image_put(kept, "by the one that is kept", 3, 600);
    image_expect(kept, "by the one that is kept", 3, 600);
    assert_int_equal(image_count(kept), p->held == kept ? 4 : 3);
}

static void a_directory_in_use_by_two_names_is_one_after_the_scan(void **state)
{
    (void)state;
    for (size_t i = 0; i < SPEC_COUNT * PAIR_COUNT; i++) {
        const struct pair_row *row = &PAIRS[i % PAIR_COUNT];
        struct pair p;
        struct fat_node *kept;
        struct fat_found found;
        fat_err err;

        make_pair(&p, &SPECS[i / PAIR_COUNT], row->moved);
        surgery_make_dirty(&p.img);
        use_pair(&p, row->by_moved);
        err = fat_create(p.img.root, "first change", 0, &found);
        if (err != FAT_OK) {
            fail_msg("%s: %s", row->name, fat_err_text(err));
        }
        fat_node_unref(found.node);
        assert_int_equal(
                image_try_lookup(p.img.root, "D"), row->moved ? FAT_E_NOENT : FAT_OK);
        assert_int_equal(
                image_try_lookup(p.parent, "E"), row->moved ? FAT_OK : FAT_E_NOENT);
        kept = row->moved ? image_lookup(p.parent, "E") : image_lookup(p.img.root, "D");
        assert_one_directory(&p, kept);
        fat_node_unref(kept);
        leave_pair(&p);
        image_done(&p.img);
    }
}

static void nobody_need_use_the_parent_of_a_directory_that_the_scan_takes_away(
        void **state)
{
    (void)state;
    for (size_t i = 0; i < SPEC_COUNT * 2; i++) {
        struct pair p;

        make_pair(&p, &SPECS[i / 2], i % 2);
        surgery_make_dirty(&p.img);
        use_pair(&p, true);
        fat_node_unref(p.parent);
        assert_int_equal(fat_volume_recover(p.img.volume), FAT_OK);
        p.parent = image_lookup(p.img.root, "P");
        assert_int_equal(image_count(p.parent), i % 2);
        leave_pair(&p);
        image_done(&p.img);
    }
}

/* A medium that takes its time over one read. */
struct slow {
    struct fat_blkdev dev; /* first member */
    struct image *img;
    uint64_t offset; /* of that read; 0: none */
    sem_t begun, go_on;
};

static void wait_for(sem_t *semaphore)
{
    while (sem_wait(semaphore) != 0) {
    }
}

static fat_err slow_read(
        struct fat_blkdev *dev, uint64_t offset, void *buffer, size_t length)
{
    struct slow *slow = (struct slow *)dev;

    if (offset == slow->offset && offset != 0) {
        (void)sem_post(&slow->begun);
        wait_for(&slow->go_on);
    }
    return slow->img->dev->ops->read(slow->img->dev, offset, buffer, length);
}

static fat_err slow_write(
        struct fat_blkdev *dev, uint64_t offset, const void *buffer, size_t length)
{
    struct slow *slow = (struct slow *)dev;

    return slow->img->dev->ops->write(slow->img->dev, offset, buffer, length);
}

static fat_err slow_flush(struct fat_blkdev *dev)
{
    struct slow *slow = (struct slow *)dev;

    return slow->img->dev->ops->flush(slow->img->dev);
}

static const struct fat_blkdev_ops SLOW = {
        .read = slow_read, .write = slow_write, .flush = slow_flush};

static void slow_open(struct slow *slow, struct image *img)
{
    const struct fat_volume_options options = image_options(img);

    *slow = (struct slow){.dev = *img->dev, .img = img};
    slow->dev.ops = &SLOW;
    assert_int_equal(sem_init(&slow->begun, 0, 0) | sem_init(&slow->go_on, 0, 0), 0);
    assert_int_equal(fat_volume_open(&slow->dev, &options, &img->volume), FAT_OK);
    img->root = fat_volume_root(img->volume);
}

/* What the two threads do, and with which result. */
struct reading {
    struct pair *pair;
    uint8_t bytes[700];
    fat_err read, recovered;
    atomic_bool is_recovered;
};

static void *read_inner(void *context)
{
    struct reading *r = context;
    size_t done;

    r->read = fat_file_read(r->pair->inner, 0, r->bytes, sizeof(r->bytes), &done);
    return NULL;
}

static void *recover(void *context)
{
    struct reading *r = context;

    r->recovered = fat_volume_recover(r->pair->img.volume);
    atomic_store(&r->is_recovered, true);
    return NULL;
}

/* Until somebody waits for those who are at work on @node, or the scan is over. */
static void wait_for_the_scan(struct reading *r, struct fat_node *node)
{
    while (!atomic_load(&r->is_recovered) && fat_rwlock_try_read(&node->lock)) {
        fat_rwlock_read_end(&node->lock);
        (void)sched_yield();
    }
}

/* Behind the scan its clusters may be given up and be another file's. */
static void the_scan_waits_for_who_reads_below_a_name_that_goes(void **state)
{
    struct pair p;
    struct slow slow;
    struct reading r = {.pair = &p};
    pthread_t threads[2];
    uint8_t wanted[700];
    bool too_early;

    (void)state;
    make_pair(&p, &SPECS[1], false);
    surgery_make_dirty(&p.img);
    slow_open(&slow, &p.img);
    look_up_pair(&p, true);
    slow.offset = surgery_cluster(&p.img, surgery_first(p.inner));
    assert_int_equal(pthread_create(&threads[0], NULL, read_inner, &r), 0);
    wait_for(&slow.begun);
    assert_int_equal(pthread_create(&threads[1], NULL, recover, &r), 0);
    wait_for_the_scan(&r, p.inner);
    too_early = atomic_load(&r.is_recovered);
    (void)sem_post(&slow.go_on);
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    }
    assert_false(too_early);
    assert_int_equal(r.recovered, FAT_OK);
    assert_int_equal(r.read, FAT_OK);
    image_fill(2, wanted, sizeof(wanted));
    assert_memory_equal(r.bytes, wanted, sizeof(wanted));
    assert_stale_file(p.inner);
    leave_pair(&p);
    (void)sem_destroy(&slow.begun);
    (void)sem_destroy(&slow.go_on);
    image_close(&p.img);
    image_done(&p.img);
}

static void before_the_scan_a_second_name_in_use_is_refused_and_no_damage(void **state)
{
    (void)state;
    for (size_t i = 0; i < SPEC_COUNT; i++) {
        struct pair p;

        make_pair(&p, &SPECS[i], false);
        surgery_make_dirty(&p.img);
        use_pair(&p, false);
        assert_int_equal(image_try_lookup(p.parent, "E"), FAT_E_CORRUPT);
        assert_false(fat_volume_is_read_only(p.img.volume));
        leave_pair(&p);
        image_touch(p.img.root, "first change");
        image_done(&p.img);
    }
}

static void on_a_clean_volume_a_directory_reached_twice_is_damage(void **state)
{
    (void)state;
    for (size_t i = 0; i < SPEC_COUNT * 2; i++) {
        const bool by_moved = i % 2;
        struct pair p;
        struct fat_found found;

        make_pair(&p, &SPECS[i / 2], false);
        use_pair(&p, by_moved);
        assert_int_equal(by_moved ? fat_lookup(p.img.root, "D", &found)
                                  : fat_lookup(p.parent, "E", &found),
                FAT_E_CORRUPT);
        assert_true(fat_volume_is_read_only(p.img.volume));
        assert_int_equal(p.img.damage_reports, 1);
        assert_int_equal(fat_unlink(p.held, "inner"), FAT_E_READONLY);
        assert_int_equal(image_try_lookup(p.held, "inner"), FAT_OK);
        leave_pair(&p);
        image_drop(&p.img);
    }
}

static void a_directory_that_contains_itself_is_damage(void **state)
{
    (void)state;
    for (size_t i = 0; i < SPEC_COUNT; i++) {
        struct image img;
        struct fat_node *dir, *sub;
        uint64_t entry;
        uint32_t first;

        image_make(&img, &SPECS[i]);
        dir = image_mkdir(img.root, "D");
        sub = image_mkdir(dir, "sub");
        fat_node_unref(image_mkdir(sub, "loop"));
        first = surgery_first(dir);
        entry = surgery_entry_of(sub, "loop");
        fat_node_unref(sub);
        fat_node_unref(dir);
        image_close(&img);
        surgery_point(&img, entry, first, 0);
        image_open(&img);
        dir = image_lookup(img.root, "D");
        sub = image_lookup(dir, "sub");
        assert_int_equal(image_try_lookup(sub, "loop"), FAT_E_CORRUPT);
        assert_true(fat_volume_is_read_only(img.volume));
        fat_node_unref(sub);
        fat_node_unref(dir);
        image_drop(&img);
    }
}

static void a_file_that_begins_where_the_root_does_is_damage(void **state)
{
    struct image img;
    uint8_t boot[512];
    uint8_t *before, *after;
    uint64_t entry;

    (void)state;
    image_make(&img, &(struct image_spec){.type = 32});
    image_touch(img.root, "F");
    entry = surgery_entry_of(img.root, "F");
    image_close(&img);
    surgery_read(&img, 0, boot, sizeof(boot));
    surgery_point(&img, entry, fat_get32(boot, 44), 512);
    image_open(&img);
    before = image_bytes(img.dev);
    assert_int_equal(image_try_lookup(img.root, "F"), FAT_E_CORRUPT);
    assert_true(fat_volume_is_read_only(img.volume));
    assert_int_equal(fat_unlink(img.root, "F"), FAT_E_READONLY);
    after = image_bytes(img.dev);
    assert_memory_equal(before, after, (size_t)img.dev->size_bytes);
    free(before);
    free(after);
    image_drop(&img);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(a_file_whose_name_the_scan_took_away_is_stale),
            cmocka_unit_test(
                    what_a_write_says_it_wrote_is_there_after_the_scan_it_brought),
            cmocka_unit_test(of_two_names_of_one_age_the_larger_file_stays),
            cmocka_unit_test(what_is_beyond_the_size_under_the_name_that_stays_is_cut),
            cmocka_unit_test(names_that_a_large_commit_leaves_twice_are_all_mended),
            cmocka_unit_test(
                    what_two_names_are_known_by_changes_in_another_commit_than_the_name),
            cmocka_unit_test(the_first_data_of_a_file_are_on_disk_before_it_is_renamed),
            cmocka_unit_test(nothing_done_to_a_stale_file_frees_a_cluster),
            cmocka_unit_test(a_directory_in_use_by_two_names_is_one_after_the_scan),
            cmocka_unit_test(
                    nobody_need_use_the_parent_of_a_directory_that_the_scan_takes_away),
            cmocka_unit_test(the_scan_waits_for_who_reads_below_a_name_that_goes),
            cmocka_unit_test(
                    before_the_scan_a_second_name_in_use_is_refused_and_no_damage),
            cmocka_unit_test(on_a_clean_volume_a_directory_reached_twice_is_damage),
            cmocka_unit_test(a_directory_that_contains_itself_is_damage),
            cmocka_unit_test(a_file_that_begins_where_the_root_does_is_damage),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
