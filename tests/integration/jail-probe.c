/* SPDX-License-Identifier: MIT */
/*
 * Stands in for fatward in its unit and tries what a taken-over server would: one line
 * for each on standard output, "refused: what (why)" or "WENT THROUGH: what". Waits
 * first for a word on the connection; "stay" makes it wait for SIGTERM at the end.
 */
#define _GNU_SOURCE /* clone flags, unshare */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

enum { CONNECTION = 3 };

/* @result   a system call's: -1 with errno, or what it made */
static void tell(const char *what, long result)
{
    if (result < 0) {
        (void)printf("refused: %s (%s)\n", what, strerrorname_np(errno));
    } else {
        (void)printf("WENT THROUGH: %s\n", what);
    }
}

static void try_files(void)
{
    static const char *const read[] = {"/etc/passwd", "/dev/null", "/dev/fuse",
            "/proc/1/status", "/proc/kmsg", "/sys/kernel", "/run/systemd/private",
            "/usr/bin/true", "/usr/share", "/home", "/root", "/boot"};
    static const char *const written[] = {"/x", "/tmp/x", "/var/tmp/x", "/dev/shm/x",
            "/run/x", "/dev/mqueue/x", "/etc/x", "/proc/sys/kernel/core_pattern"};
    char line[100];

    for (size_t i = 0; i < sizeof(read) / sizeof(read[0]); i++) {
        (void)snprintf(line, sizeof(line), "open %s", read[i]);
        tell(line, open(read[i], O_RDONLY | O_CLOEXEC));
    }
    for (size_t i = 0; i < sizeof(written) / sizeof(written[0]); i++) {
        (void)snprintf(line, sizeof(line), "write %s", written[i]);
        tell(line, open(written[i], O_RDWR | O_CREAT | O_CLOEXEC, 0600));
    }
}

static void try_sockets(void)
{
    int pair[2];

    tell("socket unix", socket(AF_UNIX, SOCK_STREAM, 0));
    tell("socket inet", socket(AF_INET, SOCK_STREAM, 0));
    tell("socket inet6", socket(AF_INET6, SOCK_DGRAM, 0));
    tell("socket netlink", socket(AF_NETLINK, SOCK_RAW, 0));
    tell("socketpair", socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
}

/* As a thread is made, but with a flag more. */
static long clone_namespace(unsigned long flag)
{
    const long child = syscall(SYS_clone, flag | SIGCHLD, NULL, NULL, NULL, NULL);

    if (child == 0) {
        _exit(0);
    }
    return child;
}

static void try_the_kernel(void)
{
    tell("namespace user", unshare(CLONE_NEWUSER));
    tell("namespace mount", unshare(CLONE_NEWNS));
    tell("namespace network", unshare(CLONE_NEWNET));
    tell("clone into a user namespace", clone_namespace(CLONE_NEWUSER));
    tell("clone into a network namespace", clone_namespace(CLONE_NEWNET));
    tell("mount", mount("x", "/tmp", "tmpfs", 0, NULL));
    tell("chroot", chroot("/tmp"));
    tell("setuid", setuid(0));
    tell("ptrace", ptrace(PTRACE_TRACEME, 0, NULL, NULL));
    tell("kill", kill(1, 0));
    tell("io_uring", syscall(SYS_io_uring_setup, 1, NULL));
    tell("memfd", memfd_create("x", 0));
    tell("bpf", syscall(SYS_bpf, 0, NULL, 0));
    tell("unlink", unlink("/usr/bin/fatward"));
    tell("mkdir", mkdir("/tmp/x", 0700));
}

/* Not tried: fork(), which is the clone() that threads need; TasksMax= bounds it. */
static void try_code(void)
{
    char *const none[] = {NULL};

    tell("exec", execve("/bin/sh", none, none));
    tell("code that can be written",
            mmap(NULL, 4096, PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1,
                    0) == MAP_FAILED
                    ? -1
                    : 0);
}

static void list_descriptors(void)
{
    (void)printf("descriptors:");
    for (int fd = 0; fd < 64; fd++) {
        if (fcntl(fd, F_GETFD) >= 0) {
            (void)printf(" %d", fd);
        }
    }
    (void)printf("\n");
}

int main(void)
{
    char word[16] = "";
    sigset_t terms;
    int number;

    (void)sigemptyset(&terms);
    (void)sigaddset(&terms, SIGTERM);
    (void)sigprocmask(SIG_BLOCK, &terms, NULL);
    (void)setvbuf(stdout, NULL, _IOLBF, 0);
    if (read(CONNECTION, word, sizeof(word) - 1) < 0) {
        return 1;
    }
    list_descriptors();
    try_files();
    try_sockets();
    try_the_kernel();
    try_code();
    (void)printf("that was all\n");
    if (strcmp(word, "stay") == 0) {
        (void)sigwait(&terms, &number);
        (void)printf("told to leave\n");
    }
    return strcmp(word, "fail") == 0 ? 1 : 0;
}
