/* SPDX-License-Identifier: MIT */
/*
 * A row of bytes as operations on a volume, beside a plain tree that follows those that
 * succeeded: what was done must be there, and nothing else.
 */
#ifndef TEST_FUZZ_PROGRAM_H
#define TEST_FUZZ_PROGRAM_H

#include "image.h"
#include "witness.h"

/*
 * Open the volume, run image->program on it, and close it.
 *
 * @sound   the checker has found nothing: then no operation finds damage, and the tree
 *          is compared. Else the operations are done and may fail.
 * @witness is told which files are to change
 */
void fuzz_program_run(struct fuzz_image *image, bool sound, struct witness *witness);

#endif
