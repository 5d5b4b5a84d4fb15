/* SPDX-License-Identifier: MIT */
/* Objects that are everybody's: nobody knows where they are, but whose bytes they have. */
#include "judge.h"

/* The root is the first object of any book, and never an entry. */
static bool is_everybodys(const struct judge *judge, size_t directory)
{
    return directory == READER_NONE ||
           judge->book->objects[judge->reader.entries[directory].born].is_common;
}

static bool is_its_own(const uint8_t *cell, uint32_t object, uint32_t index)
{
    return book_cell(cell, object, index) != BOOK_NOTHING ||
           book_cell(cell, object, BOOK_ANYWHERE) != BOOK_NOTHING;
}

int judge_common(struct judge *judge, size_t index)
{
    const struct reader_entry *entry = &judge->reader.entries[index];
    const uint32_t object = entry->born;

    if (judge->book->objects[object].is_directory != entry->is_directory ||
            !is_everybodys(judge, entry->parent)) {
        return judge_complain_at(judge, index, "no such thing should be there");
    }
    if (entry->is_directory) {
        return 0;
    }
    if (entry->size % BOOK_CELL_BYTES != 0) {
        return judge_complain_at(judge, index, "a size it has never had");
    }
    if (judge_load(judge, index) != 0) {
        return 1;
    }
    for (uint32_t i = 0; i < book_cell_count(entry->size); i++) {
        if (!is_its_own(judge->content + (size_t)i * BOOK_CELL_BYTES, object, i)) {
            return judge_complain_of_cell(judge, index, object, i);
        }
    }
    return 0;
}

bool judge_common_may_be_two(const struct judge *judge, size_t index)
{
    const struct reader_entry *entry = &judge->reader.entries[index];

    return !entry->is_directory &&
           (entry->first_cluster == 0 || judge->seen[entry->born] == 1);
}
