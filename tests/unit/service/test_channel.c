/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE /* memfd_create */
#include "service/channel.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "support/cmocka.h"
#include "support/descriptors.h"

#define LITERAL_BYTES(literal) (literal), sizeof(literal) - 1

enum { SHORT_MS = 60, LONG_MS = 20000, MOST_FDS = 3 };

static const struct fat_wire_message reply = {.kind = FAT_WIRE_REPLY, .error = 16};

/* Two ends of a connection, and room for what arrives. */
struct pair {
    int ours, theirs;
    struct fat_channel_packet packet;
    unsigned open_before;
};

static struct pair *connect_pair(void)
{
    struct pair *const pair = calloc(1, sizeof(*pair));
    int ends[2];

    assert_non_null(pair);
    pair->open_before = count_descriptors();
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
    pair->ours = ends[0];
    pair->theirs = ends[1];
    return pair;
}

static void hang_up(int *end)
{
    if (*end >= 0) {
        assert_int_equal(close(*end), 0);
    }
    *end = -1;
}

/* No descriptor is left over. */
static void disconnect(struct pair *pair)
{
    hang_up(&pair->ours);
    hang_up(&pair->theirs);
    assert_int_equal(count_descriptors(), pair->open_before);
    free(pair);
}

/* As a peer that doesn't keep to the rules. */
static void send_raw(
        int socket, const void *bytes, size_t length, const int *fds, size_t count)
{
    union {
        struct cmsghdr header;
        char bytes[CMSG_SPACE(MOST_FDS * sizeof(int))];
    } control = {.bytes = {0}};
    char *const copy = malloc(length + 1);
    struct iovec packet = {.iov_base = copy, .iov_len = length};
    struct msghdr header = {.msg_iov = &packet, .msg_iovlen = 1};

    assert_non_null(copy);
    memcpy(copy, bytes, length);
    if (count > 0) {
        header.msg_control = control.bytes;
        header.msg_controllen = CMSG_SPACE(count * sizeof(int));
        control.header.cmsg_level = SOL_SOCKET;
        control.header.cmsg_type = SCM_RIGHTS;
        control.header.cmsg_len = CMSG_LEN(count * sizeof(int));
        memcpy(CMSG_DATA(&control.header), fds, count * sizeof(int));
    }
    assert_int_equal(sendmsg(socket, &header, MSG_NOSIGNAL), length);
    free(copy);
}

static long long now_ms(void)
{
    struct timespec now;

    assert_int_equal(clock_gettime(CLOCK_MONOTONIC, &now), 0);
    return (long long)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void a_message_arrives_as_it_was_sent(void **state)
{
    struct pair *const pair = connect_pair();
    const struct fat_wire_message message = {
            .kind = FAT_WIRE_MOUNTPOINT, .format = 0x4000, .text = "/mnt"};
    int fd = 77;

    (void)state;
    assert_int_equal(fat_channel_send(pair->theirs, 0, &message, -1), 0);
    assert_int_equal(fat_channel_send(pair->theirs, 0, &reply, -1), 0);
    assert_int_equal(fat_channel_receive(pair->ours, 0, &pair->packet, &fd), 0);
    assert_int_equal(fd, -1);
    assert_int_equal(pair->packet.fault, FAT_WIRE_SOUND);
    assert_int_equal(pair->packet.length, 13);
    assert_int_equal(pair->packet.message.kind, FAT_WIRE_MOUNTPOINT);
    assert_int_equal(pair->packet.message.format, 0x4000);
    assert_string_equal(pair->packet.message.text, "/mnt");

    assert_int_equal(fat_channel_receive(pair->ours, 0, &pair->packet, NULL), 0);
    assert_int_equal(pair->packet.message.kind, FAT_WIRE_REPLY);
    assert_int_equal(pair->packet.message.error, 16);
    assert_null(pair->packet.message.text);
    disconnect(pair);
}

static void a_message_that_cannot_be_written_is_not_sent(void **state)
{
    struct pair *const pair = connect_pair();
    const struct fat_wire_message message = {.kind = FAT_WIRE_SOURCE, .text = ""};

    (void)state;
    assert_int_equal(fat_channel_send(pair->theirs, 0, &message, -1), EINVAL);
    assert_int_equal(
            fat_channel_receive(pair->ours, 0, &pair->packet, NULL), ETIMEDOUT);
    disconnect(pair);
}

static void a_descriptor_arrives_close_on_exec_and_stays_the_senders_too(void **state)
{
    struct pair *const pair = connect_pair();
    const struct fat_wire_message message = {.kind = FAT_WIRE_FILE, .text = "argv"};
    const int sent = memfd_create("sent", 0);
    struct stat ours;
    struct stat theirs;
    int fd = -1;

    (void)state;
    assert_int_equal(fat_channel_send(pair->theirs, 0, &message, sent), 0);
    assert_int_equal(fat_channel_receive(pair->ours, 0, &pair->packet, &fd), 0);
    assert_int_not_equal(fd, sent);
    assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
    assert_int_equal(fcntl(sent, F_GETFD), 0);
    assert_int_equal(fstat(fd, &ours), 0);
    assert_int_equal(fstat(sent, &theirs), 0);
    assert_true(ours.st_ino == theirs.st_ino && ours.st_dev == theirs.st_dev);
    assert_string_equal(pair->packet.message.text, "argv");
    hang_up(&fd);
    assert_int_equal(close(sent), 0);
    disconnect(pair);
}

static void a_faulty_message_hands_over_its_descriptor_all_the_same(void **state)
{
    struct pair *const pair = connect_pair();
    const int sent = 0;
    int fd = -1;

    (void)state;
    send_raw(pair->theirs, LITERAL_BYTES("FILE"), &sent, 1);
    assert_int_equal(fat_channel_receive(pair->ours, 0, &pair->packet, &fd), 0);
    assert_int_equal(pair->packet.fault, FAT_WIRE_LENGTH);
    assert_int_equal(pair->packet.message.kind, FAT_WIRE_FILE);
    assert_true(fd >= 0);
    hang_up(&fd);
    disconnect(pair);
}

static void who_takes_no_descriptor_gets_none(void **state)
{
    struct pair *const pair = connect_pair();
    const int sent[] = {0, 1, 2};
    const unsigned before = count_descriptors();

    (void)state;
    send_raw(pair->theirs, LITERAL_BYTES("BYEE\0\0\0\0"), sent, 3);
    assert_int_equal(fat_channel_receive(pair->ours, 0, &pair->packet, NULL), 0);
    assert_int_equal(pair->packet.message.kind, FAT_WIRE_GOODBYE);
    assert_int_equal(count_descriptors(), before);
    disconnect(pair);
}

static void more_than_one_descriptor_is_an_error_and_none_stays(void **state)
{
    struct pair *const pair = connect_pair();
    const int sent[] = {0, 1, 2};
    const unsigned before = count_descriptors();

    (void)state;
    for (size_t count = 2; count <= 3; count++) {
        int fd = 77;

        send_raw(pair->theirs, LITERAL_BYTES("FILE\0\0\0\0argv\0"), sent, count);
        assert_int_equal(fat_channel_receive(pair->ours, 0, &pair->packet, &fd), EBADF);
        assert_int_equal(fd, 77);
        assert_int_equal(count_descriptors(), before);
    }
    disconnect(pair);
}

static void an_empty_packet_counts_as_hung_up_and_keeps_no_descriptor(void **state)
{
    struct pair *const pair = connect_pair();
    const int sent = 0;
    const unsigned before = count_descriptors();
    int fd = 77;

    (void)state;
    send_raw(pair->theirs, "", 0, &sent, 1);
    assert_int_equal(
            fat_channel_receive(pair->ours, 0, &pair->packet, &fd), ECONNRESET);
    assert_int_equal(fd, 77);
    assert_int_equal(count_descriptors(), before);
    disconnect(pair);
}

static void a_peer_that_has_gone_is_noticed_at_once(void **state)
{
    struct pair *const pair = connect_pair();

    (void)state;
    hang_up(&pair->theirs);
    assert_int_equal(
            fat_channel_receive(pair->ours, LONG_MS, &pair->packet, NULL), ECONNRESET);
    assert_int_equal(fat_channel_send(pair->ours, LONG_MS, &reply, -1), EPIPE);
    disconnect(pair);
}

static void a_peer_that_left_without_reading_has_gone_too(void **state)
{
    struct pair *const pair = connect_pair();

    (void)state;
    assert_int_equal(fat_channel_send(pair->ours, 0, &reply, -1), 0);
    hang_up(&pair->theirs);
    assert_int_equal(fat_channel_send(pair->ours, LONG_MS, &reply, -1), EPIPE);
    disconnect(pair);
}

static void what_was_said_before_hanging_up_is_heard(void **state)
{
    struct pair *const pair = connect_pair();

    (void)state;
    assert_int_equal(fat_channel_send(pair->theirs, 0, &reply, -1), 0);
    hang_up(&pair->theirs);
    assert_int_equal(fat_channel_receive(pair->ours, 0, &pair->packet, NULL), 0);
    assert_int_equal(pair->packet.message.kind, FAT_WIRE_REPLY);
    disconnect(pair);
}

static void a_peer_that_is_silent_costs_the_limit_and_no_more(void **state)
{
    struct pair *const pair = connect_pair();
    const long long begin = now_ms();
    int fd = 77;

    (void)state;
    assert_int_equal(
            fat_channel_receive(pair->ours, SHORT_MS, &pair->packet, &fd), ETIMEDOUT);
    assert_int_equal(fd, 77);
    assert_in_range(now_ms() - begin, SHORT_MS, LONG_MS / 2);
    disconnect(pair);
}

static void a_peer_that_does_not_read_costs_the_limit_and_no_more(void **state)
{
    struct pair *const pair = connect_pair();
    int error = 0;
    long long begin;

    (void)state;
    for (unsigned i = 0; i < 1000000 && !error; i++) {
        error = fat_channel_send(pair->ours, 0, &reply, -1);
    }
    assert_int_equal(error, ETIMEDOUT);
    begin = now_ms();
    assert_int_equal(fat_channel_send(pair->ours, SHORT_MS, &reply, -1), ETIMEDOUT);
    assert_in_range(now_ms() - begin, SHORT_MS, LONG_MS / 2);
    disconnect(pair);
}

static void *speak_later(void *context)
{
    const int *const socket = context;
    const struct timespec length = {.tv_nsec = SHORT_MS * 1000000L};

    (void)nanosleep(&length, NULL); /* waking early only speaks sooner */
    return fat_channel_send(*socket, 0, &reply, -1) == 0 ? NULL : context;
}

static void what_comes_within_the_limit_is_waited_for(void **state)
{
    struct pair *const pair = connect_pair();
    pthread_t other;
    void *failed;

    (void)state;
    assert_int_equal(pthread_create(&other, NULL, speak_later, &pair->theirs), 0);
    assert_int_equal(fat_channel_receive(pair->ours, LONG_MS, &pair->packet, NULL), 0);
    assert_int_equal(pair->packet.message.kind, FAT_WIRE_REPLY);
    assert_int_equal(pthread_join(other, &failed), 0);
    assert_null(failed);
    disconnect(pair);
}

static void ignore_alarm(int number)
{
    (void)number;
}

/* A signal every few milliseconds must neither end the wait nor begin it anew. */
static void signals_do_not_change_the_limit(void **state)
{
    struct pair *const pair = connect_pair();
    struct sigaction action = {.sa_handler = ignore_alarm};
    struct sigaction old;
    struct sigevent by_signal = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGALRM};
    const struct timespec often = {.tv_nsec = 5000000};
    const struct itimerspec every = {.it_interval = often, .it_value = often};
    const long long begin = now_ms();
    timer_t timer;

    (void)state;
    assert_int_equal(sigaction(SIGALRM, &action, &old), 0);
    assert_int_equal(timer_create(CLOCK_MONOTONIC, &by_signal, &timer), 0);
    assert_int_equal(timer_settime(timer, 0, &every, NULL), 0);
    assert_int_equal(
            fat_channel_receive(pair->ours, SHORT_MS, &pair->packet, NULL), ETIMEDOUT);
    assert_int_equal(timer_delete(timer), 0);
    assert_int_equal(sigaction(SIGALRM, &old, NULL), 0);
    assert_in_range(now_ms() - begin, SHORT_MS, LONG_MS / 2);
    disconnect(pair);
}

/* OPTS and a text so that the packet has @length bytes. */
static char *large_packet(size_t length)
{
    char *const packet = malloc(length);

    assert_non_null(packet);
    memset(packet, 'o', length);
    memcpy(packet, "OPTS", 4);
    packet[length - 1] = '\0';
    return packet;
}

static void the_largest_message_goes_through_and_one_byte_more_is_of_no_kind(
        void **state)
{
    struct pair *const pair = connect_pair();

    (void)state;
    for (size_t more = 0; more <= 3; more++) {
        const size_t length = FAT_WIRE_LARGEST + more;
        char *const packet = large_packet(length);

        send_raw(pair->theirs, packet, length, NULL, 0);
        assert_int_equal(fat_channel_receive(pair->ours, 0, &pair->packet, NULL), 0);
        assert_int_equal(
                pair->packet.fault, more == 0 ? FAT_WIRE_SOUND : FAT_WIRE_UNKNOWN);
        if (more == 0) {
            assert_int_equal(
                    fat_channel_send(pair->ours, 0, &pair->packet.message, -1), 0);
            assert_int_equal(recv(pair->theirs, packet, length, MSG_TRUNC), length);
        } else {
            /* nothing of the one before */
            assert_null(pair->packet.message.text);
        }
        free(packet);
    }
    disconnect(pair);
}

static void what_is_no_socket_is_refused(void **state)
{
    struct pair *const pair = connect_pair();
    const int file = memfd_create("file", MFD_CLOEXEC);

    (void)state;
    assert_int_equal(fat_channel_receive(file, 0, &pair->packet, NULL), ENOTSOCK);
    assert_int_equal(fat_channel_send(file, 0, &reply, -1), ENOTSOCK);
    assert_int_equal(close(file), 0);
    assert_int_equal(fat_channel_receive(file, 0, &pair->packet, NULL), EBADF);
    assert_int_equal(fat_channel_send(file, 0, &reply, -1), EBADF);
    disconnect(pair);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test(a_message_arrives_as_it_was_sent),
            cmocka_unit_test(a_message_that_cannot_be_written_is_not_sent),
            cmocka_unit_test(
                    a_descriptor_arrives_close_on_exec_and_stays_the_senders_too),
            cmocka_unit_test(a_faulty_message_hands_over_its_descriptor_all_the_same),
            cmocka_unit_test(who_takes_no_descriptor_gets_none),
            cmocka_unit_test(more_than_one_descriptor_is_an_error_and_none_stays),
            cmocka_unit_test(an_empty_packet_counts_as_hung_up_and_keeps_no_descriptor),
            cmocka_unit_test(a_peer_that_has_gone_is_noticed_at_once),
            cmocka_unit_test(a_peer_that_left_without_reading_has_gone_too),
            cmocka_unit_test(what_was_said_before_hanging_up_is_heard),
            cmocka_unit_test(a_peer_that_is_silent_costs_the_limit_and_no_more),
            cmocka_unit_test(a_peer_that_does_not_read_costs_the_limit_and_no_more),
            cmocka_unit_test(what_comes_within_the_limit_is_waited_for),
            cmocka_unit_test(signals_do_not_change_the_limit),
            cmocka_unit_test(
                    the_largest_message_goes_through_and_one_byte_more_is_of_no_kind),
            cmocka_unit_test(what_is_no_socket_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
