/* SPDX-License-Identifier: MIT */
/*
 * Whatever a volume holds can be worked with: nothing crashes or hangs, files that were
 * not touched keep their bytes, and a volume in which the checker found nothing is one in
 * which it finds nothing afterwards.
 */
#include "fuzz.h"
#include "image.h"
#include "program.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
    static struct witness witness;
    struct fuzz_image image;
    struct fat_check_summary summary;
    bool sound;

    fuzz_image_open(&image, bytes, length);
    sound = fuzz_image_check(&image, &summary);
    witness_look(&witness, &image, &summary);
    fuzz_program_run(&image, sound, &witness);
    witness_compare(&witness, &image);
    if (!fuzz_image_check(&image, &summary) && sound) {
        fuzz_image_explain(&image);
        PROMISE(!sound);
    }
    fuzz_image_close(&image);
    return 0;
}
