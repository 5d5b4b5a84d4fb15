/* SPDX-License-Identifier: MIT */
/* The fixed beginning of a conversation: versions, the command line, the connection. */
#ifndef FAT_SERVICE_MOUNT_GREETING_H
#define FAT_SERVICE_MOUNT_GREETING_H

#include <stdbool.h>

#include "service/channel.h"

struct fat_greeting {
    int socket;
    unsigned limit_ms;
    unsigned flags; /* FAT_WIRE_MAY_* */
    const char *const *words;
    unsigned word_count;
    int fuse_fd; /* the caller's to close */
};

/* False: it went wrong, and that is said. @packet is room for an answer. */
bool fat_greeting_run(
        const struct fat_greeting *greeting, struct fat_channel_packet *packet);

/* Receive, and say what is wrong: the peer is gone, silent, or not understood. */
bool fat_greeting_receive(
        int socket, unsigned limit_ms, struct fat_channel_packet *packet);

/* Send, and say what is wrong. */
bool fat_greeting_send(
        int socket, unsigned limit_ms, const struct fat_wire_message *message, int fd);

#endif
