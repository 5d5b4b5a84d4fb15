/* SPDX-License-Identifier: MIT */
/*
 * A library for LD_PRELOAD that stands between fatward and two descriptors: the image's
 * and that of /dev/fuse. It is no part of what is installed.
 *
 *   SHIM_IMAGE    path of the image, which is recognised by device and inode
 *   SHIM_LOG      if set: every write and flush of the image, every request that changes
 *                 something and its reply go there, in order
 *   SHIM_CONTROL  if set: a file of struct shim_control that says which call or allocation fails
 *   SHIM_GATE     a fifo that hanging calls read from
 *
 * A record "begin" is in the log before the call is made, "end" after it returned and
 * before its caller goes on. A request is in the log before it is seen by the server, a
 * reply before it is seen by the kernel. So the order in the log is one that everybody
 * involved agrees with.
 *
 * With a log, the clock tells each file and directory a time of creation of its own, by
 * which the judge recognises it whatever its name is.
 *
 * All that is opened by path is opened before main(): the server may lock itself in.
 */
#define _GNU_SOURCE
#include "shim.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fuse.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#define EXPORT __attribute__((visibility("default")))

/* The day that the reader of the replay takes for births; two seconds an object. */
#define BIRTH_EPOCH INT64_C(946684800)

enum { FUSE_MINOR = 229, MISC_MAJOR = 10, REPLY_MOST = 256, LISTING_MOST = 1 << 20 };

static struct {
    ssize_t (*read)(int, void *, size_t);
    ssize_t (*writev)(int, const struct iovec *, int);
    ssize_t (*pread)(int, void *, size_t, off_t);
    ssize_t (*pwrite)(int, const void *, size_t, off_t);
    int (*fdatasync)(int);
    int (*clock_gettime)(clockid_t, struct timespec *);
} real;

static int log_fd = -1;
static int gate_fd = -1;
static struct shim_control *control;
static dev_t image_dev;
static ino_t image_ino;
static bool has_image;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* over the log's order */
static uint64_t objects;                                 /* made so far          */
static atomic_ullong call_number;

static __thread int64_t birth; /* of what the request at hand makes, 0: nothing */
static __thread uint32_t opcode;

/* dlsym() hands out objects; POSIX says that they may be functions. */
static void find(const char *name, void *ret)
{
    void *address = dlsym(RTLD_NEXT, name);

    if (!address) {
        abort();
    }
    memcpy(ret, &address, sizeof(address));
}

static int open_named(const char *variable, int flags)
{
    const char *path = getenv(variable);
    int low;
    int high;

    if (!path) {
        return -1;
    }
    low = open(path, flags | O_CLOEXEC, 0600);
    if (low < 0) {
        abort();
    }
    /* out of the way of those who count descriptors */
    high = fcntl(low, F_DUPFD_CLOEXEC, 200);
    (void)close(low);
    return high;
}

__attribute__((constructor)) static void set_up(void)
{
    const char *image = getenv("SHIM_IMAGE");
    const int control_fd = open_named("SHIM_CONTROL", O_RDWR);
    struct stat st;

    find("read", &real.read);
    find("writev", &real.writev);
    find("pread64", &real.pread);
    find("pwrite64", &real.pwrite);
    find("fdatasync", &real.fdatasync);
    find("clock_gettime", &real.clock_gettime);
    log_fd = open_named("SHIM_LOG", O_WRONLY | O_APPEND | O_CREAT);
    gate_fd = open_named("SHIM_GATE", O_RDWR);
    if (image && stat(image, &st) == 0) {
        image_dev = st.st_dev;
        image_ino = st.st_ino;
        has_image = true;
    }
    if (control_fd >= 0) {
        control = mmap(NULL, sizeof(*control), PROT_READ | PROT_WRITE, MAP_SHARED,
                control_fd, 0);
        if (control == MAP_FAILED) {
            abort();
        }
    }
    unsetenv("LD_PRELOAD"); /* not for those who are started from here */
}

static bool is_image(int fd)
{
    struct stat st;

    return has_image && fstat(fd, &st) == 0 && st.st_ino == image_ino &&
           st.st_dev == image_dev;
}

static bool is_fuse(int fd)
{
    struct stat st;

    return fstat(fd, &st) == 0 && S_ISCHR(st.st_mode) &&
           st.st_rdev == makedev(MISC_MAJOR, FUSE_MINOR);
}

/* The log */

static void put_locked(
        enum shim_kind kind, uint64_t a, uint64_t b, const void *bytes, size_t length)
{
    struct shim_record record = {.magic = SHIM_MAGIC,
            .kind = (uint16_t)kind,
            .length = length,
            .a = a,
            .b = b};
    union {
        const void *from;
        void *to;
    } data = {.from = bytes}; /* writev() takes no const, and changes nothing */
    const struct iovec parts[] = {{&record, sizeof(record)}, {data.to, length}};

    if (log_fd >= 0 && real.writev(log_fd, parts, length ? 2 : 1) !=
                               (ssize_t)(sizeof(record) + length)) {
        abort();
    }
}

static void put(
        enum shim_kind kind, uint64_t a, uint64_t b, const void *bytes, size_t length)
{
    const int error = errno;

    (void)pthread_mutex_lock(&lock);
    put_locked(kind, a, b, bytes, length);
    (void)pthread_mutex_unlock(&lock);
    errno = error;
}

/* Faults */

static void wait_at_the_gate(void)
{
    char byte;

    (void)__atomic_add_fetch(&control->waiting, 1, __ATOMIC_SEQ_CST);
    while (real.read(gate_fd, &byte, 1) < 0 && errno == EINTR) {
    }
    (void)__atomic_sub_fetch(&control->waiting, 1, __ATOMIC_SEQ_CST);
}

/* A flush touches everything. */
static bool is_meant(uint64_t offset, size_t length)
{
    return control->until == 0 || length == 0 ||
           (offset < control->until && offset + length > control->from);
}

/* What happens to this call. */
static enum shim_fault meet(enum shim_call call, uint64_t offset, size_t length)
{
    uint32_t number;
    uint32_t fault;

    if (!control) {
        return SHIM_NO_FAULT;
    }
    number = __atomic_add_fetch(&control->calls[call], 1, __ATOMIC_SEQ_CST);
    fault = __atomic_load_n(&control->fault, __ATOMIC_SEQ_CST);
    if (fault == SHIM_NO_FAULT ||
            (control->call != SHIM_CALLS && control->call != call) ||
            !is_meant(offset, length) || number < control->first ||
            (control->count > 0 && number - control->first >= control->count)) {
        return SHIM_NO_FAULT;
    }
    (void)__atomic_add_fetch(&control->struck, 1, __ATOMIC_SEQ_CST);
    if (fault == SHIM_HANG) {
        wait_at_the_gate();
        return SHIM_NO_FAULT;
    }
    if (fault == SHIM_ERROR) {
        errno = (int)control->error;
    }
    return fault;
}

static size_t half(size_t length)
{
    return length > 1 ? length / 2 : length;
}

/* Memory: glibc lets these be replaced, and calls them itself (in strdup() say). */

/* NOLINTBEGIN(bugprone-reserved-identifier,readability-identifier-naming) */
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *old, size_t size);
/* NOLINTEND(bugprone-reserved-identifier,readability-identifier-naming) */

static bool is_starved(void)
{
    uint32_t number;
    uint32_t first;

    if (!control) {
        return false;
    }
    number = __atomic_add_fetch(&control->allocations, 1, __ATOMIC_SEQ_CST);
    first = __atomic_load_n(&control->starve, __ATOMIC_SEQ_CST);
    if (first == 0 || number < first || (number > first && !control->starve_all)) {
        return false;
    }
    (void)__atomic_add_fetch(&control->struck, 1, __ATOMIC_SEQ_CST);
    errno = ENOMEM;
    return true;
}

EXPORT void *malloc(size_t size)
{
    return is_starved() ? NULL : __libc_malloc(size);
}

EXPORT void *calloc(size_t count, size_t size)
{
    return is_starved() ? NULL : __libc_calloc(count, size);
}

EXPORT void *realloc(void *old, size_t size)
{
    return is_starved() ? NULL : __libc_realloc(old, size);
}

/* The image */

EXPORT ssize_t pread64(int fd, void *buffer, size_t length, off64_t offset)
{
    if (is_image(fd)) {
        const enum shim_fault fault = meet(SHIM_READ, (uint64_t)offset, length);

        if (fault == SHIM_ERROR) {
            return -1;
        }
        length = fault == SHIM_SHORT ? half(length) : length;
    }
    return real.pread(fd, buffer, length, offset);
}

EXPORT ssize_t pread(int fd, void *buffer, size_t length, off_t offset)
{
    return pread64(fd, buffer, length, offset);
}

EXPORT ssize_t pwrite64(int fd, const void *buffer, size_t length, off64_t offset)
{
    const uint64_t number = atomic_fetch_add(&call_number, 1);
    enum shim_fault fault;
    ssize_t put_bytes;

    if (!is_image(fd)) {
        return real.pwrite(fd, buffer, length, offset);
    }
    fault = meet(SHIM_WRITE, (uint64_t)offset, length);
    if (fault == SHIM_ERROR) {
        return -1;
    }
    length = fault == SHIM_SHORT ? half(length) : length;
    put(SHIM_WRITE_BEGIN, (uint64_t)offset, number, buffer, length);
    put_bytes = real.pwrite(fd, buffer, length, offset);
    put(SHIM_WRITE_END, (uint64_t)put_bytes, number, NULL, 0);
    return put_bytes;
}

EXPORT ssize_t pwrite(int fd, const void *buffer, size_t length, off_t offset)
{
    return pwrite64(fd, buffer, length, offset);
}

EXPORT int fdatasync(int fd)
{
    const uint64_t number = atomic_fetch_add(&call_number, 1);
    int result;

    if (!is_image(fd)) {
        return real.fdatasync(fd);
    }
    if (meet(SHIM_FLUSH, 0, 0) == SHIM_ERROR) {
        return -1;
    }
    put(SHIM_FLUSH_BEGIN, 0, number, NULL, 0);
    /* whether this machine's disk has it is not the question */
    result = log_fd >= 0 ? 0 : real.fdatasync(fd);
    put(SHIM_FLUSH_END, (uint64_t)result, number, NULL, 0);
    return result;
}

EXPORT int fsync(int fd)
{
    return fdatasync(fd);
}

/* The requests */

static bool is_of_interest(uint32_t code)
{
    switch (code) {
    case FUSE_LOOKUP:
    case FUSE_GETATTR:
    case FUSE_SETATTR:
    case FUSE_MKNOD:
    case FUSE_MKDIR:
    case FUSE_UNLINK:
    case FUSE_RMDIR:
    case FUSE_RENAME:
    case FUSE_RENAME2:
    case FUSE_OPEN:
    case FUSE_CREATE:
    case FUSE_WRITE:
    case FUSE_FALLOCATE:
    case FUSE_COPY_FILE_RANGE:
    case FUSE_READDIRPLUS:
    case FUSE_FSYNC:
    case FUSE_FSYNCDIR:
    case 50: /* SYNCFS, which older headers don't know */
        return true;
    default:
        return false;
    }
}

static void note_request(const void *request, size_t length)
{
    struct fuse_in_header in;
    uint64_t made = 0;

    birth = 0;
    opcode = 0;
    if (length < sizeof(in)) {
        return;
    }
    memcpy(&in, request, sizeof(in));
    if (!is_of_interest(in.opcode)) {
        return;
    }
    opcode = in.opcode;
    (void)pthread_mutex_lock(&lock);
    if (opcode == FUSE_CREATE || opcode == FUSE_MKNOD || opcode == FUSE_MKDIR) {
        made = ++objects;
        birth = BIRTH_EPOCH + 2 * (int64_t)made;
    }
    put_locked(SHIM_REQUEST, made, 0, request, length);
    (void)pthread_mutex_unlock(&lock);
}

EXPORT ssize_t read(int fd, void *buffer, size_t length)
{
    const ssize_t got = real.read ? real.read(fd, buffer, length) : -1;

    if (got > 0 && log_fd >= 0 && is_fuse(fd)) {
        const int error = errno;

        note_request(buffer, (size_t)got);
        errno = error;
    }
    return got;
}

static void note_reply(const struct iovec *parts, int count)
{
    static __thread uint8_t reply[LISTING_MOST];
    const size_t most = opcode == FUSE_READDIRPLUS ? LISTING_MOST : REPLY_MOST;
    size_t length = 0;

    for (int i = 0; i < count && length < most; i++) {
        const size_t room = most - length;
        const size_t part = parts[i].iov_len < room ? parts[i].iov_len : room;

        memcpy(reply + length, parts[i].iov_base, part);
        length += part;
    }
    put(SHIM_REPLY, opcode, 0, reply, length);
    opcode = 0;
    birth = 0;
}

/* Notifications are written by a thread that has read no request. */
EXPORT ssize_t writev(int fd, const struct iovec *parts, int count)
{
    if (log_fd >= 0 && opcode != 0 && is_fuse(fd)) {
        note_reply(parts, count);
    }
    return real.writev(fd, parts, count);
}

EXPORT int clock_gettime(clockid_t clock, struct timespec *ret)
{
    if (log_fd >= 0 && clock == CLOCK_REALTIME && birth != 0) {
        *ret = (struct timespec){.tv_sec = (time_t)birth};
        return 0;
    }
    return real.clock_gettime ? real.clock_gettime(clock, ret) : -1;
}
