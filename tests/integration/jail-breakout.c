/* SPDX-License-Identifier: MIT */
/*
 * Preloaded into a server: on SIGURG the server itself tries to get out of its jail, as
 * one would that has been taken over. One line for each try on standard error, "refused:
 * what (why)" or "WENT THROUGH: what", and "that was all".
 *
 * JAIL_VICTIM in the environment names a file that is tried to be harmed; JAIL_LACKS
 * what the machine is to be without: seccomp, landlock, or threads.
 */
#define _GNU_SOURCE /* RTLD_NEXT, clone flags, system calls */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

typedef long system_call(long number, ...);

static bool is_lacking(const char *what)
{
    const char *list = getenv("JAIL_LACKS");

    return list && strstr(list, what);
}

/* In the place of the C library's. */
__attribute__((visibility("default"))) long syscall(long number, ...)
{
    union {
        void *object;
        system_call *function;
    } real = {.object = dlsym(RTLD_NEXT, "syscall")};
    long a[6];
    va_list list;

    va_start(list, number);
    for (size_t i = 0; i < 6; i++) {
        a[i] = va_arg(list, long);
    }
    va_end(list);
    if ((number == SYS_seccomp && is_lacking("seccomp")) ||
            (number == SYS_landlock_create_ruleset && is_lacking("landlock"))) {
        errno = ENOSYS;
        return -1;
    }
    return real.function(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}

typedef int thread_create(
        pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);

/* The threads that serve; the ones before are needed to come that far. */
__attribute__((visibility("default"))) int pthread_create(pthread_t *ret,
        const pthread_attr_t *attributes, void *(*run)(void *), void *argument)
{
    static int started;
    union {
        void *object;
        thread_create *function;
    } real = {.object = dlsym(RTLD_NEXT, "pthread_create")};

    started++;
    return started > 3 && is_lacking("threads")
                   ? EAGAIN
                   : real.function(ret, attributes, run, argument);
}

static void tell(const char *what, long result)
{
    char line[160];
    const char *why = strerrorname_np(errno);

    if (result < 0) {
        (void)snprintf(line, sizeof(line), "refused: %s (%s)\n", what, why);
    } else {
        (void)snprintf(line, sizeof(line), "WENT THROUGH: %s\n", what);
    }
    (void)!write(STDERR_FILENO, line, strlen(line)); /* dprintf() asks for more */
}

#define TRY(what, ...) tell(what, syscall(__VA_ARGS__))

static void try_paths(void)
{
    static char buffer[1024];
    const char *victim = getenv("JAIL_VICTIM");
    static const char *const names[] = {"/etc/passwd", "/", ".", "..", "/../..",
            "/dev/null", "/dev/fuse", "/proc/self/mem", "/proc/1/environ",
            "/proc/self/fd/3", "fd/3", "../fd/3", "../mem", "/tmp", "/sys", "/run"};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        char line[100];

        (void)snprintf(line, sizeof(line), "path: read %s", names[i]);
        TRY(line, SYS_openat, AT_FDCWD, names[i], O_RDONLY);
        (void)snprintf(line, sizeof(line), "path: write %s", names[i]);
        TRY(line, SYS_openat, AT_FDCWD, names[i], O_WRONLY);
    }
    TRY("path: temporary file", SYS_openat, AT_FDCWD, "/tmp", O_TMPFILE | O_RDWR, 0600);
    TRY("path: create", SYS_openat, AT_FDCWD, "/tmp/x", O_CREAT | O_RDWR, 0600);
    TRY("path: open", SYS_openat2, AT_FDCWD, victim, buffer, 24);
    TRY("path: exec", SYS_execve, "/bin/true", NULL, NULL);
    TRY("path: execveat", SYS_execveat, 3, "", NULL, NULL, AT_EMPTY_PATH);
    TRY("path: mkdir", SYS_mkdirat, AT_FDCWD, "/tmp/x", 0700);
    TRY("path: unlink", SYS_unlinkat, AT_FDCWD, victim, 0);
    TRY("path: rename", SYS_renameat2, AT_FDCWD, victim, AT_FDCWD, "/tmp/x", 0);
    TRY("path: link", SYS_linkat, AT_FDCWD, victim, AT_FDCWD, "/tmp/x", 0);
    TRY("path: symlink", SYS_symlinkat, victim, AT_FDCWD, "/tmp/x");
    TRY("path: chmod", SYS_fchmodat, AT_FDCWD, victim, 0644);
    TRY("path: chown", SYS_fchownat, AT_FDCWD, victim, 0, 0, 0);
    TRY("path: truncate", SYS_truncate, victim, 0);
    TRY("path: stat", SYS_newfstatat, AT_FDCWD, victim, buffer, 0);
    TRY("path: readlink", SYS_readlinkat, AT_FDCWD, "/bin", buffer, sizeof(buffer));
    TRY("path: access", SYS_faccessat, AT_FDCWD, victim, 0);
    TRY("path: chdir", SYS_chdir, "/tmp");
    TRY("path: handle", SYS_open_by_handle_at, 3, buffer, 0);
}

static void try_privileges(void)
{
    static const gid_t group = 0;

    TRY("privilege: mount", SYS_mount, "x", "/", "tmpfs", 0, NULL);
    TRY("privilege: umount", SYS_umount2, "/", 2 /* MNT_DETACH */);
    TRY("privilege: open_tree", SYS_open_tree, AT_FDCWD, "/", 1);
    TRY("privilege: fsopen", SYS_fsopen, "tmpfs", 0);
    TRY("privilege: chroot", SYS_chroot, ".");
    TRY("privilege: pivot_root", SYS_pivot_root, ".", ".");
    TRY("privilege: setuid", SYS_setuid, 1);
    TRY("privilege: setresuid", SYS_setresuid, 1, 1, 1);
    TRY("privilege: setgid", SYS_setgid, 1);
    TRY("privilege: setgroups", SYS_setgroups, 1, &group);
    TRY("privilege: mount namespace", SYS_unshare, CLONE_NEWNS);
    TRY("privilege: network namespace", SYS_unshare, CLONE_NEWNET);
    TRY("privilege: syslog", SYS_syslog, 2, NULL, 0);
    TRY("privilege: module", SYS_init_module, NULL, 0, "");
    TRY("privilege: bounding set", SYS_prctl, PR_CAPBSET_DROP, 0, 0, 0, 0);
}

/* As pthread_create() calls it, but for a flag. */
static void try_clone(const char *what, unsigned long flags)
{
    const long child = syscall(SYS_clone, flags, NULL, NULL, NULL, NULL);

    if (child == 0) {
        _exit(0);
    }
    tell(what, child);
}

static void try_processes(void)
{
    static unsigned char arguments[88];
    long child;

    try_clone("process: fork", SIGCHLD);
    try_clone("process: user namespace", CLONE_NEWUSER | SIGCHLD);
    child = syscall(SYS_clone3, arguments, sizeof(arguments));
    if (child == 0) {
        _exit(0);
    }
    tell("process: clone3", child);
    TRY("process: unshare user", SYS_unshare, CLONE_NEWUSER);
    TRY("process: setns", SYS_setns, 3, 0);
    TRY("process: kill init", SYS_kill, 1, 0);
    TRY("process: kill the parent", SYS_kill, getppid(), 0);
    TRY("process: kill all", SYS_kill, -1, 0);
    TRY("process: tgkill the parent", SYS_tgkill, getppid(), getppid(), 0);
    TRY("process: tkill", SYS_tkill, getppid(), 0);
    TRY("process: sigqueue", SYS_rt_sigqueueinfo, getppid(), 0, arguments);
    TRY("process: trace the parent", SYS_ptrace, PTRACE_SEIZE, getppid(), 0, 0);
    TRY("process: pidfd", SYS_pidfd_open, getppid(), 0);
    TRY("process: read memory", SYS_process_vm_readv, getppid(), NULL, 0, NULL, 0, 0);
    TRY("process: limits", SYS_prlimit64, getppid(), 7, NULL, arguments);
    TRY("process: be dumpable", SYS_prctl, PR_SET_DUMPABLE, 1, 0, 0, 0);
    TRY("process: session", SYS_setsid);
    TRY("process: priority", SYS_setpriority, 0, 0, 19);
}

static void try_the_kernel(void)
{
    static char buffer[256];

    TRY("kernel: io_uring", SYS_io_uring_setup, 1, buffer);
    TRY("kernel: userfaultfd", SYS_userfaultfd, 1);
    TRY("kernel: bpf", SYS_bpf, 0, buffer, sizeof(buffer));
    TRY("kernel: perf", SYS_perf_event_open, buffer, 0, -1, -1, 0);
    TRY("kernel: add_key", SYS_add_key, "user", "x", "x", 1, -3);
    TRY("kernel: request_key", SYS_request_key, "user", "x", NULL, -3);
    TRY("kernel: keyctl", SYS_keyctl, 0, -3, 0);
    TRY("kernel: memfd", SYS_memfd_create, "x", 0);
    TRY("kernel: inotify", SYS_inotify_init1, 0);
    TRY("kernel: fanotify", SYS_fanotify_init, 0, 0);
    TRY("kernel: eventfd", SYS_eventfd2, 0, 0);
    TRY("kernel: shared memory", SYS_shmget, 0, 4096, 01600);
    TRY("kernel: semaphores", SYS_semget, 0, 1, 01600);
    TRY("kernel: queue", SYS_mq_open, "x", O_CREAT | O_RDWR, 0600, NULL);
    TRY("kernel: timer", SYS_timer_create, 0, NULL, buffer);
    TRY("kernel: personality", SYS_personality, 0xffffffff);
    TRY("kernel: seccomp", SYS_seccomp, 1, 0, NULL);
    TRY("kernel: splice", SYS_splice, 3, NULL, 4, NULL, 1, 0);
    TRY("kernel: tty", SYS_ioctl, 0, 0x5412 /* TIOCSTI */, "x");
    TRY("kernel: ioctl", SYS_ioctl, 3, 0x1260 /* BLKGETSIZE */, buffer);
    TRY("kernel: fcntl", SYS_fcntl, 3, F_GETFL);
    TRY("kernel: dup", SYS_dup, 3);
    TRY("kernel: pipe", SYS_pipe2, buffer, 0);
    TRY("kernel: truncate the image", SYS_ftruncate, 3, -1);
    TRY("kernel: directory", SYS_getdents64, 3, buffer, sizeof(buffer));
}

static void try_sockets(void)
{
    static const struct sockaddr_un log = {AF_UNIX, "/dev/log"};
    int pair[2];

    TRY("socket: unix", SYS_socket, AF_UNIX, SOCK_DGRAM, 0);
    TRY("socket: inet", SYS_socket, AF_INET, SOCK_STREAM, 0);
    TRY("socket: inet6", SYS_socket, AF_INET6, SOCK_DGRAM, 0);
    TRY("socket: netlink", SYS_socket, AF_NETLINK, SOCK_RAW, 0);
    TRY("socket: pair", SYS_socketpair, AF_UNIX, SOCK_STREAM, 0, pair);
    for (int fd = 0; fd < 10; fd++) {
        TRY("socket: connect", SYS_connect, fd, &log, sizeof(log));
        TRY("socket: to another", SYS_sendto, fd, "x", 1, 0, &log, sizeof(log));
        TRY("socket: pass", SYS_sendmsg, fd, NULL, 0);
        TRY("socket: receive", SYS_recvmsg, fd, NULL, 0);
    }
}

static void try_code(void)
{
    void *page = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    TRY("code: map", SYS_mmap, NULL, 4096, PROT_WRITE | PROT_EXEC,
            MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    TRY("code: map the image", SYS_mmap, NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE,
            3, 0);
    TRY("code: protect", SYS_mprotect, page, 4096, PROT_READ | PROT_EXEC);
    TRY("code: pkey", SYS_pkey_mprotect, page, 4096, PROT_READ | PROT_EXEC, -1);
}

static void on_signal(int number)
{
    static const char end[] = "that was all\n";

    (void)number;
    try_paths();
    try_privileges();
    try_processes();
    try_the_kernel();
    try_sockets();
    try_code();
    (void)!write(STDERR_FILENO, end, sizeof(end) - 1);
}

__attribute__((constructor)) static void wait_for_signal(void)
{
    const struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};

    (void)sigaction(SIGURG, &action, NULL);
}
