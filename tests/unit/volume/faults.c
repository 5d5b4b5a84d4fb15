/* SPDX-License-Identifier: MIT */
#include "volume/faults.h"

#include "support/cmocka.h"

uint8_t fault_bytes[FAULT_BYTES];

static fat_err made(struct fat_found *found, fat_err err)
{
    if (err == FAT_OK) {
        fat_node_unref(found->node);
    } else {
        assert_null(found->node); /* outputs stay as they were */
    }
    return err;
}

static fat_err create_short(struct scene *s)
{
    struct fat_found found = {0};

    return made(&found, fat_create(s->dir, "NEW.TXT", 0, &found));
}

static fat_err create_long(struct scene *s)
{
    struct fat_found found = {0};

    return made(&found,
            fat_create(s->dir,
                    "a new name that is so long that it asks for some slots and more",
                    0, &found));
}

static fat_err make_directory(struct scene *s)
{
    struct fat_found found = {0};

    return made(&found, fat_mkdir(s->dir, "a new directory", 0, &found));
}

static fat_err look_up(struct scene *s)
{
    struct fat_found found = {0};

    return made(&found, fat_lookup(s->dir, "inner name 25", &found));
}

static fat_err list(struct scene *s)
{
    struct fat_dir_entry entry;
    uint32_t cookie = 0;
    fat_err err;

    do {
        err = fat_dir_next(s->dir, &cookie, &entry);
    } while (err == FAT_OK);
    return err == FAT_END ? FAT_OK : err;
}

static fat_err stat_it(struct scene *s)
{
    struct fat_stat st;

    return fat_node_stat(s->dir, &st);
}

static fat_err count_free(struct scene *s)
{
    uint32_t clusters;

    return fat_volume_free_clusters(s->img.volume, &clusters);
}

static fat_err wrote(fat_err err, const size_t *done, size_t length)
{
    assert_int_equal(*done, err == FAT_OK ? length : 77);
    return err;
}

static fat_err read_it(struct scene *s)
{
    uint8_t read[5000];
    size_t done = 77;

    return wrote(fat_file_read(s->file, 100, read, sizeof(read), &done), &done,
            sizeof(read));
}

static fat_err overwrite(struct scene *s)
{
    size_t done = 77;

    return wrote(fat_file_write(s->file, 300, fault_bytes, 2000, &done), &done, 2000);
}

static fat_err append(struct scene *s)
{
    size_t done = 77;

    return wrote(fat_file_append(s->file, fault_bytes, 2000, &done), &done, 2000);
}

static fat_err write_behind_a_gap(struct scene *s)
{
    size_t done = 77;

    return wrote(fat_file_write(s->file, 12000, fault_bytes, 2000, &done), &done, 2000);
}

static fat_err grow(struct scene *s)
{
    return fat_file_truncate(s->file, 15000);
}

static fat_err shrink(struct scene *s)
{
    return fat_file_truncate(s->file, 700);
}

static fat_err empty_it(struct scene *s)
{
    return fat_file_truncate(s->file, 0);
}

static fat_err set_aside(struct scene *s)
{
    return fat_file_allocate(s->file, 0, 20000, FAT_ALLOCATE_KEEP_SIZE);
}

static fat_err change(struct scene *s)
{
    return fat_node_change(
            s->file, &(struct fat_node_changes){.which = FAT_SET_ATTRIBUTES,
                             .attributes = FAT_NODE_HIDDEN});
}

static fat_err unlink_it(struct scene *s)
{
    return fat_unlink(s->dir, "inner name 7");
}

static fat_err unlink_held(struct scene *s)
{
    return fat_unlink(s->img.root, "file");
}

static fat_err remove_directory(struct scene *s)
{
    return fat_rmdir(s->img.root, "empty");
}

static fat_err refuse_to_remove(struct scene *s)
{
    const fat_err err = fat_rmdir(s->img.root, "dir");

    assert_int_not_equal(err, FAT_OK);
    return err == FAT_E_NOTEMPTY ? FAT_OK : err;
}

static fat_err rename_here(struct scene *s)
{
    return fat_rename(s->dir, "inner name 3", s->dir, "another name for it", 0);
}

static fat_err rename_away(struct scene *s)
{
    return fat_rename(s->dir, "inner name 3", s->empty, "third", 0);
}

static fat_err rename_directory(struct scene *s)
{
    return fat_rename(s->img.root, "dir", s->empty, "dir", 0);
}

static fat_err rename_over(struct scene *s)
{
    return fat_rename(s->dir, "inner name 3", s->img.root, "FILE", 0);
}

static fat_err rename_over_directory(struct scene *s)
{
    return fat_rename(s->img.root, "dir", s->img.root, "empty", 0);
}

static fat_err respell(struct scene *s)
{
    return fat_rename(s->dir, "inner name 3", s->dir, "INNER Name 3", 0);
}

static fat_err respell_longer(struct scene *s)
{
    return fat_rename(s->img.root, "file", s->img.root, "File", 0);
}

static fat_err exchange(struct scene *s)
{
    return fat_rename(s->img.root, "file", s->img.root, "dir", FAT_RENAME_EXCHANGE);
}

static fat_err exchange_apart(struct scene *s)
{
    return fat_rename(
            s->img.root, "file", s->dir, "inner name 30", FAT_RENAME_EXCHANGE);
}

static void change_much(struct scene *s)
{
    assert_int_equal(create_long(s), FAT_OK);
    assert_int_equal(append(s), FAT_OK);
    assert_int_equal(unlink_it(s), FAT_OK);
    assert_int_equal(rename_away(s), FAT_OK);
}

static fat_err commit(struct scene *s)
{
    return fat_volume_commit(s->img.volume);
}

static void unlink_and_hold(struct scene *s)
{
    s->gone = image_lookup(s->dir, "inner name 7");
    assert_int_equal(unlink_it(s), FAT_OK);
    assert_int_equal(commit(s), FAT_OK);
}

static fat_err let_go_of_removed(struct scene *s)
{
    fat_node_unref(s->gone);
    s->gone = NULL;
    return FAT_OK;
}
const struct operation fault_operations[FAULT_OPERATIONS] = {
        {"create", create_short, NULL, NO_COMMIT},
        {"create with a long name", create_long, NULL, NO_COMMIT},
        {"mkdir", make_directory, NULL, NO_COMMIT},
        {"lookup", look_up, NULL, NO_COMMIT},
        {"list", list, NULL, NO_COMMIT},
        {"stat", stat_it, NULL, NO_COMMIT},
        {"count free clusters", count_free, NULL, NO_COMMIT},
        {"read", read_it, NULL, NO_COMMIT},
        {"overwrite", overwrite, NULL, IN_PLACE},
        {"append", append, NULL, NO_COMMIT},
        {"write behind a gap", write_behind_a_gap, NULL, NO_COMMIT},
        {"truncate, larger", grow, NULL, NO_COMMIT},
        {"truncate, smaller", shrink, NULL, NO_COMMIT},
        {"truncate to nothing", empty_it, NULL, NO_COMMIT},
        {"set clusters aside", set_aside, NULL, NO_COMMIT},
        {"change attributes", change, NULL, NO_COMMIT},
        {"unlink", unlink_it, NULL, NO_COMMIT},
        {"unlink what is open", unlink_held, NULL, NO_COMMIT},
        {"rmdir", remove_directory, NULL, NO_COMMIT},
        {"rmdir of what is not empty", refuse_to_remove, NULL, NO_COMMIT},
        {"rename", rename_here, NULL, NO_COMMIT},
        {"rename to another directory", rename_away, NULL, NO_COMMIT},
        {"rename a directory to another", rename_directory, NULL, NO_COMMIT},
        {"rename over a file", rename_over, NULL, NO_COMMIT},
        {"rename over a directory", rename_over_directory, NULL, NO_COMMIT},
        {"rename, only the case", respell, NULL, NO_COMMIT},
        {"rename, only the case, one slot more", respell_longer, NULL, NO_COMMIT},
        {"exchange", exchange, NULL, COMMITS},
        {"exchange apart", exchange_apart, NULL, COMMITS},
        {"commit", commit, change_much, COMMITS},
        {"last use of a removed file", let_go_of_removed, unlink_and_hold, NO_COMMIT},
};
