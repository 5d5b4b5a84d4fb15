/* SPDX-License-Identifier: MIT */
#include "table.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <sys/wait.h>
#include <unistd.h>

#include "rights.h"

enum { FAILED_TO_RUN = 127 };

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

/* -i: no helper, which would be this program; -f: only the table. */
static void run_mount(const struct fat_table_entry *entry)
{
    char *const words[] = {word("mount"), word("--no-canonicalize"), word("-i"),
            word("-f"), word("-t"), word(entry->type), word("-o"), word(entry->words),
            word("--"), word(entry->source), word(entry->directory), NULL};
    char *const environment[] = {NULL};
    sigset_t none;

    (void)sigemptyset(&none);
    /* NOLINTNEXTLINE(concurrency-mt-unsafe): there is only one thread */
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
    if (fat_rights_raise_for_good()) {
        (void)execve("/bin/mount", words, environment);
    }
    _exit(FAILED_TO_RUN);
}

void fat_table_note(const struct fat_table_entry *entry)
{
    pid_t child;
    int status;

    if (access("/run/mount/utab", F_OK) != 0) {
        return;
    }
    child = fork();
    if (child == 0) {
        run_mount(entry);
    }
    while (child > 0 && waitpid(child, &status, 0) < 0 && errno == EINTR) {
    }
}
