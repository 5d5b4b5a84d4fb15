/* SPDX-License-Identifier: MIT */
#include "world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <fatward/file.h>

#include "reader.h"

/* Anything but the day on which objects are created. */
#define CHANGE_EPOCH (READER_EPOCH + INT64_C(86400) * 400)

static struct fat_time tell_time(void *context)
{
    const struct world *world = context;

    return (struct fat_time){.seconds = world->now};
}

static void hear(void *context, const struct fat_report *report)
{
    struct world *world = context;

    if (world->reason[0] == '\0') {
        snprintf(world->reason, sizeof(world->reason), "it reports: %s", report->text);
    }
}

bool world_open(struct world *world, struct fat_blkdev *dev, struct recdev *rec,
        struct book *book)
{
    return world_open_with(world, dev, rec, book, WORLD_CACHE_BYTES);
}

bool world_open_with(struct world *world, struct fat_blkdev *dev, struct recdev *rec,
        struct book *book, size_t cache_bytes)
{
    const struct fat_volume_options options = {.cache_bytes = cache_bytes,
            .clock = tell_time,
            .clock_context = world,
            .report = hear,
            .report_context = world};
    struct fat_volume_info info;
    fat_err err;

    *world = (struct world){.dev = dev, .rec = rec, .book = book, .now = CHANGE_EPOCH};
    err = fat_volume_open(dev, &options, &world->volume);
    if (err != FAT_OK) {
        snprintf(world->reason, sizeof(world->reason), "open: %s", fat_err_text(err));
        return false;
    }
    fat_volume_info(world->volume, &info);
    world->cluster_bytes = info.cluster_bytes;
    return true;
}

static void mark(struct world *world, int tag, size_t value)
{
    if (world->rec && recdev_mark(world->rec, tag, value) != FAT_OK) {
        abort();
    }
}

/* Names: in the book, and on the volume. */

struct target {
    uint32_t parent; /* objects, BOOK_NOTHING: none */
    uint32_t object;
    const char *leaf;
};

static struct target find(const struct world *world, const char *path)
{
    struct target t = {.parent = BOOK_ROOT, .leaf = path};
    const char *slash;

    while ((slash = strchr(t.leaf, '/')) != NULL && t.parent != BOOK_NOTHING) {
        char name[BOOK_NAME_BYTES] = "";

        memcpy(name, t.leaf, (size_t)(slash - t.leaf));
        t.parent = book_find(world->book, t.parent, name);
        if (t.parent != BOOK_NOTHING && !world->book->objects[t.parent].is_directory) {
            t.parent = BOOK_NOTHING;
        }
        t.leaf = slash + 1;
    }
    t.object = t.parent == BOOK_NOTHING ? BOOK_NOTHING
                                        : book_find(world->book, t.parent, t.leaf);
    return t;
}

static bool is_file(const struct world *world, uint32_t object)
{
    return object != BOOK_NOTHING && !world->book->objects[object].is_directory;
}

/* The directory that @path's last name is in. */
static fat_err open_parent(struct world *world, const char *path, struct fat_node **ret)
{
    struct fat_node *node = fat_volume_root(world->volume);
    const char *slash;

    while ((slash = strchr(path, '/')) != NULL) {
        char name[BOOK_NAME_BYTES] = "";
        struct fat_found found;
        fat_err err;

        memcpy(name, path, (size_t)(slash - path));
        err = fat_lookup(node, name, &found);
        fat_node_unref(node);
        if (err != FAT_OK) {
            return err;
        }
        node = found.node;
        path = slash + 1;
    }
    *ret = node;
    return FAT_OK;
}

static fat_err open_node(struct world *world, const struct target *t, const char *path,
        struct fat_node **ret)
{
    struct fat_found found;
    fat_err err = open_parent(world, path, ret);

    if (err == FAT_OK) {
        struct fat_node *parent = *ret;

        err = fat_lookup(parent, t->leaf, &found);
        fat_node_unref(parent);
        *ret = err == FAT_OK ? found.node : NULL;
    }
    return err;
}

/* Operations. Each is what the book says, then what the engine does, then the book. */

static enum op_result verdict(struct world *world, const char *what, fat_err err)
{
    if (err == FAT_OK) {
        return OP_DONE;
    }
    if (err == FAT_E_NOSPC) {
        return OP_FULL;
    }
    if (world->reason[0] == '\0') {
        snprintf(world->reason, sizeof(world->reason), "%s says: %s", what,
                fat_err_text(err));
    }
    return OP_WRONG;
}

static enum op_result make(struct world *world, const char *path, bool is_directory)
{
    const struct target t = find(world, path);
    struct fat_node *parent;
    struct fat_found found;
    fat_err err;

    if (t.parent == BOOK_NOTHING || t.object != BOOK_NOTHING) {
        return OP_SENSELESS;
    }
    world->now = READER_EPOCH + INT64_C(2) * world->book->object_count;
    err = open_parent(world, path, &parent);
    if (err == FAT_OK) {
        err = (is_directory ? fat_mkdir : fat_create)(parent, t.leaf, 0, &found);
        fat_node_unref(parent);
    }
    if (err == FAT_OK) {
        const uint32_t object =
                book_create(world->book, t.parent, t.leaf, is_directory);

        fat_node_unref(found.node);
        book_set_attributes(world->book, object, is_directory ? 0 : FAT_NODE_ARCHIVE);
    }
    world->now = CHANGE_EPOCH + INT64_C(2) * world->book->step;
    return verdict(world, "create", err);
}

static enum op_result do_create(struct world *world, const struct op *op)
{
    return make(world, op->a, false);
}

static enum op_result do_mkdir(struct world *world, const struct op *op)
{
    return make(world, op->a, true);
}

static enum op_result do_remove(struct world *world, const struct op *op)
{
    const struct target t = find(world, op->a);
    struct fat_node *parent;
    fat_err err;

    if (t.object == BOOK_NOTHING ||
            is_file(world, t.object) == (op->kind == OP_RMDIR) ||
            !book_is_empty(world->book, t.object)) {
        return OP_SENSELESS;
    }
    err = open_parent(world, op->a, &parent);
    if (err == FAT_OK) {
        err = (op->kind == OP_RMDIR ? fat_rmdir : fat_unlink)(parent, t.leaf);
        fat_node_unref(parent);
    }
    if (err == FAT_OK) {
        book_remove(world->book, t.object);
    }
    return verdict(world, "remove", err);
}

static fat_err rename_it(struct world *world, const struct op *op,
        const struct target *from, const struct target *to, unsigned flags)
{
    struct fat_node *old;
    struct fat_node *new;
    fat_err err = open_parent(world, op->a, &old);

    if (err != FAT_OK) {
        return err;
    }
    err = open_parent(world, op->b, &new);
    if (err == FAT_OK) {
        err = fat_rename(old, from->leaf, new, to->leaf, flags);
        fat_node_unref(new);
    }
    fat_node_unref(old);
    return err;
}

static bool may_rename(
        const struct world *world, const struct target *from, const struct target *to)
{
    const struct book *book = world->book;

    if (from->object == BOOK_NOTHING || to->parent == BOOK_NOTHING ||
            book_is_below(book, to->parent, from->object)) {
        return false;
    }
    if (to->object == from->object) {
        return strcmp(from->leaf, to->leaf) != 0;
    }
    return to->object == BOOK_NOTHING ||
           (is_file(world, from->object) == is_file(world, to->object) &&
                   book_is_empty(book, to->object));
}

static enum op_result do_rename(struct world *world, const struct op *op)
{
    const struct target from = find(world, op->a);
    const struct target to = find(world, op->b);
    fat_err err;

    if (!may_rename(world, &from, &to)) {
        return OP_SENSELESS;
    }
    err = rename_it(world, op, &from, &to, 0);
    if (err == FAT_OK) {
        char name[BOOK_NAME_BYTES] = "";

        strncpy(name, to.leaf, sizeof(name) - 1);
        if (to.object != BOOK_NOTHING && to.object != from.object) {
            /* What is replaced is rewritten in place: its spelling stays. */
            strcpy(name, book_place(world->book, to.object)->name);
            book_remove(world->book, to.object);
        }
        book_move(world->book, from.object, to.parent, name);
    }
    return verdict(world, "rename", err);
}

static enum op_result do_exchange(struct world *world, const struct op *op)
{
    const struct target from = find(world, op->a);
    const struct target to = find(world, op->b);
    struct book *book = world->book;
    fat_err err;

    if (from.object == BOOK_NOTHING || to.object == BOOK_NOTHING ||
            from.object == to.object || book_is_below(book, to.parent, from.object) ||
            book_is_below(book, from.parent, to.object)) {
        return OP_SENSELESS;
    }
    /* Over a third name, in the directory of the first. */
    book_wander(book, from.object, from.parent);
    err = rename_it(world, op, &from, &to, FAT_RENAME_EXCHANGE);
    if (err == FAT_OK) {
        book_exchange(book, from.object, to.object);
    }
    return verdict(world, "exchange", err);
}

static uint32_t quarters(const struct world *world, uint32_t amount)
{
    return world->cluster_bytes / 4 * amount;
}

/* @offset BOOK_NOTHING: at the end. */
static enum op_result write_to(struct world *world, struct fat_node *node,
        uint32_t object, uint32_t offset, uint32_t length)
{
    const uint32_t at =
            offset == BOOK_NOTHING ? book_version(world->book, object)->size : offset;
    const uint32_t write = ++world->book->writes;
    uint8_t *bytes = malloc(length);
    size_t written = 0;
    fat_err err;

    if (!bytes) {
        abort();
    }
    book_fill(bytes, object, write, at, length);
    err = offset == BOOK_NOTHING
                  ? fat_file_append(node, bytes, length, &written)
                  : fat_file_write(node, offset, bytes, length, &written);
    free(bytes);
    if (err == FAT_OK) {
        book_write(world->book, object, at, (uint32_t)written, write);
    }
    return verdict(world, "write", err);
}

static enum op_result do_write(struct world *world, const struct op *op)
{
    const struct target t = find(world, op->a);
    struct fat_node *node;
    enum op_result result;
    uint32_t length = quarters(world, op->amount);
    fat_err err;

    if (!is_file(world, t.object)) {
        return OP_SENSELESS;
    }
    if (op->kind == OP_OVERWRITE &&
            book_version(world->book, t.object)->size < length) {
        return OP_SENSELESS;
    }
    err = open_node(world, &t, op->a, &node);
    if (err != FAT_OK) {
        return verdict(world, "lookup", err);
    }
    result = write_to(
            world, node, t.object, op->kind == OP_OVERWRITE ? 0 : BOOK_NOTHING, length);
    fat_node_unref(node);
    return result;
}

static fat_err change(struct world *world, struct fat_node *node, uint32_t object,
        const struct op *op)
{
    const struct fat_node_changes changes = {
            .which = FAT_SET_ATTRIBUTES, .attributes = (uint8_t)op->amount};
    const uint32_t size = quarters(world, op->amount);
    fat_err err;

    if (op->kind == OP_RESERVE) {
        return fat_file_allocate(node, book_version(world->book, object)->size, size,
                FAT_ALLOCATE_KEEP_SIZE);
    }
    if (op->kind == OP_CHATTR) {
        err = fat_node_change(node, &changes);
        if (err == FAT_OK) {
            book_set_attributes(world->book, object, changes.attributes);
        }
        return err;
    }
    err = fat_file_truncate(node, size);
    if (err == FAT_OK) {
        book_resize(world->book, object, size);
    }
    return err;
}

static enum op_result do_change(struct world *world, const struct op *op)
{
    const struct target t = find(world, op->a);
    struct fat_node *node;
    fat_err err;

    if (!is_file(world, t.object) ||
            (op->kind == OP_TRUNCATE && book_version(world->book, t.object)->size ==
                                                quarters(world, op->amount))) {
        return OP_SENSELESS;
    }
    err = open_node(world, &t, op->a, &node);
    if (err == FAT_OK) {
        err = change(world, node, t.object, op);
        fat_node_unref(node);
    }
    return verdict(world, op_name(op->kind), err);
}

static enum op_result do_sync(struct world *world, const struct op *op)
{
    const struct target t = find(world, op->a);
    struct fat_node *node;
    size_t promises;
    fat_err err;

    if (t.object == BOOK_NOTHING) {
        return OP_SENSELESS;
    }
    /* Of a directory it is all that any directory holds: there is one commit. */
    promises = book_promise(
            world->book, is_file(world, t.object) ? t.object : BOOK_NOTHING);
    err = open_node(world, &t, op->a, &node);
    if (err == FAT_OK) {
        err = fat_node_sync(node);
        fat_node_unref(node);
    }
    mark(world, MARK_PROMISE, promises);
    return verdict(world, "sync", err);
}

static enum op_result do_commit(struct world *world, const struct op *op)
{
    const size_t promises = book_promise(world->book, BOOK_NOTHING);
    const fat_err err = fat_volume_commit(world->volume);

    (void)op;
    mark(world, MARK_PROMISE, promises);
    return verdict(world, "commit", err);
}

static enum op_result do_hold(struct world *world, const struct op *op)
{
    const struct target t = find(world, op->a);

    if (!is_file(world, t.object) || world->held) {
        return OP_SENSELESS;
    }
    world->held_object = t.object;
    return verdict(world, "lookup", open_node(world, &t, op->a, &world->held));
}

static enum op_result do_write_held(struct world *world, const struct op *op)
{
    if (!world->held) {
        return OP_SENSELESS;
    }
    return write_to(world, world->held, world->held_object, BOOK_NOTHING,
            quarters(world, op->amount));
}

static enum op_result do_release(struct world *world, const struct op *op)
{
    (void)op;
    if (!world->held) {
        return OP_SENSELESS;
    }
    fat_node_unref(world->held);
    world->held = NULL;
    return OP_DONE;
}

static enum op_result do_fill(struct world *world, const struct op *op)
{
    for (uint32_t i = 0; i < op->amount; i++) {
        char path[BOOK_NAME_BYTES];
        enum op_result result;

        snprintf(
                path, sizeof(path), "%s%su%u", op->a, op->a[0] ? "/" : "", (unsigned)i);
        result = make(world, path, false);
        if (result != OP_DONE) {
            return i == 0 ? result : result == OP_SENSELESS ? OP_DONE : result;
        }
    }
    return OP_DONE;
}

static enum op_result do_drop(struct world *world, const struct op *op)
{
    (void)op;
    while (world->kept_count > 0) {
        fat_node_unref(world->kept[--world->kept_count]);
    }
    return OP_DONE;
}

static enum op_result do_keep(struct world *world, const struct op *op)
{
    (void)op;
    for (uint32_t i = 1; i < world->book->object_count; i++) {
        char path[1024] = "";
        char tail[1024];
        struct target t;

        if (!world->book->objects[i].is_directory || !book_place(world->book, i) ||
                world->kept_count == WORLD_KEPT) {
            continue;
        }
        for (uint32_t at = i; at != BOOK_ROOT;
                at = book_place(world->book, at)->parent) {
            snprintf(tail, sizeof(tail), "%s", path);
            snprintf(path, sizeof(path), "%.90s%s%.900s",
                    book_place(world->book, at)->name, tail[0] ? "/" : "", tail);
        }
        t = find(world, path);
        if (open_node(world, &t, path, &world->kept[world->kept_count]) == FAT_OK) {
            world->kept_count++;
        }
    }
    return OP_DONE;
}

enum op_result world_do(struct world *world, const struct op *op)
{
    static enum op_result (*const table[])(struct world *, const struct op *) = {
            [OP_CREATE] = do_create,
            [OP_MKDIR] = do_mkdir,
            [OP_UNLINK] = do_remove,
            [OP_RMDIR] = do_remove,
            [OP_RENAME] = do_rename,
            [OP_EXCHANGE] = do_exchange,
            [OP_APPEND] = do_write,
            [OP_OVERWRITE] = do_write,
            [OP_TRUNCATE] = do_change,
            [OP_CHATTR] = do_change,
            [OP_RESERVE] = do_change,
            [OP_SYNC] = do_sync,
            [OP_COMMIT] = do_commit,
            [OP_HOLD] = do_hold,
            [OP_WRITE_HELD] = do_write_held,
            [OP_RELEASE] = do_release,
            [OP_FILL] = do_fill,
            [OP_KEEP] = do_keep,
            [OP_DROP] = do_drop,
    };

    world->book->step++;
    world->now = CHANGE_EPOCH + INT64_C(2) * world->book->step;
    mark(world, MARK_BEGIN, world->book->step);
    return table[op->kind](world, op);
}

bool world_close(struct world *world)
{
    const struct op drop = {.kind = OP_DROP};
    fat_err err;

    fat_node_unref(world->held);
    (void)do_drop(world, &drop);
    err = fat_volume_close(world->volume);
    mark(world, MARK_PROMISE, book_promise(world->book, BOOK_NOTHING));
    mark(world, MARK_CLOSED, 0);
    return verdict(world, "close", err) == OP_DONE;
}
