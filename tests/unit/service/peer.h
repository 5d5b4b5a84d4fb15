/* SPDX-License-Identifier: MIT */
/*
 * A mount helper that plays a script, and departs from it at one step.
 *
 * It sends ten messages in a whole conversation: its greeting, two descriptors, an open
 * file, and six replies. These are the steps, 0 to 9.
 */
#ifndef TEST_SERVICE_PEER_H
#define TEST_SERVICE_PEER_H

#include <stdbool.h>
#include <stddef.h>

#include "service/wire.h"

enum step { HELLO, ARGV, FUSEDEV, IMAGE, TYPE, SOURCE, DIRECTORY, OPTS, MTAB, DOIT };
enum { STEPS = DOIT + 1, NOWHERE = -1 };

#define IMAGE_PATH     "dir/a image"
#define DIRECTORY_PATH "mnt/x"

enum how {
    AS_IT_SHOULD,
    HANGS_UP,
    SAYS_NOTHING,
    ONE_BYTE_SHORT,
    ONE_BYTE_LONG,
    THREE_BYTES,
    NO_BYTES,
    OF_NO_KIND,
    TOO_LARGE,
    OF_ANOTHER_KIND,
    TWICE,
    INSTEAD, /* another message, with another number of descriptors */
};

struct packet {
    unsigned char bytes[256];
    size_t length;
};

/* The mount helper. */
struct peer {
    /* what it does */
    int at; /* step at which it departs, or NOWHERE */
    enum how how;
    struct fat_wire_message instead;
    unsigned descriptors; /* with it */
    bool goes_on;         /* after it */
    struct fat_wire_message hello;
    int argv_fd, fuse_fd, image_fd; /* what it passes */
    /* what became of it */
    int socket;
    bool departed;
    bool was_refused; /* a descriptor, by the kernel */
    struct packet got[16];
    unsigned got_count;
};

/* What it sends at @step if it does not depart. */
struct fat_wire_message peer_message(const struct peer *peer, int step);

/*
 * Play the script over the peer's socket, and close that: for a thread, whose argument
 * is the peer. It asserts nothing, since cmocka knows one thread only.
 */
void *peer_help(void *argument);

#endif
