/* SPDX-License-Identifier: MIT */
#include "op.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const op_names[] = {
        [OP_CREATE] = "create",
        [OP_MKDIR] = "mkdir",
        [OP_UNLINK] = "unlink",
        [OP_RMDIR] = "rmdir",
        [OP_RENAME] = "rename",
        [OP_EXCHANGE] = "exchange",
        [OP_APPEND] = "append",
        [OP_OVERWRITE] = "overwrite",
        [OP_TRUNCATE] = "truncate",
        [OP_CHATTR] = "chattr",
        [OP_RESERVE] = "reserve",
        [OP_SYNC] = "sync",
        [OP_COMMIT] = "commit",
        [OP_HOLD] = "hold",
        [OP_WRITE_HELD] = "write-held",
        [OP_RELEASE] = "release",
        [OP_FILL] = "fill",
        [OP_KEEP] = "keep",
        [OP_DROP] = "drop",
};

const char *op_name(enum op_kind kind)
{
    return op_names[kind];
}

void op_describe(const struct op *op, char *text, size_t text_bytes)
{
    int length = snprintf(text, text_bytes, "%s%s%s%s%s", op_names[op->kind],
            op->a ? " " : "", op->a ? op->a : "", op->b ? " " : "", op->b ? op->b : "");

    if (op->amount > 0 && length > 0 && (size_t)length < text_bytes) {
        snprintf(text + length, text_bytes - (size_t)length, " %u",
                (unsigned)op->amount);
    }
}

void ops_describe(const struct op *ops, size_t count, char *text, size_t text_bytes)
{
    size_t at = 0;

    text[0] = '\0';
    for (size_t i = 0; i < count && at + 4 < text_bytes; i++) {
        if (i > 0) {
            at += (size_t)snprintf(text + at, text_bytes - at, "; ");
        }
        op_describe(&ops[i], text + at, text_bytes - at);
        at += strlen(text + at);
    }
}

bool op_parse(char *text, struct op *ret)
{
    char *save = NULL;
    const char *word = strtok_r(text, " ", &save);
    char *words[2] = {NULL, NULL};
    size_t count = 0;

    *ret = (struct op){0};
    while (word && ret->kind <= OP_DROP && strcmp(op_names[ret->kind], word) != 0) {
        ret->kind++;
    }
    if (!word || ret->kind > OP_DROP) {
        return false;
    }
    for (char *next = strtok_r(NULL, " ", &save); next;
            next = strtok_r(NULL, " ", &save)) {
        if (next[0] >= '0' && next[0] <= '9') {
            ret->amount = (uint32_t)strtoul(next, NULL, 10);
        } else if (count < 2) {
            words[count++] = next;
        }
    }
    for (size_t i = 0; i < count; i++) {
        for (char *at = words[i]; *at; at++) {
            *at = *at == '_' ? ' ' : *at;
        }
    }
    ret->a = words[0];
    ret->b = words[1];
    return true;
}
