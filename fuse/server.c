/* SPDX-License-Identifier: MIT */
#include "server.h"

#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <unistd.h>

#include "refusal.h"

/* The kernel ends what still waits, and somebody else takes the mount off. */
static void give_up(struct fat_server *s, const char *text)
{
    fat_log_say(&s->log, true, text);
    fat_refusal(s->session, s->loop, s->mount.notifier, s->mount.patience.requests);
    fat_unmounter_leave_it(s->unmounter);
    _exit(EXIT_SYSTEM);
}

/* A fat_watchdog_fn. */
static void give_up_waiting(void *context, const struct fat_overdue *overdue)
{
    char where[64] = "";
    char text[256];

    if (overdue->length > 0) {
        (void)snprintf(where, sizeof(where), " of %zu bytes at offset %" PRIu64,
                overdue->length, overdue->offset);
    }
    (void)snprintf(text, sizeof(text),
            "the medium does not answer: %s%s has not come back in %u s; it could not be "
            "closed, changes may be missing on it",
            overdue->what, where, overdue->seconds);
    give_up(context, text);
}

static bool start_threads(struct fat_server *s)
{
    s->mount.watchdog = fat_watchdog_new(s->mount.watched, give_up_waiting, s);
    s->loop = fat_loop_new(s->session, &s->mount);
    s->mount.notifier = fat_notifier_new(s->session);
    if (s->mount.watchdog && s->loop && s->mount.notifier &&
            fat_mount_start(&s->mount, s->options)) {
        s->signals = fat_signals_new(s->loop, s->mount.watched, s->unmounter);
    }
    return s->signals != NULL;
}

bool fat_server_start(struct fat_server *s, struct fat_unmounter *unmounter)
{
    s->unmounter = unmounter;
    if (!fat_sandbox_enter(&s->sandbox, &s->log)) {
        return false;
    }
    if (!start_threads(s)) {
        fat_log_say(&s->log, true, "out of memory or threads");
        return false;
    }
    return true;
}

bool fat_server_is_disconnected(const struct fat_server *s)
{
    struct pollfd fd = {.fd = fuse_session_fd(s->session)};

    return poll(&fd, 1, 0) == 1 && (fd.revents & POLLERR);
}

bool fat_server_run(struct fat_server *s, bool *ret_left_over)
{
    const bool ok = fat_sandbox_close(&s->sandbox, &s->log) &&
                    fat_loop_run(s->loop, s->options->threads);

    *ret_left_over =
            !fat_signals_unmounted(s->signals) && !fat_server_is_disconnected(s);
    return ok;
}

/* All that could be made durable is. */
static void give_up_closing(struct fat_server *s)
{
    give_up(s,
            s->mount.last_err == FAT_OK
                    ? "the medium does not answer: it could not be closed and stays "
                      "marked dirty, but what was committed is on it"
                    : "the medium does not answer: it could not be closed, changes may "
                      "be missing on it");
}

bool fat_server_finish(struct fat_server *s)
{
    if (s->loop && fat_loop_is_stuck(s->loop)) {
        give_up_closing(s);
    }
    fat_signals_free(s->signals);
    s->signals = NULL;
    fat_mount_finish(&s->mount);
    if (s->mount.stuck) {
        give_up_closing(s);
    }
    fat_watchdog_free(s->mount.watchdog); /* before what it uses */
    fat_watched_free(s->mount.watched);
    fat_notifier_free(s->mount.notifier);
    fat_loop_free(s->loop);
    s->loop = NULL;
    s->mount.notifier = NULL;
    s->mount.watchdog = NULL;
    s->mount.watched = NULL;
    if (s->session) {
        fuse_session_destroy(s->session);
        s->session = NULL;
    }
    if (s->mount.last_err < 0) {
        fat_log_say_err(&s->log,
                "closing it failed, changes may be missing on the medium",
                s->mount.last_err);
    }
    return s->mount.last_err == FAT_OK;
}
