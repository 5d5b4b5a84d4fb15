/* SPDX-License-Identifier: MIT */
/*
 * Many threads on the same names at once: nothing is said about who wins, but every
 * answer has to be one that some order of the calls explains, and the volume is clean
 * afterwards. Built with ThreadSanitizer it looks for races. FATWARD_SEED in the
 * environment chooses other steps.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/cmocka.h"
#include "support/epoch.h"
#include "support/image.h"

enum { THREADS = 6, STEPS = 1500, BUFFER = 6000 };

struct crowd {
    struct image img;
    struct fat_node *directories[3]; /* the root and two that are held */
    bool roomy; /* all that the crowd can make fits twice: nobody hears of no room */
    atomic_uint surprises;
    _Atomic(const char *) surprise;
    atomic_int surprise_err;
};

struct worker {
    struct crowd *crowd;
    uint64_t state;
    uint8_t buffer[BUFFER];
};

static uint32_t roll(struct worker *w, uint32_t sides)
{
    w->state += UINT64_C(0x9e3779b97f4a7c15);
    return (uint32_t)(epoch_mix(w->state) >> 16) % sides;
}

static const char *pick_name(struct worker *w)
{
    static const char *const names[] = {"one", "TWO.TXT", "a rather long name.text",
            "A Rather Long Name.TEXT", "three", "deep", "Four.Four", "5"};

    return names[roll(w, sizeof(names) / sizeof(names[0]))];
}

static struct fat_node *pick_directory(struct worker *w)
{
    return w->crowd->directories[roll(w, 3)];
}

/* Bits of the errors that a call may end with besides FAT_OK. */
static unsigned bit(fat_err err)
{
    return 1U << -(int)err;
}

static void judge(struct worker *w, const char *call, fat_err err, unsigned allowed)
{
    if (w->crowd->roomy) {
        allowed &= ~bit(FAT_E_NOSPC);
    }
    if (err < 0 && !(bit(err) & allowed)) {
        atomic_fetch_add(&w->crowd->surprises, 1);
        atomic_store(&w->crowd->surprise, call);
        atomic_store(&w->crowd->surprise_err, err);
    }
}

static unsigned names_errors(void)
{
    return bit(FAT_E_NOENT) | bit(FAT_E_EXIST) | bit(FAT_E_ISDIR) | bit(FAT_E_NOTDIR) |
           bit(FAT_E_NOTEMPTY) | bit(FAT_E_STALE) | bit(FAT_E_INVAL) | bit(FAT_E_NOSPC);
}

static void use_file(struct worker *w, struct fat_node *node)
{
    const uint32_t length = 1 + roll(w, BUFFER - 1);
    const unsigned full = bit(FAT_E_NOSPC);
    struct fat_stat st;
    size_t done = 0;

    if (fat_node_is_directory(node)) {
        judge(w, "stat", fat_node_stat(node, &st), bit(FAT_E_STALE));
        return;
    }
    switch (roll(w, 8)) {
    case 0:
    case 1:
        judge(w, "write",
                fat_file_write(node, roll(w, 20000), w->buffer, length, &done), full);
        break;
    case 2:
        judge(w, "append", fat_file_append(node, w->buffer, length, &done), full);
        break;
    case 3:
        judge(w, "truncate", fat_file_truncate(node, roll(w, 30000)), full);
        break;
    case 4:
        judge(w, "read", fat_file_read(node, roll(w, 20000), w->buffer, length, &done),
                0);
        break;
    case 5:
        judge(w, "allocate",
                fat_file_allocate(node, 0, length * 4, FAT_ALLOCATE_KEEP_SIZE), full);
        break;
    case 6:
        judge(w, "sync", roll(w, 8) ? FAT_OK : fat_node_sync(node), 0);
        break;
    default:
        judge(w, "stat", fat_node_stat(node, &st), 0);
        break;
    }
}

static void look_up(struct worker *w)
{
    struct fat_found found;
    const fat_err err = fat_lookup(pick_directory(w), pick_name(w), &found);

    judge(w, "lookup", err, bit(FAT_E_NOENT) | bit(FAT_E_STALE));
    if (err == FAT_OK) {
        struct fat_node *parent = fat_node_parent(found.node);

        for (uint32_t i = roll(w, 4); i > 0; i--) {
            use_file(w, found.node);
        }
        fat_node_unref(parent);
        fat_node_unref(found.node);
    }
}

static void make(struct worker *w)
{
    struct fat_found found;
    const bool is_directory = roll(w, 3) == 0;
    const fat_err err = (is_directory ? fat_mkdir : fat_create)(
            pick_directory(w), pick_name(w), 0, &found);

    judge(w, "make", err, names_errors());
    if (err == FAT_OK) {
        use_file(w, found.node);
        if (is_directory) {
            judge(w, "rename into",
                    fat_rename(pick_directory(w), pick_name(w), found.node,
                            pick_name(w), 0),
                    names_errors());
        }
        fat_node_unref(found.node);
    }
}

static void list(struct worker *w)
{
    struct fat_node *directory = pick_directory(w);
    struct fat_dir_entry entry;
    uint32_t cookie = 0;
    fat_err err;

    while ((err = fat_dir_next(directory, &cookie, &entry)) == FAT_OK) {
        struct fat_node *node;
        const fat_err got = fat_dir_node(directory, &entry, &node);

        judge(w, "dir_node", got, bit(FAT_E_NOENT));
        if (got == FAT_OK) {
            use_file(w, node);
            fat_node_unref(node);
        }
    }
    judge(w, "dir_next", err, 0);
}

static void change(struct worker *w)
{
    struct fat_node *directory = pick_directory(w);
    const struct fat_node_changes changes = {
            .which = FAT_SET_MODIFIED | FAT_SET_ATTRIBUTES,
            .attributes = (uint8_t)(roll(w, 2) ? FAT_NODE_HIDDEN : 0),
            .modified = {.seconds = 1500000000 + (int64_t)roll(w, 1000)}};
    struct fat_found found;

    if (fat_lookup(directory, pick_name(w), &found) == FAT_OK) {
        judge(w, "change", fat_node_change(found.node, &changes), 0);
        fat_node_unref(found.node);
    }
}

static void step(struct worker *w)
{
    static const unsigned flags[] = {
            0, 0, 0, FAT_RENAME_NOREPLACE, FAT_RENAME_EXCHANGE};
    struct fat_volume *volume = w->crowd->img.volume;
    uint32_t clusters;

    switch (roll(w, 16)) {
    case 0:
    case 1:
    case 2:
        make(w);
        break;
    case 3:
    case 4:
        judge(w, "unlink", fat_unlink(pick_directory(w), pick_name(w)), names_errors());
        break;
    case 5:
        judge(w, "rmdir", fat_rmdir(pick_directory(w), pick_name(w)), names_errors());
        break;
    case 6:
    case 7:
    case 8:
        judge(w, "rename",
                fat_rename(pick_directory(w), pick_name(w), pick_directory(w),
                        pick_name(w), flags[roll(w, 5)]),
                names_errors());
        break;
    case 9:
        list(w);
        break;
    case 10:
        change(w);
        break;
    case 11:
        judge(w, "commit", roll(w, 4) ? FAT_OK : fat_volume_commit(volume), 0);
        break;
    case 12:
        judge(w, "free clusters", fat_volume_free_clusters(volume, &clusters), 0);
        (void)fat_volume_pending(volume);
        break;
    default:
        look_up(w);
        break;
    }
}

static void *work(void *context)
{
    struct worker *w = context;

    for (int i = 0; i < STEPS; i++) {
        step(w);
    }
    return NULL;
}

static void run(const struct image_spec *spec, uint64_t seed)
{
    static struct worker workers[THREADS];
    struct crowd crowd = {.roomy = spec->clusters >= 4000};
    pthread_t threads[THREADS];

    seed += getenv("FATWARD_SEED") ? strtoull(getenv("FATWARD_SEED"), NULL, 10) : 0;
    image_make(&crowd.img, spec);
    crowd.directories[0] = crowd.img.root;
    crowd.directories[1] = image_mkdir(crowd.img.root, "Home One");
    crowd.directories[2] = image_mkdir(crowd.directories[1], "deep");
    for (unsigned i = 0; i < THREADS; i++) {
        workers[i] = (struct worker){.crowd = &crowd, .state = seed * 1000 + i};
        image_fill(i, workers[i].buffer, BUFFER);
        assert_int_equal(pthread_create(&threads[i], NULL, work, &workers[i]), 0);
    }
    for (unsigned i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    }
    if (crowd.surprises != 0) {
        print_message("seed %llu: %u surprises, the last: %s: %s\n",
                (unsigned long long)seed, crowd.surprises, crowd.surprise,
                fat_err_text((fat_err)crowd.surprise_err));
        fail();
    }
    fat_node_unref(crowd.directories[1]);
    fat_node_unref(crowd.directories[2]);
    assert_int_equal(crowd.img.damage_reports, 0);
    image_done(&crowd.img);
}

enum { APPENDS = 20000, ONLOOKERS = 3 };

struct shared_file {
    struct image img;
    atomic_bool done;
    atomic_uint wrong; /* answers */
};

static fat_err append_one_byte(struct shared_file *s)
{
    struct fat_found found;
    fat_err err = fat_lookup(s->img.root, "file", &found);
    size_t length;

    if (err == FAT_OK) {
        err = fat_file_append(found.node, "x", 1, &length);
        fat_node_unref(found.node);
    }
    return err;
}

static void *append_bytes(void *context)
{
    struct shared_file *s = context;

    for (int i = 0; i < APPENDS; i++) {
        if (append_one_byte(s) != FAT_OK) {
            atomic_fetch_add(&s->wrong, 1);
        }
        /* until then, the node of a file that has grown by a cluster stays in use */
        if (i % 16 == 0 && fat_volume_commit(s->img.volume) != FAT_OK) {
            atomic_fetch_add(&s->wrong, 1);
        }
    }
    atomic_store(&s->done, true);
    return NULL;
}

static void *look_on(void *context)
{
    struct shared_file *s = context;

    while (!atomic_load(&s->done)) {
        struct fat_found found;

        if (fat_lookup(s->img.root, "file", &found) == FAT_OK) {
            fat_node_unref(found.node);
        } else {
            atomic_fetch_add(&s->wrong, 1);
        }
    }
    return NULL;
}

/* Each of them makes the file's node anew, unless another one has it just then. */
static void a_file_keeps_its_size_whoever_looks_it_up(void **state)
{
    struct shared_file s = {.done = false};
    pthread_t threads[1 + ONLOOKERS];
    struct fat_stat st;
    struct fat_node *file;

    (void)state;
    image_make(&s.img, &(struct image_spec){.type = 16, .clusters = 5000});
    fat_node_unref(image_create(s.img.root, "file"));
    for (unsigned i = 0; i < 1 + ONLOOKERS; i++) {
        assert_int_equal(
                pthread_create(&threads[i], NULL, i == 0 ? append_bytes : look_on, &s),
                0);
    }
    for (unsigned i = 0; i < 1 + ONLOOKERS; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    }
    assert_int_equal(s.wrong, 0);
    file = image_lookup(s.img.root, "file");
    assert_int_equal(fat_node_stat(file, &st), FAT_OK);
    assert_int_equal(st.size_bytes, APPENDS);
    fat_node_unref(file);
    image_done(&s.img);
}

enum { EXCHANGERS = 3, EXCHANGES = 200, FILLERS = 40 };

struct exchanger {
    struct fat_node *directory;
    char names[2][8];
    fat_err err; /* the first one, FAT_OK: none */
};

static void *exchange_names(void *context)
{
    struct exchanger *x = context;

    for (int i = 0; i < EXCHANGES && x->err == FAT_OK; i++) {
        x->err = fat_rename(x->directory, x->names[0], x->directory, x->names[1],
                FAT_RENAME_EXCHANGE);
    }
    return NULL;
}

/* In different sectors, so that each exchange needs a third name for a while. */
static void make_pairs(struct image *img, struct exchanger *exchangers)
{
    char name[8];

    for (unsigned end = 0; end < 2; end++) {
        for (unsigned i = 0; i < EXCHANGERS; i++) {
            char *own = exchangers[i].names[end];

            exchangers[i].directory = img->root;
            (void)snprintf(
                    own, sizeof(exchangers[i].names[end]), "%c%u", end ? 'B' : 'A', i);
            image_put(img->root, own, 2 * i + end, 700);
        }
        for (unsigned i = 0; end == 0 && i < FILLERS; i++) {
            (void)snprintf(name, sizeof(name), "F%u", i);
            image_touch(img->root, name);
        }
    }
}

static void exchanges_take_no_third_name_from_each_other(void **state)
{
    struct exchanger exchangers[EXCHANGERS] = {0};
    pthread_t threads[EXCHANGERS];
    struct image img;

    (void)state;
    image_make(&img, &(struct image_spec){.type = 16, .clusters = 5000});
    make_pairs(&img, exchangers);
    for (unsigned i = 0; i < EXCHANGERS; i++) {
        assert_int_equal(
                pthread_create(&threads[i], NULL, exchange_names, &exchangers[i]), 0);
    }
    for (unsigned i = 0; i < EXCHANGERS; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_int_equal(exchangers[i].err, FAT_OK);
    }
    for (unsigned i = 0; i < EXCHANGERS; i++) { /* an even number of times */
        image_expect(img.root, exchangers[i].names[0], 2 * i, 700);
        image_expect(img.root, exchangers[i].names[1], 2 * i + 1, 700);
    }
    image_done(&img);
}

static void a_crowd_leaves_fat12_clean(void **state)
{
    (void)state;
    run(&(struct image_spec){.type = 12, .clusters = 700}, 1);
}

static void a_crowd_on_a_full_volume_leaves_it_clean(void **state)
{
    (void)state;
    run(&(struct image_spec){.type = 12, .clusters = 90, .cluster_sectors = 2}, 2);
}

static void a_crowd_leaves_fat16_clean(void **state)
{
    (void)state;
    run(&(struct image_spec){.type = 16, .clusters = 5000, .fat_count = 1}, 3);
}

static void a_crowd_with_little_cache_leaves_fat32_clean(void **state)
{
    (void)state;
    run(&(struct image_spec){.type = 32, .clusters = 4000, .cache_bytes = 1}, 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(a_file_keeps_its_size_whoever_looks_it_up),
            cmocka_unit_test(exchanges_take_no_third_name_from_each_other),
            cmocka_unit_test(a_crowd_leaves_fat12_clean),
            cmocka_unit_test(a_crowd_on_a_full_volume_leaves_it_clean),
            cmocka_unit_test(a_crowd_leaves_fat16_clean),
            cmocka_unit_test(a_crowd_with_little_cache_leaves_fat32_clean),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
