/* SPDX-License-Identifier: MIT */
/*
 * Messages over the socket, with a time limit on each: a peer that hangs must not
 * take the other side with it. Descriptors are close-on-exec from the first moment.
 */
#ifndef FAT_SERVICE_CHANNEL_H
#define FAT_SERVICE_CHANNEL_H

#include <stddef.h>

#include "service/wire.h"

/* Where a message is received; what it points to lives until the next one. */
struct fat_channel_packet {
    struct fat_wire_message message;
    enum fat_wire_fault fault;
    size_t length; /* [bytes] */
    unsigned char bytes[FAT_WIRE_LARGEST + 1];
};

/*
 * Receive one message.
 *
 * @limit_ms   how long to wait for it                              [milliseconds]
 * @ret_fd     NULL: no descriptor is taken, and none can get in: what was sent along
 *             is dropped by the kernel, and the message counts. Else the one that came
 *             with it, the caller's to close, or -1. It may come with a faulty message
 *             too.
 *
 * 0: @packet->fault says whether it makes sense. Else a positive errno and no
 * descriptor:
 * ECONNRESET   the peer has closed the connection
 * ETIMEDOUT    it said nothing in time
 * EBADF        a descriptor was sent and did not arrive (a security module refused
 *              it, or there are too many), or more than one was sent
 * others       recvmsg(2)'s
 */
int fat_channel_receive(
        int socket, unsigned limit_ms, struct fat_channel_packet *packet, int *ret_fd);

/*
 * Send one message, with the descriptor @fd unless that is -1. The caller keeps @fd.
 *
 * 0 or a positive errno: EINVAL (fat_wire_encode() refuses it), ETIMEDOUT (the peer
 * doesn't read), EPIPE (it has gone; no signal is raised), others sendmsg(2)'s.
 */
int fat_channel_send(
        int socket, unsigned limit_ms, const struct fat_wire_message *message, int fd);

#endif
