/* SPDX-License-Identifier: MIT */
/* The volume's label: the entry in the root directory, else the boot sector's copy. */
#ifndef FAT_VOLUME_LABEL_H
#define FAT_VOLUME_LABEL_H

#include <stddef.h>

#include "volume/state.h"

/*
 * @text       UTF-8, "" if there is none or the root can't be read
 * @capacity   34 is always enough                                      [bytes]
 */
void fat_label_read(struct fat_volume *volume, char *text, size_t capacity);

#endif
