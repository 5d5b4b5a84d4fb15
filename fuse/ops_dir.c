/* SPDX-License-Identifier: MIT */
/*
 * Reading directories. An offset is what fat_dir_next() gave as its cookie, behind
 * two for "." and ".."; it stays good while the directory changes, so nothing is
 * kept between two requests.
 */
#include "ops.h"

#include <errno.h>
#include <stdlib.h>

#include <fatward/namei.h>

#include "entry.h"

enum { DOT_OFFSET = 0, DOT_DOT_OFFSET = 1, FIRST_OFFSET = 2 };

struct listing {
    fuse_req_t req;
    struct fat_mount *mount;
    struct fat_inode directory;
    off_t offset; /* where the next entry is looked for */
    bool plus;
    char *buffer;
    size_t size, used;
};

/* False: it does not fit any more. */
static bool add(struct listing *l, const char *name,
        const struct fuse_entry_param *entry, off_t next_offset)
{
    const size_t room = l->size - l->used;
    char *to = l->buffer + l->used;
    const size_t needed =
            l->plus ? fuse_add_direntry_plus(l->req, to, room, name, entry, next_offset)
                    : fuse_add_direntry(
                              l->req, to, room, name, &entry->attr, next_offset);

    if (needed > room) {
        return false;
    }
    l->used += needed;
    l->offset = next_offset;
    return true;
}

static fat_err ino_of_parent(const struct listing *l, uint64_t *ret)
{
    struct fat_node *parent = fat_node_parent(l->directory.node);
    struct fat_stat stat;
    const fat_err err = fat_node_stat(parent, &stat);

    fat_node_unref(parent);
    if (err < 0) {
        return err;
    }
    *ret = stat.ino;
    return FAT_OK;
}

static fat_err ino_of_self(const struct listing *l, uint64_t *ret)
{
    struct fat_stat stat;
    const fat_err err = fat_node_stat(l->directory.node, &stat);

    if (err < 0) {
        return err;
    }
    *ret = fat_attr_ino(&l->directory, stat.ino);
    return FAT_OK;
}

/* "." and ".." carry no number: the kernel knows both already. FAT_END: full. */
static fat_err add_dots(struct listing *l)
{
    while (l->offset < FIRST_OFFSET) {
        struct fuse_entry_param entry = {.attr.st_mode = S_IFDIR};
        const bool self = l->offset == DOT_OFFSET;
        uint64_t ino = 0;
        const fat_err err = self ? ino_of_self(l, &ino) : ino_of_parent(l, &ino);

        if (err < 0) {
            return err;
        }
        entry.attr.st_ino = ino;
        if (!add(l, self ? "." : "..", &entry, l->offset + 1)) {
            return FAT_END;
        }
    }
    return FAT_OK;
}

static fat_err add_plain(
        struct listing *l, const struct fat_dir_entry *found, off_t next_offset)
{
    const struct fuse_entry_param entry = {
            .attr.st_ino = found->ino,
            .attr.st_mode = found->is_directory ? S_IFDIR : S_IFREG,
    };

    return add(l, found->name, &entry, next_offset) ? FAT_OK : FAT_END;
}

static fat_err add_plus(
        struct listing *l, const struct fat_dir_entry *found, off_t next_offset)
{
    struct fat_naming naming = {
            .parent = l->directory.id, .name = found->name, .exact = true};
    struct fuse_entry_param entry;
    fat_err err = fat_dir_node(l->directory.node, found, &naming.node);

    if (err == FAT_E_NOENT) {
        l->offset = next_offset; /* removed since it was read */
        return FAT_OK;
    }
    if (err == FAT_OK) {
        err = fat_entry_make(l->mount, &naming, &entry);
    }
    if (err < 0) {
        /* one bad entry must not hide the others: it is listed, and stat says why */
        return add_plain(l, found, next_offset);
    }
    if (!add(l, found->name, &entry, next_offset)) {
        fat_entry_drop(l->mount, &entry);
        return FAT_END;
    }
    return FAT_OK;
}

static fat_err fill(struct listing *l)
{
    struct fat_dir_entry found;
    fat_err err = add_dots(l);

    while (err == FAT_OK) {
        uint32_t cookie = (uint32_t)(l->offset - FIRST_OFFSET);

        err = fat_dir_next(l->directory.node, &cookie, &found);
        if (err == FAT_OK) {
            const off_t next_offset = (off_t)cookie + FIRST_OFFSET;

            err = l->plus ? add_plus(l, &found, next_offset)
                          : add_plain(l, &found, next_offset);
        }
    }
    return err;
}

static void fill_and_reply(struct listing *l)
{
    const fat_err err = fill(l);

    /* what was read before an error is handed out first: the error comes again */
    if (err < 0 && l->used == 0) {
        fat_mount_reply(l->req, err);
    } else {
        fuse_reply_buf(l->req, l->buffer, l->used);
    }
}

static void list(fuse_req_t req, fuse_ino_t id, size_t size, off_t offset, bool plus)
{
    struct listing l = {
            .req = req,
            .mount = fat_mount_of(req),
            .offset = offset,
            .plus = plus,
            .size = size,
    };

    if (offset < 0 || offset > (off_t)UINT32_MAX) {
        fuse_reply_err(req, EINVAL);
        return;
    }
    if (!fat_mount_find(req, id, &l.directory)) {
        return;
    }
    l.buffer = malloc(size);
    if (l.buffer) {
        fill_and_reply(&l);
    } else {
        fuse_reply_err(req, ENOMEM);
    }
    free(l.buffer);
    fat_mount_done(l.mount, &l.directory);
}

void fat_op_opendir(fuse_req_t req, fuse_ino_t id, struct fuse_file_info *info)
{
    (void)id;
    fuse_reply_open(req, info);
}

void fat_op_readdir(fuse_req_t req, fuse_ino_t id, size_t size, off_t offset,
        struct fuse_file_info *info)
{
    (void)info;
    list(req, id, size, offset, false);
}

void fat_op_readdirplus(fuse_req_t req, fuse_ino_t id, size_t size, off_t offset,
        struct fuse_file_info *info)
{
    (void)info;
    list(req, id, size, offset, true);
}

/* All of it, not the directory alone: the umount helper counts on that. */
void fat_op_fsyncdir(
        fuse_req_t req, fuse_ino_t id, int data_only, struct fuse_file_info *info)
{
    (void)id;
    (void)data_only;
    (void)info;
    fat_mount_reply(req, fat_volume_commit(fat_mount_of(req)->volume));
}
