/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE /* SOCK_CLOEXEC */
#include "connect.h"

#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

static bool find_address(const char *type, struct sockaddr_un *ret)
{
    int length;

    *ret = (struct sockaddr_un){.sun_family = AF_UNIX};
    length = snprintf(ret->sun_path, sizeof(ret->sun_path), "%s/%s",
            FAT_SERVICE_SOCKET_DIR, type);
    return length > 0 && (size_t)length < sizeof(ret->sun_path);
}

static int connect_to(int fd, const struct sockaddr_un *address, unsigned limit_ms)
{
    /* connect(2) waits while nobody takes the connections that there are */
    const struct timeval limit = {.tv_sec = limit_ms / 1000,
            .tv_usec = (suseconds_t)(limit_ms % 1000) * 1000};

    if (setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)) != 0) {
        return errno;
    }
    if (connect(fd, (const struct sockaddr *)address, sizeof(*address)) == 0) {
        return 0;
    }
    return errno == EAGAIN ? ETIMEDOUT : errno;
}

int fat_connect(const char *type, unsigned limit_ms, int *ret_fd)
{
    struct sockaddr_un address;
    int error;
    int fd;

    if (!find_address(type, &address)) {
        return ENAMETOOLONG;
    }
    fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        return errno;
    }
    error = connect_to(fd, &address, limit_ms);
    if (error) {
        close(fd);
        return error;
    }
    *ret_fd = fd;
    return 0;
}

bool fat_connect_may_work(const char *type)
{
    struct sockaddr_un address;
    struct stat status;

    return find_address(type, &address) && stat(address.sun_path, &status) == 0 &&
           S_ISSOCK(status.st_mode) && access(address.sun_path, W_OK) == 0;
}
