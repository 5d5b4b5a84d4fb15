/* SPDX-License-Identifier: MIT */
#include "mkimage/signals.h"

#include <signal.h>
#include <stddef.h>

static void fill_set(sigset_t *ret)
{
    sigemptyset(ret);
    sigaddset(ret, SIGHUP);
    sigaddset(ret, SIGINT);
    sigaddset(ret, SIGTERM);
}

void signals_hold(void)
{
    sigset_t set;

    fill_set(&set);
    sigprocmask(SIG_BLOCK, &set, NULL);
}

bool signals_pending(void)
{
    sigset_t set;

    if (sigpending(&set) != 0) {
        return false;
    }
    return sigismember(&set, SIGHUP) == 1 || sigismember(&set, SIGINT) == 1 ||
           sigismember(&set, SIGTERM) == 1;
}

void signals_release(void)
{
    sigset_t set;

    fill_set(&set);
    sigprocmask(SIG_UNBLOCK, &set, NULL);
}
