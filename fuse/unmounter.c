/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE /* close_range, dup3 */
#include "unmounter.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include "moment.h"
#include "mounts.h"
#include "unmount.h"

/* The server says one of these, and is answered with one of the last two. */
enum word { IN_ORDER = 'o', LEFT_OVER = 'l', DONE = 'y', NOT_DONE = 'n' };

enum { CONNECTION = 3 }; /* the one descriptor beside 0 to 2 */

enum { STEP_MS = 500 };

struct fat_unmounter {
    int connection;
    pid_t process;
};

/* What it was started for. */
struct duty {
    const char *directory;
    dev_t device; /* of our mount: another one may lie on top of it by then */
};

static bool find_device(const char *directory, dev_t *ret)
{
    struct fat_mounted mounted;

    if (!fat_mounts_find(directory, &mounted)) {
        return false;
    }
    *ret = mounted.device;
    fat_mounted_done(&mounted);
    return true;
}

static enum word take_off(const struct duty *duty, char order)
{
    dev_t device;

    if (!find_device(duty->directory, &device) || device != duty->device) {
        return NOT_DONE;
    }
    if (order == IN_ORDER) {
        fat_unmount_write_back(duty->directory);
    }
    return fat_unmount(duty->directory, true, false) == 0 ? DONE : NOT_DONE;
}

static ssize_t hear(int connection, char *ret)
{
    ssize_t got;

    do {
        got = read(connection, ret, 1);
    } while (got < 0 && errno == EINTR);
    return got;
}

static bool tell(int connection, enum word word)
{
    const char text = (char)word;

    return write(connection, &text, 1) == 1;
}

static void obey(const struct duty *duty)
{
    char order;

    while (hear(CONNECTION, &order) == 1 && (order == IN_ORDER || order == LEFT_OVER) &&
            tell(CONNECTION, take_off(duty, order))) {
    }
}

/* Held here, the image's lock and the kernel's connection would outlive the server. */
static bool keep_only(int connection)
{
    if (connection != CONNECTION && dup3(connection, CONNECTION, O_CLOEXEC) < 0) {
        return false;
    }
    if (close_range(CONNECTION + 1, UINT_MAX, 0) == 0) {
        return true;
    }
    for (long fd = sysconf(_SC_OPEN_MAX) - 1; fd > CONNECTION; fd--) {
        (void)close((int)fd); /* a kernel before 5.9 */
    }
    return true;
}

/* fusermount3 is waited for; signals that end the server stay blocked. */
static void be_the_unmounter(const struct duty *duty, int connection)
{
    (void)prctl(PR_SET_NAME, "fatward-unmount");
    if (signal(SIGCHLD, SIG_DFL) != SIG_ERR && keep_only(connection)) {
        obey(duty);
    }
}

static pid_t start(const struct duty *duty, const int connection[2])
{
    const pid_t child = fork();

    if (child == 0) {
        be_the_unmounter(duty, connection[1]);
        _exit(EXIT_SUCCESS);
    }
    return child;
}

struct fat_unmounter *fat_unmounter_new(const char *directory)
{
    struct fat_unmounter *unmounter = calloc(1, sizeof(*unmounter));
    struct duty duty = {.directory = directory};
    int connection[2];

    /* should somebody kill it, it doesn't stay as a zombie */
    if (!unmounter || !find_device(directory, &duty.device) ||
            signal(SIGCHLD, SIG_IGN) == SIG_ERR ||
            socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, connection) != 0) {
        free(unmounter);
        return NULL;
    }
    unmounter->process = start(&duty, connection);
    close(connection[1]);
    if (unmounter->process < 0) {
        close(connection[0]);
        free(unmounter);
        return NULL;
    }
    unmounter->connection = connection[0];
    return unmounter;
}

static bool is_done(const struct fat_unmounter *unmounter)
{
    char answer;

    return hear(unmounter->connection, &answer) == 1 && answer == DONE;
}

/* False: the medium is waited for in vain. */
static bool wait_for_answer(
        const struct fat_unmounter *unmounter, struct fat_watched *watched)
{
    const struct timespec since = fat_moment_now();
    struct pollfd connection = {.fd = unmounter->connection, .events = POLLIN};

    while (poll(&connection, 1, STEP_MS) == 0) {
        if (fat_watched_is_overdue(watched, &since, NULL)) {
            return false;
        }
    }
    return true; /* or a failure, of which hear() says the same */
}

bool fat_unmounter_in_order(
        struct fat_unmounter *unmounter, struct fat_watched *watched)
{
    return tell(unmounter->connection, IN_ORDER) &&
           wait_for_answer(unmounter, watched) && is_done(unmounter);
}

bool fat_unmounter_left_over(struct fat_unmounter *unmounter)
{
    return tell(unmounter->connection, LEFT_OVER) && is_done(unmounter);
}

void fat_unmounter_leave_it(struct fat_unmounter *unmounter)
{
    if (unmounter) {
        (void)tell(unmounter->connection, LEFT_OVER);
    }
}

/* Nobody else would wait for it if we were gone first. */
void fat_unmounter_free(struct fat_unmounter *unmounter)
{
    if (unmounter) {
        close(unmounter->connection);
        (void)waitpid(unmounter->process, NULL, 0);
        free(unmounter);
    }
}
