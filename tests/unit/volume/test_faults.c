/* SPDX-License-Identifier: MIT */
/*
 * Every operation with its first, second, third ... read, write, flush and allocation
 * failing, for want of room too, until none is left to fail. The error comes from that call or, for what is
 * written later, from the commit; what failed has changed nothing and succeeds when
 * tried again; and whatever is on the medium is at most left over, never damaged.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "support/cmocka.h"
#include "support/count.h"
#include "support/failalloc.h"
#include "support/steady.h"
#include "volume/faults.h"

enum { NTH_MAX = 2000 };

/* --- what the volume looks like, as a number --- */

static uint64_t mix(uint64_t hash, const void *data, size_t length)
{
    const uint8_t *at = data;

    for (size_t i = 0; i < length; i++) {
        hash = (hash ^ at[i]) * UINT64_C(0x100000001b3);
    }
    return hash;
}

static uint64_t hash_file(struct fat_node *file)
{
    uint8_t *read = steady_alloc(65536);
    struct fat_stat st;
    size_t done = 0;
    uint64_t hash;

    assert_int_equal(fat_node_stat(file, &st), FAT_OK);
    assert_int_equal(fat_file_read(file, 0, read, 65536, &done), FAT_OK);
    assert_int_equal(done, st.size_bytes);
    hash = mix(mix(st.size_bytes, &st.attributes, 1), read, done);
    free(read);
    return hash;
}

/* The order of entries doesn't count. */
static uint64_t hash_directory(struct fat_node *directory)
{
    struct fat_dir_entry entry;
    uint32_t cookie = 0;
    uint64_t sum = 0;
    fat_err err;

    while ((err = fat_dir_next(directory, &cookie, &entry)) == FAT_OK) {
        struct fat_node *node = image_lookup(directory, entry.name);
        const uint64_t hash =
                fat_node_is_directory(node) ? hash_directory(node) : hash_file(node);

        sum += mix(hash, entry.name, strlen(entry.name));
        fat_node_unref(node);
    }
    assert_int_equal(err, FAT_END);
    return mix(sum, "directory", 9);
}

/* --- the stage --- */

static struct fat_blkdev *make_stage(const struct image_spec *spec)
{
    struct image img;
    struct fat_node *dir;
    struct fat_blkdev *stage;
    uint8_t *all;
    char name[32];

    image_fill(99, fault_bytes, sizeof(fault_bytes));
    image_make(&img, spec);
    image_put(img.root, "file", 1, 9000);
    dir = image_mkdir(img.root, "dir");
    fat_node_unref(image_mkdir(img.root, "empty"));
    for (unsigned i = 0; i < 40; i++) {
        (void)snprintf(name, sizeof(name), "inner name %u", i);
        image_put(dir, name, i, 10 + i * 20);
    }
    fat_node_unref(dir);
    image_close(&img);
    all = image_bytes(img.dev);
    assert_int_equal(fat_blkdev_mem_new(img.dev->size_bytes, &stage), FAT_OK);
    assert_int_equal(
            stage->ops->write(stage, 0, all, (size_t)stage->size_bytes), FAT_OK);
    free(all);
    image_drop(&img);
    return stage;
}

/* With the volume on @s->img.dev. */
static void enter_open(struct scene *s, const struct operation *operation)
{
    s->img.now.seconds = 1600000000;
    image_open(&s->img);
    s->dir = image_lookup(s->img.root, "dir");
    s->empty = image_lookup(s->img.root, "empty");
    s->file = image_lookup(s->img.root, "file");
    if (operation->prepare) {
        operation->prepare(s);
    }
}

static void enter(
        struct scene *s, struct fat_blkdev *stage, const struct operation *operation)
{
    *s = (struct scene){.img = {.base = stage}};
    assert_int_equal(recdev_new(stage, &s->img.rec), FAT_OK);
    s->img.dev = recdev_blkdev(s->img.rec);
    enter_open(s, operation);
}

/* Close; what is on the medium then may hold leftovers, or nothing at all. */
static void leave(struct scene *s, const char *name, unsigned nth)
{
    const bool broken = fat_volume_is_read_only(s->img.volume);
    const unsigned reports = s->img.damage_reports;
    struct fat_check_summary found;
    fat_err err;

    fat_node_unref(s->gone);
    fat_node_unref(s->dir);
    fat_node_unref(s->empty);
    fat_node_unref(s->file);
    fat_node_unref(s->img.root);
    err = fat_volume_close(s->img.volume);
    found = image_check(s->img.dev, broken ? FAT_WEIGHT_DAMAGE : FAT_WEIGHT_LEFTOVER);
    if (found.damages != 0) {
        fail_msg("%s, number %u failed: the medium is damaged", name, nth);
    }
    if (!broken && (err != FAT_OK || found.leftovers != 0)) {
        fail_msg("%s, number %u failed: closed with %s, %u leftovers", name, nth,
                fat_err_text(err), (unsigned)found.leftovers);
    }
    if (broken && reports != 1) {
        fail_msg("%s, number %u failed: %u reports", name, nth, reports);
    }
    recdev_free(s->img.rec);
}

/* What the tree looks like before and after the operation, with nothing failing. */
static void learn(struct fat_blkdev *stage, const struct operation *operation,
        uint64_t *before, uint64_t *after)
{
    struct scene s;

    enter(&s, stage, operation);
    *before = hash_directory(s.img.root);
    assert_int_equal(operation->run(&s), FAT_OK);
    *after = hash_directory(s.img.root);
    leave(&s, operation->name, 0);
}

struct sweep {
    struct fat_blkdev *stage;
    const struct operation *operation;
    uint64_t before, after;
    fat_err error; /* what the medium says */
    unsigned nth;
};

static void must_look(struct sweep *w, struct scene *s, uint64_t wanted)
{
    if (hash_directory(s->img.root) != wanted) {
        fail_msg("%s, number %u failed: the tree is neither as before nor as after",
                w->operation->name, w->nth);
    }
}

/* It failed and changed nothing; the next try succeeds. */
static void try_again(struct sweep *w, struct scene *s)
{
    fat_err err;

    must_look(w, s, w->before);
    err = w->operation->run(s);
    if (err != FAT_OK) {
        fail_msg("%s, number %u failed: tried again: %s", w->operation->name, w->nth,
                fat_err_text(err));
    }
    must_look(w, s, w->after);
}

static void wrong_error(struct sweep *w, fat_err err)
{
    fail_msg("%s, number %u failed: %s", w->operation->name, w->nth, fat_err_text(err));
}

/* Only a commit that failed turns a volume read-only. */
static void may_break(struct sweep *w, struct scene *s)
{
    if (w->operation->kind != COMMITS) {
        fail_msg("%s, number %u failed: read-only: %s", w->operation->name, w->nth,
                fat_volume_read_only_reason(s->img.volume));
    }
}

/* Returns whether there was anything to fail. */
static bool fail_read(struct sweep *w)
{
    struct scene s;
    bool fired;
    fat_err err;

    enter(&s, w->stage, w->operation);
    recdev_fail(s.img.rec, RECDEV_READ, w->nth, w->error, RECDEV_ONCE);
    err = w->operation->run(&s);
    fired = recdev_failures(s.img.rec) > 0;
    recdev_fail(s.img.rec, RECDEV_READ, 0, FAT_E_IO, RECDEV_ONCE);
    if (err != FAT_OK && (err != w->error || !fired)) {
        wrong_error(w, err);
    }
    if (fat_volume_is_read_only(s.img.volume)) {
        may_break(w, &s);
    } else if (err != FAT_OK) {
        try_again(w, &s);
    } else {
        must_look(w, &s, w->after);
    }
    leave(&s, w->operation->name, w->nth);
    return fired;
}

/* A commit that failed: every later word is an error, and nothing is written. */
static void stays_broken(struct sweep *w, struct scene *s)
{
    struct fat_found found;
    unsigned writes;

    writes = recdev_counts(s->img.rec).writes;
    if (fat_create(s->img.root, "refused", 0, &found) != FAT_E_READONLY ||
            fat_node_sync(s->file) != FAT_E_IO ||
            fat_volume_commit(s->img.volume) != FAT_E_IO) {
        fail_msg("%s, number %u failed: later words don't say so", w->operation->name,
                w->nth);
    }
    assert_int_equal(recdev_counts(s->img.rec).writes, writes);
}

/*
 * Is that what may be said of it? Of a commit of its own an operation knows only that
 * it failed. Where there was no room, a commit may have made some, and all is well.
 */
static bool may_say(const struct sweep *w, bool fired, fat_err err, fat_err committed)
{
    if (err != FAT_OK && err != w->error &&
            (err != FAT_E_IO || w->operation->kind != COMMITS)) {
        return false;
    }
    return fired == (err != FAT_OK || committed != FAT_OK) ||
           (fired && w->error == FAT_E_NOSPC);
}

static bool fail_written(struct sweep *w, enum recdev_call call)
{
    struct scene s;
    bool fired;
    fat_err err;
    fat_err committed;

    enter(&s, w->stage, w->operation);
    recdev_fail(s.img.rec, call, w->nth, w->error, RECDEV_ONCE);
    err = w->operation->run(&s);
    committed = fat_volume_commit(s.img.volume);
    fired = recdev_failures(s.img.rec) > 0;
    recdev_fail(s.img.rec, call, 0, FAT_E_IO, RECDEV_ONCE);
    if (!may_say(w, fired, err, committed)) {
        wrong_error(w, err);
    }
    if (fat_volume_is_read_only(s.img.volume)) {
        stays_broken(w, &s);
    } else if (err != FAT_OK) {
        w->before =
                w->operation->kind == IN_PLACE ? hash_directory(s.img.root) : w->before;
        try_again(w, &s);
    } else {
        must_look(w, &s, w->after);
    }
    leave(&s, w->operation->name, w->nth);
    return fired;
}

static bool fail_write(struct sweep *w)
{
    return fail_written(w, RECDEV_WRITE);
}

static bool fail_flush(struct sweep *w)
{
    return fail_written(w, RECDEV_FLUSH);
}

static bool fail_alloc(struct sweep *w)
{
    struct scene s;
    bool fired;
    fat_err err;

    enter(&s, w->stage, w->operation);
    failalloc_arm(w->nth, FAILALLOC_ONCE);
    err = w->operation->run(&s);
    fired = failalloc_disarm();
    if (err != FAT_OK && (err != FAT_E_NOMEM || !fired) &&
            w->operation->kind != COMMITS) {
        wrong_error(w, err);
    }
    if (fat_volume_is_read_only(s.img.volume)) {
        may_break(w, &s);
    } else if (err != FAT_OK) {
        try_again(w, &s);
    } else {
        must_look(w, &s, w->after);
    }
    leave(&s, w->operation->name, w->nth);
    return fired;
}

/* The same on an image file, whose transfers may be short or interrupted. */
static struct {
    unsigned nth; /* of the transfers and flushes from now on; 0: none */
    bool is_short;
    bool struck;
} kernel;

/* NOLINTBEGIN(bugprone-reserved-identifier,readability-identifier-naming) */
ssize_t __real_pread64(int fd, void *buffer, size_t length, off_t offset);
ssize_t __real_pwrite64(int fd, const void *buffer, size_t length, off_t offset);
ssize_t __wrap_pread(int fd, void *buffer, size_t length, off_t offset);
ssize_t __wrap_pread64(int fd, void *buffer, size_t length, off_t offset);
ssize_t __wrap_pwrite(int fd, const void *buffer, size_t length, off_t offset);
ssize_t __wrap_pwrite64(int fd, const void *buffer, size_t length, off_t offset);
int __wrap_fdatasync(int fd);
/* NOLINTEND(bugprone-reserved-identifier,readability-identifier-naming) */

static bool kernel_strikes(void)
{
    if (kernel.nth == 0 || --kernel.nth > 0) {
        return false;
    }
    kernel.struck = true;
    count_add(COUNT_FAULTS, 1);
    return true;
}

/* How much of it is moved; 0: it is interrupted. */
static size_t kernel_moves(size_t length)
{
    if (!kernel_strikes()) {
        return length;
    }
    errno = EINTR;
    return kernel.is_short && length > 1 ? length / 2 : 0;
}

ssize_t __wrap_pread64(int fd, void *buffer, size_t length, off_t offset)
{
    const size_t moved = kernel_moves(length);

    return moved > 0 ? __real_pread64(fd, buffer, moved, offset) : -1;
}

ssize_t __wrap_pwrite64(int fd, const void *buffer, size_t length, off_t offset)
{
    const size_t moved = kernel_moves(length);

    return moved > 0 ? __real_pwrite64(fd, buffer, moved, offset) : -1;
}

ssize_t __wrap_pread(int fd, void *buffer, size_t length, off_t offset)
{
    return __wrap_pread64(fd, buffer, length, offset);
}

ssize_t __wrap_pwrite(int fd, const void *buffer, size_t length, off_t offset)
{
    return __wrap_pwrite64(fd, buffer, length, offset);
}

int __wrap_fdatasync(int fd)
{
    (void)fd;
    if (kernel_strikes()) {
        errno = EINTR;
        return -1;
    }
    return 0; /* no power is cut here */
}

static struct fat_blkdev *make_file(struct fat_blkdev *stage)
{
    char path[] = "/tmp/faults.XXXXXX";
    static const uint8_t zeros[512];
    uint8_t part[512];
    const int fd = mkstemp(path);
    struct fat_blkdev *dev = NULL;

    assert_true(fd >= 0);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(ftruncate(fd, (off_t)stage->size_bytes), 0);
    /* most of it is zeros */
    for (uint64_t at = 0; at < stage->size_bytes; at += sizeof(part)) {
        assert_int_equal(stage->ops->read(stage, at, part, sizeof(part)), FAT_OK);
        if (memcmp(part, zeros, sizeof(part)) != 0) {
            assert_int_equal(
                    __real_pwrite64(fd, part, sizeof(part), (off_t)at), sizeof(part));
        }
    }
    assert_int_equal(fat_blkdev_file_take_fd(fd, FAT_BLKDEV_WRITE, 0, &dev), FAT_OK);
    return dev;
}

/* Nobody is told, and all is as if it had not been. */
static bool disturb(struct sweep *w)
{
    struct scene s = {0};
    fat_err err;
    fat_err committed;

    s.img.dev = make_file(w->stage);
    enter_open(&s, w->operation);
    kernel.nth = w->nth;
    kernel.struck = false;
    err = w->operation->run(&s);
    committed = fat_volume_commit(s.img.volume);
    kernel.nth = 0;
    if (err != FAT_OK || committed != FAT_OK) {
        wrong_error(w, err != FAT_OK ? err : committed);
    }
    must_look(w, &s, w->after);
    leave(&s, w->operation->name, w->nth);
    fat_blkdev_close(s.img.dev);
    return kernel.struck;
}

static const struct image_spec SPECS[] = {
        {.type = 12}, {.type = 16}, {.type = 32, .fat_count = 1}};

static void sweep_all(bool (*fail_nth)(struct sweep *w), fat_err error)
{
    for (size_t i = 0; i < sizeof(SPECS) / sizeof(SPECS[0]); i++) {
        struct fat_blkdev *stage = make_stage(&SPECS[i]);

        for (size_t o = 0; o < FAULT_OPERATIONS; o++) {
            struct sweep w = {
                    .stage = stage, .operation = &fault_operations[o], .error = error};

            learn(stage, w.operation, &w.before, &w.after);
            for (w.nth = 1; fail_nth(&w); w.nth++) {
                assert_true(w.nth < NTH_MAX);
            }
        }
        fat_blkdev_close(stage);
    }
}

static void a_read_that_fails_changes_nothing(void **state)
{
    (void)state;
    sweep_all(fail_read, FAT_E_IO);
    sweep_all(fail_read, FAT_E_NODEV);
}

static void a_write_that_fails_is_reported_and_harmless(void **state)
{
    (void)state;
    sweep_all(fail_write, FAT_E_IO);
    sweep_all(fail_write, FAT_E_NOSPC);
    sweep_all(fail_write, FAT_E_NODEV);
}

static void a_flush_that_fails_is_reported_and_harmless(void **state)
{
    (void)state;
    sweep_all(fail_flush, FAT_E_IO);
    sweep_all(fail_flush, FAT_E_NOSPC);
}

static void a_transfer_that_is_short_is_carried_through(void **state)
{
    (void)state;
    kernel.is_short = true;
    sweep_all(disturb, FAT_OK);
}

static void a_call_that_is_interrupted_is_made_again(void **state)
{
    (void)state;
    kernel.is_short = false;
    sweep_all(disturb, FAT_OK);
}

static void an_allocation_that_fails_changes_nothing(void **state)
{
    (void)state;
    sweep_all(fail_alloc, FAT_E_NOMEM);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(a_read_that_fails_changes_nothing),
            cmocka_unit_test(a_write_that_fails_is_reported_and_harmless),
            cmocka_unit_test(a_flush_that_fails_is_reported_and_harmless),
            cmocka_unit_test(a_transfer_that_is_short_is_carried_through),
            cmocka_unit_test(a_call_that_is_interrupted_is_made_again),
            cmocka_unit_test(an_allocation_that_fails_changes_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
