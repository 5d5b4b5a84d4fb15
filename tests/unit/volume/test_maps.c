/* SPDX-License-Identifier: MIT */
/*
 * What is kept of where files lie: bounded for all of them together and for each, and
 * nothing depends on it.
 */
#include <pthread.h>
#include <semaphore.h>
#include <stdlib.h>
#include <string.h>

#include "support/cmocka.h"
#include "support/steady.h"
#include "support/surgery.h"
#include "tree/maps.h"

enum { CLUSTER = 512, FILES = 24, PIECES = 1400, BUDGET_CACHE = 32 * 1024 };

static void name_of(unsigned i, char *name)
{
    memcpy(name, "file00", 7);
    name[4] = (char)('0' + i / 10);
    name[5] = (char)('0' + i % 10);
}

/* The cluster that is at @index once the two halves of a file are shuffled. */
static uint32_t shuffled(uint32_t index)
{
    return index / 2 + (index % 2) * (PIECES / 2);
}

/* Link the clusters of a chain anew: hardly any two neighbours in a row. */
static void shuffle(struct image *img, uint32_t first)
{
    uint32_t chain[PIECES];

    for (uint32_t c = 0; c < PIECES; c++) {
        chain[c] = c == 0 ? first : surgery_get_link(img, 0, chain[c - 1]);
    }
    for (uint32_t c = 0; c < PIECES; c++) {
        surgery_link(img, SURGERY_ALL, chain[shuffled(c)],
                c + 1 < PIECES ? chain[shuffled(c + 1)] : SURGERY_END);
    }
}

static void make_shuffled(struct image *img)
{
    uint32_t first[FILES];
    char name[7];

    image_make(img, &(struct image_spec){.type = 32,
                            .clusters = FILES * PIECES + 2000,
                            .cache_bytes = BUDGET_CACHE});
    for (unsigned i = 0; i < FILES; i++) {
        name_of(i, name);
        image_put(img->root, name, i, PIECES * CLUSTER);
        first[i] = surgery_first_of(img->root, name);
    }
    image_close(img);
    for (unsigned i = 0; i < FILES; i++) {
        shuffle(img, first[i]);
    }
    image_open(img);
}

static void expect_cluster(
        struct fat_node *file, const uint8_t *original, uint32_t index)
{
    uint8_t bytes[CLUSTER];
    size_t done;

    assert_int_equal(
            fat_file_read(file, (uint64_t)index * CLUSTER, bytes, sizeof(bytes), &done),
            FAT_OK);
    assert_int_equal(done, sizeof(bytes));
    assert_memory_equal(
            bytes, original + (size_t)shuffled(index) * CLUSTER, sizeof(bytes));
}

static void expect_within_budget(struct image *img)
{
    const struct fat_tree *tree = img->root->tree;

    assert_true(tree->maps.bytes <= tree->map_budget);
}

static void maps_of_files_in_many_pieces_keep_to_the_budget(void **state)
{
    static uint8_t original[FILES][PIECES * CLUSTER];
    struct fat_node *files[FILES];
    struct image img;
    char name[7];

    (void)state;
    make_shuffled(&img);
    assert_int_equal(img.root->tree->map_budget, 4 * BUDGET_CACHE);
    img.root->tree->maps.runs_max = 1000; /* eleven of them are the budget */
    for (unsigned i = 0; i < FILES; i++) {
        name_of(i, name);
        image_fill(i, original[i], sizeof(original[i]));
        files[i] = image_lookup(img.root, name);
    }
    for (unsigned i = 0; i < FILES; i++) { /* all of them stay open */
        expect_cluster(files[i], original[i], PIECES - 1);
        assert_true(files[i]->map.bytes <=
                    img.root->tree->maps.runs_max * sizeof(struct fat_run));
        expect_within_budget(&img);
    }
    for (uint32_t c = 0; c < PIECES;
            c += 3) { /* in turn, so that each one is dropped */
        for (unsigned i = 0; i < FILES; i += 5) {
            expect_cluster(files[i], original[i], c * 997 % PIECES);
            expect_within_budget(&img);
        }
    }
    for (uint32_t c = 0; c < PIECES; c++) {
        expect_cluster(files[0], original[0], c);
    }
    for (unsigned i = 0; i < FILES; i++) {
        fat_node_unref(files[i]);
    }
    image_check_clean(img.dev);
    image_done(&img);
}

/* The first sweep may find all of them in use, and has to begin somewhere. */
static void a_map_in_use_outlives_those_that_are_not(void **state)
{
    struct fat_node *files[FILES];
    struct image img;
    unsigned dropped = 0;
    uint8_t byte;
    size_t done;
    char name[7];

    (void)state;
    make_shuffled(&img);
    img.root->tree->maps.runs_max = 1024; /* ten of them are the budget */
    for (unsigned i = 0; i < FILES; i++) {
        name_of(i, name);
        files[i] = image_lookup(img.root, name);
    }
    for (unsigned i = 0; i < 4 * FILES; i++) {
        struct fat_node *other = files[1 + i % (FILES - 1)];

        dropped += i > 0 && !fat_runmap_is_complete(&files[0]->map);
        assert_int_equal(
                fat_file_read(files[0], (PIECES - 1) * CLUSTER, &byte, 1, &done),
                FAT_OK);
        assert_int_equal(
                fat_file_read(other, (PIECES - 1) * CLUSTER, &byte, 1, &done), FAT_OK);
    }
    assert_true(dropped <= 1);
    for (unsigned i = 0; i < FILES; i++) {
        fat_node_unref(files[i]);
    }
    image_done(&img);
}

/* Files that grow by turns, and what they ought to hold. */
enum { BOOKS = 3, BOOK_BYTES = 150 * CLUSTER, STEPS = 4000 };

struct book {
    const char *name;
    struct fat_node *file;
    uint8_t *bytes;
    size_t size;
};

static uint32_t roll(uint64_t *state, uint32_t sides)
{
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(*state >> 33) % sides;
}

static void do_write(struct book *b, uint64_t *state)
{
    const size_t offset = roll(state, 3) ? b->size : roll(state, BOOK_BYTES);
    size_t length = 1 + roll(state, 3 * CLUSTER);
    size_t done;

    length = offset + length <= BOOK_BYTES ? length : BOOK_BYTES - offset;
    if (length == 0) {
        return;
    }
    image_fill(roll(state, UINT32_MAX), b->bytes + offset, length);
    assert_int_equal(
            fat_file_write(b->file, offset, b->bytes + offset, length, &done), FAT_OK);
    assert_int_equal(done, length);
    b->size = offset + length > b->size ? offset + length : b->size;
}

static void do_truncate(struct book *b, uint64_t *state)
{
    const size_t size = roll(state, BOOK_BYTES);

    assert_int_equal(fat_file_truncate(b->file, size), FAT_OK);
    if (size < b->size) {
        memset(b->bytes + size, 0, b->size - size);
    }
    b->size = size;
}

/* A new file: what it is given and what is taken from it again is withdrawn (W6). */
static void do_renew(struct image *img, struct book *b)
{
    assert_int_equal(fat_unlink(img->root, b->name), FAT_OK);
    fat_node_unref(b->file);
    b->file = image_create(img->root, b->name);
    memset(b->bytes, 0, b->size);
    b->size = 0;
}

static void expect_book(struct book *b, size_t offset, size_t length)
{
    static uint8_t bytes[BOOK_BYTES];
    size_t done = 0;

    assert_int_equal(fat_file_read(b->file, offset, bytes, length, &done), FAT_OK);
    assert_int_equal(done, offset < b->size && length < b->size - offset ? length
                           : offset < b->size ? b->size - offset
                                              : 0);
    assert_memory_equal(bytes, b->bytes + offset, done);
}

static void do_step(struct image *img, struct book *books, uint64_t *state)
{
    struct book *b = &books[roll(state, BOOKS)];
    const uint32_t what = roll(state, 41);

    if (what < 20) {
        do_write(b, state);
    } else if (what < 36) {
        const size_t offset = roll(state, BOOK_BYTES);

        expect_book(b, offset, roll(state, (uint32_t)(BOOK_BYTES - offset)));
    } else if (what < 38) {
        do_truncate(b, state);
    } else if (what < 40) {
        do_renew(img, b);
    } else {
        assert_int_equal(fat_volume_commit(img->volume), FAT_OK);
    }
}

/* A map may hold a few runs only, and none of them is there when the next step begins. */
static void random_edits_need_no_map_that_is_kept(void **state)
{
    static const size_t limits[] = {2, 3, 7, 20};
    static const unsigned types[] = {12, 16, 32, 12};
    static const char *names[] = {"a", "b", "c"};

    (void)state;
    for (uint64_t seed = 0; seed < 4; seed++) {
        struct book books[BOOKS];
        uint64_t random = seed;
        struct image img;

        image_make(&img, &(struct image_spec){.type = types[seed],
                                 .clusters = types[seed] == 16 ? 0 : 700});
        img.root->tree->maps.runs_max = limits[seed];
        img.root->tree->map_budget = 0;
        for (unsigned i = 0; i < BOOKS; i++) {
            books[i] = (struct book){.name = names[i],
                    .file = image_create(img.root, names[i]),
                    .bytes = steady_zalloc(BOOK_BYTES)};
        }
        for (unsigned step = 0; step < STEPS; step++) {
            do_step(&img, books, &random);
            for (unsigned i = 0; i < BOOKS; i++) {
                assert_int_equal(books[i].file->map.bytes, 0);
            }
        }
        for (unsigned i = 0; i < BOOKS; i++) {
            expect_book(&books[i], 0, BOOK_BYTES);
            fat_node_unref(books[i].file);
        }
        image_reopen(&img);
        for (unsigned i = 0; i < BOOKS; i++) {
            books[i].file = image_lookup(img.root, names[i]);
            expect_book(&books[i], 0, BOOK_BYTES);
            fat_node_unref(books[i].file);
            free(books[i].bytes);
        }
        image_close(&img);
        image_check_clean(img.dev);
        image_done(&img);
    }
}

/*
 * Nothing on disk knows the files yet, so that what they give up could be withdrawn (W6):
 * all of it or nothing.
 */
static void what_a_young_file_in_pieces_gives_up_is_not_lost(void **state)
{
    static const unsigned types[] = {12, 16, 32};
    uint8_t bytes[CLUSTER];
    struct image img;

    (void)state;
    memset(bytes, 1, sizeof(bytes));
    for (size_t t = 0; t < 3; t++) {
        struct fat_node *cut, *gone;
        uint32_t before;

        image_make(&img, &(struct image_spec){.type = types[t]});
        before = image_free(&img);
        img.root->tree->maps.runs_max = 2;
        img.root->tree->map_budget = 0;
        cut = image_create(img.root, "cut");
        gone = image_create(img.root, "gone");
        for (uint32_t c = 0; c < 30; c++) {
            image_write(cut, (uint64_t)c * CLUSTER, bytes, sizeof(bytes));
            image_write(gone, (uint64_t)c * CLUSTER, bytes, sizeof(bytes));
        }
        assert_int_equal(
                fat_file_read(cut, 29 * CLUSTER, bytes, 1, &(size_t){0}), FAT_OK);
        /* known to the end, with gaps, when it is cut */
        img.root->tree->map_budget = SIZE_MAX;
        assert_int_equal(
                fat_file_allocate(cut, 0, 30 * CLUSTER, FAT_ALLOCATE_KEEP_SIZE),
                FAT_OK);
        assert_true(fat_runmap_is_complete(&cut->map));
        assert_false(fat_runmap_is_whole(&cut->map, 5));
        assert_int_equal(cut->fresh, img.root->tree->interval.number);
        assert_int_equal(fat_file_truncate(cut, 5 * CLUSTER), FAT_OK);
        assert_int_equal(gone->fresh, img.root->tree->interval.number);
        assert_int_equal(fat_unlink(img.root, "gone"), FAT_OK);
        fat_node_unref(gone);
        fat_node_unref(cut);
        do {
            assert_int_equal(fat_volume_commit(img.volume), FAT_OK);
        } while (fat_volume_pending(img.volume).any);
        assert_int_equal(image_free(&img), before - 5);
        image_close(&img);
        image_check_clean(img.dev);
        image_done(&img);
    }
}

/* Somebody who is at work on a file, and waits for the medium. */
struct reader {
    struct fat_node *file;
    sem_t begun, end;
};

static void *be_at_work(void *argument)
{
    struct reader *reader = argument;

    fat_rwlock_read(&reader->file->lock);
    (void)sem_post(&reader->begun);
    while (sem_wait(&reader->end) != 0) {
    }
    fat_rwlock_read_end(&reader->file->lock);
    return NULL;
}

static void who_is_at_work_is_not_waited_for(void **state)
{
    static uint8_t original[FILES][PIECES * CLUSTER];
    struct fat_node *files[FILES];
    struct reader reader;
    struct image img;
    pthread_t thread;
    char name[7];

    (void)state;
    make_shuffled(&img);
    img.root->tree->maps.runs_max = 1000;
    for (unsigned i = 0; i < FILES; i++) {
        name_of(i, name);
        image_fill(i, original[i], sizeof(original[i]));
        files[i] = image_lookup(img.root, name);
    }
    expect_cluster(files[0], original[0], PIECES - 1);
    reader.file = files[0];
    assert_int_equal(sem_init(&reader.begun, 0, 0) | sem_init(&reader.end, 0, 0), 0);
    assert_int_equal(pthread_create(&thread, NULL, be_at_work, &reader), 0);
    while (sem_wait(&reader.begun) != 0) {
    }
    for (unsigned round = 0; round < 3; round++) {
        for (unsigned i = 1; i < FILES; i++) {
            expect_cluster(files[i], original[i], PIECES - 1);
        }
    }
    assert_true(files[0]->map.bytes > 0); /* all others were in use since */
    (void)sem_post(&reader.end);
    assert_int_equal(pthread_join(thread, NULL), 0);
    (void)sem_destroy(&reader.begun);
    (void)sem_destroy(&reader.end);
    for (unsigned i = 0; i < FILES; i++) {
        fat_node_unref(files[i]);
    }
    image_done(&img);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(maps_of_files_in_many_pieces_keep_to_the_budget),
            cmocka_unit_test(who_is_at_work_is_not_waited_for),
            cmocka_unit_test(a_map_in_use_outlives_those_that_are_not),
            cmocka_unit_test(random_edits_need_no_map_that_is_kept),
            cmocka_unit_test(what_a_young_file_in_pieces_gives_up_is_not_lost),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
