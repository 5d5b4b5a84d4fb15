/* SPDX-License-Identifier: MIT */
/*
 * LD_PRELOAD for a server: the kernel speaks FUSE as Linux 6.1 does. With DROP_NOTICES
 * set, no notification reaches it, as if each came too late.
 */
#define _GNU_SOURCE /* RTLD_NEXT */
#include <dlfcn.h>
#include <linux/fuse.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

/* Nothing else is read into a buffer of that size. */
enum { REQUEST_BYTES = 1 << 20, MINOR = 37 };

typedef ssize_t read_fn(int fd, void *buffer, size_t size);
typedef ssize_t writev_fn(int fd, const struct iovec *parts, int count);

__attribute__((visibility("default"))) ssize_t read(int fd, void *buffer, size_t size)
{
    struct fuse_in_header header;
    struct fuse_init_in init;
    void *symbol = dlsym(RTLD_NEXT, "read");
    read_fn *real;
    ssize_t got;

    memcpy(&real, &symbol, sizeof(real)); /* C has no cast between these */
    got = real(fd, buffer, size);
    if (size < REQUEST_BYTES || got < (ssize_t)(sizeof(header) + sizeof(init))) {
        return got;
    }
    memcpy(&header, buffer, sizeof(header));
    if (header.opcode == FUSE_INIT) {
        memcpy(&init, (char *)buffer + sizeof(header), sizeof(init));
        init.minor = init.minor < MINOR ? init.minor : MINOR;
        memcpy((char *)buffer + sizeof(header), &init, sizeof(init));
    }
    return got;
}

/* Answers have the number of their request, which is never 0. */
static int is_notice(const struct iovec *parts, int count)
{
    struct fuse_out_header header;

    if (count < 1 || parts[0].iov_len != sizeof(header)) {
        return 0;
    }
    memcpy(&header, parts[0].iov_base, sizeof(header));
    return header.unique == 0 && header.error > 0;
}

__attribute__((visibility("default"))) ssize_t writev(
        int fd, const struct iovec *parts, int count)
{
    void *symbol = dlsym(RTLD_NEXT, "writev");
    ssize_t length = 0;
    writev_fn *real;

    memcpy(&real, &symbol, sizeof(real));
    /* NOLINTNEXTLINE(concurrency-mt-unsafe): nobody sets it */
    if (!getenv("DROP_NOTICES") || !is_notice(parts, count)) {
        return real(fd, parts, count);
    }
    for (int i = 0; i < count; i++) {
        length += (ssize_t)parts[i].iov_len;
    }
    return length;
}
