/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE /* chroot, syscall */
#include "sandbox.h"

#include <errno.h>
#include <linux/capability.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "sandbox_landlock.h"
#include "sandbox_seccomp.h"

/* There is nothing in it but what this process has open, and nobody ever unmounts it. */
static const char empty_place[] = "/proc/self/fdinfo";

struct capabilities {
    struct __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3];
};

const char *fat_sandbox_built_in(void)
{
    return fat_seccomp_is_built_in() ? "seccomp, Landlock" : "Landlock";
}

void fat_sandbox_init(struct fat_sandbox *ret, enum fat_sandbox_mode mode)
{
    *ret = (struct fat_sandbox){.mode = mode};
    if (mode != FAT_SANDBOX_OFF) {
        /* NOLINTNEXTLINE(concurrency-mt-unsafe): no thread has been started yet */
        ret->kills = getenv("FATWARD_SANDBOX_KILL") != NULL;
        ret->has_filter = fat_seccomp_is_there();
        ret->landlock = fat_landlock_version();
    }
}

static const char *filter_text(const struct fat_sandbox *sandbox)
{
    return sandbox->has_filter         ? "seccomp"
           : fat_seccomp_is_built_in() ? "no seccomp to be had"
                                       : "no seccomp in this build";
}

/* "seccomp, Landlock 4", or what is missing in the place of each. */
static void describe(const struct fat_sandbox *sandbox, char *text, size_t size)
{
    char landlock[32] = "no Landlock to be had";

    if (sandbox->landlock) {
        (void)snprintf(landlock, sizeof(landlock), "Landlock %u", sandbox->landlock);
    }
    (void)snprintf(text, size, "%s, %s", filter_text(sandbox), landlock);
}

bool fat_sandbox_suffices(const struct fat_sandbox *sandbox, struct fat_log *log)
{
    char parts[80];
    char text[128];

    if (sandbox->mode != FAT_SANDBOX_STRICT ||
            (sandbox->has_filter && sandbox->landlock)) {
        return true;
    }
    describe(sandbox, parts, sizeof(parts));
    (void)snprintf(text, sizeof(text), "option 'sandbox=strict': %s", parts);
    fat_log_say(log, true, text);
    return false;
}

static bool capabilities_get(struct capabilities *ret)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};

    return syscall(SYS_capget, &header, ret->sets) == 0;
}

static bool capabilities_set(const struct capabilities *wanted)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};

    return syscall(SYS_capset, &header, wanted->sets) == 0;
}

static bool can(const struct capabilities *held, unsigned capability)
{
    return held->sets[CAP_TO_INDEX(capability)].effective & CAP_TO_MASK(capability);
}

static bool has_any(const struct capabilities *held)
{
    unsigned all = 0;

    for (size_t i = 0; i < _LINUX_CAPABILITY_U32S_3; i++) {
        all |= held->sets[i].effective | held->sets[i].permitted |
               held->sets[i].inheritable;
    }
    return all != 0;
}

/* An ordinary user may not shrink his bounding set; no_new_privs makes up for it. */
static bool drop_bounding_set(const struct capabilities *held)
{
    if (!can(held, CAP_SETPCAP)) {
        return true;
    }
    for (unsigned long i = 0; prctl(PR_CAPBSET_READ, i, 0, 0, 0) >= 0; i++) {
        if (prctl(PR_CAPBSET_DROP, i, 0, 0, 0) != 0) {
            return false;
        }
    }
    return true;
}

/* A kernel before 4.3 has no ambient set. */
static bool drop_ambient_set(void)
{
    return prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) == 0 ||
           errno == EINVAL;
}

/* Whoever has none is not even asked to give them up: the service's unit refuses it. */
static bool drop_capabilities(const struct capabilities *held)
{
    const struct capabilities none = {.sets = {{0}}};

    return drop_bounding_set(held) && drop_ambient_set() &&
           (!has_any(held) || capabilities_set(&none));
}

/* For a kernel without Landlock: at least to where nothing is. */
static void go_where_nothing_is(const struct capabilities *held)
{
    if (can(held, CAP_SYS_CHROOT) && chroot(empty_place) == 0) {
        (void)!chdir("/");
    } else if (chdir(empty_place) != 0) {
        (void)!chdir("/");
    }
}

/* What failed; NULL if nothing did. */
static const char *raise_walls(const struct fat_sandbox *sandbox)
{
    struct capabilities held = {.sets = {{0}}};

    if (!capabilities_get(&held)) {
        return "capabilities";
    }
    go_where_nothing_is(&held);
    /* neither traced nor dumped by a user's other programs */
    if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0) {
        return "dumpable";
    }
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) {
        return "no_new_privs";
    }
    if (!drop_capabilities(&held)) {
        return "capabilities";
    }
    return sandbox->landlock && !fat_landlock_enter(sandbox->landlock) ? "Landlock"
                                                                       : NULL;
}

static bool complain(struct fat_log *log, const char *wall, int error)
{
    char text[64];

    (void)snprintf(text, sizeof(text), "sandbox: %s", wall);
    fat_log_say_errno(log, text, error);
    return false;
}

bool fat_sandbox_enter(const struct fat_sandbox *sandbox, struct fat_log *log)
{
    const char *failed = sandbox->mode == FAT_SANDBOX_OFF ? NULL : raise_walls(sandbox);

    return failed ? complain(log, failed, errno) : true;
}

bool fat_sandbox_close(const struct fat_sandbox *sandbox, struct fat_log *log)
{
    char parts[80];
    char text[128];
    int error = 0;

    if (sandbox->mode == FAT_SANDBOX_OFF) {
        fat_log_note(log, "sandbox: off");
        return true;
    }
    if (sandbox->has_filter) {
        error = fat_seccomp_enter(sandbox->kills);
    }
    if (error) {
        return complain(log, "seccomp", error);
    }
    describe(sandbox, parts, sizeof(parts));
    (void)snprintf(text, sizeof(text), "sandbox: %s, no capabilities", parts);
    fat_log_note(log, text);
    return true;
}
