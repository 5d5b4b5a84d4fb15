/* SPDX-License-Identifier: MIT */
/*
 * Chains and directories that somebody broke on a volume that says it is clean: an
 * error on that path, the volume read-only and told once, the rest still readable.
 */
#include <stdlib.h>

#include "support/cmocka.h"
#include "support/surgery.h"

static const struct image_spec SPECS[] = {{.type = 12}, {.type = 16}, {.type = 32}};

enum { SPEC_COUNT = sizeof(SPECS) / sizeof(SPECS[0]), FILE_BYTES = 10000 };

struct patient {
    struct image img;
    uint32_t file, other, dir, sub;
    uint64_t file_entry, dir_entry, sub_entry;
};

static void make_patient(struct patient *p, const struct image_spec *spec)
{
    struct fat_node *dir;

    image_make(&p->img, spec);
    image_put(p->img.root, "file", 1, FILE_BYTES);
    image_put(p->img.root, "other", 2, 9000);
    dir = image_mkdir(p->img.root, "dir");
    image_put(dir, "inner", 3, 100);
    fat_node_unref(image_mkdir(dir, "sub"));
    p->file = surgery_first_of(p->img.root, "file");
    p->other = surgery_first_of(p->img.root, "other");
    p->dir = surgery_first(dir);
    p->sub = surgery_first_of(dir, "sub");
    p->file_entry = surgery_entry_of(p->img.root, "file");
    p->dir_entry = surgery_entry_of(p->img.root, "dir");
    p->sub_entry = surgery_entry_of(dir, "sub");
    fat_node_unref(dir);
    image_close(&p->img);
}

/* Look at "file" and read all of it, as every program does. */
static fat_err read_file(struct patient *p)
{
    static uint8_t bytes[2 * FILE_BYTES];
    struct fat_node *file = image_lookup(p->img.root, "file");
    struct fat_stat st;
    size_t done;
    fat_err err = fat_node_stat(file, &st);

    if (err == FAT_OK) {
        err = fat_file_read(file, 0, bytes, sizeof(bytes), &done);
    }
    fat_node_unref(file);
    return err;
}

struct row {
    const char *name;
    void (*cut)(struct patient *p);
};

static void loop(struct patient *p)
{
    surgery_link(&p->img, SURGERY_ALL, p->file + 2, p->file + 1);
}

static void loop_to_itself(struct patient *p)
{
    surgery_link(&p->img, SURGERY_ALL, p->file + 2, p->file + 2);
}

static void into_free(struct patient *p)
{
    surgery_link(&p->img, SURGERY_ALL, p->file + 2, 0);
}

static void into_bad(struct patient *p)
{
    surgery_link(&p->img, SURGERY_ALL, p->file + 2, SURGERY_BAD);
}

static void into_reserved(struct patient *p)
{
    surgery_link(&p->img, SURGERY_ALL, p->file + 2, 1);
}

static void out_of_range(struct patient *p)
{
    surgery_link(
            &p->img, SURGERY_ALL, p->file + 2, p->img.spec.type == 12 ? 0xeee : 0xeeee);
}

static void too_short(struct patient *p)
{
    surgery_link(&p->img, SURGERY_ALL, p->file + 2, SURGERY_END);
}

static void size_too_large(struct patient *p)
{
    surgery_point(&p->img, p->file_entry, p->file, FILE_BYTES * 2);
}

static void starts_nowhere(struct patient *p)
{
    surgery_point(&p->img, p->file_entry, p->img.spec.type == 12 ? 0xeee : 0xeeee,
            FILE_BYTES);
}

static void starts_at_one(struct patient *p)
{
    surgery_point(&p->img, p->file_entry, 1, FILE_BYTES);
}

static void size_without_a_chain(struct patient *p)
{
    surgery_point(&p->img, p->file_entry, 0, FILE_BYTES);
}

static const struct row FILES[] = {
        {"a loop", loop},
        {"a cluster that follows itself", loop_to_itself},
        {"a chain into a free cluster", into_free},
        {"a chain into a bad cluster", into_bad},
        {"a chain into cluster 1", into_reserved},
        {"a chain that leaves the volume", out_of_range},
        {"a chain shorter than the size", too_short},
        {"a size beyond the chain", size_too_large},
        {"a first cluster that isn't there", starts_nowhere},
        {"first cluster 1", starts_at_one},
        {"a size and no cluster", size_without_a_chain},
};

static void a_broken_file_is_an_error_and_the_rest_is_read(void **state)
{
    (void)state;
    for (size_t s = 0; s < SPEC_COUNT; s++) {
        for (size_t i = 0; i < sizeof(FILES) / sizeof(FILES[0]); i++) {
            struct patient p;
            struct fat_node *dir;
            struct fat_found found;
            fat_err err;

            make_patient(&p, &SPECS[s]);
            FILES[i].cut(&p);
            image_open(&p.img);
            err = read_file(&p);
            if (err != FAT_E_CORRUPT || p.img.damage_reports != 1 ||
                    !fat_volume_is_read_only(p.img.volume)) {
                fail_msg("%s on FAT%u: %s, %u reports", FILES[i].name, SPECS[s].type,
                        fat_err_text(err), p.img.damage_reports);
            }
            assert_int_equal(read_file(&p), FAT_E_CORRUPT);
            assert_int_equal(p.img.damage_reports, 1);
            image_expect(p.img.root, "other", 2, 9000);
            dir = image_lookup(p.img.root, "dir");
            image_expect(dir, "inner", 3, 100);
            fat_node_unref(dir);
            assert_int_equal(fat_create(p.img.root, "new", 0, &found), FAT_E_READONLY);
            image_drop(&p.img);
        }
    }
}

/* Truncating and removing such files must give away nobody else's clusters. */
static void a_broken_file_takes_nothing_along(void **state)
{
    (void)state;
    for (size_t s = 0; s < SPEC_COUNT; s++) {
        for (size_t i = 0; i < sizeof(FILES) / sizeof(FILES[0]); i++) {
            for (unsigned how = 0; how < 3; how++) {
                struct patient p;
                struct fat_node *file;
                size_t done;

                make_patient(&p, &SPECS[s]);
                FILES[i].cut(&p);
                image_open(&p.img);
                file = image_lookup(p.img.root, "file");
                if (how == 0) {
                    (void)!fat_file_truncate(file, 0);
                } else if (how == 1) {
                    (void)!fat_file_append(file, "more", 4, &done);
                } else {
                    (void)!fat_unlink(p.img.root, "file");
                }
                fat_node_unref(file);
                (void)!fat_volume_commit(p.img.volume);
                image_expect(p.img.root, "other", 2, 9000);
                fat_node_unref(p.img.root);
                (void)fat_volume_close(p.img.volume);
                image_open(&p.img);
                image_expect(p.img.root, "other", 2, 9000);
                image_drop(&p.img);
            }
        }
    }
}

static void dir_in_itself(struct patient *p)
{
    surgery_point(&p->img, p->sub_entry, p->dir, 0);
}

static void dir_is_the_root(struct patient *p)
{
    surgery_point(&p->img, p->sub_entry, 0, 0);
}

static void dir_chain_loops(struct patient *p)
{
    surgery_link(&p->img, SURGERY_ALL, p->dir, p->dir);
}

static void dir_chain_is_free(struct patient *p)
{
    surgery_link(&p->img, SURGERY_ALL, p->dir, 0);
}

static void dir_starts_nowhere(struct patient *p)
{
    surgery_point(&p->img, p->dir_entry, p->img.spec.type == 12 ? 0xeee : 0xeeee, 0);
}

static void dir_is_a_files_contents(struct patient *p)
{
    surgery_point(&p->img, p->dir_entry, p->other, 0);
}

static const struct row DIRECTORIES[] = {
        {"a directory that contains itself", dir_in_itself},
        {"a directory with first cluster 0", dir_is_the_root},
        {"a directory's chain that loops", dir_chain_loops},
        {"a directory's chain that is free", dir_chain_is_free},
        {"a directory that starts nowhere", dir_starts_nowhere},
        {"a directory that is a file's contents", dir_is_a_files_contents},
};

/* Down as far as it goes, but no farther than sixteen levels. */
static unsigned descend(struct fat_node *directory, unsigned depth)
{
    struct fat_dir_entry entry;
    uint32_t cookie = 0;
    unsigned visits = 0;

    while (fat_dir_next(directory, &cookie, &entry) == FAT_OK) {
        struct fat_node *node;

        visits++;
        if (entry.is_directory && depth < 16 &&
                fat_dir_node(directory, &entry, &node) == FAT_OK) {
            struct fat_stat st;

            (void)!fat_node_stat(node, &st);
            visits += descend(node, depth + 1);
            fat_node_unref(node);
        }
    }
    return visits;
}

static void a_broken_directory_ends_no_walk(void **state)
{
    (void)state;
    for (size_t s = 0; s < SPEC_COUNT; s++) {
        for (size_t i = 0; i < sizeof(DIRECTORIES) / sizeof(DIRECTORIES[0]); i++) {
            struct patient p;
            struct fat_found found;
            struct fat_node *dir = NULL;

            make_patient(&p, &SPECS[s]);
            DIRECTORIES[i].cut(&p);
            image_open(&p.img);
            if (descend(p.img.root, 0) > 5000) {
                fail_msg("%s: the walk has no end", DIRECTORIES[i].name);
            }
            image_expect(p.img.root, "other", 2, 9000);
            image_expect(p.img.root, "file", 1, FILE_BYTES);
            if (fat_lookup(p.img.root, "dir", &found) == FAT_OK) {
                dir = found.node;
                (void)!fat_rename(p.img.root, "dir", dir, "moved", 0);
                (void)!fat_rename(dir, "sub", p.img.root, "moved", 0);
                (void)!fat_rmdir(dir, "sub");
            }
            (void)!fat_rmdir(p.img.root, "dir");
            (void)!fat_volume_commit(p.img.volume);
            fat_node_unref(dir);
            image_expect(p.img.root, "other", 2, 9000);
            image_drop(&p.img);
        }
    }
}

/* rmdir has to see all of a directory before it says that it is empty. */
static void an_unreadable_directory_is_not_empty(void **state)
{
    (void)state;
    for (size_t s = 0; s < SPEC_COUNT; s++) {
        for (unsigned nth = 1; nth < 50; nth++) {
            struct image img;
            unsigned failures;
            fat_err err;

            image_make(&img, &SPECS[s]);
            fat_node_unref(image_mkdir(img.root, "dir"));
            image_reopen(&img);
            failures = recdev_failures(img.rec);
            recdev_fail(img.rec, RECDEV_READ, nth, FAT_E_IO, RECDEV_ALWAYS);
            err = fat_rmdir(img.root, "dir");
            recdev_fail(img.rec, RECDEV_READ, 0, FAT_E_IO, RECDEV_ONCE);
            if (recdev_failures(img.rec) == failures) {
                assert_int_equal(err, FAT_OK);
                image_done(&img);
                break;
            }
            assert_int_equal(err, FAT_E_IO);
            image_drop(&img);
        }
    }
}

/* What the boot sector claims costs nothing until it is there. */
static void a_huge_claim_costs_little(void **state)
{
    struct image img;
    uint8_t *bytes;
    struct fat_blkdev *dev;
    struct fat_volume *volume;

    (void)state;
    image_make(&img, &(struct image_spec){.type = 32});
    image_close(&img);
    bytes = image_bytes(img.dev);
    bytes[32] = bytes[33] = bytes[34] = bytes[35] = 0xff; /* 2^32 - 1 sectors */
    bytes[13] = 64;
    bytes[36] = 0;
    bytes[37] = 0;
    bytes[38] = 8; /* a FAT of 256 MiB */
    bytes[39] = 0;
    assert_int_equal(fat_blkdev_mem_new(img.dev->size_bytes, &dev), FAT_OK);
    assert_int_equal(
            dev->ops->write(dev, 0, bytes, (size_t)img.dev->size_bytes), FAT_OK);
    if (fat_volume_open(dev, NULL, &volume) == FAT_OK) {
        uint32_t clusters;

        assert_true(fat_volume_is_read_only(volume));
        (void)!fat_volume_free_clusters(volume, &clusters);
        assert_int_equal(fat_volume_close(volume), FAT_OK);
    }
    (void)!fat_check(dev, NULL, NULL, NULL);
    fat_blkdev_close(dev);
    free(bytes);
    image_open(&img);
    image_done(&img);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(a_broken_file_is_an_error_and_the_rest_is_read),
            cmocka_unit_test(a_broken_file_takes_nothing_along),
            cmocka_unit_test(a_broken_directory_ends_no_walk),
            cmocka_unit_test(an_unreadable_directory_is_not_empty),
            cmocka_unit_test(a_huge_claim_costs_little),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
