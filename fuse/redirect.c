/* SPDX-License-Identifier: MIT */
#include "redirect.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>

enum {
    SLOTS = 64,           /* tasks on their way at once; more are served directly */
    LIFETIME_SECONDS = 2, /* of a task that was killed on its way                 */
};

struct traveller {
    bool under_way; /* or the slot is free */
    pid_t task;     /* a thread's number; 0: all that we can't see */
    time_t since;
};

struct fat_redirect {
    pthread_mutex_t lock;
    atomic_uint count; /* slots in use: saves the lock while there are none */
    struct traveller travellers[SLOTS];
};

static time_t now_seconds(void)
{
    struct timespec now = {0};

    (void)clock_gettime(CLOCK_MONOTONIC, &now); /* cannot fail with this clock */
    return now.tv_sec;
}

struct fat_redirect *fat_redirect_new(void)
{
    struct fat_redirect *redirect = calloc(1, sizeof(*redirect));

    if (redirect && pthread_mutex_init(&redirect->lock, NULL) != 0) {
        free(redirect);
        return NULL;
    }
    return redirect;
}

void fat_redirect_free(struct fat_redirect *redirect)
{
    if (redirect) {
        pthread_mutex_destroy(&redirect->lock);
        free(redirect);
    }
}

static void end_locked(struct fat_redirect *redirect, struct traveller *traveller)
{
    traveller->under_way = false;
    atomic_fetch_sub(&redirect->count, 1);
}

static void expire_locked(struct fat_redirect *redirect)
{
    const time_t now = now_seconds();

    for (size_t i = 0; i < SLOTS; i++) {
        struct traveller *traveller = &redirect->travellers[i];

        if (traveller->under_way && now - traveller->since > LIFETIME_SECONDS) {
            end_locked(redirect, traveller);
        }
    }
}

static struct traveller *find_locked(struct fat_redirect *redirect, pid_t task)
{
    for (size_t i = 0; i < SLOTS; i++) {
        struct traveller *traveller = &redirect->travellers[i];

        if (traveller->under_way && traveller->task == task) {
            return traveller;
        }
    }
    return NULL;
}

static bool add_locked(struct fat_redirect *redirect, pid_t task)
{
    for (size_t i = 0; i < SLOTS; i++) {
        struct traveller *traveller = &redirect->travellers[i];

        if (!traveller->under_way) {
            *traveller = (struct traveller){true, task, now_seconds()};
            atomic_fetch_add(&redirect->count, 1);
            return true;
        }
    }
    return false;
}

bool fat_redirect_begin(struct fat_redirect *redirect, pid_t task)
{
    struct traveller *traveller;
    bool sent = false;

    pthread_mutex_lock(&redirect->lock);
    expire_locked(redirect);
    traveller = find_locked(redirect, task);
    if (traveller) {
        end_locked(redirect, traveller);
    } else {
        sent = add_locked(redirect, task);
    }
    pthread_mutex_unlock(&redirect->lock);
    return sent;
}

bool fat_redirect_is_under_way(struct fat_redirect *redirect, pid_t task)
{
    bool found;

    if (atomic_load(&redirect->count) == 0) {
        return false;
    }
    pthread_mutex_lock(&redirect->lock);
    expire_locked(redirect);
    found = find_locked(redirect, task) != NULL;
    pthread_mutex_unlock(&redirect->lock);
    return found;
}

void fat_redirect_end(struct fat_redirect *redirect, pid_t task)
{
    struct traveller *traveller;

    if (atomic_load(&redirect->count) == 0) {
        return;
    }
    pthread_mutex_lock(&redirect->lock);
    traveller = find_locked(redirect, task);
    if (traveller) {
        end_locked(redirect, traveller);
    }
    pthread_mutex_unlock(&redirect->lock);
}
