/* SPDX-License-Identifier: MIT */
/* The door to file contents. */
#include <fatward/file.h>

#include "tree/contents.h"
#include "tree/maps.h"
#include "volume/commit.h"

fat_err fat_file_read(struct fat_node *file, uint64_t offset, void *buffer,
        size_t length, size_t *ret_length)
{
    fat_err err;

    if (file->is_directory) {
        return FAT_E_ISDIR;
    }
    err = fat_contents_read(file, offset, buffer, length, ret_length);
    fat_maps_trim(file->tree);
    return err;
}

struct write {
    struct fat_node *node;
    uint64_t offset;
    const uint8_t *bytes;
    size_t length;
    size_t done;
};

static fat_err write_once(void *context)
{
    struct write *w = context;

    return fat_contents_write(w->node, w->offset, w->bytes, w->length, &w->done);
}

/* fat_commit_around() for what may have to leave a growth half way. */
static fat_err grow_around(
        struct fat_node *file, fat_err (*operation)(void *context), void *context)
{
    const fat_err err = fat_commit_around(fat_volume_of(file), operation, context);

    if (err != FAT_OK) {
        fat_contents_give_up(file);
        fat_maps_trim(file->tree);
    }
    return err;
}

static fat_err write_at(struct fat_node *file, uint64_t offset, const void *buffer,
        size_t length, size_t *ret_length)
{
    struct write w = {
            .node = file, .offset = offset, .bytes = buffer, .length = length};
    fat_err err;

    if (file->is_directory) {
        return FAT_E_ISDIR;
    }
    if (length == 0) {
        *ret_length = 0;
        return FAT_OK;
    }
    err = grow_around(file, write_once, &w);
    if (err == FAT_OK) {
        *ret_length = w.done;
    }
    return err;
}

fat_err fat_file_write(struct fat_node *file, uint64_t offset, const void *buffer,
        size_t length, size_t *ret_length)
{
    const uint64_t room = offset < FAT_FILE_SIZE_MAX ? FAT_FILE_SIZE_MAX - offset : 0;

    if (room == 0 && !file->is_directory) {
        return FAT_E_FBIG;
    }
    return write_at(
            file, offset, buffer, length < room ? length : (size_t)room, ret_length);
}

fat_err fat_file_append(
        struct fat_node *file, const void *buffer, size_t length, size_t *ret_length)
{
    return write_at(file, FAT_CONTENTS_APPEND, buffer, length, ret_length);
}

struct resize {
    struct fat_node *node;
    uint32_t size;
};

static fat_err truncate_once(void *context)
{
    const struct resize *r = context;

    return fat_contents_truncate(r->node, r->size);
}

static fat_err extend_once(void *context)
{
    const struct resize *r = context;

    return fat_contents_extend(r->node, r->size);
}

static fat_err set_aside_once(void *context)
{
    const struct resize *r = context;

    return fat_contents_set_aside(r->node, r->size);
}

fat_err fat_file_truncate(struct fat_node *file, uint64_t size_bytes)
{
    struct resize r = {.node = file, .size = (uint32_t)size_bytes};

    if (file->is_directory) {
        return FAT_E_ISDIR;
    }
    if (size_bytes > FAT_FILE_SIZE_MAX) {
        return FAT_E_FBIG;
    }
    return grow_around(file, truncate_once, &r);
}

fat_err fat_file_allocate(
        struct fat_node *file, uint64_t offset, uint64_t length, unsigned flags)
{
    const uint64_t end = offset + length;
    struct resize r = {.node = file, .size = (uint32_t)end};

    if (file->is_directory) {
        return FAT_E_ISDIR;
    }
    if (length == 0 || (flags & ~(unsigned)FAT_ALLOCATE_KEEP_SIZE)) {
        return FAT_E_INVAL;
    }
    if (end < offset || end > FAT_FILE_SIZE_MAX) {
        return FAT_E_FBIG;
    }
    if (flags & FAT_ALLOCATE_KEEP_SIZE) {
        return fat_commit_around(fat_volume_of(file), set_aside_once, &r);
    }
    return grow_around(file, extend_once, &r);
}

void fat_file_closed(struct fat_node *file)
{
    fat_freemap_unreserve_speculative(file->tree->freemap, &file->reserve);
}

fat_err fat_node_sync(struct fat_node *node)
{
    return fat_commit_run(fat_volume_of(node));
}
