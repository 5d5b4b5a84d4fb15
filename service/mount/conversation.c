/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE /* statx */
#include "conversation.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>

#include "greeting.h"
#include "mount_table.h"
#include "mounting.h"
#include "open_file.h"
#include "say.h"
#include "table.h"

/*
 * A server that asks for one thing over and over keeps the helper, and whoever waits for
 * it at boot, neither for ever nor with a screen full of refusals.
 */
enum { MOST_MESSAGES = 10000, MOST_COMPLAINTS = 20, LIMITS_TO_MOUNT = 4 };

enum next { GO_ON, END_WELL, END_BADLY };

struct state {
    struct fat_conversation *with;
    int mount_fd;   /* leads to the mount that was made, or -1     */
    bool refused;   /* the last MOUNT or MOUNTPOINT was            */
    dev_t device;   /* the source, if it was opened and is one     */
    uint64_t until; /* the mount, then the goodbye must have come [milliseconds] */
    unsigned complaints;
    struct fat_channel_packet packet;
    struct fat_loops_user user; /* who else has what was opened last, or empty */
};

static uint64_t now_ms(void)
{
    struct timespec now = {0};

    (void)clock_gettime(CLOCK_MONOTONIC, &now); /* cannot fail with this clock */
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static enum next send(
        struct state *state, const struct fat_wire_message *message, int fd)
{
    return fat_greeting_send(state->with->socket, state->with->limit_ms, message, fd)
                   ? GO_ON
                   : END_BADLY;
}

static enum next reply(struct state *state, int error)
{
    const struct fat_wire_message message = {
            .kind = FAT_WIRE_REPLY, .error = (uint32_t)error};

    return send(state, &message, -1);
}

static enum next reply_file(struct state *state, const char *path, int error, int fd)
{
    const struct fat_wire_message message = {
            .kind = FAT_WIRE_FILE, .error = (uint32_t)error, .text = path};

    return send(state, &message, fd);
}

/* A server waits for a busy medium by asking again. */
static void say_not_opened(struct state *state, int error)
{
    const struct fat_wire_message *message = &state->packet.message;

    if (error && error != EBUSY && !(message->flags & FAT_WIRE_QUIET)) {
        fat_say("%s: %s", message->text, fat_error_text(error));
        state->complaints++;
    }
}

/*
 * A path may lead to one device now and to another one later: two servers, or the kernel
 * and a server, would each think that they have the only one.
 */
static int check_device(struct state *state, const struct fat_opened *opened)
{
    const bool source =
            strcmp(state->packet.message.text, state->with->plan.bounds.words[1]) == 0;

    if (!source || opened->device == 0) {
        return 0;
    }
    if (state->device && state->device != opened->device) {
        return ESTALE;
    }
    state->device = opened->device;
    return 0;
}

static int open_and_check(struct state *state, struct fat_opened *opened)
{
    const struct fat_wire_message *message = &state->packet.message;
    int error = fat_plan_allows_open(&state->with->plan, message);

    if (error) {
        return error;
    }
    error = fat_open_file(message, opened);
    state->user = opened->user;
    error = error ? error : check_device(state, opened);
    if (error && opened->fd >= 0) {
        close(opened->fd);
        opened->fd = -1;
    }
    return error;
}

static enum next open_file(struct state *state)
{
    const struct fat_wire_message *message = &state->packet.message;
    struct fat_opened opened = {.fd = -1};
    const int error = open_and_check(state, &opened);
    enum next next;

    say_not_opened(state, error);
    if (state->with->verbose) {
        fat_say("open %s, flags %o: %s", message->text, (unsigned)message->open_flags,
                error ? fat_error_text(error) : "done");
    }
    next = reply_file(state, message->text, error, opened.fd);
    if (opened.fd >= 0) {
        close(opened.fd);
    }
    return next;
}

/* Ctrl-C between the mount and the goodbye would leave the mount to nobody. */
static void hold_signals(void)
{
    sigset_t all;

    (void)sigfillset(&all);
    /* NOLINTNEXTLINE(concurrency-mt-unsafe): there is only one thread */
    (void)sigprocmask(SIG_SETMASK, &all, NULL);
}

static bool are_too_many(const struct fat_conversation *with)
{
    long count;

    if (with->caller->uid == 0 || with->mount_max < 0) {
        return false;
    }
    count = fat_mount_count_fuse();
    return count < 0 || count >= with->mount_max;
}

/* The kernel followed the path by itself to claim the device. */
static bool is_right_device(const struct state *state)
{
    struct statx status;

    if (!state->with->plan.fuseblk || !state->device || state->mount_fd < 0) {
        return true;
    }
    /* the server is not asked: it need not answer yet */
    return statx(state->mount_fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, 0, &status) ==
                   0 &&
           makedev(status.stx_dev_major, status.stx_dev_minor) == state->device;
}

/* What was seen when the mountpoint was pinned may be long ago. */
static bool may_mount_still(const struct fat_conversation *with)
{
    const char *wrong = fat_mountpoint_check(with->mountpoint, with->caller->uid);

    if (wrong) {
        fat_say("%s: %s", with->plan.bounds.directory, wrong);
    }
    return !wrong;
}

static int make_mount(struct state *state)
{
    struct fat_conversation *with = state->with;
    const struct fat_plan *plan = &with->plan;
    const struct fat_mounting mounting = {.type = plan->bounds.words[0],
            .fuseblk = plan->fuseblk,
            .source = plan->source,
            .options = &plan->kernel,
            .flags = plan->flags,
            .fuse_fd = with->fuse_fd,
            .mountpoint = with->mountpoint,
            .uid = with->caller->uid,
            .gid = with->caller->gid};

    if (are_too_many(with)) {
        return EUSERS;
    }
    hold_signals();
    return may_mount_still(with) ? fat_mounting_make(&mounting, &state->mount_fd)
                                 : EACCES;
}

static int do_mount(struct state *state)
{
    struct fat_conversation *with = state->with;
    const uint32_t asked = state->packet.message.flags;
    int error = fat_plan_take(&with->plan, &state->packet.message);

    if (error) {
        return error;
    }
    if (with->plan.flags != asked && with->verbose) {
        fat_say("mount flags %x, the server wanted %x", (unsigned)with->plan.flags,
                (unsigned)asked);
    }
    error = make_mount(state);
    if (error) {
        return error;
    }
    with->plan.mounted = true; /* so it is undone unless the server ends well */
    state->until = now_ms() + with->limit_ms;
    return is_right_device(state) ? 0 : ESTALE;
}

static enum next take_command(struct state *state)
{
    struct fat_conversation *with = state->with;
    const enum fat_wire_kind kind = state->packet.message.kind;
    const bool mount = kind == FAT_WIRE_MOUNT;
    const int error = mount ? do_mount(state)
                            : fat_plan_take(&with->plan, &state->packet.message);

    if ((mount && !with->plan.mounted) || kind == FAT_WIRE_MOUNTPOINT) {
        state->refused = error != 0;
    }
    if (error) {
        fat_say("%s of %s: %s", fat_wire_name(kind), with->plan.bounds.directory,
                fat_error_text(error));
        state->complaints++;
    } else if (with->verbose) {
        fat_say("%s: done", fat_wire_name(kind));
    }
    if (error == ESTALE) {
        (void)reply(state, error);
        return END_BADLY; /* whatever the server makes of it */
    }
    return reply(state, error);
}

static enum next take_goodbye(const struct state *state)
{
    const uint32_t status = state->packet.message.error;

    if (status && state->user.name[0]) {
        fat_say("%s is also in use as %s", state->with->plan.bounds.words[1],
                state->user.name);
    }
    if (status) {
        fat_say("the server for %s failed (%u); its log (journalctl) says why",
                state->with->plan.bounds.words[0], (unsigned)status);
        return END_BADLY;
    }
    if (!state->with->plan.mounted) {
        fat_say("the server said goodbye before anything was mounted");
        return END_BADLY;
    }
    return END_WELL;
}

/* What makes no sense is answered where an answer is expected. */
static enum next take_faulty(struct state *state)
{
    const enum fat_wire_kind kind = state->packet.message.kind;

    state->complaints++;
    fat_say("the server's %s %s", fat_wire_name(kind),
            fat_wire_fault_text(state->packet.fault));
    switch (kind) {
    case FAT_WIRE_OPEN:
    case FAT_WIRE_OPEN_DEVICE:
        return reply_file(state, "?", EINVAL, -1);
    case FAT_WIRE_TYPE:
    case FAT_WIRE_SOURCE:
    case FAT_WIRE_MOUNTPOINT:
    case FAT_WIRE_OPTIONS:
    case FAT_WIRE_TABLE_OPTIONS:
    case FAT_WIRE_MOUNT:
        return reply(state, EINVAL);
    case FAT_WIRE_GOODBYE:
        (void)reply(state, EINVAL);
        return END_BADLY;
    case FAT_WIRE_HELLO:
    case FAT_WIRE_HELLO_REPLY:
    case FAT_WIRE_FILE:
    case FAT_WIRE_REPLY:
        break;
    }
    return END_BADLY;
}

static enum next take(struct state *state)
{
    const enum fat_wire_kind kind = state->packet.message.kind;

    if (state->packet.fault) {
        return take_faulty(state);
    }
    switch (kind) {
    case FAT_WIRE_OPEN:
    case FAT_WIRE_OPEN_DEVICE:
        return open_file(state);
    case FAT_WIRE_TYPE:
    case FAT_WIRE_SOURCE:
    case FAT_WIRE_MOUNTPOINT:
    case FAT_WIRE_OPTIONS:
    case FAT_WIRE_TABLE_OPTIONS:
    case FAT_WIRE_MOUNT:
        return take_command(state);
    case FAT_WIRE_GOODBYE:
        return take_goodbye(state);
    case FAT_WIRE_HELLO:
    case FAT_WIRE_HELLO_REPLY:
    case FAT_WIRE_FILE:
    case FAT_WIRE_REPLY:
        break;
    }
    fat_say("the server sent a %s, which is not for it to send", fat_wire_name(kind));
    return END_BADLY;
}

/* Each message has its limit, and all until the mount, or until the goodbye, have one. */
static unsigned find_limit(const struct state *state)
{
    const uint64_t now = now_ms();
    const uint64_t left = now < state->until ? state->until - now : 0;

    return left < state->with->limit_ms ? (unsigned)left : state->with->limit_ms;
}

static enum next converse(struct state *state)
{
    enum next next = GO_ON;

    for (unsigned count = 0; next == GO_ON && count < MOST_MESSAGES; count++) {
        const unsigned limit_ms = find_limit(state);

        if (limit_ms == 0) {
            fat_say(state->with->plan.mounted
                            ? "the server did not say goodbye in time"
                            : "the server did not come to the mount in time");
            return END_BADLY;
        }
        if (state->complaints >= MOST_COMPLAINTS) {
            fat_say("the server asks for too much that it can't have");
            return END_BADLY;
        }
        next = fat_greeting_receive(state->with->socket, limit_ms, &state->packet)
                       ? take(state)
                       : END_BADLY;
    }
    if (next == GO_ON) {
        fat_say("the server comes to no end");
    }
    return next;
}

static bool greet(struct state *state)
{
    const struct fat_conversation *with = state->with;
    const struct fat_plan_bounds *bounds = &with->plan.bounds;
    const struct fat_greeting greeting = {.socket = with->socket,
            .limit_ms = with->limit_ms,
            .flags = (bounds->may_open_to_others ? FAT_WIRE_MAY_ALLOW_OTHER : 0U) |
                     (bounds->root ? FAT_WIRE_MAY_FUSEBLK : 0U),
            .words = bounds->words,
            .word_count = bounds->word_count,
            .fuse_fd = with->fuse_fd};

    return fat_greeting_run(&greeting, &state->packet);
}

static void undo(const struct state *state)
{
    const char *directory = state->with->plan.bounds.directory;
    const int error = state->mount_fd < 0 ? ENOENT : fat_mounting_undo(state->mount_fd);

    if (error) {
        fat_say("%s can't be unmounted, please do: %s", directory,
                fat_error_text(error));
    } else {
        fat_say("%s is unmounted again", directory);
    }
}

static void note(const struct fat_conversation *with)
{
    char type[96];
    const struct fat_table_entry entry = {.type = type,
            .source = with->plan.source,
            .directory = with->mountpoint->path,
            .words = with->plan.table};

    (void)snprintf(type, sizeof(type), "%s.%s", with->plan.fuseblk ? "fuseblk" : "fuse",
            with->plan.bounds.words[0]);
    if (with->plan.table && !with->no_table) {
        fat_table_note(&entry);
    }
}

enum fat_ending fat_conversation_run(struct fat_conversation *conversation)
{
    struct state state = {.with = conversation,
            .mount_fd = -1,
            .until = now_ms() + LIMITS_TO_MOUNT * (uint64_t)conversation->limit_ms};
    const enum next next = greet(&state) ? converse(&state) : END_BADLY;

    if (next == END_WELL) {
        note(conversation);
    } else if (conversation->plan.mounted) {
        undo(&state);
    }
    if (state.mount_fd >= 0) {
        close(state.mount_fd);
    }
    if (next == END_WELL) {
        return FAT_ENDING_MOUNTED;
    }
    return state.refused ? FAT_ENDING_REFUSED : FAT_ENDING_FAILED;
}
