/* SPDX-License-Identifier: MIT */
#include "mkimage/fill.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <fatward/error.h>
#include <fatward/file.h>
#include <fatward/namei.h>
#include <fatward/node.h>

#include "mkimage/complain.h"
#include "mkimage/signals.h"

enum { BUFFER_BYTES = 1 << 20 };

struct fill {
    struct source_path path;
    const struct source_rules *rules;
    struct fat_time latest;
    unsigned char *buffer; /* BUFFER_BYTES */
};

/* There was room when the folder was looked through. */
static const char *explain(fat_err err)
{
    return err == FAT_E_NOSPC ? "no space left: the disk with the image is full, or "
                                "what is copied has grown"
                              : fat_err_text(err);
}

static bool check_here(const struct fill *fill, fat_err err)
{
    if (err) {
        complain(fill->path.text, "%s", explain(err));
    }
    return !err;
}

static struct fat_time earlier(struct fat_time a, struct fat_time b)
{
    if (a.seconds != b.seconds) {
        return a.seconds < b.seconds ? a : b;
    }
    return a.nanoseconds < b.nanoseconds ? a : b;
}

/* All three times are the one that says something about the contents: the others
   of the source tell when it was copied or looked at, and differ from run to run. */
static bool keep_times(const struct fill *fill, struct fat_node *node,
        const struct source_entry *entry)
{
    const struct fat_time then = earlier(entry->modified, fill->latest);
    const struct fat_node_changes changes = {
            .which = FAT_SET_MODIFIED | FAT_SET_ACCESSED | FAT_SET_CREATED,
            .modified = then,
            .accessed = then,
            .created = then,
    };

    return check_here(fill, fat_node_change(node, &changes));
}

static bool write_all(
        const struct fill *fill, struct fat_node *file, uint64_t offset, size_t length)
{
    size_t done = 0, written;

    while (done < length) {
        const fat_err err = fat_file_write(
                file, offset + done, fill->buffer + done, length - done, &written);

        if (!check_here(fill, err)) {
            return false;
        }
        done += written;
    }
    return true;
}

static bool copy_contents(const struct fill *fill, int fd, struct fat_node *file,
        const struct source_entry *entry)
{
    uint64_t offset = 0;
    ssize_t length;

    for (;;) {
        length = read(fd, fill->buffer, BUFFER_BYTES);
        if (length < 0) {
            complain(fill->path.text, "%s", strerror(errno));
            return false;
        }
        if (length == 0) {
            break;
        }
        if (signals_pending() || !write_all(fill, file, offset, (size_t)length)) {
            return false;
        }
        offset += (uint64_t)length;
    }
    if (offset != entry->size_bytes) {
        complain(fill->path.text, "changed while it was read");
        return false;
    }
    return true;
}

static bool fill_from_fd(const struct fill *fill, int fd, struct fat_node *folder,
        const struct source_entry *entry)
{
    struct fat_found found;
    bool done;

    if (!check_here(fill, fat_create(folder, entry->name, 0, &found))) {
        return false;
    }
    done = copy_contents(fill, fd, found.node, entry) &&
           keep_times(fill, found.node, entry);
    fat_node_unref(found.node);
    return done;
}

static bool fill_file(const struct fill *fill, struct fat_node *folder,
        const struct source_entry *entry)
{
    const int follow = fill->rules->follow ? 0 : O_NOFOLLOW;
    const int fd = open(fill->path.text, O_RDONLY | O_CLOEXEC | O_NONBLOCK | follow);
    bool done;

    if (fd < 0) {
        complain(fill->path.text, "%s", strerror(errno));
        return false;
    }
    done = fill_from_fd(fill, fd, folder, entry);
    close(fd);
    return done;
}

static bool fill_folder(struct fill *fill, struct fat_node *folder);

static bool fill_subfolder(
        struct fill *fill, struct fat_node *folder, const struct source_entry *entry)
{
    struct fat_found found;
    bool done;

    if (!check_here(fill, fat_mkdir(folder, entry->name, 0, &found))) {
        return false;
    }
    /* Filling it changes its times: so they come last. */
    done = fill_folder(fill, found.node) && keep_times(fill, found.node, entry);
    fat_node_unref(found.node);
    return done;
}

static bool fill_list(
        struct fill *fill, struct fat_node *folder, const struct source_list *list)
{
    const size_t length = fill->path.length;
    bool done = true;

    for (size_t i = 0; done && i < list->count; i++) {
        const struct source_entry *entry = &list->entries[i];

        done = !signals_pending() && source_path_push(&fill->path, entry->name) &&
               (entry->is_folder ? fill_subfolder(fill, folder, entry)
                                 : fill_file(fill, folder, entry));
        source_path_pop(&fill->path, length);
    }
    return done;
}

/* Recurses at most PATH_MAX / 2 deep: source_path_push() refuses longer paths. */
static bool fill_folder(struct fill *fill, struct fat_node *folder)
{
    struct source_list list;
    bool done;

    if (!source_list_read(&fill->path, fill->rules, &list)) {
        return false;
    }
    done = fill_list(fill, folder, &list);
    source_list_free(&list);
    return done;
}

bool fill_volume(struct fat_volume *volume, const char *folder,
        const struct source_rules *rules, struct fat_time latest)
{
    struct fill fill = {.rules = rules, .latest = latest};
    struct fat_node *root;
    bool done;

    if (!source_path_start(&fill.path, folder)) {
        return false;
    }
    fill.buffer = malloc(BUFFER_BYTES);
    if (!fill.buffer) {
        complain(NULL, "%s", strerror(ENOMEM));
        return false;
    }
    root = fat_volume_root(volume);
    done = fill_folder(&fill, root);
    fat_node_unref(root);
    free(fill.buffer);
    return done;
}
