/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE /* memfd_create */
#include "service/activation.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "support/cmocka.h"

enum { ACTIVATED = 3 };

/* One thread. NOLINTBEGIN(concurrency-mt-unsafe) */
static void set_variable(const char *name, const char *value)
{
    assert_int_equal(value ? setenv(name, value, 1) : unsetenv(name), 0);
}

static void set_environment(const char *pid, const char *count)
{
    char ours[16];

    (void)snprintf(ours, sizeof(ours), "%ld", (long)getpid());
    set_variable("LISTEN_PID", pid && pid[0] == '=' ? ours : pid);
    set_variable("LISTEN_FDS", count);
    set_variable("LISTEN_FDNAMES", "connection");
}

static bool is_forgotten(void)
{
    return !getenv("LISTEN_PID") && !getenv("LISTEN_FDS") && !getenv("LISTEN_FDNAMES");
}
/* NOLINTEND(concurrency-mt-unsafe) */

static bool is_open(int fd)
{
    return fcntl(fd, F_GETFD) >= 0;
}

/* Let descriptor 3 be @fd, or nothing where that is -1. */
static void place(int fd)
{
    if (fd < 0) {
        (void)close(ACTIVATED);
    } else if (fd != ACTIVATED) {
        assert_int_equal(dup2(fd, ACTIVATED), ACTIVATED);
        assert_int_equal(close(fd), 0);
    }
}

static int a_socket(int domain, int type)
{
    const int fd = socket(domain, type, 0);

    assert_true(fd >= 0);
    return fd;
}

static void a_socket_from_systemd_is_taken_over(void **state)
{
    int fd = -2;

    (void)state;
    place(a_socket(AF_UNIX, SOCK_SEQPACKET));
    set_environment("=ours", "1");
    assert_int_equal(fat_activation_socket(&fd), 0);
    assert_int_equal(fd, ACTIVATED);
    assert_int_equal(fcntl(ACTIVATED, F_GETFD), FD_CLOEXEC);
    assert_true(is_forgotten());
    /* so a second look finds nothing */
    assert_int_equal(fat_activation_socket(&fd), 0);
    assert_int_equal(fd, -1);
    assert_true(is_open(ACTIVATED));
}

static void what_is_for_another_process_is_left_alone(void **state)
{
    static const struct {
        const char *pid, *count;
    } cases[] = {
            {NULL, NULL},
            {NULL, "1"},
            {"=ours", NULL},
            {"1", "1"},
            {"", "1"},
            {"0", "1"},
            {"-1", "1"},
            {" 1", "1"},
            {"1x", "1"},
            {"99999999999999999999999", "1"},
    };

    (void)state;
    place(a_socket(AF_UNIX, SOCK_SEQPACKET));
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        int fd = -2;

        set_environment(cases[i].pid, cases[i].count);
        assert_int_equal(fat_activation_socket(&fd), 0);
        assert_int_equal(fd, -1);
        assert_true(is_open(ACTIVATED));
        assert_int_equal(fcntl(ACTIVATED, F_GETFD), 0);
        assert_false(is_forgotten());
    }
}

static void a_count_other_than_one_is_an_error(void **state)
{
    static const struct {
        const char *count;
        int error;
    } cases[] = {
            {"0", EINVAL},
            {"", EINVAL},
            {"one", EINVAL},
            {"-1", EINVAL},
            {"1 ", EINVAL},
            {"99999999999999999999999", EINVAL},
            {"2", E2BIG},
            {"4000000000", E2BIG},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        int fd = -2;

        place(a_socket(AF_UNIX, SOCK_SEQPACKET));
        set_environment("=ours", cases[i].count);
        assert_int_equal(fat_activation_socket(&fd), cases[i].error);
        assert_int_equal(fd, -1);
        assert_false(is_open(ACTIVATED));
        assert_true(is_forgotten());
    }
}

static void another_kind_of_descriptor_is_an_error(void **state)
{
    (void)state;
    for (int i = 0; i < 5; i++) {
        static const int errors[] = {
                EBADF, ENOTSOCK, EAFNOSUPPORT, EPROTOTYPE, EPROTOTYPE};
        int fd = -2;

        switch (i) {
        case 0:
            place(-1);
            break;
        case 1:
            place(memfd_create("no socket", 0));
            break;
        case 2:
            place(a_socket(AF_INET, SOCK_STREAM));
            break;
        case 3:
            place(a_socket(AF_UNIX, SOCK_STREAM));
            break;
        default:
            place(a_socket(AF_UNIX, SOCK_DGRAM));
            break;
        }
        set_environment("=ours", "1");
        assert_int_equal(fat_activation_socket(&fd), errors[i]);
        assert_int_equal(fd, -1);
        assert_false(is_open(ACTIVATED));
    }
}

static int let_go(void **state)
{
    (void)state;
    place(-1);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
            cmocka_unit_test_teardown(a_socket_from_systemd_is_taken_over, let_go),
            cmocka_unit_test_teardown(
                    what_is_for_another_process_is_left_alone, let_go),
            cmocka_unit_test_teardown(a_count_other_than_one_is_an_error, let_go),
            cmocka_unit_test_teardown(another_kind_of_descriptor_is_an_error, let_go),
    };

    return cmocka_run_group_tests(tests, let_go, NULL);
}
