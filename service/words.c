/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE /* MS_NOSYMFOLLOW */
#include "service/words.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

/* Linux 5.10; a C library may be older */
#ifndef MS_NOSYMFOLLOW
#define MS_NOSYMFOLLOW 256
#endif

static const struct {
    const char *on;
    const char *off;
    uint32_t flag;
} flags[] = {
        {"ro", "rw", MS_RDONLY},
        {"nosuid", "suid", MS_NOSUID},
        {"nodev", "dev", MS_NODEV},
        {"noexec", "exec", MS_NOEXEC},
        {"sync", "async", MS_SYNCHRONOUS},
        {"dirsync", NULL, MS_DIRSYNC},
        {"noatime", "atime", MS_NOATIME},
        {"nodiratime", "diratime", MS_NODIRATIME},
        {"nosymfollow", "symfollow", MS_NOSYMFOLLOW},
};

/* Those with a value end in '='. */
static const struct {
    const char *name;
    bool is_context; /* its value may be in quotes, with commas */
} kernel_words[] = {
        {"allow_other", false},
        {"default_permissions", false},
        {"max_read=", false},
        {"blksize=", false},
        {"context=", true},
        {"fscontext=", true},
        {"defcontext=", true},
        {"rootcontext=", true},
};

static const char *const table_words[] = {"x-", "X-", "user="};

static bool begins(const char *word, const char *with)
{
    return strncmp(word, with, strlen(with)) == 0;
}

static bool is_context(const char *word)
{
    for (size_t i = 0; i < COUNT(kernel_words); i++) {
        if (kernel_words[i].is_context && begins(word, kernel_words[i].name)) {
            return true;
        }
    }
    return false;
}

static bool is_escaped(const char *at)
{
    return at[0] == '\\' && (at[1] == ',' || at[1] == '\\');
}

/*
 * Where the word that begins at @word ends. Quotes count in contexts only, where
 * labels have commas of their own; a quote that nobody closes is a quote like any.
 */
static const char *word_end(const char *word)
{
    const bool quotes = is_context(word);
    const char *at = word;

    while (*at && *at != ',') {
        if (is_escaped(at)) {
            at++;
        } else if (quotes && *at == '"') {
            const char *const closing = strchr(at + 1, '"');

            at = closing ? closing : at;
        }
        at++;
    }
    return at;
}

/* In place. */
static void take_backslashes(char *word)
{
    char *to = word;

    for (const char *from = word; *from; from++) {
        from += is_escaped(from);
        *to++ = *from;
    }
    *to = '\0';
}

/*
 * Whether the kernel takes @word for one option: it splits at every comma, save that
 * its security modules spare those in quotes.
 */
static bool is_one_for_kernel(const char *word)
{
    const bool may_quote = is_context(word);
    bool quoted = false;

    for (const char *at = word; *at; at++) {
        if (*at == '"') {
            quoted = !quoted;
        } else if (*at == ',' && !(quoted && may_quote)) {
            return false;
        }
    }
    return !quoted;
}

static bool is_for_kernel(const char *word)
{
    for (size_t i = 0; i < COUNT(kernel_words); i++) {
        const char *const name = kernel_words[i].name;

        if (strchr(name, '=') ? begins(word, name) : strcmp(word, name) == 0) {
            return is_one_for_kernel(word);
        }
    }
    return false;
}

static bool is_for_table(const char *word)
{
    for (size_t i = 0; i < COUNT(table_words); i++) {
        if (begins(word, table_words[i])) {
            return true;
        }
    }
    return false;
}

static bool set_flag(uint32_t *all, const char *word)
{
    for (size_t i = 0; i < COUNT(flags); i++) {
        if (strcmp(word, flags[i].on) == 0) {
            *all |= flags[i].flag;
            return true;
        }
        if (flags[i].off && strcmp(word, flags[i].off) == 0) {
            *all &= ~flags[i].flag;
            return true;
        }
    }
    return false;
}

static bool add_word(char **list, const char *word)
{
    const size_t old = *list ? strlen(*list) : 0;
    const size_t bytes = strlen(word) + 1;
    char *const longer = realloc(*list, old + 1 + bytes);

    if (!longer) {
        return false;
    }
    if (old > 0) {
        longer[old] = ',';
    }
    memcpy(longer + old + (old > 0), word, bytes);
    *list = longer;
    return true;
}

/*
 * @written   as it stands in the list
 * @word      what that means
 */
static bool sort_word(struct fat_words *words, const char *written, const char *word)
{
    if (set_flag(&words->flags, word)) {
        return true;
    }
    if (is_for_kernel(word)) {
        return add_word(&words->kernel, word);
    }
    /* these lists are read by those who know what a backslash means */
    if (is_for_table(word)) {
        return add_word(&words->table, written);
    }
    return add_word(&words->rest, written);
}

bool fat_words_sort(struct fat_words *words, const char *list)
{
    const char *end;
    bool ok = true;

    for (const char *at = list; ok && *at; at = end + (*end == ',')) {
        char *written;
        char *word;

        end = word_end(at);
        if (end == at) {
            continue;
        }
        written = strndup(at, (size_t)(end - at));
        word = written ? strdup(written) : NULL;
        if (word) {
            take_backslashes(word);
        }
        ok = word && sort_word(words, written, word);
        free(word);
        free(written);
    }
    return ok;
}

void fat_words_init(struct fat_words *words)
{
    *words = (struct fat_words){.flags = MS_NOSUID | MS_NODEV};
}

void fat_words_done(struct fat_words *words)
{
    free(words->kernel);
    free(words->table);
    free(words->rest);
    fat_words_init(words);
}
