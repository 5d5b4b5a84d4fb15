/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE /* RENAME_NOREPLACE */
#include "ops.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <fatward/namei.h>

#include "committer.h"
#include "entry.h"

static void reply_entry(fuse_req_t req, const struct fat_naming *naming)
{
    struct fat_mount *mount = fat_mount_of(req);
    struct fuse_entry_param entry;
    const fat_err err = fat_entry_make(mount, naming, &entry);

    if (err < 0) {
        fat_mount_reply(req, err);
    } else if (fuse_reply_entry(req, &entry) != 0) {
        fat_entry_drop(mount, &entry); /* the caller was interrupted */
    }
}

/* A file's main number for a task that was sent round to find it. */
static bool must_be_main(fuse_req_t req, const struct fat_found *found)
{
    return !found->exact && !fat_node_is_directory(found->node) &&
           fat_redirect_is_under_way(
                   fat_mount_of(req)->redirect, fuse_req_ctx(req)->pid);
}

void fat_op_lookup(fuse_req_t req, fuse_ino_t parent, const char *name)
{
    struct fat_inode directory;
    struct fat_found found;
    fat_err err;

    if (!fat_mount_find(req, parent, &directory)) {
        return;
    }
    err = fat_lookup(directory.node, name, &found);
    fat_mount_done(fat_mount_of(req), &directory);
    if (err == FAT_E_NAME) {
        err = FAT_E_NOENT; /* no file can have it, as on vfat; creating it is EINVAL */
    }
    if (err < 0) {
        fat_mount_reply(req, err);
        return;
    }
    reply_entry(req, &(struct fat_naming){
                             .parent = parent,
                             .name = name,
                             .node = found.node,
                             .exact = found.exact,
                             .force_main = must_be_main(req, &found),
                     });
}

void fat_op_forget(fuse_req_t req, fuse_ino_t id, uint64_t times)
{
    struct fat_mount *mount = fat_mount_of(req);

    fat_inodes_forget(mount->inodes, id, times);
    fat_mount_gave_up(mount);
    fuse_reply_none(req);
}

void fat_op_forget_multi(fuse_req_t req, size_t count, struct fuse_forget_data *list)
{
    struct fat_mount *mount = fat_mount_of(req);

    for (size_t i = 0; i < count; i++) {
        fat_inodes_forget(mount->inodes, list[i].ino, list[i].nlookup);
    }
    fat_mount_gave_up(mount);
    fuse_reply_none(req);
}

typedef fat_err make_fn(struct fat_node *directory, const char *name,
        uint8_t attributes, struct fat_found *ret);

/*
 * Make a file or directory and the answer that names it. The mode is dropped, as
 * vfat does: what a program creates it can write, until it says chmod.
 */
static fat_err make(struct fat_mount *mount, const struct fat_inode *directory,
        const char *name, make_fn *function, struct fuse_entry_param *ret)
{
    struct fat_inode_room *room = fat_inodes_room(name);
    struct fat_found found;
    fat_err err;

    if (!room) {
        return FAT_E_NOMEM;
    }
    err = function(directory->node, name, 0, &found);
    if (err < 0) {
        fat_inode_room_free(room);
        return err;
    }
    err = fat_mount_renamed(mount);
    if (err < 0) {
        fat_inode_room_free(room);
        fat_node_unref(found.node);
        return err;
    }
    return fat_entry_make(mount,
            &(struct fat_naming){
                    .parent = directory->id,
                    .name = name,
                    .node = found.node,
                    .exact = found.exact,
                    .force_main = true, /* it is open, or nobody knows it yet */
                    .room = room,
            },
            ret);
}

static void make_and_reply(
        fuse_req_t req, fuse_ino_t parent, const char *name, make_fn *function)
{
    struct fat_mount *mount = fat_mount_of(req);
    struct fat_inode directory;
    struct fuse_entry_param entry;
    fat_err err;

    if (!fat_mount_find(req, parent, &directory)) {
        return;
    }
    err = make(mount, &directory, name, function, &entry);
    fat_mount_done(mount, &directory);
    if (err < 0) {
        fat_mount_reply(req, err);
    } else if (fuse_reply_entry(req, &entry) != 0) {
        fat_entry_drop(mount, &entry);
    }
}

/*
 * Somebody may have made the file in another spelling since this one was looked up:
 * then it is to be opened, and the kernel asks for that when the name is stale.
 */
static void reply_create_err(
        fuse_req_t req, fat_err err, const struct fuse_file_info *info)
{
    struct fat_redirect *redirect = fat_mount_of(req)->redirect;

    if (err == FAT_E_EXIST && !(info->flags & O_EXCL) &&
            fat_redirect_begin(redirect, fuse_req_ctx(req)->pid)) {
        fuse_reply_err(req, ESTALE);
    } else {
        fat_mount_reply(req, err);
    }
}

void fat_op_create(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode,
        struct fuse_file_info *info)
{
    struct fat_mount *mount = fat_mount_of(req);
    struct fat_inode directory;
    struct fuse_entry_param entry;
    fat_err err;

    (void)mode;
    if (!fat_mount_find(req, parent, &directory)) {
        return;
    }
    err = make(mount, &directory, name, fat_create, &entry);
    fat_mount_done(mount, &directory);
    if (err < 0) {
        reply_create_err(req, err, info);
        return;
    }
    fat_redirect_end(mount->redirect, fuse_req_ctx(req)->pid);
    info->keep_cache = 1;
    if (fuse_reply_create(req, &entry, info) != 0) {
        fat_entry_drop(mount, &entry);
    }
}

void fat_op_mknod(
        fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode, dev_t device)
{
    (void)device;
    if (S_ISREG(mode)) {
        make_and_reply(req, parent, name, fat_create);
    } else {
        fuse_reply_err(req, EPERM);
    }
}

void fat_op_mkdir(fuse_req_t req, fuse_ino_t parent, const char *name, mode_t mode)
{
    (void)mode;
    make_and_reply(req, parent, name, fat_mkdir);
}

/* What had @directory's @name has no name any more. */
static void mind_removed(struct fat_mount *mount, const struct fat_inode *directory,
        const char *name, struct fat_node *node)
{
    const struct fat_called was = {directory->id, name};
    struct fat_stale_name stale;
    struct fat_stat stat;
    fuse_ino_t id = 0;

    /* somebody else may have been removed instead, by the same name */
    if (!node || fat_node_stat(node, &stat) < 0 || stat.links > 0) {
        return;
    }
    while (fat_inodes_removed(mount->inodes, node, &was, &stale)) {
        fat_entry_announce(mount, &stale);
    }
    /* what was asked for below another spelling of the directory is not recorded */
    while ((id = fat_inodes_next(mount->inodes, directory->node, id)) != 0) {
        if (id != directory->id) {
            fat_notifier_name(mount->notifier, id, name);
        }
    }
}

/* Who has that name; .node NULL: nobody, or it can't be found out. */
static struct fat_found bearer(const struct fat_inode *directory, const char *name)
{
    struct fat_found found = {.node = NULL};
    const fat_err err = fat_lookup(directory->node, name, &found);

    (void)err; /* the operation itself will say it */
    return found;
}

typedef fat_err remove_fn(struct fat_node *directory, const char *name);

static fat_err remove_named(struct fat_mount *mount, const struct fat_inode *directory,
        const char *name, remove_fn *function)
{
    struct fat_found found = {.node = NULL};
    fat_err err;

    if (fat_inodes_has_aliases(mount->inodes)) {
        found = bearer(directory, name);
    }
    err = function(directory->node, name);
    if (err == FAT_OK) {
        mind_removed(mount, directory, name, found.node);
    }
    fat_node_unref(found.node);
    return err;
}

static void remove_and_reply(
        fuse_req_t req, fuse_ino_t parent, const char *name, remove_fn *function)
{
    struct fat_mount *mount = fat_mount_of(req);
    struct fat_inode directory;
    fat_err err;

    if (!fat_mount_find(req, parent, &directory)) {
        return;
    }
    err = remove_named(mount, &directory, name, function);
    if (err == FAT_OK) {
        err = fat_mount_renamed(mount);
    }
    fat_mount_done(mount, &directory);
    fat_mount_reply(req, err);
}

void fat_op_unlink(fuse_req_t req, fuse_ino_t parent, const char *name)
{
    remove_and_reply(req, parent, name, fat_unlink);
}

void fat_op_rmdir(fuse_req_t req, fuse_ino_t parent, const char *name)
{
    remove_and_reply(req, parent, name, fat_rmdir);
}

/* False: a flag that FAT knows nothing of. */
static bool translate_flags(unsigned flags, unsigned *ret)
{
    *ret = (flags & RENAME_NOREPLACE ? FAT_RENAME_NOREPLACE : 0u) |
           (flags & RENAME_EXCHANGE ? FAT_RENAME_EXCHANGE : 0u);
    return (flags & ~(unsigned)(RENAME_NOREPLACE | RENAME_EXCHANGE)) == 0;
}

/* One end of a rename. */
struct end {
    const struct fat_inode *directory;
    const char *name;
    struct fat_found found; /* .node NULL: nobody had the name, or it was not asked */
};

static void mind_name(struct fat_mount *mount, const struct end *end)
{
    fat_notifier_distrust(mount->notifier);
    fat_notifier_name(mount->notifier, end->directory->id, end->name);
}

/* What was at @from is at @to now; @name is a copy of that name, and taken over. */
static void mind_moved(struct fat_mount *mount, const struct end *from,
        const struct end *to, char *name)
{
    const struct fat_called was = {from->directory->id, from->name};
    struct fat_stale_name stale;

    if (from->found.node) {
        fat_inodes_renamed(
                mount->inodes, from->found.node, &was, to->directory->id, name, &stale);
        fat_entry_announce(mount, &stale);
    } else {
        free(name);
        mind_name(mount, to); /* for nobody knows whose it is */
    }
}

/*
 * The kernel goes on to call the file what the caller said, for as long as it was
 * told for the old name; but trailing dots are dropped on the way to the disk.
 */
static void mind_lost_dots(struct fat_mount *mount, const struct end *to)
{
    const size_t length = strlen(to->name);

    if (length > 0 && to->name[length - 1] == '.') {
        mind_name(mount, to);
    }
}

/* The kernel takes two spellings for two directories, of which one has replaced the other. */
static void mind_respelled(
        struct fat_mount *mount, const struct end *from, const struct end *to)
{
    const struct fat_called replaced = {to->directory->id, to->name};
    struct fat_node *node = to->found.node;

    if (node && node == from->found.node && fat_node_is_directory(node)) {
        fat_inodes_retire(mount->inodes, node, &replaced);
    }
}

static fat_err move(
        struct fat_mount *mount, struct end *from, struct end *to, unsigned flags)
{
    char *name = strdup(to->name); /* before: what is renamed can't be unmade */
    const fat_err err = name ? fat_rename(from->directory->node, from->name,
                                       to->directory->node, to->name, flags)
                             : FAT_E_NOMEM;

    if (err < 0) {
        free(name);
        return err;
    }
    mind_respelled(mount, from, to);
    mind_moved(mount, from, to, name);
    mind_removed(mount, to->directory, to->name, to->found.node);
    mind_lost_dots(mount, to);
    return err;
}

/* The names on disk stay as they are spelled, whatever the kernel calls them. */
static void mind_exchanged(struct fat_mount *mount, const struct end *end)
{
    if (!end->found.exact) {
        mind_name(mount, end);
    }
}

static fat_err exchange(
        struct fat_mount *mount, struct end *from, struct end *to, unsigned flags)
{
    char *new_name = strdup(to->name);
    char *old_name = strdup(from->name);
    const fat_err err = new_name && old_name
                                ? fat_rename(from->directory->node, from->name,
                                          to->directory->node, to->name, flags)
                                : FAT_E_NOMEM;

    if (err < 0 || from->found.node == to->found.node) {
        free(new_name);
        free(old_name);
    } else {
        mind_moved(mount, from, to, new_name);
        mind_moved(mount, to, from, old_name);
    }
    if (err == FAT_OK) {
        mind_exchanged(mount, from);
        mind_exchanged(mount, to);
    }
    return err;
}

static fat_err rename_named(struct fat_mount *mount, const struct fat_inode *from,
        const char *old_name, const struct fat_inode *to, const char *new_name,
        unsigned flags)
{
    struct end old = {.directory = from, .name = old_name};
    struct end new = {.directory = to, .name = new_name};
    const bool exchanged = (flags & FAT_RENAME_EXCHANGE) != 0;
    fat_err err;

    old.found = bearer(from, old_name);
    if (exchanged || fat_inodes_has_aliases(mount->inodes)) {
        new.found = bearer(to, new_name);
    }
    err = exchanged ? exchange(mount, &old, &new, flags)
                    : move(mount, &old, &new, flags);
    fat_node_unref(old.found.node);
    fat_node_unref(new.found.node);
    return err;
}

void fat_op_rename(fuse_req_t req, fuse_ino_t old_parent, const char *old_name,
        fuse_ino_t new_parent, const char *new_name, unsigned flags)
{
    struct fat_mount *mount = fat_mount_of(req);
    struct fat_inode from, to;
    unsigned fat_flags;
    fat_err err;

    if (!translate_flags(flags, &fat_flags)) {
        fuse_reply_err(req, EINVAL);
        return;
    }
    if (!fat_mount_find_two(req, old_parent, &from, new_parent, &to)) {
        return;
    }
    err = rename_named(mount, &from, old_name, &to, new_name, fat_flags);
    if (err == FAT_OK) {
        err = fat_mount_renamed(mount);
    }
    fat_mount_done(mount, &from);
    fat_mount_done(mount, &to);
    fat_mount_reply(req, err);
}

void fat_op_symlink(
        fuse_req_t req, const char *target, fuse_ino_t parent, const char *name)
{
    (void)target;
    (void)parent;
    (void)name;
    fuse_reply_err(req, EPERM);
}

void fat_op_link(fuse_req_t req, fuse_ino_t id, fuse_ino_t parent, const char *name)
{
    (void)id;
    (void)parent;
    (void)name;
    fuse_reply_err(req, EPERM);
}
