/* SPDX-License-Identifier: MIT */
/*
 * The server's side by libfuse 3.19 (service/server_libfuse.c), over functions of that
 * name that write down how they were called.
 */
#define _GNU_SOURCE /* asprintf */
#include "service/server.h"

#include <errno.h>
#include <fcntl.h>
#include <fuse_lowlevel.h>
#include <fuse_service.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#include "support/cmocka.h"

enum { ACTIVATED = 3 };

struct fuse_service {
    int unused;
};

/* What libfuse would say, and what it was asked. */
static struct fuse_service peer;
static struct {
    bool is_service;
    bool allow_other, fuseblk;
    int accept, append, request, receive, finish, mount; /* results            */
    int fd;                                              /* of receive_file()  */
    char calls[1024];
} libfuse;

static void note(const char *format, ...) __attribute__((format(printf, 1, 2)));
static void note(const char *format, ...)
{
    const size_t used = strlen(libfuse.calls);
    va_list list;

    va_start(list, format);
    /* NOLINTNEXTLINE(clang-analyzer-valist.Uninitialized): it just was */
    (void)vsnprintf(libfuse.calls + used, sizeof(libfuse.calls) - used, format, list);
    va_end(list);
}

int fuse_service_accept(struct fuse_service **service)
{
    note("accept;");
    *service = libfuse.is_service && libfuse.accept == 0 ? &peer : NULL;
    return libfuse.accept;
}

bool fuse_service_accepted(struct fuse_service *service)
{
    return service != NULL;
}

bool fuse_service_can_allow_other(struct fuse_service *service)
{
    assert_ptr_equal(service, &peer);
    return libfuse.allow_other;
}

bool fuse_service_can_fuseblk(struct fuse_service *service)
{
    assert_ptr_equal(service, &peer);
    return libfuse.fuseblk;
}

int fuse_service_append_args(struct fuse_service *service, struct fuse_args *args)
{
    assert_ptr_equal(service, &peer);
    note("append %d;", args->argc);
    return libfuse.append;
}

int fuse_service_request_file(struct fuse_service *service, const char *path,
        int open_flags, mode_t create_mode, unsigned request_flags)
{
    assert_ptr_equal(service, &peer);
    note("request %s %x %o %x;", path, (unsigned)open_flags, create_mode,
            request_flags);
    return libfuse.request;
}

int fuse_service_receive_file(struct fuse_service *service, const char *path, int *fd)
{
    assert_ptr_equal(service, &peer);
    note("receive %s;", path);
    if (libfuse.receive == 0) {
        *fd = libfuse.fd;
    }
    return libfuse.receive;
}

int fuse_service_finish_file_requests(struct fuse_service *service)
{
    assert_ptr_equal(service, &peer);
    note("finish;");
    return libfuse.finish;
}

int fuse_service_session_mount(struct fuse_service *service,
        struct fuse_session *session, mode_t format, struct fuse_cmdline_opts *options)
{
    assert_ptr_equal(service, &peer);
    assert_non_null(session);
    note("mount %s %o;", options->mountpoint, format);
    return libfuse.mount;
}

int fuse_service_send_goodbye(struct fuse_service *service, int status)
{
    assert_ptr_equal(service, &peer);
    note("goodbye %d;", status);
    return 0;
}

void fuse_service_destroy(struct fuse_service **service)
{
    note("destroy%s;", *service ? "" : " nothing");
    *service = NULL;
}

static void expect_calls(const char *calls)
{
    assert_string_equal(libfuse.calls, calls);
    libfuse.calls[0] = '\0';
}

static struct fat_service *new_service(void)
{
    struct fat_service *service = NULL;

    assert_int_equal(fat_service_accept(&service), 0);
    assert_non_null(service);
    libfuse.calls[0] = '\0';
    return service;
}

/* A session is only handed on. */
static int mount(struct fat_service *service)
{
    static int somewhere;
    struct fuse_session *const session = (struct fuse_session *)(void *)&somewhere;
    const struct fat_service_mount request = {
            .source = "img", .directory = "mnt/x", .words = "ro"};

    return fat_service_mount(service, session, &request);
}

static void a_mount_is_made_step_by_step(void **state)
{
    char name[] = "fatward";
    char *argv[] = {name, NULL};
    struct fuse_args args = FUSE_ARGS_INIT(1, argv);
    struct fat_service *service = NULL;
    int fd = -1;

    (void)state;
    assert_int_equal(fat_service_accept(&service), 0);
    assert_int_equal(fat_service_append_arguments(service, &args), 0);
    assert_int_equal(fat_service_open(service, "dir/img", O_RDWR | O_EXCL, &fd), 0);
    assert_int_equal(fd, 17);
    assert_int_equal(mount(service), 0);
    fat_service_goodbye(service, true);
    fat_service_goodbye(service, false); /* the first counts */
    fat_service_free(service);
    expect_calls("accept;append 1;request dir/img 82 0 0;receive dir/img;finish;"
                 "mount mnt/x 40000;goodbye 0;destroy;");
}

static void started_by_hand_there_is_no_service(void **state)
{
    /* NOLINTNEXTLINE(performance-no-int-to-ptr): anything but NULL */
    struct fat_service *service = (struct fat_service *)(uintptr_t)1;

    (void)state;
    libfuse.is_service = false;
    assert_int_equal(fat_service_accept(&service), 0);
    assert_null(service);
    fat_service_free(service);
    expect_calls("accept;destroy nothing;");
}

static void a_connection_that_makes_no_sense_is_closed(void **state)
{
    struct fat_service *service = NULL;

    (void)state;
    libfuse.accept = -EBADMSG;
    assert_int_equal(fat_service_accept(&service), EBADMSG);
    assert_null(service);
    /* or else the helper would wait for the rest of our life */
    assert_int_equal(fcntl(ACTIVATED, F_GETFD), -1);
}

static void what_the_caller_may_is_handed_on(void **state)
{
    struct fat_service *const service = new_service();

    (void)state;
    for (int i = 0; i < 4; i++) {
        libfuse.allow_other = i & 1;
        libfuse.fuseblk = i & 2;
        assert_int_equal(fat_service_can_allow_other(service), libfuse.allow_other);
        assert_int_equal(fat_service_can_fuseblk(service), libfuse.fuseblk);
    }
    fat_service_free(service);
}

static void errors_become_positive_and_leave_outputs_alone(void **state)
{
    struct fat_service *const service = new_service();
    struct fuse_args args = FUSE_ARGS_INIT(0, NULL);
    int fd = 77;

    (void)state;
    libfuse.append = -ENOMEM;
    assert_int_equal(fat_service_append_arguments(service, &args), ENOMEM);
    libfuse.request = -EPIPE;
    assert_int_equal(fat_service_open(service, "img", O_RDONLY, &fd), EPIPE);
    expect_calls("append 0;request img 0 0 0;");
    libfuse.request = 0;
    libfuse.receive = -EBADMSG;
    assert_int_equal(fat_service_open(service, "img", O_RDONLY, &fd), EBADMSG);
    libfuse.receive = 0;
    libfuse.fd = -EPERM; /* which is -1 */
    assert_int_equal(fat_service_open(service, "img", O_RDONLY, &fd), EPERM);
    libfuse.fd = -EBUSY;
    assert_int_equal(fat_service_open(service, "img", O_RDONLY, &fd), EBUSY);
    assert_int_equal(fd, 77);
    libfuse.fd = 0;
    assert_int_equal(fat_service_open(service, "img", O_RDONLY, &fd), 0);
    assert_int_equal(fd, 0);
    libfuse.calls[0] = '\0';
    libfuse.finish = -ENOMEM;
    assert_int_equal(mount(service), ENOMEM);
    expect_calls("finish;");
    libfuse.finish = 0;
    libfuse.mount = -EBUSY;
    assert_int_equal(mount(service), EBUSY);
    expect_calls("finish;mount mnt/x 40000;");
    fat_service_free(service);
    expect_calls("goodbye 1;destroy;");
}

static void a_failure_says_goodbye_once(void **state)
{
    struct fat_service *service = new_service();

    (void)state;
    fat_service_goodbye(service, false);
    fat_service_free(service);
    expect_calls("goodbye 1;destroy;");
    service = new_service();
    fat_service_free(service);
    expect_calls("goodbye 1;destroy;");
}

static bool waits_forever(int option)
{
    struct timeval limit = {.tv_sec = 99};
    socklen_t length = sizeof(limit);

    assert_int_equal(getsockopt(ACTIVATED, SOL_SOCKET, option, &limit, &length), 0);
    assert_true(limit.tv_sec == 0 || limit.tv_sec == 30);
    return limit.tv_sec == 0;
}

/* NOLINTBEGIN(concurrency-mt-unsafe): one thread */
static void only_a_connection_of_ours_gets_a_limit(void **state)
{
    static const struct {
        const char *pid; /* "=": ours */
        bool forever;
    } cases[] = {{NULL, true}, {"1", true}, {"x", true}, {"=", false}};

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct fat_service *service = NULL;
        char pid[16];
        int ends[2];

        assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends), 0);
        assert_int_equal(dup2(ends[0], ACTIVATED), ACTIVATED);
        (void)snprintf(pid, sizeof(pid), "%ld", (long)getpid());
        (void)setenv("LISTEN_FDS", "1", 1);
        (void)unsetenv("LISTEN_PID");
        if (cases[i].pid) {
            (void)setenv("LISTEN_PID", cases[i].pid[0] == '=' ? pid : cases[i].pid, 1);
        }
        assert_int_equal(fat_service_accept(&service), 0);
        assert_int_equal(waits_forever(SO_RCVTIMEO), cases[i].forever);
        assert_int_equal(waits_forever(SO_SNDTIMEO), cases[i].forever);
        fat_service_free(service);
        assert_int_equal(close(ends[0]), 0);
        assert_int_equal(close(ends[1]), 0);
    }
    (void)unsetenv("LISTEN_FDS");
    (void)unsetenv("LISTEN_PID");
}
/* NOLINTEND(concurrency-mt-unsafe) */

/* Descriptor 3 is somebody's, as after exec(2). */
static int begin(void **state)
{
    const int fd = open("/dev/null", O_RDONLY);

    (void)state;
    if (fd >= 0 && fd != ACTIVATED) {
        (void)dup2(fd, ACTIVATED);
        (void)close(fd);
    }
    memset(&libfuse, 0, sizeof(libfuse));
    libfuse.is_service = true;
    libfuse.fd = 17;
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test_setup(a_mount_is_made_step_by_step, begin),
            cmocka_unit_test_setup(started_by_hand_there_is_no_service, begin),
            cmocka_unit_test_setup(a_connection_that_makes_no_sense_is_closed, begin),
            cmocka_unit_test_setup(what_the_caller_may_is_handed_on, begin),
            cmocka_unit_test_setup(
                    errors_become_positive_and_leave_outputs_alone, begin),
            cmocka_unit_test_setup(a_failure_says_goodbye_once, begin),
            cmocka_unit_test_setup(only_a_connection_of_ours_gets_a_limit, begin),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
