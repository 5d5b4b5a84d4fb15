/* SPDX-License-Identifier: MIT */
/*
 * LD_PRELOAD for a server: between the kernel's own requests, read() hands out forged
 * ones, which no kernel sends, as fast as the server takes them. Their answers go
 * nowhere but are looked at. FORGE_SEED decides on what is forged, FORGE_COUNT on how
 * many; FORGE_END=destroy and FORGE_END=short on a last one of that kind.
 */
#define _GNU_SOURCE /* RTLD_NEXT */
#include <assert.h>
#include <dlfcn.h>
#include <inttypes.h>
#include <linux/fuse.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

/* Nothing else is read into a buffer of that size. */
enum { REQUEST_BYTES = 1 << 20 };

/* The kernel has asked so often before the first forged request: INIT is among them. */
enum { REAL_FIRST = 3 };

enum { BODY_MOST = 16384, IDS = 16, OPCODE_SYNCFS = 50, OPCODE_STATX = 52 };

static const uint64_t forged_bit = UINT64_C(1) << 62; /* in the number of a request */

static struct {
    atomic_int fd; /* of the connection, and 1 more */
    atomic_uint real;
    atomic_ulong next; /* forged request */
    _Atomic uint64_t ids[IDS];
    atomic_uint next_id;
    atomic_ulong answers, fine, stale;
    atomic_uint busy; /* threads */
    atomic_bool ended, said;
} shim;

static uint64_t setting(const char *name, uint64_t otherwise)
{
    const char *text = getenv(name); /* NOLINT(concurrency-mt-unsafe): nobody sets it */

    return text ? strtoull(text, NULL, 10) : otherwise;
}

/* What is forged depends on the seed and its number alone, but for the nodes. */
struct dice {
    uint64_t state;
};

static uint64_t roll(struct dice *d, uint64_t sides)
{
    uint64_t z = d->state += UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return (z ^ z >> 31) % sides;
}

static uint64_t number(struct dice *d)
{
    static const uint64_t edges[] = {0, 1, 2, 511, 512, 4096, UINT32_MAX,
            UINT64_C(1) << 31, UINT64_C(1) << 32, INT64_MAX, UINT64_C(1) << 63,
            UINT64_MAX, UINT64_MAX - 4095};

    return roll(d, 4) == 0 ? edges[roll(d, sizeof(edges) / sizeof(edges[0]))]
                           : roll(d, 20000);
}

/* Mostly one that was handed out a moment ago. */
static uint64_t node(struct dice *d)
{
    switch (roll(d, 16)) {
    case 0:
        return number(d);
    case 1:
    case 2:
    case 3:
        return FUSE_ROOT_ID;
    default:
        return shim.ids[roll(d, IDS)];
    }
}

static const char *name(struct dice *d)
{
    static const char *const names[] = {"a", "A", "b", "a long name of a file",
            "A LONG NAME OF A FILE", "ALONGN~1", "d", "e", "D", "f.txt", "", ".", "..",
            "a/b", "\xff", "a:b", " ", "x."};

    return names[roll(d, sizeof(names) / sizeof(names[0]))];
}

struct forged {
    struct fuse_in_header header;
    union {
        char bytes[BODY_MOST];
        struct fuse_forget_in forget;
        struct {
            struct fuse_batch_forget_in head;
            struct fuse_forget_one one[3];
        } batch;
        struct fuse_getattr_in getattr;
        struct fuse_setattr_in setattr;
        struct fuse_mknod_in mknod;
        struct fuse_mkdir_in mkdir;
        struct fuse_create_in create;
        struct fuse_link_in link;
        struct fuse_rename_in rename;
        struct fuse_rename2_in rename2;
        struct fuse_open_in open;
        struct fuse_read_in read;
        struct fuse_write_in write;
        struct fuse_release_in release;
        struct fuse_fallocate_in fallocate;
        struct fuse_copy_file_range_in copy;
        struct fuse_interrupt_in interrupt;
    } body;
};

static_assert(sizeof(struct forged) <= REQUEST_BYTES, "it has room");

/* @names names behind @fixed bytes; returns the length of the body. */
static size_t with_names(struct dice *d, struct forged *f, size_t fixed, int names)
{
    for (; names > 0; names--) {
        const char *text = name(d);

        memcpy(f->body.bytes + fixed, text, strlen(text) + 1);
        fixed += strlen(text) + 1;
    }
    return fixed;
}

static size_t forge_names(struct dice *d, struct forged *f)
{
    switch (f->header.opcode) {
    case FUSE_LOOKUP:
    case FUSE_UNLINK:
    case FUSE_RMDIR:
        return with_names(d, f, 0, 1);
    case FUSE_SYMLINK:
        return with_names(d, f, 0, 2);
    case FUSE_MKNOD:
        f->body.mknod.mode = roll(d, 3) ? S_IFREG | 0644 : (uint32_t)number(d);
        return with_names(d, f, sizeof(f->body.mknod), 1);
    case FUSE_MKDIR:
        return with_names(d, f, sizeof(f->body.mkdir), 1);
    case FUSE_CREATE:
        f->body.create.flags = 0102; /* O_CREAT | O_RDWR */
        f->body.create.mode = S_IFREG | 0644;
        return with_names(d, f, sizeof(f->body.create), 1);
    case FUSE_LINK:
        f->body.link.oldnodeid = node(d);
        return with_names(d, f, sizeof(f->body.link), 1);
    case FUSE_RENAME:
        f->body.rename.newdir = node(d);
        return with_names(d, f, sizeof(f->body.rename), 2);
    case FUSE_RENAME2:
        f->body.rename2.newdir = node(d);
        f->body.rename2.flags = (uint32_t)(roll(d, 3) ? roll(d, 4) : number(d));
        return with_names(d, f, sizeof(f->body.rename2), 2);
    default:
        return 64; /* all zeros */
    }
}

static size_t forge_sizes(struct dice *d, struct forged *f)
{
    switch (f->header.opcode) {
    case FUSE_SETATTR:
        f->body.setattr.valid = (uint32_t)(roll(d, 2) ? FATTR_SIZE : number(d));
        f->body.setattr.size = number(d);
        f->body.setattr.atime = number(d);
        f->body.setattr.mtimensec = (uint32_t)number(d);
        f->body.setattr.mode = (uint32_t)number(d);
        return sizeof(f->body.setattr);
    case FUSE_READ:
    case FUSE_READDIR:
    case FUSE_READDIRPLUS:
        f->body.read.fh = number(d);
        f->body.read.offset = roll(d, 2) ? 0 : number(d);
        f->body.read.size = (uint32_t)roll(d, REQUEST_BYTES);
        return sizeof(f->body.read);
    case FUSE_WRITE:
        f->body.write.fh = number(d);
        f->body.write.offset = number(d);
        f->body.write.size = (uint32_t)roll(d, BODY_MOST - sizeof(f->body.write));
        return sizeof(f->body.write) + f->body.write.size;
    case FUSE_FALLOCATE:
        f->body.fallocate.offset = number(d);
        f->body.fallocate.length = number(d);
        f->body.fallocate.mode = (uint32_t)roll(d, 3);
        return sizeof(f->body.fallocate);
    case FUSE_COPY_FILE_RANGE:
        f->body.copy.off_in = number(d);
        f->body.copy.nodeid_out = node(d);
        f->body.copy.off_out = number(d);
        f->body.copy.len = number(d);
        return sizeof(f->body.copy);
    default:
        return forge_names(d, f);
    }
}

static size_t forge_body(struct dice *d, struct forged *f)
{
    switch (f->header.opcode) {
    case FUSE_FORGET:
        f->body.forget.nlookup = roll(d, 2) ? 1000 : number(d);
        return sizeof(f->body.forget);
    case FUSE_BATCH_FORGET:
        f->body.batch.head.count = 3;
        for (int i = 0; i < 3; i++) {
            f->body.batch.one[i].nodeid = node(d);
            f->body.batch.one[i].nlookup = number(d);
        }
        return sizeof(f->body.batch);
    case FUSE_OPEN:
    case FUSE_OPENDIR:
        f->body.open.flags = (uint32_t)number(d);
        return sizeof(f->body.open);
    case FUSE_RELEASE:
    case FUSE_RELEASEDIR:
    case FUSE_FLUSH:
    case FUSE_FSYNC:
    case FUSE_FSYNCDIR:
        f->body.release.fh = number(d);
        f->body.release.flags = (uint32_t)number(d);
        return sizeof(f->body.release);
    case FUSE_INTERRUPT:
        f->body.interrupt.unique = number(d) | forged_bit;
        return sizeof(f->body.interrupt);
    default:
        return forge_sizes(d, f);
    }
}

/* Returns what read() returns. */
static size_t lie(struct dice *d, struct forged *f)
{
    const size_t length = f->header.len;

    switch (roll(d, 5)) {
    case 0:
        f->header.len = (uint32_t)number(d);
        return length;
    case 1:
        return sizeof(f->header) + roll(d, length - sizeof(f->header) + 1);
    case 2: /* both agree that the body is short */
        f->header.len =
                (uint32_t)(sizeof(f->header) + roll(d, length - sizeof(f->header) + 1));
        return f->header.len;
    case 3: /* no end of a name anywhere, a count without its items */
        memset(&f->body, 'x', sizeof(f->body));
        return length;
    default:
        f->body.write.size = UINT32_MAX;
        return length;
    }
}

static uint32_t opcode(struct dice *d)
{
    static const uint32_t opcodes[] = {FUSE_LOOKUP, FUSE_LOOKUP, FUSE_LOOKUP,
            FUSE_FORGET, FUSE_FORGET, FUSE_BATCH_FORGET, FUSE_GETATTR, FUSE_SETATTR,
            FUSE_MKNOD, FUSE_MKDIR, FUSE_MKDIR, FUSE_UNLINK, FUSE_RMDIR, FUSE_RENAME,
            FUSE_RENAME2, FUSE_LINK, FUSE_SYMLINK, FUSE_OPEN, FUSE_READ, FUSE_WRITE,
            FUSE_WRITE, FUSE_RELEASE, FUSE_FLUSH, FUSE_FSYNC, FUSE_OPENDIR,
            FUSE_READDIR, FUSE_READDIRPLUS, FUSE_RELEASEDIR, FUSE_FSYNCDIR, FUSE_STATFS,
            FUSE_CREATE, FUSE_INTERRUPT, FUSE_FALLOCATE, FUSE_COPY_FILE_RANGE,
            FUSE_IOCTL, FUSE_POLL, FUSE_ACCESS, FUSE_GETXATTR, FUSE_SETXATTR, FUSE_BMAP,
            FUSE_INIT, OPCODE_SYNCFS, OPCODE_STATX};

    return roll(d, 50) == 0 ? (uint32_t)number(d) | 1 << 16
                            : opcodes[roll(d, sizeof(opcodes) / sizeof(opcodes[0]))];
}

static ssize_t forge(void *buffer, uint64_t index)
{
    struct dice d = {.state = setting("FORGE_SEED", 1) << 32 ^ index};
    struct forged *f = calloc(1, sizeof(*f));
    size_t length;

    if (!f) {
        abort();
    }
    f->header.opcode = opcode(&d);
    f->header.unique = forged_bit | (index + 1) * 2;
    f->header.nodeid = node(&d);
    f->header.pid = (uint32_t)roll(&d, 4);
    f->header.len = (uint32_t)(sizeof(f->header) + forge_body(&d, f));
    length = f->header.len;
    if (roll(&d, 8) == 0) {
        length = lie(&d, f);
    }
    memcpy(buffer, f, length);
    free(f);
    return (ssize_t)length;
}

static ssize_t forge_end(void *buffer)
{
    const char *kind =
            getenv("FORGE_END"); /* NOLINT(concurrency-mt-unsafe): as above */
    const struct fuse_in_header destroy = {
            .len = sizeof(destroy), .opcode = FUSE_DESTROY, .unique = forged_bit | 1};

    if (!kind) {
        return 0;
    }
    shim.ended = true;
    memcpy(buffer, &destroy, sizeof(destroy));
    return strcmp(kind, "short") == 0 ? (ssize_t)sizeof(destroy) / 2
                                      : (ssize_t)sizeof(destroy);
}

static ssize_t forge_next(void *buffer, uint64_t most)
{
    const uint64_t index = atomic_fetch_add(&shim.next, 1);

    if (index == most) {
        return forge_end(buffer);
    }
    /* a few come after DESTROY, too */
    return index < most || (shim.ended && index < most + 100) ? forge(buffer, index)
                                                              : 0;
}

static ssize_t answer_falsely(int fd, void *buffer)
{
    static _Thread_local bool
            busy; /* it comes back when it is done with a forged one */
    const uint64_t most = setting("FORGE_COUNT", 6000);
    ssize_t length;

    if (fd + 1 != shim.fd || shim.real <= REAL_FIRST) {
        return 0;
    }
    shim.busy += busy ? 0 : 1;
    length = forge_next(buffer, most);
    busy = length > 0;
    if (!busy && atomic_fetch_sub(&shim.busy, 1) == 1 && shim.next > most &&
            !atomic_exchange(&shim.said, true)) {
        (void)fprintf(stderr, "forge: that was all\n");
    }
    return length;
}

typedef ssize_t read_fn(int fd, void *buffer, size_t size);

__attribute__((visibility("default"))) ssize_t read(int fd, void *buffer, size_t size)
{
    void *symbol = dlsym(RTLD_NEXT, "read");
    read_fn *real;

    memcpy(&real, &symbol, sizeof(real)); /* C has no cast between these */
    if (size >= REQUEST_BYTES) {
        ssize_t length = 0;

        if (shim.fd == 0) {
            shim.fd = fd + 1;
        }
        length = answer_falsely(fd, buffer);
        if (length > 0) {
            return length;
        }
        length = real(fd, buffer, size);
        shim.real += length > 0;
        return length;
    }
    return real(fd, buffer, size);
}

static void look_at(const struct fuse_out_header *header, const struct iovec *parts,
        int count, size_t length)
{
    if (header->len != length) {
        (void)fprintf(
                stderr, "forge: an answer of %u bytes in %zu\n", header->len, length);
        abort();
    }
    shim.answers++;
    shim.fine += header->error == 0;
    shim.stale += header->error == -116; /* ESTALE */
    /* whatever begins with a number that looks like one will do */
    if (header->error == 0 && count > 1 &&
            parts[1].iov_len >= sizeof(struct fuse_entry_out)) {
        uint64_t id;

        memcpy(&id, parts[1].iov_base, sizeof(id));
        if (id < UINT32_MAX) {
            shim.ids[shim.next_id++ % IDS] = id;
        }
    }
}

typedef ssize_t writev_fn(int fd, const struct iovec *parts, int count);

__attribute__((visibility("default"))) ssize_t writev(
        int fd, const struct iovec *parts, int count)
{
    void *symbol = dlsym(RTLD_NEXT, "writev");
    struct fuse_out_header header;
    writev_fn *real;
    size_t length = 0;

    memcpy(&real, &symbol, sizeof(real));
    for (int i = 0; i < count; i++) {
        length += parts[i].iov_len;
    }
    if (fd + 1 == shim.fd && count > 0 && parts[0].iov_len >= sizeof(header)) {
        memcpy(&header, parts[0].iov_base, sizeof(header));
        if (header.unique & forged_bit) {
            look_at(&header, parts, count, length);
            return (ssize_t)length;
        }
    }
    return real(fd, parts, count);
}

__attribute__((destructor)) static void say(void)
{
    if (shim.fd != 0) {
        (void)fprintf(stderr, "forge: %lu answers, %lu of them fine, %lu stale\n",
                shim.answers, shim.fine, shim.stale);
    }
}
