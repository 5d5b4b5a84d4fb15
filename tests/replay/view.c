/* SPDX-License-Identifier: MIT */
#include "view.h"

#include <stdlib.h>
#include <string.h>

enum { SLOT_BYTES = 32 };

static void *allocated(void *memory)
{
    if (!memory) {
        abort(); /* a test without memory is no test */
    }
    return memory;
}

void view_init(struct view *view, struct fat_blkdev *dev)
{
    *view = (struct view){.length = (size_t)dev->size_bytes};
    view->bytes = allocated(malloc(view->length));
    if (dev->ops->read(dev, 0, view->bytes, view->length) != FAT_OK ||
            fat_blkdev_mem_new(view->length, &view->dev) != FAT_OK ||
            view->dev->ops->write(view->dev, 0, view->bytes, view->length) != FAT_OK) {
        abort();
    }
}

void view_done(struct view *view)
{
    reader_done(&view->reader);
    fat_blkdev_close(view->dev);
    free(view->bytes);
    free(view->at);
}

static void find_places(struct view *view)
{
    const size_t count = view->reader.entry_count;

    if (count > view->at_capacity) {
        view->at = allocated(realloc(view->at, count * sizeof(*view->at)));
        view->at_capacity = count;
    }
    for (size_t i = 0; i < count; i++) {
        view->at[i] = view_slot(view, i, view->reader.entries[i].slot);
    }
}

bool view_apply(struct view *view, const struct recdev *rec, size_t first, size_t end)
{
    for (size_t i = first; i < end; i++) {
        const struct recdev_event *event = recdev_event(rec, i);

        if (event->call == RECDEV_WRITE) {
            memcpy(view->bytes + event->offset, event->bytes, event->length);
            if (view->dev->ops->write(view->dev, event->offset, event->bytes,
                        event->length) != FAT_OK) {
                abort();
            }
        }
    }
    if (!reader_read(&view->reader, view->dev)) {
        return false;
    }
    find_places(view);
    return true;
}

size_t view_find(const struct view *view, uint64_t at, uint32_t born)
{
    for (size_t i = 0; i < view->reader.entry_count; i++) {
        if (view->at[i] == at && view->reader.entries[i].born == born) {
            return i;
        }
    }
    return READER_NONE;
}

bool view_is_cluster(const struct view *view, uint32_t cluster)
{
    return cluster >= 2 && cluster < view->reader.cluster_count + 2;
}

uint32_t view_directory(const struct view *view, size_t entry)
{
    const size_t parent = view->reader.entries[entry].parent;

    return parent == READER_NONE ? view->reader.root_cluster
                                 : view->reader.entries[parent].first_cluster;
}

uint64_t view_slot(const struct view *view, size_t entry, uint32_t slot)
{
    const struct reader *r = &view->reader;
    const uint64_t offset = (uint64_t)slot * SLOT_BYTES;
    uint32_t cluster = view_directory(view, entry);

    if (cluster == 0) {
        return offset < r->root_bytes ? r->root_offset + offset : 0;
    }
    for (uint64_t skip = offset / r->cluster_bytes; skip > 0; skip--) {
        cluster = view_is_cluster(view, cluster) ? reader_next(r, cluster) : 0;
    }
    return view_is_cluster(view, cluster)
                   ? reader_cluster_offset(r, cluster) + offset % r->cluster_bytes
                   : 0;
}

uint32_t view_wanted(const struct view *view, size_t entry)
{
    const struct reader_entry *e = &view->reader.entries[entry];

    return e->is_directory ? view->reader.cluster_count
                           : (e->size + view->reader.cluster_bytes - 1) /
                                     view->reader.cluster_bytes;
}

size_t view_fat_sectors(
        const struct view *view, uint32_t cluster, uint64_t sectors[VIEW_FAT_SECTORS])
{
    const struct reader *r = &view->reader;
    const uint64_t at = r->fat_offset + (uint64_t)cluster * r->type / 8;
    const uint64_t last = at + (r->type == 12 ? 1 : 0);

    sectors[0] = at / VIEW_SECTOR;
    sectors[1] = last / VIEW_SECTOR;
    return sectors[0] == sectors[1] ? 1 : 2;
}

enum view_region view_region(const struct view *view, uint64_t sector)
{
    const struct reader *r = &view->reader;
    const uint64_t at = sector * VIEW_SECTOR;

    return at < r->fat_offset                  ? VIEW_BOOT
           : at < r->fat_offset + r->fat_bytes ? VIEW_FAT
           : at < r->root_offset               ? VIEW_COPIES
                                               : VIEW_REST;
}
