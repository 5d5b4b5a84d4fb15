/* SPDX-License-Identifier: MIT */
/*
 * Trying out whether a folder's names can live together on a FAT volume.
 *
 * The rules of names (what is legal, what is the same name, which short names are
 * made up) are the engine's: so the names are given to it, on a small volume in
 * memory, before the real one is touched.
 */
#ifndef FATWARD_MKIMAGE_TRIAL_H
#define FATWARD_MKIMAGE_TRIAL_H

#include <stdbool.h>
#include <stdint.h>

#include <fatward/format.h>

#include "mkimage/source.h"

struct trial {
    const struct fat_format_options *options;
    const struct fat_format_result *geometry; /* of the volume to come */
};

/*
 * Try the names in @list, which were found at @path.
 *
 * @is_root     they go to the root directory, which on FAT12 and FAT16 has a fixed
 *              size and also holds the label
 * @ret_bytes   how much room the directory needs in clusters; 0 for a fixed root
 *
 * Complains itself, naming the path (both, for two names that are one to FAT).
 */
bool trial_names(const struct trial *trial, struct source_path *path,
        const struct source_list *list, bool is_root, uint64_t *ret_bytes);

#endif
