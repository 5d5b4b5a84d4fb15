/* SPDX-License-Identifier: MIT */
/* The kernel's requests and the server's replies, turned into steps of a book. */
#ifndef REPLAY_REQUESTS_H
#define REPLAY_REQUESTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "book.h"

struct request; /* one that has no reply yet */

struct shadow;

struct requests {
    struct book *book;
    uint32_t *object_of; /* by the number that the kernel knows a node by, plus one */
    size_t node_count;
    struct shadow *shadows; /* by object */
    size_t shadow_count;
    struct request *pending;
    size_t pending_count;
    char reason[200];
};

void requests_init(struct requests *requests, struct book *book);
void requests_done(struct requests *requests);

/*
 * @made  the number of the object that it creates, if it does
 *
 * False: it is one that the book can't tell of; see reason.
 */
bool requests_begin(
        struct requests *requests, const void *request, size_t length, uint64_t made);
bool requests_end(struct requests *requests, const void *reply, size_t length);

#endif
