/* SPDX-License-Identifier: MIT */
#include "request.h"

#include <linux/fuse.h>
#include <stdint.h>
#include <string.h>

/* Newer than the oldest <linux/fuse.h> that this is built with; their sizes there. */
enum { OPCODE_STATX = 52, STATX_BYTES = 24, SETXATTR_BYTES = 8 };

struct shape {
    size_t bytes; /* what is always there, behind the header */
    unsigned names;
};

static struct shape shape_of_name_operation(uint32_t opcode)
{
    switch (opcode) {
    case FUSE_LOOKUP:
    case FUSE_UNLINK:
    case FUSE_RMDIR:
    case FUSE_REMOVEXATTR:
        return (struct shape){0, 1};
    case FUSE_SYMLINK:
        return (struct shape){0, 2};
    case FUSE_MKNOD:
        return (struct shape){sizeof(struct fuse_mknod_in), 1};
    case FUSE_MKDIR:
        return (struct shape){sizeof(struct fuse_mkdir_in), 1};
    case FUSE_CREATE:
        return (struct shape){sizeof(struct fuse_create_in), 1};
    case FUSE_LINK:
        return (struct shape){sizeof(struct fuse_link_in), 1};
    case FUSE_RENAME:
        return (struct shape){sizeof(struct fuse_rename_in), 2};
    case FUSE_RENAME2:
        return (struct shape){sizeof(struct fuse_rename2_in), 2};
    case FUSE_SETXATTR:
        return (struct shape){SETXATTR_BYTES, 1};
    case FUSE_GETXATTR:
        return (struct shape){sizeof(struct fuse_getxattr_in), 1};
    default:
        return (struct shape){0, 0};
    }
}

static size_t bytes_of_other_operation(uint32_t opcode)
{
    switch (opcode) {
    case FUSE_FORGET:
        return sizeof(struct fuse_forget_in);
    case FUSE_BATCH_FORGET:
        return sizeof(struct fuse_batch_forget_in);
    case FUSE_GETATTR:
        return sizeof(struct fuse_getattr_in);
    case FUSE_SETATTR:
        return sizeof(struct fuse_setattr_in);
    case FUSE_OPEN:
    case FUSE_OPENDIR:
        return sizeof(struct fuse_open_in);
    case FUSE_READ:
    case FUSE_READDIR:
    case FUSE_READDIRPLUS:
        return sizeof(struct fuse_read_in);
    case FUSE_WRITE:
        return sizeof(struct fuse_write_in);
    case FUSE_RELEASE:
    case FUSE_RELEASEDIR:
        return sizeof(struct fuse_release_in);
    case FUSE_FLUSH:
        return sizeof(struct fuse_flush_in);
    case FUSE_FSYNC:
    case FUSE_FSYNCDIR:
        return sizeof(struct fuse_fsync_in);
    case FUSE_FALLOCATE:
        return sizeof(struct fuse_fallocate_in);
    case FUSE_COPY_FILE_RANGE:
        return sizeof(struct fuse_copy_file_range_in);
    case FUSE_INTERRUPT:
        return sizeof(struct fuse_interrupt_in);
    case OPCODE_STATX:
        return STATX_BYTES;
    default:
        return 0;
    }
}

/* Are there so many strings, each with its end? */
static bool holds_names(const char *at, size_t size, unsigned names)
{
    for (; names > 0; names--) {
        const char *end = memchr(at, '\0', size);

        if (!end) {
            return false;
        }
        size -= (size_t)(end + 1 - at);
        at = end + 1;
    }
    return true;
}

/* What follows the fixed part of some, as that says. */
static bool holds_its_rest(uint32_t opcode, const char *body, size_t size)
{
    struct fuse_batch_forget_in batch;
    struct fuse_write_in write;

    if (opcode == FUSE_WRITE) {
        memcpy(&write, body, sizeof(write));
        return write.size <= size - sizeof(write);
    }
    if (opcode == FUSE_BATCH_FORGET) {
        memcpy(&batch, body, sizeof(batch));
        return batch.count <= (size - sizeof(batch)) / sizeof(struct fuse_forget_one);
    }
    return true;
}

bool fat_request_is_whole(const void *request, size_t size)
{
    struct fuse_in_header header;
    const char *body = (const char *)request + sizeof(header);
    struct shape shape;
    size_t rest;

    memcpy(&header, request, sizeof(header));
    shape = shape_of_name_operation(header.opcode);
    if (shape.names == 0) {
        shape.bytes = bytes_of_other_operation(header.opcode);
    }
    rest = size - sizeof(header);
    return header.len == size && rest >= shape.bytes &&
           holds_names(body + shape.bytes, rest - shape.bytes, shape.names) &&
           holds_its_rest(header.opcode, body, rest);
}
