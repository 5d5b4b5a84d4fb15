/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE /* setresuid, closefrom, environ, setgroups */
#include "rights.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

enum { UNCHANGED = -1, ANY_ERROR = 1 };

/* A file of ours with the number of standard error would be written to. */
static int settle_descriptors(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
        /* the lowest free number is what open() takes */
        if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDWR) != fd) {
            return EBADF;
        }
    }
    closefrom(STDERR_FILENO + 1);
    return 0;
}

static void settle_signals(void)
{
    /* a reader of our messages who has gone must not end us in the midst of it */
    const struct sigaction ignored = {.sa_handler = SIG_IGN};
    const struct sigaction usual = {.sa_handler = SIG_DFL};

    (void)sigaction(SIGPIPE, &ignored, NULL);
    (void)sigaction(SIGCHLD, &usual, NULL);
}

static int learn_groups(struct fat_caller *caller)
{
    const int count = getgroups(0, NULL);

    if (count < 0) {
        return errno;
    }
    caller->groups = calloc((size_t)count + 1, sizeof(gid_t));
    if (!caller->groups) {
        return ENOMEM;
    }
    if (getgroups(count, caller->groups) != count) {
        return EAGAIN;
    }
    caller->group_count = (size_t)count;
    return 0;
}

/* Root stays behind as the saved user id only, from where it can be had again. */
static int become_caller(const struct fat_caller *caller)
{
    const uid_t saved = caller->may_mount ? 0 : caller->uid;

    if (setresgid(caller->gid, caller->gid, caller->gid) != 0 ||
            setresuid(caller->uid, caller->uid, saved) != 0) {
        return errno;
    }
    return geteuid() == caller->uid && getegid() == caller->gid ? 0 : EPERM;
}

int fat_rights_begin(struct fat_caller *ret)
{
    static char *no_environment[] = {NULL};
    int error = settle_descriptors();

    *ret = (struct fat_caller){.uid = getuid(),
            .gid = getgid(),
            .may_mount = geteuid() == 0,
            .mask = umask(077),
            .environment = environ};
    environ = no_environment;
    if (error) {
        return error;
    }
    settle_signals();
    (void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
    error = learn_groups(ret);
    return error ? error : become_caller(ret);
}

bool fat_rights_raise(void)
{
    return seteuid(0) == 0;
}

void fat_rights_lower(void)
{
    if (seteuid(getuid()) != 0 || geteuid() != getuid()) {
        _exit(ANY_ERROR);
    }
}

bool fat_rights_raise_for_good(void)
{
    return seteuid(0) == 0 && setgroups(0, NULL) == 0 && setresgid(0, 0, 0) == 0 &&
           setresuid(0, 0, 0) == 0;
}

bool fat_rights_drop_for_good(const struct fat_caller *caller)
{
    const struct sigaction usual = {.sa_handler = SIG_DFL};

    if (setresuid(caller->uid, caller->uid, caller->uid) != 0) {
        return false;
    }
    /* the proof that there is no way back */
    if (caller->uid != 0 &&
            (setresuid((uid_t)UNCHANGED, 0, (uid_t)UNCHANGED) == 0 || geteuid() == 0)) {
        return false;
    }
    (void)sigaction(SIGPIPE, &usual, NULL);
    (void)umask(caller->mask);
    return true;
}

void fat_caller_done(struct fat_caller *caller)
{
    free(caller->groups);
    caller->groups = NULL;
}
