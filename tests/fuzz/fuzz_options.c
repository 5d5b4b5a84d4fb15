/* SPDX-License-Identifier: MIT */
/*
 * Option lists and command lines as an ordinary user may write them: nothing that is
 * refused to him gets through, and what is sorted once is sorted for good.
 */
#include <string.h>
#include <sys/mount.h>

#include "fuzz.h"
#include "service/mount/arguments.h"
#include "service/mount/fuse_conf.h"
#include "service/mount/kernel_options.h"
#include "service/mount/mount_table.h"
#include "service/mount/options.h"
#include "service/words.h"

enum { ARGUMENTS_MAX = 16 };

static bool has_word(const char *list, const char *word)
{
    const size_t length = strlen(word);

    for (const char *at = list; at; at = strchr(at, ',')) {
        at += *at == ',';
        if (strncmp(at, word, length) == 0 &&
                (word[length - 1] == '=' || at[length] == '\0' || at[length] == ',')) {
            return true;
        }
    }
    return false;
}

static void check_words(const char *text)
{
    static const char *const ours[] = {"fd=", "rootmode=", "user_id=", "group_id="};
    struct fat_words words;
    struct fat_words again;

    fat_words_init(&words);
    fat_words_init(&again);
    PROMISE(fat_words_sort(&words, text));
    if (words.kernel) {
        for (size_t i = 0; i < sizeof(ours) / sizeof(ours[0]); i++) {
            PROMISE(strncmp(words.kernel, ours[i], strlen(ours[i])) != 0);
        }
    }
    if (words.rest) {
        PROMISE(fat_words_sort(&again, words.rest));
        PROMISE(!again.kernel && !again.table && again.rest);
        PROMISE(strcmp(again.rest, words.rest) == 0);
    }
    fat_words_done(&again);
    fat_words_done(&words);
}

static void check_options(const char *text, uint8_t how)
{
    static const gid_t groups[] = {100, 200};
    const struct fat_asker asker = {.uid = how & 1 ? 0 : 1000,
            .gid = 1000,
            .groups = groups,
            .group_count = 2,
            .may_open_to_others = (how & 2) != 0,
            .sloppy = (how & 4) != 0};
    struct fat_options options;
    struct fat_refusal refusal;

    if (!fat_options_read(text, &asker, &options, &refusal)) {
        PROMISE(refusal.reason && strlen(refusal.word) < sizeof(refusal.word));
        return;
    }
    if (asker.uid != 0) {
        PROMISE(options.forced_flags & MS_NOSUID && options.forced_flags & MS_NODEV);
        PROMISE(has_word(options.list, "uid=") && has_word(options.list, "gid="));
        PROMISE(!has_word(options.list, "fd=") && !has_word(options.list, "setuid="));
        PROMISE(!has_word(options.list, "context=") && !strchr(options.list, '\\'));
        PROMISE(asker.may_open_to_others || !has_word(options.list, "allow_other"));
    }
    fat_options_done(&options);
}

static void check_kernel(const char *text, uint8_t how)
{
    const struct fat_kernel_rights rights = {.root = (how & 1) != 0,
            .may_open_to_others = (how & 2) != 0,
            .fuseblk = (how & 4) != 0};
    struct fat_kernel_options options;
    struct fat_kernel_options again;
    char *joined;
    char *twice;

    if (fat_kernel_options_read(text, &rights, &options) != 0) {
        return;
    }
    joined = fat_kernel_options_join(&options);
    PROMISE(joined && options.count <= FAT_KERNEL_OPTIONS_MOST);
    PROMISE(fat_kernel_options_read(joined, &rights, &again) == 0);
    twice = fat_kernel_options_join(&again);
    PROMISE(twice && strcmp(joined, twice) == 0 && again.count == options.count);
    free(twice);
    free(joined);
    fat_kernel_options_done(&again);
    fat_kernel_options_done(&options);
}

/* Words end with a newline here. */
static void check_arguments(char *text)
{
    struct fat_arguments arguments;
    char *argv[ARGUMENTS_MAX + 1] = {NULL};
    int count = 0;

    for (char *at = text; at && count < ARGUMENTS_MAX;) {
        char *end = strchr(at, '\n');

        argv[count++] = at;
        if (end) {
            *end++ = '\0';
        }
        at = end;
    }
    if (!fat_arguments_parse(count, argv, &arguments) &&
            arguments.task == FAT_TASK_MOUNT) {
        PROMISE(arguments.type[0] && !strchr(arguments.type, '/'));
        PROMISE(arguments.source && arguments.directory && arguments.options);
        PROMISE(arguments.source[0] != '-' && arguments.directory[0] != '-');
        PROMISE(arguments.timeout_seconds >= 1 &&
                arguments.timeout_seconds <= FAT_TIMEOUT_MOST);
    }
    fat_arguments_done(&arguments);
}

static void check_files(char *text)
{
    const struct fat_mount_marks marks = {
            .id = 36, .parent = FAT_MOUNT_UNKNOWN, .type = "fuse.vfat"};
    struct fat_mountinfo mount;
    struct fat_fuse_conf conf;
    FILE *file = fmemopen(text, strlen(text) + 1, "r");

    PROMISE(file);
    fat_fuse_conf_read(file, &conf);
    PROMISE(conf.mount_max >= -1);
    (void)fclose(file); /* was only read */
    if (fat_mountinfo_parse(text, &mount)) {
        PROMISE(mount.directory && mount.type && mount.source && mount.options);
        PROMISE(!strchr(mount.type, ' '));
        (void)fat_mount_has_marks(&mount, &marks); /* any answer will do */
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    char *text;

    if (length == 0) {
        return 0;
    }
    text = malloc(length);
    PROMISE(text);
    memcpy(text, bytes + 1, length - 1);
    text[length - 1] = '\0';
    switch (bytes[0] & 7) {
    case 0:
        check_words(text);
        break;
    case 1:
    case 2:
        check_options(text, bytes[0] >> 4);
        break;
    case 3:
    case 4:
        check_kernel(text, bytes[0] >> 4);
        break;
    case 5:
        check_files(text);
        break;
    default:
        check_arguments(text);
        break;
    }
    free(text);
    return 0;
}
