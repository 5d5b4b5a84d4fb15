/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE /* pthread_timedjoin_np, STATX_BTIME */
#include "loop.h"

#include <assert.h>
#include <errno.h>
#include <linux/fuse.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "entry.h"

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

struct fat_loop {
    struct fuse_session *session;
    struct fat_mount *mount;
    pthread_rwlock_t gate; /* shared by requests; DESTROY has it alone */
    pthread_mutex_t lock;  /* over everything below                    */
    pthread_cond_t change;
    unsigned running;
    bool stopping, failed;
    bool stuck; /* fat_loop_run()'s, when it has returned */
};

static void reply(const struct fat_loop *loop, uint64_t unique, int error,
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
    (void)!writev(fuse_session_fd(loop->session), parts, length ? 2 : 1);
}

static void serve_syncfs(const struct fat_loop *loop, const struct fuse_in_header *in)
{
    const fat_err err = fat_volume_commit(loop->mount->volume);

    reply(loop, in->unique, fat_err_errno(err), NULL, 0);
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
        reply(loop, in->unique, ESTALE, NULL, 0);
        return;
    }
    err = fat_node_stat(inode.node, &stat);
    if (err < 0) {
        reply(loop, in->unique, fat_err_errno(err), NULL, 0);
        return;
    }
    answer = wire_statx_of(mount, &inode, &stat);
    reply(loop, in->unique, 0, &answer, sizeof(answer));
}

static void serve_shared(
        struct fat_loop *loop, const struct fuse_in_header *in, struct fuse_buf *buffer)
{
    pthread_rwlock_rdlock(&loop->gate);
    if (loop->mount->finished) {
        reply(loop, in->unique, ENOTCONN, NULL, 0);
    } else if (in->opcode == OPCODE_SYNCFS) {
        serve_syncfs(loop, in);
    } else if (in->opcode == OPCODE_STATX) {
        serve_statx(loop, in);
    } else {
        fuse_session_process_buf(loop->session, buffer);
    }
    pthread_rwlock_unlock(&loop->gate);
}

static void serve(struct fat_loop *loop, struct fuse_buf *buffer)
{
    struct fuse_in_header in;

    if (buffer->size < sizeof(in)) {
        return; /* no request; the kernel never sends one this short */
    }
    memcpy(&in, buffer->mem, sizeof(in));
    if (in.opcode == FUSE_DESTROY) {
        pthread_rwlock_wrlock(&loop->gate);
        fuse_session_process_buf(loop->session, buffer);
        pthread_rwlock_unlock(&loop->gate);
    } else {
        serve_shared(loop, &in, buffer);
    }
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

static void *work(void *argument)
{
    struct fat_loop *loop = argument;
    struct fuse_buf buffer = {.mem = NULL};
    int received = -EINTR;

    while (!fuse_session_exited(loop->session)) {
        received = fuse_session_receive_buf(loop->session, &buffer);
        if (received > 0) {
            serve(loop, &buffer);
        } else if (!is_worth_another(received)) {
            break;
        }
    }
    free(buffer.mem);
    leave(loop, received < 0 && !is_worth_another(received));
    return NULL;
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
        free(loop);
    }
}

/* Only there to end a read() of the session's descriptor with EINTR. */
static void on_wake(int number)
{
    (void)number;
}

static unsigned start(struct fat_loop *loop, pthread_t *threads, unsigned count)
{
    const struct sigaction wake = {.sa_handler = on_wake}; /* no SA_RESTART */
    unsigned started = 0;

    if (sigaction(SIGUSR1, &wake, NULL) != 0) {
        return 0;
    }
    pthread_mutex_lock(&loop->lock);
    while (started < count &&
            pthread_create(&threads[started], NULL, work, loop) == 0) {
        started++;
    }
    loop->running = started;
    pthread_mutex_unlock(&loop->lock);
    return started;
}

/* The threads, and how many of them have not ended; those are the first ones. */
struct crew {
    pthread_t *threads;
    unsigned left;
};

static struct timespec moment_from_now(
        clockid_t clock, unsigned seconds, long nanoseconds)
{
    struct timespec moment = {0};

    (void)clock_gettime(clock, &moment); /* cannot fail with these clocks */
    moment.tv_sec += (time_t)seconds;
    moment.tv_nsec += nanoseconds;
    if (moment.tv_nsec >= 1000000000) {
        moment.tv_sec++;
        moment.tv_nsec -= 1000000000;
    }
    return moment;
}

static bool is_past(const struct timespec *end)
{
    const struct timespec now = moment_from_now(CLOCK_MONOTONIC, 0, 0);

    return now.tv_sec > end->tv_sec ||
           (now.tv_sec == end->tv_sec && now.tv_nsec >= end->tv_nsec);
}

/* Wait for all threads; false: some have not ended in time. */
static bool gather(struct crew *crew)
{
    const struct timespec end =
            moment_from_now(CLOCK_MONOTONIC, FAT_PATIENCE_SECONDS, 0);

    while (crew->left > 0 && !is_past(&end)) {
        const pthread_t thread = crew->threads[crew->left - 1];
        /* 10 ms, of the one clock that this is sure to know */
        const struct timespec soon = moment_from_now(CLOCK_REALTIME, 0, 10000000);

        /* it may miss its signal just before it begins to read: until it ends */
        for (unsigned i = 0; i < crew->left; i++) {
            pthread_kill(crew->threads[i], SIGUSR1);
        }
        if (pthread_timedjoin_np(thread, NULL, &soon) == 0) {
            crew->left--;
        }
    }
    return crew->left == 0;
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

bool fat_loop_run(struct fat_loop *loop, unsigned threads)
{
    struct crew crew = {.threads = calloc(threads, sizeof(pthread_t))};
    bool ok;

    if (!crew.threads) {
        return false;
    }
    crew.left = start(loop, crew.threads, threads);
    ok = crew.left > 0;
    pthread_mutex_lock(&loop->lock);
    while (loop->running > 0 && !loop->stopping) {
        pthread_cond_wait(&loop->change, &loop->lock);
    }
    pthread_mutex_unlock(&loop->lock);
    fuse_session_exit(loop->session);
    fat_loop_stop_recovery(loop);
    if (!gather(&crew)) {
        commit_meanwhile(loop);
        loop->stuck = !gather(&crew);
    }
    ok = ok && !loop->failed;
    free(crew.threads);
    return ok;
}

bool fat_loop_is_stuck(const struct fat_loop *loop)
{
    return loop->stuck;
}

void fat_loop_stop(struct fat_loop *loop)
{
    fat_notifier_stop(loop->mount->notifier);
    fuse_session_exit(loop->session);
    pthread_mutex_lock(&loop->lock);
    loop->stopping = true;
    pthread_cond_signal(&loop->change);
    pthread_mutex_unlock(&loop->lock);
}
