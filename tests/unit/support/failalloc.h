/* SPDX-License-Identifier: MIT */
/*
 * Make the Nth allocation fail.
 *
 * The linker turns every malloc, calloc and realloc of the program's own objects
 * (the engine and the test, not the C library, cmocka or a sanitizer) into a call
 * of this module. A test asks for it in its CMakeLists.txt:
 *
 *     fat_unit(block blkdev_mem)
 *     target_link_options(test_block_blkdev_mem PRIVATE
 *       -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc)
 *
 * Without these options a test that uses this header doesn't link.
 *
 * The sweep: with N = 1, 2, 3, ... until the armed allocation wasn't reached,
 *
 *     failalloc_arm(n, FAILALLOC_ONCE);
 *     err = fat_thing_new(&thing);
 *     if (!failalloc_disarm()) {
 *         assert_int_equal(err, FAT_OK);      the end of the sweep
 *     } else {
 *         assert_int_equal(err, FAT_E_NOMEM); and outputs untouched
 *     }
 *
 * Threads: allocations of all threads are counted together. What the C library
 * allocates for itself (strdup, open_memstream, pthread_create) never fails.
 * recdev and overlay take their memory where it can't fail ("support/steady.h").
 */
#ifndef TEST_SUPPORT_FAILALLOC_H
#define TEST_SUPPORT_FAILALLOC_H

#include <stdbool.h>
#include <stddef.h>

enum failalloc_lasting {
    FAILALLOC_ONCE,   /* the Nth fails and the next succeeds */
    FAILALLOC_ALWAYS, /* the Nth and all later ones fail     */
};

/* Let the @nth allocation from now fail; 1 is the next, 0 only counts. */
void failalloc_arm(unsigned nth, enum failalloc_lasting lasting);

/* Back to normal. True: since failalloc_arm() an allocation was made to fail. */
bool failalloc_disarm(void);

/* Allocations since the last failalloc_arm(), failed ones included. */
unsigned failalloc_count(void);

/* Bytes that they asked for, all together; what was freed since is not taken off. */
size_t failalloc_bytes(void);

#endif
