/* SPDX-License-Identifier: MIT */
/* For tests that no descriptor may leak from. */
#ifndef TEST_SUPPORT_DESCRIPTORS_H
#define TEST_SUPPORT_DESCRIPTORS_H

/* What /proc/self/fd lists: the same number before and after, and nothing is left. */
unsigned count_descriptors(void);

#endif
