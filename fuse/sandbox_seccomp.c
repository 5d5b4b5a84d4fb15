/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE /* clone flags, syscall */
#include "sandbox_seccomp.h"

#include <errno.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <seccomp.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

/*
 * What pthread_create() asks of clone(2), to the bit: so no call of clone() makes a
 * process or a namespace. musl adds a flag that the kernel ignores.
 */
#define IGNORED_FLAG 0x00400000u /* CLONE_DETACHED */
#define THREAD_FLAGS                                                               \
    ((uint32_t)(CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | \
                CLONE_SYSVSEM | CLONE_SETTLS | CLONE_PARENT_SETTID |               \
                CLONE_CHILD_CLEARTID))

/* What there is to be said about a call's arguments. */
enum rule {
    ANY,
    NO_CODE,   /* memory, but none to execute              */
    THREAD,    /* clone() as pthread_create() calls it     */
    TO_SELF,   /* a signal to one of our own threads       */
    CONNECTED, /* on a socket that knows where it leads    */
    MISSING,   /* answered with ENOSYS: there is a way round */
    REFUSED,   /* answered with EPERM, even where others kill */
};

/*
 * Measured with strace over the integration tests, and what the C library makes of the
 * same functions in other versions and on other processors.
 */
static const struct call {
    const char *name;
    enum rule rule;
} calls[] = {
        /* requests, answers, messages */
        {"read", ANY},
        {"write", ANY},
        {"writev", ANY},
        {"poll", ANY},
        {"ppoll", ANY},
        {"ppoll_time64", ANY},
        /* the medium: opened, locked and measured before */
        {"pread64", ANY},
        {"pwrite64", ANY},
        {"fdatasync", ANY},
        {"flock", ANY},
        {"close", ANY},
        /* syslog(3), which would like to connect anew when its socket has died */
        {"sendto", CONNECTED},
        {"send", ANY},
        {"socket", REFUSED},
        {"connect", REFUSED},
        /* the end of the unmounter */
        {"wait4", ANY},
        {"waitid", ANY},
        /* threads and their locks; the library falls back from clone3 to clone, which
           a filter can look into */
        {"clone", THREAD},
        {"clone3", MISSING},
        {"futex", ANY},
        {"futex_time64", ANY},
        {"set_robust_list", ANY},
        {"rseq", ANY},
        {"sched_yield", ANY},
        {"sched_getaffinity", ANY},
        {"gettid", ANY},
        {"getpid", ANY},
        {"exit", ANY},
        {"exit_group", ANY},
        {"restart_syscall", ANY},
        /* memory */
        {"brk", ANY},
        {"mmap", NO_CODE},
        {"mmap2", NO_CODE},
        {"mprotect", NO_CODE},
        {"munmap", ANY},
        {"mremap", ANY},
        {"madvise", ANY},
        {"getrandom", ANY},
        /* malloc() would like to read how many processors there are and whether memory
           is overcommitted, and does without */
        {"openat", REFUSED},
        {"open", REFUSED},
        /* waiting for SIGTERM, waking a thread, abort() */
        {"rt_sigaction", ANY},
        {"rt_sigprocmask", ANY},
        {"rt_sigreturn", ANY},
        {"sigreturn", ANY},
        {"rt_sigtimedwait", ANY},
        {"rt_sigtimedwait_time64", ANY},
        {"tgkill", TO_SELF},
        /* time, where it isn't had without a call */
        {"clock_gettime", ANY},
        {"clock_gettime64", ANY},
        {"clock_nanosleep", ANY},
        {"clock_nanosleep_time64", ANY},
        {"nanosleep", ANY},
        {"gettimeofday", ANY},
        {"time", ANY},
};

bool fat_seccomp_is_built_in(void)
{
    return true;
}

bool fat_seccomp_is_there(void)
{
    const uint32_t action = SECCOMP_RET_ERRNO;

    return syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) == 0;
}

static int add_with(scmp_filter_ctx filter, int number, struct scmp_arg_cmp condition)
{
    return seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, number, 1, &condition);
}

/* s390 has the first two arguments of clone(2) the other way round. */
static unsigned clone_flags_argument(void)
{
    const uint32_t processor = seccomp_arch_native();

    return processor == SCMP_ARCH_S390 || processor == SCMP_ARCH_S390X ? 1 : 0;
}

static int add(scmp_filter_ctx filter, int number, enum rule rule)
{
    switch (rule) {
    case NO_CODE:
        return add_with(filter, number, SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
    case THREAD:
        return add_with(filter, number,
                SCMP_CMP(clone_flags_argument(), SCMP_CMP_MASKED_EQ,
                        UINT64_MAX & ~(uint64_t)IGNORED_FLAG, THREAD_FLAGS));
    case TO_SELF:
        return add_with(filter, number,
                SCMP_A0(SCMP_CMP_MASKED_EQ, UINT32_MAX, (scmp_datum_t)getpid()));
    case CONNECTED:
        return add_with(filter, number, SCMP_A4(SCMP_CMP_EQ, 0, 0));
    case MISSING:
        return seccomp_rule_add_array(filter, SCMP_ACT_ERRNO(ENOSYS), number, 0, NULL);
    case REFUSED:
        return seccomp_rule_add_array(filter, SCMP_ACT_ERRNO(EPERM), number, 0, NULL);
    case ANY:
        break;
    }
    return seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, number, 0, NULL);
}

/* A name that this processor or this libseccomp doesn't know is no call of ours. */
static int add_all(scmp_filter_ctx filter, bool kills)
{
    int result = 0;

    for (size_t i = 0; result == 0 && i < sizeof(calls) / sizeof(calls[0]); i++) {
        const int number = seccomp_syscall_resolve_name(calls[i].name);

        if (number >= 0 && (kills || calls[i].rule != REFUSED)) {
            result = add(filter, number, calls[i].rule);
        }
    }
    return result;
}

static int build_and_load(scmp_filter_ctx filter, bool kills)
{
    int result =
            seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);

    if (result == 0) {
        result = seccomp_attr_set(filter, SCMP_FLTATR_CTL_TSYNC, 1);
    }
    if (result == 0) {
        result = add_all(filter, kills);
    }
    return result == 0 ? seccomp_load(filter) : result;
}

int fat_seccomp_enter(bool kills)
{
    scmp_filter_ctx filter =
            seccomp_init(kills ? SCMP_ACT_KILL_PROCESS : SCMP_ACT_ERRNO(EPERM));
    int result;

    if (!filter) {
        return ENOMEM;
    }
    result = build_and_load(filter, kills);
    seccomp_release(filter);
    return -result;
}
