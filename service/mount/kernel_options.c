/* SPDX-License-Identifier: MIT */
#include "kernel_options.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum kind { A_FLAG, A_NUMBER, A_CONTEXT, OPENS_TO_OTHERS, BLOCK_SIZE, SKIPPED };

static const struct {
    const char *name;
    enum kind kind;
} table[] = {
        {"default_permissions", A_FLAG},
        {"allow_other", OPENS_TO_OTHERS},
        {"max_read", A_NUMBER},
        {"blksize", BLOCK_SIZE},
        {"context", A_CONTEXT},
        {"fscontext", A_CONTEXT},
        {"defcontext", A_CONTEXT},
        {"rootcontext", A_CONTEXT},
        {"ro", SKIPPED},
        {"rw", SKIPPED},
        {"suid", SKIPPED},
        {"nosuid", SKIPPED},
        {"dev", SKIPPED},
        {"nodev", SKIPPED},
        {"exec", SKIPPED},
        {"noexec", SKIPPED},
        {"sync", SKIPPED},
        {"async", SKIPPED},
        {"dirsync", SKIPPED},
        {"atime", SKIPPED},
        {"noatime", SKIPPED},
        {"diratime", SKIPPED},
        {"nodiratime", SKIPPED},
        {"symfollow", SKIPPED},
        {"nosymfollow", SKIPPED},
};

static bool find_kind(const char *name, enum kind *ret)
{
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        if (strcmp(table[i].name, name) == 0) {
            *ret = table[i].kind;
            return true;
        }
    }
    return false;
}

static bool is_number(const char *value)
{
    return value && value[0] && strlen(value) <= 10 &&
           value[strspn(value, "0123456789")] == '\0';
}

static bool is_context(const char *value)
{
    return value && value[0] && !strchr(value, '"');
}

/* Past @text in the list at @at, whose quotes and backslashes don't count, or NULL. */
static const char *pass(const char *at, const char *text)
{
    for (;; at++) {
        if (*at == '"' || *at == '\\') {
            continue;
        }
        if (*text == '\0') {
            return at;
        }
        if (*at != *text++) {
            return NULL;
        }
    }
}

/* Labels decide who may do what with the files: that is the administrator's to say. */
static bool is_in_list(const char *list, const struct fat_kernel_option *option)
{
    while (list) {
        const char *at = pass(list, option->name);

        at = at && *at == '=' ? pass(at + 1, option->value) : NULL;
        if (at && (*at == ',' || *at == '\0')) {
            return true;
        }
        list = strchr(list, ',');
        list = list ? list + 1 : NULL;
    }
    return false;
}

/* 0: it may be so. */
static int judge(const struct fat_kernel_option *option, enum kind kind,
        const struct fat_kernel_rights *rights)
{
    switch (kind) {
    case A_FLAG:
        return option->value ? EINVAL : 0;
    case OPENS_TO_OTHERS:
        if (option->value) {
            return EINVAL;
        }
        return rights->may_open_to_others ? 0 : EPERM;
    case A_NUMBER:
        return is_number(option->value) ? 0 : EINVAL;
    case BLOCK_SIZE:
        return is_number(option->value) && rights->fuseblk ? 0 : EINVAL;
    case A_CONTEXT:
        if (!rights->root) {
            return EPERM;
        }
        if (!is_context(option->value)) {
            return EINVAL;
        }
        return is_in_list(rights->list, option) ? 0 : EPERM;
    case SKIPPED:
        return option->value ? EINVAL : 0;
    }
    return EINVAL;
}

/* Cut the next word off, at the first comma that is not in quotes. */
static char *next_word(char **rest)
{
    char *word = *rest;
    char *end = word;
    bool quoted = false;

    if (*word == '\0') {
        return NULL;
    }
    for (; *end && (quoted || *end != ','); end++) {
        quoted = quoted != (*end == '"');
    }
    *rest = end;
    if (*end) {
        *end = '\0';
        (*rest)++;
    }
    return word;
}

static void split(char *word, struct fat_kernel_option *ret)
{
    char *value = strchr(word, '=');
    size_t length;

    *ret = (struct fat_kernel_option){.name = word};
    if (!value) {
        return;
    }
    *value = '\0';
    value++;
    length = strlen(value);
    if (length >= 2 && value[0] == '"' && value[length - 1] == '"') {
        value[length - 1] = '\0';
        value++;
    }
    ret->value = value;
}

static int take(char *word, const struct fat_kernel_rights *rights,
        struct fat_kernel_options *options)
{
    struct fat_kernel_option option;
    enum kind kind;
    int error;

    split(word, &option);
    if (!find_kind(option.name, &kind)) {
        return EINVAL;
    }
    error = judge(&option, kind, rights);
    if (error || kind == SKIPPED) {
        return error;
    }
    if (options->count == FAT_KERNEL_OPTIONS_MOST) {
        return EINVAL;
    }
    options->options[options->count++] = option;
    return 0;
}

static bool has_flag(const struct fat_kernel_options *options, const char *name)
{
    for (unsigned i = 0; i < options->count; i++) {
        if (strcmp(options->options[i].name, name) == 0) {
            return true;
        }
    }
    return false;
}

/* Without it, a server that has been taken over would answer for everybody's rights. */
static int complete(struct fat_kernel_options *options)
{
    const struct fat_kernel_option judged = {.name = "default_permissions"};

    if (!has_flag(options, "allow_other") || has_flag(options, judged.name)) {
        return 0;
    }
    if (options->count == FAT_KERNEL_OPTIONS_MOST) {
        return EINVAL;
    }
    options->options[options->count++] = judged;
    return 0;
}

int fat_kernel_options_read(const char *list, const struct fat_kernel_rights *rights,
        struct fat_kernel_options *ret)
{
    struct fat_kernel_options options = {.text = strdup(list)};
    char *rest = options.text;
    int error = 0;

    if (!options.text) {
        return ENOMEM;
    }
    for (char *word = next_word(&rest); word && !error; word = next_word(&rest)) {
        error = word[0] ? take(word, rights, &options) : 0;
    }
    error = error ? error : complete(&options);
    if (error) {
        fat_kernel_options_done(&options);
    } else {
        *ret = options;
    }
    return error;
}

static bool write_option(FILE *out, const struct fat_kernel_option *option)
{
    const char *quote = option->value && strchr(option->value, ',') ? "\"" : "";

    return option->value ? fprintf(out, ",%s=%s%s%s", option->name, quote,
                                   option->value, quote) > 0
                         : fprintf(out, ",%s", option->name) > 0;
}

char *fat_kernel_options_join(const struct fat_kernel_options *options)
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    bool ok = out != NULL;

    for (unsigned i = 0; i < options->count && ok; i++) {
        ok = write_option(out, &options->options[i]);
    }
    ok = (!out || fclose(out) == 0) && ok;
    if (!ok) {
        free(text);
    }
    return ok ? text : NULL;
}

void fat_kernel_options_done(struct fat_kernel_options *options)
{
    free(options->text);
    *options = (struct fat_kernel_options){.text = NULL};
}
