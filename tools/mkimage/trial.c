/* SPDX-License-Identifier: MIT */
#include "mkimage/trial.h"

#include <inttypes.h>

#include <fatward/blkdev.h>
#include <fatward/namei.h>
#include <fatward/node.h>
#include <fatward/volume.h>

#include "mkimage/complain.h"

/* One folder being tried; the directory is the trial volume's stand-in for it. */
struct attempt {
    const struct trial *trial;
    struct source_path *path;
    struct fat_node *directory;
    bool is_root;
};

static bool has_fixed_root(const struct fat_format_result *geometry)
{
    return geometry->type != 32;
}

/*
 * A volume that is just large enough. Clusters of one sector, so that the length of
 * the directory says how many sectors its entries take; where entries lie depends
 * on the sector size and on nothing else of the geometry.
 */
static fat_err make_device(
        const struct attempt *attempt, size_t names, struct fat_blkdev **ret)
{
    const struct trial *trial = attempt->trial;
    const bool fixed = attempt->is_root && has_fixed_root(trial->geometry);
    const uint64_t sectors = names < 4000 ? 1024 + names * 4 : 17000;
    struct fat_format_options options = {
            .type = fixed ? 12 : 32,
            .sector_bytes = trial->geometry->sector_bytes,
            .cluster_sectors = fixed ? 128 : 1,
            .fat_count = 1,
            .root_entries = fixed ? trial->geometry->root_entries : 0,
            .has_serial = true,
            .now = trial->options->now,
            .allow_ambiguous = true,
    };
    struct fat_blkdev *dev;
    fat_err err;

    if (attempt->is_root) {
        for (size_t i = 0; i < sizeof(options.label); i++) {
            options.label[i] = trial->options->label[i];
        }
    }
    err = fat_blkdev_mem_new((fixed ? 8192 : sectors) * options.sector_bytes, &dev);
    if (err) {
        return err;
    }
    err = fat_format(dev, &options, NULL);
    if (err) {
        fat_blkdev_close(dev);
        return err;
    }
    *ret = dev;
    return FAT_OK;
}

/* The name that stands in the way of @name: found by its place. */
static bool find_other(
        const struct attempt *attempt, const char *name, struct fat_dir_entry *ret)
{
    struct fat_found found;
    struct fat_stat st;
    uint32_t cookie = 0;
    fat_err err;

    if (fat_lookup(attempt->directory, name, &found)) {
        return false;
    }
    err = fat_node_stat(found.node, &st);
    fat_node_unref(found.node);
    while (!err) {
        err = fat_dir_next(attempt->directory, &cookie, ret);
        if (!err && ret->ino == st.ino) {
            return true;
        }
    }
    return false;
}

static void complain_about_name(
        const struct attempt *attempt, const char *name, const char *why)
{
    const size_t length = attempt->path->length;

    if (source_path_push(attempt->path, name)) {
        complain(attempt->path->text, "%s", why);
        source_path_pop(attempt->path, length);
    }
}

static void complain_about_twins(const struct attempt *attempt, const char *name)
{
    const size_t length = attempt->path->length;
    struct fat_dir_entry other;

    if (!find_other(attempt, name, &other)) {
        complain_about_name(attempt, name, fat_err_text(FAT_E_EXIST));
    } else if (source_path_push(attempt->path, name)) {
        complain(attempt->path->text, "to FAT this is the same name as '%s' beside it",
                other.name);
        source_path_pop(attempt->path, length);
    }
}

static void complain_about_room(const struct attempt *attempt)
{
    if (attempt->is_root && has_fixed_root(attempt->trial->geometry)) {
        complain(attempt->path->text,
                "too many names for the root directory of FAT%u, which has %" PRIu32
                " entries; --type=32 has no such limit",
                attempt->trial->geometry->type, attempt->trial->geometry->root_entries);
    } else {
        complain(attempt->path->text,
                "too many names for one FAT directory, which has 65536 entries; a "
                "long name takes several");
    }
}

static bool judge(const struct attempt *attempt, const char *name, fat_err err)
{
    switch ((int)err) {
    case FAT_OK:
        return true;
    case FAT_E_EXIST:
        complain_about_twins(attempt, name);
        return false;
    case FAT_E_NOSPC:
        complain_about_room(attempt);
        return false;
    default:
        complain_about_name(attempt, name, fat_err_text(err));
        return false;
    }
}

/* FAT drops dots at the end of a name: what is stored must be what was meant. */
static bool is_kept_as(const struct attempt *attempt, const char *name)
{
    struct fat_found found;

    if (fat_lookup(attempt->directory, name, &found)) {
        return false;
    }
    fat_node_unref(found.node);
    return found.exact;
}

static bool try_name(const struct attempt *attempt, const char *name)
{
    struct fat_found found;
    const fat_err err = fat_create(attempt->directory, name, 0, &found);

    if (!judge(attempt, name, err)) {
        return false;
    }
    fat_node_unref(found.node);
    if (!is_kept_as(attempt, name)) {
        complain_about_name(attempt, name, "FAT would change this name");
        return false;
    }
    return true;
}

static bool try_names(const struct attempt *attempt, const struct source_list *list,
        uint64_t *ret_bytes)
{
    struct fat_stat st;
    fat_err err;

    for (size_t i = 0; i < list->count; i++) {
        if (!try_name(attempt, list->entries[i].name)) {
            return false;
        }
    }
    if (attempt->is_root && has_fixed_root(attempt->trial->geometry)) {
        *ret_bytes = 0;
        return true;
    }
    err = fat_node_stat(attempt->directory, &st);
    if (err) {
        complain(attempt->path->text, "%s", fat_err_text(err));
        return false;
    }
    *ret_bytes = st.size_bytes;
    return true;
}

/* The root stands for the root; any other folder has "." and ".." to hold too. */
static fat_err open_directory(
        const struct attempt *attempt, struct fat_volume *volume, struct fat_node **ret)
{
    struct fat_node *root = fat_volume_root(volume);
    struct fat_found found;
    fat_err err;

    if (attempt->is_root) {
        *ret = root;
        return FAT_OK;
    }
    err = fat_mkdir(root, "trial", 0, &found);
    fat_node_unref(root);
    if (err) {
        return err;
    }
    *ret = found.node;
    return FAT_OK;
}

static bool try_on_volume(struct attempt *attempt, struct fat_volume *volume,
        const struct source_list *list, uint64_t *ret_bytes)
{
    const fat_err err = open_directory(attempt, volume, &attempt->directory);
    bool done;

    if (err) {
        complain(attempt->path->text, "%s", fat_err_text(err));
        return false;
    }
    done = try_names(attempt, list, ret_bytes);
    fat_node_unref(attempt->directory);
    return done;
}

bool trial_names(const struct trial *trial, struct source_path *path,
        const struct source_list *list, bool is_root, uint64_t *ret_bytes)
{
    struct attempt attempt = {.trial = trial, .path = path, .is_root = is_root};
    struct fat_blkdev *dev;
    struct fat_volume *volume;
    fat_err err = make_device(&attempt, list->count, &dev);
    bool done;

    if (err) {
        complain(path->text, "names can't be tried out: %s", fat_err_text(err));
        return false;
    }
    err = fat_volume_open(dev, NULL, &volume);
    if (err) {
        complain(path->text, "names can't be tried out: %s", fat_err_text(err));
        fat_blkdev_close(dev);
        return false;
    }
    done = try_on_volume(&attempt, volume, list, ret_bytes);
    (void)fat_volume_close(volume); /* nobody will read what it has written */
    fat_blkdev_close(dev);
    return done;
}
