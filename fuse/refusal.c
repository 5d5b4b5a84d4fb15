/* SPDX-License-Identifier: MIT */
#include "refusal.h"

#include <errno.h>
#include <linux/fuse.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "moment.h"

/* The kernel wants room for the longest request there may be. */
enum { LONGEST_REQUEST = 4 << 20 };

static void *run(void *argument)
{
    struct fuse_session *session = argument;
    char *request = malloc(LONGEST_REQUEST);
    ssize_t length = request ? 0 : -1;

    while (length >= 0 || (request && errno == EINTR)) {
        struct fuse_in_header in;

        length = read(fuse_session_fd(session), request, LONGEST_REQUEST);
        if (length >= (ssize_t)sizeof(in)) {
            memcpy(&in, request, sizeof(in));
            fat_loop_reply(session, in.unique, EIO, NULL, 0);
        }
    }
    free(request);
    return NULL;
}

void fat_refusal(struct fuse_session *session, struct fat_loop *loop,
        struct fat_notifier *notifier, unsigned seconds)
{
    const struct timespec step = {.tv_nsec = 10000000};
    const struct timespec end = fat_moment_after(fat_moment_now(), seconds);
    struct timespec now = fat_moment_now();
    pthread_t thread;

    if (!loop || !notifier || pthread_create(&thread, NULL, run, session) != 0) {
        return;
    }
    fat_notifier_dismiss(notifier);
    while (!fat_notifier_has_ended(notifier) && fat_moment_is_before(&now, &end)) {
        fat_loop_refuse(loop);
        (void)nanosleep(&step, NULL); /* waking early only asks sooner */
        now = fat_moment_now();
    }
}
