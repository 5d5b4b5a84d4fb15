/* SPDX-License-Identifier: MIT */
#include <pthread.h>

#include "support/failalloc.h"
#include "tree/wood.h"

enum { SECTOR = 512 };

static struct fat_place place_at(struct wood *w, struct fat_node *parent, unsigned slot)
{
    return (struct fat_place){.parent = parent,
            .slot = (uint16_t)slot,
            .slots = 1,
            .sector = w->g.root_start + slot / 16,
            .offset = slot % 16 * FAT_SLOT_BYTES};
}

static fat_err try_at(struct wood *w, struct fat_node *parent, unsigned slot,
        unsigned attributes, uint32_t cluster, struct fat_node **ret)
{
    const struct fat_place place = place_at(w, parent, slot);
    const struct fat_dirent entry = {
            .attributes = (uint8_t)attributes, .first_cluster = cluster};
    uint8_t raw[FAT_SLOT_BYTES] = {0};

    fat_dirent_encode(w->g.type, &entry, raw);
    assert_int_equal(fat_cache_write_now(w->tree->cache, place.sector, place.offset,
                             raw, NULL, sizeof(raw)),
            FAT_OK);
    return fat_node_at(w->tree, &place, ret);
}

static struct fat_node *file_at(struct wood *w, struct fat_node *parent, unsigned slot)
{
    struct fat_node *node = NULL;

    assert_int_equal(try_at(w, parent, slot, FAT_ATTR_ARCHIVE, 0, &node), FAT_OK);
    assert_false(fat_node_is_directory(node));
    return node;
}

static struct fat_node *dir_at(struct wood *w, unsigned slot, uint32_t cluster)
{
    struct fat_node *node = NULL;

    assert_int_equal(
            try_at(w, w->root, slot, FAT_ATTR_DIRECTORY, cluster, &node), FAT_OK);
    assert_true(fat_node_is_directory(node));
    return node;
}

static int setup(void **state)
{
    struct wood *w = calloc(1, sizeof(*w));

    assert_non_null(w);
    wood_make(w, 16, SECTOR);
    wood_open(w);
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    wood_done(*state);
    free(*state);
    return 0;
}

static void one_place_is_one_node(void **state)
{
    struct wood *w = *state;
    struct fat_node *a = file_at(w, w->root, 5);
    struct fat_node *b = file_at(w, w->root, 5);
    struct fat_node *c = file_at(w, w->root, 6);

    assert_ptr_equal(a, b);
    assert_ptr_not_equal(a, c);
    assert_int_equal(a->refs, 2);
    assert_ptr_equal(fat_node_ref(a), a);
    assert_int_equal(a->refs, 3);
    for (int i = 0; i < 3; i++) {
        fat_node_unref(a);
    }
    fat_node_unref(c);
    fat_node_unref(NULL);
}

static void a_node_keeps_its_parents_alive(void **state)
{
    struct wood *w = *state;
    struct fat_node *directory = dir_at(w, 5, 20);
    struct fat_node *file = file_at(w, directory, 5);

    assert_int_equal(w->root->refs, 2);
    assert_int_equal(directory->refs, 2);
    fat_node_unref(directory);
    assert_int_equal(directory->refs, 1);
    assert_ptr_equal(dir_at(w, 5, 20), directory);
    fat_node_unref(directory);
    fat_node_unref(file); /* and with it the directory */
    assert_int_equal(w->root->refs, 1);
}

static void inode_numbers_come_from_the_place(void **state)
{
    struct wood *w = *state;
    struct fat_node *directory = dir_at(w, 5, 20);
    struct fat_node *a = file_at(w, w->root, 6);
    struct fat_node *b = file_at(w, directory, 6);
    const uint64_t ino = b->ino;

    assert_int_equal(w->root->ino, 1);
    assert_true(a->ino > 1 && b->ino > 1 && directory->ino > 1);
    assert_true(
            a->ino != b->ino && a->ino != directory->ino && b->ino != directory->ino);
    assert_int_equal(fat_node_ino_at(w->tree, directory, 6), ino);
    fat_node_unref(b);
    assert_int_equal(fat_node_ino_at(w->tree, directory, 6), ino);
    b = file_at(w, directory, 6);
    assert_int_equal(b->ino, ino);
    fat_node_unref(a);
    fat_node_unref(b);
    fat_node_unref(directory);
}

/* Nothing of a directory's last slot reaches into the next cluster's numbers. */
static void no_two_places_have_one_number(void **state)
{
    struct wood *w = *state;
    struct fat_node *d20 = dir_at(w, 5, 20);
    struct fat_node *d21 = dir_at(w, 6, 21);
    const struct fat_node *directories[] = {w->root, d20, d21};

    for (int a = 0; a < 3; a++) {
        for (int b = a + 1; b < 3; b++) {
            assert_true(fat_node_ino_at(w->tree, directories[a], UINT16_MAX) <
                        fat_node_ino_at(w->tree, directories[b], 0));
        }
    }
    fat_node_unref(d20);
    fat_node_unref(d21);
}

static void move(
        struct wood *w, struct fat_node *node, struct fat_node *to, unsigned slot)
{
    const struct fat_place place = place_at(w, to, slot);

    fat_node_settle(node, &place);
}

static void a_moved_node_keeps_its_number_and_nobody_else_gets_it(void **state)
{
    struct wood *w = *state;
    struct fat_node *directory = dir_at(w, 5, 20);
    struct fat_node *moved = file_at(w, w->root, 6);
    const uint64_t ino = moved->ino;
    struct fat_node *newcomer;

    move(w, moved, directory, 9);
    assert_int_equal(moved->ino, ino);
    assert_int_equal(directory->refs, 2);
    assert_int_equal(w->root->refs, 2);
    assert_ptr_equal(file_at(w, directory, 9), moved);
    fat_node_unref(moved);
    assert_int_equal(fat_node_ino_at(w->tree, directory, 9), ino);
    assert_int_not_equal(fat_node_ino_at(w->tree, w->root, 6), ino);
    newcomer = file_at(w, w->root, 6);
    assert_ptr_not_equal(newcomer, moved);
    assert_int_not_equal(newcomer->ino, ino);
    assert_int_equal(fat_node_ino_at(w->tree, w->root, 6), newcomer->ino);
    fat_node_unref(moved);
    fat_node_unref(newcomer);
    newcomer = file_at(w, w->root, 6);
    assert_int_equal(newcomer->ino, ino); /* free again */
    fat_node_unref(newcomer);
    fat_node_unref(directory);
}

static void a_node_without_a_place_is_in_nobodys_way(void **state)
{
    static const struct fat_place nowhere = {.parent = NULL};
    struct wood *w = *state;
    struct fat_node *removed = file_at(w, w->root, 6);
    struct fat_node *newcomer;
    struct fat_edits edits;

    fat_node_settle(removed, &nowhere);
    removed->removed = true;
    assert_int_equal(w->root->refs, 1);
    newcomer = file_at(w, w->root, 6);
    assert_ptr_not_equal(newcomer, removed);
    assert_int_not_equal(newcomer->ino, removed->ino);
    fat_edits_init(&edits, w->tree->cache);
    assert_int_equal(fat_node_prepare(removed, &edits, 2), FAT_OK);
    assert_int_equal(edits.pin_count, 0);
    fat_node_publish(removed, &edits); /* dropped: it has no entry */
    fat_node_put_times(removed, &edits, FAT_STAGE_FILL, 1);
    fat_edits_done(&edits);
    fat_node_unref(removed);
    fat_node_unref(newcomer);
}

static void a_new_node_enters_the_table_when_it_is_settled(void **state)
{
    const struct fat_dirent entry = {.attributes = FAT_ATTR_ARCHIVE};
    struct wood *w = *state;
    struct fat_node *node = NULL;

    assert_int_equal(fat_node_new(w->tree, &entry, &node), FAT_OK);
    assert_int_equal(node->ino, 0);
    assert_int_equal(node->refs, 1);
    move(w, node, w->root, 7);
    assert_int_equal(node->ino, fat_node_ino_at(w->tree, w->root, 7));
    assert_ptr_equal(file_at(w, w->root, 7), node);
    fat_node_unref(node);
    fat_node_unref(node);
    assert_int_equal(fat_node_new(w->tree, &entry, &node), FAT_OK);
    fat_node_unref(node); /* never settled */
}

static void a_directory_needs_a_cluster_of_its_own(void **state)
{
    static const uint32_t clusters[] = {0, 1, 0xfff0};
    struct fat_node *node = NULL;

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        struct wood w;

        wood_make(&w, 16, SECTOR);
        wood_open(&w);
        assert_int_equal(try_at(&w, w.root, 5, FAT_ATTR_DIRECTORY, clusters[i], &node),
                FAT_E_CORRUPT);
        assert_int_equal(try_at(&w, w.root, 6, FAT_ATTR_DIRECTORY, clusters[i], &node),
                FAT_E_CORRUPT);
        assert_null(node);
        assert_int_equal(w.reports, 1);
        assert_int_equal(fat_tree_writable(w.tree), FAT_E_READONLY);
        wood_done(&w);
    }
    {
        struct wood w;

        wood_make(&w, 32, SECTOR);
        wood_open(&w);
        assert_int_equal(
                try_at(&w, w.root, 5, FAT_ATTR_DIRECTORY, w.g.root_cluster, &node),
                FAT_E_CORRUPT);
        assert_int_equal(fat_node_dotdot(w.root), 0); /* not root_cluster */
        wood_done(&w);
    }
}

static void memory_that_fails_leaves_the_table_alone(void **state)
{
    struct wood *w = *state;
    const struct fat_place place = place_at(w, w->root, 5);
    struct fat_node *node = NULL;
    fat_err err = FAT_E_NOMEM;

    for (unsigned nth = 1; err != FAT_OK; nth++) {
        failalloc_arm(nth, FAILALLOC_ONCE);
        err = fat_node_at(w->tree, &place, &node);
        assert_int_equal(err, failalloc_disarm() ? FAT_E_NOMEM : FAT_OK);
        assert_int_equal(w->root->refs, err == FAT_OK ? 2 : 1);
    }
    fat_node_unref(node);
}

static void sizes_become_clusters_rounded_up(void **state)
{
    struct wood *w = *state;

    assert_int_equal(fat_node_clusters(w->root, 0), 0);
    assert_int_equal(fat_node_clusters(w->root, 1), 1);
    assert_int_equal(fat_node_clusters(w->root, 512), 1);
    assert_int_equal(fat_node_clusters(w->root, 513), 2);
    assert_int_equal(fat_node_clusters(w->root, UINT32_MAX), 1 << 23);
}

/* One byte of every image of a sector. */
struct seen {
    size_t at;
    char text[16];
};

static void see(void *context, const uint8_t *image)
{
    struct seen *seen = context;
    const size_t length = strlen(seen->text);

    seen->text[length] = (char)('0' + image[seen->at]);
    seen->text[length + 1] = '\0';
}

static void assert_images(struct wood *w, const struct fat_place *place, size_t field,
        const char *expected)
{
    struct seen seen = {.at = place->offset + field};
    struct fat_block *block;

    assert_int_equal(fat_cache_get(w->tree->cache, place->sector, 0, &block), FAT_OK);
    fat_cache_each_image(w->tree->cache, block, see, &seen);
    fat_cache_put(w->tree->cache, block);
    assert_string_equal(seen.text, expected);
}

static void put_byte(struct wood *w, const struct fat_place *place,
        enum fat_stage stage, uint8_t byte)
{
    struct fat_edits edits;

    fat_edits_init(&edits, w->tree->cache);
    assert_int_equal(fat_edits_prepare(&edits, place->sector, 1), FAT_OK);
    fat_edits_set(&edits, place->sector, stage, place->offset, &byte, 1);
    fat_edits_done(&edits);
}

static void publish(struct wood *w, struct fat_node *node,
        void (*how)(struct wood *w, struct fat_node *node, struct fat_edits *edits,
                uint64_t number))
{
    struct fat_edits edits;
    uint64_t number;

    fat_edits_init(&edits, w->tree->cache);
    assert_int_equal(fat_node_prepare(node, &edits, 2), FAT_OK);
    number = fat_interval_enter(&w->tree->interval);
    how(w, node, &edits, number);
    fat_interval_leave(&w->tree->interval);
    fat_edits_done(&edits);
}

static void all_of_it(
        struct wood *w, struct fat_node *node, struct fat_edits *edits, uint64_t number)
{
    (void)w;
    (void)number;
    fat_node_publish(node, edits);
}

static void times_only(
        struct wood *w, struct fat_node *node, struct fat_edits *edits, uint64_t number)
{
    (void)w;
    fat_node_put_times(node, edits, FAT_STAGE_FILL, number);
}

static void times_with_retire(
        struct wood *w, struct fat_node *node, struct fat_edits *edits, uint64_t number)
{
    (void)w;
    fat_node_put_times(node, edits, FAT_STAGE_RETIRE, number);
}

static void an_entry_is_published_and_bytes_that_are_not_ours_survive(void **state)
{
    const uint8_t raw[FAT_SLOT_BYTES] = {[0] = 'A', [DIR_FST_CLUS_HI] = 3 /* OS/2's */};
    struct fat_node *node = NULL;
    struct fat_place place;
    struct wood w;

    (void)state;
    wood_make(&w, 16, SECTOR);
    wood_put(&w, 0, 5, raw, sizeof(raw));
    wood_open(&w);
    place = place_at(&w, w.root, 5);
    assert_int_equal(fat_node_at(w.tree, &place, &node), FAT_OK);
    node->entry.size_bytes = 7;
    publish(&w, node, all_of_it);
    assert_images(&w, &node->place, DIR_FILE_SIZE, "07"); /* disk, PUBLISH */
    assert_images(&w, &node->place, DIR_FST_CLUS_HI, "33");
    fat_node_unref(node);
    wood_done(&w);
}

static void times_go_with_their_stage_but_never_before_the_entry(void **state)
{
    struct wood *w = *state;
    const struct fat_place beside = place_at(w, w->root, 6);
    struct fat_node *node = file_at(w, w->root, 5);

    node->entry.written.date = 7;
    node->entry.accessed.date = 6;
    node->entry.size_bytes = 5;
    put_byte(w, &beside, FAT_STAGE_PUBLISH, 1);
    publish(w, node, times_only);
    assert_images(w, &node->place, DIR_WRT_DATE, "077"); /* disk, FILL, PUBLISH */
    assert_images(w, &node->place, DIR_LST_ACC_DATE, "066");
    assert_images(w, &node->place, DIR_FILE_SIZE, "000"); /* nothing else */
    wood_commit(w);
    assert_images(w, &node->place, DIR_WRT_DATE, "7");
    node->place.published = w->tree->interval.number;
    publish(w, node, all_of_it);
    node->entry.written.date = 8;
    publish(w, node, times_only);
    assert_images(w, &node->place, DIR_WRT_DATE, "78");
    node->entry.written.date = 9;
    publish(w, node, times_with_retire);
    assert_images(w, &node->place, DIR_WRT_DATE, "789"); /* PUBLISH, then RETIRE */
    wood_commit(w);
    assert_images(w, &node->place, DIR_FILE_SIZE, "5");
    fat_node_unref(node);
}

/* From slot 5 to @slot: PUBLISH there, RETIRE here.. */
static void rename_to(struct wood *w, unsigned slot, bool goes, const char *expected)
{
    const struct fat_place from = place_at(w, w->root, 5);
    struct fat_node *node = file_at(w, w->root, 5);

    put_byte(w, &from, FAT_STAGE_FILL, 4);
    wood_commit(w);
    move(w, node, w->root, slot);
    put_byte(w, &node->place, FAT_STAGE_PUBLISH, 9);
    put_byte(w, &from, FAT_STAGE_RETIRE, FAT_SLOT_FREE_BYTE);
    fat_node_set_renamed(node, &from);
    fat_node_set_renamed(node, &from); /* twice is once */
    assert_int_equal(node->refs, 2);
    if (goes) {
        node->removed = true;
        node->entry.first_cluster = 0;
    }
    fat_rwlock_write(&w->tree->interval.lock);
    fat_tree_merge_renames(w->tree);
    fat_rwlock_write_end(&w->tree->interval.lock);
    {
        struct seen seen = {.at = from.offset};
        struct fat_block *block;

        assert_int_equal(fat_cache_get(w->tree->cache, from.sector, 0, &block), FAT_OK);
        fat_cache_each_image(w->tree->cache, block, see, &seen);
        fat_cache_put(w->tree->cache, block);
        assert_string_equal(seen.text, expected);
    }
    fat_tree_release_renamed(w->tree);
    assert_int_equal(node->refs, 1);
    wood_commit(w);
    fat_node_unref(node);
}

static void a_rename_inside_one_sector_is_one_write(void **state)
{
    static const char e5 = (char)('0' + FAT_SLOT_FREE_BYTE);
    const char merged[] = {'4', e5, e5, '\0'};
    const char apart[] = {'4', '4', e5, '\0'};
    const char elsewhere[] = {'4', e5, '\0'};

    rename_to(*state, 6, false, merged); /* disk, PUBLISH, RETIRE */
    rename_to(*state, 6, true, apart);   /* it was removed since */
    rename_to(*state, 20, false, elsewhere);
}

static void a_busy_directory_stays_until_its_commit_is_finished(void **state)
{
    struct wood *w = *state;
    struct fat_node *directory = dir_at(w, 5, 20);

    fat_node_set_busy(directory, 1);
    fat_node_set_busy(directory, 1);
    fat_node_unref(directory);
    assert_int_equal(directory->refs, 1);
    fat_tree_release_busy(w->tree);
    assert_ptr_equal(w->tree->busy, directory);
    fat_node_set_busy(directory, 2);
    w->tree->interval.finished = 1;
    fat_tree_release_busy(w->tree);
    assert_ptr_equal(w->tree->busy, directory);
    w->tree->interval.finished = 2;
    fat_tree_release_busy(w->tree);
    assert_null(w->tree->busy);
    assert_int_equal(w->root->refs, 1);
}

/* A list of living nodes against the table. */
enum { LIVING = 60, PLACES = 40, STEPS = 20000 };

static bool is_taken(
        struct fat_node *const *living, const struct fat_node *parent, unsigned slot)
{
    for (int i = 0; i < LIVING; i++) {
        if (living[i] && living[i]->place.parent == parent &&
                living[i]->place.slot == slot) {
            return true;
        }
    }
    return false;
}

static void compare_numbers(struct fat_node *const *living)
{
    for (int i = 0; i < LIVING; i++) {
        for (int k = 0; k < i && living[i]; k++) {
            if (living[k] && living[k] != living[i]) {
                assert_true(living[k]->ino != living[i]->ino);
            }
        }
    }
}

static void numbers_stay_unique_whatever_moves(void **state)
{
    struct wood *w = *state;
    struct fat_node *parents[] = {w->root, dir_at(w, 500, 20), dir_at(w, 501, 21)};
    struct fat_node *living[LIVING] = {NULL};

    srand(3);
    for (int step = 0; step < STEPS; step++) {
        struct fat_node **node = &living[rand() % LIVING];
        struct fat_node *parent = parents[rand() % 3];
        const unsigned slot = (unsigned)rand() % PLACES;

        if (!*node) {
            *node = file_at(w, parent, slot);
        } else if (rand() % 2) {
            fat_node_unref(*node);
            *node = NULL;
        } else if (!is_taken(living, parent, slot)) {
            const uint64_t ino = (*node)->ino;

            move(w, *node, parent, slot);
            assert_int_equal((*node)->ino, ino);
        }
        compare_numbers(living);
    }
    for (int i = 0; i < LIVING; i++) {
        fat_node_unref(living[i]);
    }
    fat_node_unref(parents[1]);
    fat_node_unref(parents[2]);
}

static void *come_and_go(void *context)
{
    struct wood *w = context;

    for (int i = 0; i < 3000; i++) {
        struct fat_place place = place_at(w, w->root, (unsigned)i % 7);
        struct fat_node *node = NULL;

        if (fat_node_at(w->tree, &place, &node) != FAT_OK) {
            return context;
        }
        (void)fat_node_ref(node);
        fat_node_unref(node);
        if (node->place.slot != i % 7) {
            return context;
        }
        fat_node_unref(node);
    }
    return NULL;
}

static void threads_share_the_nodes_of_one_place(void **state)
{
    pthread_t threads[4];

    for (int i = 0; i < 4; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, come_and_go, *state), 0);
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
            CASE(one_place_is_one_node),
            CASE(a_node_keeps_its_parents_alive),
            CASE(inode_numbers_come_from_the_place),
            CASE(no_two_places_have_one_number),
            CASE(a_moved_node_keeps_its_number_and_nobody_else_gets_it),
            CASE(a_node_without_a_place_is_in_nobodys_way),
            CASE(a_new_node_enters_the_table_when_it_is_settled),
            cmocka_unit_test(a_directory_needs_a_cluster_of_its_own),
            CASE(memory_that_fails_leaves_the_table_alone),
            CASE(sizes_become_clusters_rounded_up),
            cmocka_unit_test(an_entry_is_published_and_bytes_that_are_not_ours_survive),
            CASE(times_go_with_their_stage_but_never_before_the_entry),
            CASE(a_rename_inside_one_sector_is_one_write),
            CASE(a_busy_directory_stays_until_its_commit_is_finished),
            CASE(numbers_stay_unique_whatever_moves),
            CASE(threads_share_the_nodes_of_one_place),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
