/* SPDX-License-Identifier: MIT */
/* Words for execve(2), which takes no constant ones and changes none. */
#ifndef FAT_SERVICE_MOUNT_EXEC_WORD_H
#define FAT_SERVICE_MOUNT_EXEC_WORD_H

static inline char *fat_exec_word(const char *text)
{
    union {
        const char *given;
        char *taken;
    } word = {.given = text};

    return word.taken;
}

#endif
