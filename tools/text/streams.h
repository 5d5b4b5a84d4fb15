/* SPDX-License-Identifier: MIT */
/*
 * Standard input, output and error, as every program of ours begins and ends with them.
 */
#ifndef FATWARD_TOOLS_TEXT_STREAMS_H
#define FATWARD_TOOLS_TEXT_STREAMS_H

#include <stdbool.h>

/*
 * Take the places of the streams that the caller has closed, before anything is opened:
 * an image that got the number 2 would be written over by the next message. What is
 * closed fails to be read and written as before. False: not even /dev/null can be had.
 */
bool streams_begin(void);

/* False: not all that was printed has arrived. */
bool streams_end(void);

#endif
