/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE /* MSG_CMSG_CLOEXEC */
#include "service/channel.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/* Room for one descriptor, aligned as the macros want it. */
union control {
    struct cmsghdr header;
    char bytes[CMSG_SPACE(sizeof(int))];
};

/* [milliseconds] */
static long long now_ms(void)
{
    struct timespec now = {0};

    (void)clock_gettime(CLOCK_MONOTONIC, &now); /* this clock is always there */
    return (long long)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/*
 * 0: @socket may be ready, or something is wrong that the next call will tell. EINTR and
 * ETIMEDOUT among others.
 */
static int wait_until(long long deadline_ms, int socket, short events)
{
    struct pollfd waiting = {.fd = socket, .events = events};
    const long long left = deadline_ms - now_ms();
    const int rest = left > INT_MAX ? INT_MAX : (int)left;
    /* below zero would be for ever */
    const int found = poll(&waiting, 1, rest < 0 ? 0 : rest);

    if (found == 0) {
        return ETIMEDOUT;
    }
    return found > 0 ? 0 : errno;
}

static bool is_worth_another_try(int error)
{
    return error == EAGAIN || error == EINTR;
}

/* -1: none came. More than one cannot: there was no room. */
static int take_descriptor(struct msghdr *header)
{
    const struct cmsghdr *const control = CMSG_FIRSTHDR(header);
    int fd = -1;

    if (control && control->cmsg_level == SOL_SOCKET &&
            control->cmsg_type == SCM_RIGHTS &&
            control->cmsg_len >= CMSG_LEN(sizeof(fd))) {
        memcpy(&fd, CMSG_DATA(control), sizeof(fd));
    }
    return fd;
}

/* One attempt that doesn't wait. */
static int receive_packet(int socket, struct fat_channel_packet *packet, int *ret_fd)
{
    union control control = {.bytes = {0}};
    struct iovec room = {.iov_base = packet->bytes, .iov_len = sizeof(packet->bytes)};
    struct msghdr header = {.msg_iov = &room, .msg_iovlen = 1};
    ssize_t length;
    int fd;
    int error = 0;

    if (ret_fd) {
        header.msg_control = control.bytes;
        /* not CMSG_SPACE: its padding would let a second descriptor in */
        header.msg_controllen = CMSG_LEN(sizeof(int));
    }
    length = recvmsg(socket, &header, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
    if (length < 0) {
        return errno;
    }
    fd = take_descriptor(&header);
    if (length == 0) {
        error = ECONNRESET;
    } else if (ret_fd && header.msg_flags & MSG_CTRUNC) {
        error = EBADF;
    }
    if (error) {
        if (fd >= 0) {
            (void)close(fd); /* never used */
        }
        return error;
    }
    packet->length = (size_t)length;
    packet->message = (struct fat_wire_message){.text = NULL};
    /* one that is too large fills the byte too many, and so is of no kind */
    packet->fault = fat_wire_decode(packet->bytes, packet->length, &packet->message);
    if (ret_fd) {
        *ret_fd = fd;
    }
    return 0;
}

int fat_channel_receive(
        int socket, unsigned limit_ms, struct fat_channel_packet *packet, int *ret_fd)
{
    const long long deadline = now_ms() + limit_ms;
    int error;

    do {
        error = wait_until(deadline, socket, POLLIN);
        if (!error) {
            error = receive_packet(socket, packet, ret_fd);
        }
    } while (is_worth_another_try(error));
    return error;
}

static void add_descriptor(struct msghdr *header, union control *control, int fd)
{
    header->msg_control = control->bytes;
    header->msg_controllen = CMSG_LEN(sizeof(fd));
    control->header.cmsg_level = SOL_SOCKET;
    control->header.cmsg_type = SCM_RIGHTS;
    control->header.cmsg_len = CMSG_LEN(sizeof(fd));
    memcpy(CMSG_DATA(&control->header), &fd, sizeof(fd));
}

/* One attempt that doesn't wait. */
static int send_packet(int socket, const struct msghdr *header)
{
    if (sendmsg(socket, header, MSG_EOR | MSG_NOSIGNAL | MSG_DONTWAIT) >= 0) {
        return 0;
    }
    /* so says a peer that has gone without reading all that it was sent */
    return errno == ECONNRESET ? EPIPE : errno;
}

int fat_channel_send(
        int socket, unsigned limit_ms, const struct fat_wire_message *message, int fd)
{
    const long long deadline = now_ms() + limit_ms;
    unsigned char bytes[FAT_WIRE_LARGEST];
    union control control = {.bytes = {0}};
    struct iovec packet = {
            .iov_base = bytes,
            .iov_len = fat_wire_encode(message, bytes, sizeof(bytes)),
    };
    struct msghdr header = {.msg_iov = &packet, .msg_iovlen = 1};
    int error;

    if (packet.iov_len == 0) {
        return EINVAL;
    }
    if (fd >= 0) {
        add_descriptor(&header, &control, fd);
    }
    do {
        error = wait_until(deadline, socket, POLLOUT);
        if (!error) {
            error = send_packet(socket, &header);
        }
    } while (is_worth_another_try(error));
    return error;
}
