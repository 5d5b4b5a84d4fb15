/* SPDX-License-Identifier: MIT */
#include "conversation.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "fuse_conf.h"
#include "greeting.h"
#include "mounting.h"
#include "open_file.h"
#include "say.h"
#include "table.h"

/* A server that asks for one thing over and over does not keep the helper for ever. */
enum { MOST_MESSAGES = 10000 };

enum next { GO_ON, END_WELL, END_BADLY };

struct state {
    struct fat_conversation *with;
    int mount_fd;   /* leads to the mount that was made, or -1     */
    bool refused;   /* the last MOUNT or MOUNTPOINT was            */
    uint64_t until; /* the goodbye must have come          [milliseconds] */
    struct fat_channel_packet packet;
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
static void say_not_opened(const struct fat_wire_message *message, int error)
{
    if (error && error != EBUSY && !(message->flags & FAT_WIRE_QUIET)) {
        fat_say("%s: %s", message->text, fat_error_text(error));
    }
}

static enum next open_file(struct state *state)
{
    const struct fat_wire_message *message = &state->packet.message;
    int error = fat_plan_allows_open(&state->with->plan, message);
    int fd = -1;
    enum next next;

    error = error ? error : fat_open_file(message, &fd);
    say_not_opened(message, error);
    if (state->with->verbose) {
        fat_say("open %s, flags %o: %s", message->text, (unsigned)message->open_flags,
                error ? fat_error_text(error) : "done");
    }
    next = reply_file(state, message->text, error, fd);
    if (fd >= 0) {
        close(fd);
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
    FILE *mounts;
    long count;

    if (with->caller->uid == 0 || with->mount_max < 0) {
        return false;
    }
    mounts = fopen("/proc/self/mountinfo", "re");
    count = fat_fuse_mounts_count(mounts);
    if (mounts) {
        (void)fclose(mounts);
    }
    return count < 0 || count >= with->mount_max;
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
    return fat_mounting_make(&mounting, &state->mount_fd);
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
    if (!error) {
        with->plan.mounted = true;
        state->until = now_ms() + with->limit_ms;
    }
    return error;
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
    } else if (with->verbose) {
        fat_say("%s: done", fat_wire_name(kind));
    }
    return reply(state, error);
}

static enum next take_goodbye(const struct state *state)
{
    const uint32_t status = state->packet.message.error;

    if (status) {
        fat_say("the server for %s failed (%u); its log says why",
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

/* For the mount that is made and not served yet, the time limit is one for all. */
static unsigned find_limit(const struct state *state)
{
    uint64_t now;

    if (!state->with->plan.mounted) {
        return state->with->limit_ms;
    }
    now = now_ms();
    return now < state->until ? (unsigned)(state->until - now) : 0;
}

static enum next converse(struct state *state)
{
    enum next next = GO_ON;

    for (unsigned count = 0; next == GO_ON && count < MOST_MESSAGES; count++) {
        const unsigned limit_ms = find_limit(state);

        if (limit_ms == 0) {
            fat_say("the server did not say goodbye in time");
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
    struct state state = {.with = conversation, .mount_fd = -1};
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
