/* SPDX-License-Identifier: MIT */
#include "server.h"

#include <poll.h>
#include <unistd.h>

bool fat_server_start(struct fat_server *s, struct fat_unmounter *unmounter)
{
    if (!fat_sandbox_enter(&s->sandbox, &s->log)) {
        return false;
    }
    s->loop = fat_loop_new(s->session, &s->mount);
    s->mount.notifier = fat_notifier_new(s->session);
    if (s->loop && s->mount.notifier && fat_mount_start(&s->mount, s->options)) {
        s->signals = fat_signals_new(s->loop, unmounter);
    }
    if (!s->signals) {
        fat_log_say(&s->log, true, "out of memory or threads");
    }
    return s->signals != NULL;
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

/* All that could be made durable is. The kernel ends what still waits. */
static void give_up(const struct fat_server *s, struct fat_log *log)
{
    fat_log_say(log, true,
            s->mount.last_err == FAT_OK
                    ? "the medium does not answer: it could not be closed and stays "
                      "marked dirty, but what was committed is on it"
                    : "the medium does not answer: it could not be closed, changes may "
                      "be missing on it");
    _exit(EXIT_SYSTEM);
}

bool fat_server_finish(struct fat_server *s)
{
    if (s->loop && fat_loop_is_stuck(s->loop)) {
        give_up(s, &s->log);
    }
    fat_signals_free(s->signals);
    fat_loop_free(s->loop);
    s->signals = NULL;
    s->loop = NULL;
    fat_mount_finish(&s->mount);
    if (s->mount.stuck) {
        give_up(s, &s->log);
    }
    fat_notifier_free(s->mount.notifier);
    s->mount.notifier = NULL;
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
