/* SPDX-License-Identifier: MIT */
/*
 * Names from a medium, made safe to print.
 *
 * A volume is somebody else's: its names may hold newlines and terminal
 * sequences. Whatever our programs print of it goes through here.
 */
#ifndef FATWARD_TOOLS_TEXT_ESCAPE_H
#define FATWARD_TOOLS_TEXT_ESCAPE_H

#include <stdio.h>

/*
 * Write @text to @out: printable UTF-8 as it is; control characters and bytes
 * that are no UTF-8 as \xNN; a backslash as two, so that the reader can undo it.
 */
void escape_print(FILE *out, const char *text);

#endif
