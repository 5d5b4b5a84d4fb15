/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE /* STATX_BTIME */
#include "loop.h"

#include <assert.h>
#include <errno.h>
#include <linux/fuse.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "entry.h"
#include "moment.h"
#include "request.h"
#include "thread.h"

/* Newer than the oldest <linux/fuse.h> that this is built with. */
enum { OPCODE_SYNCFS = 50, OPCODE_STATX = 52 };

struct wire_time {
    int64_t seconds;
    uint32_t nanoseconds;
    uint32_t reserved;
};

struct wire_statx {
    uint64_t attr_valid;
    uint32_t attr_valid_nsec;
    uint32_t flags;
    uint64_t spare1[2];
    uint32_t mask, blksize;
    uint64_t attributes;
    uint32_t nlink, uid, gid;
    uint16_t mode, spare2;
    uint64_t ino, size, blocks, attributes_mask;
    struct wire_time atime, btime, ctime, mtime;
    uint32_t rdev_major, rdev_minor, dev_major, dev_minor;
    uint64_t spare3[14];
};

static_assert(sizeof(struct wire_statx) == 288, "the kernel's struct fuse_statx_out");

struct worker {
    struct fat_loop *loop;
    struct fat_thread thread;
    _Atomic uint64_t unique; /* of the request that it serves, 0: none */
};

struct fat_loop {
    struct fuse_session *session;
    struct fat_mount *mount;
    pthread_rwlock_t gate; /* shared by requests; DESTROY has it alone */
    pthread_mutex_t lock;  /* over everything below                    */
    pthread_cond_t change;
    struct worker *workers; /* NULL before fat_loop_run() */
    unsigned started, left; /* of them; @left is fat_loop_run()'s */
    unsigned running;
    bool stopping, failed;
    bool stuck; /* fat_loop_run()'s, when it has returned */
};

void fat_loop_reply(struct fuse_session *session, uint64_t unique, int error,
        const void *body, size_t length)
{
    struct fuse_out_header header = {
            .len = (uint32_t)(sizeof(header) + length),
            .error = -error,
            .unique = unique,
    };
    union {
        const void *from;
        void *to;
    } data = {.from = body}; /* writev() takes no const, and changes nothing */
    const struct iovec parts[] = {{&header, sizeof(header)}, {data.to, length}};

    /* it fails when the caller was interrupted or the connection is gone */
    (void)!writev(fuse_session_fd(session), parts, length ? 2 : 1);
}

static void serve_syncfs(const struct fat_loop *loop, const struct fuse_in_header *in)
{
    const fat_err err = fat_volume_commit(loop->mount->volume);

    fat_loop_reply(loop->session, in->unique, fat_err_errno(err), NULL, 0);
}

static struct wire_time wire_time_of(const struct timespec *time)
{
    return (struct wire_time){
            .seconds = time->tv_sec, .nanoseconds = (uint32_t)time->tv_nsec};
}

static struct wire_statx wire_statx_of(const struct fat_mount *mount,
        const struct fat_inode *inode, const struct fat_stat *stat)
{
    const struct stat attr = fat_attr_stat(&mount->rules, inode, stat);

    return (struct wire_statx){
            .attr_valid = (uint64_t)fat_entry_attr_timeout(inode),
            .mask = STATX_BASIC_STATS | STATX_BTIME,
            .blksize = (uint32_t)attr.st_blksize,
            .nlink = (uint32_t)attr.st_nlink,
            .uid = attr.st_uid,
            .gid = attr.st_gid,
            .mode = (uint16_t)attr.st_mode,
            .ino = attr.st_ino,
            .size = (uint64_t)attr.st_size,
            .blocks = (uint64_t)attr.st_blocks,
            .atime = wire_time_of(&attr.st_atim),
            .btime = {stat->created.seconds, stat->created.nanoseconds, 0},
            .ctime = wire_time_of(&attr.st_ctim),
            .mtime = wire_time_of(&attr.st_mtim),
    };
}

static void serve_statx(const struct fat_loop *loop, const struct fuse_in_header *in)
{
    struct fat_mount *mount = loop->mount;
    struct fat_inode inode;
    struct fat_stat stat;
    struct wire_statx answer;
    fat_err err;

    if (!fat_inodes_find(mount->inodes, in->nodeid, &inode)) {
        fat_loop_reply(loop->session, in->unique, ESTALE, NULL, 0);
        return;
    }
    err = fat_node_stat(inode.node, &stat);
    if (err < 0) {
        fat_loop_reply(loop->session, in->unique, fat_err_errno(err), NULL, 0);
    } else {
        answer = wire_statx_of(mount, &inode, &stat);
        fat_loop_reply(loop->session, in->unique, 0, &answer, sizeof(answer));
    }
    fat_mount_done(mount, &inode);
}

static void serve_shared(
        struct fat_loop *loop, const struct fuse_in_header *in, struct fuse_buf *buffer)
{
    pthread_rwlock_rdlock(&loop->gate);
    if (loop->mount->finished) {
        fat_loop_reply(loop->session, in->unique, ENOTCONN, NULL, 0);
    } else if (in->opcode == OPCODE_SYNCFS) {
        serve_syncfs(loop, in);
    } else if (in->opcode == OPCODE_STATX) {
        serve_statx(loop, in);
    } else {
        fuse_session_process_buf(loop->session, buffer);
    }
    pthread_rwlock_unlock(&loop->gate);
}

/* A kernel that sends such a thing may get an answer, but forgetting knows none. */
static void refuse(const struct fat_loop *loop, const struct fuse_in_header *in)
{
    if (in->opcode != FUSE_FORGET && in->opcode != FUSE_BATCH_FORGET) {
        fat_loop_reply(loop->session, in->unique, EINVAL, NULL, 0);
    }
}

/* A flush may take minutes, and a commit now waits for it; a hung read it doesn't. */
static void commit_meanwhile(struct fat_loop *loop)
{
    pthread_rwlock_rdlock(&loop->gate);
    if (!loop->mount->finished) {
        loop->mount->last_err = fat_volume_commit(loop->mount->volume);
    }
    pthread_rwlock_unlock(&loop->gate);
}

void fat_loop_stop_recovery(struct fat_loop *loop)
{
    pthread_rwlock_rdlock(&loop->gate); /* DESTROY closes the volume */
    if (!loop->mount->finished) {
        fat_volume_stop_recovery(loop->mount->volume);
    }
    pthread_rwlock_unlock(&loop->gate);
}

/*
 * What nobody waits for may still be under way, FORGET above all, and hang: then all that
 * can be made durable is, and the watchdog ends it.
 */
static void serve_destroy(struct fat_loop *loop, struct fuse_buf *buffer)
{
    fat_watchdog_wake(loop->mount->watchdog);
    fat_loop_stop_recovery(loop);
    commit_meanwhile(loop);
    pthread_rwlock_wrlock(&loop->gate);
    fuse_session_process_buf(loop->session, buffer);
    pthread_rwlock_unlock(&loop->gate);
}

static void serve(struct worker *worker, struct fuse_buf *buffer)
{
    struct fat_loop *loop = worker->loop;
    struct fuse_in_header in;

    if (buffer->size < sizeof(in)) {
        return; /* no request; the kernel never sends one this short */
    }
    memcpy(&in, buffer->mem, sizeof(in));
    atomic_store(&worker->unique, in.unique);
    if (!fat_request_is_whole(buffer->mem, buffer->size)) {
        refuse(loop, &in);
    } else if (in.opcode == FUSE_DESTROY) {
        serve_destroy(loop, buffer);
    } else {
        serve_shared(loop, &in, buffer);
    }
    atomic_store(&worker->unique, 0);
}

static void leave(struct fat_loop *loop, bool failed)
{
    pthread_mutex_lock(&loop->lock);
    loop->running--;
    loop->failed = loop->failed || failed;
    loop->stopping = true;
    pthread_cond_signal(&loop->change);
    pthread_mutex_unlock(&loop->lock);
}

/*
 * EINTR and EAGAIN: nothing came. ECONNABORTED: the volume was unmounted in the moment
 * in which a request was handed over; the next read() says so in the usual way, with
 * ENODEV, of which libfuse makes 0.
 */
static bool is_worth_another(int received)
{
    return received == -EINTR || received == -EAGAIN || received == -ECONNABORTED;
}

static void work(void *argument)
{
    struct worker *worker = argument;
    struct fat_loop *loop = worker->loop;
    struct fuse_buf buffer = {.mem = NULL};
    int received = -EINTR;

    while (!fuse_session_exited(loop->session)) {
        received = fuse_session_receive_buf(loop->session, &buffer);
        if (received > 0) {
            serve(worker, &buffer);
        } else if (!is_worth_another(received)) {
            break;
        }
    }
    free(buffer.mem);
    leave(loop, received < 0 && !is_worth_another(received));
}

struct fat_loop *fat_loop_new(struct fuse_session *session, struct fat_mount *mount)
{
    struct fat_loop *loop = calloc(1, sizeof(*loop));

    if (loop) {
        loop->session = session;
        loop->mount = mount;
        if (pthread_rwlock_init(&loop->gate, NULL) != 0 ||
                pthread_mutex_init(&loop->lock, NULL) != 0 ||
                pthread_cond_init(&loop->change, NULL) != 0) {
            free(loop);
            return NULL;
        }
    }
    return loop;
}

void fat_loop_free(struct fat_loop *loop)
{
    if (loop) {
        pthread_cond_destroy(&loop->change);
        pthread_mutex_destroy(&loop->lock);
        pthread_rwlock_destroy(&loop->gate);
        free(loop->workers);
        free(loop);
    }
}

/* Only there to end a read() of the session's descriptor with EINTR. */
static void on_wake(int number)
{
    (void)number;
}

static void start(struct fat_loop *loop, unsigned count)
{
    const struct sigaction wake = {.sa_handler = on_wake}; /* no SA_RESTART */

    if (sigaction(SIGUSR1, &wake, NULL) != 0) {
        return;
    }
    pthread_mutex_lock(&loop->lock);
    while (loop->started < count) {
        struct worker *worker = &loop->workers[loop->started];

        worker->loop = loop;
        if (!fat_thread_start(&worker->thread, work, worker)) {
            break;
        }
        loop->started++;
    }
    loop->running = loop->started;
    loop->left = loop->started;
    pthread_mutex_unlock(&loop->lock);
}

/* False: there is one thread less to wait for. */
static bool is_waiting(struct fat_loop *loop)
{
    struct fat_thread *last = &loop->workers[loop->left - 1].thread;

    /* it may miss its signal just before it begins to read: until it ends */
    for (unsigned i = 0; i < loop->left; i++) {
        pthread_kill(loop->workers[i].thread.id, SIGUSR1);
    }
    if (!fat_thread_join(last, 10)) {
        return true;
    }
    fat_thread_end(last);
    loop->left--;
    return false;
}

static bool is_past(const struct timespec *end)
{
    const struct timespec now = fat_moment_now();

    return !fat_moment_is_before(&now, end);
}

/*
 * Wait for all threads, until @end, or where that is NULL, as long as the medium answers,
 * however slowly; false: some, the first ones, have not ended.
 */
static bool gather(
        struct fat_loop *loop, const struct timespec *since, const struct timespec *end)
{
    bool enough = false;

    while (loop->left > 0 && !enough) {
        enough = is_waiting(loop) &&
                 (end ? is_past(end)
                      : fat_watched_is_overdue(loop->mount->watched, since, NULL));
    }
    return loop->left == 0;
}

static void end(struct fat_loop *loop)
{
    const struct timespec since = fat_moment_now();
    const struct timespec soon =
            fat_moment_after(since, loop->mount->patience.requests);

    fat_watchdog_wake(loop->mount->watchdog);
    fat_loop_stop_recovery(loop);
    if (!gather(loop, &since, &soon)) {
        commit_meanwhile(loop);
        loop->stuck = !gather(loop, &since, NULL);
    }
}

bool fat_loop_run(struct fat_loop *loop, unsigned threads)
{
    bool ok;

    loop->workers = calloc(threads, sizeof(*loop->workers));
    if (!loop->workers) {
        return false;
    }
    start(loop, threads);
    ok = loop->left > 0;
    pthread_mutex_lock(&loop->lock);
    while (loop->running > 0 && !loop->stopping) {
        pthread_cond_wait(&loop->change, &loop->lock);
    }
    pthread_mutex_unlock(&loop->lock);
    fuse_session_exit(loop->session);
    end(loop);
    return ok && !loop->failed;
}

bool fat_loop_is_stuck(const struct fat_loop *loop)
{
    return loop->stuck;
}

void fat_loop_stop(struct fat_loop *loop)
{
    (void)fat_notifier_stop(loop->mount->notifier, loop->mount->watched);
    fuse_session_exit(loop->session);
    pthread_mutex_lock(&loop->lock);
    loop->stopping = true;
    pthread_cond_signal(&loop->change);
    pthread_mutex_unlock(&loop->lock);
}

void fat_loop_refuse(struct fat_loop *loop)
{
    pthread_mutex_lock(&loop->lock);
    for (unsigned i = 0; i < loop->started; i++) {
        const uint64_t unique = atomic_load(&loop->workers[i].unique);

        if (unique) {
            fat_loop_reply(loop->session, unique, EIO, NULL, 0);
        }
    }
    pthread_mutex_unlock(&loop->lock);
}
