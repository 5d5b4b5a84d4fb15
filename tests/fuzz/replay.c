/* SPDX-License-Identifier: MIT */
/* usage: replay_NAME FILE...   A fuzzer's inputs once more, without the fuzzer. */
#include <stdbool.h>

#include "fuzz.h"

enum { LARGEST_FILE = 1 << 20 };

/* Memory of exactly the file's size, so that a sanitizer sees whoever reads on. */
static bool replay(FILE *file)
{
    uint8_t *const room = malloc(LARGEST_FILE);
    const size_t length = room ? fread(room, 1, LARGEST_FILE, file) : 0;
    uint8_t *const bytes = room ? realloc(room, length > 0 ? length : 1) : NULL;
    const bool ok = bytes && !ferror(file);

    if (ok) {
        (void)LLVMFuzzerTestOneInput(bytes, length); /* always 0 */
    }
    free(bytes);
    return ok;
}

int main(int argc, char **argv)
{
    bool ok = argc > 1;

    for (int i = 1; i < argc; i++) {
        FILE *const file = fopen(argv[i], "rbe");

        (void)printf("%s\n", argv[i]);
        (void)fflush(stdout); /* who is at fault must be known after an abort() */
        if (!file || !replay(file)) {
            perror(argv[i]);
            ok = false;
        }
        if (file) {
            (void)fclose(file); /* was only read */
        }
    }
    return ok ? EXIT_SUCCESS : EXIT_FAILURE;
}
