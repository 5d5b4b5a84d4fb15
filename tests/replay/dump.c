/* SPDX-License-Identifier: MIT */
#include "dump.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

static FILE *open_file(
        const struct judge *judge, const char *directory, const char *suffix)
{
    char path[400];
    FILE *file;

    snprintf(path, sizeof(path), "%s/%06u.%s", directory, (unsigned)judge->dumped,
            suffix);
    file = fopen(path, "wb");
    if (!file) {
        perror(path);
        exit(1);
    }
    return file;
}

/* Zeros are left out of the file: most of a large volume is. */
static int put_or_skip(FILE *file, const uint8_t *bytes, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        if (bytes[i] != 0) {
            return fwrite(bytes, 1, length, file) == length ? 0 : -1;
        }
    }
    return fseek(file, (long)length, SEEK_CUR);
}

static void dump_image(
        const struct judge *judge, const char *directory, struct fat_blkdev *dev)
{
    FILE *file = open_file(judge, directory, "img");
    uint8_t bytes[4096];

    for (uint64_t at = 0; at < dev->size_bytes; at += sizeof(bytes)) {
        const uint64_t left = dev->size_bytes - at;
        const size_t part = left < sizeof(bytes) ? (size_t)left : sizeof(bytes);

        if (dev->ops->read(dev, at, bytes, part) != FAT_OK ||
                put_or_skip(file, bytes, part) != 0) {
            perror("dump");
            exit(1);
        }
    }
    if (ftruncate(fileno(file), (off_t)dev->size_bytes) != 0 || fclose(file) != 0) {
        perror("dump");
        exit(1);
    }
}

/* The only place and content the object can have; NULL: there are several, or none. */
static const struct book_version *only_version(const struct judge *judge,
        uint32_t index, const struct judge_bounds *bounds,
        const struct book_place **ret_place)
{
    const struct book_object *object = &judge->book->objects[index];
    const uint32_t durable = judge_durable(judge->book, index, bounds);
    const struct book_version *only = NULL;

    *ret_place = NULL;
    for (size_t i = 0; i < object->place_count; i++) {
        const struct book_place *place = &object->places[i];

        if (place->from <= durable && place->until > durable) {
            *ret_place = place->until > bounds->reached ? place : NULL;
        }
    }
    for (size_t i = 0; i < object->version_count; i++) {
        const struct book_version *version = &object->versions[i];

        if (version->from <= durable) {
            only = version;
        } else if (version->from <= bounds->reached) {
            return NULL;
        }
    }
    return *ret_place ? only : NULL;
}

/* "D/f"; false if one of the directories might be somewhere else. */
static bool only_path(const struct judge *judge, const struct book_place *place,
        const struct judge_bounds *bounds, char *path, size_t path_bytes)
{
    char tail[700];

    snprintf(path, path_bytes, "%s", place->name);
    while (place->parent != BOOK_ROOT) {
        if (!only_version(judge, place->parent, bounds, &place)) {
            return false;
        }
        snprintf(tail, sizeof(tail), "%s", path);
        snprintf(path, path_bytes, "%.90s/%.500s", place->name, tail);
    }
    return true;
}

static void dump_content(const struct judge *judge, const char *directory,
        uint32_t index, const struct book_version *version)
{
    char suffix[20];
    FILE *file;

    snprintf(suffix, sizeof(suffix), "%u", (unsigned)index);
    file = open_file(judge, directory, suffix);
    for (uint32_t i = 0; i < book_cell_count(version->size); i++) {
        const uint32_t left = version->size - i * BOOK_CELL_BYTES;
        uint8_t cell[BOOK_CELL_BYTES];

        book_fill_cell(judge->book, cell, index, i, version->cells[i]);
        fwrite(cell, 1, left < sizeof(cell) ? left : sizeof(cell), file);
    }
    fclose(file);
}

void dump_state(struct judge *judge, const char *directory, struct fat_blkdev *dev,
        const struct judge_bounds *bounds)
{
    FILE *list = open_file(judge, directory, "files");

    dump_image(judge, directory, dev);
    if (bounds->note > 0) {
        FILE *note = open_file(judge, directory, "note");

        fprintf(note, "%u\n", (unsigned)bounds->note);
        fclose(note);
    }
    for (uint32_t i = 1; i < judge->book->object_count; i++) {
        const struct book_place *place;
        const struct book_version *version = only_version(judge, i, bounds, &place);
        char path[700];

        if (version && !judge->book->objects[i].is_directory &&
                !judge->book->objects[i].is_filler && version->size > 0 &&
                only_path(judge, place, bounds, path, sizeof(path))) {
            fprintf(list, "%u %u %s\n", (unsigned)i, (unsigned)version->size, path);
            dump_content(judge, directory, i, version);
        }
    }
    fclose(list);
    judge->dumped++;
}

/* For other programs to judge. */

static void take_away(const char *directory)
{
    DIR *all = opendir(directory);
    const struct dirent *entry;

    while (all && (entry = readdir(all)) != NULL) {
        if (entry->d_name[0] != '.' && unlinkat(dirfd(all), entry->d_name, 0) != 0) {
            perror(entry->d_name);
            exit(1);
        }
    }
    if (!all || closedir(all) != 0) {
        perror(directory);
        exit(1);
    }
}

/* Its last line into @ret; whatever else it says is for who reads the test's output. */
static bool hear(FILE *said, struct judge_others *ret)
{
    char line[400];
    bool heard = false;

    while (fgets(line, sizeof(line), said)) {
        if (sscanf(line,
                    "%" SCNu64 " states, %" SCNu64 " files compared, %" SCNu64 " bad",
                    &ret->states, &ret->files, &ret->bad) == 3) {
            heard = true;
        } else {
            fputs(line, stdout);
        }
    }
    return heard;
}

enum { DUMP_ROOM = 1 << 30 }; /* bytes: more than a few hundred small volumes take */

bool dump_begin(struct judge_others *others, char *directory)
{
    const char *command = getenv("REPLAY_JUDGE");
    const char *has_programs =
            "PATH=$PATH:/usr/sbin:/sbin; command -v fsck.fat mcopy >/dev/null";

    struct statvfs room;

    *others = (struct judge_others){0};
    if (!command || command[0] == '\0' || system(has_programs) != 0) {
        return false;
    }
    if (statvfs("/dev/shm", &room) != 0 || room.f_bavail < DUMP_ROOM / room.f_frsize) {
        strcpy(directory, "/tmp/replay-dump-XXXXXX"); /* shorter than the other */
    }
    if (!mkdtemp(directory)) {
        perror(directory);
        exit(1);
    }
    others->command = command;
    return true;
}

bool dump_ask(struct judge_others *others, const char *directory)
{
    struct judge_others now = {0};
    char command[1000];
    FILE *said;
    bool heard;

    if (others->waiting == 0) {
        return true;
    }
    snprintf(command, sizeof(command), "%s -d '%s'", others->command, directory);
    fflush(stdout);
    said = popen(command, "r");
    heard = said && hear(said, &now);
    if (said) {
        (void)pclose(said); /* the numbers say it all */
    }
    if (!heard || now.states != others->waiting) {
        printf("BAD \"%s\" has judged %" PRIu64 " of %" PRIu64 " states\n", command,
                now.states, others->waiting);
        now.bad++;
    }
    take_away(directory);
    others->waiting = 0;
    others->states += now.states;
    others->files += now.files;
    others->bad += now.bad;
    return now.bad == 0;
}

void dump_end(struct judge_others *others, const char *directory)
{
    if (others->command) {
        (void)dump_ask(others, directory);
        (void)rmdir(directory);
        printf("    by fsck.fat and mtools: %" PRIu64 " of these, %" PRIu64
               " files compared, %" PRIu64 " bad\n",
                others->states, others->files, others->bad);
    }
}
