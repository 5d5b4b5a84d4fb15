/* SPDX-License-Identifier: MIT */
#include "signals.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>

struct fat_signals {
    struct fat_loop *loop;
    struct fat_watched *watched;
    struct fat_unmounter *unmounter;
    atomic_bool unmounted;
    pthread_t thread;
};

enum { END_OF_WATCH = SIGUSR2 };

static sigset_t watched(void)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGHUP);
    sigaddset(&set, END_OF_WATCH);
    return set;
}

bool fat_signals_block(void)
{
    const struct sigaction ignore = {.sa_handler = SIG_IGN};
    const sigset_t set = watched();

    return pthread_sigmask(SIG_BLOCK, &set, NULL) == 0 &&
           sigaction(SIGPIPE, &ignore, NULL) == 0;
}

static void unmount_in_order(struct fat_signals *signals)
{
    /* what programs have mapped would be written back behind it */
    fat_loop_stop_recovery(signals->loop);
    if (signals->unmounter &&
            fat_unmounter_in_order(signals->unmounter, signals->watched)) {
        atomic_store(&signals->unmounted, true);
    }
    fat_loop_stop(signals->loop);
}

static void *run(void *argument)
{
    struct fat_signals *signals = argument;
    const sigset_t set = watched();
    int number = 0;

    while (sigwait(&set, &number) != 0 || number != END_OF_WATCH) {
        if (number != 0) {
            unmount_in_order(signals);
        }
    }
    return NULL;
}

struct fat_signals *fat_signals_new(struct fat_loop *loop, struct fat_watched *watched,
        struct fat_unmounter *unmounter)
{
    struct fat_signals *signals = calloc(1, sizeof(*signals));

    if (!signals) {
        return NULL;
    }
    signals->loop = loop;
    signals->watched = watched;
    signals->unmounter = unmounter;
    if (pthread_create(&signals->thread, NULL, run, signals) != 0) {
        free(signals);
        return NULL;
    }
    return signals;
}

void fat_signals_free(struct fat_signals *signals)
{
    if (signals) {
        pthread_kill(signals->thread, END_OF_WATCH);
        pthread_join(signals->thread, NULL);
        free(signals);
    }
}

bool fat_signals_unmounted(const struct fat_signals *signals)
{
    return atomic_load(&signals->unmounted);
}
