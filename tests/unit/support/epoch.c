/* SPDX-License-Identifier: MIT */
#include "support/epoch.h"

#include "support/steady.h"

/* A sector that the epoch writes, however often. Numbers are of sector writes. */
struct epoch_sector {
    uint64_t number;
    int64_t newest;  /* while cutting: the last one that goes here             */
    int64_t wanted;  /* by the state chosen; always the earliest that is equal */
    int64_t current; /* in the image                                           */
};

uint64_t epoch_mix(uint64_t value)
{
    value += UINT64_C(0x9e3779b97f4a7c15);
    value = (value ^ value >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    value = (value ^ value >> 27) * UINT64_C(0x94d049bb133111eb);
    return value ^ value >> 31;
}

static bool counts_as_write(const struct epoch_place *place, size_t position)
{
    return position != place->dropped &&
           recdev_event(place->rec, position)->call == RECDEV_WRITE;
}

static size_t count_sectors(
        const struct epoch_place *place, const struct recdev_event *event)
{
    const uint64_t size = place->sector_bytes;

    if (event->length == 0) {
        return 0;
    }
    return (size_t)((event->offset + event->length - 1) / size - event->offset / size +
                    1);
}

static bool span_writes_sector(
        const struct epoch_place *place, const struct epoch_span *span, uint64_t sector)
{
    for (size_t i = span->first; i < span->end; i++) {
        const struct recdev_event *event = recdev_event(place->rec, i);
        const uint64_t first = event->offset / place->sector_bytes;

        if (counts_as_write(place, i) && sector >= first &&
                sector - first < count_sectors(place, event)) {
            return true;
        }
    }
    return false;
}

static size_t count_span(const struct epoch_place *place, const struct epoch_span *span)
{
    size_t count = 0;

    for (size_t i = span->first; i < span->end; i++) {
        count += count_sectors(place, recdev_event(place->rec, i));
    }
    return count;
}

static size_t table_size_for(size_t sectors)
{
    size_t size = 16;

    while (size < sectors * 2) {
        size *= 2;
    }
    return size;
}

void epoch_done(struct epoch *epoch)
{
    free(epoch->numbers);
    free(epoch->present);
    free(epoch->sector_of);
    free(epoch->previous);
    free(epoch->equal_to);
    free(epoch->contents);
    free(epoch->sectors);
    free(epoch->before);
    free(epoch->table);
    *epoch = (struct epoch){0};
}

static fat_err make_arrays(
        struct epoch *epoch, const struct epoch_place *place, size_t room)
{
    *epoch = (struct epoch){
            .place = *place,
            .numbers = steady_alloc(room * sizeof(*epoch->numbers)),
            .present = steady_zalloc(room * sizeof(*epoch->present)),
            .sector_of = steady_alloc(room * sizeof(*epoch->sector_of)),
            .previous = steady_alloc(room * sizeof(*epoch->previous)),
            .equal_to = steady_alloc(room * sizeof(*epoch->equal_to)),
            .contents = steady_alloc(room * place->sector_bytes),
            .sectors = steady_alloc(room * sizeof(*epoch->sectors)),
            .before = steady_alloc(room * place->sector_bytes),
            .table_size = table_size_for(room),
    };
    epoch->table = steady_zalloc(epoch->table_size * sizeof(*epoch->table));
    if (!epoch->numbers || !epoch->present || !epoch->sector_of || !epoch->previous ||
            !epoch->equal_to || !epoch->contents || !epoch->sectors || !epoch->before ||
            !epoch->table) {
        return FAT_E_NOMEM;
    }
    return FAT_OK;
}

/* The sector's index; a new one gets its old contents from the image. */
static fat_err get_sector(struct epoch *epoch, uint64_t number, size_t *ret)
{
    struct fat_blkdev *image = epoch->place.image;
    const uint32_t size = epoch->place.sector_bytes;
    size_t at = (size_t)epoch_mix(number) & (epoch->table_size - 1);
    fat_err err;

    while (epoch->table[at] != 0) {
        if (epoch->sectors[epoch->table[at] - 1].number == number) {
            *ret = epoch->table[at] - 1;
            return FAT_OK;
        }
        at = (at + 1) & (epoch->table_size - 1);
    }
    err = image->ops->read(
            image, number * size, epoch->before + epoch->sector_count * size, size);
    if (err != FAT_OK) {
        return err;
    }
    epoch->sectors[epoch->sector_count] = (struct epoch_sector){
            .number = number,
            .newest = EPOCH_BEFORE,
            .wanted = EPOCH_BEFORE,
            .current = EPOCH_BEFORE,
    };
    *ret = epoch->sector_count++;
    epoch->table[at] = epoch->sector_count;
    return FAT_OK;
}

static const uint8_t *contents_of(
        const struct epoch *epoch, size_t sector, int64_t sector_write)
{
    const uint32_t size = epoch->place.sector_bytes;

    return sector_write == EPOCH_BEFORE ? epoch->before + sector * size
                                        : epoch->contents + (size_t)sector_write * size;
}

/* The earliest contents of the sector that equal the newest ones. */
static int64_t find_equal(const struct epoch *epoch, size_t sector)
{
    const int64_t newest = epoch->sectors[sector].newest;
    const uint8_t *contents = contents_of(epoch, sector, newest);
    int64_t equal = newest;
    int64_t at = newest;

    while (at != EPOCH_BEFORE) {
        at = epoch->previous[at];
        if (memcmp(contents, contents_of(epoch, sector, at),
                    epoch->place.sector_bytes) == 0) {
            equal = at;
        }
    }
    return equal;
}

static void append(struct epoch *epoch, size_t sector)
{
    const size_t index = epoch->count++;

    epoch->numbers[index] = epoch->sectors[sector].number;
    epoch->sector_of[index] = sector;
    epoch->previous[index] = epoch->sectors[sector].newest;
    epoch->sectors[sector].newest = (int64_t)index;
    epoch->equal_to[index] = find_equal(epoch, sector);
}

/* The part of one write that falls into one sector, as a sector write. */
static fat_err add_part(
        struct epoch *epoch, const struct recdev_event *event, uint64_t number)
{
    const uint32_t size = epoch->place.sector_bytes;
    const uint64_t sector_start = number * size;
    const uint64_t start = event->offset > sector_start ? event->offset : sector_start;
    uint64_t end = event->offset + event->length;
    uint8_t *contents = epoch->contents + epoch->count * size;
    const uint8_t *previous;
    size_t sector = 0;
    const fat_err err = get_sector(epoch, number, &sector);

    if (err != FAT_OK) {
        return err;
    }
    end = end < sector_start + size ? end : sector_start + size;
    previous = contents_of(epoch, sector, epoch->sectors[sector].newest);
    memcpy(contents, previous, size);
    memcpy(contents + (start - sector_start), event->bytes + (start - event->offset),
            (size_t)(end - start));
    if (memcmp(contents, previous, size) != 0) {
        append(epoch, sector);
    }
    return FAT_OK;
}

static fat_err add_write(
        struct epoch *epoch, size_t position, const struct epoch_span *later)
{
    const struct epoch_place *place = &epoch->place;
    const struct recdev_event *event = recdev_event(place->rec, position);
    const uint64_t first = event->offset / place->sector_bytes;
    const size_t count = count_sectors(place, event);
    fat_err err = FAT_OK;

    for (uint64_t i = first; i < first + count && err == FAT_OK; i++) {
        if (!later || !span_writes_sector(place, later, i)) {
            err = add_part(epoch, event, i);
        }
    }
    return err;
}

fat_err epoch_cut(struct epoch *epoch, const struct epoch_place *place,
        const struct epoch_span *span, const struct epoch_span *later)
{
    fat_err err = make_arrays(epoch, place, count_span(place, span));

    for (size_t i = span->first; i < span->end && err == FAT_OK; i++) {
        if (counts_as_write(place, i)) {
            err = add_write(epoch, i, later);
        }
    }
    if (err != FAT_OK) {
        epoch_done(epoch);
    }
    return err;
}

void epoch_set(struct epoch *epoch, size_t from, size_t to, bool is_present)
{
    for (size_t i = from; i < to; i++) {
        epoch->present[i] = is_present;
    }
}

uint64_t epoch_choose(struct epoch *epoch)
{
    uint64_t hash = 0;

    for (size_t i = 0; i < epoch->sector_count; i++) {
        epoch->sectors[i].wanted = EPOCH_BEFORE;
    }
    for (size_t i = 0; i < epoch->count; i++) {
        if (epoch->present[i]) {
            epoch->sectors[epoch->sector_of[i]].wanted = epoch->equal_to[i];
        }
    }
    for (size_t i = 0; i < epoch->sector_count; i++) {
        hash = epoch_mix(hash ^ (uint64_t)(epoch->sectors[i].wanted + 1));
    }
    return hash;
}

fat_err epoch_move(struct epoch *epoch)
{
    struct fat_blkdev *image = epoch->place.image;
    const uint32_t size = epoch->place.sector_bytes;

    for (size_t i = 0; i < epoch->sector_count; i++) {
        struct epoch_sector *sector = &epoch->sectors[i];
        const uint8_t *contents = contents_of(epoch, i, sector->wanted);
        fat_err err;

        if (sector->wanted == sector->current) {
            continue;
        }
        err = image->ops->write(image, sector->number * size, contents, size);
        if (err != FAT_OK) {
            return err;
        }
        sector->current = sector->wanted;
    }
    return FAT_OK;
}
