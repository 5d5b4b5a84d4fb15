/* SPDX-License-Identifier: MIT */
#include "notifier.h"

#include <assert.h>
#include <linux/fuse.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "moment.h"
#include "thread.h"

enum {
    NOTIFY_INC_EPOCH = 8, /* <linux/fuse.h> of Linux 6.16; protocol 7.44   */
    EPOCH_MINOR = 44,
    NOTIFY_PRUNE = 9, /* of Linux 6.18 */
    PRUNE_MINOR = 45,
    LONGEST_QUEUE = 65536, /* more can't be waiting unless the kernel hangs */
    STEP_MS = 500,
};

struct message {
    struct message *next;
    fuse_ino_t id; /* the inode, or the directory of @name */
    off_t offset, length;
    char *name;      /* NULL: about the inode               */
    fuse_ino_t *ids; /* to be forgotten, @length of them; NULL: it is something else */
};

struct wire_prune {
    uint32_t count;
    uint32_t padding;
    uint64_t spare;
};

static_assert(sizeof(fuse_ino_t) == sizeof(uint64_t), "as the kernel has them");

struct fat_notifier {
    struct fuse_session *session;
    atomic_bool epoch, can_prune;
    struct fat_thread thread;
    struct message *first; /* under the thread's lock, as what follows */
    struct message **end;
    unsigned waiting;
};

static void free_message(struct message *message)
{
    free(message->ids);
    free(message->name);
    free(message);
}

static void send_prune(struct fuse_session *session, const struct message *message)
{
    const size_t bytes = (size_t)message->length * sizeof(*message->ids);
    struct wire_prune prune = {.count = (uint32_t)message->length};
    struct fuse_out_header header = {
            .len = (uint32_t)(sizeof(header) + sizeof(prune) + bytes),
            .error = NOTIFY_PRUNE};
    const struct iovec parts[] = {
            {&header, sizeof(header)}, {&prune, sizeof(prune)}, {message->ids, bytes}};

    (void)!writev(fuse_session_fd(session), parts, 3);
}

/* Failures are of no interest: what is not cached need not be forgotten. */
static void send_message(struct fuse_session *session, const struct message *message)
{
    if (message->ids) {
        send_prune(session, message);
    } else if (message->name) {
        (void)fuse_lowlevel_notify_inval_entry(
                session, message->id, message->name, strlen(message->name));
    } else {
        (void)fuse_lowlevel_notify_inval_inode(
                session, message->id, message->offset, message->length);
    }
}

/* NULL: time to stop. */
static struct message *take_message(struct fat_notifier *notifier)
{
    struct fat_thread *thread = &notifier->thread;
    struct message *message = NULL;

    pthread_mutex_lock(&thread->lock);
    while (!notifier->first && !thread->stopping) {
        (void)fat_thread_sleep(thread, NULL);
    }
    if (!thread->stopping) {
        message = notifier->first;
        notifier->first = message->next;
        notifier->waiting--;
        if (!notifier->first) {
            notifier->end = &notifier->first;
        }
    }
    pthread_mutex_unlock(&thread->lock);
    return message;
}

static void run(void *argument)
{
    struct fat_notifier *notifier = argument;
    struct message *message = take_message(notifier);

    while (message) {
        send_message(notifier->session, message);
        free_message(message);
        message = take_message(notifier);
    }
}

struct fat_notifier *fat_notifier_new(struct fuse_session *session)
{
    struct fat_notifier *notifier = calloc(1, sizeof(*notifier));

    if (!notifier) {
        return NULL;
    }
    notifier->session = session;
    notifier->end = &notifier->first;
    if (!fat_thread_start(&notifier->thread, run, notifier)) {
        free(notifier);
        return NULL;
    }
    return notifier;
}

void fat_notifier_dismiss(struct fat_notifier *notifier)
{
    fat_thread_stop(&notifier->thread);
}

bool fat_notifier_stop(struct fat_notifier *notifier, struct fat_watched *watched)
{
    const struct timespec since = fat_moment_now();

    fat_notifier_dismiss(notifier);
    while (!fat_thread_join(&notifier->thread, STEP_MS)) {
        if (fat_watched_is_overdue(watched, &since, NULL)) {
            return false;
        }
    }
    return true;
}

bool fat_notifier_has_ended(struct fat_notifier *notifier)
{
    return fat_thread_has_ended(&notifier->thread);
}

void fat_notifier_free(struct fat_notifier *notifier)
{
    if (!notifier) {
        return;
    }
    fat_thread_end(&notifier->thread);
    while (notifier->first) {
        struct message *message = notifier->first;

        notifier->first = message->next;
        free_message(message);
    }
    free(notifier);
}

void fat_notifier_set_protocol(struct fat_notifier *notifier, unsigned minor)
{
    atomic_store(&notifier->epoch, minor >= EPOCH_MINOR);
    atomic_store(&notifier->can_prune, minor >= PRUNE_MINOR);
}

static void enqueue(struct fat_notifier *notifier, struct message *message)
{
    struct fat_thread *thread = &notifier->thread;
    bool taken = false;

    pthread_mutex_lock(&thread->lock);
    if (notifier->waiting < LONGEST_QUEUE && !thread->stopping) {
        *notifier->end = message;
        notifier->end = &message->next;
        notifier->waiting++;
        fat_thread_wake(thread);
        taken = true;
    }
    pthread_mutex_unlock(&thread->lock);
    if (!taken) {
        free_message(message);
    }
}

void fat_notifier_distrust(struct fat_notifier *notifier)
{
    const struct fuse_out_header header = {
            .len = sizeof(header), .error = NOTIFY_INC_EPOCH, .unique = 0};

    if (atomic_load(&notifier->epoch)) {
        /* it fails when the connection is gone */
        (void)!write(fuse_session_fd(notifier->session), &header, sizeof(header));
    }
}

void fat_notifier_name(
        struct fat_notifier *notifier, fuse_ino_t parent, const char *name)
{
    struct message *message = calloc(1, sizeof(*message));

    if (!message) {
        return; /* the name ages in its own time */
    }
    message->id = parent;
    message->name = strdup(name);
    if (!message->name) {
        free(message);
        return;
    }
    enqueue(notifier, message);
}

void fat_notifier_inode(
        struct fat_notifier *notifier, fuse_ino_t id, off_t offset, off_t length)
{
    struct message *message = calloc(1, sizeof(*message));

    if (message) {
        message->id = id;
        message->offset = offset;
        message->length = length;
        enqueue(notifier, message);
    }
}

void fat_notifier_prune(
        struct fat_notifier *notifier, const fuse_ino_t *ids, size_t count)
{
    struct message *message;

    if (!atomic_load(&notifier->can_prune) || count == 0) {
        return;
    }
    message = calloc(1, sizeof(*message));
    if (!message) {
        return; /* they are asked for again */
    }
    message->ids = calloc(count, sizeof(*ids));
    if (!message->ids) {
        free(message);
        return;
    }
    memcpy(message->ids, ids, count * sizeof(*ids));
    message->length = (off_t)count;
    enqueue(notifier, message);
}
