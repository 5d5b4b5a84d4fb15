/* SPDX-License-Identifier: MIT */
/* Contents of files: sizes, gaps, limits, room, and what a file costs and gives back. */
#include <stdlib.h>
#include <string.h>

#include "support/cmocka.h"
#include "support/image.h"
#include "support/steady.h"

static const struct image_spec SPECS[] = {{.type = 12}, {.type = 16}, {.type = 32},
        {.type = 12, .sector_bytes = 4096},
        {.type = 32, .cluster_sectors = 8, .fat_count = 1}};

enum { SPEC_COUNT = sizeof(SPECS) / sizeof(SPECS[0]) };

#define FOR_EACH_TYPE(img, i)                                                   \
    for (size_t i = 0; i < SPEC_COUNT && (image_make(&(img), &SPECS[i]), true); \
            image_done(&(img)), i++)

static uint32_t cluster_bytes(const struct image *img)
{
    return img->spec.cluster_sectors * img->spec.sector_bytes;
}

/* Every free cluster holds bytes that nobody may ever see. */
static void foul_free_clusters(struct image *img)
{
    struct fat_node *file = image_create(img->root, "foul");
    const size_t length = 64 * 1024;
    uint8_t *foul = steady_alloc(length);
    size_t done;

    memset(foul, 0xaa, length);
    while (fat_file_append(file, foul, length, &done) == FAT_OK) {
    }
    assert_int_equal(image_free(img), 0);
    fat_node_unref(file);
    assert_int_equal(fat_unlink(img->root, "foul"), FAT_OK);
    assert_int_equal(fat_volume_commit(img->volume), FAT_OK);
    free(foul);
}

static void expect_bytes(
        struct fat_node *file, uint64_t from, uint64_t to, uint8_t byte)
{
    uint8_t read[997];

    while (from < to) {
        const size_t part =
                to - from < sizeof(read) ? (size_t)(to - from) : sizeof(read);
        size_t done = 0;

        assert_int_equal(fat_file_read(file, from, read, part, &done), FAT_OK);
        assert_int_equal(done, part);
        for (size_t i = 0; i < part; i++) {
            if (read[i] != byte) {
                fail_msg("byte %llu is %02x, wanted %02x",
                        (unsigned long long)(from + i), read[i], byte);
            }
        }
        from += part;
    }
}

static void what_is_written_is_read(void **state)
{
    static const struct {
        size_t offset, length;
    } rows[] = {{0, 1}, {0, 511}, {511, 2}, {0, 512}, {513, 4096}, {100, 20000},
            {20099, 1}, {20100, 1}, {0, 20101}, {5, 0}};
    struct image img;

    (void)state;
    FOR_EACH_TYPE(img, i)
    {
        static uint8_t wanted[32768], read[32768];
        struct fat_node *file = image_create(img.root, "file");
        size_t size = 0;

        memset(wanted, 0, sizeof(wanted));
        for (size_t r = 0; r < sizeof(rows) / sizeof(rows[0]); r++) {
            size_t done;

            image_fill((uint32_t)r, wanted + rows[r].offset, rows[r].length);
            image_write(file, rows[r].offset, wanted + rows[r].offset, rows[r].length);
            if (rows[r].length && rows[r].offset + rows[r].length > size) {
                size = rows[r].offset + rows[r].length;
            }
            assert_int_equal(image_size(file), size);
            assert_int_equal(fat_file_read(file, 0, read, sizeof(read), &done), FAT_OK);
            assert_int_equal(done, size);
            assert_memory_equal(read, wanted, size);
        }
        fat_node_unref(file);
    }
}

static void reading_at_and_behind_the_end_is_nothing(void **state)
{
    static const uint64_t offsets[] = {
            100, 101, 5000, UINT32_MAX, UINT64_C(1) << 40, UINT64_MAX};
    struct image img;

    (void)state;
    FOR_EACH_TYPE(img, i)
    {
        struct fat_node *file;
        uint8_t read[10];

        image_put(img.root, "file", 1, 100);
        file = image_lookup(img.root, "file");
        for (size_t o = 0; o < sizeof(offsets) / sizeof(offsets[0]); o++) {
            size_t done = 5;

            assert_int_equal(
                    fat_file_read(file, offsets[o], read, sizeof(read), &done), FAT_OK);
            assert_int_equal(done, 0);
        }
        fat_node_unref(file);
    }
}

static void what_a_file_gains_is_zeros_on_disk(void **state)
{
    struct image img;

    (void)state;
    FOR_EACH_TYPE(img, i)
    {
        const uint64_t end = cluster_bytes(&img) * UINT64_C(3) + 700;
        struct fat_node *file;

        foul_free_clusters(&img);
        file = image_create(img.root, "gap");
        image_write(file, end, "x", 1);
        fat_node_unref(file);
        file = image_create(img.root, "grown");
        image_write(file, 0, "x", 1);
        assert_int_equal(fat_file_truncate(file, end), FAT_OK);
        fat_node_unref(file);
        file = image_create(img.root, "allocated");
        assert_int_equal(fat_file_allocate(file, 10, end - 10, 0), FAT_OK);
        fat_node_unref(file);
        file = image_create(img.root, "cut and grown");
        for (uint64_t at = 0; at < end; at += 10) {
            image_write(file, at, "xxxxxxxxxx", 10);
        }
        assert_int_equal(fat_file_truncate(file, 5), FAT_OK);
        assert_int_equal(fat_file_truncate(file, end), FAT_OK);
        fat_node_unref(file);
        for (unsigned again = 0; again < 2; again++) {
            file = image_lookup(img.root, "gap");
            expect_bytes(file, 0, end, 0);
            fat_node_unref(file);
            file = image_lookup(img.root, "grown");
            expect_bytes(file, 0, 1, 'x');
            expect_bytes(file, 1, end, 0);
            fat_node_unref(file);
            file = image_lookup(img.root, "allocated");
            assert_int_equal(image_size(file), end);
            expect_bytes(file, 0, end, 0);
            fat_node_unref(file);
            file = image_lookup(img.root, "cut and grown");
            expect_bytes(file, 0, 5, 'x');
            expect_bytes(file, 5, end, 0);
            fat_node_unref(file);
            image_reopen(&img);
        }
    }
}

static void new_directories_show_nothing_old(void **state)
{
    struct image img;

    (void)state;
    FOR_EACH_TYPE(img, i)
    {
        struct fat_node *dir;
        char name[] = "a name with many slots in it, number 00";

        foul_free_clusters(&img);
        dir = image_mkdir(img.root, "dir");
        for (unsigned n = 0; n < 60; n++) {
            name[sizeof(name) - 3] = (char)('0' + n / 10);
            name[sizeof(name) - 2] = (char)('0' + n % 10);
            image_touch(dir, name);
        }
        assert_int_equal(image_count(dir), 60);
        fat_node_unref(dir);
    }
}

static void four_gigabytes_are_the_end(void **state)
{
    const uint64_t limit = UINT32_MAX;
    struct image img;

    (void)state;
    FOR_EACH_TYPE(img, i)
    {
        struct fat_node *file;
        size_t done = 77;

        image_put(img.root, "file", 1, 100);
        file = image_lookup(img.root, "file");
        assert_int_equal(fat_file_write(file, limit, "x", 1, &done), FAT_E_FBIG);
        assert_int_equal(fat_file_write(file, limit + 1, "x", 1, &done), FAT_E_FBIG);
        assert_int_equal(fat_file_write(file, UINT64_MAX, "x", 1, &done), FAT_E_FBIG);
        assert_int_equal(
                fat_file_write(file, UINT64_MAX - 1, "xx", 2, &done), FAT_E_FBIG);
        assert_int_equal(fat_file_truncate(file, limit + 1), FAT_E_FBIG);
        assert_int_equal(fat_file_truncate(file, UINT64_MAX), FAT_E_FBIG);
        for (unsigned flags = 0; flags < 2; flags++) {
            assert_int_equal(fat_file_allocate(file, limit, 1, flags), FAT_E_FBIG);
            assert_int_equal(fat_file_allocate(file, 1, limit, flags), FAT_E_FBIG);
            assert_int_equal(fat_file_allocate(file, UINT64_MAX, 2, flags), FAT_E_FBIG);
            assert_int_equal(fat_file_allocate(file, 0, 0, flags), FAT_E_INVAL);
            assert_int_equal(fat_file_allocate(file, 0, limit, flags), FAT_E_NOSPC);
        }
        assert_int_equal(fat_file_allocate(file, 0, 10, 2), FAT_E_INVAL);
        assert_int_equal(fat_file_write(file, limit - 1, "xyz", 3, &done), FAT_E_NOSPC);
        assert_int_equal(fat_file_truncate(file, limit), FAT_E_NOSPC);
        assert_int_equal(done, 77);
        assert_int_equal(image_size(file), 100);
        fat_node_unref(file);
        image_expect(img.root, "file", 1, 100);
    }
}

static void a_write_meets_the_end_of_room(void **state)
{
    struct image img;

    (void)state;
    FOR_EACH_TYPE(img, i)
    {
        const size_t room = (size_t)image_free(&img) * cluster_bytes(&img);
        uint8_t *all = steady_zalloc(room + 5000);
        struct fat_node *file = image_create(img.root, "file");
        const size_t fits = (size_t)image_free(&img) * cluster_bytes(&img);
        size_t done = 0;

        assert_int_equal(fat_file_write(file, 0, all, room + 5000, &done), FAT_OK);
        assert_int_equal(done, fits);
        assert_int_equal(image_size(file), fits);
        assert_int_equal(fat_file_append(file, all, 1, &done), FAT_E_NOSPC);
        assert_int_equal(
                fat_file_write(file, fits + 100000, all, 1, &done), FAT_E_NOSPC);
        assert_int_equal(image_size(file), fits);
        image_write(file, fits - 1000, all, 1000);
        assert_int_equal(fat_file_truncate(file, fits - cluster_bytes(&img)), FAT_OK);
        assert_int_equal(
                fat_file_append(file, all, cluster_bytes(&img), &done), FAT_OK);
        assert_int_equal(done, cluster_bytes(&img)); /* W2: a commit made the room */
        fat_node_unref(file);
        free(all);
    }
}

static void reservations_are_taken_and_given_back(void **state)
{
    struct image img;

    (void)state;
    FOR_EACH_TYPE(img, i)
    {
        struct fat_node *file = image_create(img.root, "file");
        const uint32_t before = image_free(&img);
        const uint64_t want = (uint64_t)cluster_bytes(&img) * 10;
        struct fat_stat st;
        uint8_t byte = 1;

        assert_int_equal(
                fat_file_allocate(file, 0, want, FAT_ALLOCATE_KEEP_SIZE), FAT_OK);
        assert_int_equal(image_free(&img), before - 10);
        assert_int_equal(fat_node_stat(file, &st), FAT_OK);
        assert_int_equal(st.size_bytes, 0);
        assert_int_equal(st.allocated_bytes, want);
        image_write(file, 0, &byte, 1);
        assert_int_equal(image_free(&img), before - 10);
        assert_int_equal(
                fat_file_allocate(file, 0, want / 2, FAT_ALLOCATE_KEEP_SIZE), FAT_OK);
        assert_int_equal(image_free(&img), before - 10);
        assert_int_equal(fat_file_allocate(file, 0, UINT32_MAX, FAT_ALLOCATE_KEEP_SIZE),
                FAT_E_NOSPC);
        assert_int_equal(image_free(&img), before - 10);
        fat_node_unref(file);
        assert_int_equal(fat_volume_commit(img.volume), FAT_OK);
        assert_int_equal(image_free(&img), before - 1);
    }
}

static void what_is_set_aside_can_be_written(void **state)
{
    struct image img;

    (void)state;
    FOR_EACH_TYPE(img, i)
    {
        struct fat_node *file = image_create(img.root, "file");
        struct fat_node *greedy = image_create(img.root, "greedy");
        const uint32_t want = cluster_bytes(&img) * 10;
        uint8_t *bytes = steady_zalloc(want);
        size_t done;

        assert_int_equal(
                fat_file_allocate(file, 0, want, FAT_ALLOCATE_KEEP_SIZE), FAT_OK);
        while (fat_file_append(greedy, bytes, want, &done) == FAT_OK) {
        }
        image_write(file, 0, bytes, want);
        assert_int_equal(fat_file_append(file, bytes, 1, &done), FAT_E_NOSPC);
        free(bytes);
        fat_node_unref(greedy);
        fat_node_unref(file);
    }
}

static void a_removed_file_lives_while_it_is_open(void **state)
{
    struct image img;

    (void)state;
    for (unsigned early = 0; early < 2; early++) {
        FOR_EACH_TYPE(img, i)
        {
            const uint32_t before = image_free(&img);
            uint8_t wanted[6000], read[6000];
            struct fat_node *file;
            struct fat_stat st;
            size_t done;

            image_fill(1, wanted, sizeof(wanted));
            image_put(img.root, "file", 1, 3000);
            if (early) {
                assert_int_equal(fat_volume_commit(img.volume), FAT_OK);
            }
            file = image_lookup(img.root, "file");
            assert_int_equal(fat_unlink(img.root, "file"), FAT_OK);
            assert_int_equal(fat_volume_commit(img.volume), FAT_OK);
            image_put(img.root, "file", 2, 2000);
            image_write(file, 3000, wanted + 3000, 3000);
            assert_int_equal(fat_file_read(file, 0, read, sizeof(read), &done), FAT_OK);
            assert_int_equal(done, sizeof(read));
            assert_memory_equal(read, wanted, sizeof(wanted));
            assert_int_equal(fat_node_stat(file, &st), FAT_OK);
            assert_int_equal(st.links, 0);
            assert_int_equal(fat_node_sync(file), FAT_OK);
            assert_int_equal(fat_file_truncate(file, 100), FAT_OK);
            assert_int_equal(fat_file_truncate(file, 4000), FAT_OK);
            expect_bytes(file, 100, 4000, 0);
            fat_node_unref(file);
            image_expect(img.root, "file", 2, 2000);
            assert_int_equal(fat_unlink(img.root, "file"), FAT_OK);
            assert_int_equal(fat_volume_commit(img.volume), FAT_OK);
            assert_int_equal(image_free(&img), before);
        }
    }
}

static void all_room_comes_back(void **state)
{
    struct image img;

    (void)state;
    FOR_EACH_TYPE(img, i)
    {
        const uint32_t before = image_free(&img);

        for (unsigned n = 0; n < 12; n++) {
            struct fat_node *dir = image_mkdir(img.root, "dir");

            image_put(dir, "a file in it", n, 100 + n * 900);
            if (n & 1) {
                assert_int_equal(fat_volume_commit(img.volume), FAT_OK);
            }
            image_put(dir, "another", n, 5000);
            assert_int_equal(
                    fat_rename(dir, "another", dir, "a file in it", 0), FAT_OK);
            if (n & 2) {
                fat_node_unref(dir);
                image_reopen(&img);
                dir = image_lookup(img.root, "dir");
            }
            assert_int_equal(fat_unlink(dir, "a file in it"), FAT_OK);
            fat_node_unref(dir);
            assert_int_equal(fat_rmdir(img.root, "dir"), FAT_OK);
            if (n & 4) {
                assert_int_equal(fat_volume_commit(img.volume), FAT_OK);
            }
        }
        assert_int_equal(fat_volume_commit(img.volume), FAT_OK);
        assert_int_equal(fat_volume_commit(img.volume), FAT_OK);
        assert_int_equal(image_free(&img), before);
    }
}

static void a_removed_directory_has_no_links(void **state)
{
    struct image img;

    (void)state;
    FOR_EACH_TYPE(img, i)
    {
        struct fat_node *dir = image_mkdir(img.root, "dir");
        struct fat_stat st;

        assert_int_equal(fat_node_stat(dir, &st), FAT_OK);
        assert_int_equal(st.links, 2);
        assert_int_equal(fat_rmdir(img.root, "dir"), FAT_OK);
        assert_int_equal(fat_node_stat(dir, &st), FAT_OK);
        assert_int_equal(st.links, 0);
        fat_node_unref(dir);
    }
}

/* As open() with O_TRUNC does for many a makefile, whose stamp is an empty file. */
static void what_is_truncated_to_the_size_it_has_was_modified(void **state)
{
    static const uint32_t sizes[] = {0, 1, 5000};
    struct image img;

    (void)state;
    FOR_EACH_TYPE(img, i)
    {
        for (size_t s = 0; s < sizeof(sizes) / sizeof(sizes[0]); s++) {
            struct fat_node *file;
            struct fat_stat st;

            img.now.seconds = 1600000000;
            image_put(img.root, "stamp", 1, sizes[s]);
            img.now.seconds += 20;
            file = image_lookup(img.root, "stamp");
            assert_int_equal(fat_file_truncate(file, sizes[s]), FAT_OK);
            assert_int_equal(fat_node_stat(file, &st), FAT_OK);
            assert_int_equal(st.modified.seconds, 1600000020);
            fat_node_unref(file);
            image_reopen(&img);
            file = image_lookup(img.root, "stamp");
            assert_int_equal(fat_node_stat(file, &st), FAT_OK);
            assert_int_equal(st.modified.seconds, 1600000020);
            fat_node_unref(file);
            image_expect(img.root, "stamp", 1, sizes[s]);
            assert_int_equal(fat_unlink(img.root, "stamp"), FAT_OK);
        }
    }
}

static void times_tell_when(void **state)
{
    struct image img;

    (void)state;
    FOR_EACH_TYPE(img, i)
    {
        struct fat_node *file;
        struct fat_stat st;

        img.now = (struct fat_time){.seconds = 1600000001, .nanoseconds = 567890000};
        file = image_create(img.root, "file");
        assert_int_equal(fat_node_stat(file, &st), FAT_OK);
        assert_int_equal(st.created.seconds, 1600000001);
        assert_int_equal(st.created.nanoseconds, 560000000);
        assert_int_equal(st.modified.seconds, 1600000000); /* even seconds only */
        img.now.seconds += 86400 * 3;
        image_write(file, 0, "x", 1);
        assert_int_equal(fat_node_stat(file, &st), FAT_OK);
        assert_int_equal(st.created.seconds, 1600000001);
        assert_int_equal(st.modified.seconds, 1600000000 + 86400 * 3);
        assert_int_equal(st.accessed.seconds, 1600000001 / 86400 * 86400 + 86400 * 3);
        img.now.seconds += 10;
        assert_int_equal(fat_rename(img.root, "file", img.root, "renamed", 0), FAT_OK);
        fat_node_unref(file);
        image_reopen(&img);
        file = image_lookup(img.root, "renamed");
        assert_int_equal(fat_node_stat(file, &st), FAT_OK);
        assert_int_equal(st.created.seconds, 1600000001);
        assert_int_equal(st.created.nanoseconds, 560000000);
        assert_int_equal(st.modified.seconds, 1600000000 + 86400 * 3);
        fat_node_unref(file);
    }
}

static void times_and_attributes_are_set(void **state)
{
    static const struct {
        int64_t wanted, got;
    } rows[] = {
            {315532800, 315532800},    /* 1980-01-01 */
            {0, 315532800},            /* too early */
            {-1000, 315532800},        /* before everything */
            {4354819198, 4354819198},  /* 2107-12-31 23:59:58 */
            {99999999999, 4354819198}, /* too late */
            {1500000002, 1500000002},
            {1500000003, 1500000002},
    };
    struct image img;

    (void)state;
    FOR_EACH_TYPE(img, i)
    {
        struct fat_node *file = image_create(img.root, "file");
        struct fat_node_changes changes = {
                .which = FAT_SET_MODIFIED | FAT_SET_ATTRIBUTES,
                .attributes =
                        FAT_NODE_READ_ONLY | FAT_NODE_HIDDEN | FAT_NODE_DIRECTORY};
        struct fat_stat st;

        for (size_t r = 0; r < sizeof(rows) / sizeof(rows[0]); r++) {
            changes.modified.seconds = rows[r].wanted;
            assert_int_equal(fat_node_change(file, &changes), FAT_OK);
            for (unsigned again = 0; again < 2; again++) {
                assert_int_equal(fat_node_stat(file, &st), FAT_OK);
                assert_int_equal(st.modified.seconds, rows[r].got);
                assert_int_equal(st.attributes, FAT_NODE_READ_ONLY | FAT_NODE_HIDDEN);
                fat_node_unref(file);
                image_reopen(&img);
                file = image_lookup(img.root, "file");
            }
        }
        assert_int_equal(fat_node_change(img.root, &changes), FAT_OK);
        fat_node_unref(file);
    }
}

static void a_directory_is_no_file(void **state)
{
    struct image img;

    (void)state;
    FOR_EACH_TYPE(img, i)
    {
        uint8_t byte = 1;
        size_t done = 77;

        assert_int_equal(fat_file_read(img.root, 0, &byte, 1, &done), FAT_E_ISDIR);
        assert_int_equal(fat_file_write(img.root, 0, &byte, 1, &done), FAT_E_ISDIR);
        assert_int_equal(fat_file_append(img.root, &byte, 1, &done), FAT_E_ISDIR);
        assert_int_equal(fat_file_truncate(img.root, 0), FAT_E_ISDIR);
        assert_int_equal(fat_file_allocate(img.root, 0, 1, 0), FAT_E_ISDIR);
        assert_int_equal(fat_node_sync(img.root), FAT_OK);
        assert_int_equal(done, 77);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(what_is_written_is_read),
            cmocka_unit_test(reading_at_and_behind_the_end_is_nothing),
            cmocka_unit_test(what_a_file_gains_is_zeros_on_disk),
            cmocka_unit_test(new_directories_show_nothing_old),
            cmocka_unit_test(four_gigabytes_are_the_end),
            cmocka_unit_test(a_write_meets_the_end_of_room),
            cmocka_unit_test(reservations_are_taken_and_given_back),
            cmocka_unit_test(what_is_set_aside_can_be_written),
            cmocka_unit_test(a_removed_file_lives_while_it_is_open),
            cmocka_unit_test(all_room_comes_back),
            cmocka_unit_test(a_removed_directory_has_no_links),
            cmocka_unit_test(what_is_truncated_to_the_size_it_has_was_modified),
            cmocka_unit_test(times_tell_when),
            cmocka_unit_test(times_and_attributes_are_set),
            cmocka_unit_test(a_directory_is_no_file),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
