/* SPDX-License-Identifier: MIT */
/*
 * A device in memory. Pages that were never written read as zero and cost
 * nothing, so that a volume of terabytes can be tried out; a hash by page number
 * finds the others. Nothing survives the close, and flush has nothing to do.
 */
#include <assert.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <fatward/blkdev.h>

#include "base/scope.h"

enum {
    PAGE_BYTES = 4096,
    FIRST_BUCKETS = 64, /* a power of two, as every later size of the table */
};

struct page {
    struct page *older; /* of all pages: this list owns them */
    struct page *next;  /* in its bucket                     */
    uint64_t number;
    uint8_t bytes[PAGE_BYTES];
};

struct mem_device {
    struct fat_blkdev dev;
    pthread_rwlock_t lock; /* all below: shared to read, exclusive to write */
    struct page **buckets;
    size_t bucket_count;
    size_t page_count;
    struct page *newest;
};

FAT_DEFINE_CLEANUP(struct mem_device, free);

static size_t bucket_of(uint64_t number, size_t bucket_count)
{
    /* Fibonacci hashing: neighbours spread, and the high bits are the good ones. */
    const uint64_t hash = number * UINT64_C(0x9e3779b97f4a7c15) >> 32;

    return (size_t)hash & (bucket_count - 1);
}

static struct page *find_page(const struct mem_device *mem, uint64_t number)
{
    struct page *page = mem->buckets[bucket_of(number, mem->bucket_count)];

    while (page && page->number != number) {
        page = page->next;
    }
    return page;
}

static void put_in_bucket(struct mem_device *mem, struct page *page)
{
    const size_t bucket = bucket_of(page->number, mem->bucket_count);

    page->next = mem->buckets[bucket];
    mem->buckets[bucket] = page;
}

/* A table that can't grow is slower and still right, so nobody is told. */
static void grow_table(struct mem_device *mem)
{
    const size_t bucket_count = mem->bucket_count * 2;
    struct page **buckets = calloc(bucket_count, sizeof(struct page *));

    if (!buckets) {
        return;
    }
    free(mem->buckets);
    mem->buckets = buckets;
    mem->bucket_count = bucket_count;
    for (struct page *page = mem->newest; page; page = page->older) {
        put_in_bucket(mem, page);
    }
}

static fat_err ensure_page(struct mem_device *mem, uint64_t number)
{
    struct page *page;

    if (find_page(mem, number)) {
        return FAT_OK;
    }
    page = calloc(1, sizeof(*page));
    if (!page) {
        return FAT_E_NOMEM;
    }
    page->number = number;
    page->older = mem->newest;
    mem->newest = page;
    mem->page_count++;
    put_in_bucket(mem, page);
    if (mem->page_count > mem->bucket_count) {
        grow_table(mem);
    }
    return FAT_OK;
}

static bool is_outside(const struct fat_blkdev *dev, uint64_t offset, size_t length)
{
    return offset > dev->size_bytes || length > dev->size_bytes - offset;
}

/* How much of what is left lies in the page of @offset. */
static size_t in_this_page(uint64_t offset, size_t length)
{
    const size_t room = PAGE_BYTES - (size_t)(offset % PAGE_BYTES);

    return length < room ? length : room;
}

static void read_locked(
        const struct mem_device *mem, uint64_t offset, uint8_t *buffer, size_t length)
{
    while (length > 0) {
        const size_t step = in_this_page(offset, length);
        const struct page *page = find_page(mem, offset / PAGE_BYTES);

        if (page) {
            memcpy(buffer, page->bytes + offset % PAGE_BYTES, step);
        } else {
            memset(buffer, 0, step);
        }
        offset += step;
        buffer += step;
        length -= step;
    }
}

/* New pages are zero as their absence was: giving up half-way changes nothing. */
static fat_err ensure_pages(struct mem_device *mem, uint64_t offset, size_t length)
{
    fat_err err = FAT_OK;

    while (length > 0 && err == FAT_OK) {
        const size_t step = in_this_page(offset, length);

        err = ensure_page(mem, offset / PAGE_BYTES);
        offset += step;
        length -= step;
    }
    return err;
}

static void write_locked(
        struct mem_device *mem, uint64_t offset, const uint8_t *buffer, size_t length)
{
    while (length > 0) {
        const size_t step = in_this_page(offset, length);
        struct page *page = find_page(mem, offset / PAGE_BYTES);

        assert(page); /* ensure_pages() came first */
        memcpy(page->bytes + offset % PAGE_BYTES, buffer, step);
        offset += step;
        buffer += step;
        length -= step;
    }
}

static fat_err mem_read(
        struct fat_blkdev *dev, uint64_t offset, void *buffer, size_t length)
{
    struct mem_device *mem = (struct mem_device *)dev;

    if (is_outside(dev, offset, length)) {
        return FAT_E_RANGE;
    }
    (void)pthread_rwlock_rdlock(&mem->lock);
    read_locked(mem, offset, buffer, length);
    (void)pthread_rwlock_unlock(&mem->lock);
    return FAT_OK;
}

static fat_err mem_write(
        struct fat_blkdev *dev, uint64_t offset, const void *buffer, size_t length)
{
    struct mem_device *mem = (struct mem_device *)dev;
    fat_err err;

    if (dev->read_only) {
        return FAT_E_READONLY;
    }
    if (is_outside(dev, offset, length)) {
        return FAT_E_RANGE;
    }
    (void)pthread_rwlock_wrlock(&mem->lock);
    err = ensure_pages(mem, offset, length);
    if (err == FAT_OK) {
        write_locked(mem, offset, buffer, length);
    }
    (void)pthread_rwlock_unlock(&mem->lock);
    return err;
}

static fat_err mem_flush(struct fat_blkdev *dev)
{
    (void)dev;
    return FAT_OK;
}

static void mem_close(struct fat_blkdev *dev)
{
    struct mem_device *mem = (struct mem_device *)dev;

    for (struct page *page = mem->newest, *older; page; page = older) {
        older = page->older;
        free(page);
    }
    free(mem->buckets);
    (void)pthread_rwlock_destroy(&mem->lock);
    free(mem);
}

fat_err fat_blkdev_mem_new(uint64_t size_bytes, struct fat_blkdev **ret)
{
    static const struct fat_blkdev_ops ops = {
            .read = mem_read,
            .write = mem_write,
            .flush = mem_flush,
            .close = mem_close,
    };
    FAT_CLEANUP(free) struct mem_device *mem = calloc(1, sizeof(*mem));

    if (!mem) {
        return FAT_E_NOMEM;
    }
    mem->dev = (struct fat_blkdev){
            .ops = &ops, .size_bytes = size_bytes, .block_bytes = 512};
    mem->bucket_count = FIRST_BUCKETS;
    mem->buckets = calloc(mem->bucket_count, sizeof(struct page *));
    if (!mem->buckets) {
        return FAT_E_NOMEM;
    }
    if (pthread_rwlock_init(&mem->lock, NULL) != 0) {
        free(mem->buckets);
        return FAT_E_NOMEM;
    }
    *ret = &mem->dev;
    mem = NULL;
    return FAT_OK;
}
