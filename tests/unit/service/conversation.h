/* SPDX-License-Identifier: MIT */
/*
 * A server and a scripted mount helper ("peer.h") that talk to each other, and what
 * came of it. Needs the linker's --wrap=fat_channel_receive.
 */
#ifndef TEST_SERVICE_CONVERSATION_H
#define TEST_SERVICE_CONVERSATION_H

#include <stdbool.h>
#include <stddef.h>

#include "peer.h"

enum { ACTIVATED = 3, GREETING_LIMIT_MS = 5000, LIMIT_MS = 30000 };

#define BYTES(literal) (literal), sizeof(literal) - 1

/* How the server fared. */
struct result {
    int error;
    const char *where; /* the function that failed */
    bool has_image;    /* was opened, and is the helper's */
    bool mounted;
    bool is_in_root; /* the current directory */
    char words[256]; /* the command line, with | between */
    char said[4096]; /* on standard error */
};

struct wishes {
    const char *options;
    int open_flags;
    bool fuseblk;
};

/*
 * What a server would wait for its messages. It does, and is only hurried where its
 * helper says nothing: however slow the machine is, that never comes.
 */
extern unsigned longest_limit_ms, shortest_limit_ms;

/* A helper without faults. The descriptors that it passes are to be closed. */
struct peer new_peer(void);
void done_peer(struct peer *p);

/*
 * The whole conversation, up to the server's goodbye. Nothing may leak, whatever becomes
 * of it. Descriptor 3 is reserved before and after.
 */
struct result converse(struct peer *p, const struct wishes *wishes);

/* Its parts: nothing else is opened as number 3; that is the server's connection. */
void reserve_descriptor(void);
void activate(int socket);

int memory_file(const void *bytes, size_t length);

#endif
