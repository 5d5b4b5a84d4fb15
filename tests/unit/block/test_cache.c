/* SPDX-License-Identifier: MIT */
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "block/cache.h"
#include "block/stage.h"
#include "support/cmocka.h"
#include "support/failalloc.h"
#include "support/recdev.h"

enum { SECTOR = 512, SECTORS = 400, BLOCKS_KEPT = 64 };

struct fixture {
    struct fat_blkdev *base; /* each sector full of its number, modulo 251 */
    struct recdev *rec;
    struct fat_cache *cache;
};

static uint8_t byte_of(uint64_t sector)
{
    return (uint8_t)(sector % 251);
}

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    uint8_t bytes[SECTOR];

    assert_non_null(f);
    assert_int_equal(fat_blkdev_mem_new(SECTORS * SECTOR, &f->base), FAT_OK);
    for (uint64_t i = 0; i < SECTORS; i++) {
        memset(bytes, byte_of(i), SECTOR);
        assert_int_equal(
                f->base->ops->write(f->base, i * SECTOR, bytes, SECTOR), FAT_OK);
    }
    assert_int_equal(recdev_new(f->base, &f->rec), FAT_OK);
    assert_int_equal(
            fat_cache_new(recdev_blkdev(f->rec), SECTOR, 1, &f->cache), FAT_OK);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    fat_cache_free(f->cache);
    recdev_free(f->rec);
    fat_blkdev_close(f->base);
    free(f);
    return 0;
}

static unsigned reads(struct fixture *f)
{
    return recdev_counts(f->rec).reads;
}

static struct fat_block *get(struct fixture *f, uint64_t sector, uint32_t ahead)
{
    struct fat_block *block = NULL;
    uint8_t byte = 0;

    assert_int_equal(fat_cache_get(f->cache, sector, ahead, &block), FAT_OK);
    fat_cache_copy(f->cache, block, SECTOR - 1, &byte, 1);
    assert_int_equal(byte, byte_of(sector));
    return block;
}

static void touch(struct fixture *f, uint64_t sector)
{
    fat_cache_put(f->cache, get(f, sector, 0));
}

static void touch_range(struct fixture *f, uint64_t first, uint64_t end)
{
    for (uint64_t i = first; i < end; i++) {
        touch(f, i);
    }
}

static void a_block_is_read_once_and_shared(void **state)
{
    struct fixture *f = *state;
    struct fat_block *a = get(f, 7, 0);
    struct fat_block *b = get(f, 7, 0);

    assert_ptr_equal(a, b);
    assert_int_equal(reads(f), 1);
    fat_cache_put(f->cache, a);
    fat_cache_put(f->cache, b);
    touch(f, 7);
    assert_int_equal(reads(f), 1);
    assert_int_equal(fat_cache_sector_bytes(f->cache), SECTOR);
}

static void what_is_read_ahead_comes_in_one_read(void **state)
{
    struct fixture *f = *state;

    fat_cache_put(f->cache, get(f, 10, 7));
    assert_int_equal(reads(f), 1);
    touch_range(f, 10, 18);
    assert_int_equal(reads(f), 1);
    touch(f, 18);
    assert_int_equal(reads(f), 2);
}

static void reading_ahead_stops_at_what_is_there_and_at_the_end(void **state)
{
    struct fixture *f = *state;

    touch(f, 14);
    fat_cache_put(f->cache, get(f, 10, 20)); /* 10 .. 13 */
    assert_int_equal(reads(f), 2);
    touch(f, 15);
    assert_int_equal(reads(f), 3);
    fat_cache_put(f->cache, get(f, SECTORS - 2, UINT32_MAX));
    touch(f, SECTORS - 1);
    assert_int_equal(reads(f), 4);
}

static void a_failed_read_ahead_falls_back_to_the_one_block(void **state)
{
    struct fixture *f = *state;

    recdev_fail(f->rec, RECDEV_READ, 1, FAT_E_IO, RECDEV_ONCE);
    fat_cache_put(f->cache, get(f, 10, 7));
    assert_int_equal(reads(f), 2);
    touch(f, 10);
    assert_int_equal(reads(f), 2);
    touch(f, 11); /* nothing is remembered of it */
    assert_int_equal(reads(f), 3);
}

static void a_failed_read_is_remembered_by_nobody(void **state)
{
    struct fixture *f = *state;
    struct fat_block *block = NULL;

    recdev_fail(f->rec, RECDEV_READ, 1, FAT_E_NODEV, RECDEV_ALWAYS);
    assert_int_equal(fat_cache_get(f->cache, 10, 5, &block), FAT_E_NODEV);
    assert_null(block);
    assert_int_equal(fat_cache_get(f->cache, 10, 0, &block), FAT_E_NODEV);
    recdev_fail(f->rec, RECDEV_READ, 0, FAT_OK, RECDEV_ONCE);
    touch_range(f, 10, 16);
}

static void a_sector_behind_the_device_is_an_io_error(void **state)
{
    struct fixture *f = *state;
    struct fat_block *block = NULL;

    assert_int_equal(fat_cache_get(f->cache, SECTORS, 0, &block), FAT_E_IO);
    assert_int_equal(fat_cache_get(f->cache, UINT64_MAX, 3, &block), FAT_E_IO);
    assert_int_equal(
            fat_cache_get(f->cache, UINT64_MAX / SECTOR + 2, 0, &block), FAT_E_IO);
    assert_null(block);
    assert_int_equal(reads(f), 0);
}

static void memory_that_fails_is_nomem_or_does_without_reading_ahead(void **state)
{
    struct fixture *f = *state;
    struct fat_block *block;
    unsigned nth = 1;
    bool failed = true;

    for (; failed; nth++) {
        fat_err err;

        block = NULL;
        failalloc_arm(nth, FAILALLOC_ONCE);
        err = fat_cache_get(f->cache, 10, 3, &block);
        failed = failalloc_disarm();
        if (err == FAT_OK) {
            fat_cache_put(f->cache, block);
            touch_range(f, 10, 14);
            fat_cache_forget(f->cache, 10, 4);
        } else {
            assert_int_equal(err, FAT_E_NOMEM);
            assert_null(block);
        }
    }
    assert_int_equal(nth, 7); /* four blocks, the buffer, and the end of the sweep */
}

static void a_cache_without_memory_is_nomem(void **state)
{
    struct fixture *f = *state;
    struct fat_cache *cache = NULL;
    fat_err err = FAT_E_NOMEM;

    for (unsigned nth = 1; err != FAT_OK; nth++) {
        assert_null(cache);
        failalloc_arm(nth, FAILALLOC_ONCE);
        err = fat_cache_new(f->base, 4096, 1 << 20, &cache);
        assert_int_equal(err, failalloc_disarm() ? FAT_E_NOMEM : FAT_OK);
    }
    fat_cache_free(cache);
    fat_cache_free(NULL);
}

static void the_least_recently_used_blocks_go_first(void **state)
{
    struct fixture *f = *state;

    touch_range(f, 0, BLOCKS_KEPT);
    touch(f, 0);
    touch_range(f, BLOCKS_KEPT, 2 * BLOCKS_KEPT - 1); /* all but 0 had to go */
    recdev_reset_counts(f->rec);
    touch(f, 0);
    touch_range(f, BLOCKS_KEPT, 2 * BLOCKS_KEPT - 1);
    assert_int_equal(reads(f), 0);
    touch(f, 1);
    assert_int_equal(reads(f), 1);
}

static void edit(struct fixture *f, uint64_t sector, uint8_t byte)
{
    struct fat_edits edits;

    fat_edits_init(&edits, f->cache);
    assert_int_equal(fat_edits_prepare(&edits, sector, 1), FAT_OK);
    fat_edits_set(&edits, sector, FAT_STAGE_FILL, 0, &byte, 1);
    fat_edits_done(&edits);
}

static void pinned_and_edited_blocks_stay_whatever_the_budget_says(void **state)
{
    struct fixture *f = *state;
    struct fat_block *pinned = get(f, 0, 0);
    uint8_t byte = 0;

    edit(f, 1, 200);
    touch_range(f, 2, 300);
    recdev_reset_counts(f->rec);
    touch(f, 0);
    assert_int_equal(fat_cache_read(f->cache, 1, 0, &byte, 1, 0), FAT_OK);
    assert_int_equal(byte, 200);
    assert_int_equal(reads(f), 0);
    fat_cache_put(f->cache, pinned);
}

static void a_budget_keeps_as_many_blocks_as_it_has_bytes_for(void **state)
{
    struct fixture *f = *state;
    struct fat_cache *cache;
    struct fat_block *block;
    unsigned kept = 0;

    assert_int_equal(
            fat_cache_new(recdev_blkdev(f->rec), SECTOR, 150 * 1024, &cache), FAT_OK);
    for (uint64_t i = 0; i < SECTORS; i++) {
        assert_int_equal(fat_cache_get(cache, i, 0, &block), FAT_OK);
        fat_cache_put(cache, block);
    }
    for (uint64_t i = SECTORS; i-- > 0 && reads(f) == SECTORS; kept++) {
        assert_int_equal(fat_cache_get(cache, i, 0, &block), FAT_OK);
        fat_cache_put(cache, block);
    }
    assert_in_range(kept, 150, 300);
    fat_cache_free(cache);
}

static void a_read_may_cross_sectors_and_begin_beyond_its_own(void **state)
{
    struct fixture *f = *state;
    uint8_t bytes[2 * SECTOR + 2];

    assert_int_equal(fat_cache_read(f->cache, 3, 5 * SECTOR - 1, bytes, 2, 0), FAT_OK);
    assert_int_equal(bytes[0], byte_of(7));
    assert_int_equal(bytes[1], byte_of(8));
    assert_int_equal(
            fat_cache_read(f->cache, 20, SECTOR - 1, bytes, sizeof(bytes), 2), FAT_OK);
    assert_int_equal(bytes[0], byte_of(20));
    assert_int_equal(bytes[1], byte_of(21));
    assert_int_equal(bytes[2 * SECTOR], byte_of(22));
    assert_int_equal(bytes[2 * SECTOR + 1], byte_of(23));
    assert_int_equal(
            fat_cache_read(f->cache, SECTORS - 1, SECTOR - 1, bytes, 2, 0), FAT_E_IO);
}

static void what_is_forgotten_is_read_anew(void **state)
{
    struct fixture *f = *state;
    uint8_t bytes[SECTOR];
    uint8_t byte = 0;
    struct fat_block *held = get(f, 9, 0);

    touch_range(f, 10, 14);
    memset(bytes, 255, sizeof(bytes));
    assert_int_equal(recdev_blkdev(f->rec)->ops->write(
                             recdev_blkdev(f->rec), 11 * SECTOR, bytes, SECTOR),
            FAT_OK);
    fat_cache_forget(f->cache, 9, 3);
    recdev_reset_counts(f->rec);
    assert_int_equal(fat_cache_read(f->cache, 11, 0, &byte, 1, 0), FAT_OK);
    assert_int_equal(byte, 255);
    touch_range(f, 12, 14);
    assert_int_equal(reads(f), 1);
    touch(f, 9);
    assert_int_equal(reads(f), 2);
    fat_cache_copy(f->cache, held, 0, &byte, 1); /* ours until we let go */
    assert_int_equal(byte, byte_of(9));
    fat_cache_put(f->cache, held);
    touch(f, 9);
    assert_int_equal(reads(f), 2);
}

static void much_that_waits_makes_the_cache_heavy(void **state)
{
    struct fixture *f = *state;
    struct fat_cache *own = f->cache;

    assert_int_equal(
            fat_cache_new(recdev_blkdev(f->rec), SECTOR, 8 * SECTOR, &f->cache),
            FAT_OK);
    for (uint64_t i = 0; i < 4; i++) {
        assert_false(fat_cache_is_heavy(f->cache));
        edit(f, i, 1);
    }
    assert_false(fat_cache_is_heavy(f->cache));
    edit(f, 4, 1);
    assert_true(fat_cache_is_heavy(f->cache));
    fat_cache_forget(f->cache, 0, 1);
    assert_false(fat_cache_is_heavy(f->cache));
    fat_cache_free(f->cache);
    f->cache = own;
}

/* A device that takes its time, so that everybody comes while it reads. */
struct slow {
    struct fat_blkdev dev;
    atomic_uint reads;
    atomic_uint fail; /* so many reads fail */
};

static fat_err slow_read(
        struct fat_blkdev *dev, uint64_t offset, void *buffer, size_t length)
{
    struct slow *slow = (struct slow *)dev;
    const struct timespec time = {.tv_nsec = 20000000};

    slow->reads++;
    nanosleep(&time, NULL);
    if (slow->fail > 0) {
        slow->fail--;
        return FAT_E_IO;
    }
    memset(buffer, byte_of(offset / SECTOR), length);
    return FAT_OK;
}

struct racer {
    pthread_t thread;
    struct fat_cache *cache;
    struct fat_block *block;
    fat_err err;
};

static void *race(void *context)
{
    struct racer *racer = context;

    racer->err = fat_cache_get(racer->cache, 5, 3, &racer->block);
    return NULL;
}

static unsigned race_for_one_sector(struct slow *slow, unsigned *ret_failed)
{
    static const struct fat_blkdev_ops ops = {.read = slow_read};
    struct racer racers[8];
    struct fat_block *block = NULL;
    struct fat_cache *cache;

    slow->dev = (struct fat_blkdev){.ops = &ops, .size_bytes = SECTORS * SECTOR};
    assert_int_equal(fat_cache_new(&slow->dev, SECTOR, 1, &cache), FAT_OK);
    for (unsigned i = 0; i < 8; i++) {
        racers[i] = (struct racer){.cache = cache};
        assert_int_equal(pthread_create(&racers[i].thread, NULL, race, &racers[i]), 0);
    }
    *ret_failed = 0;
    for (unsigned i = 0; i < 8; i++) {
        pthread_join(racers[i].thread, NULL);
        if (racers[i].err != FAT_OK) {
            ++*ret_failed;
            continue;
        }
        assert_true(!block || block == racers[i].block);
        block = racers[i].block;
        fat_cache_put(cache, racers[i].block);
    }
    fat_cache_free(cache);
    return slow->reads;
}

static void who_comes_while_a_sector_is_read_waits_for_that_read(void **state)
{
    struct slow slow = {.reads = 0};
    unsigned failed;

    (void)state;
    assert_int_equal(race_for_one_sector(&slow, &failed), 1);
    assert_int_equal(failed, 0);
}

static void who_waited_for_a_read_that_failed_tries_again(void **state)
{
    struct slow slow = {.fail = 2};
    unsigned failed;

    (void)state;
    assert_int_equal(race_for_one_sector(&slow, &failed), 3);
    assert_int_equal(failed, 1);
}

static void *wander(void *context)
{
    struct fixture *f = context;
    unsigned seed = (unsigned)(uintptr_t)&f;

    for (int i = 0; i < 4000; i++) {
        struct fat_block *block;
        uint8_t byte;

        seed = seed * 1103515245 + 12345;
        const uint64_t sector = (seed >> 8) % SECTORS;

        if (seed >> 28 == 0) {
            fat_cache_forget(f->cache, sector, 4);
        }
        if (fat_cache_get(f->cache, sector, seed >> 29, &block) != FAT_OK) {
            return context; /* not NULL: something is wrong */
        }
        fat_cache_copy(f->cache, block, 17, &byte, 1);
        fat_cache_put(f->cache, block);
        if (byte != byte_of(sector)) {
            return context;
        }
    }
    return NULL;
}

static void many_threads_find_what_is_on_disk(void **state)
{
    struct fixture *f = *state;
    pthread_t threads[4];

    for (int i = 0; i < 4; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, wander, f), 0);
    }
    for (int i = 0; i < 4; i++) {
        void *wrong;

        pthread_join(threads[i], &wrong);
        assert_null(wrong);
    }
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
            CASE(a_block_is_read_once_and_shared),
            CASE(what_is_read_ahead_comes_in_one_read),
            CASE(reading_ahead_stops_at_what_is_there_and_at_the_end),
            CASE(a_failed_read_ahead_falls_back_to_the_one_block),
            CASE(a_failed_read_is_remembered_by_nobody),
            CASE(a_sector_behind_the_device_is_an_io_error),
            CASE(memory_that_fails_is_nomem_or_does_without_reading_ahead),
            CASE(a_cache_without_memory_is_nomem),
            CASE(the_least_recently_used_blocks_go_first),
            CASE(pinned_and_edited_blocks_stay_whatever_the_budget_says),
            CASE(a_budget_keeps_as_many_blocks_as_it_has_bytes_for),
            CASE(a_read_may_cross_sectors_and_begin_beyond_its_own),
            CASE(what_is_forgotten_is_read_anew),
            CASE(much_that_waits_makes_the_cache_heavy),
            CASE(who_comes_while_a_sector_is_read_waits_for_that_read),
            CASE(who_waited_for_a_read_that_failed_tries_again),
            CASE(many_threads_find_what_is_on_disk),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
