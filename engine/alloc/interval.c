/* SPDX-License-Identifier: MIT */
#include "alloc/interval.h"

#include <stdlib.h>

void fat_interval_init(struct fat_interval *interval)
{
    fat_rwlock_init(&interval->lock, FAT_LOCK_INTERVAL);
    atomic_init(&interval->number, 1);
    atomic_init(&interval->finished, 0);
    atomic_init(&interval->changes, 0);
    atomic_init(&interval->committed, 0);
    atomic_init(&interval->data_written, false);
    atomic_init(&interval->pieces, NULL);
}

void fat_piece_free_all(struct fat_piece *pieces)
{
    while (pieces) {
        struct fat_piece *next = pieces->next;

        free(pieces);
        pieces = next;
    }
}

void fat_interval_done(struct fat_interval *interval)
{
    fat_piece_free_all(atomic_load(&interval->pieces));
    fat_rwlock_done(&interval->lock);
}

uint64_t fat_interval_enter(struct fat_interval *interval)
{
    fat_rwlock_read(&interval->lock);
    return interval->number;
}

void fat_interval_leave(struct fat_interval *interval)
{
    atomic_fetch_add(&interval->changes, 1);
    fat_rwlock_read_end(&interval->lock);
}

void fat_interval_leave_unchanged(struct fat_interval *interval)
{
    fat_rwlock_read_end(&interval->lock);
}

void fat_interval_free_chain(struct fat_interval *interval, struct fat_piece *piece)
{
    piece->next = atomic_load(&interval->pieces);
    while (!atomic_compare_exchange_weak(&interval->pieces, &piece->next, piece)) {
    }
}

void fat_interval_data_written(struct fat_interval *interval)
{
    atomic_store(&interval->data_written, true);
    atomic_fetch_add(&interval->changes, 1);
}

struct fat_interval_taken fat_interval_take(struct fat_interval *interval)
{
    struct fat_interval_taken taken = {.number = interval->number};

    taken.pieces = atomic_exchange(&interval->pieces, NULL);
    taken.data_written = atomic_exchange(&interval->data_written, false);
    interval->committed = interval->changes;
    interval->number = taken.number + 1;
    return taken;
}
