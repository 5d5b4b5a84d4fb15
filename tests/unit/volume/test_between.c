/* SPDX-License-Identifier: MIT */
/*
 * What somebody else does just between two steps of an operation: a call that the
 * operation makes then is wrapped, and plays the other thread.
 */
#include <pthread.h>
#include <string.h>

#include "support/cmocka.h"
#include "support/image.h"
#include "tree/node.h"
#include "volume/commit.h"

void __real_fat_edits_set(struct fat_edits *edits, uint64_t sector,
        enum fat_stage stage, size_t offset, const void *bytes, size_t length);
void __wrap_fat_edits_set(struct fat_edits *edits, uint64_t sector,
        enum fat_stage stage, size_t offset, const void *bytes, size_t length);
fat_err __real_fat_commit_around(
        struct fat_volume *volume, fat_err (*operation)(void *context), void *context);
fat_err __wrap_fat_commit_around(
        struct fat_volume *volume, fat_err (*operation)(void *context), void *context);

/* --- an entry that is being written --- */

/* Whose entry; NULL: nobody's. */
static struct fat_node *watched;

static void *hide(void *context)
{
    const struct fat_node_changes changes = {
            .which = FAT_SET_ATTRIBUTES, .attributes = FAT_NODE_HIDDEN};

    assert_int_equal(fat_node_change(context, &changes), FAT_OK);
    return NULL;
}

static void in_another_thread(void *(*act)(void *context), void *context)
{
    pthread_t thread;

    assert_int_equal(pthread_create(&thread, NULL, act, context), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
}

/* Nobody else could get at the entry then. */
static bool is_locked(struct fat_node *node)
{
    if (pthread_mutex_trylock(&node->index_lock.mutex) != 0) {
        return true;
    }
    assert_int_equal(pthread_mutex_unlock(&node->index_lock.mutex), 0);
    return false;
}

void __wrap_fat_edits_set(struct fat_edits *edits, uint64_t sector,
        enum fat_stage stage, size_t offset, const void *bytes, size_t length)
{
    struct fat_node *node = watched;

    if (node && sector == node->place.sector && !is_locked(node)) {
        watched = NULL;
        in_another_thread(hide, node);
    }
    __real_fat_edits_set(edits, sector, stage, offset, bytes, length);
}

static void assert_entry_is_hidden(struct fat_node *node, const char *change)
{
    uint8_t attributes;

    assert_int_equal(fat_cache_read(node->tree->cache, node->place.sector,
                             node->place.offset + DIR_ATTR, &attributes, 1, 0),
            FAT_OK);
    if (!(attributes & FAT_NODE_HIDDEN) ||
            !(node->entry.attributes & FAT_NODE_HIDDEN)) {
        fail_msg("%s has undone a change of the directory itself", change);
    }
}

static fat_err make_file(struct fat_node *directory)
{
    struct fat_found found;
    fat_err err = fat_create(directory, "new", 0, &found);

    if (err == FAT_OK) {
        fat_node_unref(found.node);
    }
    return err;
}

static fat_err unlink_file(struct fat_node *directory)
{
    return fat_unlink(directory, "file");
}

static fat_err rename_file(struct fat_node *directory)
{
    return fat_rename(directory, "file", directory, "renamed", 0);
}

static const struct change_row {
    const char *name;
    fat_err (*change)(struct fat_node *directory);
} CHANGES[] = {{"create", make_file}, {"unlink", unlink_file}, {"rename", rename_file}};

static void what_is_done_in_a_directory_undoes_no_change_of_its_own(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(CHANGES) / sizeof(CHANGES[0]); i++) {
        struct image img;
        struct fat_node *directory;

        image_make(&img, &(struct image_spec){.type = 16});
        directory = image_mkdir(img.root, "dir");
        image_touch(directory, "file");
        assert_int_equal(fat_volume_commit(img.volume), FAT_OK);
        watched = directory;
        assert_int_equal(CHANGES[i].change(directory), FAT_OK);
        if (watched) { /* he would have had to wait */
            watched = NULL;
            in_another_thread(hide, directory);
        }
        assert_entry_is_hidden(directory, CHANGES[i].name);
        fat_node_unref(directory);
        image_done(&img);
    }
}

/* --- an exchange that is looking for a third name --- */

/* Before the nth operation that is to come, somebody takes the first third name. */
static unsigned operations_before_taking;

fat_err __wrap_fat_commit_around(
        struct fat_volume *volume, fat_err (*operation)(void *context), void *context)
{
    if (operations_before_taking > 0 && --operations_before_taking == 0) {
        image_touch(volume->tree.root, "fatward exchange 0");
    }
    return __real_fat_commit_around(volume, operation, context);
}

static void an_exchange_whose_third_name_is_taken_takes_another_one(void **state)
{
    struct image img;

    (void)state;
    image_make(&img, &(struct image_spec){.type = 16});
    image_put(img.root, "a", 1, 700);
    for (char name[] = "c"; name[0] <= 'z'; name[0]++) {
        image_touch(img.root, name);
    }
    image_put(img.root, "b", 2, 900);
    operations_before_taking = 2; /* the first finds that it takes three renames */
    assert_int_equal(
            fat_rename(img.root, "a", img.root, "b", FAT_RENAME_EXCHANGE), FAT_OK);
    assert_int_equal(operations_before_taking, 0);
    image_expect(img.root, "a", 2, 900);
    image_expect(img.root, "b", 1, 700);
    image_expect(img.root, "fatward exchange 0", 0, 0);
    assert_int_equal(image_count(img.root), 27);
    image_done(&img);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(what_is_done_in_a_directory_undoes_no_change_of_its_own),
            cmocka_unit_test(an_exchange_whose_third_name_is_taken_takes_another_one),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
