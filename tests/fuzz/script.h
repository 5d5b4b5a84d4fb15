/* SPDX-License-Identifier: MIT */
/*
 * A peer of the service protocol that reads its lines from a fuzzer's input. It stands in
 * for service/channel.c, so a whole conversation runs without a socket.
 *
 * A packet is one byte that says what comes with it (enum script_gift), one with its
 * length, and its bytes. When there are no more, the peer has gone.
 */
#ifndef TEST_FUZZ_SCRIPT_H
#define TEST_FUZZ_SCRIPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "service/channel.h"

enum script_gift {
    SCRIPT_NOTHING,
    SCRIPT_DEVICE,    /* a descriptor of /dev/null                        */
    SCRIPT_ARGUMENTS, /* of a file with what follows the packet: a length
                         of one byte, and as many bytes                   */
    SCRIPT_SILENCE,   /* no packet, but ETIMEDOUT                         */
    SCRIPT_GIFTS
};

struct script {
    const uint8_t *at;
    size_t left;
    uint64_t sent[FAT_WIRE_KINDS]; /* messages that the tested side has sent */
    struct fat_wire_message last;  /* the last of them; its text is gone     */
    int descriptors;               /* given away and perhaps still open      */
};

extern struct script script;

void script_begin(const uint8_t *bytes, size_t length);

/* Descriptors that the process has open. */
int script_count_open(void);

#endif
