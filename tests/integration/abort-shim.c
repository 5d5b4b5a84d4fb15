/* SPDX-License-Identifier: MIT */
/*
 * LD_PRELOAD for a server: the third read() of a request fails with ECONNABORTED. The
 * kernel says that when a connection ends in the moment in which a request is handed
 * over, which nobody can arrange.
 */
#define _GNU_SOURCE /* RTLD_NEXT */
#include <dlfcn.h>
#include <errno.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

/* Nothing else is read into a buffer of that size. */
enum { REQUEST_BYTES = 1 << 20, FAILS_AT = 3 };

typedef ssize_t read_fn(int fd, void *buffer, size_t size);

__attribute__((visibility("default"))) ssize_t read(int fd, void *buffer, size_t size)
{
    static atomic_int requests;
    void *symbol = dlsym(RTLD_NEXT, "read");
    read_fn *real;

    memcpy(&real, &symbol, sizeof(real)); /* C has no cast between these */
    if (size >= REQUEST_BYTES && atomic_fetch_add(&requests, 1) + 1 == FAILS_AT) {
        errno = ECONNABORTED;
        return -1;
    }
    return real(fd, buffer, size);
}
