/* SPDX-License-Identifier: MIT */
/*
 * Ctrl-C and its like are held back and asked for at every step, so that a half
 * made image is taken away by the same code as after any other failure.
 */
#ifndef FATWARD_MKIMAGE_SIGNALS_H
#define FATWARD_MKIMAGE_SIGNALS_H

#include <stdbool.h>

void signals_hold(void);
bool signals_pending(void);
void signals_release(void); /* what was held back takes its effect now */

#endif
