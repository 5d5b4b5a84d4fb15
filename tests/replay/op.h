/* SPDX-License-Identifier: MIT */
/* Operations as data, and as text. */
#ifndef REPLAY_OP_H
#define REPLAY_OP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum op_kind {
    OP_CREATE,
    OP_MKDIR,
    OP_UNLINK,
    OP_RMDIR,
    OP_RENAME,    /* a to b */
    OP_EXCHANGE,  /* a with b */
    OP_APPEND,    /* amount */
    OP_OVERWRITE, /* amount bytes from the beginning */
    OP_TRUNCATE,  /* to amount */
    OP_CHATTR,    /* amount: the attributes */
    OP_RESERVE,   /* amount behind the end, KEEP_SIZE */
    OP_SYNC,      /* a file, or a directory */
    OP_COMMIT,
    OP_HOLD,       /* keep a file open ... */
    OP_WRITE_HELD, /* ... append amount to it ... */
    OP_RELEASE,    /* ... and close it */
    OP_FILL,       /* amount files of no content in directory a */
    OP_KEEP,       /* keep every directory in use, and so its index */
    OP_DROP,       /* ... and no longer */
};

/* Amounts are in quarters of a cluster, save for CHATTR and FILL. */
struct op {
    enum op_kind kind;
    const char *a, *b;
    uint32_t amount;
};

/* "rename" */
const char *op_name(enum op_kind kind);

/* "rename a b" into @text. */
void op_describe(const struct op *op, char *text, size_t text_bytes);
void ops_describe(const struct op *ops, size_t count, char *text, size_t text_bytes);

/* The other way round, with "_" for spaces in names; @text is used up. */
bool op_parse(char *text, struct op *ret);

#endif
