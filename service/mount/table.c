/* SPDX-License-Identifier: MIT */
#include "table.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "exec_word.h"
#include "rights.h"

enum { FAILED_TO_RUN = 127 };

/*
 * What the caller has left behind is not for a program that runs as root in earnest:
 * his limits, his folder, signals he ignores, his terminal. False: it stays his.
 */
static bool leave_the_caller(void)
{
    static const int limits[] = {RLIMIT_FSIZE, RLIMIT_CPU, RLIMIT_AS, RLIMIT_DATA};
    const struct rlimit none = {.rlim_cur = RLIM_INFINITY, .rlim_max = RLIM_INFINITY};
    const struct sigaction usual = {.sa_handler = SIG_DFL};
    const int nothing = open("/dev/null", O_RDWR | O_CLOEXEC);
    bool ok = chdir("/") == 0 && nothing >= 0;

    for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
        (void)setrlimit(limits[i], &none); /* a container's root may not; then so */
    }
    for (int signal = 1; signal <= SIGRTMAX; signal++) {
        (void)sigaction(signal, &usual, NULL); /* of some it can't be changed */
    }
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
        ok = dup2(nothing, fd) == fd && ok;
    }
    return ok;
}

/* -i: no helper, which would be this program; -f: only the table. */
static void run_mount(const struct fat_table_entry *entry)
{
    char *const words[] = {fat_exec_word("mount"), fat_exec_word("--no-canonicalize"),
            fat_exec_word("-i"), fat_exec_word("-f"), fat_exec_word("-t"),
            fat_exec_word(entry->type), fat_exec_word("-o"),
            fat_exec_word(entry->words), fat_exec_word("--"),
            fat_exec_word(entry->source), fat_exec_word(entry->directory), NULL};
    char *const environment[] = {NULL};
    sigset_t none;

    (void)sigemptyset(&none);
    /* NOLINTNEXTLINE(concurrency-mt-unsafe): there is only one thread */
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
    if (fat_rights_raise_for_good() && leave_the_caller()) {
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
