/* SPDX-License-Identifier: MIT */
/*
 * Release at the end of a scope, so that no function needs a goto to give back
 * memory, pins or handles. What is on disk is never undone this way.
 */
#ifndef FAT_BASE_SCOPE_H
#define FAT_BASE_SCOPE_H

/* FAT_CLEANUP(fat_thing_free) struct fat_thing *thing = NULL; */
#define FAT_CLEANUP(release) __attribute__((cleanup(release##_scope)))

/* Once per type: @release ends the life of a @type *, and is not called on NULL. */
#define FAT_DEFINE_CLEANUP(type, release)              \
    static inline void release##_scope(type **pointer) \
    {                                                  \
        if (*pointer) {                                \
            release(*pointer);                         \
        }                                              \
    }                                                  \
    struct release##_needs_a_semicolon

#endif
