/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE /* memfd_create */
#include "script.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fuzz.h"

struct script script;

/* The linker's names for them. */
/* NOLINTBEGIN(bugprone-reserved-identifier,readability-identifier-naming) */
int __wrap_sigprocmask(int how, const sigset_t *set, sigset_t *old);
int __wrap_chdir(const char *path);
int __wrap_sigprocmask(int how, const sigset_t *set, sigset_t *old)
{
    (void)how, (void)set, (void)old; /* the fuzzer's alarm shall ring */
    return 0;
}

int __wrap_chdir(const char *path)
{
    return strcmp(path, "/"); /* names of inputs shall stay good */
}
/* NOLINTEND(bugprone-reserved-identifier,readability-identifier-naming) */

void script_begin(const uint8_t *bytes, size_t length)
{
    script = (struct script){.at = bytes, .left = length};
}

int script_count_open(void)
{
    DIR *const folder = opendir("/proc/self/fd");
    int count = 0;

    PROMISE(folder);
    while (readdir(folder)) {
        count++;
    }
    (void)closedir(folder); /* was only read */
    return count;
}

static uint8_t take_byte(void)
{
    if (script.left == 0) {
        return 0;
    }
    script.left--;
    return *script.at++;
}

/* As many bytes as the next one says; they stay where they are. */
static size_t take_bytes(const uint8_t **ret)
{
    const size_t wanted = take_byte();
    const size_t count = wanted < script.left ? wanted : script.left;

    *ret = script.at;
    script.at += count;
    script.left -= count;
    return count;
}

static int make_gift(enum script_gift gift)
{
    const uint8_t *bytes;
    size_t count;
    int fd;

    if (gift == SCRIPT_DEVICE) {
        fd = open("/dev/null", O_RDWR | O_CLOEXEC);
    } else {
        fd = memfd_create("arguments", MFD_CLOEXEC);
        count = take_bytes(&bytes);
        PROMISE(fd >= 0 && write(fd, bytes, count) == (ssize_t)count);
    }
    PROMISE(fd >= 0);
    script.descriptors++;
    return fd;
}

int fat_channel_receive(
        int socket, unsigned limit_ms, struct fat_channel_packet *packet, int *ret_fd)
{
    const enum script_gift gift = (enum script_gift)(take_byte() % SCRIPT_GIFTS);
    const uint8_t *bytes;

    (void)socket;
    PROMISE(limit_ms > 0);
    if (ret_fd) {
        *ret_fd = -1;
    }
    if (script.left == 0 || gift == SCRIPT_SILENCE) {
        return script.left == 0 ? ECONNRESET : ETIMEDOUT;
    }
    packet->length = take_bytes(&bytes);
    memcpy(packet->bytes, bytes, packet->length);
    packet->fault = fat_wire_decode(packet->bytes, packet->length, &packet->message);
    if (packet->fault == FAT_WIRE_UNKNOWN) {
        packet->message = (struct fat_wire_message){.kind = FAT_WIRE_HELLO};
    }
    if (ret_fd && gift != SCRIPT_NOTHING) {
        *ret_fd = make_gift(gift);
    }
    return 0;
}

int fat_channel_send(
        int socket, unsigned limit_ms, const struct fat_wire_message *message, int fd)
{
    static unsigned char room[FAT_WIRE_LARGEST];

    (void)socket;
    PROMISE(limit_ms > 0);
    PROMISE(fd < 0 || fcntl(fd, F_GETFD) >= 0);
    if (fat_wire_encode(message, room, sizeof(room)) == 0) {
        return EINVAL;
    }
    script.sent[message->kind]++;
    script.last = *message;
    script.last.text = NULL;
    return 0;
}
