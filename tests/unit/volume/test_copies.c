/* SPDX-License-Identifier: MIT */
/*
 * The other copies of the FAT are written an epoch after the first, so that no entry is
 * ever torn in two copies at once: whatever a copy gets, the first one had when the
 * epoch began.
 */
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "ondisk/bpb.h"
#include "support/cmocka.h"
#include "support/surgery.h"

static const struct image_spec SPECS[] = {{.type = 12}, {.type = 16}, {.type = 32},
        {.type = 12, .fat_count = 3}, {.type = 16, .sector_bytes = 4096},
        {.type = 32, .clusters = 300, .fat_count = 3}};

enum { SPEC_COUNT = sizeof(SPECS) / sizeof(SPECS[0]) };

/* Where the copies are, and what is on the device as the log goes on. */
struct table {
    uint64_t start, bytes; /* of the first; the others follow      [bytes] */
    unsigned count;
    uint8_t *now;    /* the whole device                                    */
    uint8_t *before; /* the first copy as it was when the epoch began      */
    unsigned copied; /* bytes that a copy got and didn't have              */
};

static void find_table(struct image *img, struct table *t)
{
    uint32_t sectors;

    *t = (struct table){.now = image_bytes(recdev_start(img->rec))};
    sectors = fat_get16(t->now, BPB_FATSZ16);
    if (sectors == 0) {
        sectors = fat_get32(t->now, BPB_FATSZ32);
    }
    t->count = t->now[BPB_NUM_FATS];
    t->bytes = (uint64_t)sectors * fat_get16(t->now, BPB_BYTS_PER_SEC);
    t->start = (uint64_t)fat_get16(t->now, BPB_RSVD_SEC_CNT) *
               fat_get16(t->now, BPB_BYTS_PER_SEC);
    t->before = malloc(t->bytes);
    assert_non_null(t->before);
}

static void begin_epoch(struct table *t)
{
    memcpy(t->before, t->now + t->start, t->bytes);
}

/* Entries 0 and 1 hold the marks, which have a time of their own. */
enum { MARK_BYTES = 8 };

static void judge_byte(struct table *t, uint64_t at, uint8_t byte)
{
    uint64_t inside;

    if (at < t->start + t->bytes || at >= t->start + t->bytes * t->count) {
        return;
    }
    inside = (at - t->start) % t->bytes;
    if (inside < MARK_BYTES || t->now[at] == byte) {
        return;
    }
    t->copied++;
    if (t->before[inside] != byte) {
        fail_msg("byte %llu of a copy gets what the first copy has not had",
                (unsigned long long)inside);
    }
}

static void judge_log(struct image *img, struct table *t)
{
    begin_epoch(t);
    for (size_t i = 0; i < recdev_event_count(img->rec); i++) {
        const struct recdev_event *event = recdev_event(img->rec, i);

        if (event->call == RECDEV_FLUSH) {
            begin_epoch(t);
            continue;
        }
        for (size_t k = 0; k < event->length; k++) {
            judge_byte(t, event->offset + k, event->bytes[k]);
        }
        memcpy(t->now + event->offset, event->bytes, event->length);
    }
}

static void work(struct image *img, unsigned round)
{
    struct fat_node *file;

    image_put(img->root, "grown", 1, 6000);
    image_put(img->root, "freed", 2, 9000);
    fat_node_unref(image_mkdir(img->root, "dir"));
    assert_int_equal(fat_volume_commit(img->volume), FAT_OK);
    file = image_lookup(img->root, "grown");
    image_write(file, 6000, "more, in another cluster", 24);
    assert_int_equal(fat_file_truncate(file, 9000 + round * 100), FAT_OK);
    assert_int_equal(fat_unlink(img->root, "freed"), FAT_OK);
    if (round & 1) {
        assert_int_equal(fat_volume_commit(img->volume), FAT_OK);
    }
    assert_int_equal(fat_file_truncate(file, 700), FAT_OK);
    assert_int_equal(fat_rmdir(img->root, "dir"), FAT_OK);
    assert_int_equal(fat_volume_commit(img->volume), FAT_OK);
    fat_node_unref(file);
    assert_int_equal(fat_unlink(img->root, "grown"), FAT_OK);
    if (round & 2) {
        assert_int_equal(fat_volume_commit(img->volume), FAT_OK);
    }
}

static void a_copy_gets_only_what_the_first_one_already_had(void **state)
{
    (void)state;
    for (size_t i = 0; i < SPEC_COUNT; i++) {
        struct image img;
        struct table t;

        image_make(&img, &SPECS[i]);
        image_close(&img);
        assert_int_equal(recdev_restart(img.rec), FAT_OK);
        image_open(&img);
        for (unsigned round = 0; round < 4; round++) {
            work(&img, round);
        }
        image_close(&img);
        find_table(&img, &t);
        judge_log(&img, &t);
        assert_true(t.copied > 40);
        for (unsigned copy = 1; copy < t.count; copy++) {
            assert_memory_equal(t.now + t.start + copy * t.bytes + MARK_BYTES,
                    t.now + t.start + MARK_BYTES, t.bytes - MARK_BYTES);
        }
        free(t.before);
        free(t.now);
        image_open(&img);
        image_done(&img);
    }
}

/* An illegal name is no reason to stop, only one to stay marked. */
static void no_copy_is_left_behind_where_the_marks_stay(void **state)
{
    (void)state;
    for (size_t i = 0; i < SPEC_COUNT; i++) {
        struct fat_check_summary found;
        struct image img;
        uint64_t entry;

        image_make(&img, &SPECS[i]);
        image_put(img.root, "freed", 1, 6000);
        image_touch(img.root, "ODD.TXT");
        entry = surgery_entry_of(img.root, "ODD.TXT");
        image_close(&img);
        surgery_write(&img, entry, "\"", 1);
        surgery_make_dirty(&img);
        image_open(&img);
        assert_int_equal(fat_unlink(img.root, "freed"), FAT_OK);
        image_close(&img);
        assert_true(surgery_is_dirty(&img));
        assert_int_equal(fat_check(img.dev, NULL, NULL, &found), FAT_OK);
        assert_int_equal(found.findings[FAT_FINDING_SHORT_NAME], 1);
        assert_int_equal(found.findings[FAT_FINDING_FAT_DIFFERS], 0);
        image_drop(&img);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(a_copy_gets_only_what_the_first_one_already_had),
            cmocka_unit_test(no_copy_is_left_behind_where_the_marks_stay),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
