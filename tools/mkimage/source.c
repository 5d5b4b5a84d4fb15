/* SPDX-License-Identifier: MIT */
#include "mkimage/source.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <fatward/file.h>

#include "mkimage/complain.h"

bool source_path_start(struct source_path *path, const char *folder)
{
    const size_t length = strlen(folder);

    if (length == 0 || length >= sizeof(path->text)) {
        complain(folder, "%s", strerror(length == 0 ? ENOENT : ENAMETOOLONG));
        return false;
    }
    memcpy(path->text, folder, length + 1);
    path->length = length;
    return true;
}

bool source_path_push(struct source_path *path, const char *name)
{
    const size_t length = strlen(name);

    if (path->length + 1 + length >= sizeof(path->text)) {
        complain(path->text, "%s", strerror(ENAMETOOLONG));
        return false;
    }
    path->text[path->length] = '/';
    memcpy(path->text + path->length + 1, name, length + 1);
    path->length += 1 + length;
    return true;
}

void source_path_pop(struct source_path *path, size_t length)
{
    path->text[length] = '\0';
    path->length = length;
}

static const char *special_kind(mode_t mode)
{
    switch (mode & S_IFMT) {
    case S_IFLNK:
        return "a symbolic link, which FAT can't hold; --follow copies what it leads to";
    case S_IFIFO:
        return "a pipe, which FAT can't hold";
    case S_IFSOCK:
        return "a socket, which FAT can't hold";
    default:
        return "a device, which FAT can't hold";
    }
}

/* Why the entry with @st can't be copied; NULL if it can. */
static const char *refusal(const struct stat *st, const struct source_rules *rules)
{
    if (!S_ISREG(st->st_mode) && !S_ISDIR(st->st_mode)) {
        return special_kind(st->st_mode);
    }
    if (st->st_dev == rules->image_device && st->st_ino == rules->image_inode) {
        return "the image can't be made inside the folder that fills it";
    }
    if (S_ISREG(st->st_mode) && (uint64_t)st->st_size > FAT_FILE_SIZE_MAX) {
        return "larger than 4294967295 bytes, which is all that FAT can hold";
    }
    return NULL;
}

static bool list_grow(struct source_list *list, size_t *room)
{
    const size_t more = *room ? *room * 2 : 64;
    void *grown;

    if (list->count < *room) {
        return true;
    }
    grown = reallocarray(list->entries, more, sizeof(*list->entries));
    if (!grown) {
        return false;
    }
    list->entries = grown;
    *room = more;
    return true;
}

static bool list_add(
        struct source_list *list, size_t *room, const char *name, const struct stat *st)
{
    struct source_entry *entry;

    if (!list_grow(list, room)) {
        return false;
    }
    entry = &list->entries[list->count];
    memcpy(entry->name, name, strlen(name) + 1);
    entry->is_folder = S_ISDIR(st->st_mode);
    entry->size_bytes = S_ISREG(st->st_mode) ? (uint64_t)st->st_size : 0;
    entry->modified =
            (struct fat_time){st->st_mtim.tv_sec, (uint32_t)st->st_mtim.tv_nsec};
    entry->device = st->st_dev;
    entry->inode = st->st_ino;
    list->count++;
    return true;
}

static bool complain_in(struct source_path *path, const char *name, const char *why)
{
    const size_t length = path->length;

    if (source_path_push(path, name)) {
        complain(path->text, "%s", why);
        source_path_pop(path, length);
    }
    return false;
}

static bool add_name(DIR *stream, struct source_path *path,
        const struct source_rules *rules, const char *name, struct source_list *list,
        size_t *room)
{
    const int flags = rules->follow ? 0 : AT_SYMLINK_NOFOLLOW;
    const char *why;
    struct stat st;

    if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0) {
        return true;
    }
    if (strlen(name) > NAME_MAX) {
        return complain_in(path, name, strerror(ENAMETOOLONG));
    }
    if (fstatat(dirfd(stream), name, &st, flags) != 0) {
        return complain_in(path, name, strerror(errno));
    }
    why = refusal(&st, rules);
    if (why) {
        return complain_in(path, name, why);
    }
    if (!list_add(list, room, name, &st)) {
        return complain_in(path, name, strerror(ENOMEM));
    }
    return true;
}

static bool read_names(DIR *stream, struct source_path *path,
        const struct source_rules *rules, struct source_list *list)
{
    const struct dirent *found;
    size_t room = 0;

    for (;;) {
        errno = 0;
        found = readdir(stream);
        if (!found) {
            break;
        }
        if (!add_name(stream, path, rules, found->d_name, list, &room)) {
            return false;
        }
    }
    if (errno != 0) {
        complain(path->text, "%s", strerror(errno));
        return false;
    }
    return true;
}

/*
 * By bytes, but names with a tilde first: a short name is made up for each long
 * one, and LONGNA~1.TXT must not be taken by longname.txt when a file of that very
 * name is to come.
 */
static int compare(const void *left, const void *right)
{
    const struct source_entry *a = left;
    const struct source_entry *b = right;
    const int tilde_a = strchr(a->name, '~') != NULL;
    const int tilde_b = strchr(b->name, '~') != NULL;

    return tilde_a != tilde_b ? tilde_b - tilde_a : strcmp(a->name, b->name);
}

bool source_list_read(struct source_path *path, const struct source_rules *rules,
        struct source_list *ret)
{
    struct source_list list = {NULL, 0};
    DIR *stream = opendir(path->text);
    bool done;

    if (!stream) {
        complain(path->text, "%s", strerror(errno));
        return false;
    }
    done = read_names(stream, path, rules, &list);
    closedir(stream);
    if (!done) {
        source_list_free(&list);
        return false;
    }
    if (list.count > 1) {
        qsort(list.entries, list.count, sizeof(*list.entries), compare);
    }
    *ret = list;
    return true;
}

void source_list_free(struct source_list *list)
{
    free(list->entries);
    *list = (struct source_list){NULL, 0};
}
