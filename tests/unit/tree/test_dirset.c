/* SPDX-License-Identifier: MIT */
#include "tree/wood.h"

enum { SECTOR = 512, PER_SECTOR = 16 };

/* The first byte of @slot in every image: '0', 'x' for 0xE5, 'n' for a name. */
static void see(void *context, const uint8_t *image)
{
    char *text = context;
    const uint32_t slot = (uint32_t)(text[0]);
    const size_t at = strlen(text + 1) + 1;
    const uint8_t byte = image[slot * FAT_SLOT_BYTES];

    text[at] = byte == 0 ? '0' : byte == 0xe5 ? 'x' : 'n';
    text[at + 1] = '\0';
}

static void assert_images(struct wood *w, uint32_t slot, const char *expected)
{
    char text[32] = {(char)(slot % PER_SECTOR)};
    struct fat_block *block;
    uint64_t sector;
    uint32_t offset;

    assert_int_equal(fat_dir_locate(w->root, slot, &sector, &offset), FAT_OK);
    assert_int_equal(fat_cache_get(w->tree->cache, sector, 0, &block), FAT_OK);
    fat_cache_each_image(w->tree->cache, block, see, text);
    fat_cache_put(w->tree->cache, block);
    if (strcmp(text + 1, expected) != 0) {
        fail_msg("slot %u: %s, not %s", slot, text + 1, expected);
    }
}

struct made {
    struct fat_place place;
    struct fat_dir_set set;
};

/* Put a name the way an operation does. */
static void put(struct wood *w, const char *text, struct made *ret)
{
    struct fat_dirent entry = {.attributes = FAT_ATTR_ARCHIVE};
    struct fat_edits edits;
    struct fat_name name;

    assert_int_equal(fat_name_from(text, &name), FAT_OK);
    assert_int_equal(fat_dir_need_index(w->root), FAT_OK);
    assert_int_equal(fat_dir_encode(w->root, &name, NULL, &entry, &ret->set), FAT_OK);
    assert_int_equal(fat_dir_make_room(w->root, ret->set.count, &ret->place), FAT_OK);
    fat_edits_init(&edits, w->tree->cache);
    assert_int_equal(fat_dir_prepare(&edits, &ret->place, 2), FAT_OK);
    ret->place.born = fat_interval_enter(&w->tree->interval);
    fat_dir_put(&edits, &ret->place, &ret->set, false);
    fat_interval_leave(&w->tree->interval);
    fat_edits_done(&edits);
}

static void take_away(struct wood *w, const struct made *made)
{
    const struct fat_dir_removal removal = {.place = made->place,
            .hashes = made->set.hashes,
            .kind = FAT_REMOVAL_DELETED};
    struct fat_edits edits;
    uint64_t number;

    assert_int_equal(fat_dirindex_reserve_tomb(w->root->index), FAT_OK);
    fat_edits_init(&edits, w->tree->cache);
    assert_int_equal(fat_dir_prepare(&edits, &made->place, 1), FAT_OK);
    number = fat_interval_enter(&w->tree->interval);
    fat_dir_remove(&edits, &removal, number);
    fat_interval_leave(&w->tree->interval);
    fat_edits_done(&edits);
}

static void fill_slots(struct wood *w, uint32_t end)
{
    for (uint32_t i = 0; i < end; i++) {
        char name[12];

        snprintf(name, sizeof(name), "F%-10u", i);
        wood_put_short(w, 0, i, name, 0, 0);
    }
}

static void a_set_is_published_whole_after_the_end_mark_has_moved(void **state)
{
    struct made made;
    struct wood w;

    (void)state;
    wood_make(&w, 16, SECTOR);
    fill_slots(&w, 3);
    wood_open(&w);
    put(&w, "A rather long name.txt", &made);
    assert_int_equal(made.place.slot, 5);
    assert_int_equal(made.place.slots, 3);
    for (uint32_t s = 3; s <= 5; s++) {
        assert_images(&w, s, "0xn"); /* disk, FILL, PUBLISH */
    }
    assert_images(&w, 6, "000");
    assert_int_equal(fat_dirindex_end(w.root->index), 6);
    wood_commit(&w);
    fat_dirindex_free(w.root->index);
    w.root->index = NULL;
    wood_assert_walk(&w, "0-0 F0|1-1 F1|2-2 F2|3-5 A rather long name.txt|");
    wood_done(&w);
}

static void a_set_goes_to_the_next_sector_and_the_end_mark_passes_the_gap(void **state)
{
    struct made made;
    struct wood w;

    (void)state;
    wood_make(&w, 16, SECTOR);
    fill_slots(&w, 14);
    wood_open(&w);
    put(&w, "A rather long name.txt", &made);
    assert_int_equal(made.place.slot, 18);
    assert_images(&w, 14, "0x"); /* W10: passed, free */
    assert_images(&w, 15, "0x");
    assert_images(&w, 16, "0xn");
    assert_images(&w, 18, "0xn");
    put(&w, "B.TXT", &made);
    assert_int_equal(made.place.slot, 14);
    assert_images(&w, 14, "0xn");
    wood_commit(&w);
    wood_done(&w);
}

static void long_slots_in_another_sector_go_before_and_after_their_entry(void **state)
{
    struct made made;
    struct wood w;
    char name[256];

    (void)state;
    memset(name, 'a', 250); /* 20 slots and the entry */
    strcpy(name + 250, ".txt");
    wood_make(&w, 16, SECTOR);
    fill_slots(&w, 2);
    wood_open(&w);
    put(&w, name, &made);
    assert_int_equal(made.place.slot, 22);
    assert_int_equal(made.place.slots, 21);
    assert_images(&w, 2, "0n");
    assert_images(&w, 15, "0n"); /* FILL */
    assert_images(&w, 16, "0xn");
    assert_images(&w, 22, "0xn");
    wood_commit(&w);
    take_away(&w, &made);
    assert_images(&w, 2, "nx"); /* RECLAIM, and nothing else in that sector */
    assert_images(&w, 16, "nx");
    assert_images(&w, 22, "nx"); /* RETIRE */
    wood_commit(&w);
    wood_done(&w);
}

/* An image for every stage in the sector of @slot, that differ in its last byte. */
static void open_all_stages(struct wood *w, uint32_t slot)
{
    struct fat_edits edits;
    uint64_t sector;
    uint32_t offset;

    assert_int_equal(fat_dir_locate(w->root, slot, &sector, &offset), FAT_OK);
    fat_edits_init(&edits, w->tree->cache);
    assert_int_equal(fat_edits_prepare(&edits, sector, FAT_STAGE_COUNT), FAT_OK);
    for (int i = 0; i < FAT_STAGE_COUNT; i++) {
        const uint8_t byte = (uint8_t)(i + 1);

        fat_edits_set(&edits, sector, (enum fat_stage)i, SECTOR - 1, &byte, 1);
    }
    fat_edits_done(&edits);
}

static void every_slot_changes_in_its_stage(void **state)
{
    struct made made;
    struct wood w;
    char name[256];

    (void)state;
    memset(name, 'a', 250);
    strcpy(name + 250, ".txt");
    wood_make(&w, 16, SECTOR);
    fill_slots(&w, 2);
    wood_open(&w);
    assert_int_equal(fat_dir_need_index(w.root), FAT_OK);
    open_all_stages(&w, 2);
    open_all_stages(&w, 16);
    put(&w, name, &made); /* disk, and six stages */
    assert_images(&w, 2, "0nnnnnn");
    assert_images(&w, 16, "0xxnnnn");
    assert_images(&w, 22, "0xxnnnn");
    wood_commit(&w);
    open_all_stages(&w, 2);
    open_all_stages(&w, 16);
    take_away(&w, &made);
    assert_images(&w, 2, "nnnnnnx");
    assert_images(&w, 16, "nnnnxxx");
    assert_images(&w, 22, "nnnnxxx");
    wood_commit(&w);
    fat_dirindex_settle(w.root->index, w.tree->interval.finished);
    open_all_stages(&w, 2);
    open_all_stages(&w, 16);
    put(&w, name, &made);
    assert_int_equal(made.place.slot, 22);
    take_away(&w, &made); /* withdrawn: all of it in FILL */
    assert_images(&w, 2, "xxxxxxx");
    assert_images(&w, 22, "xxxxxxx");
    wood_commit(&w);
    wood_done(&w);
}

static void a_withdrawn_set_is_gone_from_fill_on(void **state)
{
    struct made made;
    struct wood w;

    (void)state;
    wood_make(&w, 16, SECTOR);
    wood_open(&w);
    assert_int_equal(fat_dir_need_index(w.root), FAT_OK);
    open_all_stages(&w, 0);
    put(&w, "A rather long name.txt", &made);
    take_away(&w, &made);
    assert_images(&w, 0, "0xxxxxx");
    assert_images(&w, 2, "0xxxxxx");
    wood_commit(&w);
    wood_done(&w);
}

static void removal_retires_an_older_set_and_withdraws_a_new_one(void **state)
{
    struct fat_tomb tomb;
    struct made old;
    struct made young;
    struct wood w;

    (void)state;
    wood_make(&w, 16, SECTOR);
    wood_open(&w);
    put(&w, "An old long name.txt", &old);
    wood_commit(&w);
    assert_images(&w, 0, "n");
    put(&w, "A young long name.txt", &young);
    assert_images(&w, 3, "0xn");
    take_away(&w, &young);
    assert_images(&w, 3, "0xx"); /* FILL, and so every later stage */
    assert_false(fat_dirindex_is_buried(w.root->index, young.set.hashes.shown, &tomb));
    take_away(&w, &old);
    assert_images(&w, 0, "nnnx"); /* disk, FILL, PUBLISH, RETIRE */
    assert_true(fat_dirindex_is_buried(w.root->index, old.set.hashes.alias, &tomb));
    assert_int_equal(tomb.slots.first, 0);
    assert_int_equal(tomb.slots.count, 3);
    put(&w, "Young.text", &young); /* not into what waits */
    assert_int_equal(young.place.slot, 4);
    wood_commit(&w);
    fat_dirindex_settle(w.root->index, w.tree->interval.finished);
    put(&w, "Old.text", &old);
    assert_int_equal(old.place.slot, 1);
    wood_assert_walk(&w, "0-1 Old.text|3-4 Young.text|");
    wood_commit(&w);
    wood_done(&w);
}

/* ~1 is free, and would be given to anybody else. */
static void slots_that_are_taken_over_keep_their_short_name(void **state)
{
    struct fat_dirent entry = {.attributes = FAT_ATTR_ARCHIVE};
    struct fat_dir_set again;
    struct fat_name name;
    struct fat_tomb tomb;
    struct made first;
    struct made second;
    struct wood w;

    (void)state;
    wood_make(&w, 16, SECTOR);
    wood_open(&w);
    put(&w, "Same long name 1", &first);
    put(&w, "Same long name 2", &second);
    wood_commit(&w);
    take_away(&w, &first);
    wood_commit(&w);
    fat_dirindex_settle(w.root->index, w.tree->interval.finished);
    take_away(&w, &second);
    assert_true(fat_dirindex_is_buried(w.root->index, second.set.hashes.shown, &tomb));
    assert_int_equal(fat_name_from("Same long name 2", &name), FAT_OK);
    assert_int_equal(fat_dir_encode(w.root, &name, &tomb, &entry, &again), FAT_OK);
    assert_memory_equal(entry.name, "SAMELO~2   ", FAT_SHORT_BYTES);
    assert_int_equal(again.hashes.alias, second.set.hashes.alias);
    assert_int_equal(fat_dir_encode(w.root, &name, NULL, &entry, &again), FAT_OK);
    assert_memory_equal(entry.name, "SAMELO~1   ", FAT_SHORT_BYTES);
    wood_commit(&w);
    wood_done(&w);
}

static void junk_behind_the_end_mark_is_zeroed_by_a_commit_of_its_own(void **state)
{
    struct fat_place place;
    struct made made;
    struct wood w;

    (void)state;
    wood_make(&w, 16, SECTOR);
    fill_slots(&w, 2);
    wood_put_short(&w, 0, 3, "JUNK       ", 0, 0);
    wood_put_short(&w, 0, 300, "MORE       ", 0, 0);
    wood_open(&w);
    assert_int_equal(fat_dir_need_index(w.root), FAT_OK);
    assert_true(fat_dirindex_has_junk(w.root->index));
    wood_assert_walk(&w, "0-0 F0|1-1 F1|");
    assert_int_equal(fat_dir_make_room(w.root, 1, &place), FAT_E_AGAIN);
    assert_images(&w, 3, "n0");
    assert_images(&w, 300, "n0");
    wood_commit(&w);
    assert_images(&w, 3, "0");
    put(&w, "A.TXT", &made);
    assert_int_equal(made.place.slot, 2);
    assert_images(&w, 2, "0xn");
    assert_images(&w, 3, "000");
    wood_commit(&w);
    wood_assert_walk(&w, "0-0 F0|1-1 F1|2-2 A.TXT|");
    wood_done(&w);
}

static void short_names_avoid_those_that_are_there_or_buried(void **state)
{
    struct made made[4];
    struct wood w;

    (void)state;
    wood_make(&w, 16, SECTOR);
    wood_open(&w);
    for (int i = 0; i < 3; i++) {
        char name[32];

        snprintf(name, sizeof(name), "same beginning %d.txt", i);
        put(&w, name, &made[i]);
        assert_int_equal(made[i].set.slots[made[i].set.count - 1][7], '1' + i);
    }
    wood_commit(&w);
    take_away(&w, &made[1]);
    put(&w, "same beginning 9.txt", &made[3]);
    assert_int_equal(made[3].set.slots[made[3].set.count - 1][7], '4');
    wood_commit(&w);
    wood_done(&w);
}

static unsigned fat_on_disk(struct wood *w, uint32_t cluster)
{
    uint8_t raw[2];

    assert_int_equal(recdev_blkdev(w->rec)->ops->read(recdev_blkdev(w->rec),
                             w->g.fat_start * SECTOR + 2ULL * cluster, raw, 2),
            FAT_OK);
    return (unsigned)raw[0] | (unsigned)raw[1] << 8;
}

static void a_directory_grows_by_a_zeroed_cluster(void **state)
{
    struct fat_place place;
    struct fat_node *sub;
    struct fat_link link;
    uint8_t junk[SECTOR];
    struct wood w;
    bool wrote;

    (void)state;
    memset(junk, 'j', sizeof(junk));
    wood_make(&w, 16, SECTOR);
    wood_put_fat(&w, 10, 0xffff);
    wood_put(&w, 11, 0, junk, sizeof(junk));
    for (uint32_t i = 0; i < PER_SECTOR; i++) {
        wood_put_short(&w, 10, i, "\xe5          ", 0, 0);
    }
    wood_open(&w);
    sub = wood_open_sub(&w, 10);
    assert_int_equal(fat_dir_make_room(sub, 17, &place), FAT_OK);
    assert_int_equal(place.slot, 16);
    assert_int_equal(fat_fattab_peek(&w.tree->fattab, 10, &link), FAT_OK);
    assert_int_equal(link.kind, FAT_LINK_NEXT);
    assert_int_equal(link.cluster, 11);
    assert_int_equal(fat_fattab_peek(&w.tree->fattab, 11, &link), FAT_OK);
    assert_int_equal(link.kind, FAT_LINK_END);
    assert_int_equal(
            recdev_event_count(w.rec), 1); /* zeros, before anything names it */
    (void)fat_cache_snapshot(w.tree->cache);
    assert_int_equal(
            fat_cache_write_stage(w.tree->cache, FAT_STAGE_FILL, &wrote), FAT_OK);
    assert_true(wrote);
    assert_int_equal(fat_on_disk(&w, 11), 0xffff);
    assert_int_equal(fat_on_disk(&w, 10), 0xffff); /* it ends as before */
    assert_int_equal(
            fat_cache_write_stage(w.tree->cache, FAT_STAGE_PUBLISH, &wrote), FAT_OK);
    assert_int_equal(fat_on_disk(&w, 10), 11);
    assert_true(w.tree->interval.data_written);
    assert_int_equal(recdev_blkdev(w.rec)->ops->read(recdev_blkdev(w.rec),
                             fat_tree_offset(w.tree, 11), junk, sizeof(junk)),
            FAT_OK);
    for (size_t i = 0; i < sizeof(junk); i++) {
        assert_int_equal(junk[i], 0);
    }
    wood_commit(&w);
    fat_node_unref(sub);
    wood_done(&w);
}

static void a_full_fixed_root_is_nospc_but_a_border_may_be_crossed_before(void **state)
{
    struct fat_place place;
    struct wood w;

    (void)state;
    wood_make(&w, 16, SECTOR);
    fill_slots(&w, w.g.root_entries);
    for (uint32_t s = 14; s < 18; s++) {
        wood_put(&w, 0, s, "\xe5", 1);
    }
    wood_open(&w);
    assert_int_equal(fat_dir_make_room(w.root, 5, &place), FAT_E_NOSPC);
    assert_int_equal(fat_dir_make_room(w.root, 4, &place), FAT_OK);
    assert_int_equal(place.slot, 17);
    wood_done(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(a_set_is_published_whole_after_the_end_mark_has_moved),
            cmocka_unit_test(
                    a_set_goes_to_the_next_sector_and_the_end_mark_passes_the_gap),
            cmocka_unit_test(
                    long_slots_in_another_sector_go_before_and_after_their_entry),
            cmocka_unit_test(every_slot_changes_in_its_stage),
            cmocka_unit_test(a_withdrawn_set_is_gone_from_fill_on),
            cmocka_unit_test(removal_retires_an_older_set_and_withdraws_a_new_one),
            cmocka_unit_test(junk_behind_the_end_mark_is_zeroed_by_a_commit_of_its_own),
            cmocka_unit_test(short_names_avoid_those_that_are_there_or_buried),
            cmocka_unit_test(slots_that_are_taken_over_keep_their_short_name),
            cmocka_unit_test(a_directory_grows_by_a_zeroed_cluster),
            cmocka_unit_test(
                    a_full_fixed_root_is_nospc_but_a_border_may_be_crossed_before),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
