/* SPDX-License-Identifier: MIT */
#include "fallback.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include "say.h"

/* execve(2) takes no constant words, and changes none. */
struct word {
    union {
        const char *given;
        char *taken;
    } text;
};

static char *word(const char *text)
{
    return (struct word){.text.given = text}.text.taken;
}

bool fat_fallback_is_for(const char *type)
{
    return strcmp(type, "fatward") == 0;
}

void fat_fallback_run(
        const struct fat_arguments *arguments, const struct fat_caller *caller)
{
    const bool has_options = arguments->options[0] != '\0';
    char *const words[] = {word("fatward"), word(arguments->source),
            word(arguments->directory), has_options ? word("-o") : NULL,
            has_options ? arguments->options : NULL, NULL};

    fat_say("no service for fatward: running " FAT_SERVER_PATH
            " without the service's jail");
    if (!fat_rights_drop_for_good(caller)) {
        fat_say("can't give up its rights");
        return;
    }
    (void)execve(FAT_SERVER_PATH, words, caller->environment);
    fat_say(FAT_SERVER_PATH ": %s", fat_error_text(errno));
}
