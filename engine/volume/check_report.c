/* SPDX-License-Identifier: MIT */
/*
 * How the passes talk: findings out, bytes in, and room for what grows.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "volume/check_state.h"

static const char cut_path[] = "/...";

/* Puts "/" and @name in front of what begins at @at; false if there is no room. */
static bool prepend(struct fat_check *c, size_t *at, const char *name)
{
    const size_t length = strlen(name);

    if (*at < length + sizeof(cut_path)) {
        *at -= strlen(cut_path);
        memcpy(c->path + *at, cut_path, strlen(cut_path));
        return false;
    }
    *at -= length;
    memcpy(c->path + *at, name, length);
    *at -= 1;
    c->path[*at] = '/';
    return true;
}

/* From the last name to the first, so that a path that is too long loses its front. */
static const char *build_path(struct fat_check *c)
{
    char name[FAT_NAME_BYTES_MAX + 1];
    size_t at = sizeof(c->path) - 1;
    size_t dir = (size_t)c->dir;
    bool fits = true;

    c->path[at] = '\0';
    if (c->entry) {
        fat_check_name_text(c, c->entry->slot, c->entry->long_slots, name);
        fits = prepend(c, &at, name);
    }
    while (fits && c->dirs[dir].parent != dir) {
        fits = prepend(c, &at, c->dirs[dir].name);
        dir = c->dirs[dir].parent;
    }
    return c->path[at] == '\0' ? "/" : c->path + at;
}

static void tell(struct fat_check *c, enum fat_finding_weight weight,
        const struct fat_finding *seed, const char *text)
{
    struct fat_finding finding = *seed;

    c->sum.findings[seed->kind]++;
    c->sum.notes += weight == FAT_WEIGHT_NOTE;
    c->sum.leftovers += weight == FAT_WEIGHT_LEFTOVER;
    c->sum.damages += weight == FAT_WEIGHT_DAMAGE;
    /* Reads fail once it is to end, and nothing follows from that. */
    if (!c->found || fat_check_is_stopped(c)) {
        return;
    }
    finding.weight = weight;
    finding.text = text;
    finding.path = c->dir == FAT_CHECK_NO_DIR ? NULL : build_path(c);
    if (c->entry && finding.offset == 0) {
        finding.offset = fat_check_slot_offset(c, c->entry->slot);
    }
    c->found(c->context, &finding);
}

/* A text that is longer is cut: it is for a person. */
enum { TEXT_BYTES = 256 };

void fat_check_say(
        struct fat_check *c, const struct fat_finding *seed, const char *format, ...)
{
    char text[TEXT_BYTES];
    va_list arguments;

    va_start(arguments, format);
    (void)vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    tell(c, fat_finding_weigh(seed->kind), seed, text);
}

void fat_check_say_as(struct fat_check *c, enum fat_finding_weight weight,
        const struct fat_finding *seed, const char *format, ...)
{
    char text[TEXT_BYTES];
    va_list arguments;

    va_start(arguments, format);
    (void)vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    tell(c, weight, seed, text);
}

fat_err fat_check_read(
        struct fat_check *c, uint64_t offset, void *buffer, size_t length)
{
    if (offset > c->dev->size_bytes || length > c->dev->size_bytes - offset) {
        return FAT_E_IO;
    }
    if (fat_check_is_stopped(c)) {
        return FAT_E_STOPPED;
    }
    return length == 0 ? FAT_OK : c->dev->ops->read(c->dev, offset, buffer, length);
}

fat_err fat_check_reserve(void **array, size_t *capacity, size_t needed, size_t size)
{
    size_t room = *capacity < 16 ? 16 : *capacity;
    void *grown;

    if (needed <= *capacity) {
        return FAT_OK;
    }
    while (room < needed) {
        room *= 2;
    }
    grown = realloc(*array, room * size);
    if (!grown) {
        return FAT_E_NOMEM;
    }
    *array = grown;
    *capacity = room;
    return FAT_OK;
}
