/* SPDX-License-Identifier: MIT */
/* Messages to the person at the terminal. */
#ifndef FATWARD_MKIMAGE_COMPLAIN_H
#define FATWARD_MKIMAGE_COMPLAIN_H

/*
 * "fatward-mkimage: SUBJECT: text" to stderr, both escaped: either may hold a path.
 *
 * @subject   a path or an option; NULL if it is about neither
 */
void complain(const char *subject, const char *format, ...)
        __attribute__((format(printf, 2, 3)));

#endif
