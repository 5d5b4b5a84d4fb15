/* SPDX-License-Identifier: MIT */
#include "program.h"

#include <string.h>

#include <fatward/file.h>
#include <fatward/namei.h>

#include "fuzz.h"
#include "presets.h"
#include "support/reference.h"
#include "tree.h"

enum {
    HANDLES = 6,
    NAME_ROOM = 260,
    RAW_NAME_MAX = 24,
    TRANSFER_MAX = 8192,
    STEPS_MAX = TREE_MORE_FOLDERS
};

struct handle {
    struct fat_node *node; /* NULL: unused */
    struct ref_node *ref;  /* NULL: without a tree */
};

struct program {
    struct fuzz_image *image;
    const uint8_t *at, *end;
    bool sound; /* then there is a tree */
    struct witness *witness;
    struct fat_volume *volume;
    struct ref_node *root;
    struct handle handles[HANDLES]; /* the first is the root */
};

static uint8_t take_byte(struct program *p)
{
    return p->at < p->end ? *p->at++ : 0;
}

static uint32_t take_number(struct program *p)
{
    const uint32_t low = take_byte(p);

    return low | (uint32_t)take_byte(p) << 8;
}

/* One of ours, or bytes that end with a zero. */
static void take_name(struct program *p, char *name)
{
    const uint8_t which = take_byte(p);
    size_t length = 0;

    if (which < 0xe0) {
        strcpy(name, fuzz_names[which % FUZZ_NAMES]);
        if (which >= 2 * FUZZ_NAMES && which < 3 * FUZZ_NAMES && name[0] >= 'A') {
            name[0] ^= 0x20; /* another spelling, or another name */
        }
        return;
    }
    while (length < RAW_NAME_MAX && (name[length] = (char)take_byte(p)) != '\0') {
        length++;
    }
    name[length] = '\0';
}

static struct handle *take_handle(struct program *p)
{
    return &p->handles[take_byte(p) % HANDLES];
}

/* On a sound volume nothing finds damage. */
static bool went_well(const struct program *p, fat_err err)
{
    PROMISE(err != FAT_E_AGAIN && err <= FAT_OK);
    if (p->sound &&
            (err == FAT_E_CORRUPT || err == FAT_E_IO || err == FAT_E_READONLY)) {
        (void)fprintf(stderr, "%s\n", fat_err_text(err));
        PROMISE(!p->sound || (p->image->how & (FUZZ_FROZEN | FUZZ_READ_ONLY)));
    }
    return err == FAT_OK;
}

/* The name that a node of @folder is listed under. */
static bool listed_name(
        struct fat_node *folder, const struct fat_node *node, struct fat_dir_entry *ret)
{
    uint32_t cookie = 0;
    bool found = false;

    while (!found && fat_dir_next(folder, &cookie, ret) == FAT_OK) {
        struct fat_node *other;

        PROMISE(fat_dir_node(folder, ret, &other) == FAT_OK);
        found = other == node;
        fat_node_unref(other);
    }
    return found;
}

/* What answers to @name, in whatever spelling, in the tree; -1: nothing does. */
static int find(const struct handle *folder, const char *name)
{
    struct fat_found found;
    struct fat_dir_entry entry;
    int index = -1;

    if (!folder->ref || folder->ref->removed ||
            fat_lookup(folder->node, name, &found) != FAT_OK) {
        return -1;
    }
    PROMISE(listed_name(folder->node, found.node, &entry));
    index = tree_find(folder->ref, entry.name);
    PROMISE(index >= 0);
    PROMISE(folder->ref->entries[index].node->is_directory == entry.is_directory);
    fat_node_unref(found.node);
    return index;
}

static void touch_name(struct program *p, const struct handle *folder, const char *name)
{
    struct fat_found found;

    if (fat_lookup(folder->node, name, &found) == FAT_OK) {
        witness_touch(p->witness, found.node);
        fat_node_unref(found.node);
    }
}

static void let_go(struct handle *h)
{
    fat_node_unref(h->node);
    if (h->ref) {
        h->ref->handles--;
        ref_collect(h->ref);
    }
    *h = (struct handle){.node = NULL};
}

/* Takes over the reference. */
static void hold(
        struct program *p, uint8_t which, struct fat_node *node, struct ref_node *ref)
{
    struct handle *h = &p->handles[1 + which % (HANDLES - 1)];

    let_go(h);
    *h = (struct handle){.node = node, .ref = ref};
    if (ref) {
        ref->handles++;
    }
}

static void trim(char *name)
{
    size_t length = strlen(name);

    while (length > 0 && name[length - 1] == '.') {
        name[--length] = '\0';
    }
}

static void do_create(struct program *p, bool folder)
{
    struct handle *in = take_handle(p);
    const uint8_t attributes = take_byte(p) & 7;
    const uint8_t to = take_byte(p);
    struct ref_node *ref = NULL;
    struct fat_found found;
    char name[NAME_ROOM];
    int known;

    take_name(p, name);
    if (!in->node) {
        return;
    }
    known = find(in, name);
    if (!went_well(p, (folder ? fat_mkdir : fat_create)(
                              in->node, name, attributes, &found))) {
        return;
    }
    PROMISE(known < 0 && fat_node_is_directory(found.node) == folder);
    if (p->sound) {
        PROMISE(in->ref && in->ref->is_directory && !in->ref->removed);
        ref = ref_new(folder);
        trim(name);
        ref_add(in->ref, name, ref);
        PROMISE(find(in, name) >= 0);
    }
    hold(p, to, found.node, ref);
}

static void do_lookup(struct program *p)
{
    struct handle *in = take_handle(p);
    const uint8_t to = take_byte(p);
    struct fat_found found;
    char name[NAME_ROOM];

    take_name(p, name);
    if (in->node && went_well(p, fat_lookup(in->node, name, &found))) {
        const int index = find(in, name);

        PROMISE(index >= 0 || !p->sound);
        hold(p, to, found.node, p->sound ? in->ref->entries[index].node : NULL);
    }
}

static void do_remove(struct program *p, bool folder)
{
    struct handle *in = take_handle(p);
    char name[NAME_ROOM];
    int index;

    take_name(p, name);
    if (!in->node) {
        return;
    }
    index = find(in, name);
    touch_name(p, in, name);
    if (went_well(p, (folder ? fat_rmdir : fat_unlink)(in->node, name)) && p->sound) {
        struct ref_node *gone;

        PROMISE(index >= 0);
        gone = ref_take(in->ref, index);
        PROMISE(gone->is_directory == folder && gone->count == 0);
        PROMISE(find(in, name) < 0);
        ref_collect(gone);
    }
}

struct renaming {
    struct handle *from, *to;
    char old_name[NAME_ROOM], new_name[NAME_ROOM];
    unsigned flags;
    int old_index, new_index;
};

static void replace_in_tree(struct renaming *r, struct ref_node *node)
{
    struct ref_node *gone = r->to->ref->entries[r->new_index].node;

    PROMISE(!(r->flags & FAT_RENAME_NOREPLACE));
    PROMISE(gone->is_directory == node->is_directory && gone->count == 0);
    r->to->ref->entries[r->new_index].node = node;
    (void)ref_take(r->from->ref, r->old_index);
    node->parent = r->to->ref;
    node->removed = false;
    gone->parent = NULL;
    gone->removed = true;
    ref_collect(gone);
}

static void rename_in_tree(struct renaming *r)
{
    struct ref_node *node = r->from->ref->entries[r->old_index].node;
    struct ref_node *target =
            r->new_index >= 0 ? r->to->ref->entries[r->new_index].node : NULL;

    if (r->flags & FAT_RENAME_EXCHANGE) {
        PROMISE(target);
        r->from->ref->entries[r->old_index].node = target;
        r->to->ref->entries[r->new_index].node = node;
        target->parent = r->from->ref;
        node->parent = r->to->ref;
    } else if (target == node) {
        trim(r->new_name);
        ref_spell(r->from->ref, r->old_index, r->new_name);
    } else if (target) {
        replace_in_tree(r, node);
    } else {
        trim(r->new_name);
        (void)ref_take(r->from->ref, r->old_index);
        ref_add(r->to->ref, r->new_name, node);
    }
    PROMISE(!r->from->ref->removed && !r->to->ref->removed);
}

static void do_rename(struct program *p)
{
    struct renaming r = {.from = take_handle(p), .to = take_handle(p)};

    r.flags = take_byte(p) & 3;
    take_name(p, r.old_name);
    take_name(p, r.new_name);
    if (!r.from->node || !r.to->node) {
        return;
    }
    touch_name(p, r.from, r.old_name);
    touch_name(p, r.to, r.new_name);
    r.old_index = find(r.from, r.old_name);
    r.new_index = find(r.to, r.new_name);
    if (went_well(p, fat_rename(r.from->node, r.old_name, r.to->node, r.new_name,
                             r.flags)) &&
            p->sound) {
        PROMISE(r.old_index >= 0);
        rename_in_tree(&r);
    }
}

static void do_write(struct program *p, bool append)
{
    struct handle *h = take_handle(p);
    uint64_t offset = take_number(p);
    const uint32_t length = take_number(p) % TRANSFER_MAX;
    static uint8_t room[TRANSFER_MAX];
    const uint8_t first = take_byte(p);
    size_t done = 0;
    fat_err err;

    offset = first == 0xff ? offset << 17 : offset;
    if (!h->node || (h->ref && !h->ref->is_directory && h->ref->size > TREE_SIZE_MAX)) {
        return;
    }
    for (uint32_t i = 0; i < length; i++) {
        room[i] = (uint8_t)(first + i % 251);
    }
    /* what would be filled up with zeros takes its time on a large volume */
    if (!append && offset > TREE_SIZE_MAX && p->image->dev.size_bytes > 8 << 20) {
        offset = TREE_SIZE_MAX;
    }
    witness_touch(p->witness, h->node);
    err = append ? fat_file_append(h->node, room, length, &done)
                 : fat_file_write(h->node, offset, room, length, &done);
    if (went_well(p, err)) {
        PROMISE(done <= length && (done > 0 || length == 0));
        if (p->sound && done > 0) {
            ref_write(h->ref, append ? h->ref->size : (uint32_t)offset, room,
                    (uint32_t)done);
        }
    }
}

/* Zeros may have been gained even by what failed. */
static void follow_size(struct program *p, struct handle *h, fat_err err, uint64_t size)
{
    struct fat_stat st;

    if (!p->sound || h->ref->is_directory) {
        return;
    }
    PROMISE(fat_node_stat(h->node, &st) == FAT_OK);
    if (err == FAT_OK) {
        PROMISE(st.size_bytes == size);
    } else {
        PROMISE(st.size_bytes == h->ref->size ||
                (err == FAT_E_NOSPC && st.size_bytes > h->ref->size &&
                        st.size_bytes <= size));
    }
    ref_resize(h->ref, (uint32_t)st.size_bytes);
}

static void do_truncate(struct program *p)
{
    struct handle *h = take_handle(p);
    uint64_t size = take_number(p);
    const uint8_t how = take_byte(p);
    fat_err err;

    if (how >= 0xf0 && p->image->dev.size_bytes <= 8 << 20) {
        size = how == 0xff ? size << 20 : size << 16;
    }
    if (h->node) {
        witness_touch(p->witness, h->node);
        err = fat_file_truncate(h->node, size);
        (void)went_well(p, err);
        follow_size(p, h, err, size);
    }
}

static void do_allocate(struct program *p)
{
    struct handle *h = take_handle(p);
    const uint64_t offset = take_number(p);
    const uint64_t length = (uint64_t)take_number(p) << (take_byte(p) == 0xff ? 16 : 0);
    const unsigned flags = take_byte(p) & 1;
    fat_err err;

    if (!h->node || (length > TREE_SIZE_MAX && p->image->dev.size_bytes > 8 << 20)) {
        return;
    }
    witness_touch(p->witness, h->node);
    err = fat_file_allocate(h->node, offset, length, flags);
    (void)went_well(p, err);
    if (p->sound && !h->ref->is_directory) {
        const uint64_t old = h->ref->size;
        const uint64_t wanted = !flags && offset + length > old ? offset + length : old;

        follow_size(p, h, err, err == FAT_OK ? wanted : old);
    }
}

static void do_change(struct program *p)
{
    struct handle *h = take_handle(p);
    const struct fat_node_changes changes = {.which = take_byte(p) & 15,
            .attributes = take_byte(p),
            .modified = {.seconds = (int64_t)take_number(p) << 16},
            .accessed = {.seconds = -(int64_t)take_number(p)},
            .created = {.seconds = (int64_t)take_number(p) << 30, .nanoseconds = 1}};

    if (h->node) {
        (void)went_well(p, fat_node_change(h->node, &changes));
    }
}

static void do_read(struct program *p)
{
    struct handle *h = take_handle(p);
    const uint32_t offset = take_number(p);
    uint8_t room[600];
    struct fat_stat st;
    size_t done;

    if (!h->node) {
        return;
    }
    (void)went_well(p, fat_node_stat(h->node, &st));
    (void)went_well(p, fat_file_read(h->node, offset, room, sizeof(room), &done));
    if (h->ref && !h->ref->is_directory) {
        tree_compare_file(h->ref, h->node);
    }
}

static void do_list(struct program *p)
{
    struct handle *h = take_handle(p);
    struct fat_dir_entry entry;
    unsigned count = 0;
    uint32_t cookie = 0;
    fat_err err = FAT_E_NOTDIR;

    while (h->node && count < 1000 &&
            (err = fat_dir_next(h->node, &cookie, &entry)) == FAT_OK) {
        PROMISE(!h->ref || tree_find(h->ref, entry.name) >= 0);
        count++;
    }
    PROMISE(err != FAT_END || !h->ref || count == h->ref->count);
}

static void open_volume(struct program *p)
{
    const struct fat_volume_options options = fuzz_image_options(p->image);
    const fat_err err = fat_volume_open(&p->image->dev, &options, &p->volume);

    if (err != FAT_OK) {
        PROMISE(!p->sound);
        p->volume = NULL;
        return;
    }
    p->handles[0].node = fat_volume_root(p->volume);
    if (p->sound && p->root) {
        p->handles[0].ref = p->root;
        p->root->handles++;
    }
}

static void close_volume(struct program *p)
{
    for (int i = 0; i < HANDLES; i++) {
        let_go(&p->handles[i]);
    }
    if (p->volume) {
        PROMISE(fat_volume_close(p->volume) == FAT_OK || !p->sound);
    }
    p->volume = NULL;
}

static void do_volume(struct program *p)
{
    struct handle *h = take_handle(p);
    uint32_t clusters;

    switch (take_byte(p) % 6) {
    case 0:
        (void)went_well(p, fat_volume_commit(p->volume));
        break;
    case 1:
        if (h->node) {
            (void)went_well(p, fat_node_sync(h->node));
        }
        break;
    case 2:
        close_volume(p);
        open_volume(p);
        break;
    case 3:
        if (h->node) {
            fat_file_closed(h->node);
        }
        break;
    case 4:
        (void)went_well(p, fat_volume_free_clusters(p->volume, &clusters));
        break;
    default:
        if (h != p->handles) {
            let_go(h);
        }
        break;
    }
}

static void step(struct program *p)
{
    switch (take_byte(p) % 15) {
    case 0:
    case 1:
        do_create(p, false);
        break;
    case 2:
        do_create(p, true);
        break;
    case 3:
        do_lookup(p);
        break;
    case 4:
        do_remove(p, false);
        break;
    case 5:
        do_remove(p, true);
        break;
    case 6:
    case 7:
        do_rename(p);
        break;
    case 8:
        do_write(p, false);
        break;
    case 9:
        do_write(p, true);
        break;
    case 10:
        do_truncate(p);
        break;
    case 11:
        do_allocate(p);
        break;
    case 12:
        do_change(p);
        break;
    case 13:
        (take_byte(p) & 1 ? do_read : do_list)(p);
        break;
    default:
        do_volume(p);
        break;
    }
}

void fuzz_program_run(struct fuzz_image *image, bool sound, struct witness *witness)
{
    struct program p = {.image = image,
            .at = image->program,
            .end = image->program + image->program_length,
            .sound = sound,
            .witness = witness};

    open_volume(&p);
    if (p.volume && sound) {
        p.root = tree_learn(p.handles[0].node);
        p.sound = p.root != NULL;
        if (p.sound) {
            p.handles[0].ref = p.root;
            p.root->handles++;
        }
    }
    for (int i = 0; i < STEPS_MAX && p.volume && p.at < p.end; i++) {
        step(&p);
    }
    if (p.volume && p.sound) {
        tree_compare(p.handles[0].node, p.root);
        close_volume(&p);
        open_volume(&p);
        tree_compare(p.handles[0].node, p.root);
    }
    close_volume(&p);
    if (p.root) {
        ref_free_tree(p.root);
    }
}
