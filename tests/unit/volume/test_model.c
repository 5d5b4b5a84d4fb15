/* SPDX-License-Identifier: MIT */
/*
 * Random programs over a few names, run on a volume and on a plain tree in memory:
 * errors, names, sizes and contents have to be the same at every step. FATWARD_SEED
 * in the environment runs the one program with that number and prints its steps;
 * FATWARD_PROGRAMS=FIRST-LAST runs others than 1 to 200.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/steady.h"
#include "tree/node.h"
#include "volume/model.h"

static void do_create(struct model *p)
{
    struct ref_node *directory = model_pick_directory(p);
    struct fat_node *node = model_node_of(p, directory);
    const bool is_directory = model_roll(p, 3) == 0 && ref_depth(directory) < 3;
    struct fat_found found = {0};
    char name[MODEL_NAME_ROOM], room[MODEL_NAME_ROOM];
    fat_err wanted = FAT_OK;
    fat_err err;

    model_pick_name(p, name);
    if (directory->removed) {
        wanted = FAT_E_STALE;
    } else if (model_find(p, directory, name) >= 0) {
        wanted = FAT_E_EXIST;
    }
    err = (is_directory ? fat_mkdir : fat_create)(
            node, model_typed(p, name, room), 0, &found);
    MODEL_SAY(p, "%s %p/%s: %s\n", is_directory ? "mkdir" : "create", (void *)directory,
            name, fat_err_text(err));
    if (wanted != FAT_OK || !model_excused(p, err, MODEL_NAME_CLUSTERS + 1)) {
        model_expect(p, err, wanted);
    }
    if (err == FAT_OK) {
        ref_add(directory, name, ref_new(is_directory));
        fat_node_unref(found.node);
    }
    fat_node_unref(node);
}

static void do_remove(struct model *p)
{
    struct ref_node *directory = model_pick_directory(p);
    struct fat_node *node = model_node_of(p, directory);
    const bool rmdir = model_roll(p, 3) == 0;
    char name[MODEL_NAME_ROOM], room[MODEL_NAME_ROOM];
    fat_err wanted = FAT_OK;
    fat_err err;
    int index = -1;

    model_pick_name(p, name);
    if (model_roll(p, 2) && directory->count > 0) {
        strcpy(name, directory->entries[model_roll(p, directory->count)].name);
    }
    if (directory->removed) {
        wanted = FAT_E_STALE;
    } else {
        index = model_find(p, directory, name);
    }
    if (wanted == FAT_OK && index < 0) {
        wanted = FAT_E_NOENT;
    } else if (index >= 0) {
        const struct ref_node *victim = directory->entries[index].node;

        if (rmdir && !victim->is_directory) {
            wanted = FAT_E_NOTDIR;
        } else if (!rmdir && victim->is_directory) {
            wanted = FAT_E_ISDIR;
        } else if (rmdir && victim->count > 0) {
            wanted = FAT_E_NOTEMPTY;
        }
    }
    err = (rmdir ? fat_rmdir : fat_unlink)(node, model_typed(p, name, room));
    MODEL_SAY(p, "%s %p/%s: %s\n", rmdir ? "rmdir" : "unlink", (void *)directory, name,
            fat_err_text(err));
    model_expect(p, err, wanted);
    if (err == FAT_OK) {
        ref_collect(ref_take(directory, index));
    }
    fat_node_unref(node);
}

static fat_err may_replace(const struct ref_node *node, const struct ref_node *target)
{
    if (node->is_directory && !target->is_directory) {
        return FAT_E_NOTDIR;
    }
    if (!node->is_directory && target->is_directory) {
        return FAT_E_ISDIR;
    }
    return target->count > 0 ? FAT_E_NOTEMPTY : FAT_OK;
}

struct renaming {
    struct ref_node *from, *to, *node, *target;
    char old_name[MODEL_NAME_ROOM], new_name[MODEL_NAME_ROOM];
    int old_index, new_index;
    unsigned flags;
};

static fat_err judge_rename(struct model *p, struct renaming *r)
{
    if ((r->flags & ~3U) || r->flags == 3) {
        return FAT_E_INVAL;
    }
    if (r->from->removed || r->to->removed) {
        return FAT_E_STALE;
    }
    r->old_index = model_find(p, r->from, r->old_name);
    if (r->old_index < 0) {
        return FAT_E_NOENT;
    }
    r->node = r->from->entries[r->old_index].node;
    r->new_index = model_find(p, r->to, r->new_name);
    r->target = r->new_index >= 0 ? r->to->entries[r->new_index].node : NULL;
    if ((r->flags & FAT_RENAME_EXCHANGE) && !r->target) {
        return FAT_E_NOENT;
    }
    if (r->flags & FAT_RENAME_EXCHANGE) {
        return r->target != r->node && (ref_is_below(r->to, r->node) ||
                                               ref_is_below(r->from, r->target))
                       ? FAT_E_INVAL
                       : FAT_OK;
    }
    if (ref_is_below(r->to, r->node)) {
        return FAT_E_INVAL;
    }
    if (!r->target || r->target == r->node) {
        return FAT_OK;
    }
    return r->flags & FAT_RENAME_NOREPLACE ? FAT_E_EXIST
                                           : may_replace(r->node, r->target);
}

static void apply_rename(struct renaming *r)
{
    if (r->flags & FAT_RENAME_EXCHANGE) {
        r->from->entries[r->old_index].node = r->target;
        r->to->entries[r->new_index].node = r->node;
        r->target->parent = r->from;
        r->node->parent = r->to;
    } else if (r->target == r->node) {
        ref_spell(r->from, r->old_index, r->new_name);
    } else if (r->target) {
        struct ref_node *gone = r->target;

        r->to->entries[r->new_index].node = r->node;
        (void)ref_take(r->from, r->old_index);
        r->node->parent = r->to;
        r->node->removed = false;
        gone->parent = NULL;
        gone->removed = true;
        ref_collect(gone);
    } else {
        (void)ref_take(r->from, r->old_index);
        ref_add(r->to, r->new_name, r->node);
    }
}

/* A volume in use may hold what a power cut leaves, never damage. */
static void check_running(struct model *p)
{
    const struct fat_check_summary summary = image_check(p->img.dev, FAT_WEIGHT_DAMAGE);

    if (summary.damages != 0) {
        MODEL_WRONG(p, "after a commit the volume is damaged");
    }
}

static void do_rename(struct model *p)
{
    struct renaming r = {.from = model_pick_directory(p),
            .flags = model_roll(p, 3) ? 0 : model_roll(p, 5)};
    struct fat_node *from, *to;
    char old_room[MODEL_NAME_ROOM], new_room[MODEL_NAME_ROOM];
    fat_err wanted;
    fat_err err;

    r.to = model_roll(p, 2) ? r.from : model_pick_directory(p);
    model_pick_name(p, r.old_name);
    model_pick_name(p, r.new_name);
    if (model_roll(p, 3) && r.from->count > 0) {
        strcpy(r.old_name, r.from->entries[model_roll(p, r.from->count)].name);
    }
    if (model_roll(p, 8) == 0) {
        strcpy(r.new_name, r.old_name);
        r.new_name[0] ^= r.new_name[0] >= 'A' && r.new_name[0] <= 'z' ? 32 : 0;
        if (strpbrk(r.new_name, "?*:<>|\"\\/{}^[]@`_") || r.new_name[0] < ' ') {
            strcpy(r.new_name, r.old_name);
        }
    }
    from = model_node_of(p, r.from);
    to = model_node_of(p, r.to);
    wanted = judge_rename(p, &r);
    err = fat_rename(from, model_typed(p, r.old_name, old_room), to,
            model_typed(p, r.new_name, new_room), r.flags);
    MODEL_SAY(p, "rename %p/%s %p/%s %u: %s\n", (void *)r.from, r.old_name,
            (void *)r.to, r.new_name, r.flags, fat_err_text(err));
    if (wanted != FAT_OK || !model_excused(p, err, 2 * MODEL_NAME_CLUSTERS)) {
        model_expect(p, err, wanted);
    }
    if (err == FAT_OK) {
        apply_rename(&r);
    }
    fat_node_unref(from);
    fat_node_unref(to);
}

static void do_write(struct model *p)
{
    struct ref_node *file = model_pick_file(p);
    const bool append = model_roll(p, 4) == 0;
    uint32_t length =
            model_roll(p, 4) ? model_roll(p, 2000) : model_roll(p, p->most_bytes);
    uint32_t offset;
    size_t done = 0;
    uint8_t *bytes;
    struct fat_node *node;
    fat_err err;

    if (!file) {
        return;
    }
    offset = append             ? file->size
             : model_roll(p, 3) ? model_roll(p, file->size + 1)
                                : model_roll(p, p->most_bytes);
    if (offset + length > p->most_bytes) {
        length = offset < p->most_bytes ? p->most_bytes - offset : 1;
    }
    bytes = steady_alloc(length + 1);
    image_fill((uint32_t)p->state, bytes, length);
    node = model_node_of(p, file);
    err = append ? fat_file_append(node, bytes, length, &done)
                 : fat_file_write(node, offset, bytes, length, &done);
    MODEL_SAY(p, "write %p %u+%u of %u: %s, %zu\n", (void *)file, offset, length,
            file->size, fat_err_text(err), done);
    if (!model_excused(p, err,
                model_clusters(p, (uint64_t)offset + 1) -
                        model_clusters(p, file->size))) {
        model_expect(p, err, FAT_OK);
    }
    if (err == FAT_OK) {
        if (done < length && !model_excused(p, FAT_E_NOSPC, 1)) {
            MODEL_WRONG(p, "a short write");
        }
        if (done > 0) {
            ref_write(file, offset, bytes, (uint32_t)done);
        }
    }
    fat_node_unref(node);
    free(bytes);
}

static void do_truncate(struct model *p)
{
    struct ref_node *file = model_pick_file(p);
    const uint32_t how = model_roll(p, 4);
    struct fat_node *node;
    uint32_t size;
    fat_err err;

    if (!file) {
        return;
    }
    size = how == 0   ? 0
           : how == 1 ? model_roll(p, p->most_bytes)
                      : model_roll(p, file->size + 1);
    node = model_node_of(p, file);
    err = model_roll(p, 4) == 0 && size > 0 ? fat_file_allocate(node, 0, size, 0)
                                            : fat_file_truncate(node, size);
    MODEL_SAY(p, "resize %p %u to %u: %s\n", (void *)file, file->size, size,
            fat_err_text(err));
    if (model_excused(
                p, err, model_clusters(p, size) - model_clusters(p, file->size))) {
        size = (uint32_t)image_size(node);
        assert_true(size >= file->size);
    } else {
        model_expect(p, err, FAT_OK);
        if (image_size(node) == file->size) {
            size = size > file->size ? size : file->size; /* allocate never shrinks */
        }
    }
    if (image_size(node) != size) {
        MODEL_WRONG(p, "size %u, wanted %u", (unsigned)image_size(node), size);
    }
    ref_resize(file, size);
    fat_node_unref(node);
}

static void do_keep(struct model *p)
{
    struct ref_node *file = model_pick_file(p);
    const uint32_t end = 1 + model_roll(p, p->most_bytes);
    struct fat_node *node;
    fat_err err;

    if (!file) {
        return;
    }
    node = model_node_of(p, file);
    err = fat_file_allocate(node, 0, end, FAT_ALLOCATE_KEEP_SIZE);
    MODEL_SAY(p, "keep %p %u: %s\n", (void *)file, end, fat_err_text(err));
    if (!model_excused(p, err,
                model_clusters(p, end) > model_clusters(p, file->size)
                        ? model_clusters(p, end) - model_clusters(p, file->size)
                        : 0)) {
        model_expect(p, err, FAT_OK);
    }
    assert_int_equal(image_size(node), file->size);
    fat_node_unref(node);
}
static void let_go(struct model *p, int i)
{
    struct ref_node *ref = p->held[i];

    if (ref) {
        p->held[i] = NULL;
        fat_node_unref(ref->handle);
        if (--ref->handles == 0) {
            ref->handle = NULL;
        }
        ref_collect(ref);
    }
}

static void do_hold(struct model *p)
{
    const int i = (int)model_roll(p, MODEL_HELD_MAX);
    struct ref_node *directory = model_pick_directory(p);
    struct ref_node *ref = model_roll(p, 3) ? model_pick_file(p) : directory;

    if (p->held[i]) {
        MODEL_SAY(p, "let go %p\n", (void *)p->held[i]);
        let_go(p, i);
    } else if (ref && ref != p->root) {
        MODEL_SAY(p, "hold %p\n", (void *)ref);
        ref->handle = model_node_of(p, ref);
        ref->handles++;
        p->held[i] = ref;
    }
}

static void do_look(struct model *p)
{
    struct ref_node *directory = model_pick_directory(p);
    struct fat_node *node = model_node_of(p, directory);
    char name[MODEL_NAME_ROOM], room[MODEL_NAME_ROOM];
    fat_err wanted;

    model_pick_name(p, name);
    wanted = directory->removed                    ? FAT_E_STALE
             : model_find(p, directory, name) >= 0 ? FAT_OK
                                                   : FAT_E_NOENT;
    model_expect(p, image_try_lookup(node, model_typed(p, name, room)), wanted);
    model_compare_directory(p, directory, node);
    fat_node_unref(node);
}

static void do_commit(struct model *p)
{
    MODEL_SAY(p, "commit\n");
    assert_int_equal(fat_volume_commit(p->img.volume), FAT_OK);
    check_running(p);
}

/* In every second program a map holds 16 runs at most. */
static void limit_maps(struct model *p)
{
    if (p->seed % 2) {
        p->img.root->tree->maps.runs_max = 16;
    }
}

static void do_reopen(struct model *p)
{
    struct fat_check_summary summary;
    uint32_t free_clusters = UINT32_MAX;

    MODEL_SAY(p, "reopen\n");
    for (int i = 0; i < MODEL_HELD_MAX; i++) {
        let_go(p, i);
    }
    if (model_roll(p, 2)) {
        do {
            assert_int_equal(fat_volume_commit(p->img.volume), FAT_OK);
        } while (fat_volume_pending(p->img.volume).any);
        free_clusters = image_free(&p->img);
    }
    image_close(&p->img);
    summary = image_check(p->img.dev, FAT_WEIGHT_LEFTOVER);
    if (summary.damages + summary.leftovers != 0) {
        MODEL_WRONG(p, "not clean after close");
    }
    if (free_clusters != UINT32_MAX && summary.clusters_free != free_clusters) {
        MODEL_WRONG(p, "%u clusters free, the engine says %u", summary.clusters_free,
                free_clusters);
    }
    image_open(&p->img);
    limit_maps(p);
    model_compare_all(p);
}

static void take_step(struct model *p)
{
    const uint32_t which = model_roll(p, 100);

    if (which < 18) {
        do_create(p);
    } else if (which < 30) {
        do_remove(p);
    } else if (which < 48) {
        do_rename(p);
    } else if (which < 66) {
        do_write(p);
    } else if (which < 74) {
        do_truncate(p);
    } else if (which < 77) {
        do_keep(p);
    } else if (which < 86) {
        do_hold(p);
    } else if (which < 92) {
        do_look(p);
    } else if (which < 96) {
        do_commit(p);
    } else if (which < 98) {
        model_compare_all(p);
    } else if (which < 99) {
        do_reopen(p);
    }
}

static const struct image_spec SPECS[] = {
        {.type = 12, .clusters = 60},
        {.type = 12, .clusters = 300},
        {.type = 12, .clusters = 120, .fat_count = 1},
        {.type = 12, .clusters = 90, .fat_count = 3, .cluster_sectors = 2},
        {.type = 12, .clusters = 40, .sector_bytes = 1024},
        {.type = 12, .clusters = 30, .sector_bytes = 4096},
        {.type = 12, .clusters = 20, .cluster_sectors = 64},
        {.type = 12, .clusters = 4000},
        {.type = 16, .clusters = 4200},
        {.type = 16, .clusters = 4200, .fat_count = 1},
        {.type = 32, .clusters = 70},
        {.type = 32, .clusters = 400, .fat_count = 1},
        {.type = 32, .clusters = 100, .sector_bytes = 1024, .fat_count = 3},
        {.type = 32, .clusters = 60, .sector_bytes = 4096},
        {.type = 32, .clusters = 50, .cluster_sectors = 64},
};

enum { SPEC_COUNT = sizeof(SPECS) / sizeof(SPECS[0]) };

/* Most of a big volume is taken from the start, so that room runs out. */
static void put_ballast(struct model *p)
{
    struct ref_node *file;
    struct fat_node *node;
    uint32_t size;

    if (image_free(&p->img) < 1000 || model_roll(p, 2)) {
        return;
    }
    size = (image_free(&p->img) - 30 - model_roll(p, 300)) * model_cluster_bytes(p);
    node = image_create(p->img.root, "ballast");
    assert_int_equal(fat_file_truncate(node, size), FAT_OK);
    fat_node_unref(node);
    file = ref_new(false);
    ref_resize(file, size);
    ref_add(p->root, "ballast", file);
}

static void run(uint64_t seed, bool loud)
{
    struct model p = {.seed = seed, .state = seed * 7919, .loud = loud};
    struct image_spec spec = SPECS[seed % SPEC_COUNT];
    unsigned steps;

    spec.cache_bytes = model_roll(&p, 2) ? 1 : 0;
    image_make(&p.img, &spec);
    limit_maps(&p);
    p.root = ref_new(true);
    p.tilde = model_roll(&p, 3) == 0;
    p.most_bytes = p.img.spec.clusters > 1000
                           ? 20000 + model_roll(&p, 400000)
                           : p.img.spec.clusters * model_cluster_bytes(&p) / 3;
    put_ballast(&p);
    steps = 300 + model_roll(&p, 1000);
    for (p.step = 1; p.step <= steps; p.step++) {
        take_step(&p);
    }
    do_reopen(&p);
    assert_int_equal(p.img.damage_reports, 0);
    ref_free_tree(p.root);
    image_done(&p.img);
}

static void random_programs_do_what_a_plain_tree_does(void **state)
{
    const char *chosen = getenv("FATWARD_SEED");
    const char *range = getenv("FATWARD_PROGRAMS");
    unsigned long first = 1;
    unsigned long last = 200;

    (void)state;
    if (chosen) {
        run(strtoull(chosen, NULL, 10), true);
        return;
    }
    if (range) {
        assert_int_equal(sscanf(range, "%lu-%lu", &first, &last), 2);
        assert_true(first <= last);
    }
    for (unsigned long seed = first; seed <= last; seed++) {
        run(seed, false);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(random_programs_do_what_a_plain_tree_does),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
