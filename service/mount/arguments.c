/* SPDX-License-Identifier: MIT */
#include "arguments.h"

#include <stdlib.h>
#include <string.h>

#include "list.h"

#define TYPE_LETTERS \
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._+-"

/* What is left to read, and what has been read for the first time. */
struct reader {
    char *const *words;
    int count, next;
    bool typed, all_positional;
    struct fat_arguments *arguments;
};

/* What follows @prefix in @text, or NULL. */
static const char *behind(const char *text, const char *prefix)
{
    const size_t length = strlen(prefix);

    return strncmp(text, prefix, length) == 0 ? text + length : NULL;
}

/* The type becomes a file's name, a part of the kernel's, and an argument. */
static const char *take_type(struct fat_arguments *arguments, const char *text)
{
    const char *inner = behind(text, "fuse.");

    if (!inner) {
        inner = behind(text, "fuseblk.");
    }
    if (inner) {
        text = inner;
    }
    if (text[0] == '\0' || text[0] == '.' || text[0] == '-' ||
            text[strspn(text, TYPE_LETTERS)] != '\0') {
        return "the type is not the name of a service";
    }
    if (strlen(text) > FAT_TYPE_LONGEST) {
        return "the type is too long";
    }
    memcpy(arguments->type, text, strlen(text) + 1);
    return NULL;
}

static const char *type_of_program(struct fat_arguments *arguments, const char *name)
{
    const char *slash = strrchr(name, '/');
    const char *suffix = behind(slash ? slash + 1 : name, "mount.");

    /* mount.fuse is run for any type and says which with -t */
    if (!suffix || strcmp(suffix, "fuse") == 0) {
        return "the type is missing: -t TYPE";
    }
    return take_type(arguments, suffix);
}

static const char *take_options(struct fat_arguments *arguments, const char *text)
{
    return fat_list_add(&arguments->options, text, strlen(text)) ? NULL
                                                                 : "out of memory";
}

static const char *take_timeout(struct fat_arguments *arguments, const char *text)
{
    unsigned seconds = 0;

    for (const char *digit = text; *digit; digit++) {
        if (*digit < '0' || *digit > '9' || seconds > FAT_TIMEOUT_MOST) {
            return "--timeout= takes 1 to 600 seconds";
        }
        seconds = seconds * 10 + (unsigned)(*digit - '0');
    }
    if (seconds < 1 || seconds > FAT_TIMEOUT_MOST) {
        return "--timeout= takes 1 to 600 seconds";
    }
    arguments->timeout_seconds = seconds;
    return NULL;
}

static const char *take_long(struct reader *reader, const char *name)
{
    const char *timeout = behind(name, "timeout=");

    if (timeout) {
        return take_timeout(reader->arguments, timeout);
    }
    if (strcmp(name, "check") == 0) {
        reader->arguments->task = FAT_TASK_CHECK;
    } else if (strcmp(name, "help") == 0) {
        reader->arguments->task = FAT_TASK_HELP;
    } else if (strcmp(name, "version") == 0) {
        reader->arguments->task = FAT_TASK_VERSION;
    } else if (name[0] == '\0') {
        reader->all_positional = true;
    } else {
        return "an option of two dashes that there is not";
    }
    return NULL;
}

/* An option that has a value: the rest of its word, or the next one. */
static const char *take_valued(struct reader *reader, char letter, const char *rest)
{
    const char *value = rest;

    if (value[0] == '\0') {
        if (reader->next == reader->count) {
            return letter == 'o' ? "-o without options" : "-t without a type";
        }
        value = reader->words[reader->next++];
    }
    if (letter == 'o') {
        return take_options(reader->arguments, value);
    }
    if (reader->typed) {
        return NULL; /* the first counts */
    }
    reader->typed = true;
    return take_type(reader->arguments, value);
}

static const char *take_letter(struct reader *reader, char letter)
{
    switch (letter) {
    case 's':
        reader->arguments->sloppy = true;
        return NULL;
    case 'f':
        reader->arguments->fake = true;
        return NULL;
    case 'n':
        reader->arguments->no_table = true;
        return NULL;
    case 'v':
        reader->arguments->verbose = true;
        return NULL;
    case 'h':
        reader->arguments->task = FAT_TASK_HELP;
        return NULL;
    case 'V':
        reader->arguments->task = FAT_TASK_VERSION;
        return NULL;
    case 'N':
        return "another mount namespace: enter it first, with nsenter(1)";
    default:
        return "an option that there is not";
    }
}

static const char *take_letters(struct reader *reader, const char *letters)
{
    const char *wrong = NULL;

    for (; *letters && !wrong; letters++) {
        if (*letters == 'o' || *letters == 't') {
            return take_valued(reader, *letters, letters + 1);
        }
        wrong = take_letter(reader, *letters);
    }
    return wrong;
}

static const char *take_positional(struct fat_arguments *arguments, const char *word)
{
    if (word[0] == '\0') {
        return "an empty word instead of a path";
    }
    /* the server would take it for an option */
    if (word[0] == '-') {
        return "a path that begins with a dash: write ./ before it";
    }
    if (!arguments->source) {
        arguments->source = word;
    } else if (!arguments->directory) {
        arguments->directory = word;
    } else {
        return "more than a source and a directory";
    }
    return NULL;
}

static const char *take_word(struct reader *reader)
{
    const char *word = reader->words[reader->next++];

    if (reader->all_positional || word[0] != '-' || word[1] == '\0') {
        return take_positional(reader->arguments, word);
    }
    return word[1] == '-' ? take_long(reader, word + 2)
                          : take_letters(reader, word + 1);
}

static const char *complete(struct reader *reader, const char *program)
{
    struct fat_arguments *arguments = reader->arguments;

    if (arguments->task == FAT_TASK_HELP || arguments->task == FAT_TASK_VERSION) {
        return NULL;
    }
    if (!reader->typed) {
        const char *wrong = type_of_program(arguments, program);

        if (wrong) {
            return wrong;
        }
    }
    return arguments->task == FAT_TASK_CHECK || arguments->directory
                   ? NULL
                   : "a source and a directory are needed";
}

const char *fat_arguments_parse(int argc, char *const *argv, struct fat_arguments *ret)
{
    struct reader reader = {.words = argv, .count = argc, .next = 1, .arguments = ret};
    const char *wrong = NULL;

    *ret = (struct fat_arguments){.timeout_seconds = FAT_TIMEOUT_DEFAULT};
    ret->options = calloc(1, 1);
    if (!ret->options) {
        return "out of memory";
    }
    /* execve(2) allows a program without even a name */
    if (argc < 1) {
        return "no arguments at all";
    }
    while (reader.next < reader.count && !wrong) {
        wrong = take_word(&reader);
    }
    return wrong ? wrong : complete(&reader, argv[0]);
}

void fat_arguments_done(struct fat_arguments *arguments)
{
    free(arguments->options);
    arguments->options = NULL;
}
