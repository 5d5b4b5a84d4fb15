/* SPDX-License-Identifier: MIT */
#include "list.h"

#include <stdlib.h>
#include <string.h>

bool fat_list_add(char **list, const char *word, size_t length)
{
    size_t used = strlen(*list);
    char *grown = realloc(*list, used + length + sizeof(","));

    if (!grown) {
        return false;
    }
    if (used > 0) {
        grown[used++] = ',';
    }
    memcpy(grown + used, word, length);
    grown[used + length] = '\0';
    *list = grown;
    return true;
}
