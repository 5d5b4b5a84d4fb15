/* SPDX-License-Identifier: MIT */
#include "support/overlay.h"

#include "support/steady.h"

enum {
    PAGE_BYTES = 4096,
    FIRST_BUCKETS = 64, /* a power of two, as every later size of the table */
};

struct overlay_page {
    struct overlay_page *older; /* of all pages in use, or of the spare ones */
    struct overlay_page *next;  /* in its bucket                             */
    uint64_t number;
    uint8_t bytes[PAGE_BYTES];
};

static size_t bucket_of(uint64_t number, size_t bucket_count)
{
    return (size_t)(number * UINT64_C(0x9e3779b97f4a7c15) >> 32) & (bucket_count - 1);
}

static struct overlay_page *find_page(const struct overlay *overlay, uint64_t number)
{
    struct overlay_page *page =
            overlay->buckets[bucket_of(number, overlay->bucket_count)];

    while (page && page->number != number) {
        page = page->next;
    }
    return page;
}

static void put_in_bucket(struct overlay *overlay, struct overlay_page *page)
{
    const size_t bucket = bucket_of(page->number, overlay->bucket_count);

    page->next = overlay->buckets[bucket];
    overlay->buckets[bucket] = page;
}

static void grow_table(struct overlay *overlay)
{
    const size_t bucket_count = overlay->bucket_count * 2;
    struct overlay_page **buckets =
            steady_zalloc(bucket_count * sizeof(struct overlay_page *));

    if (!buckets) {
        return;
    }
    free(overlay->buckets);
    overlay->buckets = buckets;
    overlay->bucket_count = bucket_count;
    for (struct overlay_page *page = overlay->newest; page; page = page->older) {
        put_in_bucket(overlay, page);
    }
}

static size_t page_length(const struct overlay *overlay, uint64_t number)
{
    const uint64_t left = overlay->dev.size_bytes - number * PAGE_BYTES;

    return left < PAGE_BYTES ? (size_t)left : PAGE_BYTES;
}

/* A page of our own with what is below in it, not yet in the table. */
static fat_err copy_page(
        struct overlay *overlay, uint64_t number, struct overlay_page **ret)
{
    struct overlay_page *page = overlay->spare;
    fat_err err;

    if (page) {
        overlay->spare = page->older;
    } else {
        page = steady_alloc(sizeof(*page));
    }
    if (!page) {
        return FAT_E_NOMEM;
    }
    page->number = number;
    err = overlay->under->ops->read(overlay->under, number * PAGE_BYTES, page->bytes,
            page_length(overlay, number));
    if (err != FAT_OK) {
        page->older = overlay->spare;
        overlay->spare = page;
        return err;
    }
    *ret = page;
    return FAT_OK;
}

static fat_err get_page(
        struct overlay *overlay, uint64_t number, struct overlay_page **ret)
{
    struct overlay_page *page = find_page(overlay, number);
    fat_err err;

    if (!page) {
        err = copy_page(overlay, number, &page);
        if (err != FAT_OK) {
            return err;
        }
        page->older = overlay->newest;
        overlay->newest = page;
        overlay->page_count++;
        put_in_bucket(overlay, page);
        if (overlay->page_count > overlay->bucket_count) {
            grow_table(overlay);
        }
    }
    *ret = page;
    return FAT_OK;
}

static bool is_outside(const struct fat_blkdev *dev, uint64_t offset, size_t length)
{
    return offset > dev->size_bytes || length > dev->size_bytes - offset;
}

static size_t in_this_page(uint64_t offset, size_t length)
{
    const size_t room = PAGE_BYTES - (size_t)(offset % PAGE_BYTES);

    return length < room ? length : room;
}

static fat_err read_locked(
        struct overlay *overlay, uint64_t offset, uint8_t *buffer, size_t length)
{
    while (length > 0) {
        const size_t step = in_this_page(offset, length);
        const struct overlay_page *page = find_page(overlay, offset / PAGE_BYTES);

        if (page) {
            memcpy(buffer, page->bytes + offset % PAGE_BYTES, step);
        } else {
            const fat_err err =
                    overlay->under->ops->read(overlay->under, offset, buffer, step);

            if (err != FAT_OK) {
                return err;
            }
        }
        offset += step;
        buffer += step;
        length -= step;
    }
    return FAT_OK;
}

static fat_err overlay_read(
        struct fat_blkdev *dev, uint64_t offset, void *buffer, size_t length)
{
    struct overlay *overlay = (struct overlay *)dev;
    fat_err err;

    if (is_outside(dev, offset, length)) {
        return FAT_E_RANGE;
    }
    (void)pthread_mutex_lock(&overlay->lock);
    if (overlay->page_count == 0) { /* the usual case of a state that is only read */
        err = overlay->under->ops->read(overlay->under, offset, buffer, length);
    } else {
        err = read_locked(overlay, offset, buffer, length);
    }
    (void)pthread_mutex_unlock(&overlay->lock);
    return err;
}

static fat_err write_locked(
        struct overlay *overlay, uint64_t offset, const uint8_t *buffer, size_t length)
{
    while (length > 0) {
        const size_t step = in_this_page(offset, length);
        struct overlay_page *page = NULL;
        const fat_err err = get_page(overlay, offset / PAGE_BYTES, &page);

        if (err != FAT_OK) {
            return err;
        }
        memcpy(page->bytes + offset % PAGE_BYTES, buffer, step);
        offset += step;
        buffer += step;
        length -= step;
    }
    return FAT_OK;
}

static fat_err overlay_write(
        struct fat_blkdev *dev, uint64_t offset, const void *buffer, size_t length)
{
    struct overlay *overlay = (struct overlay *)dev;
    fat_err err;

    if (dev->read_only) {
        return FAT_E_READONLY;
    }
    if (is_outside(dev, offset, length)) {
        return FAT_E_RANGE;
    }
    (void)pthread_mutex_lock(&overlay->lock);
    err = write_locked(overlay, offset, buffer, length);
    (void)pthread_mutex_unlock(&overlay->lock);
    return err;
}

static fat_err overlay_flush(struct fat_blkdev *dev)
{
    (void)dev;
    return FAT_OK;
}

fat_err overlay_init(struct overlay *overlay, struct fat_blkdev *under)
{
    static const struct fat_blkdev_ops ops = {
            .read = overlay_read, .write = overlay_write, .flush = overlay_flush};

    *overlay = (struct overlay){
            .dev = {.ops = &ops,
                    .size_bytes = under->size_bytes,
                    .block_bytes = under->block_bytes},
            .under = under,
            .bucket_count = FIRST_BUCKETS,
            .buckets = steady_zalloc(FIRST_BUCKETS * sizeof(struct overlay_page *)),
    };
    if (!overlay->buckets) {
        return FAT_E_NOMEM;
    }
    if (pthread_mutex_init(&overlay->lock, NULL) != 0) {
        free(overlay->buckets);
        return FAT_E_NOMEM;
    }
    return FAT_OK;
}

void overlay_forget(struct overlay *overlay)
{
    while (overlay->newest) {
        struct overlay_page *page = overlay->newest;

        /* All of its bucket goes; each page does this once. */
        overlay->buckets[bucket_of(page->number, overlay->bucket_count)] = NULL;
        overlay->newest = page->older;
        page->older = overlay->spare;
        overlay->spare = page;
    }
    overlay->page_count = 0;
}

fat_err overlay_sink(struct overlay *overlay)
{
    for (struct overlay_page *page = overlay->newest; page; page = page->older) {
        const fat_err err =
                overlay->under->ops->write(overlay->under, page->number * PAGE_BYTES,
                        page->bytes, page_length(overlay, page->number));

        if (err != FAT_OK) {
            return err;
        }
    }
    overlay_forget(overlay);
    return FAT_OK;
}

void overlay_done(struct overlay *overlay)
{
    overlay_forget(overlay);
    while (overlay->spare) {
        struct overlay_page *page = overlay->spare;

        overlay->spare = page->older;
        free(page);
    }
    free(overlay->buckets);
    (void)pthread_mutex_destroy(&overlay->lock);
}
