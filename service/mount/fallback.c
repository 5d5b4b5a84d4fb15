/* SPDX-License-Identifier: MIT */
#include "fallback.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include "exec_word.h"
#include "say.h"

bool fat_fallback_is_for(const char *type)
{
    return strcmp(type, "fatward") == 0;
}

void fat_fallback_run(
        const struct fat_arguments *arguments, const struct fat_caller *caller)
{
    const bool has_options = arguments->options[0] != '\0';
    char *const words[] = {fat_exec_word("fatward"), fat_exec_word(arguments->source),
            fat_exec_word(arguments->directory),
            has_options ? fat_exec_word("-o") : NULL,
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
