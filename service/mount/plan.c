/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE /* O_DIRECT, O_NOATIME */
#include "plan.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "list.h"

/* Glibc says this one since 2.37 only. */
enum { NO_SYMLINKS = 256 };

/* Others would make mount(2) move, bind or remount something that exists. */
#define MOUNT_FLAGS                                                             \
    ((uint32_t)(MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_SYNCHRONOUS | \
                MS_DIRSYNC | MS_NOATIME | MS_NODIRATIME | MS_RELATIME |         \
                MS_STRICTATIME | MS_LAZYTIME | MS_SILENT | NO_SYMLINKS))

/* Others would make or change a file, or give a descriptor of a directory. */
#define OPEN_FLAGS                                                              \
    ((uint32_t)(O_ACCMODE | O_EXCL | O_NONBLOCK | O_SYNC | O_DSYNC | O_DIRECT | \
                O_NOATIME | O_NOFOLLOW | O_NOCTTY | O_CLOEXEC | LARGE_FILE))

/* O_LARGEFILE is 0 where every file may be large, but a peer may still send it. */
enum { LARGE_FILE = 0100000 };

/* "=VALUE" as one of the words of a list separated by commas */
static bool list_has_value(const char *list, const char *value)
{
    const size_t length = strlen(value);

    while (list) {
        const size_t word = strcspn(list, ",");
        const char *equals = memchr(list, '=', word);

        if (equals && (size_t)(list + word - equals - 1) == length &&
                memcmp(equals + 1, value, length) == 0) {
            return true;
        }
        list = list[word] ? list + word + 1 : NULL;
    }
    return false;
}

/* The words are the type, the source, the directory, and maybe "-o" with its list. */
enum { WORD_SOURCE = 1, WORD_LIST = 4 };

static const char *find_list(const struct fat_plan_bounds *bounds)
{
    return bounds->word_count > WORD_LIST ? bounds->words[WORD_LIST] : NULL;
}

static bool is_on_command_line(const struct fat_plan_bounds *bounds, const char *text)
{
    return strcmp(bounds->words[WORD_SOURCE], text) == 0 ||
           list_has_value(find_list(bounds), text);
}

/* A number as an option's value is no file, even if there is one of that name. */
static bool is_file_of_command_line(
        const struct fat_plan_bounds *bounds, const char *text)
{
    return strcmp(bounds->words[WORD_SOURCE], text) == 0 ||
           (text[0] == '/' && list_has_value(find_list(bounds), text));
}

int fat_plan_allows_open(
        const struct fat_plan *plan, const struct fat_wire_message *message)
{
    if ((message->flags & ~(uint32_t)FAT_WIRE_QUIET) || plan->placed ||
            (message->open_flags & O_ACCMODE) == O_ACCMODE ||
            strlen(message->text) >= FAT_WIRE_LARGEST_PATH) {
        return EINVAL;
    }
    if (message->open_flags & ~OPEN_FLAGS) {
        return EPERM;
    }
    if (!is_file_of_command_line(&plan->bounds, message->text)) {
        return EPERM;
    }
    /* who says ro may have reason not to trust the medium: so not its server either */
    return (plan->bounds.forced_flags & MS_RDONLY) &&
                           (message->open_flags & O_ACCMODE) != O_RDONLY
                   ? EROFS
                   : 0;
}

static bool has_begun(const struct fat_plan *plan)
{
    return plan->source || plan->placed || plan->has_kernel || plan->has_table;
}

/* Later it would change what has been answered already. */
static int take_type(struct fat_plan *plan, uint32_t flags)
{
    const bool fuseblk = flags == FAT_WIRE_FUSEBLK;

    if (plan->typed || has_begun(plan) || (flags && !fuseblk)) {
        return EINVAL;
    }
    if (fuseblk && !plan->bounds.root) {
        return EPERM;
    }
    plan->typed = true;
    plan->fuseblk = fuseblk;
    return 0;
}

/*
 * A mount must not pass for another's; and whoever unmounts it may open the source. With
 * fuseblk the kernel does so.
 */
static int take_source(struct fat_plan *plan, const char *source)
{
    const struct fat_plan_bounds *bounds = &plan->bounds;

    if (plan->source) {
        return EINVAL;
    }
    if (plan->fuseblk ? !is_file_of_command_line(bounds, source)
                      : !is_on_command_line(bounds, source) &&
                                strcmp(source, bounds->words[0]) != 0) {
        return EPERM;
    }
    plan->source = strdup(source);
    return plan->source ? 0 : ENOMEM;
}

static int take_mountpoint(
        struct fat_plan *plan, const struct fat_wire_message *message)
{
    const struct fat_plan_bounds *bounds = &plan->bounds;
    const mode_t format = message->format;

    if (plan->placed || (format != 0 && format != S_IFDIR && format != S_IFREG) ||
            strcmp(message->text, bounds->directory) != 0) {
        return EINVAL;
    }
    if (format != 0 && format != bounds->mountpoint_type) {
        return format == S_IFDIR ? ENOTDIR : EISDIR;
    }
    plan->placed = true;
    return 0;
}

static int take_options(struct fat_plan *plan, const char *list)
{
    const struct fat_kernel_rights rights = {.root = plan->bounds.root,
            .may_open_to_others = plan->bounds.may_open_to_others,
            .fuseblk = plan->fuseblk,
            .list = find_list(&plan->bounds)};
    int error;

    if (plan->has_kernel || plan->mounted) {
        return EINVAL;
    }
    error = fat_kernel_options_read(list, &rights, &plan->kernel);
    plan->has_kernel = error == 0;
    return error;
}

/*
 * mount(8) and umount(8) act on some words of their table, as root: only those go in
 * that are somebody else's.
 */
static bool is_for_table(const char *word, size_t length)
{
    static const char others[] = "x-";
    static const char its_own[] = "x-mount.";

    return length > strlen(others) && memcmp(word, others, strlen(others)) == 0 &&
           !(length >= strlen(its_own) &&
                   memcmp(word, its_own, strlen(its_own)) == 0) &&
           !memchr(word, '\\', length) && !memchr(word, '"', length);
}

static bool is_word(const char *text, size_t length, const char *wanted)
{
    return length == strlen(wanted) && memcmp(text, wanted, length) == 0;
}

/* The user= of whoever mounts is known better here, and the kernel shows it. */
static bool is_skipped(const char *word, size_t length)
{
    return length == 0 || is_word(word, length, "-n") ||
           (length >= strlen("user=") && memcmp(word, "user=", strlen("user=")) == 0);
}

/* @silent: mount(8)'s table is not to be touched at all. */
static int collect_table_words(const char *list, char **table, bool *silent)
{
    while (list) {
        const size_t length = strcspn(list, ",");

        if (is_for_table(list, length)) {
            if (!fat_list_add(table, list, length)) {
                return ENOMEM;
            }
        } else if (!is_skipped(list, length)) {
            return EINVAL;
        }
        *silent = *silent || is_word(list, length, "-n");
        list = list[length] ? list + length + 1 : NULL;
    }
    return 0;
}

static int take_table_options(struct fat_plan *plan, const char *list)
{
    bool silent = false;
    char *table;
    int error;

    if (plan->has_table || plan->mounted) {
        return EINVAL;
    }
    table = calloc(1, 1);
    error = table ? collect_table_words(list, &table, &silent) : ENOMEM;
    plan->has_table = error == 0;
    if (error || silent || table[0] == '\0') {
        free(table);
        return error;
    }
    plan->table = table;
    return 0;
}

static int take_mount(struct fat_plan *plan, uint32_t flags)
{
    if (plan->mounted) {
        return EBUSY;
    }
    if (!plan->source || !plan->placed || (flags & ~MOUNT_FLAGS)) {
        return EINVAL;
    }
    plan->flags = flags | plan->bounds.forced_flags;
    return 0;
}

int fat_plan_take(struct fat_plan *plan, const struct fat_wire_message *message)
{
    switch (message->kind) {
    case FAT_WIRE_TYPE:
        return take_type(plan, message->flags);
    case FAT_WIRE_SOURCE:
        return take_source(plan, message->text);
    case FAT_WIRE_MOUNTPOINT:
        return take_mountpoint(plan, message);
    case FAT_WIRE_OPTIONS:
        return take_options(plan, message->text);
    case FAT_WIRE_TABLE_OPTIONS:
        return take_table_options(plan, message->text);
    case FAT_WIRE_MOUNT:
        return take_mount(plan, message->flags);
    case FAT_WIRE_HELLO:
    case FAT_WIRE_HELLO_REPLY:
    case FAT_WIRE_FILE:
    case FAT_WIRE_OPEN:
    case FAT_WIRE_OPEN_DEVICE:
    case FAT_WIRE_GOODBYE:
    case FAT_WIRE_REPLY:
        break;
    }
    return EINVAL;
}

void fat_plan_done(struct fat_plan *plan)
{
    free(plan->source);
    free(plan->table);
    fat_kernel_options_done(&plan->kernel);
    *plan = (struct fat_plan){.source = NULL};
}
