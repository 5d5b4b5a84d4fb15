/* SPDX-License-Identifier: MIT */
#include "peer.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static void put(struct peer *p, const void *bytes, size_t length, const int *fds,
        unsigned count)
{
    union {
        struct cmsghdr header;
        char bytes[CMSG_SPACE(2 * sizeof(int))];
    } control = {.bytes = {0}};
    struct packet copy = {.length = 0};
    static unsigned char large[FAT_WIRE_LARGEST + 1];
    struct iovec packet = {.iov_base = copy.bytes, .iov_len = length};
    struct msghdr header = {.msg_iov = &packet, .msg_iovlen = 1};

    if (length > sizeof(copy.bytes)) {
        packet.iov_base = large;
    }
    memcpy(packet.iov_base, bytes,
            length < sizeof(copy.bytes) ? length : sizeof(copy.bytes));
    if (count > 0) {
        header.msg_control = control.bytes;
        header.msg_controllen = CMSG_SPACE(count * sizeof(int));
        control.header.cmsg_level = SOL_SOCKET;
        control.header.cmsg_type = SCM_RIGHTS;
        control.header.cmsg_len = CMSG_LEN(count * sizeof(int));
        memcpy(CMSG_DATA(&control.header), fds, count * sizeof(int));
    }
    if (sendmsg(p->socket, &header, MSG_NOSIGNAL) < 0 && errno == EPERM) {
        /* the server's end takes no descriptors any more */
        p->was_refused = true;
        header.msg_control = NULL;
        header.msg_controllen = 0;
        (void)sendmsg(p->socket, &header, MSG_NOSIGNAL);
    }
}

static bool get(struct peer *p)
{
    struct packet packet;
    ssize_t length;

    do {
        length = recv(p->socket, packet.bytes, sizeof(packet.bytes), MSG_TRUNC);
        /* what the server left unread counts as an error once */
    } while (length < 0 && errno == ECONNRESET);
    if (length <= 0 || p->got_count == COUNT(p->got)) {
        return false;
    }
    packet.length = (size_t)length;
    p->got[p->got_count++] = packet;
    return true;
}

struct fat_wire_message peer_message(const struct peer *p, int step)
{
    static const char *const names[STEPS] = {
            [ARGV] = "argv", [FUSEDEV] = "fusedev", [IMAGE] = IMAGE_PATH};

    if (step == HELLO) {
        return p->hello;
    }
    return (struct fat_wire_message){
            .kind = step <= IMAGE ? FAT_WIRE_FILE : FAT_WIRE_REPLY,
            .text = step <= IMAGE ? names[step] : NULL};
}

static void depart(struct peer *p, unsigned char *bytes, size_t length, const int *fds,
        unsigned count)
{
    static const struct fat_wire_message another = {.kind = FAT_WIRE_TYPE};

    switch (p->how) {
    case HANGS_UP:
        (void)close(p->socket);
        p->socket = -1;
        break;
    case ONE_BYTE_SHORT:
        put(p, bytes, length - 1, fds, count);
        break;
    case ONE_BYTE_LONG:
        put(p, bytes, length + 1, fds, count);
        break;
    case THREE_BYTES:
        put(p, bytes, 3, fds, count);
        break;
    case NO_BYTES:
        put(p, bytes, 0, fds, count);
        break;
    case OF_NO_KIND:
        bytes[0] = 'n';
        put(p, bytes, length, fds, count);
        break;
    case TOO_LARGE:
        put(p, bytes, FAT_WIRE_LARGEST + 1, fds, count);
        break;
    case TWICE:
        put(p, bytes, length, fds, count);
        put(p, bytes, length, fds, count);
        break;
    case OF_ANOTHER_KIND:
        put(p, bytes, fat_wire_encode(&another, bytes, length), fds, count);
        break;
    case INSTEAD:
        put(p, bytes, fat_wire_encode(&p->instead, bytes, 255), fds, p->descriptors);
        break;
    case AS_IT_SHOULD:
    case SAYS_NOTHING:
        break;
    }
}

/* False: the script is over, the rest is listening. */
static bool play(struct peer *p, int step)
{
    const struct fat_wire_message message = peer_message(p, step);
    const int fd = step == ARGV      ? p->argv_fd
                   : step == FUSEDEV ? p->fuse_fd
                                     : p->image_fd;
    const int fds[2] = {fd, p->image_fd};
    const unsigned count = step >= ARGV && step <= IMAGE;
    unsigned char bytes[256 + 1] = {0};
    const size_t length = fat_wire_encode(&message, bytes, sizeof(bytes) - 1);

    if (step != p->at) {
        put(p, bytes, length, fds, count);
        return true;
    }
    p->departed = true;
    depart(p, bytes, length, fds, count);
    return p->how == TWICE || p->goes_on;
}

void *peer_help(void *argument)
{
    struct peer *p = argument;
    int step = IMAGE;
    bool on = play(p, HELLO) && get(p) && play(p, ARGV) && play(p, FUSEDEV);

    while (p->socket >= 0 && get(p)) {
        if (on && memcmp(p->got[p->got_count - 1].bytes, "BYEE", 4) != 0) {
            on = step < STEPS && play(p, step++);
        }
    }
    if (p->socket >= 0) {
        (void)close(p->socket);
        p->socket = -1;
    }
    return NULL;
}
