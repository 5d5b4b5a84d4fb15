/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE /* memfd_create */
#include "greeting.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "say.h"
#include "service/argv.h"

static const char broken_off[] = "the server ended without saying goodbye";

/* systemd closes a connection at once if there are as many as it allows. */
static const char turned_away[] =
        "the service turned us away; too many mounts may be its reason, and its log, "
        "journalctl -u fatward.socket, has it";

static bool receive(int socket, unsigned limit_ms, struct fat_channel_packet *packet,
        const char *if_closed)
{
    const int error = fat_channel_receive(socket, limit_ms, packet, NULL);

    switch (error) {
    case 0:
        break;
    case ECONNRESET:
        fat_say("%s", if_closed);
        return false;
    case ETIMEDOUT:
        fat_say("the server has said nothing for %u seconds", (limit_ms + 999) / 1000);
        return false;
    default:
        fat_say("listening to the server: %s", fat_error_text(error));
        return false;
    }
    if (packet->fault == FAT_WIRE_UNKNOWN) {
        fat_say("the server sent a message of %zu bytes that there is not",
                packet->length);
        return false;
    }
    return true;
}

bool fat_greeting_receive(
        int socket, unsigned limit_ms, struct fat_channel_packet *packet)
{
    return receive(socket, limit_ms, packet, broken_off);
}

static bool send(int socket, unsigned limit_ms, const struct fat_wire_message *message,
        int fd, const char *if_closed)
{
    const int error = fat_channel_send(socket, limit_ms, message, fd);

    switch (error) {
    case 0:
        return true;
    case EPIPE:
    case ECONNRESET:
        fat_say("%s", if_closed);
        return false;
    case ETIMEDOUT:
        fat_say("the server has not listened for %u seconds", (limit_ms + 999) / 1000);
        return false;
    default:
        fat_say("talking to the server: %s", fat_error_text(error));
        return false;
    }
}

bool fat_greeting_send(
        int socket, unsigned limit_ms, const struct fat_wire_message *message, int fd)
{
    return send(socket, limit_ms, message, fd, broken_off);
}

static bool agree(
        const struct fat_greeting *greeting, struct fat_channel_packet *packet)
{
    const struct fat_wire_message hello = {.kind = FAT_WIRE_HELLO,
            .min_version = FAT_WIRE_VERSION,
            .version = FAT_WIRE_VERSION,
            .flags = greeting->flags};

    if (!send(greeting->socket, greeting->limit_ms, &hello, -1, turned_away) ||
            !receive(greeting->socket, greeting->limit_ms, packet, turned_away)) {
        return false;
    }
    if (packet->message.kind != FAT_WIRE_HELLO_REPLY || packet->fault) {
        fat_say("the server answered the greeting with %s%s%s",
                fat_wire_name(packet->message.kind), packet->fault ? ", which " : "",
                packet->fault ? fat_wire_fault_text(packet->fault) : "");
        return false;
    }
    if (packet->message.version != FAT_WIRE_VERSION) {
        fat_say("the server speaks version %u of the protocol",
                (unsigned)packet->message.version);
        return false;
    }
    return true;
}

static bool write_all(int fd, const char *bytes, size_t length)
{
    while (length > 0) {
        const ssize_t written = write(fd, bytes, length);

        if (written <= 0) {
            return false;
        }
        bytes += written;
        length -= (size_t)written;
    }
    return true;
}

/* The command line as a file in memory, or -1. */
static int make_file(const struct fat_greeting *greeting)
{
    const int fd = memfd_create("argv", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    void *bytes = NULL;
    size_t length = 0;
    bool ok = fd >= 0;

    if (ok) {
        const enum fat_argv_fault fault =
                fat_argv_encode(greeting->words, greeting->word_count, &bytes, &length);

        ok = !fault && write_all(fd, bytes, length) &&
             fcntl(fd, F_ADD_SEALS,
                     F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) == 0;
        free(bytes);
    }
    if (!ok) {
        fat_say("the command line can't be handed over");
    }
    if (!ok && fd >= 0) {
        close(fd);
    }
    return ok ? fd : -1;
}

static bool hand_over(const struct fat_greeting *greeting, const char *name, int fd)
{
    const struct fat_wire_message file = {.kind = FAT_WIRE_FILE, .text = name};

    return fat_greeting_send(greeting->socket, greeting->limit_ms, &file, fd);
}

bool fat_greeting_run(
        const struct fat_greeting *greeting, struct fat_channel_packet *packet)
{
    bool ok;
    int fd;

    if (!agree(greeting, packet)) {
        return false;
    }
    fd = make_file(greeting);
    if (fd < 0) {
        return false;
    }
    ok = hand_over(greeting, "argv", fd);
    close(fd);
    return ok && hand_over(greeting, "fusedev", greeting->fuse_fd);
}
