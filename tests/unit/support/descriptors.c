/* SPDX-License-Identifier: MIT */
#include "support/descriptors.h"

#include <dirent.h>

#include "support/cmocka.h"

unsigned count_descriptors(void)
{
    DIR *const directory = opendir("/proc/self/fd");
    unsigned count = 0;

    assert_non_null(directory);
    /* NOLINTNEXTLINE(concurrency-mt-unsafe): a stream of its own */
    while (readdir(directory)) {
        count++;
    }
    assert_int_equal(closedir(directory), 0);
    return count;
}
