/* SPDX-License-Identifier: MIT */
/* The door to renaming: what is allowed, and which way it goes. */
#include <fatward/namei.h>

#include <stdio.h>
#include <string.h>

#include "base/utf16.h"
#include "volume/commit.h"
#include "volume/rename.h"

struct request {
    struct fat_renaming renaming;
    struct fat_name old_name;
    unsigned flags;
    /* EXCHANGE of entries that are in different sectors, and what they are called. */
    bool apart;
    char old_stored[FAT_NAME_BYTES], new_stored[FAT_NAME_BYTES];
};

/* Is @directory the directory @node, or below it? Walks nodes, not what disk says. */
static bool is_below(const struct fat_node *directory, const struct fat_node *node)
{
    while (directory && directory != node) {
        directory = directory->place.parent;
    }
    return directory != NULL;
}

static fat_err may_replace(const struct fat_renaming *r)
{
    if (r->node->is_directory && !r->target->is_directory) {
        return FAT_E_NOTDIR;
    }
    if (!r->node->is_directory && r->target->is_directory) {
        return FAT_E_ISDIR;
    }
    return r->target->is_directory ? fat_dir_is_empty(r->target) : FAT_OK;
}

static fat_err look_up(struct request *q)
{
    struct fat_renaming *r = &q->renaming;
    fat_err err = fat_names_need_directory(r->old_directory);

    if (err == FAT_OK) {
        err = fat_names_need_directory(r->new_directory);
    }
    if (err == FAT_OK) {
        err = fat_names_find(r->old_directory, &q->old_name, &r->old, &r->node);
    }
    if (err == FAT_OK) {
        err = fat_names_find(r->new_directory, &r->name, &r->new, &r->target);
        err = err == FAT_E_NOENT ? FAT_OK : err;
    }
    return err;
}

/* The names as they are stored: EXCHANGE changes none of them. */
static fat_err note_names(struct request *q)
{
    const struct fat_renaming *r = &q->renaming;
    size_t bytes;
    fat_err err = fat_utf16_to_utf8(
            r->old.name, r->old.length, q->old_stored, sizeof(q->old_stored), &bytes);

    q->apart = true;
    return err == FAT_OK ? fat_utf16_to_utf8(r->new.name, r->new.length, q->new_stored,
                                   sizeof(q->new_stored), &bytes)
                         : err;
}

static fat_err exchange(struct request *q)
{
    struct fat_renaming *r = &q->renaming;
    fat_err err;

    if (!r->target) {
        return FAT_E_NOENT;
    }
    if (r->target == r->node) {
        return FAT_OK;
    }
    if (is_below(r->new_directory, r->node) || is_below(r->old_directory, r->target)) {
        return FAT_E_INVAL;
    }
    err = fat_rename_swap(r);
    return err == FAT_E_NOENT ? note_names(q) : err;
}

static fat_err respell(struct fat_renaming *r)
{
    fat_err err;

    if (fat_name_is_exact(&r->name, &r->old)) {
        return FAT_OK;
    }
    err = fat_rename_respell(r);
    return err == FAT_E_NOENT ? fat_rename_move(r) : err;
}

static fat_err decide(struct request *q)
{
    struct fat_renaming *r = &q->renaming;
    fat_err err;

    if (q->flags & FAT_RENAME_EXCHANGE) {
        return exchange(q);
    }
    if (r->node->is_directory && is_below(r->new_directory, r->node)) {
        return FAT_E_INVAL;
    }
    if (r->target == r->node) {
        return respell(r);
    }
    if (!r->target) {
        return fat_rename_move(r);
    }
    if (q->flags & FAT_RENAME_NOREPLACE) {
        return FAT_E_EXIST;
    }
    err = may_replace(r);
    return err == FAT_OK ? fat_rename_replace(r) : err;
}

static fat_err rename_once(void *context)
{
    struct request *q = context;
    struct fat_renaming *r = &q->renaming;
    fat_err err;

    r->node = r->target = NULL;
    fat_rwlock_write(&r->old_directory->tree->names);
    err = look_up(q);
    if (err == FAT_OK && r->node) {
        err = decide(q);
    }
    fat_rwlock_write_end(&r->old_directory->tree->names);
    fat_node_unref(r->node);
    fat_node_unref(r->target); /* may give up its clusters: an operation of its own */
    return err;
}

static fat_err run(struct fat_node *old_directory, const char *old_name,
        struct fat_node *new_directory, const char *new_name, struct request *q)
{
    fat_err err = fat_name_from(old_name, &q->old_name);

    q->renaming.old_directory = old_directory;
    q->renaming.new_directory = new_directory;
    if (err == FAT_OK) {
        err = fat_names_parse_new(new_name, &q->renaming.name);
    }
    return err == FAT_OK
                   ? fat_commit_around(fat_volume_of(old_directory), rename_once, q)
                   : err;
}

static fat_err plain(struct fat_node *old_directory, const char *old_name,
        struct fat_node *new_directory, const char *new_name)
{
    struct request q = {.flags = FAT_RENAME_NOREPLACE};
    fat_err err = run(old_directory, old_name, new_directory, new_name, &q);

    return err == FAT_OK ? fat_commit_run(fat_volume_of(old_directory)) : err;
}

/* FAT_E_EXIST: somebody has that name. */
static fat_err is_nobodys(struct fat_node *directory, const char *name)
{
    struct fat_found found;
    fat_err err = fat_lookup(directory, name, &found);

    if (err == FAT_OK) {
        fat_node_unref(found.node);
        return FAT_E_EXIST;
    }
    return err == FAT_E_NOENT ? FAT_OK : err;
}

enum { THIRD_NAMES = 1000 };

/* To a name that nobody has: another exchange may be looking for one too. */
static fat_err step_aside(
        struct fat_node *directory, const char *name, char *ret_third, size_t capacity)
{
    fat_err err = FAT_E_EXIST;

    for (unsigned i = 0; i < THIRD_NAMES && err == FAT_E_EXIST; i++) {
        (void)snprintf(ret_third, capacity, "fatward exchange %u", i);
        err = is_nobodys(directory, ret_third);
        if (err == FAT_OK) {
            err = plain(directory, name, directory, ret_third);
        }
    }
    return err;
}

/* Three renames over a third name, a commit after each (W4); undone if one fails. */
static fat_err exchange_apart(struct fat_node *a_directory, const char *a,
        struct fat_node *b_directory, const char *b)
{
    char third[32];
    fat_err err = step_aside(a_directory, a, third, sizeof(third));
    fat_err undone;

    if (err != FAT_OK) {
        return err;
    }
    err = plain(b_directory, b, a_directory, a);
    if (err == FAT_OK) {
        err = plain(a_directory, third, b_directory, b);
        undone = err == FAT_OK ? FAT_OK : plain(a_directory, a, b_directory, b);
        (void)undone; /* @err already says that it failed */
    }
    if (err != FAT_OK) {
        undone = plain(a_directory, third, a_directory, a);
        (void)undone;
    }
    return err;
}

fat_err fat_rename(struct fat_node *old_directory, const char *old_name,
        struct fat_node *new_directory, const char *new_name, unsigned flags)
{
    const unsigned known = FAT_RENAME_NOREPLACE | FAT_RENAME_EXCHANGE;
    struct request q = {.flags = flags};
    fat_err err;

    if ((flags & ~known) || flags == known) {
        return FAT_E_INVAL;
    }
    if (!old_directory->is_directory || !new_directory->is_directory) {
        return FAT_E_NOTDIR;
    }
    err = run(old_directory, old_name, new_directory, new_name, &q);
    if (err != FAT_OK || !(flags & FAT_RENAME_EXCHANGE)) {
        return err;
    }
    return q.apart ? exchange_apart(
                             old_directory, q.old_stored, new_directory, q.new_stored)
                   : fat_commit_run(fat_volume_of(old_directory));
}
