/* SPDX-License-Identifier: MIT */
#include "options.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>

#include "list.h"

enum treatment {
    FOR_THE_SERVER,
    FOR_MOUNT_8, /* its own bookkeeping: dropped                        */
    FOR_ROOT,    /* refused to ordinary users                           */
    FOR_NOBODY,  /* the helper decides: refused to all                  */
    FOR_US,      /* "service"                                           */
    OWNER_USER,  /* of one's own files only                             */
    OWNER_GROUP,
    TO_OTHERS,   /* wants the administrator's consent                   */
    TO_NOBODY,   /* its opposite: the later one counts                  */
    SETS_FLAG,   /* the server may not forget it                        */
    CLEARS_FLAG, /* goes to the server; a later opposite counts         */
    WEAKENS,     /* root may clear it, others are warned                */
};

/* A name with a final '=' has a value; one with a final '*' is a beginning. */
struct known {
    const char *name;
    enum treatment treatment;
    uint32_t flag;
};

static const struct known table[] = {
        {"ro", SETS_FLAG, MS_RDONLY},
        {"rw", CLEARS_FLAG, MS_RDONLY},
        {"noexec", SETS_FLAG, MS_NOEXEC},
        {"exec", CLEARS_FLAG, MS_NOEXEC},
        {"nosymfollow", SETS_FLAG, 256 /* MS_NOSYMFOLLOW */},
        {"symfollow", CLEARS_FLAG, 256},
        {"nosuid", SETS_FLAG, MS_NOSUID},
        {"suid", WEAKENS, MS_NOSUID},
        {"nodev", SETS_FLAG, MS_NODEV},
        {"dev", WEAKENS, MS_NODEV},
        {"uid=", OWNER_USER, 0},
        {"gid=", OWNER_GROUP, 0},
        {"allow_other", TO_OTHERS, 0},
        {"service", FOR_US, 0},
        {"noallow_other", TO_NOBODY, 0},
        {"umask=", FOR_THE_SERVER, 0},
        {"fmask=", FOR_THE_SERVER, 0},
        {"dmask=", FOR_THE_SERVER, 0},
        {"sync", FOR_THE_SERVER, 0},
        {"async", FOR_THE_SERVER, 0},
        {"dirsync", FOR_THE_SERVER, 0},
        {"flush", FOR_THE_SERVER, 0},
        {"commit=", FOR_THE_SERVER, 0},
        {"max_threads=", FOR_THE_SERVER, 0},
        {"max_read=", FOR_THE_SERVER, 0},
        {"max_readahead=", FOR_THE_SERVER, 0},
        {"max_background=", FOR_THE_SERVER, 0},
        {"atime", FOR_THE_SERVER, 0},
        {"noatime", FOR_THE_SERVER, 0},
        {"diratime", FOR_THE_SERVER, 0},
        {"nodiratime", FOR_THE_SERVER, 0},
        {"default_permissions", FOR_THE_SERVER, 0},
        {"relatime", FOR_THE_SERVER, 0},
        {"norelatime", FOR_THE_SERVER, 0},
        {"strictatime", FOR_THE_SERVER, 0},
        {"nostrictatime", FOR_THE_SERVER, 0},
        {"lazytime", FOR_THE_SERVER, 0},
        {"nolazytime", FOR_THE_SERVER, 0},
        {"iversion", FOR_THE_SERVER, 0},
        {"noiversion", FOR_THE_SERVER, 0},
        {"mand", FOR_THE_SERVER, 0},
        {"nomand", FOR_THE_SERVER, 0},
        {"silent", FOR_THE_SERVER, 0},
        {"loud", FOR_THE_SERVER, 0},
        {"utf8", FOR_THE_SERVER, 0},
        {"utf8=", FOR_THE_SERVER, 0},
        {"iocharset=", FOR_THE_SERVER, 0},
        {"codepage=", FOR_THE_SERVER, 0},
        {"shortname=", FOR_THE_SERVER, 0},
        {"errors=", FOR_THE_SERVER, 0},
        {"quiet", FOR_THE_SERVER, 0},
        {"fsname=", FOR_ROOT, 0},
        {"subtype=", FOR_ROOT, 0},
        {"allow_root", FOR_ROOT, 0},
        {"auto_unmount", FOR_ROOT, 0},
        {"context=", FOR_ROOT, 0},
        {"fscontext=", FOR_ROOT, 0},
        {"defcontext=", FOR_ROOT, 0},
        {"rootcontext=", FOR_ROOT, 0},
        {"fd=", FOR_NOBODY, 0},
        {"rootmode=", FOR_NOBODY, 0},
        {"user_id=", FOR_NOBODY, 0},
        {"group_id=", FOR_NOBODY, 0},
        {"setuid=", FOR_NOBODY, 0},
        {"drop_privileges", FOR_NOBODY, 0},
        {"defaults", FOR_MOUNT_8, 0},
        {"auto", FOR_MOUNT_8, 0},
        {"noauto", FOR_MOUNT_8, 0},
        {"fail", FOR_MOUNT_8, 0},
        {"nofail", FOR_MOUNT_8, 0},
        {"user", FOR_MOUNT_8, 0},
        {"user=", FOR_MOUNT_8, 0},
        {"nouser", FOR_MOUNT_8, 0},
        {"users", FOR_MOUNT_8, 0},
        {"nousers", FOR_MOUNT_8, 0},
        {"owner", FOR_MOUNT_8, 0},
        {"noowner", FOR_MOUNT_8, 0},
        {"group", FOR_MOUNT_8, 0},
        {"nogroup", FOR_MOUNT_8, 0},
        {"_netdev", FOR_MOUNT_8, 0},
        {"comment=", FOR_MOUNT_8, 0},
        {"uhelper=", FOR_MOUNT_8, 0},
        {"helper=", FOR_MOUNT_8, 0},
        {"x-*", FOR_MOUNT_8, 0},
        {"X-*", FOR_MOUNT_8, 0},
};

/* One run over a list. */
struct run {
    const struct fat_asker *asker;
    struct fat_options *options;
    bool has_user, has_group;
};

static bool matches(const char *name, const char *word)
{
    const size_t length = strlen(name);

    switch (name[length - 1]) {
    case '=':
        return strncmp(word, name, length) == 0;
    case '*':
        return strncmp(word, name, length - 1) == 0;
    default:
        return strcmp(word, name) == 0;
    }
}

static const struct known *look_up(const char *word)
{
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        if (matches(table[i].name, word)) {
            return &table[i];
        }
    }
    return NULL;
}

/* NULL, or why not. */
static const char *pass_on(struct run *run, const char *word)
{
    return fat_list_add(&run->options->list, word, strlen(word)) ? NULL
                                                                 : "finds no memory";
}

/* Decimal digits and nothing else; the largest number means "nobody". */
static bool parse_id(const char *text, uint32_t *ret)
{
    uint64_t id = 0;

    if (text[0] == '\0') {
        return false;
    }
    for (; *text; text++) {
        if (*text < '0' || *text > '9') {
            return false;
        }
        id = id * 10 + (uint64_t)(*text - '0');
        if (id >= UINT32_MAX) {
            return false;
        }
    }
    *ret = (uint32_t)id;
    return true;
}

static bool is_in_group(const struct fat_asker *asker, gid_t gid)
{
    bool found = gid == asker->gid;

    for (size_t i = 0; i < asker->group_count && !found; i++) {
        found = asker->groups[i] == gid;
    }
    return found;
}

static const char *take_owner(struct run *run, const char *word, bool group)
{
    uint32_t id;

    if (!parse_id(word + strlen("uid="), &id)) {
        return "is not a number";
    }
    if (group) {
        run->has_group = true;
    } else {
        run->has_user = true;
    }
    if (run->asker->uid != 0 &&
            !(group ? is_in_group(run->asker, id) : id == run->asker->uid)) {
        return group ? "is a group that is not yours" : "is not yours";
    }
    return pass_on(run, word);
}

static const char *take_flag(
        struct run *run, const char *word, const struct known *known)
{
    if (known->treatment == SETS_FLAG) {
        run->options->forced_flags |= known->flag;
    } else if (known->treatment == WEAKENS && run->asker->uid != 0) {
        run->options->weakened = true;
        return NULL;
    } else {
        run->options->forced_flags &= ~known->flag;
    }
    return pass_on(run, word);
}

/* Root may say what only his server knows. */
static const char *take_unknown(struct run *run, const char *word)
{
    if (run->asker->sloppy) {
        return NULL;
    }
    return run->asker->uid == 0 ? pass_on(run, word) : "is unknown, so only for root";
}

/* NULL, or why @word is refused. */
static const char *take(struct run *run, const char *word)
{
    const struct known *known = look_up(word);
    const bool root = run->asker->uid == 0;

    /* two who read quotes differently don't see the same words */
    if (!root && strpbrk(word, "\"\\")) {
        return "has a quote or a backslash";
    }
    if (!known) {
        return take_unknown(run, word);
    }
    switch (known->treatment) {
    case FOR_MOUNT_8:
        return NULL;
    case FOR_US:
        run->options->service_only = true;
        return NULL;
    case FOR_NOBODY:
        return "is not for the command line";
    case FOR_ROOT:
        if (!root) {
            return "is only for root";
        }
        break;
    case TO_OTHERS:
        if (!root && !run->asker->may_open_to_others) {
            return "is only for root, as /etc/fuse.conf has no user_allow_other";
        }
        run->options->closed = false;
        break;
    case TO_NOBODY:
        run->options->closed = true;
        break;
    case OWNER_USER:
    case OWNER_GROUP:
        return take_owner(run, word, known->treatment == OWNER_GROUP);
    case SETS_FLAG:
    case CLEARS_FLAG:
    case WEAKENS:
        return take_flag(run, word, known);
    case FOR_THE_SERVER:
        break;
    }
    return pass_on(run, word);
}

/* Cut the next word off; NULL: there is none. */
static char *next_word(char **rest)
{
    char *word = *rest;
    char *end = word;

    if (*word == '\0') {
        return NULL;
    }
    while (*end && *end != ',') {
        end += end[0] == '\\' && end[1] ? 2 : 1;
    }
    *rest = end;
    if (*end) {
        *end = '\0';
        (*rest)++;
    }
    return word;
}

/* The files of a user who did not say whose they are are his. */
static const char *add_owner(struct run *run)
{
    char word[32];
    const char *wrong = NULL;

    if (run->asker->uid == 0) {
        return NULL;
    }
    if (!run->has_user) {
        (void)snprintf(word, sizeof(word), "uid=%u", (unsigned)run->asker->uid);
        wrong = pass_on(run, word);
    }
    if (!run->has_group && !wrong) {
        (void)snprintf(word, sizeof(word), "gid=%u", (unsigned)run->asker->gid);
        wrong = pass_on(run, word);
    }
    return wrong;
}

static bool read_words(struct run *run, char *list, struct fat_refusal *ret_refusal)
{
    char *word = next_word(&list);

    for (; word; word = next_word(&list)) {
        if (word[0]) {
            ret_refusal->reason = take(run, word);
        }
        if (ret_refusal->reason) {
            (void)snprintf(ret_refusal->word, sizeof(ret_refusal->word), "%s", word);
            return false;
        }
    }
    ret_refusal->reason = add_owner(run);
    return !ret_refusal->reason;
}

/*
 * mount(8) runs its helper for that too, with the options as the kernel shows them: to
 * judge these would only hide what is wrong.
 */
static bool asks_for_remount(const char *list)
{
    while (list) {
        const size_t length = strcspn(list, ",");

        if (length == strlen("remount") && memcmp(list, "remount", length) == 0) {
            return true;
        }
        list = list[length] ? list + length + 1 : NULL;
    }
    return false;
}

bool fat_options_read(const char *list, const struct fat_asker *asker,
        struct fat_options *ret, struct fat_refusal *ret_refusal)
{
    struct fat_options options = {.forced_flags = MS_NOSUID | MS_NODEV};
    struct run run = {.asker = asker, .options = &options};
    char *copy;
    bool ok = false;

    *ret_refusal = (struct fat_refusal){.reason = NULL};
    if (asks_for_remount(list)) {
        *ret_refusal = (struct fat_refusal){.reason = "is not possible: unmount it and "
                                                      "mount it again, or let no one "
                                                      "write with remount,bind,ro",
                .word = "remount"};
        return false;
    }
    copy = strdup(list);
    options.list = calloc(1, 1);
    if (copy && options.list) {
        ok = read_words(&run, copy, ret_refusal);
    } else {
        ret_refusal->reason = "finds no memory";
    }
    free(copy);
    if (ok) {
        *ret = options;
    } else {
        fat_options_done(&options);
    }
    return ok;
}

void fat_options_done(struct fat_options *options)
{
    free(options->list);
    options->list = NULL;
}
