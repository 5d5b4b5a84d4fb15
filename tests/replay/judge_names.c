/* SPDX-License-Identifier: MIT */
/* Names that an operation hands over and does not take away, and those that are two. */
#include <strings.h>

#include "judge.h"

/*
 * Who took over the name at the very step in which @place lost it. NULL: nobody, or by
 * EXCHANGE, which may go over a third name: then the two are not there all the time.
 */
static const struct book_place *heir(
        const struct book *book, const struct book_place *place)
{
    for (uint32_t i = 1; i < book->object_count; i++) {
        for (size_t k = 0; k < book->objects[i].place_count; k++) {
            const struct book_place *next = &book->objects[i].places[k];

            if (next->from == place->until && next->until > next->from &&
                    next->parent == place->parent &&
                    strcasecmp(next->name, place->name) == 0) {
                return next->any_case ? NULL : next;
            }
        }
    }
    return NULL;
}

/* Somebody has had the name at every step from then to @reached. */
static bool lasts(
        const struct book *book, const struct book_place *place, uint32_t reached)
{
    while (place && place->until <= reached) {
        place = heir(book, place);
    }
    return place != NULL;
}

static bool is_listed(const struct judge *judge, const struct book_place *place)
{
    for (size_t i = 0; i < judge->reader.entry_count; i++) {
        const struct reader_entry *entry = &judge->reader.entries[i];
        const uint32_t parent = entry->parent == READER_NONE
                                        ? BOOK_ROOT
                                        : judge->reader.entries[entry->parent].born;

        if (parent == place->parent && strcasecmp(entry->name, place->name) == 0) {
            return true;
        }
    }
    return false;
}

int judge_lasting_names(
        struct judge *judge, uint32_t object, uint32_t durable, uint32_t reached)
{
    const struct book_object *o = &judge->book->objects[object];

    for (size_t i = 0; i < o->place_count; i++) {
        const struct book_place *place = &o->places[i];

        if (place->from <= durable && place->until > durable &&
                place->until <= reached && place->name[0] != '\0' &&
                lasts(judge->book, place, reached) && !is_listed(judge, place)) {
            return judge_complain(judge,
                    "nobody is called \"%s\" in object %u, where there always was one",
                    place->name, (unsigned)place->parent);
        }
    }
    return 0;
}

static uint32_t size_at(const struct book_object *object, uint32_t step)
{
    uint32_t size = 0;

    for (size_t i = 0; i < object->version_count; i++) {
        size = object->versions[i].from <= step ? object->versions[i].size : size;
    }
    return size;
}

bool judge_may_have_two_names(
        const struct book_object *object, uint32_t durable, uint32_t reached)
{
    for (size_t i = 1; i < object->place_count && !object->is_directory; i++) {
        const uint32_t step = object->places[i].from;

        if (step > durable && step <= reached && size_at(object, step) == 0) {
            return true;
        }
    }
    return false;
}
