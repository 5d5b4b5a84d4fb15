/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE /* SO_DOMAIN */
#include "service/activation.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { FIRST_DESCRIPTOR = 3 };

/* Digits and nothing else. */
static bool parse(const char *text, long *ret)
{
    char *end;

    if (text[0] == '\0' || text[strspn(text, "0123456789")] != '\0') {
        return false;
    }
    errno = 0;
    *ret = strtol(text, &end, 10);
    return errno == 0;
}

static int option(int fd, int name, int *ret)
{
    socklen_t length = sizeof(*ret);

    return getsockopt(fd, SOL_SOCKET, name, ret, &length) == 0 ? 0 : errno;
}

static int check(int fd)
{
    int value = 0;
    int error = option(fd, SO_DOMAIN, &value);

    if (!error && value != AF_UNIX) {
        error = EAFNOSUPPORT;
    }
    if (!error) {
        error = option(fd, SO_TYPE, &value);
    }
    if (!error && value != SOCK_SEQPACKET) {
        error = EPROTOTYPE;
    }
    if (!error && fcntl(fd, F_SETFD, FD_CLOEXEC) != 0) {
        error = errno;
    }
    return error;
}

/* No thread has been started yet. NOLINTBEGIN(concurrency-mt-unsafe) */
static bool is_for_us(long *ret_count, int *ret_error)
{
    const char *pid = getenv("LISTEN_PID");
    const char *count = getenv("LISTEN_FDS");
    long number = 0;

    *ret_error = 0;
    if (!pid || !count || !parse(pid, &number) || number != (long)getpid()) {
        return false;
    }
    if (!parse(count, ret_count) || *ret_count == 0) {
        *ret_error = EINVAL;
    } else if (*ret_count > 1) {
        *ret_error = E2BIG;
    }
    (void)unsetenv("LISTEN_PID");
    (void)unsetenv("LISTEN_FDS");
    (void)unsetenv("LISTEN_FDNAMES");
    return true;
}
/* NOLINTEND(concurrency-mt-unsafe) */

int fat_activation_socket(int *ret_socket)
{
    long count = 0;
    int error = 0;

    *ret_socket = -1;
    if (!is_for_us(&count, &error)) {
        return 0;
    }
    if (!error) {
        error = check(FIRST_DESCRIPTOR);
    }
    if (error) {
        close(FIRST_DESCRIPTOR);
        return error;
    }
    *ret_socket = FIRST_DESCRIPTOR;
    return 0;
}
