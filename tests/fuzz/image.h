/* SPDX-License-Identifier: MIT */
/*
 * A fuzzer's bytes as a device with a volume on it, and a program of operations.
 *
 *     0     which volume: one of FUZZ_PRESETS that fat_format() made and a few
 *           operations filled, FUZZ_BLANK, or FUZZ_RAW
 *     1     how to open it, see enum fuzz_how
 *     2, 3  length of the program, which is the end of the input
 *     4..7  FUZZ_BLANK: size of the device in sectors of 512 bytes, below
 *           FUZZ_SECTORS_MAX: what a large volume needs in time is no finding
 *     8..   patches; FUZZ_RAW: the device, byte for byte
 *
 * Numbers are little-endian. A patch is 7 bytes and what is written there: its kind,
 * where (4 bytes), the length (2 bytes). So an input stays small, whatever the volume's
 * size, and one that changes a FAT entry or a slot is one changed number away.
 */
#ifndef TEST_FUZZ_IMAGE_H
#define TEST_FUZZ_IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <fatward/check.h>
#include <fatward/volume.h>

enum { FUZZ_PRESETS = 8, FUZZ_RAW = 0xfe, FUZZ_BLANK = 0xff };

enum { FUZZ_HEAD_BYTES = 8, FUZZ_PATCH_HEAD = 7, FUZZ_SECTORS_MAX = 1 << 17 };

enum fuzz_how {
    FUZZ_READ_ONLY = 1 << 0,   /* by option                                      */
    FUZZ_SMALL_CACHE = 1 << 1, /* so that everything is dropped and read again    */
    FUZZ_CUT_SHORT = 1 << 2,   /* the device ends before the volume               */
    FUZZ_FROZEN = 1 << 3,      /* the device refuses writes                       */
};

enum fuzz_patch_kind {
    FUZZ_PATCH_BYTES,   /* where: byte of the device                              */
    FUZZ_PATCH_BOOT,    /* where: byte of the boot sector                         */
    FUZZ_PATCH_FSINFO,  /* where: byte of the FSInfo sector                       */
    FUZZ_PATCH_LINK,    /* where: cluster, and in the upper 4 bits the copy of the
                           FAT, 15: all. 4 bytes: the value                       */
    FUZZ_PATCH_SLOT,    /* where: number of a directory slot, and in the lower 5
                           bits a byte of it                                      */
    FUZZ_PATCH_CLUSTER, /* where: cluster << 12, and a byte of it                 */
    FUZZ_PATCH_KINDS
};

/* What fails, with FAT_E_IO and nothing done. */
struct fuzz_fault {
    enum { FUZZ_NO_FAULT, FUZZ_FAIL_READ, FUZZ_FAIL_WRITE, FUZZ_FAIL_FLUSH } call;
    uint64_t nth; /* the first is 1                                             */
    bool always;  /* and all that follow it                                     */
};

struct fuzz_image {
    struct fat_blkdev dev; /* first member; counts what passes                    */
    struct fat_blkdev *under;
    uint8_t how;
    const uint8_t *program;
    size_t program_length;
    uint64_t reads, writes;
    struct fuzz_fault fault; /* to be set by who wants it                         */
};

/* The same device every time; fuzz_image_close() forgets what was written on it. */
void fuzz_image_open(struct fuzz_image *image, const uint8_t *bytes, size_t length);
void fuzz_image_close(struct fuzz_image *image);

/* As image->how says, with a clock that stands. */
struct fat_volume_options fuzz_image_options(const struct fuzz_image *image);

/* The checker; @ret is zero if it found no volume. True: nothing but notes. */
bool fuzz_image_check(struct fuzz_image *image, struct fat_check_summary *ret);

/* The checker once more, which says on stderr what it finds. */
void fuzz_image_explain(struct fuzz_image *image);

#endif
