/* SPDX-License-Identifier: MIT */
/*
 * usage: replay_NAME FILE|FOLDER...   A fuzzer's inputs once more, without the fuzzer.
 * A file whose name ends in ".hex" is text: two digits a byte, and comments from # on.
 */
#include <ctype.h>
#include <dirent.h>
#include <stdbool.h>
#include <string.h>

#include "fuzz.h"

enum { LARGEST_FILE = 1 << 20, PATH_ROOM = 4096 };

static unsigned digit(uint8_t letter)
{
    return (unsigned)(letter <= '9' ? letter - '0' : (letter | 0x20) - 'a' + 10);
}

/* In place; returns how many bytes it makes. */
static size_t take_hex(uint8_t *text, size_t length)
{
    size_t digits = 0;
    bool comment = false;

    for (size_t i = 0; i < length; i++) {
        comment = text[i] != '\n' && (comment || text[i] == '#');
        if (!comment && isxdigit(text[i])) {
            const unsigned value = digit(text[i]);

            text[digits / 2] =
                    (uint8_t)(digits % 2 ? text[digits / 2] | value : value << 4);
            digits++;
        }
    }
    return digits / 2;
}

/* Memory of exactly the file's size, so that a sanitizer sees whoever reads on. */
static bool replay(FILE *file, bool hex)
{
    uint8_t *const room = malloc(LARGEST_FILE);
    size_t length = room ? fread(room, 1, LARGEST_FILE, file) : 0;
    uint8_t *bytes;
    bool ok;

    if (room && hex) {
        length = take_hex(room, length);
    }
    bytes = room ? realloc(room, length > 0 ? length : 1) : NULL;
    ok = bytes && !ferror(file);
    if (ok) {
        (void)LLVMFuzzerTestOneInput(bytes, length); /* always 0 */
    }
    free(bytes);
    return ok;
}

static bool replay_file(const char *path)
{
    const size_t length = strlen(path);
    const bool hex = length > 4 && strcmp(path + length - 4, ".hex") == 0;
    FILE *const file = fopen(path, "rbe");
    bool ok;

    (void)printf("%s\n", path);
    (void)fflush(stdout); /* who is at fault must be known after an abort() */
    ok = file && replay(file, hex);
    if (!ok) {
        perror(path);
    }
    if (file) {
        (void)fclose(file); /* was only read */
    }
    return ok;
}

static bool replay_folder(const char *path, DIR *folder)
{
    char name[PATH_ROOM];
    bool ok = true;

    for (const struct dirent *entry = readdir(folder); entry; entry = readdir(folder)) {
        if (entry->d_name[0] != '.') {
            (void)snprintf(name, sizeof(name), "%s/%s", path, entry->d_name);
            ok = replay_file(name) && ok;
        }
    }
    return ok;
}

int main(int argc, char **argv)
{
    bool ok = argc > 1;

    for (int i = 1; i < argc; i++) {
        DIR *const folder = opendir(argv[i]);

        ok = (folder ? replay_folder(argv[i], folder) : replay_file(argv[i])) && ok;
        if (folder) {
            (void)closedir(folder); /* was only read */
        }
    }
    return ok ? EXIT_SUCCESS : EXIT_FAILURE;
}
